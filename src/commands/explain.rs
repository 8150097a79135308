//! `mailctl explain`: which rule decides about a message, and how to change that.

mod facts;
mod standing;

use super::{alias::place, names, scene};
use crate::{
    error::{Error, codes},
    mail::{
        address::Address,
        directory::{Target, resolve},
        explain::{Question, Step, Verdict, Words, lists, walk},
        list::{Lists, Table},
    },
    settings::Settings,
    ui::Ui,
    world::{World, store::Listed},
};
use clap::Subcommand;
use std::net::IpAddr;

/// Tell rule by rule what would become of a message: which rule decides, its setting, and the remedy
///
/// Walks the restrictions that are rendered from the settings now, with the functions that answer Postfix. With --client-ip,
/// DNS is asked what mailctld would ask: SPF, the lists of dnsbl.zones, the client's name. Nothing is sent. Exit status 1:
/// it would be refused.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    way: Way,
}

#[derive(Subcommand, Debug)]
enum Way {
    /// A message that a user sends by 465 or 587
    Send {
        /// The login: address of the mailbox
        #[arg(long, value_name = "ADDRESS")]
        user: String,
        /// Envelope sender; without it, the login's own address; <> = a receipt
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// Recipient
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// Address of the client
        #[arg(long, value_name = "IP")]
        client_ip: Option<IpAddr>,
    },
    /// A message that another server sends to port 25
    Receive {
        /// Envelope sender; <> = a bounce
        #[arg(long, value_name = "ADDRESS")]
        from: String,
        /// Recipient
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// Address of the client
        #[arg(long, value_name = "IP")]
        client_ip: Option<IpAddr>,
        /// What it calls itself
        #[arg(long, value_name = "NAME")]
        helo: Option<String>,
    },
}

/// Walks, and tells.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let (service, mut question) = question(args.way, &settings, ui)?;
    facts::gather(&mut question, &settings, world).await?;
    let config = scene::config(world, &settings).await?;
    let text = |path: &str| {
        let found = config.files().iter().find(|file| file.path == path);
        found.map(|file| file.text.as_str()).unwrap_or_default()
    };
    let all = lists(text("postfix/main.cf"), text("postfix/master.cf"), service);
    let place = place(&settings);
    let store = world.store_to_read().await?;
    let (commands, shelf) = (store.listed(names::now()).await?, world.lists());
    let commands = Table::new(commands.iter().map(Listed::entry).collect());
    let files = shelf.tables().map(|(_, table)| table.clone()).collect();
    let listed = Lists { commands: commands.into(), files };
    let words = Words {
        restriction: settings.sender_restrictions,
        mode: settings.relay_mode,
        lists: &listed,
        header_from: settings.policies.header_from,
    };
    let (mut steps, targets) = store
        .look_up(&settings, |directory| {
            let steps = walk(&all, &question, directory, &place, words)?;
            Ok((steps, resolve(directory, &place, &question.to)?.targets))
        })
        .await?;
    store.close().await;
    standing::tell(&mut steps, &question, world).await;
    let refused = steps.last().filter(|step| step.verdict == Verdict::Refuse);
    if ui.manner().json {
        let goes_to: Vec<&Address> =
            if refused.is_some() { Vec::new() } else { targets.iter().map(Target::address).collect() };
        ui.json(&serde_json::json!({
            "taken": refused.is_none(), "steps": steps, "decided_by": refused, "goes_to": goes_to,
        }));
    } else {
        tell(&steps, ui);
    }
    if let Some(step) = refused {
        return Err(error(step));
    }
    if !ui.manner().json {
        ui.data("=> taken, as far as it can be known beforehand");
        for target in &targets {
            ui.data(match target {
                Target::Mailbox(address) => format!("=> mailbox {address}"),
                Target::Outside(address) => match &settings.relay {
                    Some(relay) => format!("=> sent to {address} by way of {}", relay.host),
                    None => format!("=> sent to {address}"),
                },
            });
        }
    }
    Ok(())
}

fn question(way: Way, settings: &Settings, ui: &mut Ui) -> Result<(&'static str, Question), Error> {
    let sender = |text: &str, ui: &mut Ui| match text {
        "" | "<>" => Ok(None),
        text => names::address(text, ui).map(Some),
    };
    let trusted = |client: Option<IpAddr>| client.is_some_and(|address| settings.trusted.holds(address));
    Ok(match way {
        Way::Send { user, from, to, client_ip } => {
            let login = names::address(&user, ui)?;
            let from = match from {
                None => Some(login.clone()),
                Some(text) => sender(&text, ui)?,
            };
            let to = names::address(&to, ui)?;
            let trusted = trusted(client_ip);
            ("submission", about(client_ip, trusted, None, Some(login), from, to))
        }
        Way::Receive { from, to, client_ip, helo } => {
            let from = sender(&from, ui)?;
            let to = names::address(&to, ui)?;
            let trusted = trusted(client_ip);
            ("smtp", about(client_ip, trusted, helo, None, from, to))
        }
    })
}

/// Nothing is asked about it yet.
fn about(
    client: Option<IpAddr>,
    trusted: bool,
    helo: Option<String>,
    login: Option<Address>,
    from: Option<Address>,
    to: Address,
) -> Question {
    Question { client, trusted, helo, login, from, to, spf: None, heard: None, called: None }
}

fn tell(steps: &[Step], ui: &mut Ui) {
    let mut list = "";
    for step in steps {
        if step.list != list {
            list = step.list;
            ui.data(list);
        }
        let verdict = match step.verdict {
            Verdict::Next => "goes on",
            Verdict::Permit => "permits",
            Verdict::Refuse => "REFUSES",
            Verdict::Open => "open",
        };
        let setting = step.setting.map(|name| format!(" ({name})")).unwrap_or_default();
        ui.data(format!("  {verdict:<8} {}: {}{setting}", step.rule, step.why));
    }
}

fn error(step: &Step) -> Error {
    let error =
        Error::new(codes::MESSAGE_REFUSED, format!("it would be refused by {}: {}", step.rule, step.why));
    let error =
        step.reply.iter().fold(error, |error, reply| error.cause(format!("the client is told: {reply}")));
    let error = step
        .setting
        .iter()
        .fold(error, |error, name| error.cause(format!("the setting behind it is {name}")));
    step.remedies.iter().fold(error, |error, command| error.hint(command))
}
