//! The program in a home that asks Pebble for certificates, with name server and web server beside it.

use super::{Manner, Pebble, shown::Shown};
use crate::common::{
    dns::{Dns, Zone},
    home::Home,
};
use serde_json::Value;
use std::{fs, io::Write, process::Command};

/// A home whose settings ask Pebble for certificates.
pub struct Scene {
    /// The home.
    pub home: Home,
    /// The authority.
    pub pebble: Pebble,
    /// Its view of our challenges.
    pub shown: Shown,
    /// Everybody's resolver.
    pub dns: Dns,
}

impl Scene {
    /// Where HOSTNAME and autoconfig lead to our web server, and mta-sts elsewhere. `acme`: more lines of settings.
    pub fn new(manner: &Manner, acme: &str) -> Self {
        Self::in_zone("mail A {web}\nautoconfig A {web}\nmta-sts A 192.0.2.99\n", manner, acme)
    }

    /// `{web}` in the zone is the address at which challenges are shown.
    pub fn in_zone(zone: &str, manner: &Manner, acme: &str) -> Self {
        let home = Home::new();
        let shown = Shown::start(&home.path().join("acme/challenges"));
        let zone = zone.replace("{web}", &shown.address().to_string());
        let dns = Dns::start(&[Zone::new("example.org", &zone), Zone::new(".", "")]);
        let pebble = Pebble::start(dns.at(), manner);
        let scene = Self { home, pebble, shown, dns };
        let mut env = fs::File::options().append(true).open(scene.home.path().join("settings.env")).unwrap();
        writeln!(env, "CERTIFICATES=acme").unwrap();
        scene.settings(&scene.pebble.directory(), acme);
        scene
    }

    /// Writes `mailctl.toml`.
    pub fn settings(&self, directory: &str, acme: &str) {
        let text = format!(
            "[dns]\naddresses = \"{}\"\nresolver = \"{}\"\n[acme]\ndirectory = \"{directory}\"\nroot_file = \"{}\"\n{acme}",
            self.shown.address(),
            self.dns.at(),
            self.pebble.root_file().display(),
        );
        fs::write(self.home.path().join("mailctl.toml"), text).unwrap();
    }

    /// The book of orders.
    pub fn ledger(&self) -> Value {
        serde_json::from_slice(&fs::read(self.home.path().join("acme/ledger.json")).unwrap()).unwrap()
    }

    /// Writes the book as if so many seconds more had passed.
    pub fn later(&self, seconds: i64) {
        let mut ledger = self.ledger();
        let back = |value: &mut Value| {
            if let Some(time) = value.as_i64().filter(|time| *time > 0) {
                *value = (time - seconds).into();
            }
        };
        ledger["placed"].as_array_mut().unwrap().iter_mut().for_each(|placed| back(&mut placed["at"]));
        back(&mut ledger["ask"]);
        if ledger["failure"].is_object() {
            ["at", "next", "told"].iter().for_each(|key| back(&mut ledger["failure"][*key]));
        }
        fs::write(self.home.path().join("acme/ledger.json"), ledger.to_string()).unwrap();
    }

    /// The certificate in place, checked by OpenSSL: chain, key, names.
    pub fn served(&self, file: &str) -> String {
        let path = self.home.path().join("tls/live").join(file);
        let root = self.home.path().join("issuing-root.pem");
        fs::write(&root, self.pebble.issuing_root()).unwrap();
        let openssl = |words: &[&str]| {
            let said = Command::new("openssl").args(words).arg(&path).output().unwrap();
            assert!(said.status.success(), "openssl {words:?}: {said:?}");
            String::from_utf8(said.stdout).unwrap()
        };
        openssl(&[
            "verify",
            "-CAfile",
            root.to_str().unwrap(),
            "-untrusted",
            path.to_str().unwrap(),
            "-verify_hostname",
            "mail.example.org",
        ]);
        let of_key = openssl(&["pkey", "-pubout", "-in"]);
        assert_eq!(openssl(&["x509", "-pubkey", "-noout", "-in"]), of_key, "{file}: the key is another's");
        of_key
    }

    /// What `cert show` says.
    pub fn shown(&self) -> Value {
        self.home.json(&["cert", "show"])
    }

    /// How many challenges are on the disk.
    pub fn challenges(&self) -> usize {
        let kinds =
            ["http-01", "tls-alpn-01"].map(|kind| self.home.path().join("acme/challenges").join(kind));
        kinds.iter().map(|kind| fs::read_dir(kind).unwrap().count()).sum()
    }

    /// Keys and certificates under way, but for drafts of a writer that was killed: a later one removes those.
    pub fn pending(&self) -> usize {
        let all = fs::read_dir(self.home.path().join("acme/pending")).unwrap();
        all.filter(|entry| !entry.as_ref().unwrap().file_name().as_encoded_bytes().starts_with(b".new-"))
            .count()
    }

    /// Failures in a row.
    pub fn failures(&self) -> u64 {
        self.ledger()["failure"]["count"].as_u64().unwrap()
    }

    /// From here on a renewal is due: nobody should believe the certificate that is served (as `cert revoke` notes it).
    pub fn due(&self) {
        let mut ledger = self.ledger();
        let serial = self.shown()["certificate"]["serial"].clone();
        ledger["revoked"] = serde_json::json!({"serial": serial, "new_key": false});
        fs::write(self.home.path().join("acme/ledger.json"), ledger.to_string()).unwrap();
    }
}
