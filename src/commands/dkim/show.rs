//! `mailctl dkim show`.

use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        address::Domain,
        dkim::{Algorithm, Record},
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
        let mut of_domain: Vec<(Key, bool)> = dkim::list(&world.paths, domain)?
            .into_iter()
            .map(|key| {
                let signs = signing.iter().any(|signing| signing.selector == key.selector);
                (key, signs)
            })
            .collect();
        // Of those that sign, RSA first.
        of_domain.sort_by_key(|(key, signs)| (!signs, *signs && key.record.algorithm != Algorithm::Rsa));
        if of_domain.is_empty() && args.domain.is_some() {
            return Err(none(domain));
        }
        if of_domain.is_empty() {
            ui.warn(format!("mail of {domain} leaves unsigned; mailctl dkim generate {domain}"));
        }
        keys.append(&mut of_domain);
    }
    if ui.manner().json {
        ui.json(&keys.iter().map(|(key, signs)| entry(key, *signs)).collect::<Vec<_>>());
        return Ok(());
    }
    for (key, signs) in &keys {
        if args.zone {
            ui.data(key.record.zone(&key.domain, &key.selector));
            continue;
        }
        let state = if *signs { "signs" } else { "does not sign" };
        let size = format!("{} {}", key.record.algorithm, key.bits);
        ui.say(format!("{} of {}: {size} bits, {state}", key.selector, key.domain));
        ui.data(format!("{} TXT {}", Record::name(&key.domain, &key.selector), key.record.text()));
    }
    if !args.zone && !keys.is_empty() {
        ui.say("some providers want the text in pieces of 255 characters: mailctl dkim show --zone");
    }
    Ok(())
}

/// One key for a machine.
pub fn entry(key: &Key, signs: bool) -> serde_json::Value {
    serde_json::json!({
        "domain": key.domain,
        "selector": key.selector,
        "type": key.record.algorithm,
        "bits": key.bits,
        "signs": signs,
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
