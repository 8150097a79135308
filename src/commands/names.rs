//! What every command does with a name that a person typed: read it, say how it was understood, and refuse
//! what is not served here.

use crate::{
    error::{Error, codes},
    mail::{
        address::{Address, Domain, Malformed, Selector},
        alias::Source,
    },
    settings::Settings,
    ui::Ui,
    world::store::{Change, Store},
};

fn malformed(error: Malformed) -> Error {
    Error::new(codes::NAME_MALFORMED, error.to_string())
}

/// An address; upper case is folded, with a note.
pub fn address(text: &str, ui: &mut Ui) -> Result<Address, Error> {
    let address = Address::parse(text).map_err(malformed)?;
    note(text, &address.to_string(), ui);
    Ok(address)
}

/// An address, or `@domain`.
pub fn source(text: &str, ui: &mut Ui) -> Result<Source, Error> {
    let source = Source::parse(text).map_err(malformed)?;
    note(text, &source.to_string(), ui);
    Ok(source)
}

/// A domain.
pub fn domain(text: &str, ui: &mut Ui) -> Result<Domain, Error> {
    let domain = Domain::parse(text).map_err(malformed)?;
    note(text, domain.as_str(), ui);
    Ok(domain)
}

/// A DKIM selector.
pub fn selector(text: &str) -> Result<Selector, Error> {
    Selector::parse(text).map_err(malformed)
}

fn note(typed: &str, taken: &str, ui: &mut Ui) {
    if typed != taken {
        ui.say(format!("note: {typed} is taken as {taken}"));
    }
}

/// Every served domain: those of the settings, then those of the store.
pub async fn domains(settings: &Settings, store: &Store) -> Result<Vec<Domain>, Error> {
    Ok(joined(settings, store.domains().await?))
}

/// Refuses a domain that nobody serves here, as the transaction sees it.
pub async fn served(settings: &Settings, change: &mut Change, domain: &Domain) -> Result<(), Error> {
    known(&joined(settings, change.domains().await?), domain)
}

/// Refuses a domain that is not among `served`.
pub fn known(served: &[Domain], domain: &Domain) -> Result<(), Error> {
    if served.contains(domain) {
        return Ok(());
    }
    let names: Vec<&str> = served.iter().map(Domain::as_str).take(5).collect();
    let more = if served.len() > 5 { ", …" } else { "" };
    Err(Error::new(codes::NOT_SERVED, format!("{domain} is not a domain of this server"))
        .cause(format!("it serves {}{more}", names.join(", ")))
        .hint(format!("mailctl domain add {domain}")))
}

fn joined(settings: &Settings, stored: Vec<Domain>) -> Vec<Domain> {
    let mut domains: Vec<Domain> = settings.domains().cloned().collect();
    let further: Vec<Domain> = stored.into_iter().filter(|domain| !domains.contains(domain)).collect();
    domains.extend(further);
    domains
}

/// What a task of ours came to.
pub fn joined_task<T>(ended: Result<Result<T, Error>, tokio::task::JoinError>) -> Result<T, Error> {
    ended.map_err(|error| Error::new(codes::BUG, "a part of this command broke off").cause(error))?
}

/// Seconds since 1970, for the `created_at` of what is made now.
pub fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

/// A moment in UTC, to the minute: `2026-12-31 23:59 UTC`.
pub fn moment(seconds: i64) -> String {
    let Ok(time) = time::OffsetDateTime::from_unix_timestamp(seconds) else { return seconds.to_string() };
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}

/// Octets as a person reads them: `0`, `812 B`, `14.2 MiB`.
pub fn size(octets: u64) -> String {
    let mut value = octets as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{octets} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// Seconds as a person tells an age: `40 s`, `10 min`, `5 h`, `3 days`.
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (octets, text) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB"), (5 << 40, "5.0 TiB")]
        {
            assert_eq!(size(octets), text);
        }
    }

    #[test]
    fn ages_are_short() {
        for (seconds, text) in [
            (-5, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7199, "119 min"),
            (7200, "2 h"),
            (200_000, "2 days"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }
}
