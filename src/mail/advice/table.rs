//! The answers that are known.

mod reach;
mod receiver;
mod sender;

use super::{Advice, Outlook};

/// The most particular first.
pub(super) fn all() -> impl Iterator<Item = &'static Advice> {
    [reach::KNOWN, sender::KNOWN, receiver::KNOWN].into_iter().flatten()
}

/// What is left to do after every change: the queue is tried again by itself, but not at once.
const TRY: &str = "have the queue tried at once: mailctl exec postfix postqueue -f";

const fn known(
    name: &'static str,
    outlook: Outlook,
    when: &'static [&'static [&'static str]],
    cause: &'static str,
    fix: &'static [&'static str],
) -> Advice {
    Advice { name, cause, fix, outlook, when }
}
