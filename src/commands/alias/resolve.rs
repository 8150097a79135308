//! `mailctl alias resolve`.

use super::check;
use crate::{
    commands::names,
    error::Error,
    mail::{
        address::Address,
        directory::{Route, Stop, Target, Why, resolve},
        forward::Off,
    },
    ui::Ui,
    world::World,
};

/// Show step by step where mail for an address goes, by the same code that routes it
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Any address: here or elsewhere, with or without +tag
    #[arg(value_name = "ADDRESS")]
    address: String,
}

/// Prints the way.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    let settings = world.settings()?.settings;
    let place = check::place(&settings);
    let store = world.store_to_read().await?;
    let route = store.look_up(&settings, |directory| resolve(directory, &place, &address)).await?;
    tell(&address, &route, ui);
    Ok(())
}

/// Tells it, in the form that was asked for.
pub fn tell(address: &Address, route: &Route, ui: &mut Ui) {
    if ui.manner().json {
        return ui.json(&json(route));
    }
    for stop in &route.stops {
        ui.data(format!("{}: {}", stop.at, sentence(stop)));
    }
    match route.targets.as_slice() {
        [] => ui.data(format!("=> mail for {address} is refused")),
        targets => targets.iter().for_each(|target| {
            ui.data(match target {
                Target::Mailbox(address) => format!("=> mailbox {address}"),
                Target::Outside(address) => format!("=> sent to {address}"),
            });
        }),
    }
}

fn sentence(stop: &Stop) -> String {
    let targets: Vec<String> = stop.leads_to.iter().map(ToString::to_string).collect();
    let targets = targets.join(", ");
    let source = stop.source.as_deref().unwrap_or_default();
    let with = if stop.parts.is_empty() { String::new() } else { format!(" with {}", parts(stop)) };
    let said = match stop.why {
        Why::Alias => format!("an alias, leads to {targets}"),
        Why::Mailbox => "a mailbox here".to_owned(),
        Why::Role => format!("a role address, leads to the administrator {targets}"),
        Why::Wildcard => format!("matches the wildcard {source}{with}, leads to {targets}"),
        Why::Expression => format!("matches {source}{with}, leads to {targets}"),
        Why::CatchAll => format!("nobody of this name; the domain's catch-all leads to {targets}"),
        Why::Domain => format!("all of {source} is led to another domain, here to {targets}"),
        Why::Off => format!("stands for {source}{with}, which {}: refused", off(stop)),
        Why::Unfit => format!("matches {source}{with}, and a target would be no address with that: refused"),
        Why::Outside => "of another server".to_owned(),
        Why::Unknown => "nobody of this name".to_owned(),
        Why::TooFar => "too many steps; not followed".to_owned(),
    };
    let said = match stop.off {
        Some(_) if stop.why != Why::Off => format!("{said} (the alias {source} {})", off(stop)),
        _ => said,
    };
    let said = match (stop.rule, &stop.block, stop.ruled) {
        (Some(id), Some(text), _) => format!("matches {source}, whose rule {id} refuses it: {text}"),
        (Some(id), None, _) => format!("{said}, by rule {id} of {source}"),
        (None, _, true) => format!("{said}; rules of {source} may send some messages elsewhere"),
        (None, _, false) => said,
    };
    if stop.loops { format!("{said} (which leads back here; not followed)") } else { said }
}

/// `$1 = eu, $2 = 17`.
fn parts(stop: &Stop) -> String {
    let named = stop.parts.iter().enumerate().map(|(at, part)| format!("${} = {part}", at + 1));
    named.collect::<Vec<_>>().join(", ")
}

fn off(stop: &Stop) -> String {
    match stop.off {
        Some(Off::Expired(since)) => format!("is over since {}", names::moment(since)),
        Some(Off::Disabled) | None => "is switched off".to_owned(),
    }
}

fn json(route: &Route) -> serde_json::Value {
    let why = |why| match why {
        Why::Alias => "alias",
        Why::Mailbox => "mailbox",
        Why::Role => "role",
        Why::Wildcard => "wildcard",
        Why::Expression => "expression",
        Why::CatchAll => "catch_all",
        Why::Domain => "domain",
        Why::Off => "off",
        Why::Unfit => "unfit",
        Why::Outside => "outside",
        Why::Unknown => "unknown",
        Why::TooFar => "too_far",
    };
    let off = |off| match off {
        None => serde_json::Value::Null,
        Some(Off::Disabled) => serde_json::json!({"why": "disabled"}),
        Some(Off::Expired(since)) => serde_json::json!({"why": "expired", "since": since}),
    };
    let stops: Vec<_> = route
        .stops
        .iter()
        .map(|stop| {
            serde_json::json!({
                "address": stop.at, "is": why(stop.why), "leads_to": stop.leads_to, "loops": stop.loops,
                "source": stop.source, "parts": stop.parts, "off": off(stop.off), "ruled": stop.ruled, "rule": stop.rule,
                "block": stop.block,
            })
        })
        .collect();
    let targets: Vec<_> = route
        .targets
        .iter()
        .map(|target| {
            let kind = if matches!(target, Target::Mailbox(_)) { "mailbox" } else { "outside" };
            serde_json::json!({"address": target.address(), "is": kind})
        })
        .collect();
    serde_json::json!({"stops": stops, "targets": targets})
}
