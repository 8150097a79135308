//! What blocklists in DNS say of a client and a sender: asked all at once, kept for as long as it is true, and only of
//! lists that pass their own test.
//!
//! Nobody is refused because a list is away, slow, or refuses our resolver: what did not answer in time is not listed, and
//! a list that fails is not asked until it passes again.

use super::facts::{Facts, LATE, SILENT, lifetime, lock};
use crate::{
    daemon::memory::{Key, Keys},
    mail::{
        dns::Silence,
        dnsbl::{Listing, Unfit, Zone, ask, fit},
    },
    world::dns::{settle, settle_with},
};
use futures_util::future::join_all;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// How often a list is tested that passed, and one that did not.
const TESTED: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(60));
/// How often it is looked whether a test is due.
const TICK: Duration = Duration::from_secs(5);
/// A list that gave no answer so many times, one after the other, is not asked until it passes its test.
const SILENCES: u32 = 3;
/// Answers that are kept at a time; beyond that all begin anew.
const MOST: usize = 64 * 1024;

/// Asks, keeps and tests.
pub struct Dnsbl {
    keys: Keys,
    facts: Arc<Facts>,
    watched: RwLock<Arc<[Watched]>>,
    kept: Mutex<HashMap<[u64; 2], Kept>>,
    /// Grows whenever a list is asked or not asked any more: what was found before is not kept.
    changes: AtomicU64,
    wake: Notify,
    /// Whether the settings name any.
    any: AtomicBool,
    nothing: Listings,
}

/// Everything that is on lists of one client and sender.
pub type Listings = Arc<[Listing]>;

struct Kept {
    until: Instant,
    listings: Listings,
}

/// A list, and how it does.
struct Watched {
    zone: Zone,
    standing: Mutex<Standing>,
    silences: AtomicU32,
    listed: AtomicU64,
}

#[derive(Clone)]
struct Standing {
    /// `None` = it was not tested yet, and is not asked.
    fit: Option<Result<(), Unfit>>,
    tested: Option<Instant>,
}

/// How a list does, for people.
pub struct Told {
    /// The list.
    pub zone: String,
    /// Why it is not asked.
    pub unfit: Option<String>,
    /// How much it had.
    pub listed: u64,
}

impl Dnsbl {
    /// Nobody is asked yet: the lists are tested first ([`Dnsbl::watch`]).
    pub fn new(keys: Keys, facts: Arc<Facts>, zones: &[Zone]) -> Self {
        Self {
            keys,
            facts,
            watched: RwLock::new(watched(zones)),
            kept: Mutex::default(),
            changes: AtomicU64::new(0),
            wake: Notify::new(),
            any: AtomicBool::new(!zones.is_empty()),
            nothing: Arc::new([]),
        }
    }

    /// Asks others from now on. Those that stay are tested anew as well: the resolver may be another.
    pub fn configure(&self, zones: &[Zone]) {
        *self.watched.write().unwrap_or_else(PoisonError::into_inner) = watched(zones);
        self.any.store(!zones.is_empty(), Relaxed);
        self.forget();
        self.wake.notify_one();
    }

    fn forget(&self) {
        self.changes.fetch_add(1, Relaxed);
        lock(&self.kept).clear();
    }

    fn watched(&self) -> Arc<[Watched]> {
        self.watched.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is no list to ask.
    pub fn idle(&self) -> bool {
        !self.any.load(Relaxed)
    }

    /// What is known; `None` = lists have to be asked.
    pub fn known(&self, client: IpAddr, helo: &[u8], sender: &[u8]) -> Option<Listings> {
        if !self.watched().iter().any(Watched::fit) {
            return Some(self.nothing.clone());
        }
        let kept = lock(&self.kept);
        let found = kept.get(&self.key(client, helo, sender).parts())?;
        (found.until > Instant::now()).then(|| found.listings.clone())
    }

    /// Asks all lists at once, and ends in time.
    pub async fn find(&self, client: IpAddr, helo: &str, sender: &str) -> Listings {
        let changes = self.changes.load(Relaxed);
        let watched = self.watched();
        let asked: Vec<&Watched> = watched.iter().filter(|list| list.fit()).collect();
        let zones: Vec<&Zone> = asked.iter().map(|list| &list.zone).collect();
        let Ok(dns) = self.facts.dns() else { return self.nothing.clone() };
        let mut latest = (Vec::new(), Vec::new());
        let asking = settle_with(
            &dns,
            |inquiry| Some(ask(inquiry, &zones, client, sender, helo)),
            // What is known when time is up counts.
            |found| latest.clone_from(found),
        );
        let ended = timeout(LATE, asking).await;
        let seconds = match &ended {
            Ok(Ok(settled)) => lifetime(&settled.known),
            _ => SILENT,
        };
        let (listings, doubts) = latest;
        for (at, list) in asked.iter().enumerate() {
            match doubts.iter().find(|(of, _)| *of == at) {
                None => list.silences.store(0, Relaxed),
                Some((_, why)) if list.doubt(why.clone()) => self.forget(),
                Some(_) => {}
            }
            let had = listings.iter().filter(|listing| listing.zone == list.zone.shown()).count();
            list.listed.fetch_add(had as u64, Relaxed);
        }
        let listings: Listings = listings.into();
        let until = Instant::now() + Duration::from_secs(seconds.into());
        let mut kept = lock(&self.kept);
        if self.changes.load(Relaxed) != changes {
            return listings;
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        let key = self.key(client, helo.as_bytes(), sender.as_bytes());
        kept.insert(key.parts(), Kept { until, listings: listings.clone() });
        listings
    }

    /// Tests the lists, for ever.
    pub async fn watch(self: Arc<Self>) {
        loop {
            let watched = self.watched();
            join_all(watched.iter().filter(|list| list.due()).map(|list| self.test(list))).await;
            drop(watched);
            tokio::select! {
                () = sleep(TICK) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    async fn test(&self, list: &Watched) {
        let passed = match self.facts.dns() {
            // Anew: what was said a moment ago is what is in doubt.
            Ok(dns) => {
                settle(&dns.fresh(), |inquiry| fit(inquiry, &list.zone)).await.map(|found| found.verdict)
            }
            Err(why) => Err(why),
        };
        let passed = passed.unwrap_or_else(|why| Err(Unfit::Silent(Silence::Fault(why))));
        if list.stand(passed) {
            self.forget();
        }
    }

    /// How every list does.
    pub fn told(&self) -> Vec<Told> {
        let told = |list: &Watched| Told {
            zone: list.zone.shown().to_owned(),
            unfit: match lock(&list.standing).fit.clone() {
                Some(Ok(())) => None,
                Some(Err(why)) => Some(why.to_string()),
                None => Some("it was not tested yet".to_owned()),
            },
            listed: list.listed.load(Relaxed),
        };
        self.watched().iter().map(told).collect()
    }

    fn key(&self, client: IpAddr, helo: &[u8], sender: &[u8]) -> Key {
        let octets = match client.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let domain = memchr::memrchr(b'@', sender).map_or(&[][..], |at| &sender[at..]);
        self.keys.of(&[b"d", &octets, helo, domain])
    }
}

fn watched(zones: &[Zone]) -> Arc<[Watched]> {
    let watched = |zone: &Zone| Watched {
        zone: zone.clone(),
        standing: Mutex::new(Standing { fit: None, tested: None }),
        silences: AtomicU32::new(0),
        listed: AtomicU64::new(0),
    };
    zones.iter().map(watched).collect()
}

impl Watched {
    /// Whether it is asked.
    fn fit(&self) -> bool {
        lock(&self.standing).fit == Some(Ok(()))
    }

    fn due(&self) -> bool {
        let standing = lock(&self.standing);
        let pause = if standing.fit == Some(Ok(())) { TESTED.0 } else { TESTED.1 };
        standing.tested.is_none_or(|tested| tested.elapsed() >= pause)
    }

    /// An answer to a question about a client that none should give: a refusal is believed at once, silence after a while.
    /// Whether it is not asked any more.
    fn doubt(&self, why: Unfit) -> bool {
        if matches!(why, Unfit::Silent(_)) && self.silences.fetch_add(1, Relaxed) + 1 < SILENCES {
            return false;
        }
        self.silences.store(0, Relaxed);
        self.stand(Err(why))
    }

    /// Notes how it does, and tells it where that is another than it was. Whether it is asked now and was not, or the other
    /// way round.
    fn stand(&self, passed: Result<(), Unfit>) -> bool {
        let before = {
            let mut standing = lock(&self.standing);
            standing.tested = Some(Instant::now());
            standing.fit.replace(passed.clone())
        };
        let zone = self.zone.shown();
        match (&before, &passed) {
            (Some(Ok(())), Ok(())) => {}
            (Some(Err(old)), Err(new)) if old == new => {}
            (_, Ok(())) => tracing::info!(zone, "this blocklist passes its test and is asked"),
            (_, Err(why)) => tracing::warn!(
                zone,
                %why,
                "this blocklist is not asked until it passes its test (RFC 5782 §5); nobody is refused for it"
            ),
        }
        passed.is_ok() != (before == Some(Ok(())))
    }
}
