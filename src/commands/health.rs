//! `mailctl health SERVICE --inside`: what the engine runs in each container to know whether it is well.

use crate::{
    error::Error,
    plan::service::Service,
    ui::Ui,
    world::{World, health},
};

/// Ask a service in its own protocol whether it does its work (inside its container)
#[derive(clap::Args, Debug)]
pub struct Args {
    /// postfix, dovecot, opendkim or mailctld
    service: Service,
    /// This is the service's own container
    #[arg(long, required = true)]
    inside: bool,
    /// Dovecot serves IMAP: it must greet
    #[arg(long)]
    imap: bool,
}

/// One line that says how it does; exit status 1 where it is not well.
pub async fn run(args: Args, _world: &World, ui: &mut Ui) -> Result<(), Error> {
    let well = health::check(args.service, args.imap).await?;
    ui.data(format!("{}: {well}", args.service));
    Ok(())
}
