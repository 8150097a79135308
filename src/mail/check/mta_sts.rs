//! MTA-STS: record, policy, and whether they fit the MX (RFC 8461).

use super::{
    Code, Findings, Options, codes,
    reach::{list, ours, reach},
    unanswered, unchecked,
};
use crate::mail::{
    dns::{Data, Entry, Fetched, Inquiry, Kind, Name, Question, Silence},
    finding::Finding,
    mta_sts::{self, Mode, Policy},
    server::{Served, Server},
};

/// Judges record and policy of a domain.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, _options: &Options) -> Findings {
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
    // That of our own policy, or any id that senders have not seen yet (RFC 8461 §3.1); one that is right stays.
    let ours = server.policy.as_ref().filter(|policy| policy.mode != Mode::None);
    let wanted = ours.map(Policy::record).unwrap_or_else(|| {
        let id = texts.iter().find_map(|text| mta_sts::id(text).ok());
        format!("v=STSv1; id={}", id.as_deref().unwrap_or("20260101T000000"))
    });
    let wanted = Entry::txt(&name, &wanted);
    let text = match records[..] {
        [one] => one,
        [] if texts.iter().any(|text| text.to_ascii_lowercase().contains("stsv1")) => {
            let finding =
                told(&codes::STS_RECORD, "the record does not begin with v=STSv1; and is passed over".into());
            return Some(vec![finding.publish(wanted).remedy(format!("mend the record at {name}"))]);
        }
        [] => {
            return Some(vec![absent(
                told(&codes::STS_ABSENT, "not used (optional)".to_owned()),
                server,
                &zone,
            )]);
        }
        _ => {
            let finding = told(&codes::STS_SEVERAL, format!("{} records count as none", records.len()));
            return Some(vec![finding.publish(wanted).remedy(format!("leave one of them at {name}"))]);
        }
    };
    if let Err(what) = mta_sts::id(text) {
        let finding = told(&codes::STS_RECORD, what);
        return Some(vec![finding.publish(wanted).remedy(format!("mend the record at {name}"))]);
    }
    policy(inquiry, server, Case { zone, host, record: (&name, text), served: None, told: &told })
}

/// What to do for those who want it.
fn absent(finding: Finding, server: &Server, zone: &Name) -> Finding {
    let Some(policy) = &server.policy else {
        return finding.remedy("it needs a web server at mta-sts with a policy; see mailctl help dns");
    };
    let (Ok(name), Ok(host)) = (zone.child("_mta-sts"), zone.child("mta-sts")) else { return finding };
    if policy.mode == Mode::None {
        return finding.remedy("set mta_sts.mode = \"testing\" in mailctl.toml, then mailctl up");
    }
    finding
        .publish(Entry::new(&host, Data::Cname(Name::from(&server.host))))
        .publish(Entry::txt(&name, &policy.record()))
}

struct Case<'a> {
    zone: Name,
    host: Name,
    /// The record: its name, and what it says.
    record: (&'a Name, &'a str),
    /// What mailctld serves, where the policy's host leads to it.
    served: Option<&'a Policy>,
    told: &'a dyn Fn(&Code, String) -> Finding,
}

impl Case<'_> {
    /// What is wrong with the policy, with where it stands.
    fn wrong(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let url = self.url();
        let remedy = match self.served {
            Some(_) if *code == codes::STS_CERTIFICATE => {
                format!("mailctl cert show tells what is served; {} must be among its names", self.host)
            }
            Some(_) if *code == codes::STS_TESTING => {
                "set mta_sts.mode = \"enforce\" in mailctl.toml, then mailctl up, and publish the new id"
                    .to_owned()
            }
            Some(_) => "mailctl up, and where that changes nothing mailctl logs mailctld".to_owned(),
            None => format!("put it right at {url}, then change id= in the record"),
        };
        (self.told)(code, summary.into()).remedy(remedy)
    }

    fn url(&self) -> String {
        format!("https://{}/.well-known/mta-sts.txt", self.host)
    }
}

fn policy<'a>(inquiry: &Inquiry<'_>, server: &'a Server, mut case: Case<'a>) -> Findings {
    let url = case.url();
    let (found, page) = (reach(inquiry, &case.host), inquiry.fetch(&url));
    let mx = inquiry.ask(Question::new(&case.zone, Kind::Mx));
    let mine = server.policy.as_ref().map(|policy| (policy, ours(inquiry, server)));
    let (found, page, mx) = (found?, page?, mx?);
    if let Some((policy, addresses)) = mine {
        let addresses = addresses?;
        case.served = found.addresses.iter().any(|address| addresses.contains(address)).then_some(policy);
    }
    if found.addresses.is_empty() && found.silent.is_none() {
        let finding = case.wrong(
            &codes::STS_POLICY,
            format!("there is a record and no policy: {} has no address", case.host),
        );
        return Some(vec![finding.expected(format!("a policy at {url}"))]);
    }
    let text = match page {
        Fetched::Silent(why) => {
            let finding = unchecked(&codes::STS_UNCHECKED, &case.zone, &url, &Silence::Fault(why.clone()));
            return Some(vec![finding.remedy(format!("whether it can be reached from here: curl -v {url}"))]);
        }
        Fetched::Untrusted(why) => {
            let summary = format!("the certificate of {} is not valid: senders take no policy", case.host);
            let finding = (case.told)(&codes::STS_CERTIFICATE, summary).found(why);
            let remedy =
                format!("get a certificate that is valid for {}; see with: curl -v {url}", case.host);
            return Some(vec![finding.expected(format!("a certificate for {}", case.host)).remedy(remedy)]);
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
    let (name, text) = case.record;
    if let Some(ours) = case.served.filter(|ours| **ours == policy)
        && mta_sts::id(text) != Ok(ours.id())
    {
        let summary =
            "the record's id is not that of the policy: senders who keep a former one do not notice";
        let finding = (case.told)(&codes::STS_ID, summary.to_owned());
        findings.push(finding.publish(Entry::txt(name, &ours.record())));
    }
    match mx.records() {
        Ok(records) => findings.extend(weighed(&case, &policy, records)),
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

    /// Proves: RFC 8461 §3.1, issue 5: where the policy is ours, the record's id must follow it.
    #[test]
    fn the_id_of_our_own_policy_is_known() {
        let ours = |mode| Policy { mode, hosts: vec!["mail.example.org".to_owned()], max_age: 604_800 };
        let found = |zone: &str, policy: Policy| {
            let server = Server { policy: Some(policy), ..server() };
            let served = served();
            let findings = settled(zone, |inquiry| judge(inquiry, &server, &served, &Options::default()));
            (findings[0].code, findings.len(), findings[0].publish.len())
        };
        let policy = ours(Mode::Enforce);
        let zone = |address: &str, id: &str| {
            format!(
                "example.org MX 10 mail.example.org\nmta-sts.example.org A {address}\n\
                 _mta-sts.example.org TXT \"v=STSv1; id={id}\"\n{URL} 200 {}",
                policy.text().replace("\r\n", "\\n")
            )
        };
        assert_eq!(found(&zone("192.0.2.25", &policy.id()), policy.clone()), ("dns.mta_sts.ok", 1, 0));
        assert_eq!(found(&zone("192.0.2.25", "1"), policy.clone()), ("dns.mta_sts.id", 1, 1));
        // On another web server the id is somebody else's to choose.
        assert_eq!(found(&zone("192.0.2.80", "1"), policy), ("dns.mta_sts.ok", 1, 0));
        assert_eq!(found("", ours(Mode::Testing)), ("dns.mta_sts.absent", 1, 2));
        assert_eq!(found("", ours(Mode::None)), ("dns.mta_sts.absent", 1, 0));
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
