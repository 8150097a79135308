//! What rendering needs beside the settings: served domains, signing keys, the operator's own templates.

use super::{
    World, io_error,
    keys::{
        dkim::{self, Key},
        tls,
    },
    paths::Paths,
    store::Store,
};
use crate::{
    error::Error,
    mail::cert::{Certificate, Place},
    render::{Certificates, Facts, Named},
    settings::Settings,
};
use std::{fs, io::ErrorKind, path::Path};

impl World {
    /// Gathers them. A key that should sign and cannot is an error: mail must not leave unsigned unseen.
    pub async fn facts(&self, settings: &Settings, store: &Store) -> Result<Facts, Error> {
        let mut domains: Vec<_> = settings.domains().cloned().collect();
        for domain in store.domains().await? {
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        let stored = store.signers().await?;
        let mut signers = Vec::new();
        for domain in &domains {
            let keys = dkim::signing(&self.paths, domain, &stored, settings.dkim_selector.as_ref())?;
            signers.extend(keys.into_iter().map(Key::signer));
        }
        let mut overrides = Vec::new();
        templates(&self.paths.templates(), "", &mut overrides)?;
        overrides.sort();
        Ok(Facts { domains, signers, overrides, certificates: certificates(&self.paths) })
    }
}

/// What the live set holds beside the server's own. A file that cannot be read serves nobody; `up` says so.
fn certificates(paths: &Paths) -> Certificates {
    let mut certificates = Certificates::default();
    for place in tls::places(paths) {
        let file = paths.certificate(&place);
        match place {
            Place::Host => {}
            Place::HostRsa => certificates.rsa = true,
            Place::Domain(domain) => {
                let leaf = fs::read(&file).ok().and_then(|pem| Certificate::read(&pem));
                let names = leaf.map(|leaf| leaf.names_in(&domain)).unwrap_or_default();
                if !names.is_empty() {
                    certificates.domains.push(Named { domain, names });
                }
            }
        }
    }
    certificates
}

/// Every file below `folder`, by its name relative to it. Editors' leftovers are left out.
fn templates(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| io_error("read", folder, &e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| io_error("read", folder, &e))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            templates(&path, &format!("{name}/"), found)?;
        } else {
            found.push((name, fs::read_to_string(&path).map_err(|e| io_error("read", &path, &e))?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_found_by_their_relative_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("postfix")).unwrap();
        for (name, text) in [("postfix/main.cf", "a"), ("postfix/main.cf~", "b"), (".git", "c"), ("top", "d")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut found = Vec::new();
        templates(folder.path(), "", &mut found).unwrap();
        found.sort();
        assert_eq!(
            found,
            [("postfix/main.cf".to_owned(), "a".to_owned()), ("top".to_owned(), "d".to_owned())]
        );
        templates(&folder.path().join("nothing"), "", &mut found).unwrap();
    }
}
