//! Changes to a zone, sent to its primary server (RFC 2136) and signed (RFC 8945).
//!
//! Every change says what must be there before. Where somebody else changed it meanwhile, the server changes
//! nothing at all, and that is an error here: nothing is overwritten that was not seen.

use super::{
    Dns, convert,
    exchange::{Failure, raw_tcp},
};
use crate::{
    error::{Error, codes},
    mail::dns::{Data, Kind, Name},
    wire::tsig::{Algorithm, Key},
    world::settings::secret_file,
};
use hickory_net::proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, RData, Record, RecordType, TSigner,
        rdata::tsig::{TsigAlgorithm, TsigError},
    },
};
use std::{
    net::SocketAddr,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// By how many seconds the clocks of both sides may differ (RFC 8945 §10).
const FUDGE: u16 = 300;

/// One name and kind, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub name: Name,
    /// Which records.
    pub kind: Kind,
    /// All that must be there before; empty = none.
    pub before: Vec<Data>,
    /// All that is there afterwards; empty = none.
    pub after: Vec<Data>,
    /// Seconds for which others may keep what is new.
    pub ttl: u32,
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// RFC 2136 §3.2: the records are not those that were seen.
    #[error("the records were changed by somebody else meanwhile ({0})")]
    Changed(&'static str),
    /// RFC 8945 §5.2.1. Knot answers so too where it knows the key, and its rules do not let it do this.
    #[error("the server does not know the key {0}, or does not let it change this (BADKEY)")]
    BadKey(Name),
    /// RFC 8945 §5.2.2.
    #[error("the server knows the key {0} with another secret or algorithm (BADSIG)")]
    BadSignature(Name),
    /// RFC 8945 §5.2.3.
    #[error("the clocks differ too much (BADTIME): the server's is {0} seconds ahead of ours")]
    BadTime(i64),
    /// RFC 2136 §3.1. Knot from 3.4 on says no more than this also where it does not know the key.
    #[error("the server takes no changes to this zone, or none with this key (NOTAUTH)")]
    NotAuthoritative,
    /// The server's policy.
    #[error("the server does not allow this key these changes (REFUSED)")]
    Refused,
    /// RFC 2136 §3.4.1.
    #[error("a name is outside of the zone (NOTZONE)")]
    NotInZone,
    /// Anything else it answered.
    #[error("the server answered {0}")]
    Answered(String),
    /// RFC 8945 §5.4.1: the answer may come from anybody, so nobody knows what happened.
    #[error("the server's answer is not signed with the key ({0}), so it cannot be believed")]
    Unproven(String),
    /// No answer.
    #[error("the server cannot be reached: {0}")]
    Silent(String),
    /// It cannot be said in the words of DNS.
    #[error("the change cannot be sent: {0}")]
    Unsendable(String),
}

impl Refusal {
    /// For people.
    pub fn error(&self, server: SocketAddr, zone: &Name) -> Error {
        let (code, hint) = match self {
            Self::Changed(_) => (codes::DNS_CHANGED, "mailctl dns-check".to_owned()),
            Self::Silent(_) => (codes::DNS_SILENT, format!("dig @{} {zone} SOA", server.ip())),
            Self::BadKey(_) | Self::BadSignature(_) => (
                codes::DNS_REFUSED,
                "compare dns.update_key_file with the key in the server's configuration".to_owned(),
            ),
            Self::BadTime(_) => (codes::DNS_REFUSED, "timedatectl status".to_owned()),
            Self::NotAuthoritative => (
                codes::DNS_REFUSED,
                format!("dns.update_server must be the primary server (dig {zone} SOA), and know the key"),
            ),
            Self::Refused | Self::NotInZone | Self::Answered(_) | Self::Unproven(_) | Self::Unsendable(_) => {
                (codes::DNS_REFUSED, "the server's own log tells more".to_owned())
            }
        };
        Error::new(code, format!("{zone} was not changed at {server}")).cause(self).hint(hint)
    }
}

/// The key in `path`, which nobody else may read.
pub fn key(path: &str) -> Result<Key, Error> {
    let bad =
        |why: String| Error::new(codes::DNS_KEY, format!("the key in {path} cannot be used")).cause(why);
    let text = secret_file(Path::new(path)).map_err(|why| {
        bad(why).hint(format!(
            "tsig-keygen mailctl >{path}; chmod 0600 {path}; and name it in the server's configuration"
        ))
    })?;
    Key::parse(&text).map_err(|fault| bad(fault.to_string()))
}

impl Dns {
    /// Sends all `changes` to `server` as one: all of them happen, or none. Over TCP.
    pub async fn update(
        &self,
        server: SocketAddr,
        zone: &Name,
        key: &Key,
        changes: &[Change],
    ) -> Result<(), Refusal> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let signer = signer(key)?;
        let mut message = message(zone, changes)?;
        message.finalize(&signer, now).map_err(unsendable)?;
        let bytes = message.to_vec().map_err(unsendable)?;
        let mac = message.signature.as_ref().map(|signature| signature.data.mac.clone()).unwrap_or_default();
        let deadline = Instant::now() + self.0.asking.patience;
        let answer = raw_tcp(server, &bytes, deadline).await.map_err(|failure| match failure {
            Failure::Timeout => Refusal::Silent("no answer in time".to_owned()),
            Failure::Fault(why) => Refusal::Silent(why),
        })?;
        judge(key, &signer, (message.metadata.id, &mac, now), &answer)
    }
}

fn unsendable(error: impl ToString) -> Refusal {
    Refusal::Unsendable(error.to_string())
}

fn signer(key: &Key) -> Result<TSigner, Refusal> {
    let algorithm = match key.algorithm {
        Algorithm::Sha256 => TsigAlgorithm::HmacSha256,
        Algorithm::Sha384 => TsigAlgorithm::HmacSha384,
        Algorithm::Sha512 => TsigAlgorithm::HmacSha512,
    };
    let name = convert::to_wire(&key.name).map_err(unsendable)?;
    TSigner::new(key.reveal().to_vec(), algorithm, name, FUDGE).map_err(unsendable)
}

/// RFC 2136 §2: the zone stands where a question does, what must be there where answers do, and the changes where
/// authorities do.
fn message(zone: &Name, changes: &[Change]) -> Result<Message, Refusal> {
    let mut message = Message::new(rand::random(), MessageType::Query, OpCode::Update);
    message.add_query(Query::query(convert::to_wire(zone).map_err(unsendable)?, RecordType::SOA));
    for change in changes {
        let name = convert::to_wire(&change.name).map_err(unsendable)?;
        let record = |data: &Data, class, ttl| {
            let mut record = Record::from_rdata(name.clone(), ttl, convert::rdata(data).map_err(unsendable)?);
            record.dns_class = class;
            Ok::<_, Refusal>(record)
        };
        if change.before.is_empty() {
            // §2.4.3: no such records.
            let kind = convert::record_type(change.kind);
            let mut absent = Record::from_rdata(name.clone(), 0, RData::Update0(kind));
            absent.dns_class = DNSClass::NONE;
            message.add_answer(absent);
        }
        for data in &change.before {
            // §2.4.2: these records, and no others of their kind.
            message.add_answer(record(data, DNSClass::IN, 0)?);
            if !change.after.contains(data) {
                message.add_authority(record(data, DNSClass::NONE, 0)?);
            }
        }
        for data in change.after.iter().filter(|data| !change.before.contains(data)) {
            message.add_authority(record(data, DNSClass::IN, change.ttl)?);
        }
    }
    Ok(message)
}

fn judge(key: &Key, signer: &TSigner, asked: (u16, &[u8], u64), answer: &[u8]) -> Result<(), Refusal> {
    let (id, mac, now) = asked;
    let message = Message::from_vec(answer).map_err(|error| Refusal::Answered(error.to_string()))?;
    if message.metadata.id != id || message.metadata.message_type != MessageType::Response {
        return Err(Refusal::Unproven("it answers another question".to_owned()));
    }
    let tsig = message.signature.as_ref().map(|signature| &signature.data);
    match tsig.and_then(|tsig| tsig.error) {
        // These two are told without a signature (RFC 8945 §5.3.2): the worst a forger gains is that we give up.
        Some(TsigError::BadKey) => return Err(Refusal::BadKey(key.name.clone())),
        Some(TsigError::BadSig) => return Err(Refusal::BadSignature(key.name.clone())),
        Some(TsigError::BadTime) => {
            let theirs =
                tsig.map(|tsig| tsig.other.iter().fold(0_i64, |time, octet| time << 8 | i64::from(*octet)));
            let ours = i64::try_from(now).unwrap_or(i64::MAX);
            return Err(Refusal::BadTime(theirs.unwrap_or(ours) - ours));
        }
        _ => {}
    }
    let proof = match tsig {
        None => Err("it has no signature".to_owned()),
        Some(_) => match signer.verify_message_byte(answer, Some(mac), true) {
            Err(error) => Err(error.to_string()),
            Ok((_, _, times)) if !times.contains(&now) => Err("its time is wrong".to_owned()),
            Ok(_) => Ok(()),
        },
    };
    match (refusal(message.metadata.response_code), proof) {
        (None, Ok(())) => Ok(()),
        (None, Err(why)) => Err(Refusal::Unproven(why)),
        // Nothing was changed, says who may be anybody: whoever asks again loses nothing.
        (Some(refusal), _) => Err(refusal),
    }
}

fn refusal(code: ResponseCode) -> Option<Refusal> {
    Some(match code {
        ResponseCode::NoError => return None,
        ResponseCode::YXDomain => Refusal::Changed("YXDOMAIN"),
        ResponseCode::YXRRSet => Refusal::Changed("YXRRSET"),
        ResponseCode::NXRRSet => Refusal::Changed("NXRRSET"),
        ResponseCode::NXDomain => Refusal::Changed("NXDOMAIN"),
        ResponseCode::NotAuth => Refusal::NotAuthoritative,
        ResponseCode::Refused => Refusal::Refused,
        ResponseCode::NotZone => Refusal::NotInZone,
        code => Refusal::Answered(code.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_net::proto::rr::{TSigResponseContext, rdata::tsig::make_tsig_record};

    const NOW: u64 = 1_800_000_000;

    /// What comes of an answer of this code, with this signature.
    fn judged(code: ResponseCode, sign: impl FnOnce(&TSigner, &[u8], &mut Message)) -> Result<(), Refusal> {
        let key = Key::parse("hmac-sha512:k:c2VjcmV0").unwrap();
        let signer = signer(&key).unwrap();
        let mut answer = Message::response(7, OpCode::Update);
        answer.metadata.response_code = code;
        let mac = [1; 64];
        sign(&signer, &mac, &mut answer);
        judge(&key, &signer, (7, &mac, NOW), &answer.to_vec().unwrap())
    }

    fn signed(at: u64) -> impl FnOnce(&TSigner, &[u8], &mut Message) {
        move |signer, mac, answer| {
            let context = TSigResponseContext::new(7, at, signer.clone(), mac.to_vec(), None);
            answer.signature = Some(context.sign(&answer.to_vec().unwrap()).unwrap());
        }
    }

    /// Proves: RFC 8945 §5.4, only an answer signed now and for this request is a success.
    #[test]
    fn only_a_signed_answer_is_a_success() {
        assert_eq!(judged(ResponseCode::NoError, signed(NOW + 299)), Ok(()));
        let unproven = |result| matches!(result, Err(Refusal::Unproven(_)));
        assert!(unproven(judged(ResponseCode::NoError, signed(NOW + 301))), "too old to be for this request");
        assert!(unproven(judged(ResponseCode::NoError, |_, _, _| {})), "not signed");
        let other_request = |signer: &TSigner, _: &[u8], answer: &mut Message| {
            signed(NOW)(signer, &[2; 64], answer);
        };
        assert!(unproven(judged(ResponseCode::NoError, other_request)));
        let changed = |signer: &TSigner, mac: &[u8], answer: &mut Message| {
            signed(NOW)(signer, mac, answer);
            answer.metadata.authoritative = true;
        };
        assert!(unproven(judged(ResponseCode::NoError, changed)));
        assert_eq!(judged(ResponseCode::NXRRSet, signed(NOW)), Err(Refusal::Changed("NXRRSET")));
    }

    /// Proves: RFC 8945 §5.2.3, the difference of the clocks is told.
    #[test]
    fn clocks_that_differ() {
        let refusal = judged(ResponseCode::NotAuth, |signer, _, answer| {
            let mut tsig = hickory_net::proto::rr::rdata::TSIG::new(
                TsigAlgorithm::HmacSha512,
                NOW,
                FUDGE,
                Vec::new(),
                7,
                Some(TsigError::BadTime),
                (NOW - 3600).to_be_bytes()[2..].to_vec(),
            );
            tsig.mac = vec![0; 64];
            answer.signature = Some(Box::new(make_tsig_record(signer.signer_name().clone(), tsig)));
        });
        assert_eq!(refusal, Err(Refusal::BadTime(-3600)));
        assert!(refusal.unwrap_err().to_string().contains("-3600 seconds"));
    }
}
