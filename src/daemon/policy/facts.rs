//! What DNS says of a client and a sender: asked once, and kept for as long as it is true.
//!
//! Whatever DNS does, [`Facts::find`] ends in time; what did not come until then is a `temperror`. A verdict is kept
//! under client, sender's domain and greeting, which is all that most records look at; where a record names the local
//! part as well, under that too.

use crate::{
    daemon::{
        memory::{Key, Keys},
        session::LATEST,
    },
    mail::{
        dns::{Answer, Kind, Known, Name, Question, Silence},
        spf::{Evaluation, Request, Trouble, Verdict, check_host},
    },
    world::dns::{Asking, Dns, settle},
};
use hashbrown::HashMap;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// For all questions about one message together; the rest of [`LATEST`] is for everything else.
pub(super) const LATE: Duration = LATEST.saturating_sub(Duration::from_millis(200));
/// For one question; a resolver that lost it is asked again by then.
const ANSWER: Duration = LATEST.saturating_sub(Duration::from_millis(300));
/// How long single answers are kept, whatever their TTL: what many senders have in common is asked once in this time.
const GENERATION: Duration = Duration::from_secs(30);
/// Verdicts are kept as long as the shortest TTL among their answers says, within these bounds, in seconds.
const KEPT: (u32, u32) = (10, 3600);
/// A verdict for want of an answer, in seconds.
pub(super) const SILENT: u32 = 5;
/// Verdicts at a time; each takes about 300 octets.
const MOST: usize = 128 * 1024;
/// Shards; a power of two.
const SHARDS: usize = 64;
/// Evaluations at a time that nobody waits for yet.
const AHEAD: usize = 256;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The client.
    pub client: IpAddr,
    /// What it calls itself.
    pub helo: String,
    /// Envelope sender, without `<>`.
    pub sender: String,
}

impl Sender {
    /// As `check_host()` wants it; `receiver` is our name.
    pub fn request<'a>(&'a self, receiver: &'a str, now: u64) -> Request<'a> {
        Request { receiver, now, ..Request::mail_from(self.client, &self.sender, &self.helo) }
    }
}

/// Asks and keeps.
pub struct Facts {
    keys: Keys,
    kept: Box<[Mutex<Shard>]>,
    began: Instant,
    asking: Mutex<Resolver>,
    ahead: AtomicUsize,
    verdicts: [AtomicU64; VERDICTS.len()],
}

/// Verdicts by their key.
type Shard = HashMap<[u64; 2], Kept>;

/// Whom to ask, and what they said lately.
struct Resolver {
    at: Vec<SocketAddr>,
    current: Option<(Dns, Instant)>,
}

/// In the order of the metrics.
pub const VERDICTS: [Verdict; 7] = [
    Verdict::None,
    Verdict::Neutral,
    Verdict::Pass,
    Verdict::Fail,
    Verdict::SoftFail,
    Verdict::TempError,
    Verdict::PermError,
];

struct Kept {
    until: u32,
    /// Beside its evaluation, so that nobody has to look there who only wants to know this. `None`: it depends on the
    /// local part as well, look under that.
    verdict: Option<Verdict>,
    evaluation: Option<Arc<Evaluation>>,
}

impl Facts {
    /// Asks these resolvers; none = those of `/etc/resolv.conf`.
    pub fn new(keys: Keys, resolvers: Vec<SocketAddr>) -> Self {
        Self {
            keys,
            kept: (0..SHARDS).map(|_| Mutex::default()).collect(),
            began: Instant::now(),
            asking: Mutex::new(Resolver { at: resolvers, current: None }),
            ahead: AtomicUsize::new(0),
            verdicts: Default::default(),
        }
    }

    /// Asks others from now on, and forgets what those before have said.
    pub fn configure(&self, resolvers: Vec<SocketAddr>) {
        let mut asking = lock(&self.asking);
        if asking.at != resolvers {
            *asking = Resolver { at: resolvers, current: None };
            self.kept.iter().for_each(|shard| lock(shard).clear());
        }
    }

    /// The verdict, where it is known.
    pub fn verdict(&self, client: IpAddr, helo: &[u8], sender: &[u8]) -> Option<Verdict> {
        self.look(client, helo, sender, |kept| kept.verdict)
    }

    /// The verdict and the way to it, where it is known.
    pub fn known(&self, client: IpAddr, helo: &[u8], sender: &[u8]) -> Option<Arc<Evaluation>> {
        self.look(client, helo, sender, |kept| kept.evaluation.clone())
    }

    fn look<T>(
        &self,
        client: IpAddr,
        helo: &[u8],
        sender: &[u8],
        take: impl Fn(&Kept) -> Option<T>,
    ) -> Option<T> {
        let now = self.seconds();
        match self.get(self.key(client, helo, sender, false), now, &take)? {
            Some(found) => Some(found),
            None => self.get(self.key(client, helo, sender, true), now, &take)?,
        }
    }

    /// The verdict; asks DNS where it is not known, and ends within [`LATE`].
    pub async fn find(&self, sender: &Sender, receiver: &str, now: u64) -> Arc<Evaluation> {
        let (helo, from) = (sender.helo.as_bytes(), sender.sender.as_bytes());
        if let Some(known) = self.known(sender.client, helo, from) {
            return known;
        }
        let request = sender.request(receiver, now);
        let found = match self.dns() {
            Ok(dns) => timeout(LATE, settle(&dns, |inquiry| check_host(inquiry, &request))).await.ok(),
            Err(why) => Some(Err(why)),
        };
        let (verdict, seconds, local) = match found {
            Some(Ok(settled)) => {
                let local = settled.known.answers.values().any(names_local);
                (settled.verdict, lifetime(&settled.known), local)
            }
            Some(Err(why)) => (silent(&request, Silence::Fault(why)), SILENT, false),
            None => (silent(&request, Silence::Timeout), SILENT, false),
        };
        if seconds <= SILENT {
            self.doubt();
        }
        if let Some(at) = VERDICTS.iter().position(|other| *other == verdict.verdict) {
            self.verdicts[at].fetch_add(1, Relaxed);
        }
        let until = self.seconds().saturating_add(seconds);
        let found = Arc::new(verdict);
        let kept = Kept { until, verdict: Some(found.verdict), evaluation: Some(found.clone()) };
        if local {
            self.put(self.key(sender.client, helo, from, true), kept);
            self.put(
                self.key(sender.client, helo, from, false),
                Kept { until, verdict: None, evaluation: None },
            );
        } else {
            self.put(self.key(sender.client, helo, from, false), kept);
        }
        found
    }

    /// Begins to ask, for somebody who will want to know soon.
    pub fn prepare(self: &Arc<Self>, sender: Sender, receiver: &str, now: u64) {
        if self.ahead.fetch_add(1, Relaxed) >= AHEAD {
            self.ahead.fetch_sub(1, Relaxed);
            return;
        }
        let (facts, receiver) = (self.clone(), receiver.to_owned());
        tokio::spawn(async move {
            let _one = Leave(&facts.ahead);
            facts.find(&sender, &receiver, now).await;
        });
    }

    /// Evaluations by verdict, and how many verdicts are kept.
    pub fn figures(&self) -> (impl Iterator<Item = (Verdict, u64)>, usize) {
        let counts = VERDICTS.iter().copied().zip(self.verdicts.iter().map(|count| count.load(Relaxed)));
        (counts, self.kept.iter().map(|shard| lock(shard).len()).sum())
    }

    /// Answers are shared for [`GENERATION`]; then the next one begins with nothing.
    pub(super) fn dns(&self) -> Result<Dns, String> {
        let asking = &mut *lock(&self.asking);
        if let Some((dns, _)) = asking.current.as_ref().filter(|(_, since)| since.elapsed() < GENERATION) {
            return Ok(dns.clone());
        }
        let asked =
            if asking.at.is_empty() { Asking::system()? } else { Asking::at(asking.at.iter().copied()) };
        let dns = Dns::new(Asking { patience: ANSWER, ..asked });
        asking.current = Some((dns.clone(), Instant::now()));
        Ok(dns)
    }

    /// Somebody was silent: an answer that is missing is not kept as long as the others.
    fn doubt(&self) {
        let current = &mut lock(&self.asking).current;
        if current.as_ref().is_some_and(|(_, since)| since.elapsed().as_secs() >= SILENT.into()) {
            *current = None;
        }
    }

    fn key(&self, client: IpAddr, helo: &[u8], sender: &[u8], local: bool) -> Key {
        let octets = match client.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let at = if local { 0 } else { memchr::memrchr(b'@', sender).unwrap_or(0) };
        self.keys.of(&[&octets, helo, &sender[at..]])
    }

    fn get<T>(&self, key: Key, now: u32, take: impl Fn(&Kept) -> Option<T>) -> Option<Option<T>> {
        let shard = lock(&self.kept[shard(key)]);
        shard.get(&key.parts()).filter(|kept| kept.until > now).map(take)
    }

    fn put(&self, key: Key, kept: Kept) {
        let now = self.seconds();
        let mut shard = lock(&self.kept[shard(key)]);
        if shard.len() >= MOST / SHARDS && !shard.contains_key(&key.parts()) {
            shard.retain(|_, kept| kept.until > now);
            // All of them are true: half of them go, whichever.
            if shard.len() >= MOST / SHARDS {
                let mut odd = false;
                shard.retain(|_, _| {
                    odd = !odd;
                    odd
                });
            }
        }
        shard.insert(key.parts(), kept);
    }

    /// By a clock that nobody sets back.
    fn seconds(&self) -> u32 {
        u32::try_from(self.began.elapsed().as_secs()).unwrap_or(u32::MAX)
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn shard(key: Key) -> usize {
    key.parts()[1] as usize % SHARDS
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked has left whole entries.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For how many seconds a verdict from these answers holds.
pub(super) fn lifetime(known: &Known) -> u32 {
    let of = |answer: &Answer| match answer.records() {
        Ok(_) => answer.ttl.clamp(KEPT.0, KEPT.1),
        Err(_) => SILENT,
    };
    known.answers.values().map(of).min().unwrap_or(KEPT.1)
}

/// Whether a record's macros name the local part (RFC 7208 §7.2: `%{s}`, `%{l}`).
fn names_local(answer: &Answer) -> bool {
    let texts = answer.texts().unwrap_or_default();
    texts.iter().any(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("%{l") || text.contains("%{s")
    })
}

fn silent(request: &Request<'_>, why: Silence) -> Evaluation {
    let name = Name::parse(request.domain).unwrap_or_else(|_| Name::root());
    let question = Question::new(name, Kind::Txt);
    Evaluation {
        verdict: Verdict::TempError,
        path: Vec::new(),
        trouble: Some(Trouble::Silent(question, why)),
        explanation: None,
        lookups: 0,
        voids: 0,
    }
}

#[cfg(test)]
mod tests;
