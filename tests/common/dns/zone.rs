//! Zones from text, signed where told.

use super::absolute;
use hickory_server::{
    dnssec::NxProofKind,
    net::runtime::TokioRuntimeProvider,
    proto::{
        dnssec::{
            Algorithm, DigestType, DnssecSigner, SigningKey, TrustAnchors,
            crypto::EcdsaSigningKey,
            rdata::{DNSKEY, DNSSECRData, DS},
        },
        rr::{LowerName, Name, RData, Record, rdata::NS},
        serialize::txt::Parser,
    },
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, ZoneHandler, ZoneType},
};
use std::{sync::Arc, time::Duration};

/// A zone: its name and its records, as in a zone file.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: Name,
    text: String,
    signed: bool,
    broken: bool,
}

impl Zone {
    /// Records of `text`, names relative to `origin` (`@` is itself); TTL 300 where the text has none. SOA and NS
    /// are added where they are missing. A TXT string over 255 octets must be split, as in any zone file.
    pub fn new(origin: &str, text: &str) -> Self {
        Self { origin: absolute(origin), text: text.to_owned(), signed: false, broken: false }
    }

    /// The same, with the address of the server in the place of `{at}`.
    pub fn served_at(&self, at: std::net::IpAddr) -> Self {
        Self { text: self.text.replace("{at}", &at.to_string()), ..self.clone() }
    }

    /// Signed with a key of its own; the served zone above it, where signed too, vouches for it.
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// Signed, and the zone above it vouches for another key: bogus.
    pub fn broken(mut self) -> Self {
        (self.signed, self.broken) = (true, true);
        self
    }

    fn handler(&self) -> InMemoryZoneHandler<TokioRuntimeProvider> {
        let origin = &self.origin;
        let mut text = format!("$TTL 300\n{}\n", self.text);
        let has = |kind: &str| {
            let apex = self.text.lines().filter(|line| line.starts_with('@'));
            apex.map(|line| line.split_whitespace()).any(|mut words| words.any(|word| word == kind))
        };
        if !has("SOA") {
            text = format!("$TTL 300\n@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60\n{text}");
        }
        if !has("NS") {
            text.push_str("@ NS ns.invalid.\n");
        }
        let (_, records) = Parser::new(text.as_str(), None, Some(origin.clone()))
            .parse()
            .unwrap_or_else(|error| panic!("zone {origin}: {error}\n{text}"));
        for record in records.values().flat_map(|set| set.records_without_rrsigs()) {
            if let RData::TXT(txt) = &record.data {
                assert!(
                    txt.txt_data.iter().all(|part| part.len() < 256),
                    "{}: split the string",
                    record.name
                );
            }
        }
        let proof = self.signed.then_some(NxProofKind::Nsec);
        InMemoryZoneHandler::new(origin.clone(), records, ZoneType::Primary, AxfrPolicy::Deny, proof).unwrap()
    }
}

type Served = (LowerName, Arc<dyn ZoneHandler>);

/// The zones as they are served, and the keys to begin with.
pub fn build(zones: &[Zone]) -> (Vec<Served>, TrustAnchors) {
    let key = |_: &Zone| {
        let key = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).unwrap();
        EcdsaSigningKey::from_pkcs8(&key, Algorithm::ECDSAP256SHA256).unwrap()
    };
    let keys: Vec<EcdsaSigningKey> = zones.iter().map(key).collect();
    let public: Vec<DNSKEY> =
        keys.iter().map(|key| DNSKEY::from_key(&key.to_public_key().unwrap())).collect();
    let above = |child: &Zone| {
        let parents = zones
            .iter()
            .enumerate()
            .filter(|(_, zone)| zone.origin != child.origin && zone.origin.zone_of(&child.origin));
        parents.max_by_key(|(_, zone)| zone.origin.num_labels()).map(|(at, _)| at)
    };
    let mut handlers: Vec<_> = zones.iter().map(Zone::handler).collect();
    let mut anchors = TrustAnchors::empty();
    for (at, child) in zones.iter().enumerate() {
        let parent = above(child);
        if let Some(parent) = parent {
            let servers = RData::NS(NS(absolute("ns.invalid")));
            handlers[parent].upsert_mut(Record::from_rdata(child.origin.clone(), 300, servers), 1);
        }
        match parent.filter(|parent| zones[*parent].signed) {
            Some(parent) if child.signed => {
                let vouched = if child.broken { &public[parent] } else { &public[at] };
                let digest = vouched.to_digest(&child.origin, DigestType::SHA256).unwrap();
                let tag = public[at].calculate_key_tag().unwrap();
                let ds =
                    DS::new(tag, Algorithm::ECDSAP256SHA256, DigestType::SHA256, digest.as_ref().to_vec());
                let ds = RData::DNSSEC(DNSSECRData::DS(ds));
                handlers[parent].upsert_mut(Record::from_rdata(child.origin.clone(), 300, ds), 1);
            }
            None if child.signed => {
                anchors.insert_with_name(public[at].public_key(), child.origin.clone().into());
            }
            _ => {}
        }
    }
    let served = handlers.into_iter().zip(zones).zip(keys.into_iter().zip(public));
    let served = served.map(|((mut handler, zone), (key, public))| {
        if zone.signed {
            let week = Duration::from_secs(7 * 86400);
            let signer = DnssecSigner::new(public, Box::new(key), zone.origin.clone(), week);
            handler.add_zone_signing_key_mut(signer).unwrap();
            handler.secure_zone_mut().unwrap();
        }
        (zone.origin.clone().into(), Arc::new(handler) as Arc<dyn ZoneHandler>)
    });
    (served.collect(), anchors)
}
