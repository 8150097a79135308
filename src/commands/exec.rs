//! `mailctl exec SERVICE COMMAND…`.

use crate::{
    error::{Error, codes},
    plan::{Service, observed::State},
    ui::Ui,
    world::{World, docker::Window},
};

/// Run a command in a service's container; without one, a shell
#[derive(clap::Args, Debug)]
pub struct Args {
    /// mailctld, opendkim, dovecot or postfix
    service: Service,
    /// Command and arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Connects terminal or pipes to it; ends as it ends.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let engine = world.engine().await?;
    let containers = engine.containers().await?;
    let running = containers
        .iter()
        .find(|found| found.service == args.service.name() && found.state == State::Running)
        .ok_or_else(|| {
            Error::new(codes::STACK_DOWN, format!("{} does not run", args.service)).hint("mailctl up")
        })?;
    let command = if args.command.is_empty() { vec!["/bin/sh".to_owned()] } else { args.command };
    let terminal = ui.terminal();
    let window = Window { tty: terminal.interactive, size: terminal.size };
    let name = command.first().cloned().unwrap_or_default();
    let lent = terminal.lend();
    let status = engine.exec_attached(&running.id, command, window, terminal.outlets()).await;
    drop(lent);
    match status? {
        0 => Ok(()),
        status => Err(Error::new(codes::COMMAND_FAILED, format!("{name} ended with status {status}"))),
    }
}
