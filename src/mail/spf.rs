//! SPF: which servers may send for a domain (RFC 7208). Our own evaluator: every rule, and for every verdict the
//! term that decided.
//!
//! - [`check_host`] evaluates who sends: a [`Request`] over an [`Inquiry`](super::dns::Inquiry). `None` means that
//!   answers are missing; they were asked for, all that can be foreseen at once. Ask them, add them, call again.
//! - [`Evaluation`] has the [`Verdict`], the path of terms to it ([`Evaluation::decided`] is the last), the
//!   [`Trouble`] where there is no proper verdict, the sender's explanation of a fail, and what was counted.
//! - [`survey`] looks at a domain's record and at all that it leads to, whoever the client is: the tree, the
//!   lookups of the worst case, and every [`Weakness`], each with a sentence (`Display`).
//! - [`received_spf`] and [`authentication_result`] write the verdict into a message.
//! - [`Record::parse`] makes a typed record of a text; [`Record::faults`] tells everything that is wrong with it.

mod ahead;
mod evaluate;
mod evaluation;
mod expand;
mod fault;
mod flaw;
mod header;
mod macros;
mod mechanism;
mod parse;
mod record;
mod request;
pub mod rule;
mod survey;
#[cfg(test)]
mod tests;
mod weak;

pub use evaluate::check_host;
pub use evaluation::{Evaluation, Place, Trouble, Verdict};
pub use fault::{Fault, Why};
pub use flaw::{Flaw, Nearly, Weakness};
pub use header::{authentication_result, received_spf};
pub use macros::MacroString;
pub use record::{Mechanism, Prefixes, Qualifier, Record, Term};
pub use request::{Identity, Request};
pub use survey::{Leaf, Node, Survey, survey};
