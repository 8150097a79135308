//! The layout of a home. Nothing else in the program makes a path.

use crate::mail::address::{Address, Domain, Selector};
use crate::plan::folders::Places;
use std::path::{Path, PathBuf};

/// `--home DIR`, default `/var/lib/mailctl`.
#[derive(Clone, Debug)]
pub struct Paths {
    home: PathBuf,
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
    /// What the last look for newer packages found.
    pub fn update_check(&self) -> PathBuf {
        self.state().join("updates.json")
    }
    /// The folder of the database: mounted whole, for SQLite's companion files.
    pub fn db_folder(&self) -> PathBuf {
        self.state().join("db")
    }
    /// Mailboxes, aliases, domains.
    pub fn database(&self) -> PathBuf {
        self.db_folder().join("directory.db")
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
    /// Certificates.
    pub fn tls(&self) -> PathBuf {
        self.home.join("tls")
    }
    /// Key and chain in one file, as served.
    pub fn tls_live(&self) -> PathBuf {
        self.tls().join("live.pem")
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
    /// What the containers mount, as text for the engine.
    pub fn places(&self) -> Places {
        let text = |path: PathBuf| path.display().to_string();
        Places {
            rendered: text(self.rendered()),
            run: text(self.run()),
            db: text(self.db_folder()),
            mail: text(self.mail()),
            spool: text(self.spool()),
            tls: text(self.tls()),
            dkim: text(self.dkim()),
        }
    }
}
