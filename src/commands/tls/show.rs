//! `mailctl tls show`.

use crate::{
    commands::names,
    error::{Error, codes},
    mail::cert::Certificate,
    ui::Ui,
    world::{World, keys::tls},
};

/// Show the certificate that is served: names, dates, issuer, serial number, fingerprint
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints it.
pub fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let file = world.paths.tls_live();
    let Some(certificate) = tls::live(&world.paths)? else {
        return Err(Error::new(codes::ABSENT, format!("there is no certificate: {}", file.display()))
            .hint("mailctl init     (makes a self-signed one)")
            .hint("mailctl tls import --cert FILE --key FILE"));
    };
    let days = (certificate.not_after - names::now()).div_euclid(86_400);
    let host = settings.hostname.as_str();
    let holds = certificate.holds_for(host);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "file": file, "certificate": certificate, "days_left": days, "hostname": host, "holds_for_hostname": holds,
        }));
    } else {
        print(ui, &certificate, days);
    }
    if days < 0 {
        ui.warn("it has expired: mail programs refuse it");
    }
    if !holds {
        ui.warn(format!("it does not hold for {host} (HOSTNAME): mail programs refuse it"));
    }
    if certificate.self_signed {
        ui.say("nobody vouches for it: bring in a real one with mailctl tls import");
    }
    Ok(())
}

/// For a person.
pub fn print(ui: &mut Ui, certificate: &Certificate, days: i64) {
    ui.data(format!("subject      {}", certificate.subject));
    ui.data(format!("names        {}", certificate.names.join(", ")));
    ui.data(format!(
        "issuer       {}{}",
        certificate.issuer,
        if certificate.self_signed { " (itself)" } else { "" }
    ));
    ui.data(format!("valid from   {}", day(certificate.not_before)));
    ui.data(format!("valid until  {} ({days} days left)", day(certificate.not_after)));
    ui.data(format!("serial       {}", certificate.serial));
    ui.data(format!("SHA-256      {}", certificate.fingerprint));
}

fn day(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_default()
}
