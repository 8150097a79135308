//! Header fields of a message, as far as somebody answers for them: who it says it is from ([`author`]), and results that
//! bear our name ([`forged`]).
//!
//! Strict on purpose. Programs that show mail mend what is broken, each in its own way; what could be read in two ways is
//! not read here at all, so nobody is shown another author than the one who was looked at.

pub mod author;
pub mod forged;
mod text;

#[cfg(test)]
mod tests;
