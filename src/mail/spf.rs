//! SPF: which servers may send for a domain (RFC 7208).

mod fault;
mod macros;
mod parse;
mod record;

pub use fault::{Fault, Why};
pub use macros::MacroString;
pub use record::{Mechanism, Prefixes, Qualifier, Record, Term};
