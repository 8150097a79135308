//! `mailctl exec SERVICE COMMAND…`.

use crate::{
    error::{Error, codes},
    plan::{Service, observed::State},
    ui::Ui,
    world::{World, docker::Terminal},
};
use std::io::IsTerminal;

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
pub async fn run(args: Args, world: &World, _ui: &mut Ui) -> Result<(), Error> {
    let engine = world.engine().await?;
    let containers = engine.containers().await?;
    let running = containers
        .iter()
        .find(|found| found.service == args.service.name() && found.state == State::Running)
        .ok_or_else(|| {
            Error::new(codes::STACK_DOWN, format!("{} does not run", args.service)).hint("mailctl up")
        })?;
    let command = if args.command.is_empty() { vec!["/bin/sh".to_owned()] } else { args.command };
    let tty = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| (size.ws_col, size.ws_row));
    let raw = if tty { Raw::enter() } else { None };
    let name = command.first().cloned().unwrap_or_default();
    let status = engine.exec_attached(&running.id, command, Terminal { tty, size }).await;
    drop(raw);
    match status? {
        0 => Ok(()),
        status => Err(Error::new(codes::COMMAND_FAILED, format!("{name} ended with status {status}"))),
    }
}

/// Our terminal passes every key on while this lives.
struct Raw(rustix::termios::Termios);

impl Raw {
    fn enter() -> Option<Self> {
        let before = rustix::termios::tcgetattr(std::io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}
