//! Answers proven by DNSSEC (RFC 4033 §5), checked here and not by the resolver: its AD bit says nothing to whom does
//! not trust the way to it, and its SERVFAIL does not tell a bad signature from a dead server.

use super::{
    Dns, chain,
    exchange::{Failure, Reply as Raw},
    read,
    window::Turn,
};
use crate::mail::dns::{Doubt, Outcome, Proof, Question, Silence};
use futures_util::{
    future::BoxFuture,
    stream::{self, BoxStream},
};
use hickory_net::{
    DnsError, NetError,
    dnssec::DnssecDnsHandle,
    proto::{
        dnssec::Proof as Proven,
        op::{DnsRequest, DnsRequestOptions, DnsResponse, Query, ResponseCode},
        rr::{Name as WireName, RecordType},
    },
    runtime::TokioRuntimeProvider,
    xfer::{DnsHandle, FirstAnswer},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// An answer whose signatures were checked.
type Proved = Result<DnsResponse, NetError>;

impl Dns {
    /// One question with its proof; aliases that lead out of the answer are not followed.
    pub(super) async fn prove(&self, question: &Question) -> (read::Read, u32) {
        let silent = |why| read::Read { answer: super::silent(why), open: false };
        let request = match read::request(question, true, true) {
            Ok(request) => request,
            Err(why) => return (silent(Silence::Fault(why)), 1),
        };
        let Some(query) = request.queries.first().cloned() else {
            return (silent(Silence::Fault("a question without a name".to_owned())), 1);
        };
        self.expect(query.name());
        if !self.0.asking.digests.is_empty() {
            // The keys that are trusted have to be asked for, and must not hold up the question.
            let _ = tokio::join!(self.anchors(), self.proof(query.clone()));
        }
        let trail = Trail::new(self);
        let proven = trail.walk(query.clone()).await;
        let steps = || 1 + trail.log.steps.load(Ordering::Relaxed).saturating_sub(1);
        let raw = match self.proof(query.clone()).await.0 {
            Ok(raw) => raw,
            Err(Failure::Timeout) => return (silent(Silence::Timeout), steps()),
            Err(Failure::Fault(text)) => return (silent(Silence::Fault(text)), steps()),
        };
        let mut read = read::read(question, &raw);
        if matches!(read.answer.outcome, Outcome::Silent(_)) {
            return (read, steps());
        }
        let proof = self.judge(&trail, &query, &proven).await;
        let gaps = trail.log.gaps.load(Ordering::Relaxed);
        let doubt = match proof {
            Proof::Secure => None,
            // Others may well be able to check it; so it is not "unsigned".
            Proof::Insecure => trail.log.unknown.load(Ordering::Relaxed).then_some(Doubt::Algorithm),
            // Only what was looked at in whole can be wrong.
            Proof::Bogus if gaps => Some(Doubt::Gap),
            Proof::Bogus => self.unaware().await,
            Proof::Unchecked if gaps => Some(Doubt::Gap),
            Proof::Unchecked => Some(self.unaware().await.unwrap_or(Doubt::Gap)),
        };
        read.answer.proof = if doubt.is_some() { Proof::Unchecked } else { proof };
        read.answer.doubt = doubt;
        (read, steps())
    }

    /// hickory-net judges an answer in one piece, by the name that was asked for. So the aliases and wildcards in
    /// it are judged here, and what is said at their end is asked for once more, by its own name.
    async fn judge(&self, trail: &Trail, query: &Query, proven: &Proved) -> Proof {
        let message = match proven {
            Ok(response) => response,
            Err(NetError::Dns(DnsError::Nsec { response, .. })) => response,
            Err(_) => return denial(proven, query.name()),
        };
        let chain::Followed { proof, rest } = chain::follow(message, query.name(), query.query_type());
        match (proof, rest) {
            (None, _) => denial(proven, query.name()),
            (Some(proof), Some(last)) if chain::denies(message) => {
                self.expect(&last);
                let proven = trail.walk(Query::query(last.clone(), query.query_type())).await;
                worst(proof, denial(&proven, &last))
            }
            (Some(proof), _) => proof,
        }
    }

    /// Whether the resolver hands on signatures and proofs that there is nothing (RFC 4035 §3.1.3), and they fit the
    /// keys that are trusted. Many in front of a home do not, and then every name looks bogus. `None`: it does.
    async fn unaware(&self) -> Option<Doubt> {
        let look = async {
            let begin = Query::query(WireName::root(), RecordType::SOA);
            let root = Trail::new(self).walk(begin.clone()).await;
            let absent = format!("mailctl-{:08x}.", rand::random::<u32>());
            let Ok(absent) = WireName::from_ascii(absent) else { return Some(Doubt::Stripped) };
            let absent = Trail::new(self).walk(Query::query(absent, RecordType::A)).await;
            let secure = |answer: &Proved| {
                answer.as_ref().is_ok_and(|answer| {
                    let mut records = answer.answers.iter().chain(&answer.authorities);
                    records.any(|record| record.proof == Proven::Secure)
                })
            };
            if secure(&root) && secure(&absent) {
                return None;
            }
            let signed = match self.proof(begin).await.0 {
                Ok(raw) => raw.message.answers.iter().any(|one| one.record_type() == RecordType::RRSIG),
                Err(_) => return Some(Doubt::Gap),
            };
            Some(if signed && !secure(&root) { Doubt::Anchor } else { Doubt::Stripped })
        };
        // Boxed: looking asks, and asking may look.
        let look: BoxFuture<'_, Option<Doubt>> = Box::pin(look);
        *self.0.unaware.get_or_init(|| look).await
    }

    /// Asks for what the chain of trust to `name` will need, all at once: walked one by one it is a long way.
    fn expect(&self, name: &WireName) {
        let mut zone = name.clone();
        loop {
            let service = zone.iter().next().is_some_and(|label| label.starts_with(b"_"));
            let kinds: &[RecordType] = match (zone.is_root(), service) {
                (true, _) => &[RecordType::DNSKEY],
                (false, true) => &[RecordType::NS],
                (false, false) => &[RecordType::NS, RecordType::DS, RecordType::DNSKEY],
            };
            for kind in kinds {
                let (dns, query) = (self.clone(), Query::query(zone.clone(), *kind));
                tokio::spawn(async move { dns.proof(query).await.1 });
            }
            if zone.is_root() {
                return;
            }
            zone = zone.base_name();
        }
    }

    /// One message of a chain of trust; true: nobody had asked for it.
    pub(super) async fn proof(&self, query: Query) -> (Result<Raw, Failure>, bool) {
        let find = || {
            let (dns, query) = (self.clone(), query.clone());
            async move {
                let mut options = DnsRequestOptions::default();
                options.edns_set_dnssec_ok = true;
                let mut request = DnsRequest::from_query(query, options);
                // Checked here (RFC 4035 §3.2.2): so a bad signature is seen, and not a SERVFAIL.
                request.metadata.checking_disabled = true;
                dns.0.resolver.ask(&request, Turn::Queue).await
            }
        };
        let (found, started) = self.0.proofs.get((query.name().clone(), query.query_type()), find).await;
        (found.unwrap_or_else(|| Err(Failure::Fault("asking failed".to_owned()))), started)
    }
}

/// One walk along a chain of trust.
#[derive(Clone)]
struct Trail {
    dns: Dns,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    /// Questions that nobody had asked before.
    steps: AtomicU32,
    /// Something could not be fetched.
    gaps: AtomicBool,
    /// A zone is signed, in no way that can be checked here.
    unknown: AtomicBool,
}

impl Trail {
    fn new(dns: &Dns) -> Self {
        Self { dns: dns.clone(), log: Arc::default() }
    }

    async fn walk(&self, query: Query) -> Proved {
        let anchors = self.dns.anchors().await;
        let mut options = DnsRequestOptions::default();
        options.edns_set_dnssec_ok = true;
        DnssecDnsHandle::with_trust_anchor(self.clone(), anchors).lookup(query, options).first_answer().await
    }
}

impl DnsHandle for Trail {
    type Response = BoxStream<'static, Result<DnsResponse, NetError>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let trail = self.clone();
        Box::pin(stream::once(async move {
            let Some(query) = request.queries.first().cloned() else {
                return Err(NetError::from("no question"));
            };
            let (found, started) = trail.dns.proof(query).await;
            trail.log.steps.fetch_add(u32::from(started), Ordering::Relaxed);
            let gap = |error: NetError| {
                trail.log.gaps.store(true, Ordering::Relaxed);
                Err(error)
            };
            match found {
                Err(Failure::Timeout) => gap(NetError::Timeout),
                Err(Failure::Fault(text)) => gap(NetError::from(text)),
                Ok(mut raw) => match raw.message.metadata.response_code {
                    ResponseCode::NoError | ResponseCode::NXDomain => {
                        if chain::unknown(&raw.message) {
                            trail.log.unknown.store(true, Ordering::Relaxed);
                        }
                        chain::once(&mut raw.message);
                        DnsResponse::from_message(raw.message).map_err(NetError::from)
                    }
                    code => gap(DnsError::ResponseCode(code).into()),
                },
            }
        }))
    }
}

/// Whether it is proven that there is nothing.
fn denial(proven: &Proved, name: &WireName) -> Proof {
    match proven {
        // A denial that holds: of a signed zone by its NSEC records, of another because it is provably unsigned.
        Ok(response) => chain::denial(response, name),
        Err(NetError::Dns(DnsError::Nsec { proof, .. })) => chain::of(*proof),
        Err(NetError::Dns(DnsError::DnssecBogus)) => Proof::Bogus,
        Err(_) => Proof::Unchecked,
    }
}

/// Of two proofs the one that holds for both together.
pub(super) fn worst(one: Proof, other: Proof) -> Proof {
    let rank = |proof| match proof {
        Proof::Secure => 0,
        Proof::Insecure => 1,
        Proof::Unchecked => 2,
        Proof::Bogus => 3,
    };
    if rank(one) >= rank(other) { one } else { other }
}
