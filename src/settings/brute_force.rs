//! `brute_force.*`: what is done about guessing at passwords.

use super::{source::Words, value};
use ipnet::IpNet;
use serde::Serialize;

/// How much guessing is too much, and what follows. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BruteForce {
    /// Whether anything is.
    pub enabled: bool,
    /// Wrong passwords of one address; 0 = no limit.
    pub failures: u32,
    /// Of the network around it.
    pub network_failures: u32,
    /// At one account, from networks that it is not known in.
    pub account_failures: u32,
    /// Within which they count.
    pub window: u64,
    /// The first ban.
    pub ban_time: u64,
    /// The longest.
    pub longest_ban: u64,
    /// Whether the same wrong password counts each time.
    pub count_repeats: bool,
    /// Never banned.
    pub ignore: Vec<IpNet>,
}

impl Words {
    pub(super) fn brute_force(&mut self) -> BruteForce {
        BruteForce {
            enabled: self.or("brute_force.enabled", value::flag, true),
            failures: self.or("brute_force.failures", value::failures, 0),
            network_failures: self.or("brute_force.network_failures", value::failures, 0),
            account_failures: self.or("brute_force.account_failures", value::failures, 0),
            window: self.or("brute_force.window", value::span, 1),
            ban_time: self.or("brute_force.ban_time", value::span, 1),
            longest_ban: self.or("brute_force.longest_ban", value::span, 1),
            count_repeats: self.or("brute_force.count_repeats", value::flag, false),
            ignore: self.or("brute_force.ignore", value::networks, Vec::new()),
        }
    }
}
