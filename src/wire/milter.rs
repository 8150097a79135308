//! The milter protocol, version 6: how a mail server shows a message to a filter while it comes in, and what the filter
//! asks for in turn. Bytes in, values out; pieces of packets and many at once.
//!
//! Source: sendmail's libmilter (`mfdef.h`, `mfapi.h`) and Postfix's `MILTER_README`. A packet is a length (32 bits,
//! big-endian, of what follows it), a letter, and data. [`decode`] reads what a server sends, [`Reply`] is what a filter
//! answers, [`Offer`] is what the two agree on first. [`ask`] is the server's side, as far as a health check needs it.

pub mod ask;
mod command;
mod offer;
mod reply;

pub use command::{Command, Decoded, Family, LONGEST, Macros, decode};
pub use offer::{Offer, Stage, actions, steps};
pub use reply::Reply;

#[cfg(test)]
mod tests;
