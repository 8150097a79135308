//! Ring: `mailctl daemon` as a process, asked as Postfix asks about messages.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

#[path = "policy/clock.rs"]
mod clock;
#[path = "policy/crowd.rs"]
mod crowd;
#[path = "policy/doors.rs"]
mod doors;
#[path = "policy/faults.rs"]
mod faults;
#[path = "policy/place.rs"]
mod place;
#[path = "policy/starved.rs"]
mod starved;
