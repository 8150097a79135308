//! The administrator's mailbox, and a password that somebody has seen.

use super::step::Done;
use crate::{
    commands::{names, user::secret},
    error::Error,
    mail::{address::Address, password},
    settings::Settings,
    ui::Ui,
    world::{
        World,
        atomic::{self, PRIVATE},
        io_error,
        store::{NewMailbox, Store},
    },
};
use std::{fs, path::PathBuf};

/// Says that the administrator's password was made but not yet shown.
fn marker(world: &World) -> PathBuf {
    world.paths.state().join("admin-password-owed")
}

/// The password was shown.
pub fn settled(world: &World) -> Result<(), Error> {
    match fs::remove_file(marker(world)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io_error("remove", &marker(world), &error))
        }
        _ => Ok(()),
    }
}

/// Whether the administrator still needs a mailbox, or a password that somebody has seen.
pub async fn missing(world: &World, settings: &Settings, store: Option<&Store>) -> Result<bool, Error> {
    let admin = &settings.admin;
    let served = settings.domains().any(|domain| domain == admin.domain());
    let Some(store) = store else { return Ok(served) };
    // Elsewhere, ADMIN_EMAIL is an address that mail is sent on to.
    if !served && !store.domains().await?.contains(admin.domain()) {
        return Ok(false);
    }
    Ok(store.mailbox(admin).await?.is_none() || marker(world).exists())
}

/// Creates the mailbox; one that is there gets a new password.
pub async fn create(world: &World, address: &Address, given: Option<&str>) -> Result<Done, Error> {
    let made = password::generate(rand::random());
    if given.is_none() {
        atomic::write(&marker(world), b"", PRIVATE)?;
    }
    let hash = secret::hash(given.unwrap_or(&made)).await?;
    let store = world.store().await?;
    let mut change = store.begin().await?;
    let created_at = names::now();
    let new = NewMailbox { address, password: &hash, quota: None, created_at };
    if !change.add_mailbox(&new).await? {
        change.set_password(address, &hash).await?;
    }
    change.commit().await?;
    store.close().await;
    Ok(if given.is_some() { Done::Quietly } else { Done::Password(made) })
}

/// The administrator's password from standard input.
pub fn given_password(settings: &Settings, ui: &mut Ui) -> Result<String, Error> {
    let source = secret::Source { password_stdin: true, ..secret::Source::default() };
    Ok(secret::choose(source, &settings.admin, ui)?.password)
}
