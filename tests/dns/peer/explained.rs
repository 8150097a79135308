//! Where checkdmarc and we differ, and why we are right. Another version of it may differ elsewhere.

use super::corpus::Case;
use Aspect::{Valid, Voids};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aspect {
    /// Whether the records can be used.
    Valid,
    /// Terms of SPF that ask DNS.
    Lookups,
    /// Those that ask in vain.
    Voids,
    /// Whether somebody does not take the reports of DMARC.
    ReportsDenied,
    /// Name servers.
    Names,
}

/// A difference, of all cases of a class.
pub struct Explained {
    subject: &'static str,
    aspect: Aspect,
    pub class: &'static str,
    pub why: &'static str,
}

impl Explained {
    /// Whether it is about this.
    pub fn covers(&self, case: &Case, aspect: Aspect) -> bool {
        (self.subject, self.class, self.aspect) == (case.subject, case.class, aspect)
    }
}

const fn at(subject: &'static str, aspect: Aspect, class: &'static str, why: &'static str) -> Explained {
    Explained { subject, aspect, class, why }
}

#[rustfmt::skip]
pub const EXPLAINED: &[Explained] = &[
    at("spf", Valid, "capitals", "RFC 7208 §12 writes the version and all names as ABNF strings, whose case does not count (RFC 5234 §2.3); it wants small letters in v=spf1"),
    at("spf", Valid, "loop-by-macro", "RFC 7208 §7.2: %{d} is the domain of the record, so it leads to itself for every message (§4.6.4: permerror); it does not follow targets with macros"),
    at("spf", Valid, "modifier-macro", "RFC 7208 §12: the value of a modifier that nobody knows is a macro-string too, and a fault anywhere voids the record (§4.6); it ignores such modifiers whole"),
    at("spf", Valid, "everybody", "well written and worthless: all of the world may send (RFC 7208 §5.1). We judge by what comes out, it by the grammar"),
    at("spf", Valid, "broken-behind-all", "RFC 7208 §4.6: a fault of syntax anywhere in the record is a permerror, also where evaluation never comes; it does not read behind all"),
    at("spf", Valid, "tab-between", "RFC 7208 §12: terms are kept apart by SP, and no term has a tab in it; it splits at any white space"),
    at("spf", Valid, "single-label-a", "RFC 7208 §12: a domain-spec ends in a dot and a toplabel, or in a macro; it warns"),
    at("spf", Voids, "voids-exists", "RFC 7208 §4.6.4 counts void lookups of all terms that ask; it does not ask for exists"),
    at("spf", Valid, "too-many-voids-exists", "RFC 7208 §4.6.4, as with voids-exists: more than two"),
    at("spf", Voids, "null-mx", "RFC 7208 §4.6.4: void is an answer without records, and the null MX is one (RFC 7505 §3)"),
    at("spf", Voids, "dead-mx", "RFC 7208 §4.6.4: the term asks for the address of the MX too, and in vain; it counts the question for the MX only"),
    at("dmarc", Valid, "version-tag-case", "RFC 7489 §6.3 takes its lists of tags from RFC 6376 §3.2, where case counts in their names; a receiver that goes by that discards the record"),
    at("dmarc", Valid, "no-policy", "RFC 7489 §6.6.3 step 6: without p= and without rua= there is no policy; it goes by DMARCbis, where p=none is meant"),
    at("dmarc", Valid, "bad-policy-reports", "RFC 7489 §6.6.3 step 6: with an address for reports it counts as p=none; we warn"),
    at("dmarc", Valid, "bad-fo", "RFC 7489 §6.3: faults outside v= and p= are ignored in favour of the defaults; we warn"),
    at("dmarc", Valid, "bad-address", "RFC 7489 §6.3, as with bad-fo: the policy holds, and only the reports are lost; we warn"),
    at("dmarc", Valid, "empty-address", "RFC 7489 §6.3, as with bad-fo"),
    at("dmarc", Valid, "beside-others", "RFC 7489 §6.6.3 step 2: texts that do not begin with the version are discarded, and do no harm"),
    at("mx", Valid, "null", "RFC 7505 §3: it is right for a domain that takes no mail; it only remarks on it"),
    at("tls-rpt", Valid, "absent", "RFC 8460 §1: it is an offer; nothing is wrong without it"),
    at("tls-rpt", Valid, "other-texts", "RFC 8460 §3: texts that do not begin with the version are discarded, so it is as if there were none"),
    at("mta-sts", Valid, "other-texts", "RFC 8461 §3.1: texts that do not begin with the version are discarded, so it is as if there were none"),
    at("mta-sts", Valid, "absent", "RFC 8461 §1: it is an offer; nothing is wrong without it"),
];
