//! What an answer says, in our words; and the question as a message.

use super::{convert, exchange::Reply};
use crate::mail::dns::{Answer, Data, Kind, Name, Outcome, Question, Silence};
use hickory_net::proto::{
    op::{DnsRequest, DnsRequestOptions, Message, Query, ResponseCode},
    rr::RData,
};

/// An answer, and whether its last alias was not looked at by who answered.
pub struct Read {
    /// What it says.
    pub answer: Answer,
    /// The last alias leads on to somewhere else.
    pub open: bool,
}

/// `recurse`: somebody else is to find the answer (RFC 1035 §4.1.1, the RD bit); `proofs`: with signatures
/// (RFC 4035 §3.2.1), which are checked here, so nobody else need do it (the CD bit).
pub fn request(question: &Question, recurse: bool, proofs: bool) -> Result<DnsRequest, String> {
    let query = Query::query(convert::to_wire(&question.name)?, convert::record_type(question.kind));
    let mut options = DnsRequestOptions::default();
    options.recursion_desired = recurse;
    options.edns_set_dnssec_ok = proofs;
    Ok(DnsRequest::from_query(query, options))
}

/// What `reply` says to `question`.
pub fn read(question: &Question, reply: &Reply) -> Read {
    let mut read = of_message(question, &reply.message);
    read.answer.size = reply.size;
    read
}

/// The same of a message whose size is not known.
pub fn of_message(question: &Question, message: &Message) -> Read {
    let mut answer = Answer::new(Outcome::Nothing { exists: true });
    answer.authoritative = message.metadata.authoritative;
    let exists = match message.metadata.response_code {
        ResponseCode::NoError => true,
        ResponseCode::NXDomain => false,
        code => {
            answer.outcome = Outcome::Silent(complaint(code));
            return Read { answer, open: false };
        }
    };
    let mut ttl = u32::MAX;
    answer.aliases = aliases(question, message, &mut ttl);
    let last = answer.aliases.last().unwrap_or(&question.name);
    let kind = convert::record_type(question.kind);
    let of_last = message.answers.iter().filter(|record| {
        record.record_type() == kind && convert::from_wire(&record.name).as_ref() == Some(last)
    });
    let mut records: Vec<Data> = Vec::new();
    for record in of_last {
        match convert::data(record) {
            // A record twice is one record (RFC 2181 §5).
            Some(data) if !records.contains(&data) => records.push(data),
            Some(_) => {}
            None => {
                let why = format!("a record {} {} cannot be read", question.name, question.kind);
                answer.outcome = Outcome::Silent(Silence::Fault(why));
                return Read { answer, open: false };
            }
        }
        ttl = ttl.min(record.ttl);
    }
    // Who delegates a zone names its servers beside the answer (RFC 1034 §4.2.1).
    if records.is_empty() && question.kind == Kind::Ns && !answer.authoritative {
        let of_zone = message.authorities.iter().filter(|record| {
            record.record_type() == kind && convert::from_wire(&record.name).as_ref() == Some(last)
        });
        records.extend(of_zone.filter_map(convert::data));
        ttl = ttl.min(message.authorities.iter().map(|record| record.ttl).min().unwrap_or_default());
    }
    let denial = message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    });
    let found = !records.is_empty();
    let open = !found && exists && denial.is_none() && !answer.aliases.is_empty();
    answer.ttl = if found { ttl } else { denial.map_or(0, |denial| denial.min(ttl)) };
    answer.outcome = if found { Outcome::Found(records) } else { Outcome::Nothing { exists } };
    Read { answer, open }
}

/// The names that lead on from the question, as far as the answer has them. A circle ends where it closes.
fn aliases(question: &Question, message: &Message, ttl: &mut u32) -> Vec<Name> {
    let mut aliases: Vec<Name> = Vec::new();
    if question.kind == Kind::Cname {
        return aliases;
    }
    loop {
        let at = aliases.last().unwrap_or(&question.name);
        let next = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if convert::from_wire(&record.name).as_ref() == Some(at) => {
                Some((convert::from_wire(&target.0)?, record.ttl))
            }
            _ => None,
        });
        let Some((next, lives)) = next else { return aliases };
        *ttl = lives.min(*ttl);
        let seen = next == question.name || aliases.contains(&next);
        aliases.push(next);
        if seen {
            return aliases;
        }
    }
}

fn complaint(code: ResponseCode) -> Silence {
    match code {
        ResponseCode::ServFail => Silence::ServFail,
        ResponseCode::Refused => Silence::Refused,
        code => Silence::Fault(format!("the server answered: {code}")),
    }
}
