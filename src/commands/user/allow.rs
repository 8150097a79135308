//! `mailctl user allow` and `mailctl user disallow`.

use super::passwd::absent;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{address::Address, alias::Source},
    ui::Ui,
    world::World,
};

/// Let a login send as further addresses, here or elsewhere
///
/// Its own address and every address whose mail ends in its mailbox it may use anyway; see
/// `mailctl user may-send ADDRESS`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    what: What,
}

/// Take back what was given with `user allow`
#[derive(clap::Args, Debug)]
pub struct Back {
    #[command(flatten)]
    what: What,
}

#[derive(clap::Args, Debug)]
struct What {
    /// The login: address of its mailbox
    #[arg(value_name = "ADDRESS")]
    login: String,
    /// An address, or @example.net for all of a domain
    #[arg(value_name = "SENDER", required = true)]
    sources: Vec<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Grants.
pub async fn allow(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    change(args.what, true, world, ui).await
}

/// Revokes.
pub async fn disallow(args: Back, world: &World, ui: &mut Ui) -> Result<(), Error> {
    change(args.what, false, world, ui).await
}

async fn change(what: What, grant: bool, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let login = names::address(&what.login, ui)?;
    let mut sources = Vec::new();
    for text in &what.sources {
        let source = names::source(text, ui)?;
        if grant && text.starts_with('*') {
            // A name that somebody can have; who types it means something else.
            return Err(Error::new(codes::NAME_MALFORMED, format!("{text} is one address, not all of them"))
                .hint(format!("mailctl user allow {login} @{}", source.domain())));
        }
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let settings = world.settings()?.settings;
    let lock = world.lock()?;
    let store = world.store().await?;
    let served = names::domains(&settings, &store).await?;
    let mut change = store.begin().await?;
    change.mailbox(&login).await?.ok_or_else(|| absent(&login))?;
    let mut changed = Vec::new();
    for source in &sources {
        let done = if grant {
            change.grant(&login, source, names::now()).await?
        } else {
            change.revoke(&login, source).await?
        };
        if done {
            changed.push(source.clone());
        }
    }
    if changed.is_empty() {
        return Err(nothing(&login, &sources, grant));
    }
    if what.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    told(&login, &changed, grant, what.dry_run, ui);
    for source in changed.iter().filter(|source| grant && !served.contains(source.domain())) {
        ui.warn(format!(
            "{} is not a domain of this server: its SPF record must name this server, and nothing is signed for it",
            source.domain()
        ));
    }
    Ok(())
}

fn nothing(login: &Address, sources: &[Source], grant: bool) -> Error {
    let names = joined(sources);
    let hint = format!("mailctl user may-send {login}");
    if grant {
        Error::new(codes::EXISTS, format!("{login} was given {names} already")).hint(hint)
    } else {
        Error::new(codes::ABSENT, format!("{login} was not given {names}"))
            .cause("its own address and the aliases that lead to it cannot be taken away here")
            .hint(hint)
    }
}

fn told(login: &Address, changed: &[Source], grant: bool, dry_run: bool, ui: &mut Ui) {
    if ui.manner().json {
        let changed = if dry_run { &[] } else { changed };
        return ui.json(&serde_json::json!({
            "login": login, (if grant { "granted" } else { "revoked" }): changed,
        }));
    }
    let names = joined(changed);
    if dry_run {
        let verb = if grant { "could" } else { "could not" };
        return ui.say(format!("{login} {verb} send as {names} then; nothing was changed"));
    }
    ui.say(format!("{login} may {}send as {names}", if grant { "" } else { "not any more " }));
    let back = if grant { "disallow" } else { "allow" };
    let words: Vec<String> = changed.iter().map(ToString::to_string).collect();
    ui.say(format!("undo: mailctl user {back} {login} {}", words.join(" ")));
}

fn joined(sources: &[Source]) -> String {
    sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
