//! What an answer proves whose signatures were checked record by record: alias by alias, and where a wildcard stood
//! in, that there is no closer name (RFC 4035 §5.3.4, RFC 5155 §8.8). Pure: an answer in, a proof out.

use super::validate::worst;
use crate::mail::dns::Proof;
use hickory_net::proto::{
    dnssec::{
        Proof as Proven,
        rdata::{DNSSECRData, DS, NSEC, NSEC3},
    },
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType},
    serialize::binary::{BinDecodable, BinDecoder},
};

/// How far an answer leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Followed {
    /// The worst of all on the way; `None`: there is nothing for the first name.
    pub proof: Option<Proof>,
    /// The name that has no records here, if the way ends at one.
    pub rest: Option<Name>,
}

/// Follows `message` from `name` along its aliases to the records of `kind`.
pub fn follow(message: &Message, name: &Name, kind: RecordType) -> Followed {
    let mut at = name.clone();
    let mut proof: Option<Proof> = None;
    // An alias more than there are records leads in a circle.
    for _ in 0..=message.answers.len() {
        let set = |kind| {
            let records = message.answers.iter().filter(|record| record.name == at);
            let records: Vec<&Record> = records.filter(|record| record.record_type() == kind).collect();
            (!records.is_empty()).then_some(records)
        };
        let (found, records) = match (set(kind), set(RecordType::CNAME)) {
            (Some(records), _) => (kind, records),
            (None, Some(records)) => (RecordType::CNAME, records),
            (None, None) => return Followed { proof, rest: Some(at) },
        };
        let here = of_set(message, &at, found, &records);
        proof = Some(proof.map_or(here, |before| worst(before, here)));
        match &records[0].data {
            RData::CNAME(target) if found != kind => at = target.0.clone(),
            _ => break,
        }
    }
    Followed { proof, rest: None }
}

/// Whether the answer says that there is nothing, and does not merely end (RFC 2308 §2).
pub fn denies(message: &Message) -> bool {
    message.metadata.response_code == ResponseCode::NXDomain
        || message.authorities.iter().any(|record| record.record_type() == RecordType::SOA)
}

/// A denial by proven records. Where unsigned zones may be left out of the chain, an unsigned one may stand at the
/// name (RFC 5155 §9.2); a proven record of the name itself leaves no such doubt.
pub fn denial(message: &Message, name: &Name) -> Proof {
    let mut hashed = nsec3s(message).filter(|(_, nsec3)| nsec3.opt_out()).peekable();
    let opted_out = hashed.peek().is_some();
    if opted_out && !hashed.any(|(owner, nsec3)| hash(nsec3, name).is_some_and(|hash| hash == owner)) {
        return Proof::Insecure;
    }
    let secure = message.authorities.iter().any(|record| record.proof == Proven::Secure);
    if secure { Proof::Secure } else { Proof::Insecure }
}

/// Whether the zone above vouches for keys only of kinds that are not known here (RFC 4035 §5.2), like Ed448.
pub fn unknown(message: &Message) -> bool {
    let mut vouchers = message.answers.iter().filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::DS(voucher)) => Some(voucher),
        _ => None,
    });
    let known = |voucher: &DS| voucher.algorithm().is_supported() && voucher.digest_type().is_supported();
    vouchers.next().is_some_and(|first| !known(first) && !vouchers.any(known))
}

/// Leaves every record in once (RFC 4034 §6.3), for a signature covers it once. An NSEC3 record that proves two things
/// can stand there twice: as the resolver remembers it, with what is left of its time, and as it came just now.
pub fn once(message: &mut Message) {
    for section in [&mut message.answers, &mut message.authorities] {
        let mut kept: Vec<Record> = Vec::with_capacity(section.len());
        for record in section.drain(..) {
            let same = |other: &&mut Record| other.name == record.name && other.data == record.data;
            match kept.iter_mut().find(same) {
                Some(other) => other.ttl = other.ttl.min(record.ttl),
                None => kept.push(record),
            }
        }
        *section = kept;
    }
}

/// In our words.
pub fn of(proof: Proven) -> Proof {
    match proof {
        Proven::Secure => Proof::Secure,
        Proven::Insecure => Proof::Insecure,
        Proven::Bogus => Proof::Bogus,
        Proven::Indeterminate => Proof::Unchecked,
    }
}

fn of_set(message: &Message, name: &Name, kind: RecordType, records: &[&Record]) -> Proof {
    let proof = records.iter().map(|record| of(record.proof)).reduce(worst).unwrap_or(Proof::Unchecked);
    let signature = |record: &&Record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => {
            record.name == *name && signature.input().type_covered == kind
        }
        _ => false,
    };
    let mut signatures = message.answers.iter().filter(signature).peekable();
    if signatures.peek().is_none() && kind == RecordType::CNAME {
        return synthesized(message, name, records[0]).unwrap_or(proof);
    }
    if proof != Proof::Secure {
        return proof;
    }
    // Only the one that was used is marked.
    let used = signatures.find(|record| record.proof == Proven::Secure);
    match used.map(|record| &record.data) {
        Some(RData::DNSSEC(DNSSECRData::RRSIG(signature))) => {
            let labels = signature.input().num_labels;
            if labels < name.num_labels() { no_closer(message, name, labels) } else { proof }
        }
        _ => proof,
    }
}

/// An alias that a server made from a `DNAME` has no signature, the `DNAME` has (RFC 6672 §5.3.1).
fn synthesized(message: &Message, name: &Name, alias: &Record) -> Option<Proof> {
    let RData::CNAME(target) = &alias.data else { return None };
    message.answers.iter().find_map(|record| {
        let RData::Unknown { code: RecordType::DNAME, rdata } = &record.data else { return None };
        let onto = Name::read(&mut BinDecoder::new(&rdata.anything)).ok()?;
        let (tree, labels) = (&record.name, usize::from(name.num_labels()));
        let below = labels.checked_sub(usize::from(tree.num_labels())).filter(|below| *below > 0)?;
        let begin = Name::from_labels(name.iter().take(below)).ok()?;
        let made = begin.append_domain(&onto).ok()?;
        (tree.zone_of(name) && made == target.0).then(|| of(record.proof))
    })
}

/// A wildcard with `labels` labels (without the asterisk) stood in for `name`: is there proof that no closer name
/// exists?
fn no_closer(message: &Message, name: &Name, labels: u8) -> Proof {
    let covered = |(owner, nsec): (&Name, &NSEC)| {
        // What stands at the upper side of a zone's beginning says nothing about names below (RFC 6840 §4.1).
        let foreign = nsec.is_ancestor_delegation() && owner.zone_of(name);
        let next = nsec.next_domain_name();
        let between = owner < name && (name < next || next <= owner && next.zone_of(name));
        // Both ends exist, so every name above them does: none may be closer than the wildcard's.
        let closest = common(name, owner).max(common(name, next));
        !foreign && between && closest <= usize::from(labels)
    };
    if nsecs(message).any(covered) {
        return Proof::Secure;
    }
    let closer = name.trim_to(usize::from(labels) + 1);
    let covers = |(owner, nsec3): &(Vec<u8>, &NSEC3)| {
        let next = nsec3.next_hashed_owner_name();
        hash(nsec3, &closer).is_some_and(|hash| {
            let (after, before) = (owner[..] < hash[..], &hash[..] < next);
            if &owner[..] < next { after && before } else { after || before }
        })
    };
    match nsec3s(message).find(covers) {
        Some((_, nsec3)) if nsec3.opt_out() => Proof::Insecure,
        Some(_) => Proof::Secure,
        None => Proof::Bogus,
    }
}

/// How many labels two names share, from the root.
fn common(one: &Name, other: &Name) -> usize {
    let pairs = one.iter().rev().zip(other.iter().rev());
    pairs.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
}

fn nsecs(message: &Message) -> impl Iterator<Item = (&Name, &NSEC)> {
    let proven = message.authorities.iter().filter(|record| record.proof == Proven::Secure);
    proven.filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => Some((&record.name, nsec)),
        _ => None,
    })
}

/// With the hash that its name is.
fn nsec3s(message: &Message) -> impl Iterator<Item = (Vec<u8>, &NSEC3)> {
    let proven = message.authorities.iter().filter(|record| record.proof == Proven::Secure);
    proven.filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => Some((base32(record.name.iter().next()?)?, nsec3)),
        _ => None,
    })
}

fn hash(nsec3: &NSEC3, name: &Name) -> Option<Vec<u8>> {
    let hashed = nsec3.hash_algorithm().hash(nsec3.salt(), name, nsec3.iterations());
    Some(hashed.ok()?.as_ref().to_vec())
}

/// base32hex without padding (RFC 5155 §1.3).
fn base32(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text {
        let value = char::from(*letter).to_digit(32)?;
        bits = bits << 5 | value;
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_net::proto::{
        dnssec::{
            Algorithm, Nsec3HashAlgorithm,
            rdata::{RRSIG, sig::SigInput},
        },
        rr::rdata::{CNAME, NULL},
    };

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn secure(owner: &str, data: RData) -> Record {
        let mut record = Record::from_rdata(name(owner), 300, data);
        record.proof = Proven::Secure;
        record
    }

    fn signature(owner: &str, covers: RecordType, labels: u8) -> Record {
        let input = SigInput {
            type_covered: covers,
            algorithm: Algorithm::ECDSAP256SHA256,
            num_labels: labels,
            original_ttl: 300,
            sig_expiration: 0.into(),
            sig_inception: 0.into(),
            key_tag: 1,
            signer_name: name("z.org."),
        };
        secure(owner, RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, Vec::new()))))
    }

    fn nsec(owner: &str, next: &str, types: &[RecordType]) -> Record {
        let nsec = NSEC::new(name(next), types.iter().copied());
        secure(owner, RData::DNSSEC(DNSSECRData::NSEC(nsec)))
    }

    /// All but one hash, which is `name`'s own or a neighbour's.
    fn nsec3(covering: &str, opt_out: bool, covers: bool) -> Record {
        let hashed = Nsec3HashAlgorithm::SHA1.hash(&[], &name(covering), 0).unwrap().as_ref().to_vec();
        let letters: Vec<char> = "0123456789abcdefghijklmnopqrstuv".chars().collect();
        let bits: String = hashed.iter().map(|octet| format!("{octet:08b}")).collect();
        let mut owner: String = bits
            .as_bytes()
            .chunks(5)
            .map(|five| std::str::from_utf8(five).unwrap())
            .map(|five| letters[usize::from_str_radix(five, 2).unwrap()])
            .collect();
        assert_eq!(base32(owner.as_bytes()).unwrap(), hashed);
        let mut next = hashed;
        if covers {
            owner = "0".repeat(32);
            next = vec![0xff; 20];
        }
        let nsec3 = NSEC3::new(Nsec3HashAlgorithm::SHA1, opt_out, 0, Vec::new(), next, [RecordType::A]);
        secure(&format!("{owner}.z.org."), RData::DNSSEC(DNSSECRData::NSEC3(nsec3)))
    }

    /// `x.wild.z.org A`, made from `*.wild.z.org`, with these records beside it.
    fn expanded(authorities: Vec<Record>) -> Option<Proof> {
        let mut message = Message::query();
        let at = "x.wild.z.org.";
        message.insert_answers(vec![
            secure(at, RData::A(std::net::Ipv4Addr::new(192, 0, 2, 1).into())),
            signature(at, RecordType::A, 3),
        ]);
        message.insert_authorities(authorities);
        follow(&message, &name(at), RecordType::A).proof
    }

    /// Proves: RFC 4035 §5.3.4, RFC 5155 §8.8, RFC 6840 §4.1: a wildcard's answer is believed only with proof that no
    /// closer name exists.
    #[test]
    fn a_wildcard_needs_a_proof() {
        use RecordType::{A, NS};
        for (authorities, proof) in [
            (vec![], Proof::Bogus),
            (vec![nsec("*.wild.z.org.", "z.org.", &[A])], Proof::Secure),
            (vec![nsec("*.wild.z.org.", "y.wild.z.org.", &[A])], Proof::Secure),
            // Another part of the zone, another zone, and a name below the one in question, which so exists.
            (vec![nsec("a.z.org.", "b.z.org.", &[A])], Proof::Bogus),
            (vec![nsec("*.wild.y.org.", "y.org.", &[A])], Proof::Bogus),
            (vec![nsec("*.wild.z.org.", "a.x.wild.z.org.", &[A])], Proof::Bogus),
            // From above a zone that begins there.
            (vec![nsec("wild.z.org.", "z.org.", &[NS])], Proof::Bogus),
            (vec![nsec3("x.wild.z.org.", false, true)], Proof::Secure),
            (vec![nsec3("x.wild.z.org.", true, true)], Proof::Insecure),
            // The name itself exists.
            (vec![nsec3("x.wild.z.org.", false, false)], Proof::Bogus),
        ] {
            assert_eq!(expanded(authorities.clone()), Some(proof), "{authorities:?}");
        }
        let mut unproven = nsec("*.wild.z.org.", "z.org.", &[A]);
        unproven.proof = Proven::Bogus;
        assert_eq!(expanded(vec![unproven]), Some(Proof::Bogus));
    }

    /// Proves: RFC 6672 §5.3.1: an alias without a signature is believed only where the `DNAME` makes just that one.
    #[test]
    fn an_alias_from_a_dname_is_the_right_one() {
        for (target, proof) in [("x.other.org.", Proof::Secure), ("y.other.org.", Proof::Bogus)] {
            let mut message = Message::query();
            let onto = b"\x05other\x03org\0".to_vec();
            let onto = RData::Unknown { code: RecordType::DNAME, rdata: NULL::with(onto) };
            let mut alias = secure("x.tree.z.org.", RData::CNAME(CNAME(name(target))));
            alias.proof = Proven::Bogus;
            message.insert_answers(vec![secure("tree.z.org.", onto), alias]);
            let followed = follow(&message, &name("x.tree.z.org."), RecordType::A);
            assert_eq!(followed, Followed { proof: Some(proof), rest: Some(name(target)) });
        }
    }

    /// Proves: aliases in a circle come to an end.
    #[test]
    fn a_circle_ends() {
        let mut message = Message::query();
        message.insert_answers(vec![
            secure("a.org.", RData::CNAME(CNAME(name("b.org.")))),
            secure("b.org.", RData::CNAME(CNAME(name("a.org.")))),
        ]);
        assert_eq!(follow(&message, &name("a.org."), RecordType::A).rest, None);
    }
}
