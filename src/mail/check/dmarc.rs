//! DMARC: what receivers do with mail that only pretends to be the domain's (RFC 7489).

use super::{Code, Findings, Options, codes, dkim, unanswered};
use crate::mail::{
    address::Domain,
    dmarc::{self, Fault, Policy, Request},
    dns::{Answer, Entry, Inquiry, Kind, Name, Question},
    finding::{Finding, Verdict},
    record,
    server::{Served, Server},
};

/// Judges the policy that holds for a domain.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = served.domain.as_str();
    let (Some(own), organisation) = (dmarc::place(domain), dmarc::organisation(domain)) else {
        let finding = codes::DMARC_MISSING.of(domain, "the name is too long for a policy");
        return Some(vec![finding.remedy("use a shorter domain")]);
    };
    // Of the subdomain of an organisation the policy above it holds, where it has none of its own.
    let above = (organisation != domain).then(|| dmarc::place(&organisation)).flatten();
    let asked = inquiry.ask(txt(&own));
    let asked_above = above.as_ref().map(|name| inquiry.ask(txt(name)));
    let recommended = record::dmarc(&served.domain, &options.wishes);
    let mut case = Case { domain, recommended, own: &own, name: &own, answer: asked?, inherited: false };
    if let Some(silent) = case.silent() {
        return Some(vec![silent]);
    }
    let mut policies = case.meant();
    if let (true, Some(name), Some(answer)) = (policies.is_empty(), above.as_ref(), asked_above) {
        case = Case { name, answer: answer?, inherited: true, ..case };
        if let Some(silent) = case.silent() {
            return Some(vec![silent]);
        }
        policies = case.meant();
    }
    let counting: Vec<&String> = policies.iter().filter(|text| dmarc::is_one(text)).collect();
    let text = match (&counting[..], &policies[..]) {
        ([one], _) => one.as_str(),
        ([], []) => return missing(inquiry, &case, served),
        ([], [one, ..]) => one.as_str(),
        (several, _) => {
            let summary = format!("{} DMARC records: receivers act as if there were none", several.len());
            let finding = case.told(&codes::DMARC_SEVERAL, summary);
            // The strictest was surely meant; of equals always the same.
            let best =
                several.iter().filter_map(|text| Some((Policy::parse(text).ok()?.request, *text))).max();
            let finding = match best {
                Some((_, text)) => finding.publish(Entry::txt(case.name, text)),
                None => finding.publish(case.wanted(case.name)),
            };
            return Some(vec![finding.remedy(format!("leave one of them at {}", case.name))]);
        }
    };
    match Policy::parse(text) {
        Err(fault) => Some(vec![broken(&case, &fault)]),
        Ok(policy) => {
            let reports = reports(inquiry, &case, &policy, options);
            let strikes = case.holds(&policy) != Request::None;
            let believed = if strikes { believed(inquiry, server, served, options) } else { Some(None) };
            let (reports, believed) = (reports?, believed?);
            Some(weighed(&case, text, &policy, reports, believed, options))
        }
    }
}

/// The record that is judged.
struct Case<'a> {
    domain: &'a str,
    recommended: String,
    own: &'a Name,
    name: &'a Name,
    answer: &'a Answer,
    /// It stands at the organisation's domain, above this one.
    inherited: bool,
}

impl Case<'_> {
    fn silent(&self) -> Option<Finding> {
        let why = self.answer.records().err()?;
        Some(unanswered(&codes::DMARC_UNCHECKED, self.domain, &txt(self.name), why))
    }

    /// Texts that are meant as policies.
    fn meant(&self) -> Vec<String> {
        let texts = self.answer.texts().unwrap_or_default();
        texts.into_iter().filter(|text| dmarc::is_meant(text)).collect()
    }

    fn told(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let records = self.answer.records().unwrap_or_default();
        let finding = code.of(self.domain, summary);
        records.iter().fold(finding, |finding, data| finding.found(Entry::new(self.name, data.clone())))
    }

    /// What is asked of receivers for this domain.
    fn holds(&self, policy: &Policy) -> Request {
        if self.inherited { policy.for_subdomains() } else { policy.request }
    }

    /// What `mailctl dns-records` prints (S0-6).
    fn wanted(&self, name: &Name) -> Entry {
        Entry::txt(name, &self.recommended)
    }
}

fn txt(name: &Name) -> Question {
    Question::new(name, Kind::Txt)
}

fn missing(inquiry: &Inquiry<'_>, case: &Case<'_>, served: &Served) -> Findings {
    if let Some(doubled) = dkim::doubled(inquiry, case.own, &served.domain)? {
        let summary = format!("published at {doubled}: the domain stands in the name twice");
        let finding = case.told(&codes::DMARC_DOUBLED_NAME, summary).publish(case.wanted(case.own));
        let remedy = format!("the form adds {} by itself: fill in _dmarc as the name", case.domain);
        return Some(vec![finding.remedy(remedy)]);
    }
    let finding = case.told(&codes::DMARC_MISSING, "no DMARC policy: large receivers ask for one");
    let finding = finding.found(format!("no policy at {}", case.own)).publish(case.wanted(case.own));
    let remedy = "first SPF and DKIM must be right, or the policy strikes your own mail; p=none only reports";
    Some(vec![finding.remedy(format!("publish the record at {}", case.own)).remedy(remedy)])
}

fn broken(case: &Case<'_>, fault: &Fault) -> Finding {
    let code = match fault {
        Fault::Version => &codes::DMARC_VERSION,
        Fault::Syntax(_) => &codes::DMARC_SYNTAX,
        Fault::NoPolicy | Fault::Policy(..) => &codes::DMARC_POLICY,
    };
    case.told(code, format!("receivers take the record for none: {fault}"))
        .publish(case.wanted(case.name))
        .remedy(format!("mend the record at {}, or publish the expected one", case.name))
}

fn weighed(
    case: &Case<'_>,
    text: &str,
    policy: &Policy,
    reports: Vec<Finding>,
    believed: Option<bool>,
    options: &Options,
) -> Vec<Finding> {
    let mut findings = reports;
    let holds = case.holds(policy);
    let open_below =
        policy.subdomains == Some(Request::None) && policy.request != Request::None && !case.inherited;
    let some = policy.percent < 100 && holds != Request::None;
    // One record that ends all that is said below, except how strict it is.
    let tidy = dmarc::tidied(text).unwrap_or_else(|| text.to_owned());
    let take_out: Vec<(&str, Option<&str>)> = [("sp", open_below), ("pct", policy.percent < 100)]
        .into_iter()
        .filter(|(_, out)| *out)
        .map(|(tag, _)| (tag, None))
        .collect();
    let tidy = dmarc::edited(&tidy, &take_out).unwrap_or(tidy);
    if holds != Request::None && believed == Some(false) && !options.foreign {
        let summary = format!("p={holds} strikes your own mail: neither SPF nor DKIM is right");
        findings.push(
            case.told(&codes::DMARC_LOCKOUT, summary)
                .expected("SPF or DKIM that passes, aligned with the domain")
                .remedy("mend the findings of dkim and spf first; until then p=none"),
        );
    }
    if open_below {
        findings.push(
            case.told(&codes::DMARC_SUBDOMAINS, "sp=none: mail of invented subdomains arrives")
                .publish(Entry::txt(case.name, &tidy))
                .remedy(format!("take sp=none out of the record at {}", case.name)),
        );
    }
    if some {
        let summary = format!("pct={}: only that share of failing mail is treated so", policy.percent);
        let remedy = format!("take pct= out of the record at {}", case.name);
        findings.push(
            case.told(&codes::DMARC_PERCENT, summary).publish(Entry::txt(case.name, &tidy)).remedy(remedy),
        );
    }
    for note in &policy.passed_over {
        let remedy = format!("mend the record at {}", case.name);
        let finding = case.told(&codes::DMARC_PASSED_OVER, note.clone());
        findings.push(finding.publish(Entry::txt(case.name, &tidy)).remedy(remedy));
    }
    if holds == Request::None {
        let tag = if case.inherited && policy.subdomains.is_some() { "sp" } else { "p" };
        let summary = format!("{tag}=none: receivers only report, and forged mail arrives");
        let finding = case.told(&codes::DMARC_NONE, summary);
        let stricter = match Policy::parse(&tidy) {
            // What was passed over kept it from being so strict already.
            Ok(tidied) if case.holds(&tidied) != Request::None => Some(tidy),
            _ => dmarc::edited(&tidy, &[(tag, Some("quarantine"))]),
        };
        let finding = match stricter {
            Some(text) => finding.publish(Entry::txt(case.name, &text)),
            None => finding.expected(format!("{tag}=quarantine, or {tag}=reject")),
        };
        findings.push(finding.remedy(format!(
            "when the reports show that your mail passes: {tag}=quarantine at {}",
            case.name
        )));
    }
    if findings.iter().all(|finding| finding.verdict == Verdict::Ok) {
        let whence = if case.inherited { format!(", as {} says", case.name) } else { String::new() };
        findings.push(case.told(&codes::DMARC_OK, format!("policy {holds}{whence}")));
    }
    findings
}

/// Whether SPF or DKIM passes for our own mail; both are aligned then, since mail leaves under the domain itself
/// and is signed for it. `Some(None)` = one of them could not be looked at.
fn believed(
    inquiry: &Inquiry<'_>,
    server: &Server,
    served: &Served,
    options: &Options,
) -> Option<Option<bool>> {
    if options.foreign {
        return Some(None);
    }
    let dkim = super::worst(&dkim::judge(inquiry, server, served, options)?);
    if dkim <= Verdict::Warning {
        return Some(Some(true));
    }
    let spf = super::worst(&super::spf::judge(inquiry, server, served, options)?);
    if spf <= Verdict::Warning {
        return Some(Some(true));
    }
    Some(if [dkim, spf].contains(&Verdict::CouldNotCheck) { None } else { Some(false) })
}

/// Whether those to whom reports go agree to get them (RFC 7489 §7.1).
fn reports(inquiry: &Inquiry<'_>, case: &Case<'_>, policy: &Policy, options: &Options) -> Findings {
    let home = dmarc::organisation(case.domain);
    let source = case.name.as_str().strip_prefix("_dmarc.").unwrap_or(case.domain);
    let mut domains: Vec<String> = policy
        .aggregate
        .iter()
        .chain(&policy.failure)
        .filter_map(|address| dmarc::domain_of(address))
        .filter(|domain| dmarc::organisation(domain.as_str()) != home)
        .map(|domain| domain.to_string())
        .collect();
    domains.sort();
    domains.dedup();
    let agreed = domains.into_iter().map(|domain| {
        let Ok(name) = Name::parse(&format!("{source}._report._dmarc.{domain}")) else { return Some(None) };
        let answer = inquiry.ask(txt(&name))?;
        Some(match answer.texts() {
            Err(why) => Some(unanswered(&codes::DMARC_UNCHECKED, case.domain, &txt(&name), why)),
            Ok(texts) if texts.iter().any(|text| dmarc::is_one(text)) => None,
            Ok(_) => Some(denied(case, &domain, &name, options)),
        })
    });
    let agreed: Vec<Option<Option<Finding>>> = agreed.collect();
    Some(agreed.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

fn denied(case: &Case<'_>, domain: &str, name: &Name, options: &Options) -> Finding {
    let entry = Entry::txt(name, record::REPORTS_WELCOME);
    let summary = format!("no reports arrive: {domain} does not say that it takes them");
    let finding = case.told(&codes::DMARC_REPORTS, summary).found(format!("nothing at {name}"));
    let below = |served: &Domain| dmarc::organisation(served.as_str()) == dmarc::organisation(domain);
    let finding =
        if options.served.iter().any(below) { finding.publish(entry) } else { finding.expected(entry) };
    finding
        .remedy(format!("whoever runs {domain} publishes that record; or name an address of {}", case.domain))
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// SPF and DKIM in order, so that only DMARC is judged.
    fn codes(zone: &str) -> Vec<&'static str> {
        codes_of(judge, &format!("{}{zone}", right()))
    }

    fn right() -> String {
        let text = rsa(2048).text();
        let (head, tail) = text.split_at(255);
        format!(
            "mail.example.org A 192.0.2.25\nmail.example.org AAAA 2001:db8::25\n\
             example.org MX 10 mail.example.org\nexample.org TXT \"v=spf1 mx -all\"\n\
             m202611._domainkey.example.org TXT \"{head}\" \"{tail}\"\n"
        )
    }

    /// Proves: S0-32, S4-11, S4-12, S4-32 (records without sp, fo, rua, ruf are right), RFC 7489 §6.
    #[test]
    fn each_form_of_dmarc_is_told_apart() {
        for (record, code) in [
            ("v=DMARC1; p=quarantine", "dns.dmarc.ok"),
            ("v=DMARC1; p=reject; rua=mailto:postmaster@example.org", "dns.dmarc.ok"),
            ("v=DMARC1; p=reject; rua=mailto:x@reports.example.org", "dns.dmarc.ok"),
            ("v=DMARC1; p=none", "dns.dmarc.none"),
            ("v=DMARC1; p=reject; sp=none", "dns.dmarc.subdomains"),
            ("v=DMARC1; p=reject; pct=10", "dns.dmarc.percent"),
            ("v=DMARC1; p=reject; color=red", "dns.dmarc.passed_over"),
            ("v=DMARC1; p=block", "dns.dmarc.policy"),
            ("v=DMARC1", "dns.dmarc.policy"),
            ("p=reject; v=DMARC1", "dns.dmarc.version"),
            ("V=DMARC1; p=reject", "dns.dmarc.version"),
            ("v=DMARC1; p=reject; and more", "dns.dmarc.syntax"),
            ("v=DMARC1; p=reject; rua=mailto:a@other.net", "dns.dmarc.reports"),
        ] {
            assert_eq!(codes(&format!("_dmarc.example.org TXT \"{record}\"")), [code], "{record}");
        }
        assert_eq!(codes(""), ["dns.dmarc.missing"]);
        assert_eq!(codes("_dmarc.example.org TXT \"hello\""), ["dns.dmarc.missing"]);
        let two =
            "_dmarc.example.org TXT \"v=DMARC1; p=none\"\n_dmarc.example.org TXT \"v=DMARC1; p=reject\"";
        assert_eq!(codes(two), ["dns.dmarc.several"]);
        let doubled = "_dmarc.example.org.example.org TXT \"v=DMARC1; p=none\"";
        assert_eq!(codes(doubled), ["dns.dmarc.doubled_name"]);
        for silence in ["timeout", "servfail", "refused"] {
            assert_eq!(codes(&format!("_dmarc.example.org TXT !{silence}")), ["dns.dmarc.unchecked"]);
        }
    }

    /// Proves: RFC 7489 §7.1.
    #[test]
    fn reports_to_others_need_their_word() {
        let record = "_dmarc.example.org TXT \"v=DMARC1; p=reject; rua=mailto:a@other.net\"\n";
        let at = "example.org._report._dmarc.other.net TXT";
        assert_eq!(codes(&format!("{record}{at} \"v=DMARC1;\"")), ["dns.dmarc.ok"]);
        assert_eq!(codes(&format!("{record}{at} !timeout")), ["dns.dmarc.unchecked"]);
    }

    /// Proves: RFC 7489 §6.6.3 (the organisation's policy holds for its subdomains).
    #[test]
    fn a_subdomain_inherits() {
        let served =
            Served { domain: crate::mail::address::Domain::parse("sub.example.org").unwrap(), ..served() };
        let options = Options { foreign: true, ..Options::default() };
        let look = |zone: &str| told(&settled(zone, |inquiry| judge(inquiry, &server(), &served, &options)));
        assert_eq!(look("_dmarc.example.org TXT \"v=DMARC1; p=reject\""), ["dns.dmarc.ok"]);
        assert_eq!(look("_dmarc.example.org TXT \"v=DMARC1; p=reject; sp=none\""), ["dns.dmarc.none"]);
        assert_eq!(look("_dmarc.sub.example.org TXT \"v=DMARC1; p=reject\""), ["dns.dmarc.ok"]);
        assert_eq!(look("_dmarc.example.org TXT !servfail"), ["dns.dmarc.unchecked"]);
        assert_eq!(look(""), ["dns.dmarc.missing"]);
    }

    /// Proves: S2-26 (the warning of lock-out).
    #[test]
    fn a_policy_that_strikes_our_own_mail_is_named() {
        let zone = "_dmarc.example.org TXT \"v=DMARC1; p=reject\"";
        assert_eq!(codes_of(judge, zone), ["dns.dmarc.lockout"]);
        let one = format!("{zone}\nexample.org TXT \"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all\"");
        assert_eq!(codes_of(judge, &one), ["dns.dmarc.ok"]);
        let unknown = format!("{zone}\nexample.org TXT !timeout");
        assert_eq!(codes_of(judge, &unknown), ["dns.dmarc.ok"]);
    }
}
