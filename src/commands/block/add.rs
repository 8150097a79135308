//! `mailctl block add` and `mailctl allow add`.

use super::{done, joined, keys, other};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::list::{COMMENT, Key, Kind, Pattern, Way},
    settings::{Settings, value},
    ui::Ui,
    world::{
        World,
        store::{Listed, Put},
    },
};
use ipnet::IpNet;

/// What is added.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// 192.0.2.7, 192.0.2.0/24, helo:NAME, sender:ADDRESS|DOMAIN|.DOMAIN, recipient:ADDRESS|DOMAIN|NAME@
    #[arg(value_name = "ENTRY", required = true)]
    entries: Vec<String>,
    /// Why; at most 200 characters, shown in the list and in the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Only for so long, like 90s, 30m, 1h, 7d or 4w
    #[arg(long = "for", visible_alias = "until", value_name = "TIME", value_parser = value::span)]
    time: Option<u64>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds them, all or none.
pub async fn run(way: Way, args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let keys = keys(&args.entries, ui)?;
    let comment = args.comment.trim();
    if comment.chars().count() > COMMENT || comment.chars().any(char::is_control) {
        return Err(Error::new(
            codes::NAME_MALFORMED,
            "the comment is longer than 200 characters, or not one line",
        ));
    }
    let settings = world.settings()?.settings;
    let now = names::now();
    let until = args.time.map(|time| now.saturating_add(i64::try_from(time).unwrap_or(i64::MAX)));
    let lock = world.lock()?;
    let store = world.store().await?;
    let served = names::domains(&settings, &store).await?;
    let mut change = store.begin().await?;
    let (mut changed, mut same) = (Vec::new(), Vec::new());
    for key in &keys {
        if change.listed(other(way), key, now).await?.is_some() {
            return Err(Error::new(codes::EXISTS, format!("{key} is {} by command", done(other(way))))
                .cause("nothing was changed")
                .hint(format!("mailctl {} del {key}", other(way))));
        }
        let new = Listed { way, key: key.clone(), comment: comment.to_owned(), until };
        match change.list(&new, now).await? {
            Put::Added | Put::Changed => changed.push(key.clone()),
            Put::Same => same.push(key.clone()),
        }
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);

    if ui.manner().json {
        let changed = if args.dry_run { &[] } else { &changed[..] };
        ui.json(&serde_json::json!({
            "way": way, "entries": texts(&keys), "changed": texts(changed), "until": until, "comment": comment,
        }));
    } else {
        tell(way, (&changed, &same), args.time, args.dry_run, ui);
    }
    let mut warned = Vec::new();
    for warning in keys.iter().filter_map(|key| surprise(way, key, &settings, &served)) {
        if !warned.contains(&warning) {
            ui.warn(warning.clone());
            warned.push(warning);
        }
    }
    Ok(())
}

fn texts(keys: &[Key]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

fn tell(way: Way, (changed, same): (&[Key], &[Key]), time: Option<u64>, dry_run: bool, ui: &mut Ui) {
    let be = |keys: &[Key]| if keys.len() == 1 { "is" } else { "are" };
    if !same.is_empty() {
        ui.say(format!("{} {} {} already", joined(same, ", "), be(same), done(way)));
    }
    if changed.is_empty() {
        return;
    }
    let time = time.map(|time| format!(" for {}", names::age(i64::try_from(time).unwrap_or(i64::MAX))));
    let time = time.unwrap_or_default();
    if dry_run {
        return ui.say(format!(
            "{} would be {}{time}; nothing was changed",
            joined(changed, ", "),
            done(way)
        ));
    }
    ui.say(format!("{} {} {}{time}", joined(changed, ", "), be(changed), done(way)));
    ui.say(format!("undo: mailctl {way} del {}", joined(changed, " ")));
}

/// What the entry does that its author may not have meant.
fn surprise(
    way: Way,
    key: &Key,
    settings: &Settings,
    served: &[crate::mail::address::Domain],
) -> Option<String> {
    match (way, key) {
        (Way::Block, Key::Network(net)) if net.prefix_len() == 0 => {
            Some(format!("{net} is everybody: only those are let in whom an entry of allow names"))
        }
        (Way::Block, Key::Network(net)) if settings.trusted.holds(net.addr()) => Some(format!(
            "{} is in TRUSTED_NETWORKS: such clients are asked for recipients only, and not blocked by this",
            client(net)
        )),
        (Way::Block, Key::Name(Kind::Sender, Pattern::Whole(name) | Pattern::Below(name)))
            if served.iter().any(|domain| domain.as_str() == name.rsplit('@').next().unwrap_or(name)) =>
        {
            Some(format!(
                "{name} is of this server: logins go on, but what other servers forward in its name is refused"
            ))
        }
        (Way::Allow, Key::Name(Kind::Sender, _)) => Some(
            "a sender is only what the client says, and for these SPF is not asked; where you can, allow the client"
                .to_owned(),
        ),
        (Way::Allow, Key::Name(Kind::Helo, _)) => {
            Some("a HELO name costs nothing to say: this only ends what helo: entries block".to_owned())
        }
        _ => None,
    }
}

fn client(net: &IpNet) -> String {
    Key::Network(*net).to_string()
}
