//! The golden trees: settings as an operator writes them, and what is rendered from them.

use mailctl::{
    mail::{
        address::{Domain, Selector},
        dkim::{Algorithm, Signer},
    },
    render::{Certificates, ConfigSet, Facts, Named, render},
    settings::{load, source::Sources},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Every case: its name and folder.
pub fn cases() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    cases.sort();
    assert!(cases.len() >= 3, "the golden trees are gone");
    cases
}

/// What the program renders for a case; every domain of it signs.
pub fn rendered(folder: &Path) -> ConfigSet {
    let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let (env, toml) = (text("settings.env"), text("mailctl.toml"));
    let sources =
        Sources { settings_env: env.as_deref(), mailctl_toml: toml.as_deref(), ..Sources::default() };
    let settings = load(&sources).unwrap().settings;
    let domains: Vec<_> = settings.domains().cloned().collect();
    let selector = Selector::parse("m202611").unwrap();
    // An Ed25519 key beside it only where the case says so.
    let ed25519 = text("ed25519").map(|name| Selector::parse(name.trim()).unwrap());
    let keys = [(Algorithm::Rsa, Some(selector)), (Algorithm::Ed25519, ed25519)];
    let signers = keys.into_iter().filter_map(|(algorithm, selector)| Some((algorithm, selector?))).flat_map(
        |(algorithm, selector)| {
            let signer = move |domain: &Domain| Signer {
                domain: domain.clone(),
                algorithm,
                selector: selector.clone(),
            };
            domains.iter().map(signer)
        },
    );
    let facts = Facts {
        certificates: certificates(&text("certificates").unwrap_or_default()),
        signers: signers.collect(),
        domains,
        overrides: tree(&folder.join("templates")).into_iter().collect(),
    };
    render(&settings, &facts).unwrap()
}

/// `rsa`, or a domain with the names that its certificate is asked for by, a line each.
fn certificates(text: &str) -> Certificates {
    let mut certificates = Certificates::default();
    for line in text.lines() {
        let (first, names) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "rsa" => certificates.rsa = true,
            domain => certificates.domains.push(Named {
                domain: Domain::parse(domain).unwrap(),
                names: names.split(' ').map(str::to_owned).collect(),
            }),
        }
    }
    certificates
}

/// Every file below a folder: path relative to it, and text.
pub fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(here) = todo.pop() {
        for entry in fs::read_dir(&here).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}
