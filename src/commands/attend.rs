//! `mailctl attend opendkim` (hidden): runs in OpenDKIM's container, and OpenDKIM under it.

use crate::{
    error::{Error, codes},
    plan::Service,
    ui::Ui,
    world::{World, attend},
};

/// Run a service's programs in its container, and keep what they log
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which; only opendkim needs it
    service: Service,
}

/// Returns when it is told to stop, or when one of the programs ended by itself.
pub async fn run(args: Args, _world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.service {
        Service::Opendkim => attend::opendkim(ui.log()).await,
        other => Err(Error::new(codes::USAGE, format!("{other} is run by the engine itself"))),
    }
}
