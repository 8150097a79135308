//! The keys that vouch for all others, from a file: `DNSKEY` and `DS` lines as in a zone, like those that
//! `unbound-anchor` keeps (RFC 5011) and Debian's `dns-root-data` brings.

use super::Dns;
use crate::error::{Error, codes};
use hickory_net::proto::{
    dnssec::{
        Algorithm, DigestType, TrustAnchors,
        rdata::{DNSSECRData, DS},
    },
    op::Query,
    rr::{Name, RData, RecordType},
};
use std::{fs, path::Path, sync::Arc};

/// What a file says.
#[derive(Clone)]
pub struct Anchors {
    /// Whole keys.
    pub keys: Arc<TrustAnchors>,
    /// Digests of keys, each with its zone.
    pub digests: Vec<(Name, DS)>,
}

/// Reads the file of `dns.trust_anchor_file`.
pub fn read(path: &str) -> Result<Anchors, Error> {
    let bad = |why: String| {
        Error::new(codes::DNS_ANCHOR, format!("the trust anchors in {path} cannot be used"))
            .cause(why)
            .hint(format!("unbound-anchor -a {path}"))
            .hint("without dns.trust_anchor_file the keys of the Internet's root are used")
    };
    let text = fs::read_to_string(Path::new(path)).map_err(|error| bad(error.to_string()))?;
    parse(&text).map_err(bad)
}

/// The error is one clear line.
fn parse(text: &str) -> Result<Anchors, String> {
    let mut keys = String::new();
    let mut digests = Vec::new();
    for (number, words) in records(text)? {
        let wrong = |why: &str| format!("line {number}: {why}");
        let shown = || wrong("it is neither NAME DNSKEY … nor NAME DS …, as in a zone file");
        let (name, rest) = words.split_first().ok_or_else(shown)?;
        // TTL and class may stand in either order, or not at all (RFC 1035 §5.1).
        let rest: Vec<&str> = rest
            .iter()
            .copied()
            .skip_while(|word| word.eq_ignore_ascii_case("IN") || word.bytes().all(|b| b.is_ascii_digit()))
            .collect();
        let (kind, data) = rest.split_first().ok_or_else(shown)?;
        let zone = || Name::from_ascii(name).map_err(|error| wrong(&error.to_string()));
        match kind.to_ascii_uppercase().as_str() {
            "DNSKEY" => {
                let flags: u16 = data.first().and_then(|flags| flags.parse().ok()).ok_or_else(shown)?;
                // RFC 4034 §2.1.1, RFC 5011 §2.1: of a zone, and not withdrawn.
                if flags & 0x0100 == 0 || flags & 0x0080 != 0 {
                    continue;
                }
                let line = format!("{name} IN DNSKEY {}\n", data.join(" "));
                line.parse::<TrustAnchors>().map_err(|error| wrong(&error.to_string()))?;
                keys.push_str(&line);
            }
            "DS" => {
                digests.push((zone()?, digest(data).ok_or_else(|| wrong("DS is not TAG ALGORITHM 2 HEX"))?))
            }
            _ => return Err(shown()),
        }
    }
    if keys.is_empty() && digests.is_empty() {
        return Err("it holds no DNSKEY and no DS that counts".to_owned());
    }
    let keys = keys.parse::<TrustAnchors>().map_err(|error| error.to_string())?;
    Ok(Anchors { keys: Arc::new(keys), digests })
}

/// The words of each record, with the number of its first line: comments left out, brackets over several lines
/// opened. A key that its keeper does not trust (yet, or any more) is left out: `unbound-anchor` says so in a comment.
fn records(text: &str) -> Result<Vec<(usize, Vec<&str>)>, String> {
    let mut records: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut open: Option<usize> = None;
    for (index, line) in text.lines().enumerate() {
        let (data, comment) = line.split_once(';').unwrap_or((line, ""));
        let state = comment.split_once("state=").and_then(|(_, rest)| rest.chars().next());
        // RFC 5011 §4: 2 = valid, 3 = missing.
        if state.is_some_and(|state| !matches!(state, '2' | '3')) {
            continue;
        }
        let words = data.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
        let words = words.filter(|word| !word.is_empty());
        match (open, records.last_mut()) {
            (Some(_), Some((_, record))) => record.extend(words),
            _ => {
                let words: Vec<&str> = words.collect();
                if !words.is_empty() {
                    records.push((index + 1, words));
                }
            }
        }
        match (data.contains('('), data.contains(')')) {
            (true, false) => open = Some(index + 1),
            (_, true) => open = None,
            (false, false) => {}
        }
    }
    open.map_or(Ok(records), |line| Err(format!("line {line}: a bracket is not closed")))
}

/// SHA-256 or SHA-384 only (RFC 8624 §3.3).
fn digest(data: &[&str]) -> Option<DS> {
    let [tag, algorithm, kind, hex @ ..] = data else { return None };
    let hex = hex.concat();
    let octets: Option<Vec<u8>> = (0..hex.len() / 2)
        .map(|at| hex.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let (kind, length) = match *kind {
        "2" => (DigestType::SHA256, 32),
        "4" => (DigestType::SHA384, 48),
        _ => return None,
    };
    let hexadecimal = hex.len() == 2 * length && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let octets = octets.filter(|_| hexadecimal)?;
    Some(DS::new(tag.parse().ok()?, Algorithm::from_u8(algorithm.parse().ok()?), kind, octets))
}

impl Dns {
    /// The keys that are trusted. Where only digests of them are known, the keys are asked for; whoever answers cannot
    /// put another in their place.
    pub(super) async fn anchors(&self) -> Arc<TrustAnchors> {
        let find = || async {
            let asking = &self.0.asking;
            let keys = match (&asking.anchors, asking.digests.is_empty()) {
                (Some(keys), true) => return Arc::clone(keys),
                (None, true) => return Arc::new(TrustAnchors::default()),
                (Some(keys), false) => (**keys).clone(),
                (None, false) => TrustAnchors::empty(),
            };
            let mut keys = keys;
            for (zone, digest) in &asking.digests {
                let (found, _) = self.proof(Query::query(zone.clone(), RecordType::DNSKEY)).await;
                for record in found.iter().flat_map(|raw| &raw.message.answers) {
                    if let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data
                        && record.name == *zone
                        && key.zone_key()
                        && !key.revoke()
                        && digest.covers(zone, key).unwrap_or(false)
                    {
                        keys.insert_with_name(key.public_key(), zone.into());
                    }
                }
            }
            Arc::new(keys)
        };
        Arc::clone(self.0.anchors.get_or_init(find).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of the Internet's root (IANA, 2018), and its digest.
    const KEY: &str = "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=";
    const DIGEST: &str = "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";

    /// Proves: issue 4 (trust anchors of one's own): the files that unbound, Debian and BIND's tools write.
    #[test]
    fn what_others_write_is_read() {
        let keys = |text: &str| parse(text).map(|anchors| (anchors.keys.len(), anchors.digests.len()));
        assert_eq!(keys(&format!(". IN DNSKEY 257 3 8 {KEY}\n. IN DS 20326 8 2 {DIGEST}")), Ok((1, 1)));
        let kept = format!(
            "; autotrust trust anchor file\n;;id: . 1\n.\t86400\tIN\tDNSKEY\t257 3 8 {KEY} ;{{id = 20326 (ksk), size = 2048b}} ;;state=2 [  VALID  ]\n"
        );
        assert_eq!(keys(&kept), Ok((1, 0)));
        assert!(keys(&kept.replace("state=2", "state=1")).is_err(), "not trusted yet");
        assert!(keys(&kept.replace("257", "385")).is_err(), "withdrawn");
        let (head, tail) = KEY.split_at(64);
        assert_eq!(keys(&format!("example.org. DNSKEY 257 3 8 (\n  {head} ; begin\n  {tail} )")), Ok((0, 0)));
        assert!(keys(&format!(". DS 20326 8 2 {}", &DIGEST[..20])).is_err(), "cut off");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let told = |text: &str| parse(text).map(drop).unwrap_err();
        for (text, part) in [
            ("", "no DNSKEY"),
            ("; only a comment", "no DNSKEY"),
            (". IN DS 20326 8 1 00", "line 1: DS"),
            ("\n<TrustAnchor id=\"x\">", "line 2: it is neither"),
            (". IN DNSKEY 257 3 8 ***", "line 1"),
            (". IN A 192.0.2.1", "line 1: it is neither"),
            (". DNSKEY 257 3 8 ( AwEA", "line 1: a bracket"),
        ] {
            assert!(told(text).contains(part), "{text}: {}", told(text));
        }
    }
}
