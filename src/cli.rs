//! Which word leads where.

use crate::{
    commands, daemon,
    error::{Error, Exit, codes},
    ui::{Call, Manner, Ui},
    world::{World, paths::Paths},
};
use clap::{
    ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind, parser::ValueSource,
};
use std::{ffi::OsString, path::PathBuf};

/// Your own mail server in one command
#[derive(Parser, Debug)]
#[command(name = "mailctl", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// Folder that holds everything: settings, state, keys, mail
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "MAILCTL_HOME",
        hide_env_values = true,
        default_value = "/var/lib/mailctl"
    )]
    pub home: PathBuf,
    /// Name of the stack, for several on one host
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "MAILCTL_PROJECT",
        hide_env_values = true,
        default_value = "mailctl"
    )]
    pub project: String,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Take the safe default for every question
    #[arg(long, short, global = true)]
    pub yes: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Demo(commands::demo::Args),
    Init(commands::init::Args),
    Image(commands::image::Args),
    Plan(commands::plan::Args),
    Up(commands::up::Args),
    Upgrade(commands::upgrade::Args),
    Down(commands::down::Args),
    Restart(commands::restart::Args),
    Reload(commands::reload::Args),
    Status(commands::status::Args),
    Logs(commands::logs::Args),
    Exec(commands::exec::Args),
    #[command(hide = true)]
    Lint(commands::lint::Args),
    #[command(hide = true)]
    Signal(commands::signal::Args),
    Version(commands::version::Args),
    User(commands::user::Args),
    Alias(commands::alias::Args),
    Forward(commands::forward::Args),
    Explain(commands::explain::Args),
    Domain(commands::domain::Args),
    Dkim(commands::dkim::Args),
    Ban(commands::ban::Args),
    Unban(commands::ban::del::Args),
    Block(commands::block::Args),
    Allow(commands::allow::Args),
    Limits(commands::limits::Args),
    Relay(commands::relay::Args),
    #[command(alias = "tls")]
    Cert(commands::cert::Args),
    DnsCheck(commands::dns_check::Args),
    DnsRecords(commands::dns_records::Args),
    DnsPublish(commands::dns_publish::Args),
    Config(commands::config::Args),
    Boot(commands::boot::Args),
    Maintain(commands::maintain::Args),
    Backup(commands::backup::Args),
    Restore(commands::restore::Args),
    Health(commands::health::Args),
    #[command(hide = true)]
    Attend(commands::attend::Args),
    #[command(hide = true)]
    Daemon(daemon::Args),
    Help(commands::help::Args),
    Completions(commands::completions::Args),
    Man(commands::completions::ManArgs),
}

impl Command {
    /// The result is the exit status: not 0 only where a program that we run for somebody ended with it.
    async fn run(self, world: &World, ui: &mut Ui) -> Result<u8, Error> {
        let done = match self {
            Self::Demo(args) => commands::demo::run(args, world, ui).await,
            Self::Init(args) => commands::init::run(args, world, ui).await,
            Self::Image(args) => commands::image::run(args, world, ui).await,
            Self::Plan(args) => commands::plan::run(args, world, ui).await,
            Self::Up(args) => commands::up::run(args, world, ui).await,
            Self::Upgrade(args) => commands::upgrade::run(args, world, ui).await,
            Self::Down(args) => commands::down::run(args, world, ui).await,
            Self::Restart(args) => commands::restart::run(args, world, ui).await,
            Self::Reload(args) => commands::reload::run(args, world, ui).await,
            Self::Status(args) => commands::status::run(args, world, ui).await,
            Self::Logs(args) => commands::logs::run(args, world, ui).await,
            Self::Exec(args) => return commands::exec::run(args, world, ui).await,
            Self::Lint(args) => commands::lint::run(args, world, ui).await,
            Self::Signal(args) => commands::signal::run(&args, world),
            Self::Version(args) => commands::version::run(args, world, ui).await,
            Self::User(args) => commands::user::run(args, world, ui).await,
            Self::Alias(args) => commands::alias::run(args, world, ui).await,
            Self::Forward(args) => commands::forward::run(args, world, ui).await,
            Self::Explain(args) => commands::explain::run(args, world, ui).await,
            Self::Domain(args) => commands::domain::run(args, world, ui).await,
            Self::Dkim(args) => commands::dkim::run(args, world, ui).await,
            Self::Ban(args) => commands::ban::run(args, world, ui).await,
            Self::Unban(args) => commands::ban::del::run(args, world, ui).await,
            Self::Block(args) => commands::block::run(args, world, ui).await,
            Self::Allow(args) => commands::allow::run(args, world, ui).await,
            Self::Limits(args) => commands::limits::run(args, world, ui).await,
            Self::Relay(args) => commands::relay::run(args, world, ui).await,
            Self::Cert(args) => commands::cert::run(args, world, ui).await,
            Self::DnsCheck(args) => commands::dns_check::run(args, world, ui).await,
            Self::DnsPublish(args) => commands::dns_publish::run(args, world, ui).await,
            Self::DnsRecords(args) => commands::dns_records::run(args, world, ui).await,
            Self::Config(args) => commands::config::run(args, world, ui).await,
            Self::Boot(args) => commands::boot::run(args, world, ui).await,
            Self::Maintain(args) => commands::maintain::run(args, world, ui).await,
            Self::Backup(args) => commands::backup::run(args, world, ui).await,
            Self::Restore(args) => commands::restore::run(args, world, ui).await,
            Self::Health(args) => commands::health::run(args, world, ui).await,
            Self::Attend(args) => commands::attend::run(args, world, ui).await,
            Self::Daemon(args) => daemon::run(&args, ui.log()).await,
            Self::Help(args) => commands::help::run(&args, grammar(), ui),
            Self::Completions(args) => commands::completions::run(&args, grammar(), ui),
            Self::Man(args) => commands::completions::man(&args, grammar(), ui),
        };
        done.map(|()| 0)
    }
}

/// The grammar of the command line, for its help, completions and reference.
pub fn grammar() -> clap::Command {
    Cli::command()
}

/// Runs one command line; the result is the exit status. Not generic: all commands would be compiled once
/// more, in the crate that calls it.
pub fn main(args: Vec<OsString>, environment: Vec<(OsString, OsString)>) -> u8 {
    let bare = args.len() < 2;
    let parsed = grammar().try_get_matches_from(args);
    let (cli, call) = match parsed.and_then(|found| Ok((Cli::from_arg_matches(&found)?, call(&found)))) {
        Ok(read) => read,
        Err(error) if bare && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // No words at all is a question, not a mistake.
            Ui::new(Manner::default()).write(&grammar().render_help().to_string());
            return 0;
        }
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage as u8 } else { 0 };
        }
    };
    let mut ui = Ui::new(Manner { json: cli.json, quiet: cli.quiet, yes: cli.yes }).called(call);
    match start(cli, environment, &mut ui) {
        Ok(status) => status,
        Err(error) => {
            ui.fail(&error);
            error.code().exit as u8
        }
    }
}

/// How the commands in our messages are to be typed: with what was given here, and neither default nor
/// environment would repeat.
fn call(found: &ArgMatches) -> Call {
    let given = |name: &str| found.value_source(name) == Some(ValueSource::CommandLine);
    let home =
        found.get_one::<PathBuf>("home").filter(|_| given("home")).map(|home| home.display().to_string());
    let project = found.get_one::<String>("project").filter(|_| given("project"));
    let options: Vec<(&str, &str)> =
        [("--home", home.as_deref()), ("--project", project.map(String::as_str))]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
    let homeless = ["help", "completions", "man", "version"];
    let words = grammar().get_subcommands().map(|command| command.get_name().to_owned()).collect::<Vec<_>>();
    Call::new(&options, words.into_iter().filter(|word| !homeless.contains(&word.as_str())))
}

fn start(cli: Cli, environment: Vec<(OsString, OsString)>, ui: &mut Ui) -> Result<u8, Error> {
    let home = std::path::absolute(&cli.home)
        .map_err(|e| Error::new(codes::USAGE, format!("cannot use home {}", cli.home.display())).cause(e))?;
    let environment: Vec<(String, String)> = environment
        .into_iter()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let world = World {
        paths: Paths::new(home),
        project: project_name(&cli.project)?,
        engine: environment.iter().find(|(key, _)| key == "DOCKER_HOST").map(|(_, host)| host.clone()),
        environment: environment.into_iter().filter(|(key, _)| key.starts_with("MAILCTL_")).collect(),
    };
    if world.finish_restore()? {
        ui.say("a restore that was interrupted is finished now");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::new(codes::IO, "cannot start").cause(e))?;
    let result = runtime.block_on(cli.command.run(&world, ui));
    // Not waiting for a read of standard input that `exec` no longer needs: it would end with the next key.
    runtime.shutdown_background();
    result
}

/// Engine names: letters, digits and hyphens, at most 40.
fn project_name(text: &str) -> Result<String, Error> {
    let fits = (1..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Error::new(codes::USAGE, format!("project {text:?} is not a usable name"))
            .hint("use 1 to 40 lower-case letters, digits and hyphens, as in --project mail2"))
    }
}
