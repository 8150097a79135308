//! Between our words and those of the wire: names, kinds, records.

use crate::mail::dns::{Data, Kind, Name};
use hickory_net::proto::rr::{
    Name as WireName, RData, Record, RecordType,
    rdata::{self, CAA},
};

/// With the final dot, so nothing is ever added to it. `\DDD` in a name is the octet it stands for
/// (RFC 1035 §5.1).
pub fn to_wire(name: &Name) -> Result<WireName, String> {
    let labels = name.labels().map(octets);
    let mut wire = WireName::from_labels(labels.map(|label| Label(label).0)).map_err(|e| e.to_string())?;
    wire.set_fqdn(true);
    Ok(wire)
}

struct Label(Vec<u8>);

fn octets(label: &str) -> Vec<u8> {
    let bytes = label.as_bytes();
    let mut octets = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'\\').then(|| bytes.get(at + 1..at + 4)).flatten();
        let number = escaped.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u8>().ok());
        octets.push(number.unwrap_or(bytes[at]));
        at += if number.is_some() { 4 } else { 1 };
    }
    octets
}

/// Octets that are not printable, and dots inside a label, become `\DDD`; so a name that somebody published with
/// a blank in it can be shown. `None`: longer than a name may be when it is written so.
pub fn from_wire(name: &WireName) -> Option<Name> {
    if name.is_root() {
        return Some(Name::root());
    }
    let mut text = String::new();
    for label in name.iter() {
        for &octet in label {
            if octet.is_ascii_graphic() && octet != b'.' {
                text.push(char::from(octet));
            } else {
                text.push_str(&format!("\\{octet:03}"));
            }
        }
        text.push('.');
    }
    Name::parse(&text).ok()
}

/// The number of the kind (RFC 1035 §3.2.2).
pub fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Caa => RecordType::CAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Mx => RecordType::MX,
        Kind::Ns => RecordType::NS,
        Kind::Ptr => RecordType::PTR,
        Kind::Soa => RecordType::SOA,
        Kind::Srv => RecordType::SRV,
        Kind::Tlsa => RecordType::TLSA,
        Kind::Txt => RecordType::TXT,
    }
}

/// `None`: of a kind that nobody asks for, or with a name that cannot be written.
pub fn data(record: &Record) -> Option<Data> {
    Some(match &record.data {
        RData::A(address) => Data::A(address.0),
        RData::AAAA(address) => Data::Aaaa(address.0),
        RData::CAA(caa) => Data::Caa {
            critical: caa.issuer_critical,
            tag: caa.tag.to_ascii_lowercase(),
            value: String::from_utf8_lossy(&caa.value).into_owned(),
        },
        RData::CNAME(name) => Data::Cname(from_wire(&name.0)?),
        RData::MX(mx) => Data::Mx { preference: mx.preference, exchange: from_wire(&mx.exchange)? },
        RData::NS(name) => Data::Ns(from_wire(&name.0)?),
        RData::PTR(name) => Data::Ptr(from_wire(&name.0)?),
        RData::SOA(soa) => Data::Soa { primary: from_wire(&soa.mname)?, serial: soa.serial },
        RData::SRV(srv) => Data::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: from_wire(&srv.target)?,
        },
        RData::TLSA(tlsa) => Data::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        },
        RData::TXT(txt) => Data::Txt(txt.txt_data.iter().map(|string| string.to_vec()).collect()),
        _ => return None,
    })
}

/// The other way, for what is published; the error is one clear line.
pub fn rdata(data: &Data) -> Result<RData, String> {
    Ok(match data {
        Data::A(address) => RData::A((*address).into()),
        Data::Aaaa(address) => RData::AAAA((*address).into()),
        Data::Caa { critical, tag, value } => {
            let mut caa = CAA::new_issue(*critical, None, Vec::new());
            (caa.tag, caa.value) = (tag.clone(), value.clone().into_bytes());
            RData::CAA(caa)
        }
        Data::Cname(name) => RData::CNAME(rdata::CNAME(to_wire(name)?)),
        Data::Mx { preference, exchange } => RData::MX(rdata::MX::new(*preference, to_wire(exchange)?)),
        Data::Ns(name) => RData::NS(rdata::NS(to_wire(name)?)),
        Data::Ptr(name) => RData::PTR(rdata::PTR(to_wire(name)?)),
        Data::Soa { .. } => return Err("a zone's SOA is its server's own".to_owned()),
        Data::Srv { priority, weight, port, target } => {
            RData::SRV(rdata::SRV::new(*priority, *weight, *port, to_wire(target)?))
        }
        Data::Tlsa { usage, selector, matching, data } => RData::TLSA(rdata::TLSA::new(
            (*usage).into(),
            (*selector).into(),
            (*matching).into(),
            data.clone(),
        )),
        Data::Txt(strings) if strings.iter().any(|string| string.len() > 255) => {
            return Err("a TXT record has a string longer than 255 octets".to_owned());
        }
        Data::Txt(strings) => RData::TXT(rdata::TXT::from_bytes(strings.iter().map(Vec::as_slice).collect())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: names with any octets go out and come back (RFC 2181 §11).
    #[test]
    fn names_go_there_and_back() {
        for text in
            ["_25._tcp.mail.example.org", "a\\032b.example.org", "x+y!.example.org", "a\\046b.org", "."]
        {
            let name = Name::parse(text).unwrap();
            let wire = to_wire(&name).unwrap();
            assert!(wire.is_fqdn());
            assert_eq!(from_wire(&wire).unwrap(), name, "{wire}");
        }
        let blank = to_wire(&Name::parse("a\\032b.org").unwrap()).unwrap();
        assert_eq!(blank.iter().next().unwrap(), b"a b");
    }
}
