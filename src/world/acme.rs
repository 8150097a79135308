//! An authority that issues certificates (ACME, RFC 8555). All of instant-acme is used here and nowhere else.
//!
//! One attempt: [`Book::open`] (nobody else is at it), [`Errand::open`] (directory and account), [`Errand::run`], and
//! when what came is served, [`Book::finished`]; or else [`Book::failed`]. Every step is on the disk before the next
//! one is taken, so an attempt that is cut off anywhere is gone on with by the next one.

mod account;
mod authorization;
mod book;
mod challenge;
mod directory;
mod dns01;
mod errand;
pub mod fault;
mod http;
mod jws;
mod lost;
mod order;
mod patience;
pub mod precheck;

pub use account::{Ca, known};
pub use book::Book;
pub use directory::Directory;
pub use dns01::Zones;
pub use errand::{Errand, place};
pub use fault::Fault;
pub use instant_acme::RevocationReason as Reason;

use std::time::Duration;

/// By how many seconds an authority's clock may be ahead of ours; what it issues is valid from its now on.
const AHEAD: i64 = 300;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For one answer.
    pub request: Duration,
    /// For an order, from one state to the next: a validation, an issuance.
    pub state: Duration,
    /// Between two looks at an order, at first; doubled up to five seconds.
    pub look: Duration,
    /// Before the same is asked again that found no answer, at first; doubled each time.
    pub again: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            state: Duration::from_secs(120),
            look: Duration::from_millis(250),
            again: Duration::from_millis(500),
        }
    }
}
