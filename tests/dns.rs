//! Questions to DNS, against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "dns/ask.rs"]
mod ask;
#[path = "dns/chain.rs"]
mod chain;
mod common;
#[path = "dns/fetch.rs"]
mod fetch;
#[path = "dns/field.rs"]
mod field;
#[path = "dns/judgement.rs"]
mod judgement;
#[path = "dns/peer.rs"]
mod peer;
#[path = "dns/settle.rs"]
mod settle;
#[path = "dns/signed.rs"]
mod signed;
#[path = "dns/twice.rs"]
mod twice;
#[path = "dns/update.rs"]
mod update;
#[path = "dns/validate.rs"]
mod validate;
