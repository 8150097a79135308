//! `mailctl config diff`.

use crate::{
    commands::scene,
    error::Error,
    render::{ConfigFile, ConfigSet},
    ui::Ui,
    world::World,
};
use similar::TextDiff;
use std::collections::BTreeMap;

/// Show what `up` would change in the rendered files
///
/// Unified differences between rendered/current and what the settings, the store and your templates ask for
/// now. Secrets are left out. Prints nothing where nothing would change.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// One file that would change.
#[derive(serde::Serialize)]
struct Change {
    path: String,
    /// `added`, `removed` or `changed`.
    what: &'static str,
    diff: String,
}

/// Prints the differences.
pub async fn run(_args: &Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let loaded = world.settings()?;
    let wanted = scene::config(world, &loaded.settings).await?;
    let live = world.generation()?.map(|generation| generation.files).unwrap_or_default();
    let changes = changes(&live, &wanted);
    if ui.manner().json {
        ui.json(&changes);
        return Ok(());
    }
    loaded.warnings.iter().for_each(|warning| ui.warn(warning));
    changes.iter().for_each(|change| ui.write(&change.diff));
    match changes.len() {
        0 => ui.say("nothing would change"),
        1 => ui.say("1 file would change; mailctl up applies it"),
        n => ui.say(format!("{n} files would change; mailctl up applies them")),
    }
    Ok(())
}

fn changes(live: &ConfigSet, wanted: &ConfigSet) -> Vec<Change> {
    let mut pairs: BTreeMap<&str, (Option<&ConfigFile>, Option<&ConfigFile>)> = BTreeMap::new();
    live.files().iter().for_each(|file| pairs.entry(&file.path).or_default().0 = Some(file));
    wanted.files().iter().for_each(|file| pairs.entry(&file.path).or_default().1 = Some(file));
    pairs.into_values().filter(|(old, new)| old != new).filter_map(|(old, new)| change(old, new)).collect()
}

fn change(old: Option<&ConfigFile>, new: Option<&ConfigFile>) -> Option<Change> {
    let path = &old.or(new)?.path;
    let what = match (old, new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let mut diff = String::new();
    if let (Some(old), Some(new)) = (old, new)
        && (old.mode, old.gid) != (new.mode, new.gid)
    {
        diff.push_str(&format!(
            "{path}: mode {:04o} group {} becomes mode {:04o} group {}\n",
            old.mode, old.gid, new.mode, new.gid
        ));
    }
    let text = |file: Option<&ConfigFile>| file.map_or("", |file| file.text.as_str()).to_owned();
    if old.into_iter().chain(new).any(|file| file.mode & 0o004 == 0) {
        diff.push_str(&format!("{path}: {what} (its content is secret)\n"));
    } else {
        let (old_text, new_text) = (masked(&text(old)), masked(&text(new)));
        let name = |side: &str, file: Option<&ConfigFile>| match file {
            Some(_) => format!("{side}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let difference = TextDiff::from_lines(&old_text, &new_text);
        diff.push_str(
            &difference.unified_diff().header(&name("live", old), &name("wanted", new)).to_string(),
        );
    }
    Some(Change { path: path.clone(), what, diff })
}

/// Tables of Postfix whose entries stand in the parameter itself (DATABASE_README).
fn spelt_out(value: &str) -> bool {
    ["static:", "inline:"].iter().any(|table| value.contains(table))
}

/// Hides what a raw setting such as `smtp_sasl_password_maps = static:user:password` may hold.
fn masked(text: &str) -> String {
    let hide = |line: &str| match line.split_once('=') {
        Some((name, value)) if name.contains("password") && spelt_out(value) => {
            format!("{name}= (hidden)\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str, mode: u32) -> ConfigFile {
        ConfigFile { path: path.to_owned(), text: text.to_owned(), mode, gid: 0 }
    }

    /// Proves: threat 15 (secrets stay out of every output).
    #[test]
    fn differences_are_told_and_secrets_are_not() {
        let live = ConfigSet::new(vec![
            file("postfix/main.cf", "a = 1\nb = 2\nsmtp_sasl_password_maps = static:u:C4N4RY1\n", 0o644),
            file("postfix/relay", "u:C4N4RY2\n", 0o600),
            file("old", "x\n", 0o644),
            file("same", "x\n", 0o644),
        ]);
        let wanted = ConfigSet::new(vec![
            file("postfix/main.cf", "a = 1\nb = 3\nsmtp_sasl_password_maps = inline:{x=u:C4N4RY3}\n", 0o644),
            file("postfix/relay", "u:C4N4RY4\n", 0o600),
            file("new", "y\n", 0o640),
            file("same", "x\n", 0o644),
        ]);
        let found = changes(&live, &wanted);
        let told: String = found.iter().map(|change| change.diff.clone()).collect();
        assert!(told.contains("--- live/postfix/main.cf") && told.contains("-b = 2\n+b = 3\n"), "{told}");
        assert!(told.contains("--- live/old\n+++ /dev/null"), "{told}");
        assert!(!told.contains("C4N4RY"), "{told}");
        let kinds: Vec<_> = found.iter().map(|change| (change.path.as_str(), change.what)).collect();
        assert_eq!(
            kinds,
            [
                ("new", "added"),
                ("old", "removed"),
                ("postfix/main.cf", "changed"),
                ("postfix/relay", "changed")
            ]
        );
        assert!(changes(&live, &live).is_empty());
    }
}
