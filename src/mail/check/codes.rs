//! Every code that a finding can have, with how it stands and a sentence of manual.

use crate::mail::finding::{Finding, Subject, Verdict};

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable: `dns.spf.missing`.
    pub name: &'static str,
    /// What is checked.
    pub subject: Subject,
    /// How it stands.
    pub verdict: Verdict,
    /// What it means.
    pub manual: &'static str,
}

impl Code {
    /// A finding of this kind.
    pub fn of(&self, about: impl std::fmt::Display, summary: impl Into<String>) -> Finding {
        Finding::new(about, self.subject, self.verdict, self.name, summary)
    }
}

macro_rules! codes {
    ($($id:ident = $name:literal, $subject:ident, $verdict:ident, $manual:literal;)*) => {
        $(#[doc = $manual] pub const $id: Code = Code {
            name: $name, subject: Subject::$subject, verdict: Verdict::$verdict, manual: $manual,
        };)*
        /// All of them, in the order of this file.
        pub const ALL: &[Code] = &[$($id),*];
    };
}

codes! {
    ADDRESS_OK = "dns.address.ok", Address, Ok, "The host name has the addresses of this server.";
    ADDRESS_ASSUMED = "dns.address.assumed", Address, Ok, "The host name has an address; whether it is this server's is not known. Set dns.addresses, and it is compared.";
    ADDRESS_MISSING = "dns.address.missing", Address, Error, "The host name has no address, so nobody finds the server.";
    ADDRESS_OTHER = "dns.address.other", Address, Error, "The host name has an address that is not this server's.";
    ADDRESS_SIX = "dns.address.six", Address, Error, "The host name has an IPv6 address, and this server has none: who tries IPv6 first waits or fails.";
    ADDRESS_PRIVATE = "dns.address.private", Address, Error, "The host name has an address that the Internet cannot reach.";
    ADDRESS_INCOMPLETE = "dns.address.incomplete", Address, Warning, "An address of this server is not in DNS; mail that leaves from it is believed less.";
    ADDRESS_ALIAS = "dns.address.alias", Address, Error, "The host name is a CNAME, which the target of an MX must not be (RFC 2181 §10.3).";
    ADDRESS_UNCHECKED = "dns.address.unchecked", Address, CouldNotCheck, "The addresses of the host name were not answered.";
    REVERSE_OK = "dns.reverse.ok", Reverse, Ok, "Each address has a name that leads back to it.";
    REVERSE_RELAY = "dns.reverse.relay", Reverse, Ok, "Mail leaves through a relay, so the names of our addresses do not matter.";
    REVERSE_MISSING = "dns.reverse.missing", Reverse, Error, "An address has no name (PTR). Large receivers refuse its mail.";
    REVERSE_UNCONFIRMED = "dns.reverse.unconfirmed", Reverse, Error, "The name of an address does not lead back to it. Large receivers refuse its mail.";
    REVERSE_GENERIC = "dns.reverse.generic", Reverse, Warning, "The name of an address is the provider's, made of the address: many receivers take such hosts for infected home computers.";
    REVERSE_SEVERAL = "dns.reverse.several", Reverse, Warning, "An address has several names; receivers look at any one of them.";
    REVERSE_UNKNOWN = "dns.reverse.unknown", Reverse, CouldNotCheck, "No address of this server is known, so its names cannot be asked for.";
    REVERSE_UNCHECKED = "dns.reverse.unchecked", Reverse, CouldNotCheck, "The name of an address was not answered.";
    HELO_OK = "dns.helo.ok", Helo, Ok, "The name in the greeting is the server's name in DNS, both ways.";
    HELO_SERVED = "dns.helo.served", Helo, Error, "The host name is also a served domain; mail for it would be delivered twice over or not at all.";
    HELO_LOCAL = "dns.helo.local", Helo, Error, "The host name ends in a label that exists in no public DNS.";
    HELO_UNRESOLVED = "dns.helo.unresolved", Helo, Error, "The name in the greeting has no address; strict receivers refuse it.";
    HELO_PTR = "dns.helo.ptr", Helo, Warning, "The name of the address is another than the one in the greeting; some receivers score that.";
    HELO_UNCHECKED = "dns.helo.unchecked", Helo, CouldNotCheck, "The name in the greeting was not answered.";
    TLSA_OK = "dns.tlsa.ok", Tlsa, Ok, "The record is signed and holds the server's key.";
    TLSA_ABSENT = "dns.tlsa.absent", Tlsa, Ok, "There is no TLSA record; DANE is optional.";
    TLSA_UNSIGNED = "dns.tlsa.unsigned", Tlsa, Warning, "The zone is not signed, so the record counts for nobody (RFC 7672 §2.2).";
    TLSA_BOGUS = "dns.tlsa.bogus", Tlsa, Error, "The signatures over the record do not hold, and senders that use DANE keep their mail.";
    TLSA_MISMATCH = "dns.tlsa.mismatch", Tlsa, Error, "The record holds another key than the server's, and senders that use DANE keep their mail.";
    TLSA_CERTIFICATE = "dns.tlsa.certificate", Tlsa, Warning, "The record is bound to a certificate, which changes at every renewal; 3 1 1 is bound to the key.";
    TLSA_AUTHORITY = "dns.tlsa.authority", Tlsa, Warning, "The record is bound to an authority (usage 2), which is not compared here; it breaks when that authority signs with another key.";
    TLSA_UNUSABLE = "dns.tlsa.unusable", Tlsa, Warning, "No record is of a kind that mail uses (RFC 7672 §3.1.3).";
    TLSA_UNKNOWN = "dns.tlsa.unknown", Tlsa, Warning, "The server has no certificate to compare with.";
    TLSA_UNCHECKED = "dns.tlsa.unchecked", Tlsa, CouldNotCheck, "The record, or its signatures, were not answered.";
    CAA_OK = "dns.caa.ok", Caa, Ok, "The authority that we use may issue for the host.";
    CAA_ABSENT = "dns.caa.absent", Caa, Ok, "There is no CAA record: every authority may issue.";
    CAA_FORBIDS = "dns.caa.forbids", Caa, Warning, "CAA does not name the authority that we use, so the next certificate will be refused.";
    CAA_ACCOUNT = "dns.caa.account", Caa, Error, "CAA is bound to another account than ours (RFC 8657 §3).";
    CAA_METHOD = "dns.caa.method", Caa, Warning, "CAA allows only methods of proof that we do not use (RFC 8657 §4), so the next certificate will be refused.";
    CAA_CRITICAL = "dns.caa.critical", Caa, Error, "A critical tag that authorities do not know stops every one of them (RFC 8659 §4.1).";
    CAA_UNCHECKED = "dns.caa.unchecked", Caa, CouldNotCheck, "CAA was not answered; an authority would not issue either.";
    NS_OK = "dns.name_servers.ok", NameServers, Ok, "All name servers answer for the zone, and alike.";
    NS_ABSENT = "dns.name_servers.absent", NameServers, Error, "The domain is not delegated: it does not exist in DNS.";
    NS_DELEGATION = "dns.name_servers.delegation", NameServers, Warning, "The zone above names other name servers than the zone itself.";
    NS_LAME = "dns.name_servers.lame", NameServers, Error, "A name server does not answer for the zone; a share of all questions meets it.";
    NS_NO_ADDRESS = "dns.name_servers.no_address", NameServers, Error, "A name server has no address.";
    NS_SERIAL = "dns.name_servers.serial", NameServers, Warning, "The name servers have different versions of the zone.";
    NS_DIFFER = "dns.name_servers.differ", NameServers, Warning, "The name servers name different name servers.";
    NS_DISAGREE = "dns.name_servers.disagree", NameServers, Error, "With --authoritative: a name server says something else for one of our records.";
    NS_ONE = "dns.name_servers.one", NameServers, Warning, "The zone has one name server only (RFC 2182 §5).";
    NS_NETWORK = "dns.name_servers.network", NameServers, Warning, "All name servers are in one network and fail together (RFC 2182 §3.1).";
    NS_UNCHECKED = "dns.name_servers.unchecked", NameServers, CouldNotCheck, "A name server did not answer, or refused to.";
    DNSSEC_SECURE = "dns.dnssec.secure", Dnssec, Ok, "The zone is signed, and the signatures hold.";
    DNSSEC_UNSIGNED = "dns.dnssec.unsigned", Dnssec, Ok, "The zone is not signed.";
    DNSSEC_BOGUS = "dns.dnssec.bogus", Dnssec, Error, "The signatures do not hold; validating resolvers hide the domain.";
    DNSSEC_UNCHECKED = "dns.dnssec.unchecked", Dnssec, CouldNotCheck, "The signatures could not be looked at.";
    MX_OK = "dns.mx.ok", Mx, Ok, "Mail for the domain comes to this server.";
    MX_MISSING = "dns.mx.missing", Mx, Error, "The domain has no MX, so mail for it does not come here.";
    MX_IMPLICIT = "dns.mx.implicit", Mx, Warning, "The domain has no MX; mail comes only because its own address is taken instead (RFC 5321 §5.1), and some senders do not.";
    MX_NULL = "dns.mx.null", Mx, Error, "The null MX says that the domain takes no mail (RFC 7505).";
    MX_NULL_BESIDE = "dns.mx.null_beside", Mx, Error, "A null MX stands beside others, which RFC 7505 §3 forbids: senders may stop there.";
    MX_ELSEWHERE = "dns.mx.elsewhere", Mx, Error, "All MX records name other servers.";
    MX_NOT_FIRST = "dns.mx.not_first", Mx, Warning, "Another server is asked before this one, or as often.";
    MX_BACKUP = "dns.mx.backup", Mx, Warning, "Another server takes mail when this one does not answer: it seldom knows who exists here, and spam prefers it.";
    MX_ALIAS = "dns.mx.alias", Mx, Error, "The target of an MX is a CNAME (RFC 2181 §10.3); some senders refuse to follow it.";
    MX_LITERAL = "dns.mx.literal", Mx, Error, "The target of an MX is an IP address; it must be a name.";
    MX_DEAD = "dns.mx.dead", Mx, Error, "The target of our MX, or of every MX, has no address.";
    MX_PRIVATE = "dns.mx.private", Mx, Warning, "The target of another MX has only addresses that the Internet cannot reach; senders waste time on it.";
    MX_OTHER_DEAD = "dns.mx.other_dead", Mx, Warning, "The target of another MX has no address; senders waste time on it.";
    MX_DOUBLED = "dns.mx.doubled", Mx, Warning, "The same target stands twice.";
    MX_UNCHECKED = "dns.mx.unchecked", Mx, CouldNotCheck, "The MX, or the address of its target, was not answered.";
    SPF_OK = "dns.spf.ok", Spf, Ok, "Mail from every address of this server passes.";
    SPF_MISSING = "dns.spf.missing", Spf, Error, "The domain has no SPF record, so anybody may pretend to send for it and nobody is sure that we may.";
    SPF_HELO = "dns.spf.helo", Spf, Warning, "The server's own name has no SPF record. Bounces, whose sender is empty, are judged by it (RFC 7208 §2.3).";
    SPF_NEARLY = "dns.spf.nearly", Spf, Error, "A record is meant as SPF and is none, by its first characters.";
    SPF_SEVERAL = "dns.spf.several", Spf, Error, "The domain has several SPF records, which counts as an error (RFC 7208 §4.5).";
    SPF_FAILS = "dns.spf.fails", Spf, Error, "Mail from an address of this server does not pass.";
    SPF_BROKEN = "dns.spf.broken", Spf, Error, "The record, or one that it leads to, cannot be evaluated.";
    SPF_SYNTAX = "dns.spf.syntax", Spf, Error, "A term breaks the grammar, which voids the whole record (RFC 7208 §4.6).";
    SPF_LOOKUPS = "dns.spf.lookups", Spf, Error, "More than ten terms ask DNS (RFC 7208 §4.6.4); receivers that count them all find an error.";
    SPF_VOIDS = "dns.spf.voids", Spf, Error, "More than two terms ask for what does not exist (RFC 7208 §4.6.4).";
    SPF_ALL_PASS = "dns.spf.all_pass", Spf, Error, "+all lets everybody send for the domain.";
    SPF_NEUTRAL = "dns.spf.neutral", Spf, Warning, "The record says nothing of servers that it does not name.";
    SPF_VOID = "dns.spf.void", Spf, Warning, "A term asks for what does not exist.";
    SPF_IGNORED = "dns.spf.ignored", Spf, Warning, "A part of the record is ignored by everybody.";
    SPF_PTR = "dns.spf.ptr", Spf, Warning, "ptr is slow, unreliable and deprecated (RFC 7208 §5.5).";
    SPF_TWICE = "dns.spf.twice", Spf, Warning, "A domain is included twice, and costs lookups twice.";
    SPF_WIDE = "dns.spf.wide", Spf, Warning, "A network is so wide that nearly everybody is in it.";
    SPF_LONG = "dns.spf.long", Spf, Warning, "The texts at the domain may not fit into one UDP packet (RFC 7208 §3.4); some receivers get none then.";
    SPF_RELAY = "dns.spf.relay", Spf, Warning, "Mail leaves through a relay, and whether the record names it cannot be told.";
    SPF_UNKNOWN = "dns.spf.unknown", Spf, CouldNotCheck, "No address of this server is known.";
    SPF_UNCHECKED = "dns.spf.unchecked", Spf, CouldNotCheck, "The record, or one that it leads to, was not answered.";
    DKIM_OK = "dns.dkim.ok", Dkim, Ok, "The published key is ours.";
    DKIM_FOREIGN = "dns.dkim.foreign", Dkim, Ok, "The domain is not served here; which selectors it uses cannot be asked.";
    DKIM_NO_KEY = "dns.dkim.no_key", Dkim, Error, "The domain has no key that signs.";
    DKIM_MISSING = "dns.dkim.missing", Dkim, Error, "The key that signs is not published, so no signature of ours can be checked.";
    DKIM_PENDING = "dns.dkim.pending", Dkim, Warning, "The next key is not published yet; it must be before it signs.";
    DKIM_LEFT_EARLY = "dns.dkim.left_early", Dkim, Warning, "The record of a key is gone while mail that it signed may still be on its way.";
    DKIM_NOT_RETIRED = "dns.dkim.not_retired", Dkim, Warning, "A retired key is still vouched for.";
    DKIM_DOUBLED_NAME = "dns.dkim.doubled_name", Dkim, Error, "The record stands at a name that ends in the domain twice: the form had added it.";
    DKIM_ALIAS_DEAD = "dns.dkim.alias_dead", Dkim, Error, "A CNAME stands at the key's name, and leads to nothing.";
    DKIM_SEVERAL = "dns.dkim.several", Dkim, Error, "Several TXT records stand at the key's name; what receivers do then is undefined (RFC 6376 §3.6.2.2).";
    DKIM_TRUNCATED = "dns.dkim.truncated", Dkim, Error, "The published key is cut off, most often at 255 characters: the form takes one string only.";
    DKIM_PIECES = "dns.dkim.pieces", Dkim, Error, "A piece of the published key is missing, or the pieces stand in another order.";
    DKIM_CASE = "dns.dkim.case", Dkim, Error, "Capital and small letters of the key were changed on the way.";
    DKIM_QUOTES = "dns.dkim.quotes", Dkim, Error, "Quotes became part of the record: the form adds its own.";
    DKIM_BACKSLASH = "dns.dkim.backslash", Dkim, Error, "Backslashes became part of the record: the form escapes by itself.";
    DKIM_BLANKS = "dns.dkim.blanks", Dkim, Warning, "Blanks stand inside the key; RFC 6376 §3.2 allows them, and some verifiers do not.";
    DKIM_REVOKED = "dns.dkim.revoked", Dkim, Error, "The record withdraws the key (empty p=), and it still signs.";
    DKIM_OTHER_KEY = "dns.dkim.other_key", Dkim, Error, "Another key than ours stands at the name, so every signature of ours is broken.";
    DKIM_TYPE = "dns.dkim.type", Dkim, Error, "k= names another algorithm than that of our key.";
    DKIM_SYNTAX = "dns.dkim.syntax", Dkim, Error, "The record cannot be read as a key.";
    DKIM_HASH = "dns.dkim.hash", Dkim, Error, "h= forbids the hash with which we sign.";
    DKIM_SERVICE = "dns.dkim.service", Dkim, Error, "s= does not let the key sign mail.";
    DKIM_TESTING = "dns.dkim.testing", Dkim, Warning, "t=y tells receivers to act as if the mail were unsigned.";
    DKIM_SMALL = "dns.dkim.small", Dkim, Warning, "The key has less than 2048 bits (RFC 8301 §3.2).";
    DKIM_WEAK = "dns.dkim.weak", Dkim, Error, "The key has less than 1024 bits: receivers do not accept it (RFC 8301 §3.2).";
    DKIM_UNCHECKED = "dns.dkim.unchecked", Dkim, CouldNotCheck, "The key's record was not answered.";
    DMARC_OK = "dns.dmarc.ok", Dmarc, Ok, "A policy protects the domain.";
    DMARC_MISSING = "dns.dmarc.missing", Dmarc, Error, "The domain has no DMARC policy; large receivers ask for one.";
    DMARC_SEVERAL = "dns.dmarc.several", Dmarc, Error, "Several policies count as none (RFC 7489 §6.6.3).";
    DMARC_VERSION = "dns.dmarc.version", Dmarc, Error, "The record does not begin with v=DMARC1, written so, and counts as none.";
    DMARC_SYNTAX = "dns.dmarc.syntax", Dmarc, Error, "The record is not a list of tag=value with semicolons between, and counts as none.";
    DMARC_POLICY = "dns.dmarc.policy", Dmarc, Error, "p= is missing or none of its three words, and the record counts as none.";
    DMARC_DOUBLED_NAME = "dns.dmarc.doubled_name", Dmarc, Error, "The policy stands at a name that ends in the domain twice: the form had added it.";
    DMARC_NONE = "dns.dmarc.none", Dmarc, Warning, "p=none only asks for reports; forged mail arrives.";
    DMARC_SUBDOMAINS = "dns.dmarc.subdomains", Dmarc, Warning, "sp=none lets forged mail of subdomains arrive.";
    DMARC_PERCENT = "dns.dmarc.percent", Dmarc, Warning, "pct= applies the policy to a share of the mail only.";
    DMARC_PASSED_OVER = "dns.dmarc.passed_over", Dmarc, Warning, "A part of the record is passed over by receivers.";
    DMARC_REPORTS = "dns.dmarc.reports", Dmarc, Warning, "Reports go to a foreign domain that does not say that it takes them (RFC 7489 §7.1), so none are sent.";
    DMARC_LOCKOUT = "dns.dmarc.lockout", Dmarc, Error, "The policy strikes our own mail: neither SPF nor DKIM passes.";
    DMARC_UNCHECKED = "dns.dmarc.unchecked", Dmarc, CouldNotCheck, "The policy, or the word of those who get the reports, was not answered.";
    STS_OK = "dns.mta_sts.ok", MtaSts, Ok, "Record and policy hold, and name every MX.";
    STS_ABSENT = "dns.mta_sts.absent", MtaSts, Ok, "MTA-STS is not used; it is optional.";
    STS_RECORD = "dns.mta_sts.record", MtaSts, Error, "The record cannot be used (RFC 8461 §3.1).";
    STS_SEVERAL = "dns.mta_sts.several", MtaSts, Error, "Several records count as none (RFC 8461 §3.1).";
    STS_POLICY = "dns.mta_sts.policy", MtaSts, Error, "There is a record, and no policy that can be used (RFC 8461 §3.2).";
    STS_CERTIFICATE = "dns.mta_sts.certificate", MtaSts, Error, "The web server with the policy has no valid certificate, so no policy is taken (RFC 8461 §3.3).";
    STS_ID = "dns.mta_sts.id", MtaSts, Warning, "The policy is this server's, and the record has another id than mailctl gives it: senders that keep a former policy do not fetch this one (RFC 8461 §3.1).";
    STS_MEDIA = "dns.mta_sts.media", MtaSts, Warning, "The policy is not served as text/plain (RFC 8461 §3.2).";
    STS_MX = "dns.mta_sts.mx", MtaSts, Error, "The policy does not name an MX, and senders keep mail for it.";
    STS_MX_TESTING = "dns.mta_sts.mx_testing", MtaSts, Warning, "The policy does not name an MX; with mode enforce, senders would keep mail for it.";
    STS_TESTING = "dns.mta_sts.testing", MtaSts, Warning, "The policy is only tested, and protects nobody.";
    STS_AGE = "dns.mta_sts.age", MtaSts, Warning, "The policy is kept for less than a day.";
    STS_UNCHECKED = "dns.mta_sts.unchecked", MtaSts, CouldNotCheck, "Record, policy or MX was not answered.";
    TLS_RPT_OK = "dns.tls_rpt.ok", TlsRpt, Ok, "Reports about broken TLS are asked for.";
    TLS_RPT_ABSENT = "dns.tls_rpt.absent", TlsRpt, Ok, "No reports are asked for; they are optional.";
    TLS_RPT_BROKEN = "dns.tls_rpt.broken", TlsRpt, Error, "The record cannot be used (RFC 8460 §3).";
    TLS_RPT_SEVERAL = "dns.tls_rpt.several", TlsRpt, Error, "Several records count as none (RFC 8460 §3).";
    TLS_RPT_UNCHECKED = "dns.tls_rpt.unchecked", TlsRpt, CouldNotCheck, "The record was not answered.";
    AUTOCONFIG_OK = "dns.autoconfig.ok", Autoconfig, Ok, "Mail programs find the server by themselves.";
    AUTOCONFIG_ABSENT = "dns.autoconfig.absent", Autoconfig, Ok, "Records with which mail programs find the server are not published; they are optional.";
    AUTOCONFIG_FOREIGN = "dns.autoconfig.foreign", Autoconfig, Ok, "The domain is not served here; where its server listens is not known.";
    AUTOCONFIG_SRV = "dns.autoconfig.srv", Autoconfig, Error, "An SRV record leads mail programs to another place than this server.";
    AUTOCONFIG_NAME = "dns.autoconfig.name", Autoconfig, Warning, "A name that mail programs ask for settings leads to another server.";
    AUTOCONFIG_UNCHECKED = "dns.autoconfig.unchecked", Autoconfig, CouldNotCheck, "An SRV record was not answered.";
    WILDCARD_OK = "dns.wildcard.ok", Wildcard, Ok, "No wildcard stands in the way of mail.";
    WILDCARD_TXT = "dns.wildcard.txt", Wildcard, Warning, "A wildcard answers with texts or keys for every name: a missing policy or key looks like a broken one.";
    WILDCARD_MX = "dns.wildcard.mx", Wildcard, Warning, "A wildcard MX takes mail for invented subdomains.";
    WILDCARD_UNCHECKED = "dns.wildcard.unchecked", Wildcard, CouldNotCheck, "A name that should not exist was not answered.";
    BLOCKLIST_OK = "dns.blocklist.ok", Blocklist, Ok, "Not listed.";
    BLOCKLIST_LISTED = "dns.blocklist.listed", Blocklist, Error, "Listed: receivers that ask this list refuse the mail.";
    BLOCKLIST_ASKED = "dns.blocklist.asked", Blocklist, Ok, "A list of dnsbl.zones passes its test (RFC 5782 §5), so mailctld asks it about clients.";
    BLOCKLIST_REFUSES = "dns.blocklist.refuses", Blocklist, Warning, "A list of dnsbl.zones refuses the resolver, or somebody else answers in its place; mailctld does not ask it.";
    BLOCKLIST_EVERYTHING = "dns.blocklist.everything", Blocklist, Warning, "A list of dnsbl.zones lists everything, also what none has; mailctld does not ask it.";
    BLOCKLIST_EMPTY = "dns.blocklist.empty", Blocklist, Warning, "A list of dnsbl.zones does not list its own test entry: it is closed, or its name is mistyped; mailctld does not ask it.";
    BLOCKLIST_UNCHECKED = "dns.blocklist.unchecked", Blocklist, CouldNotCheck, "The list did not answer, refused us, or failed its own test (RFC 5782 §5).";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// Proves: names are unique and belong to their subject, and every code is raised somewhere.
    #[test]
    fn every_code_is_used_and_named_after_its_subject() {
        let names: BTreeSet<&str> = ALL.iter().map(|code| code.name).collect();
        assert_eq!(names.len(), ALL.len());
        for code in ALL {
            let subject = code.subject.name().replace('-', "_");
            assert!(code.name.starts_with(&format!("dns.{subject}.")), "{}", code.name);
            assert!(code.manual.ends_with('.'), "{}", code.name);
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail");
        let mut text = String::new();
        gather(&root, &mut text);
        let own = fs::read_to_string(root.join("check/codes.rs")).unwrap();
        let ids = own.lines().filter_map(|line| line.trim().split_once(" = \"dns.")).map(|(id, _)| id);
        let ids: Vec<&str> =
            ids.filter(|id| id.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();
        assert_eq!(ids.len(), ALL.len());
        for id in ids {
            let used = text.match_indices(&format!("codes::{id}")).any(|(at, found)| {
                !text[at + found.len()..].starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            });
            assert!(used, "{id} is raised nowhere");
        }
    }

    fn gather(folder: &Path, text: &mut String) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                gather(&path, text);
            } else {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
}
