//! MTA-STS: record, policy, and whether they fit the MX (RFC 8461).

use super::{
    Code, Findings, Options, codes,
    reach::{list, reach},
    unanswered, unchecked,
};
use crate::mail::{
    dns::{Data, Entry, Fetched, Inquiry, Kind, Name, Question, Silence},
    finding::Finding,
    mta_sts::{self, Mode, Policy},
    server::{Served, Server},
};

/// Judges record and policy of a domain.
pub fn judge(inquiry: &Inquiry<'_>, _server: &Server, served: &Served, _options: &Options) -> Findings {
    let domain = &served.domain;
    let zone = Name::from(domain);
    let (Ok(name), Ok(host)) = (zone.child("_mta-sts"), zone.child("mta-sts")) else {
        return Some(vec![codes::STS_ABSENT.of(domain, "not used")]);
    };
    let question = Question::new(&name, Kind::Txt);
    let answer = inquiry.ask(question.clone())?;
    let texts = match answer.texts() {
        Ok(texts) => texts,
        Err(why) => return Some(vec![unanswered(&codes::STS_UNCHECKED, domain, &question, why)]),
    };
    let told = |code: &Code, summary: String| {
        let finding = code.of(domain, summary);
        texts.iter().fold(finding, |finding, text| finding.found(Entry::txt(&name, text)))
    };
    let records: Vec<&String> = texts.iter().filter(|text| mta_sts::is_one(text)).collect();
    let wanted = format!("{name}. IN TXT \"v=STSv1; id=20260101T000000\"");
    let text = match records[..] {
        [one] => one,
        [] if texts.iter().any(|text| text.to_ascii_lowercase().contains("stsv1")) => {
            let finding =
                told(&codes::STS_RECORD, "the record does not begin with v=STSv1; and is passed over".into());
            return Some(vec![finding.expected(wanted).remedy(format!("mend the record at {name}"))]);
        }
        [] => {
            let finding = told(&codes::STS_ABSENT, "not used (optional)".to_owned());
            return Some(vec![
                finding.remedy("it needs a web server at mta-sts with a policy; see mailctl help dns"),
            ]);
        }
        _ => {
            let finding = told(&codes::STS_SEVERAL, format!("{} records count as none", records.len()));
            return Some(vec![finding.expected(wanted).remedy(format!("leave one of them at {name}"))]);
        }
    };
    if let Err(what) = mta_sts::id(text) {
        let finding = told(&codes::STS_RECORD, what);
        return Some(vec![finding.expected(wanted).remedy(format!("mend the record at {name}"))]);
    }
    policy(inquiry, &Case { zone, host, told: &told })
}

struct Case<'a> {
    zone: Name,
    host: Name,
    told: &'a dyn Fn(&Code, String) -> Finding,
}

impl Case<'_> {
    /// What is wrong with the policy, with where it stands.
    fn wrong(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let url = self.url();
        (self.told)(code, summary.into())
            .remedy(format!("put it right at {url}, then change id= in the record"))
    }

    fn url(&self) -> String {
        format!("https://{}/.well-known/mta-sts.txt", self.host)
    }
}

fn policy(inquiry: &Inquiry<'_>, case: &Case<'_>) -> Findings {
    let url = case.url();
    let (found, page) = (reach(inquiry, &case.host), inquiry.fetch(&url));
    let mx = inquiry.ask(Question::new(&case.zone, Kind::Mx));
    let (found, page, mx) = (found?, page?, mx?);
    if found.addresses.is_empty() && found.silent.is_none() {
        let finding = case.wrong(
            &codes::STS_POLICY,
            format!("there is a record and no policy: {} has no address", case.host),
        );
        return Some(vec![finding.expected(format!("a policy at {url}"))]);
    }
    let text = match page {
        Fetched::Silent(why) => {
            return Some(vec![unchecked(
                &codes::STS_UNCHECKED,
                &case.zone,
                &url,
                &Silence::Fault(why.clone()),
            )]);
        }
        Fetched::Untrusted(why) => {
            let summary = format!("the certificate of {} is not valid: senders take no policy", case.host);
            let finding = case.wrong(&codes::STS_CERTIFICATE, summary).found(why);
            return Some(vec![finding.expected(format!("a certificate for {}", case.host))]);
        }
        Fetched::Body { status, text, .. } if *status == 200 => text,
        Fetched::Body { status, .. } => {
            let finding =
                case.wrong(&codes::STS_POLICY, format!("no policy: the web server answers {status}"));
            return Some(vec![finding.expected(format!("status 200 at {url}"))]);
        }
    };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(what) => {
            let finding = case.wrong(&codes::STS_POLICY, format!("the policy cannot be used: {what}"));
            return Some(vec![
                finding.expected("version: STSv1, mode: enforce, mx: HOST, max_age: 604800, a line each"),
            ]);
        }
    };
    let mut findings = Vec::new();
    if let Fetched::Body { media, .. } = page
        && media != "text/plain"
    {
        let finding = case.wrong(&codes::STS_MEDIA, format!("the policy is served as {media:?}"));
        findings.push(finding.expected("Content-Type: text/plain"));
    }
    match mx.records() {
        Ok(records) => findings.extend(weighed(case, &policy, records)),
        Err(why) => {
            let question = Question::new(&case.zone, Kind::Mx);
            findings.push(unanswered(&codes::STS_UNCHECKED, &case.zone, &question, why));
        }
    }
    if findings.is_empty() {
        let kept = policy.max_age / 86_400;
        findings.push((case.told)(&codes::STS_OK, format!("enforced, and kept for {kept} days")));
    }
    Some(findings)
}

fn weighed(case: &Case<'_>, policy: &Policy, mx: &[Data]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if policy.mode == Mode::None {
        return vec![(case.told)(&codes::STS_OK, "switched off (mode: none)".to_owned())];
    }
    let hosts =
        mx.iter().filter_map(|data| if let Data::Mx { exchange, .. } = data { Some(exchange) } else { None });
    let left_out: Vec<&Name> = hosts.filter(|host| !host.is_root() && !policy.names(host)).collect();
    if !left_out.is_empty() {
        let code = if policy.mode == Mode::Enforce { &codes::STS_MX } else { &codes::STS_MX_TESTING };
        let finding =
            case.wrong(code, format!("the policy does not name {}, which is an MX", list(&left_out)));
        let finding = finding.found(format!("mx: {}", policy.hosts.join(", ")));
        findings.push(left_out.iter().fold(finding, |finding, host| finding.expected(format!("mx: {host}"))));
    }
    if policy.mode == Mode::Testing {
        let finding = case.wrong(&codes::STS_TESTING, "mode: testing protects nobody yet");
        findings.push(finding.found("mode: testing").expected("mode: enforce, when no report complains"));
    }
    if policy.max_age < 86_400 {
        let finding = case
            .wrong(&codes::STS_AGE, "the policy is kept for less than a day, which an attacker can wait for");
        findings
            .push(finding.found(format!("max_age: {}", policy.max_age)).expected("max_age: 604800 or more"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    const URL: &str = "https://mta-sts.example.org/.well-known/mta-sts.txt";

    fn codes(record: &str, page: &str) -> Vec<&'static str> {
        let zone = format!(
            "example.org MX 10 mail.example.org\nmta-sts.example.org A 192.0.2.80\n\
             _mta-sts.example.org TXT \"{record}\"\n{URL} {page}"
        );
        codes_of(judge, &zone)
    }

    fn policy(mode: &str, host: &str, age: u32) -> String {
        format!("200 version: STSv1\\nmode: {mode}\\nmx: {host}\\nmax_age: {age}")
    }

    /// Proves: RFC 8461 §3, §4.1, and each wrong form.
    #[test]
    fn each_form_of_mta_sts_is_told_apart() {
        let right = policy("enforce", "mail.example.org", 604_800);
        let record = "v=STSv1; id=1";
        assert_eq!(codes(record, &right), ["dns.mta_sts.ok"]);
        assert_eq!(codes(record, &policy("enforce", "*.example.org", 604_800)), ["dns.mta_sts.ok"]);
        assert_eq!(codes_of(judge, ""), ["dns.mta_sts.absent"]);
        for (page, code) in [
            (policy("testing", "mail.example.org", 604_800), "dns.mta_sts.testing"),
            (policy("enforce", "mx.example.org", 604_800), "dns.mta_sts.mx"),
            (policy("enforce", "mail.example.org", 60), "dns.mta_sts.age"),
            (policy("none", "mail.example.org", 60), "dns.mta_sts.ok"),
            (policy("on", "mail.example.org", 60), "dns.mta_sts.policy"),
            ("404 not found".to_owned(), "dns.mta_sts.policy"),
            ("!untrusted expired".to_owned(), "dns.mta_sts.certificate"),
        ] {
            assert_eq!(codes(record, &page), [code], "{page}");
        }
        assert_eq!(codes("v=STSv1; id=", &right), ["dns.mta_sts.record"]);
        assert_eq!(codes("V=STSV1; id=1", &right), ["dns.mta_sts.record"]);
        let two = "_mta-sts.example.org TXT \"v=STSv1; id=1\"\n_mta-sts.example.org TXT \"v=STSv1; id=2\"";
        assert_eq!(codes_of(judge, two), ["dns.mta_sts.several"]);
        assert_eq!(codes_of(judge, "_mta-sts.example.org TXT \"v=STSv1; id=1\""), ["dns.mta_sts.policy"]);
        assert_eq!(codes_of(judge, "_mta-sts.example.org TXT !timeout"), ["dns.mta_sts.unchecked"]);
        let silent = "_mta-sts.example.org TXT \"v=STSv1; id=1\"\nmta-sts.example.org A 192.0.2.80";
        assert_eq!(codes_of(judge, silent), ["dns.mta_sts.unchecked"]);
    }
}
