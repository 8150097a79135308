//! `mailctl limits show`.

use crate::{
    commands::names,
    error::Error,
    mail::limit,
    ui::Ui,
    world::{
        World,
        control::{Ask, Standing, Used},
    },
};
use std::net::IpAddr;

/// Show what one login, one client or one domain has used up of its limits
///
/// mailctld keeps counts under hashes, so it can tell about a name; for who is near a limit there is `mailctl limits list`. A domain is told both as that
/// of senders and as that of recipients. Nothing is counted by asking.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A login, the address of a client, or a domain with @ before it
    #[arg(value_name = "LOGIN|IP|@DOMAIN")]
    whose: String,
}

/// Asks, and tells.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let standing = world.standing(&asked(&args.whose, ui)?).await?;
    if ui.manner().json {
        ui.json(&standing);
        return Ok(());
    }
    let now = u32::try_from(names::now()).unwrap_or(u32::MAX);
    for used in &standing.limits {
        ui.data(line(used, now));
    }
    told(&args.whose, &standing, ui);
    Ok(())
}

fn asked(whose: &str, ui: &mut Ui) -> Result<Ask, Error> {
    if let Ok(client) = whose.parse::<IpAddr>() {
        return Ok(Ask { client: Some(client), ..Ask::default() });
    }
    if let Some(domain) = whose.strip_prefix('@') {
        let domain = names::domain(domain, ui)?.to_string();
        return Ok(Ask {
            sender_domain: Some(domain.clone()),
            recipient_domain: Some(domain),
            ..Ask::default()
        });
    }
    Ok(Ask { login: Some(names::address(whose, ui)?.to_string()), ..Ask::default() })
}

/// What no limit says.
fn told(whose: &str, standing: &Standing, ui: &mut Ui) {
    if standing.frozen {
        ui.say(format!("sending is stopped for {whose}: mailctl user unfreeze {whose}"));
    }
    if standing.trusted {
        ui.say(format!("{whose} is in TRUSTED_NETWORKS: no limit by client is for it"));
    } else if standing.limits.is_empty() {
        ui.say(format!("there is no limit for {whose}: mailctl help policy"));
    }
}

/// Setting, who, and [`words`].
pub fn line(used: &Used, now: u32) -> String {
    format!("{:<24} {}: {}", used.setting, used.of, words(used, now))
}

/// `3 of 200 messages an hour, until 14:05 UTC`
pub fn words(used: &Used, now: u32) -> String {
    let much = if used.limit.contains("of mail") { format!("{}k", used.used) } else { used.used.to_string() };
    let full = if used.used >= used.most { " - used up" } else { "" };
    let until =
        if used.until == 0 { String::new() } else { format!(", until {}", limit::clock(used.until, now)) };
    format!("{much} of {}{until}{full}", used.limit)
}
