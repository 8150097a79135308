//! `mailctl cert show`.

use super::facts;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::cert::{Certificate, Place, alert::Alert},
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Served},
    },
};

/// Show the certificates that are served: names, dates, issuer, serial number, fingerprint
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints them, the server's own first.
pub fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let all = tls::served(&world.paths)?;
    let Some(first) = all.first().filter(|first| first.place == Place::Host) else {
        let file = world.paths.certificate(&Place::Host);
        return Err(Error::new(codes::ABSENT, format!("there is no certificate: {}", file.display()))
            .hint("mailctl init     (makes a self-signed one)")
            .hint("mailctl cert import --cert FILE --key FILE"));
    };
    let (host, now) = (settings.hostname.as_str(), names::now());
    let holds = first.certificate.holds_for(host);
    let watched = tls::watched(&world.paths)?;
    let acme = facts::look(world, &settings, Some(&first.certificate), now)?;
    if ui.manner().json {
        let tlsa: Vec<String> = tls::spki(&world.paths).iter().map(|spki| hex(spki)).collect();
        let certificates: Vec<_> = all
            .iter()
            .map(|one| {
                serde_json::json!({
                    "for": one.place.to_string(), "file": one.file, "certificate": one.certificate,
                    "days_left": days(&one.certificate, now), "alert": Alert::at(one.certificate.not_after, now),
                    "watched": watched.get(&one.place),
                })
            })
            .collect();
        ui.json(&serde_json::json!({
            "file": first.file, "certificate": first.certificate, "days_left": days(&first.certificate, now),
            "hostname": host, "holds_for_hostname": holds, "tlsa_3_1_1": tlsa, "certificates": certificates,
            "source": settings.certificate, "acme": acme,
        }));
    } else {
        listed(&all, now, ui);
        acme.iter().for_each(|facts| facts.print(ui, now));
    }
    warnings(&all, host, now).iter().for_each(|warning| ui.warn(warning));
    if first.certificate.self_signed && acme.is_some() {
        ui.say("nobody vouches for it yet: mailctl cert issue");
    } else if first.certificate.self_signed {
        ui.say("nobody vouches for it: bring in a real one with mailctl cert import");
    }
    Ok(())
}

/// What mail programs will not like.
pub fn warnings(all: &[Served], host: &str, now: i64) -> Vec<String> {
    let mut warnings = Vec::new();
    for one in all {
        let whose = one.place.domain().map_or(host, |domain| domain.as_str());
        if let Some(alert) = Alert::at(one.certificate.not_after, now) {
            warnings.push(format!("the certificate of {whose}: {alert}"));
        }
        if one.place.domain().is_none() && !one.certificate.holds_for(host) {
            warnings.push(format!(
                "the certificate ({}) does not hold for {host} (HOSTNAME): mail programs refuse it",
                one.place
            ));
        }
    }
    warnings
}

fn listed(all: &[Served], now: i64, ui: &mut Ui) {
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            ui.data("");
        }
        if all.len() > 1 {
            ui.data(format!("for          {}", one.place));
        }
        print(ui, &one.certificate, days(&one.certificate, now));
    }
}

/// Whole days until it ends; below zero afterwards.
pub fn days(certificate: &Certificate, now: i64) -> i64 {
    (certificate.not_after - now).div_euclid(86_400)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
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
