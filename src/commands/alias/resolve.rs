//! `mailctl alias resolve`.

use super::check;
use crate::{
    commands::names,
    error::Error,
    mail::directory::{Route, Stop, Target, Why, resolve},
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
    if ui.manner().json {
        ui.json(&json(&route));
        return Ok(());
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
    Ok(())
}

fn sentence(stop: &Stop) -> String {
    let targets: Vec<String> = stop.leads_to.iter().map(ToString::to_string).collect();
    let targets = targets.join(", ");
    let said = match stop.why {
        Why::Alias => format!("an alias, leads to {targets}"),
        Why::Mailbox => "a mailbox here".to_owned(),
        Why::Role => format!("a role address, leads to the administrator {targets}"),
        Why::CatchAll => format!("nobody of this name; the domain's catch-all leads to {targets}"),
        Why::Outside => "of another server".to_owned(),
        Why::Unknown => "nobody of this name".to_owned(),
        Why::TooFar => "too many steps; not followed".to_owned(),
    };
    if stop.loops { format!("{said} (which leads back here; not followed)") } else { said }
}

fn json(route: &Route) -> serde_json::Value {
    let why = |why| match why {
        Why::Alias => "alias",
        Why::Mailbox => "mailbox",
        Why::Role => "role",
        Why::CatchAll => "catch_all",
        Why::Outside => "outside",
        Why::Unknown => "unknown",
        Why::TooFar => "too_far",
    };
    let stops: Vec<_> = route
        .stops
        .iter()
        .map(|stop| {
            serde_json::json!({
                "address": stop.at, "is": why(stop.why), "leads_to": stop.leads_to, "loops": stop.loops,
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
