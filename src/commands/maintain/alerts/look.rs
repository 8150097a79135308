//! What can go wrong unseen, and how it stands.

use crate::{
    commands::{
        cert::{facts, serve},
        dkim::rotate,
        names,
        scene::Scene,
    },
    error::Error,
    mail::{
        alert::{Alert, Book, Look},
        cert::alert::Alert as Near,
        server::Stage,
    },
    plan::Service,
    settings::Settings,
    world::{World, keys::tls},
};
use std::time::Duration;

const ENDS: &str = "certificate.ends";
const UNSERVED: &str = "certificate.unserved";

/// How long all ports together get to show their certificates.
const ANSWER: Duration = Duration::from_secs(20);

/// So many failed attempts need a person.
const ATTEMPTS: u32 = 5;

const DAY: i64 = 86_400;

/// A key that nobody published for so long, or that mail of the queue needs for so long, needs a person; Postfix gives
/// mail up after five days.
const STUCK: i64 = 7 * DAY;

/// Every kind that can be judged now, and the first error of those that cannot.
pub async fn all(world: &World, settings: &Settings, known: &Book) -> (Look, Option<Error>) {
    let (mut look, now) = (Look::default(), names::now());
    let mut blind = None;
    let results = [
        ends(world, settings, now, &mut look),
        renewal(world, settings, known, now, &mut look),
        unserved(world, settings, &mut look).await,
        rotations(world, settings, now, &mut look).await,
        packages(world, &mut look).await,
    ];
    for error in results.into_iter().filter_map(Result::err) {
        blind = blind.or(Some(error));
    }
    (look, blind)
}

/// A certificate that is served ends.
fn ends(world: &World, settings: &Settings, now: i64, look: &mut Look) -> Result<(), Error> {
    let near = tls::served(&world.paths)?.into_iter().filter_map(|served| {
        let end = served.certificate.not_after;
        let whose = served.place.domain().unwrap_or(&settings.hostname);
        let (rank, step) = match Near::at(end, now)? {
            Near::Weeks => (1, "21 days"),
            Near::Week => (2, "7 days"),
            Near::Day => (3, "1 day"),
            Near::Expired => (4, "ended"),
        };
        let what = if now < end {
            format!("the certificate of {whose} ends in {} and was not renewed", names::age(end - now))
        } else {
            format!("the certificate of {whose} ended {} ago: mail programs refuse it", names::age(now - end))
        };
        Some(Alert {
            kind: ENDS.to_owned(),
            about: format!("{} {whose}", served.place),
            rank,
            step: step.to_owned(),
            what,
            remedy: "mailctl cert show".to_owned(),
        })
    });
    look.add(ENDS, near.collect::<Vec<_>>());
    Ok(())
}

/// The authority of the settings gives no certificate, for whatever reason. The first attempts may fail for what mends
/// itself, and are a minute or a few apart.
fn renewal(world: &World, settings: &Settings, known: &Book, now: i64, look: &mut Look) -> Result<(), Error> {
    const FAILS: &str = "renewal.fails";
    let facts = facts::look(world, settings, tls::live(&world.paths)?.as_ref(), now)?;
    let failing = facts.filter(|facts| facts.failures >= ATTEMPTS).map(|facts| {
        let about = settings.hostname.to_string();
        let since = known.since(FAILS, &about).unwrap_or(now);
        let (rank, step) = match (now - since) / DAY {
            ..2 => (1, "fails"),
            2..7 => (2, "2 days"),
            _ => (3, "7 days"),
        };
        let why = facts.last_failure.unwrap_or_default();
        let for_days =
            if rank > 1 { format!(", for {} now", names::age(now - since)) } else { String::new() };
        Alert {
            kind: FAILS.to_owned(),
            what: format!(
                "the authority gave no certificate for {about} {} times in a row{for_days}: {why}",
                facts.failures
            ),
            about,
            rank,
            step: step.to_owned(),
            remedy: "mailctl cert issue --dry-run".to_owned(),
        }
    });
    look.add(FAILS, failing);
    Ok(())
}

/// A port shows another certificate than the installed one. Where the stack does not run, nobody can tell.
async fn unserved(world: &World, settings: &Settings, look: &mut Look) -> Result<(), Error> {
    let scene = Scene::look(world).await?;
    if scene.running(Service::Postfix).is_err() {
        return Ok(());
    }
    let shown = serve::look(world, &scene, ANSWER).await?;
    let behind: Vec<_> = shown.iter().filter(|shown| shown.shows_another()).collect();
    let alert = (!behind.is_empty()).then(|| Alert {
        kind: UNSERVED.to_owned(),
        about: settings.hostname.to_string(),
        rank: 3,
        step: "unserved".to_owned(),
        what: serve::error(&behind).to_string(),
        remedy: "mailctl reload, and where that does not help: mailctl restart".to_owned(),
    });
    look.add(UNSERVED, alert);
    Ok(())
}

/// A change of DKIM keys goes on no more.
async fn rotations(world: &World, settings: &Settings, now: i64, look: &mut Look) -> Result<(), Error> {
    let moving = rotate::under_way(world, settings).await?;
    let stuck = moving.into_iter().filter(|(_, staged)| now - staged.since > STUCK);
    let alerts = stuck.map(|(domain, staged)| {
        let (age, selector) = (names::age(now - staged.since), &staged.selector);
        let (step, what) = match staged.stage {
            Stage::Pending => (
                "pending",
                format!("the new DKIM key {selector} of {domain} waits to be published for {age}"),
            ),
            _ => {
                ("leaving", format!("the old DKIM key {selector} of {domain} is still published after {age}"))
            }
        };
        Alert {
            kind: "dkim.stuck".to_owned(),
            about: format!("{selector}._domainkey.{domain}"),
            rank: 1,
            step: step.to_owned(),
            what,
            remedy: format!("mailctl dkim rotate {domain}"),
        }
    });
    look.add("dkim.stuck", alerts.collect::<Vec<_>>());
    Ok(())
}

/// Packages of the image have newer versions. Each version is told once.
async fn packages(world: &World, look: &mut Look) -> Result<(), Error> {
    let Some(checked) = world.last_update_check() else { return Ok(()) };
    let image = world.engine().await?.image(&world.image_tag()?).await?;
    // Of another image it says nothing, and of this one nothing is known yet.
    if image.is_none_or(|image| image.id != checked.image) {
        return Ok(());
    }
    let names: Vec<&str> = checked.upgrades.iter().map(|found| found.package.as_str()).take(3).collect();
    let more = checked.upgrades.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let versions = checked.upgrades.iter().map(|found| format!("{}={}", found.package, found.available));
    let alert = (!names.is_empty()).then(|| Alert {
        kind: "packages.newer".to_owned(),
        about: "image".to_owned(),
        rank: 1,
        step: versions.collect::<Vec<_>>().join(" "),
        what: format!("newer versions of {}{more} are there for the image", names.join(", ")),
        remedy: "mailctl upgrade".to_owned(),
    });
    look.add("packages.newer", alert);
    Ok(())
}
