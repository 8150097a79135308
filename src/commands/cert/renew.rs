//! `mailctl cert renew`, and what `maintain` and `up` call.

use super::{
    attempt::{self, Outcome, Wish},
    facts, issue,
};
use crate::{
    commands::names,
    error::{Error, codes},
    settings::Settings,
    ui::Ui,
    world::{World, keys::tls},
};

/// Renew the certificate where it is due: by the authority's advice (ARI), or when two thirds of its life are over
#[derive(clap::Args, Debug)]
pub struct Args {
    /// For a timer: quiet where nothing is due or the time of the next attempt has not come, and then no failure
    #[arg(long, conflicts_with_all = ["force", "new_key"])]
    if_due: bool,
    /// Also where it is not due; limits and the authority's Retry-After still hold
    #[arg(long)]
    force: bool,
    /// With another private key: TLSA records have to follow it
    #[arg(long)]
    new_key: bool,
    /// Check everything, order nothing
    #[arg(long)]
    dry_run: bool,
}

/// One attempt.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let force = args.force || args.new_key;
    let wish = Wish { timer: args.if_due, force, new_key: args.new_key, dry_run: args.dry_run };
    match attempt::attempt(world, wish, ui).await {
        Err(error) if args.if_due && later(&error) => {
            ui.say(format!("nothing to do now: {error}"));
            Ok(())
        }
        Err(error) => Err(error),
        Ok(outcome) => {
            issue::tell(&outcome, ui);
            Ok(())
        }
    }
}

/// What `maintain` does about certificates.
#[derive(Clone, Debug)]
pub enum Due {
    /// No authority is asked here.
    Off,
    /// Nothing: the certificate is good, or the time of the next attempt has not come.
    Nothing,
    /// One would be ordered; for who only wants to know.
    Would,
    /// A new one of this authority is served.
    Renewed(String),
}

/// Renews where that is due. An error has its own code and remedy, is on the calendar already, and harms nothing: what
/// is served stays.
pub async fn due(world: &World, ui: &mut Ui, dry_run: bool) -> Result<Due, Error> {
    let settings = world.settings()?.settings;
    if settings.acme.is_none() {
        return Ok(Due::Off);
    }
    if dry_run {
        let live = tls::live(&world.paths).ok().flatten();
        let facts = facts::look(world, &settings, live.as_ref(), names::now())?;
        let now = facts.is_some_and(|facts| facts.renewal.is_none() && facts.next_attempt.is_none());
        return Ok(if now { Due::Would } else { Due::Nothing });
    }
    match attempt::attempt(world, Wish { timer: true, ..Wish::default() }, ui).await {
        Ok(Outcome::Issued(certificate)) => Ok(Due::Renewed(certificate.issuer)),
        Ok(_) => Ok(Due::Nothing),
        Err(error) if later(&error) => Ok(Due::Nothing),
        Err(error) => Err(error),
    }
}

/// The end of `up`: mail runs, whatever comes of this. A failure tells its remedy, and the exit status that something is
/// left to do; but not to who `only_warns`, and starts mail again and again until all is done.
pub async fn after_up(
    world: &World,
    settings: &Settings,
    only_warns: bool,
    ui: &mut Ui,
) -> Result<(), Error> {
    if settings.acme.is_none() {
        return Ok(());
    }
    match attempt::attempt(world, Wish { timer: true, ..Wish::default() }, ui).await {
        Ok(Outcome::Issued(certificate)) => {
            ui.say(format!("a certificate of {} is served", certificate.issuer));
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) if only_warns => {
            ui.warn(format!("there is no new certificate: {error}"));
            error.hints().iter().for_each(|hint| ui.say(format!("  try: {hint}")));
            Ok(())
        }
        Err(error) => {
            let pending =
                Error::new(codes::CERT_PENDING, "mail runs, but without the certificate that it should have");
            let pending = pending.cause(format!("{}: {}", error.code().name, error.what()));
            let pending = error.causes().iter().fold(pending, Error::cause);
            let pending = error.hints().iter().fold(pending, |pending, hint| pending.hint(hint.clone()));
            Err(pending.hint("mailctl cert issue"))
        }
    }
}

/// Whether all is on the calendar already, so that a timer has nothing to tell.
fn later(error: &Error) -> bool {
    [codes::ACME_WAIT, codes::ACME_LIMIT, codes::LOCKED].contains(&error.code())
}
