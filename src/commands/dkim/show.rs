//! `mailctl dkim show`.

use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        address::Domain,
        dkim::{Algorithm, RETIRED, Record},
        server::Stage,
    },
    ui::Ui,
    world::{
        World,
        keys::dkim::{self, Key},
    },
};

/// Show the DKIM keys of all domains or of one, with the DNS records to publish
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only this domain
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// Print lines for a zone file and nothing else
    #[arg(long, conflicts_with = "json")]
    zone: bool,
}

/// Prints them; of each domain first the keys that sign.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    let served = names::domains(&settings, &store).await?;
    let domains = match &args.domain {
        None => served,
        Some(text) => {
            let domain = names::domain(text, ui)?;
            names::known(&served, &domain)?;
            vec![domain]
        }
    };
    let chosen = store.signers().await?;
    let mut keys = Vec::new();
    for domain in &domains {
        let signing = dkim::signing(&world.paths, domain, &chosen, settings.dkim_selector.as_ref())?;
        let staged = store.stages(domain).await?;
        let mut of_domain: Vec<Shown> = dkim::list(&world.paths, domain)?
            .into_iter()
            .map(|key| {
                let signs = signing.iter().any(|signing| signing.selector == key.selector);
                let stored = staged.iter().find(|staged| staged.selector == key.selector);
                let (stage, since) = match stored {
                    _ if signs => (Stage::Active, None),
                    Some(staged) => (staged.stage, Some(staged.since)),
                    None => (Stage::Idle, None),
                };
                Shown { key, stage, since }
            })
            .collect();
        // Of those that sign, RSA first; then as they come and go.
        of_domain.sort_by_key(|shown| {
            let signs = shown.stage == Stage::Active;
            (!signs, signs && shown.key.record.algorithm != Algorithm::Rsa, shown.stage)
        });
        if of_domain.is_empty() && args.domain.is_some() {
            return Err(none(domain));
        }
        if of_domain.is_empty() {
            ui.warn(format!("mail of {domain} leaves unsigned; mailctl dkim generate {domain}"));
        }
        keys.append(&mut of_domain);
    }
    if ui.manner().json {
        ui.json(&keys.iter().map(|shown| entry(&shown.key, shown.stage)).collect::<Vec<_>>());
        return Ok(());
    }
    for Shown { key, stage, since } in &keys {
        if args.zone {
            ui.data(key.record.zone(&key.domain, &key.selector));
            continue;
        }
        let state = state(*stage, *since);
        let size = format!("{} {}", key.record.algorithm, key.bits);
        ui.say(format!("{} of {}: {size} bits, {state}", key.selector, key.domain));
        let text = if *stage == Stage::Retired { RETIRED.to_owned() } else { key.record.text() };
        ui.data(format!("{} TXT {text}", Record::name(&key.domain, &key.selector)));
    }
    if !args.zone && !keys.is_empty() {
        ui.say("some providers want the text in pieces of 255 characters: mailctl dkim show --zone");
    }
    Ok(())
}

/// A key, and where it stands.
struct Shown {
    key: Key,
    stage: Stage,
    since: Option<i64>,
}

fn state(stage: Stage, since: Option<i64>) -> String {
    let day = since
        .and_then(|seconds| time::OffsetDateTime::from_unix_timestamp(seconds).ok())
        .map(|time| format!(" since {}", time.date()))
        .unwrap_or_default();
    match stage {
        Stage::Active => "signs".to_owned(),
        Stage::Pending => format!("to be published{day}; then mailctl dkim rotate"),
        Stage::Leaving => format!("signs no more{day}; its record stays; then mailctl dkim rotate"),
        Stage::Retired => format!("withdrawn{day}"),
        Stage::Idle => "does not sign".to_owned(),
    }
}

/// One key for a machine.
pub fn entry(key: &Key, stage: Stage) -> serde_json::Value {
    serde_json::json!({
        "domain": key.domain,
        "selector": key.selector,
        "type": key.record.algorithm,
        "bits": key.bits,
        "signs": stage == Stage::Active,
        "stage": stage,
        "name": Record::name(&key.domain, &key.selector),
        "record": key.record.text(),
        "strings": key.record.strings(),
        "zone": key.record.zone(&key.domain, &key.selector),
    })
}

fn none(domain: &Domain) -> Error {
    Error::new(codes::ABSENT, format!("{domain} has no DKIM key"))
        .hint(format!("mailctl dkim generate {domain}"))
}
