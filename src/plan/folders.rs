//! The folders that the containers mount: where they are, who owns them, who may enter.

use crate::render::ids;
use serde::Serialize;

/// Places on the host, as text for the engine. Made by `world::paths`, the only room that makes paths.
#[derive(Clone, Debug)]
pub struct Places {
    /// All generations and `current`.
    pub rendered: String,
    /// Sockets, a folder per service.
    pub run: String,
    /// `directory.db` and its companions.
    pub db: String,
    /// `policy.db`: what mailctld remembers.
    pub policy: String,
    /// Block and allow lists: the operator's to write, mailctld's to read.
    pub lists: String,
    /// Maildirs.
    pub mail: String,
    /// Postfix's queue.
    pub spool: String,
    /// Certificates.
    pub tls: String,
    /// DKIM keys.
    pub dkim: String,
    /// Secrets of SRS.
    pub srs: String,
    /// What `mailctl cert` knows of authorities; of all this only the challenges are mounted.
    pub acme: String,
    /// Challenges of ACME.
    pub challenges: String,
}

impl Places {
    /// Those of Postfix's sockets that other users may reach.
    pub fn doors(&self) -> String {
        format!("{}/public", self.spool)
    }
}

/// A folder as it must be before a container mounts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// Absolute path on the host.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Every folder of a stack. Socket folders carry the set-group bit: a socket made in them belongs to the
/// group that connects to it, without the server needing the right to give files away.
pub fn wanted(places: &Places) -> Vec<Folder> {
    let folder = |path: String, mode, uid, gid| Folder { path, mode, uid, gid };
    vec![
        folder(places.rendered.clone(), 0o755, 0, 0),
        folder(places.run.clone(), 0o755, 0, 0),
        folder(format!("{}/mailctld", places.run), 0o2750, ids::MAILCTL, ids::POSTFIX),
        // Dovecot asks there about logins; commands of root ask there about what mailctld holds.
        folder(format!("{}/auth", places.run), 0o2750, ids::MAILCTL, ids::DOVECOT),
        folder(format!("{}/control", places.run), 0o700, ids::MAILCTL, ids::MAILCTL),
        folder(format!("{}/opendkim", places.run), 0o2750, ids::OPENDKIM, ids::POSTFIX),
        folder(format!("{}/dovecot", places.run), 0o2750, ids::DOVECOT, ids::POSTFIX),
        folder(places.db.clone(), 0o750, 0, ids::MAILCTL),
        folder(places.policy.clone(), 0o700, ids::MAILCTL, ids::MAILCTL),
        folder(places.lists.clone(), 0o750, 0, ids::MAILCTL),
        folder(places.mail.clone(), 0o750, ids::VMAIL, ids::VMAIL),
        folder(places.spool.clone(), 0o755, 0, 0),
        // As Postfix makes it; mailctld mounts it before Postfix has started for the first time.
        folder(places.doors(), 0o710, ids::POSTFIX, ids::POSTDROP),
        folder(places.tls.clone(), 0o750, 0, ids::MAILCTL),
        folder(format!("{}/sets", places.tls), 0o750, 0, ids::MAILCTL),
        folder(places.dkim.clone(), 0o750, 0, ids::OPENDKIM),
        folder(places.srs.clone(), 0o750, 0, ids::MAILCTL),
        folder(places.acme.clone(), 0o700, 0, 0),
        folder(places.challenges.clone(), 0o755, 0, 0),
        folder(format!("{}/http-01", places.challenges), 0o755, 0, 0),
        // Each file in it has a key.
        folder(format!("{}/tls-alpn-01", places.challenges), 0o750, 0, ids::MAILCTL),
    ]
}
