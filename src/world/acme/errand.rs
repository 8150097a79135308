//! All orders that one attempt needs: at the staging directory where something was refused before, then one for each
//! kind of key.

use super::{
    Pace,
    account::Ca,
    book::Book,
    dns01::Zones,
    fault::Fault,
    order::{Goal, Task, obtain},
};
use crate::{
    mail::cert::{Kind, Pair, Place},
    settings::Acme,
    world::paths::Paths,
};
use std::fs;

/// What is wanted, and at which time.
pub struct Errand<'a> {
    /// The home.
    pub paths: &'a Paths,
    /// Which authority, and how names are proven.
    pub acme: &'a Acme,
    /// For DNS-01.
    pub zones: Zones<'a>,
    /// The first is the host's.
    pub names: &'a [String],
    /// Another key than the one that is served.
    pub new_key: bool,
    /// How long to wait for what.
    pub pace: Pace,
    /// Seconds since 1970.
    pub now: i64,
    /// Hears what is done.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

/// Where a certificate of this kind is served.
pub fn place(kind: Kind) -> Place {
    match kind {
        Kind::Ecdsa => Place::Host,
        Kind::Rsa => Place::HostRsa,
    }
}

impl Errand<'_> {
    /// Directory and account.
    pub async fn open(&self) -> Result<Ca, Fault> {
        Ca::open(self.paths, self.acme, &self.acme.directory, &self.pace, self.now).await
    }

    /// Whether an order is under way, which is gone on with whatever would be said to a new one.
    pub fn under_way(&self, book: &Book) -> bool {
        book.ledger.under_way.iter().any(|order| order.directory == self.acme.directory)
    }

    /// From wherever the orders stand to what was issued. It is on the disk, and not served yet.
    pub async fn run(&self, book: &mut Book, ca: &Ca) -> Result<Vec<(Kind, Pair)>, Fault> {
        let exposed = book.ledger.revoked.as_ref().is_some_and(|revoked| revoked.new_key);
        if self.new_key {
            book.ledger.under_way.clear();
            book.save()?;
        }
        let task = |kind, served, zones| Task {
            paths: self.paths,
            acme: self.acme,
            names: self.names,
            kind,
            served,
            new_key: self.new_key || exposed,
            zones,
            pace: self.pace,
            now: self.now,
            tell: self.tell,
        };
        let refused = book.ledger.failure.as_ref().is_some_and(|failure| failure.staging);
        if let Some(url) = self.acme.staging.as_ref().filter(|_| refused) {
            (self.tell)("trying it at the authority's staging directory first");
            let staging = Ca::open(self.paths, self.acme, url, &self.pace, self.now).await?;
            obtain(book, &staging, &task(Kind::Ecdsa, None, &self.zones), Goal::Believed).await?;
        }
        let kinds: &[Kind] = if self.acme.rsa { &[Kind::Ecdsa, Kind::Rsa] } else { &[Kind::Ecdsa] };
        let mut pairs = Vec::new();
        for kind in kinds {
            let served = fs::read(self.paths.certificate(&place(*kind))).ok();
            let task = Task { served: served.as_deref(), ..task(*kind, None, &self.zones) };
            obtain(book, ca, &task, Goal::Issued).await?;
            let pair = book.pair(*kind, self.names, self.now);
            pairs.push((*kind, pair.ok_or_else(|| Fault::silent("what was issued cannot be read again"))?));
        }
        Ok(pairs)
    }
}
