//! mail-auth over the same zone, everything in its caches beforehand, so that it never asks a network.

use super::{
    dns::{Data, Kind, Name, Outcome, Question},
    zone::Zone,
};
use mail_auth::{
    DnsError, DnssecStatus, Error, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache, SpfResult,
    Txt,
    common::parse::TxtRecordParser,
    spf::{Spf, verify::SpfParameters},
};
use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
    time::Instant,
};

/// What was put in beforehand; for everything else the same answer.
struct Cache<K, V> {
    known: HashMap<K, V>,
    unknown: V,
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Cache<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(self.known.get(name).unwrap_or(&self.unknown).clone())
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

/// Its resolver is never asked, and takes long to make.
static AUTHENTICATOR: LazyLock<MessageAuthenticator> =
    LazyLock::new(|| MessageAuthenticator::new_cloudflare().unwrap());

/// The other evaluator, with what it knows.
pub struct Peer {
    txt: Cache<Box<str>, Txt>,
    mx: Cache<Box<str>, RecordSet<MX>>,
    four: Cache<Box<str>, RecordSet<Ipv4Addr>>,
    six: Cache<Box<str>, RecordSet<Ipv6Addr>>,
    ptr: Cache<IpAddr, RecordSet<Box<str>>>,
}

impl Peer {
    /// Knows what the zone has of these names. Within a runtime of tokio.
    pub fn new(zone: &Zone, names: &[&str]) -> Self {
        let mut peer = Self {
            txt: Cache {
                known: HashMap::new(),
                unknown: Txt::Error(Error::Dns(DnsError::InvalidRecordType)),
            },
            mx: Cache { known: HashMap::new(), unknown: set(Vec::new()) },
            four: Cache { known: HashMap::new(), unknown: set(Vec::new()) },
            six: Cache { known: HashMap::new(), unknown: set(Vec::new()) },
            ptr: Cache { known: HashMap::new(), unknown: set(Vec::new()) },
        };
        for name in names {
            peer.learn(zone, name);
        }
        peer
    }

    fn learn(&mut self, zone: &Zone, name: &str) {
        let key = || format!("{name}.").into_boxed_str();
        let found = |kind| match zone.answer(&Question::new(Name::parse(name).unwrap(), kind)).outcome {
            Outcome::Found(records) => records,
            _ => Vec::new(),
        };
        let spf = |data: &Data| Spf::parse(data.text().unwrap().as_bytes()).ok();
        if let Some(record) = found(Kind::Txt).iter().find_map(spf) {
            self.txt.known.insert(key(), Txt::Spf(Arc::new(record)));
        }
        let servers = found(Kind::Mx).into_iter().filter_map(|data| match data {
            Data::Mx { preference, exchange } => {
                Some(MX { preference, exchanges: vec![format!("{exchange}.").into()].into() })
            }
            _ => None,
        });
        self.mx.known.insert(key(), set(servers.collect()));
        let four = found(Kind::A).into_iter().filter_map(|data| match data {
            Data::A(address) => Some(address),
            _ => None,
        });
        self.four.known.insert(key(), set(four.collect()));
        let six = found(Kind::Aaaa).into_iter().filter_map(|data| match data {
            Data::Aaaa(address) => Some(address),
            _ => None,
        });
        self.six.known.insert(key(), set(six.collect()));
    }

    /// Its verdict, in RFC 7208's words.
    pub async fn verdict(&self, client: IpAddr, sender: &str, helo: &str) -> &'static str {
        let request = SpfParameters::verify_mail_from(client, helo, "mx.example.net", sender);
        let parameters = Parameters::new(request)
            .with_txt_cache(&self.txt)
            .with_mx_cache(&self.mx)
            .with_ptr_cache(&self.ptr)
            .with_ipv4_cache(&self.four)
            .with_ipv6_cache(&self.six);
        match AUTHENTICATOR.verify_spf(parameters).await.result() {
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::SoftFail => "softfail",
            SpfResult::Neutral => "neutral",
            SpfResult::TempError => "temperror",
            SpfResult::PermError => "permerror",
            SpfResult::None => "none",
        }
    }
}

fn set<T>(records: Vec<T>) -> RecordSet<T> {
    RecordSet { rrset: records.into(), dnssec_status: DnssecStatus::Indeterminate }
}
