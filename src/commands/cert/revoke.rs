//! `mailctl cert revoke`.

use crate::{
    commands::names,
    error::{Error, codes},
    mail::cert::{Certificate, Place, ledger::Revoked},
    ui::Ui,
    world::{
        World,
        acme::{Book, Ca, Pace, Reason},
    },
};
use clap::ValueEnum;
use std::fs;

/// Tell the authority that nobody should believe the certificate any more
///
/// It stays in place until there is another one: `mailctl cert renew`, or the next `mailctl maintain`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Why; after key-compromise the next certificate gets another key
    #[arg(long, value_enum, default_value_t = Why::Unspecified)]
    reason: Why,
    /// Show what would be revoked
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Why {
    Unspecified,
    KeyCompromise,
    Superseded,
    CessationOfOperation,
}

/// Asks first, for it cannot be undone.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let Some(acme) = settings.acme else {
        return Err(Error::new(codes::ACME_OFF, "no authority is asked for certificates here")
            .hint("revoke it where it was issued"));
    };
    let pem = fs::read(world.paths.certificate(&Place::Host)).unwrap_or_default();
    let Some(certificate) = Certificate::read(&pem).filter(|found| !found.self_signed) else {
        return Err(
            Error::new(codes::ABSENT, "no certificate of an authority is served").hint("mailctl cert show")
        );
    };
    let serial = &certificate.serial;
    if args.dry_run {
        ui.say(format!("would revoke the certificate with serial {serial}; nothing was done"));
        return Ok(());
    }
    ui.confirm(&format!(
        "Revoke the certificate with serial {serial}? Programs that look at revocations refuse it from then on."
    ))?;
    let now = names::now();
    let mut book = Book::open(&world.paths, now)?;
    let refused = |fault| {
        Error::new(codes::ACME_REFUSED, format!("the certificate with serial {serial} was not revoked"))
            .cause(fault)
            .hint("mailctl cert show")
    };
    let ca = Ca::open(&world.paths, &acme, &acme.directory, &Pace::default(), now).await.map_err(refused)?;
    let reason = match args.reason {
        Why::Unspecified => Reason::Unspecified,
        Why::KeyCompromise => Reason::KeyCompromise,
        Why::Superseded => Reason::Superseded,
        Why::CessationOfOperation => Reason::CessationOfOperation,
    };
    ca.revoke(&pem, reason).await.map_err(refused)?;
    let new_key = args.reason == Why::KeyCompromise;
    book.ledger.revoked = Some(Revoked { serial: serial.clone(), new_key });
    book.save()?;
    if ui.manner().json {
        ui.json(&serde_json::json!({"revoked": serial, "new_key": new_key}));
    } else {
        ui.say(format!("revoked; serial {serial} is served until there is another: mailctl cert renew"));
    }
    Ok(())
}
