//! `mailctl limits list`.

use crate::{
    commands::names,
    error::Error,
    ui::{Ui, listing::Listing},
    world::{World, control::Close},
};
use std::cmp::Reverse;

/// Octets of logins in one question; mailctld takes one of 64 KiB.
const PORTION: usize = 32 * 1024;

/// List who is near a limit, or over it, or frozen
///
/// All logins of the directory are looked at. Clients and domains are counted under hashes, without names: of them only
/// those are listed that came to four fifths of a limit since mailctld started (the last 500). Nothing is counted by asking.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// From which share of a limit on
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..=100))]
    near: u32,
}

/// Asks about everybody, and prints the nearest first.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let mut close = world.near(&[], args.near, true).await?;
    let store = world.store_to_read().await?;
    let mut after = String::new();
    loop {
        let page = store.mailboxes("*", &after).await?;
        let logins: Vec<&str> = page.rows().map(|[login, _]| login).collect();
        let Some(last) = logins.last() else { break };
        for portion in portions(&logins) {
            close.extend(world.near(portion, args.near, false).await?);
        }
        after = (*last).to_owned();
    }
    store.close().await;
    close.sort_by(|one, other| (Reverse(share(one)), &one.whose).cmp(&(Reverse(share(other)), &other.whose)));
    let now = u32::try_from(names::now()).unwrap_or(u32::MAX);
    let mut listing = Listing::begin(ui);
    for one in &close {
        listing.row(one, |text| text.push_str(&lines(one, now)));
    }
    listing
        .end(|ui| ui.say(format!("nobody has used up {} % of a limit, and no login is frozen", args.near)));
    Ok(())
}

/// Parts of at most [`PORTION`] octets, one login at least.
fn portions<'a>(logins: &'a [&'a str]) -> impl Iterator<Item = &'a [&'a str]> {
    let mut rest = logins;
    std::iter::from_fn(move || {
        let mut octets = 0;
        let fits = rest.iter().take_while(|login| {
            octets += login.len() + 3;
            octets <= PORTION
        });
        let (portion, left) = rest.split_at(fits.count().max(1).min(rest.len()));
        rest = left;
        (!portion.is_empty()).then_some(portion)
    })
}

/// Frozen ones first; then by the largest share, in thousandths.
fn share(close: &Close) -> (bool, u64) {
    let of_limit = close.limits.iter().map(|used| u64::from(used.used) * 1000 / u64::from(used.most.max(1)));
    (close.frozen, of_limit.max().unwrap_or(0))
}

/// A line for each thing about one of them.
fn lines(close: &Close, now: u32) -> String {
    let whose = &close.whose;
    let stopped = close.frozen.then(|| {
        format!("{:<24} {whose}: sending is stopped: mailctl user unfreeze {whose}", "rates.freeze_times")
    });
    let limits = close.limits.iter().map(|used| super::line(used, now));
    stopped.into_iter().chain(limits).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: any number of logins of any length goes into questions that mailctld takes, each login once.
    #[test]
    fn all_logins_are_asked_about_in_portions() {
        let names: Vec<String> =
            (0..5000).map(|n| format!("{}{n}@example.org", "x".repeat(n % 240))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let parts: Vec<&[&str]> = portions(&names).collect();
        assert_eq!(parts.concat(), names);
        let longest = parts.iter().map(|part| part.iter().map(|name| name.len() + 3).sum::<usize>()).max();
        assert!(longest.unwrap() <= PORTION && parts.len() > 10);
        assert_eq!(portions(&[]).count(), 0);
    }
}
