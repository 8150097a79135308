//! Questions to DNS, with a deadline. Only what DNS says counts: `/etc/hosts` is not what other servers see.
//!
//! A [`Dns`] is what one run of a command knows: the same question goes out once. For a fresh look there is
//! [`Dns::fresh`]. The judgements about what comes back are pure (`mail::dns`); [`settle`] drives them.

pub mod anchors;
mod chain;
mod convert;
mod exchange;
mod fetch;
mod memo;
mod read;
mod settle;
pub mod update;
mod upstream;
mod validate;
mod window;
pub mod zone;

pub use settle::{Settled, settle, settle_with};

use crate::mail::{
    address::Domain,
    dns::{Answer as Reply, Data, Doubt, Fetched, Kind, Name, Outcome, Question, Silence, Whom},
};
use exchange::Failure;
use hickory_net::proto::{
    dnssec::{TrustAnchors, rdata::DS},
    rr::{Name as WireName, RecordType},
};
use ipnet::IpNet;
use memo::Memo;
use read::Read;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::{OnceCell, Semaphore};
use upstream::Upstream;
use window::Turn;

/// Longest wait for the answer to one question, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Questions under way, each with a socket of its own; the usual limit of open files is 1024.
const SOCKETS: usize = 768;

/// Questions under way to one resolver: at first, and at most.
const RESOLVER: (usize, usize) = (128, 640);

/// The same for a name server: many limit the rate of answers to one address.
const SERVER: (usize, usize) = (16, 64);

/// Aliases that are followed, as resolvers do (unbound 11, BIND 16).
const ALIASES: usize = 12;

/// What DNS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// This.
    Found(T),
    /// That there is nothing of the kind.
    Nothing,
    /// Nothing at all, for this reason.
    Silent(String),
}

/// How to ask.
#[derive(Clone)]
pub struct Asking {
    /// The resolvers, the best first.
    pub resolvers: Vec<SocketAddr>,
    /// Longest wait for one answer.
    pub patience: Duration,
    /// The keys that vouch for all others (RFC 4035 §5); `None` = the root's, as IANA publishes them.
    pub anchors: Option<Arc<TrustAnchors>>,
    /// Digests of such keys, each with its zone; with these and without `anchors`, nobody else is trusted.
    pub digests: Vec<(WireName, DS)>,
    /// Certificates (DER) that vouch for web servers, beside those of the system.
    pub roots: Vec<Vec<u8>>,
    /// Networks that texts are fetched from although the Internet does not lead there.
    pub allowed: Vec<IpNet>,
}

impl Asking {
    /// As `/etc/resolv.conf` has it; the error is one clear line.
    pub fn system() -> Result<Self, String> {
        let (config, _) = hickory_resolver::system_conf::read_system_conf()
            .map_err(|error| format!("/etc/resolv.conf cannot be used: {error}"))?;
        Ok(Self::at(config.name_servers.iter().map(|server| SocketAddr::new(server.ip, 53))))
    }

    /// At these.
    pub fn at(resolvers: impl IntoIterator<Item = SocketAddr>) -> Self {
        let resolvers = resolvers.into_iter().collect();
        Self {
            resolvers,
            patience: PATIENCE,
            anchors: None,
            digests: Vec::new(),
            roots: Vec::new(),
            allowed: Vec::new(),
        }
    }
}

/// Asks, and remembers the answers.
#[derive(Clone)]
pub struct Dns(Arc<Inner>);

struct Inner {
    asking: Asking,
    sockets: Arc<Semaphore>,
    resolver: Upstream,
    servers: Mutex<HashMap<SocketAddr, Arc<Upstream>>>,
    answers: Memo<Question, Asked>,
    /// What chains of trust are made of.
    proofs: Memo<(WireName, RecordType), Result<exchange::Reply, Failure>>,
    anchors: OnceCell<Arc<TrustAnchors>>,
    /// Why nothing can be proven through this resolver; `None`: it can.
    unaware: OnceCell<Option<Doubt>>,
    pages: Memo<String, Fetched>,
    client: OnceLock<Result<reqwest::Client, String>>,
}

/// An answer, and how many questions one after the other it took.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What came.
    pub answer: Reply,
    /// At least one.
    pub steps: u32,
}

impl Dns {
    /// Asks as told.
    pub fn new(asking: Asking) -> Self {
        let sockets = Arc::new(Semaphore::new(SOCKETS));
        let resolver = Upstream::new(&asking.resolvers, RESOLVER, asking.patience, &sockets);
        Self(Arc::new(Inner {
            asking,
            sockets,
            resolver,
            servers: Mutex::default(),
            answers: Memo::default(),
            proofs: Memo::default(),
            anchors: OnceCell::new(),
            unaware: OnceCell::new(),
            pages: Memo::default(),
            client: OnceLock::new(),
        }))
    }

    /// As `/etc/resolv.conf` has it; the error is one clear line.
    pub fn system() -> Result<Self, String> {
        Asking::system().map(Self::new)
    }

    /// Asks the same servers, and remembers nothing.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.0.asking.clone())
    }

    /// What DNS says to this question. Never waits much longer than the deadline (twice, in a crowd), and then is
    /// `Outcome::Silent`.
    pub async fn ask(&self, question: &Question) -> Reply {
        self.asked(question).await.answer
    }

    /// The same, with the number of questions that it took.
    pub async fn asked(&self, question: &Question) -> Asked {
        self.asked_in(question, Turn::Queue).await
    }

    /// The same; who asks first decides whose turn it is.
    async fn asked_in(&self, question: &Question, turn: Turn) -> Asked {
        let find = || {
            let (dns, question) = (self.clone(), question.clone());
            async move { dns.find(&question, turn).await }
        };
        let (found, _) = self.0.answers.get(question.clone(), find).await;
        found
            .unwrap_or_else(|| Asked { answer: silent(Silence::Fault("asking failed".to_owned())), steps: 1 })
    }

    async fn find(&self, question: &Question, turn: Turn) -> Asked {
        match question.whom {
            Whom::Resolver | Whom::Validating => self.resolve(question, turn).await,
            Whom::Server(address) => {
                let answer = self.put_to(SocketAddr::new(address, 53), question, turn).await;
                Asked { answer, steps: 1 }
            }
        }
    }

    /// Follows aliases where the resolver did not.
    async fn resolve(&self, question: &Question, turn: Turn) -> Asked {
        let mut asking = question.clone();
        let mut aliases: Vec<Name> = Vec::new();
        let (mut steps, mut proof, mut doubt) = (0, None, None);
        loop {
            let (Read { mut answer, open }, more) = match question.whom {
                Whom::Validating => self.prove(&asking).await,
                Whom::Resolver | Whom::Server(_) => (put(&self.0.resolver, &asking, true, turn).await, 1),
            };
            steps += more;
            answer.proof = proof.map_or(answer.proof, |before| validate::worst(before, answer.proof));
            proof = Some(answer.proof);
            doubt = doubt.or(answer.doubt);
            answer.doubt = doubt;
            aliases.append(&mut answer.aliases);
            let twice =
                |(at, alias): (usize, &Name)| *alias == question.name || aliases[..at].contains(alias);
            if aliases.len() > ALIASES || aliases.iter().enumerate().any(twice) {
                let why = format!("the aliases of {} lead in a circle", question.name);
                return Asked { answer: silent(Silence::Fault(why)), steps };
            }
            match aliases.last() {
                Some(last) if open => asking.name = last.clone(),
                _ => return Asked { answer: Reply { aliases, ..answer }, steps },
            }
        }
    }

    /// What the server at just this place says, without recursion; whom `question` would ask does not count. Nothing
    /// is remembered.
    pub async fn ask_at(&self, server: SocketAddr, question: &Question) -> Reply {
        self.put_to(server, question, Turn::Queue).await
    }

    async fn put_to(&self, server: SocketAddr, question: &Question, turn: Turn) -> Reply {
        let upstream = {
            let mut servers = self.0.servers.lock().unwrap_or_else(PoisonError::into_inner);
            let make = || Arc::new(Upstream::new(&[server], SERVER, self.0.asking.patience, &self.0.sockets));
            Arc::clone(servers.entry(server).or_insert_with(make))
        };
        put(&upstream, question, false, turn).await.answer
    }

    /// A and AAAA.
    pub async fn addresses(&self, name: &Domain) -> Answer<Vec<IpAddr>> {
        let (four, six) = (Question::new(name, Kind::A), Question::new(name, Kind::Aaaa));
        let (four, six) = tokio::join!(self.ask(&four), self.ask(&six));
        let mut found = Vec::new();
        for answer in [&four, &six] {
            found.extend(answer.records().unwrap_or_default().iter().filter_map(|record| match record {
                Data::A(address) => Some(IpAddr::V4(*address)),
                Data::Aaaa(address) => Some(IpAddr::V6(*address)),
                _ => None,
            }));
        }
        match (four.records(), six.records()) {
            _ if !found.is_empty() => Answer::Found(found),
            (Err(why), _) | (_, Err(why)) => Answer::Silent(why.to_string()),
            (Ok(_), Ok(_)) => Answer::Nothing,
        }
    }

    /// The hosts that take mail for `domain`, best first, without the final dot.
    pub async fn mail_servers(&self, domain: &Domain) -> Answer<Vec<String>> {
        let answer = self.ask(&Question::new(domain, Kind::Mx)).await;
        let records = match answer.records() {
            Ok(records) => records,
            Err(why) => return Answer::Silent(why.to_string()),
        };
        let server = |record: &Data| match record {
            // "." alone is a domain that takes no mail (RFC 7505).
            Data::Mx { preference, exchange } if !exchange.is_root() => {
                Some((*preference, exchange.as_str().to_owned()))
            }
            _ => None,
        };
        let mut servers: Vec<(u16, String)> = records.iter().filter_map(server).collect();
        servers.sort();
        if servers.is_empty() {
            Answer::Nothing
        } else {
            Answer::Found(servers.into_iter().map(|(_, name)| name).collect())
        }
    }
}

fn silent(why: Silence) -> Reply {
    Reply::new(Outcome::Silent(why))
}

/// Asks `upstream`.
async fn put(upstream: &Upstream, question: &Question, recurse: bool, turn: Turn) -> Read {
    let failed = |why| Read { answer: silent(why), open: false };
    let request = match read::request(question, recurse, false) {
        Ok(request) => request,
        Err(why) => return failed(Silence::Fault(why)),
    };
    match upstream.ask(&request, turn).await {
        Ok(reply) => read::read(question, &reply),
        Err(Failure::Timeout) => failed(Silence::Timeout),
        Err(Failure::Fault(text)) => failed(Silence::Fault(text)),
    }
}
