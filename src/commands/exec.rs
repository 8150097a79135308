//! `mailctl exec SERVICE COMMAND…`.

use crate::{
    error::{Error, codes},
    plan::{Service, observed::State},
    ui::Ui,
    world::{
        World,
        docker::{Ended, Window},
    },
};

/// Run a command in a service's container; without one, a shell. Ends with its exit status
#[derive(clap::Args, Debug)]
pub struct Args {
    /// mailctld, opendkim, dovecot or postfix
    service: Service,
    /// Command and arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Connects terminal or pipes to it; the result is its exit status.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<u8, Error> {
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
    let ended = engine.exec_attached(&running.id, command, window, terminal.outlets()).await;
    drop(lent);
    match ended? {
        // What a program says of its own end is all there is to say.
        Ended::With(status) => Ok(status),
        Ended::NotFound => {
            Err(Error::new(codes::COMMAND_ABSENT, format!("{} has no command {name}", args.service))
                .hint(format!("mailctl exec {}     (a shell, to look around)", args.service)))
        }
        Ended::NotExecutable(cause) => {
            Err(Error::new(codes::COMMAND_UNUSABLE, format!("{name} cannot be executed in {}", args.service))
                .cause(cause))
        }
    }
}
