//! `mailctl config show`.

use crate::{
    error::{Error, codes},
    settings::{Shown, near::nearest},
    ui::Ui,
    world::World,
};

/// Print every setting with its value and where it was decided
///
/// Three columns: key, value, origin. Secrets print as (hidden), and nothing as a dash.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these keys, or tables such as ports
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// Only what is set somewhere
    #[arg(long)]
    set: bool,
}

/// Prints them.
pub fn run(args: &Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let loaded = world.settings()?;
    loaded.warnings.iter().for_each(|warning| ui.warn(warning));
    for wanted in &args.keys {
        if !loaded.origins.iter().any(|shown| matches(shown, wanted)) {
            return Err(unknown(wanted, &loaded.origins));
        }
    }
    let shown: Vec<&Shown> = loaded
        .origins
        .iter()
        .filter(|shown| args.keys.is_empty() || args.keys.iter().any(|wanted| matches(shown, wanted)))
        .filter(|shown| !args.set || shown.origin != crate::settings::source::Origin::Default)
        .collect();
    if ui.manner().json {
        let list: Vec<_> = shown
            .iter()
            .map(|shown| serde_json::json!({"key": shown.key, "value": shown.value, "origin": shown.origin.to_string()}))
            .collect();
        ui.json(&list);
        return Ok(());
    }
    let width = |of: fn(&Shown) -> usize| shown.iter().map(|shown| of(shown)).max().unwrap_or(0);
    let (key_width, value_width) = (width(|s| s.key.len()), width(|s| s.value.chars().count()).min(48));
    for shown in shown {
        let value = if shown.value.is_empty() { "-" } else { &shown.value };
        ui.data(format!("{:<key_width$}  {value:<value_width$}  {}", shown.key, shown.origin));
    }
    Ok(())
}

/// The key itself, or a key of that table.
fn matches(shown: &Shown, wanted: &str) -> bool {
    shown.key == wanted || shown.key.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
}

fn unknown(wanted: &str, known: &[Shown]) -> Error {
    let error = Error::new(codes::USAGE, format!("{wanted:?} is not a setting"));
    match nearest(wanted, known.iter().map(|shown| shown.key.as_str())) {
        Some(near) => error.hint(format!("mailctl config show {near}")),
        None => error.hint("mailctl help settings"),
    }
}
