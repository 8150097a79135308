//! OpenDKIM: signs what our users send, verifies what comes in.

use super::{ConfigFile, ED25519_CONF, Facts, Fault, template::Templates};
use crate::{mail::dkim::Algorithm, settings::Settings};
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

/// Template and file of the process that signs with RSA and verifies.
const FILES: [(&str, &str); 5] = [
    ("opendkim/internalhosts", "opendkim/internalhosts"),
    ("opendkim/keytable", "opendkim/keytable"),
    ("opendkim/opendkim.conf", "opendkim/opendkim.conf"),
    ("opendkim/signingtable", "opendkim/signingtable"),
    ("opendkim/unbound.conf", "opendkim/unbound.conf"),
];

/// Template and file of the process beside it that signs with Ed25519: there is one only while it has a key.
const ED25519: [(&str, &str); 3] = [
    (ED25519_CONF, ED25519_CONF),
    ("opendkim/keytable", "opendkim/ed25519-keytable"),
    ("opendkim/signingtable", "opendkim/ed25519-signingtable"),
];

/// Its files. The tables are files of their own: Debian's build asks neither a socket nor Lua.
pub(super) fn render(
    settings: &Settings,
    facts: &Facts,
    templates: &Templates,
) -> Result<Vec<ConfigFile>, Fault> {
    let mut files = process(&FILES, Algorithm::Rsa, settings, facts, templates)?;
    if facts.sign_with(Algorithm::Ed25519) {
        files.extend(process(&ED25519, Algorithm::Ed25519, settings, facts, templates)?);
    }
    Ok(files)
}

/// The files of the process that signs with one algorithm: it sees the keys of that one only.
fn process(
    names: &[(&str, &str)],
    algorithm: Algorithm,
    settings: &Settings,
    facts: &Facts,
    templates: &Templates,
) -> Result<Vec<ConfigFile>, Fault> {
    let mut keys: Vec<Key<'_>> = facts
        .signers
        .iter()
        .filter(|signer| signer.algorithm == algorithm)
        .map(|signer| Key { domain: signer.domain.as_str(), selector: signer.selector.as_str() })
        .collect();
    keys.sort_by_key(|key| key.domain);
    let networks = settings.trusted.to_postfix().iter().map(|net| net.replace(['[', ']'], "")).collect();
    let context = Context { hostname: settings.hostname.as_str(), keys, networks };
    let file =
        |(template, path): &(&str, &str)| Ok(ConfigFile::public(path, templates.render(template, &context)?));
    names.iter().map(file).collect()
}
