//! What is asked about, and what was found out about it before the walk begins.

use super::Heard;
use crate::mail::{
    address::Address, header::author::HeaderFrom, list::Lists, policy::Action, relay::RelayMode,
    rights::Restriction,
};
use std::net::IpAddr;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    /// Address of the client; `None` = anywhere on the Internet.
    pub client: Option<IpAddr>,
    /// Whether the settings trust its network.
    pub trusted: bool,
    /// What it calls itself; `None` = something right.
    pub helo: Option<String>,
    /// Who logged in.
    pub login: Option<Address>,
    /// `MAIL FROM`; `None` = the null sender of bounces and receipts.
    pub from: Option<Address>,
    /// `RCPT TO`.
    pub to: Address,
    /// What the sender's domain says of the client, where that was asked.
    pub spf: Option<Proof>,
    /// What blocklists in DNS say, where they were asked.
    pub heard: Option<Heard>,
    /// What the client is called, where that was looked up.
    pub called: Option<Called>,
}

/// What a client is called in DNS, as Postfix finds it: the name of its address, where that leads back to the address.
#[derive(Clone, Debug)]
pub enum Called {
    /// This.
    By(String),
    /// No name leads to it and back.
    Nobody,
    /// DNS gave no answer, for this reason.
    Unknown(String),
}

/// An SPF verdict, and what mailctld makes of it.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The verdict, and the term that decided.
    pub says: String,
    /// What Postfix is told.
    pub action: Action,
}

/// What the settings say that the lists name only by a word.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// `SENDER_RESTRICTIONS`.
    pub restriction: Restriction,
    /// `RELAY_MODE`.
    pub mode: RelayMode,
    /// Block and allow lists.
    pub lists: &'a Lists,
    /// `submission.header_from`.
    pub header_from: HeaderFrom,
}
