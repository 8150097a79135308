//! The answers that are known.

mod reach;
mod receiver;
mod sender;

use super::{Advice, Outlook};

/// The most particular first.
pub(super) fn all() -> impl Iterator<Item = &'static Advice> {
    [reach::KNOWN, sender::KNOWN, receiver::KNOWN].into_iter().flatten()
}

const TRY: &str = "mailctl relay test";

const fn known(
    name: &'static str,
    outlook: Outlook,
    when: &'static [&'static [&'static str]],
    cause: &'static str,
    fix: &'static [&'static str],
) -> Advice {
    Advice { name, cause, fix, outlook, when }
}
