//! What should run, and the steps from what runs to that. Values only: nothing here acts.

pub mod backup;
pub mod decide;
pub mod folders;
pub mod mtu;
pub mod observed;
pub mod recipe;
pub mod service;
pub mod spec;
pub mod stack;
pub mod step;
pub mod trust;
pub mod upgrade;

pub use decide::{plan, usable_network};
pub use observed::Observed;
pub use service::Service;
pub use stack::Stack;
pub use step::{Plan, Step};

#[cfg(test)]
mod tests;
