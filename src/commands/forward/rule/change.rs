//! `mailctl forward rule del`, `enable`, `disable` and `move`.

use super::{json, there, typed};
use crate::{
    error::Error,
    mail::rule::{LAST, Rule},
    ui::Ui,
    world::World,
};

/// Which.
#[derive(clap::Args, Debug)]
pub struct Numbers {
    /// Numbers of rules; several at once, all or none
    #[arg(value_name = "RULE", required = true)]
    rules: Vec<i64>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Give a rule another priority
#[derive(clap::Args, Debug)]
pub struct Move {
    /// Number of the rule
    #[arg(value_name = "RULE")]
    rule: i64,
    /// 0 to 1000; the lowest is asked first
    #[arg(value_name = "PRIORITY", value_parser = clap::value_parser!(u16).range(..=i64::from(LAST)))]
    priority: u16,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes them.
pub async fn del(args: Numbers, world: &World, ui: &mut Ui) -> Result<(), Error> {
    world.settings()?;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let mut gone = Vec::new();
    for id in &args.rules {
        gone.push(there(&mut change, *id).await?);
        change.remove_rule(*id).await?;
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let rows: Vec<_> = gone.iter().map(|(source, rule)| json(source, rule)).collect();
        ui.json(&serde_json::json!({"removed": !args.dry_run, "rules": rows}));
        return Ok(());
    }
    for (source, rule) in &gone {
        if args.dry_run {
            ui.say(format!("would be removed from {source}: rule {}: {rule}; nothing was changed", rule.id));
        } else {
            ui.say(format!("removed from {source}: rule {}: {rule}", rule.id));
            ui.say(format!("undo: {}", typed(source, rule)));
        }
    }
    Ok(())
}

/// Switches them.
pub async fn switch(args: Numbers, on: bool, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let undo = if on { "disable" } else { "enable" };
    change(
        &args.rules,
        args.dry_run,
        world,
        ui,
        |rule| rule.enabled = on,
        |rule| format!("{undo} {}", rule.id),
    )
    .await
}

/// Moves one.
pub async fn put(args: Move, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let undo = |rule: &Rule| format!("move {} {}", rule.id, rule.priority);
    change(&[args.rule], args.dry_run, world, ui, |rule| rule.priority = args.priority, undo).await
}

async fn change(
    ids: &[i64],
    dry_run: bool,
    world: &World,
    ui: &mut Ui,
    to: impl Fn(&mut Rule),
    undo: impl Fn(&Rule) -> String,
) -> Result<(), Error> {
    world.settings()?;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let mut done = Vec::new();
    for id in ids {
        let (source, before) = there(&mut change, *id).await?;
        let mut after = before.clone();
        to(&mut after);
        if after != before {
            change.set_rule(*id, after.priority, after.enabled).await?;
        }
        done.push((source, before, after));
    }
    if dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let shown = |(source, before, after): &(String, Rule, Rule)| {
            json(source, if dry_run { before } else { after })
        };
        ui.json(&done.iter().map(shown).collect::<Vec<_>>());
        return Ok(());
    }
    for (source, before, after) in &done {
        let is = if after.enabled { "on" } else { "off" };
        let said = format!("{source}, rule {}: switched {is}, priority {}", after.id, after.priority);
        match (before == after, dry_run) {
            (true, _) => ui.say(format!("{said} already")),
            (false, true) => ui.say(format!("would be: {said}; nothing was changed")),
            (false, false) => {
                ui.say(said);
                ui.say(format!("undo: mailctl forward rule {}", undo(before)));
            }
        }
    }
    Ok(())
}
