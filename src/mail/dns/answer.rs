//! What DNS says to one question.

use super::{Kind, Name};
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Who may issue certificates.
    Caa {
        /// An issuer who does not know the tag must stop (RFC 8659 §4.1).
        critical: bool,
        /// `issue`, `issuewild`, `iodef` …, in lower case.
        tag: String,
        /// Its value.
        value: String,
    },
    /// Another name for.
    Cname(Name),
    /// A server that takes mail; the root as its name: nobody does (RFC 7505).
    Mx {
        /// Lower is asked first.
        preference: u16,
        /// The server.
        exchange: Name,
    },
    /// A name server.
    Ns(Name),
    /// The name of an address.
    Ptr(Name),
    /// Begin of a zone.
    Soa {
        /// Primary name server.
        primary: Name,
        /// Version of the zone.
        serial: u32,
    },
    /// Where a service is.
    Srv {
        /// Lower is asked first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// TCP port.
        port: u16,
        /// The host; the root: the service is not offered (RFC 2782).
        target: Name,
    },
    /// A key or certificate that a TLS server shows (RFC 6698 §2.1).
    Tlsa {
        /// Certificate usage, 0 to 3.
        usage: u8,
        /// 0 = certificate, 1 = public key.
        selector: u8,
        /// 0 = whole, 1 = SHA-256, 2 = SHA-512.
        matching: u8,
        /// What is compared.
        data: Vec<u8>,
    },
    /// Text, in the strings in which it is published (RFC 1035 §3.3.14).
    Txt(Vec<Vec<u8>>),
}

impl Data {
    /// The kind of its record.
    pub fn kind(&self) -> Kind {
        match self {
            Self::A(_) => Kind::A,
            Self::Aaaa(_) => Kind::Aaaa,
            Self::Caa { .. } => Kind::Caa,
            Self::Cname(_) => Kind::Cname,
            Self::Mx { .. } => Kind::Mx,
            Self::Ns(_) => Kind::Ns,
            Self::Ptr(_) => Kind::Ptr,
            Self::Soa { .. } => Kind::Soa,
            Self::Srv { .. } => Kind::Srv,
            Self::Tlsa { .. } => Kind::Tlsa,
            Self::Txt(_) => Kind::Txt,
        }
    }

    /// A TXT record's strings joined without a blank (RFC 7208 §3.3, RFC 6376 §3.6.2.2), octets outside UTF-8
    /// replaced; of any other record nothing.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Txt(strings) => Some(String::from_utf8_lossy(&strings.concat()).into_owned()),
            _ => None,
        }
    }
}

/// As in a zone file, names with their final dot; control characters and quotes in texts escaped.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dotted = |name: &Name| if name.is_root() { ".".to_owned() } else { format!("{name}.") };
        match self {
            Self::A(address) => address.fmt(f),
            Self::Aaaa(address) => address.fmt(f),
            Self::Caa { critical, tag, value } => {
                write!(f, "{} {tag} {}", if *critical { 128 } else { 0 }, quoted(value.as_bytes()))
            }
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => f.write_str(&dotted(name)),
            Self::Mx { preference, exchange } => write!(f, "{preference} {}", dotted(exchange)),
            Self::Soa { primary, serial } => write!(f, "{} serial {serial}", dotted(primary)),
            Self::Srv { priority, weight, port, target } => {
                write!(f, "{priority} {weight} {port} {}", dotted(target))
            }
            Self::Tlsa { usage, selector, matching, data } => {
                write!(f, "{usage} {selector} {matching} ")?;
                data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            Self::Txt(strings) => {
                let strings: Vec<String> = strings.iter().map(|string| quoted(string)).collect();
                f.write_str(&strings.join(" "))
            }
        }
    }
}

/// RFC 1035 §5.1.
fn quoted(octets: &[u8]) -> String {
    let mut text = String::from("\"");
    for &octet in octets {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => text.push_str(&format!("\\{octet:03}")),
        }
    }
    text.push('"');
    text
}

/// Why there was no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing came in time.
    Timeout,
    /// The server answered `SERVFAIL` (RFC 1035 §4.1.1).
    ServFail,
    /// The server answered `REFUSED`.
    Refused,
    /// Nobody could be reached, or what came made no sense.
    Fault(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("no answer in time"),
            Self::ServFail => f.write_str("the server answered SERVFAIL"),
            Self::Refused => f.write_str("the server answered REFUSED"),
            Self::Fault(text) => f.write_str(text),
        }
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These records, of the kind that was asked for; at least one. Aliases were followed.
    Found(Vec<Data>),
    /// There are none.
    Nothing {
        /// The name exists, with records of other kinds only (`NODATA`); else `NXDOMAIN`.
        exists: bool,
    },
    /// No answer that counts: neither right nor wrong may be concluded from it.
    Silent(Silence),
}

/// What DNSSEC says of an answer (RFC 4033 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nobody looked.
    Unchecked,
    /// Signed, and the chain of trust holds.
    Secure,
    /// Provably unsigned.
    Insecure,
    /// Should be signed, and the signatures do not hold: validating resolvers hide the name.
    Bogus,
}

/// Why an answer that DNSSEC might prove is [`Proof::Unchecked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A part of the chain of trust got no answer that counts.
    Gap,
    /// The resolver hands on no signatures, or no proofs that there is nothing (RFC 4035 §3.1.3).
    Stripped,
    /// Signed in a way that is not known here (RFC 4035 §5.2), as with Ed448.
    Algorithm,
    /// The root is signed, and not by the keys that are trusted here; or the clock is wrong.
    Anchor,
}

/// Without its final dot.
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "a part of the chain of trust got no answer",
            Self::Stripped => "the resolver hands on no signatures",
            Self::Algorithm => "the zone is signed with a kind of key that cannot be checked here, as Ed448",
            Self::Anchor => "the signatures of the root do not fit the keys that are trusted here",
        })
    }
}

impl Doubt {
    /// What to do.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Gap => {
                "mailctl dns-check --watch asks again until there is an answer; --resolver ADDRESS asks another resolver"
            }
            Self::Stripped => "ask a resolver that does: mailctl dns-check --resolver ADDRESS",
            Self::Algorithm => {
                "nothing is wrong with it; most validators pass it over, ECDSA (13) and RSA (8) are known everywhere"
            }
            Self::Anchor => {
                "is the clock right? (timedatectl) Where the resolver has a root of its own, name its keys: dns.trust_anchor_file in mailctl.toml"
            }
        }
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What came.
    pub outcome: Outcome,
    /// The names that led on from the one that was asked for (`CNAME`), in order.
    pub aliases: Vec<Name>,
    /// Only of `Whom::Validating` other than `Unchecked`.
    pub proof: Proof,
    /// Of `Whom::Validating`, where it is `Unchecked`: why.
    pub doubt: Option<Doubt>,
    /// The server is one of the zone's own (the AA bit, RFC 1035 §4.1.1).
    pub authoritative: bool,
    /// Octets of the whole message; 0 = not known.
    pub size: usize,
    /// Seconds for which it may be kept; of `Nothing` as RFC 2308 §5 has it.
    pub ttl: u32,
}

impl Answer {
    /// With nothing else to say of it.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            aliases: Vec::new(),
            proof: Proof::Unchecked,
            doubt: None,
            authoritative: false,
            size: 0,
            ttl: 0,
        }
    }

    /// The records; an error where there was no answer that counts. No records is an empty list.
    pub fn records(&self) -> Result<&[Data], &Silence> {
        match &self.outcome {
            Outcome::Found(records) => Ok(records),
            Outcome::Nothing { .. } => Ok(&[]),
            Outcome::Silent(why) => Err(why),
        }
    }

    /// The texts of TXT records, each in one piece.
    pub fn texts(&self) -> Result<Vec<String>, &Silence> {
        Ok(self.records()?.iter().filter_map(Data::text).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_reads_like_a_zone_file() {
        let name = |text: &str| Name::parse(text).unwrap();
        let shown = |data: Data| data.to_string();
        assert_eq!(shown(Data::Mx { preference: 0, exchange: Name::root() }), "0 .");
        assert_eq!(shown(Data::Mx { preference: 10, exchange: name("mx.org") }), "10 mx.org.");
        assert_eq!(shown(Data::Txt(vec![b"a\"b\n".to_vec(), b"c".to_vec()])), r#""a\"b\010" "c""#);
        let tlsa = Data::Tlsa { usage: 3, selector: 1, matching: 1, data: vec![0xab, 1] };
        assert_eq!(shown(tlsa), "3 1 1 ab01");
        assert_eq!(Data::Txt(vec![b"v=spf1 ".to_vec(), b"-all".to_vec()]).text().unwrap(), "v=spf1 -all");
    }
}
