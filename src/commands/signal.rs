//! `mailctl signal` (hidden): inside a container, tells its first process to read its configuration.

use crate::{
    error::Error,
    plan::service::Signal,
    world::{World, process},
};

/// Send a signal to the first process of this container
#[derive(clap::Args, Debug)]
pub struct Args {
    /// SIGHUP or SIGUSR1
    signal: Signal,
}

/// Sends it.
pub fn run(args: &Args, _world: &World) -> Result<(), Error> {
    process::signal_first(args.signal)
}
