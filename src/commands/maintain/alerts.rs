//! Alerts: looks at what can go wrong unseen, and tells a person, each thing once.

mod look;
mod tell;

use super::Turn;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::alert::{Book, Entry, Way},
    settings::Settings,
    world::World,
};

/// Looks, and tells what nobody has heard of yet. What was told is written down at once: stopped in between, at most
/// one thing is told twice.
pub async fn run(turn: Turn<'_>) -> Result<(), Error> {
    let Turn { world, dry_run, done, .. } = turn;
    let settings = world.settings()?.settings;
    let (look, blind) = look::all(world, &settings, &world.alerts()?).await;
    let lock = if dry_run { None } else { Some(world.lock()?) };
    let before = world.alerts()?;
    let mut book = before.clone();
    book.note(&look, names::now());
    if dry_run {
        done.extend(book.owed(Way::Log).iter().map(|entry| format!("would tell: {}", entry.line())));
        return Ok(());
    }
    for entry in book.owed(Way::Log) {
        // Who runs this has its lines in the journal.
        done.push(entry.line());
        if entry.solved.is_none() {
            done.push(format!("to do: {}", entry.alert.remedy));
        }
        book.told(&entry, Way::Log);
    }
    world.note_alerts(&book, &before)?;
    let mut unheard = None;
    for way in further(&settings) {
        for entry in book.owed(way) {
            match tell(world, &settings, way, &entry).await {
                Ok(()) => {
                    let so_far = book.clone();
                    book.told(&entry, way);
                    world.note_alerts(&book, &so_far)?;
                }
                // One way that is shut is shut for all.
                Err(error) => {
                    unheard = unheard.or(Some(error));
                    break;
                }
            }
        }
    }
    forget(world, &settings, book)?;
    drop(lock);
    unheard.or(blind).map_or(Ok(()), Err)
}

/// The ways beside the log.
fn further(settings: &Settings) -> Vec<Way> {
    let webhook = settings.webhook.is_some().then_some(Way::Webhook);
    std::iter::once(Way::Mail).chain(webhook).collect()
}

fn forget(world: &World, settings: &Settings, mut book: Book) -> Result<(), Error> {
    let before = book.clone();
    let ways: Vec<Way> = further(settings).into_iter().chain([Way::Log]).collect();
    book.forget(&ways);
    world.note_alerts(&book, &before)
}

async fn tell(world: &World, settings: &Settings, way: Way, entry: &Entry) -> Result<(), Error> {
    match way {
        Way::Mail => tell::by_mail(world, settings, entry).await,
        Way::Webhook => tell::by_webhook(settings, entry).await,
        Way::Log => Err(Error::new(codes::BUG, "the log is told by itself")),
    }
}
