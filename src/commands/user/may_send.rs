//! `mailctl user may-send`.

use super::passwd::absent;
use crate::{
    commands::{alias::place, names},
    error::{Error, codes},
    mail::{
        address::Address,
        header::author::HeaderFrom,
        rights::{Restriction, Right, right},
    },
    ui::Ui,
    world::World,
};

/// Tell whether a login may send as an address, and why, by the same code that decides it
///
/// Without an address, tell what was given to the login beside its own. Exit status 1: it may not.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The login: address of its mailbox
    #[arg(value_name = "ADDRESS")]
    login: String,
    /// The address to send as
    #[arg(value_name = "SENDER")]
    sender: Option<String>,
}

/// Tells.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let login = names::address(&args.login, ui)?;
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    store.mailbox(&login).await?.ok_or_else(|| absent(&login))?;
    let Some(sender) = &args.sender else {
        let granted = store.rights_of(&login).await?;
        if ui.manner().json {
            ui.json(&serde_json::json!({
                "login": login, "granted": granted, "restriction": settings.sender_restrictions,
            }));
        } else {
            granted.iter().for_each(|source| ui.data(source.to_string()));
            ui.say(format!("its own addresses and aliases: mailctl user show {login}"));
        }
        return Ok(());
    };
    let sender = names::address(sender, ui)?;
    let (place, restriction) = (place(&settings), settings.sender_restrictions);
    let found =
        store.look_up(&settings, |directory| right(directory, &place, restriction, &login, &sender)).await?;
    if ui.manner().json {
        let (why, granted) = match &found {
            Some(Right::Own) => (Some("own"), None),
            Some(Right::Leads) => (Some("leads"), None),
            Some(Right::Granted(source)) => (Some("granted"), Some(source)),
            Some(Right::Served) => (Some("served"), None),
            None => (None, None),
        };
        ui.json(&serde_json::json!({
            "login": login, "sender": sender, "may_send": found.is_some(), "why": why, "granted": granted,
            "restriction": restriction, "header_from": settings.policies.header_from,
        }));
    }
    match found {
        Some(_) if ui.manner().json => Ok(()),
        Some(right) => {
            ui.data(format!("yes: {}", sentence(&right, &login, &sender)));
            ui.say(match settings.policies.header_from {
                HeaderFrom::Own => {
                    "the same holds for From and Sender in the message (submission.header_from)"
                }
                HeaderFrom::Any => "From and Sender in the message may be anything (submission.header_from)",
            });
            Ok(())
        }
        None => Err(refused(&login, &sender, restriction)),
    }
}

fn sentence(right: &Right, login: &Address, sender: &Address) -> String {
    match right {
        Right::Own => format!("{sender} is {login}'s own address"),
        Right::Leads => format!("mail for {sender} ends in the mailbox of {login}"),
        Right::Granted(source) => format!("{login} was given {source} (mailctl user allow)"),
        Right::Served => format!("{} is served here, and SENDER_RESTRICTIONS=domain", sender.domain()),
    }
}

fn refused(login: &Address, sender: &Address, restriction: Restriction) -> Error {
    let error = Error::new(codes::SENDER_REFUSED, format!("{login} may not send as {sender}"))
        .cause(format!("it is not its own address, and mail for it does not end in the mailbox of {login}"));
    let error = match restriction {
        Restriction::Email => error,
        Restriction::Domain => error.cause(format!("{} is not served here", sender.domain())),
    };
    error
        .hint(format!("mailctl user allow {login} {sender}"))
        .hint(format!("mailctl alias add {sender} {login}     (mail for it comes here as well)"))
        .hint(format!("mailctl alias resolve {sender}     (where mail for it goes now)"))
}
