//! OpenDKIM: signs what our users send, verifies what comes in.

use super::{ConfigFile, Facts, Fault, template::Templates};
use crate::settings::Settings;
use serde::Serialize;

/// What its templates see.
#[derive(Serialize)]
struct Context<'a> {
    hostname: &'a str,
    keys: Vec<Key<'a>>,
    networks: Vec<String>,
}

#[derive(Serialize)]
struct Key<'a> {
    domain: &'a str,
    selector: &'a str,
}

const FILES: [&str; 5] = [
    "opendkim/internalhosts",
    "opendkim/keytable",
    "opendkim/opendkim.conf",
    "opendkim/signingtable",
    "opendkim/unbound.conf",
];

/// Its files. The tables are files of their own: Debian's build asks neither a socket nor Lua.
pub(super) fn render(
    settings: &Settings,
    facts: &Facts,
    templates: &Templates,
) -> Result<Vec<ConfigFile>, Fault> {
    let mut keys: Vec<Key<'_>> = facts
        .selectors
        .iter()
        .map(|(domain, selector)| Key { domain: domain.as_str(), selector: selector.as_str() })
        .collect();
    keys.sort_by_key(|key| key.domain);
    let networks = settings.trusted.to_postfix().iter().map(|net| net.replace(['[', ']'], "")).collect();
    let context = Context { hostname: settings.hostname.as_str(), keys, networks };
    FILES.iter().map(|name| Ok(ConfigFile::public(name, templates.render(name, &context)?))).collect()
}
