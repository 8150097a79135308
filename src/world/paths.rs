//! The layout of a home. Nothing else in the program makes a path.

use crate::mail::{
    address::{Address, Domain, Selector},
    cert::Place,
};
use crate::plan::folders::Places;
use std::path::{Path, PathBuf};

/// `--home DIR`, default `/var/lib/mailctl`.
#[derive(Clone, Debug)]
pub struct Paths {
    home: PathBuf,
}

/// Where the host's administrator keeps units of systemd.
pub fn units() -> &'static Path {
    Path::new("/etc/systemd/system")
}

impl Paths {
    /// What the last `dns-check` said of each domain.
    pub fn dns_standings(&self) -> PathBuf {
        self.state().join("dns-check.json")
    }

    /// A home at `home`; an absolute path, for the engine mounts parts of it.
    pub fn new(home: PathBuf) -> Self {
        Self { home }
    }
    /// The folder itself.
    pub fn home(&self) -> &Path {
        &self.home
    }
    /// What every install needs.
    pub fn settings_env(&self) -> PathBuf {
        self.home.join("settings.env")
    }
    /// Structure: ports, network, raw settings.
    pub fn mailctl_toml(&self) -> PathBuf {
        self.home.join("mailctl.toml")
    }
    /// Lock, secrets, markers; root only.
    pub fn state(&self) -> PathBuf {
        self.home.join("state")
    }
    /// The one lock.
    pub fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }
    /// What each service was last told to read.
    pub fn loaded(&self) -> PathBuf {
        self.state().join("loaded")
    }
    /// Which image runs, after an upgrade.
    pub fn pin(&self) -> PathBuf {
        self.state().join("image.json")
    }
    /// What the last look for newer packages found.
    pub fn update_check(&self) -> PathBuf {
        self.state().join("updates.json")
    }
    /// Made when newer packages could not be looked for.
    pub fn update_try(&self) -> PathBuf {
        self.state().join("updates-failed")
    }
    /// Standing alerts, and who has heard of them.
    pub fn alerts(&self) -> PathBuf {
        self.state().join("alerts.json")
    }
    /// The folder of the database: mounted whole, for SQLite's companion files.
    pub fn db_folder(&self) -> PathBuf {
        self.state().join("db")
    }
    /// What mailctld remembers of messages and logins: its own to write.
    pub fn policy_folder(&self) -> PathBuf {
        self.state().join("policy")
    }
    /// Block and allow lists in files.
    pub fn lists(&self) -> PathBuf {
        self.home.join("lists")
    }
    /// Mailboxes, aliases, domains.
    pub fn database(&self) -> PathBuf {
        self.db_folder().join("directory.db")
    }
    /// The directory as it was in an older form, kept when a newer mailctl changed it.
    pub fn database_of_schema(&self, schema: i64) -> PathBuf {
        self.state().join(format!("directory-schema-{schema}.db"))
    }
    /// What a restore works in: `new/` is staged, `journal` says that the switch has begun.
    pub fn restore(&self) -> PathBuf {
        self.home.join(".restore")
    }
    /// Written when all of a restore is staged; from then on it is finished, whatever happens.
    pub fn restore_journal(&self) -> PathBuf {
        self.restore().join("journal")
    }
    /// What the restore brings, under its paths in the home.
    pub fn restore_new(&self) -> PathBuf {
        self.restore().join("new")
    }
    /// Held by the one restore of this home.
    pub fn restore_lock(&self) -> PathBuf {
        self.restore().join("lock")
    }
    /// Where a restore puts what was there before it: beside the home, or within where the home is a file system
    /// of its own.
    pub fn before(&self, stamp: &str, within: bool) -> PathBuf {
        if within {
            return self.home.join(format!(".before-{stamp}"));
        }
        let mut name = self.home.as_os_str().to_owned();
        name.push(format!(".before-{stamp}"));
        PathBuf::from(name)
    }
    /// Where backups are tried out: the folder, and how the names of trial homes in it begin.
    pub fn trials(&self) -> (PathBuf, String) {
        let above = self.home.parent().unwrap_or(Path::new("/")).to_owned();
        let name = self.home.file_name().unwrap_or_default().to_string_lossy();
        (above, format!("{name}.verify-"))
    }
    /// All generations of rendered configuration.
    pub fn rendered(&self) -> PathBuf {
        self.home.join("rendered")
    }
    /// Symlink to the live generation.
    pub fn current(&self) -> PathBuf {
        self.rendered().join("current")
    }
    /// Generation `number`.
    pub fn generation(&self, number: u32) -> PathBuf {
        self.rendered().join(format!("{number:04}"))
    }
    /// The operator's own templates.
    pub fn templates(&self) -> PathBuf {
        self.home.join("templates")
    }
    /// DKIM keys of all domains.
    pub fn dkim(&self) -> PathBuf {
        self.home.join("keys").join("dkim")
    }
    /// One DKIM private key.
    pub fn dkim_key(&self, domain: &Domain, selector: &Selector) -> PathBuf {
        self.dkim().join(domain.as_str()).join(format!("{selector}.private"))
    }
    /// Secrets of SRS: the folder, which is mounted whole.
    pub fn srs(&self) -> PathBuf {
        self.home.join("keys").join("srs")
    }
    /// The secrets themselves, a line each.
    pub fn srs_secrets(&self) -> PathBuf {
        self.srs().join("secrets")
    }
    /// Certificates.
    pub fn tls(&self) -> PathBuf {
        self.home.join("tls")
    }
    /// Every set of certificates that is kept.
    pub fn tls_sets(&self) -> PathBuf {
        self.tls().join("sets")
    }
    /// Set `number`.
    pub fn tls_set(&self, number: u32) -> PathBuf {
        self.tls_sets().join(format!("{number:04}"))
    }
    /// Symlink to the set that is served.
    pub fn tls_live(&self) -> PathBuf {
        self.tls().join("live")
    }
    /// Key and chain that are served in a place.
    pub fn certificate(&self, place: &Place) -> PathBuf {
        self.tls_live().join(place.file())
    }
    /// Where `cert import --watch` found certificates.
    pub fn certificate_sources(&self) -> PathBuf {
        self.state().join("certificate-sources.json")
    }
    /// Where key and chain were before there were sets.
    pub fn tls_before_sets(&self) -> PathBuf {
        self.tls().join("live.pem")
    }
    /// What the authority that issues certificates knows of us, and what is under way there; root only.
    pub fn acme(&self) -> PathBuf {
        self.home.join("acme")
    }
    /// Orders, limits, the time of the next attempt.
    pub fn acme_ledger(&self) -> PathBuf {
        self.acme().join("ledger.json")
    }
    /// Held while something is asked of the authority.
    pub fn acme_lock(&self) -> PathBuf {
        self.acme().join("lock")
    }
    /// Accounts, a file for each directory.
    pub fn acme_accounts(&self) -> PathBuf {
        self.acme().join("account")
    }
    /// Keys and certificates that are not served yet.
    pub fn acme_pending(&self) -> PathBuf {
        self.acme().join("pending")
    }
    /// What mailctld answers validators with: `http-01/TOKEN`, `tls-alpn-01/NAME.pem`.
    pub fn challenges(&self) -> PathBuf {
        self.acme().join("challenges")
    }
    /// All mail.
    pub fn mail(&self) -> PathBuf {
        self.home.join("mail")
    }
    /// One mailbox's folder.
    pub fn mailbox(&self, address: &Address) -> PathBuf {
        self.mail().join(address.domain().as_str()).join(address.local().as_str())
    }
    /// Postfix's queue.
    pub fn spool(&self) -> PathBuf {
        self.home.join("spool")
    }
    /// Sockets, a folder per service.
    pub fn run(&self) -> PathBuf {
        self.home.join("run")
    }
    /// Where commands ask the running mailctld.
    pub fn control(&self) -> PathBuf {
        self.run().join("control/mailctld")
    }
    /// What the containers mount, as text for the engine.
    pub fn places(&self) -> Places {
        let text = |path: PathBuf| path.display().to_string();
        Places {
            rendered: text(self.rendered()),
            run: text(self.run()),
            db: text(self.db_folder()),
            policy: text(self.policy_folder()),
            lists: text(self.lists()),
            mail: text(self.mail()),
            spool: text(self.spool()),
            tls: text(self.tls()),
            dkim: text(self.dkim()),
            srs: text(self.srs()),
            acme: text(self.acme()),
            challenges: text(self.challenges()),
        }
    }
}
