//! What the tests share.
#![allow(dead_code, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

pub mod acme;
pub mod certificate;
pub mod dns;
pub mod engine;
pub mod golden;
pub mod home;
pub mod https;
pub mod mailctld;
pub mod nameserver;
pub mod process;
pub mod resolver;
pub mod signed;
pub mod stack;
