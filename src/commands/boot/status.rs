//! `mailctl boot status`.

use super::{Installed, installed, names, wanted};
use crate::{
    commands::names as words,
    error::{Error, codes},
    ui::Ui,
    world::{
        World, program,
        systemd::{Properties, Systemd},
    },
};
use serde::Serialize;
use time::{PrimitiveDateTime, macros::format_description};

/// Show whether the stack starts at boot, and how its upkeep fares
#[derive(clap::Args, Debug)]
pub struct Args {}

/// All that systemd knows of the stack.
#[derive(Debug, Serialize)]
struct Shown {
    /// All units are there.
    installed: bool,
    /// They are what this program would write.
    current: bool,
    /// They start at boot.
    enabled: bool,
    service: State,
    /// How often the start failed and was tried again since it was last asked for.
    restarts: u32,
    timer: State,
    /// When upkeep runs next, in seconds since 1970.
    next: Option<i64>,
    maintain: State,
    /// When it ended last, in seconds since 1970.
    last: Option<i64>,
    #[serde(skip)]
    unit: String,
    #[serde(skip)]
    upkeep: String,
}

/// One unit.
#[derive(Debug, Serialize)]
struct State {
    /// systemd's word: `active`, `inactive`, `failed`, `activating`.
    active: String,
    /// `success`, or why not: `exit-code`, `timeout`.
    result: String,
    /// Exit status of its program.
    status: Option<i64>,
}

/// Prints it; exit status 1 where something is missing or failed.
pub async fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let systemd = Systemd::here()?;
    let shown = look(world, &systemd).await?;
    if ui.manner().json {
        ui.json(&shown);
    } else {
        tell(&shown, ui);
    }
    let wanting = |what: String| Error::new(codes::BOOT_OFF, what);
    if !shown.installed || !shown.enabled {
        return Err(wanting("the stack does not start at boot".to_owned()).hint("mailctl boot enable"));
    }
    if shown.service.active == "activating" && shown.restarts > 0 {
        let what = format!("{} failed {} time(s), and is tried again", shown.unit, shown.restarts);
        return Err(wanting(what).hint(format!("journalctl -u {} -n 50", shown.unit)));
    }
    for (unit, state) in [(&shown.unit, &shown.service), (&shown.upkeep, &shown.maintain)] {
        if state.active == "failed" || state.result != "success" {
            return Err(wanting(format!("{unit} failed: {}", state.result))
                .hint(format!("journalctl -u {unit} -n 50")));
        }
    }
    if shown.timer.active != "active" {
        return Err(wanting("the timer of the upkeep does not run".to_owned()).hint("mailctl boot enable"));
    }
    Ok(())
}

async fn look(world: &World, systemd: &Systemd) -> Result<Shown, Error> {
    let names = names(world);
    let units = wanted(world, &program::path()?, systemd.version().await)?;
    let (mut there, mut current) = (true, true);
    for unit in &units {
        match installed(world, &unit.name)? {
            Installed::Ours(text) => current &= text == unit.text,
            Installed::Nothing => there = false,
        }
    }
    let (stack, timer, maintain) = tokio::try_join!(
        systemd.show(&names.stack),
        systemd.show(&names.timer),
        systemd.show(&names.maintain)
    )?;
    let enabled = |unit: &Properties| unit.get("UnitFileState").is_some_and(|state| state == "enabled");
    Ok(Shown {
        installed: there,
        current: there && current,
        enabled: enabled(&stack) && enabled(&timer),
        next: time(&timer, "NextElapseUSecRealtime"),
        last: time(&maintain, "ExecMainExitTimestamp"),
        service: state(&stack),
        restarts: stack.get("NRestarts").and_then(|number| number.parse().ok()).unwrap_or(0),
        timer: state(&timer),
        maintain: state(&maintain),
        unit: names.stack,
        upkeep: names.maintain,
    })
}

fn state(unit: &Properties) -> State {
    let text = |name: &str| unit.get(name).cloned().unwrap_or_default();
    // Before the first run systemd has a zero there, which says nothing.
    let ran = time(unit, "ExecMainExitTimestamp").is_some();
    State {
        active: text("ActiveState"),
        result: text("Result"),
        status: ran.then(|| text("ExecMainStatus").parse().ok()).flatten(),
    }
}

/// `Sat 2026-11-21 16:19:06 UTC`, as every release prints it; nothing where it never was or never will be.
fn time(unit: &Properties, property: &str) -> Option<i64> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let (_, text) = unit.get(property)?.split_once(' ')?;
    Some(PrimitiveDateTime::parse(text, format).ok()?.assume_utc().unix_timestamp())
}

fn tell(shown: &Shown, ui: &mut Ui) {
    let now = words::now();
    let installed = match (shown.installed, shown.current) {
        (false, _) => "no",
        (true, true) => "yes",
        (true, false) => "yes, by another mailctl or for another place; mailctl boot enable writes them anew",
    };
    ui.data(format!("installed  {installed}"));
    ui.data(format!("at boot    {}", if shown.enabled { "enabled" } else { "not enabled" }));
    let service = match shown.service.active.as_str() {
        "active" => "started by systemd".to_owned(),
        "inactive" => format!("not started by systemd; systemctl start {}", shown.unit),
        other => format!("{other} ({})", shown.service.result),
    };
    ui.data(format!("stack      {service}"));
    let next = shown.next.map_or("not planned".to_owned(), |time| format!("in {}", words::age(time - now)));
    ui.data(format!("upkeep     {next}"));
    let last = match (shown.last, shown.maintain.status) {
        (Some(time), Some(0)) => format!("{} ago, all well", words::age(now - time)),
        (Some(time), status) => format!(
            "{} ago, status {}: {}",
            words::age(now - time),
            status.map_or("unknown".to_owned(), |status| status.to_string()),
            shown.maintain.result
        ),
        (None, _) => "never since the boot".to_owned(),
    };
    ui.data(format!("last       {last}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_was_is_no_time() {
        let unit = |value: &str| Properties::from([("T".to_owned(), value.to_owned())]);
        assert_eq!(time(&unit("Mon 2025-11-24 16:00:00 UTC"), "T"), Some(1_764_000_000));
        for none in ["", "n/a", "0", "Mon 2025-11-24 16:00:00 CET"] {
            assert_eq!(time(&unit(none), "T"), None, "{none}");
        }
        assert_eq!(state(&unit("x")).status, None);
    }
}
