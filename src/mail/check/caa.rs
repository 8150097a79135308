//! CAA: whether the authority that we use may issue for the host (RFC 8659, RFC 8657).

use super::{Code, Findings, Options, codes, reach::list, unanswered};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name, Question},
    server::Server,
};

/// Tags that authorities know (RFC 8659 §4, RFC 9495, and the registry of IANA).
const KNOWN: [&str; 7] =
    ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail"];

/// Judges the nearest CAA records above the host.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    let host = &server.host;
    // RFC 8659 §3: up the tree, without the root; all questions at once.
    let mut names = Vec::new();
    let mut at = Some(Name::from(host));
    while let Some(name) = at.filter(|name| !name.is_root()) {
        at = name.parent();
        names.push(name);
    }
    let answers: Vec<_> = names.iter().map(|name| inquiry.ask(Question::new(name, Kind::Caa))).collect();
    for (name, answer) in names.iter().zip(answers) {
        let records = match answer?.records() {
            Ok([]) => continue,
            Ok(records) => records,
            Err(why) => {
                let question = Question::new(name, Kind::Caa);
                return Some(vec![unanswered(&codes::CAA_UNCHECKED, host, &question, why)]);
            }
        };
        return Some(vec![weighed(name, records, server, options)]);
    }
    let summary = format!("no CAA: every authority may issue for {host}");
    let finding = codes::CAA_ABSENT.of(host, summary);
    Some(vec![
        options.authorities.iter().fold(finding, |finding, one| finding.publish(entry(&names[0], one))),
    ])
}

fn entry(name: &Name, authority: &str) -> Entry {
    Entry::new(name, Data::Caa { critical: false, tag: "issue".to_owned(), value: authority.to_owned() })
}

fn weighed(
    name: &Name,
    records: &[Data],
    server: &Server,
    options: &Options,
) -> crate::mail::finding::Finding {
    let told = |code: &Code, summary: String| {
        let finding = code.of(&server.host, summary);
        records.iter().fold(finding, |finding, data| finding.found(Entry::new(name, data.clone())))
    };
    let tags = records.iter().filter_map(|data| match data {
        Data::Caa { critical, tag, value } => Some((*critical, tag.as_str(), value.as_str())),
        _ => None,
    });
    let tags: Vec<(bool, &str, &str)> = tags.collect();
    if let Some((_, tag, _)) = tags.iter().find(|(critical, tag, _)| *critical && !KNOWN.contains(tag)) {
        let finding = told(&codes::CAA_CRITICAL, format!("the critical tag {tag:?} stops every authority"));
        return finding.remedy(format!("remove it at {name}, or write 0 in the place of 128"));
    }
    let issuers: Vec<(&str, Vec<&str>)> = tags
        .iter()
        .filter(|(_, tag, _)| *tag == "issue")
        .map(|(_, _, value)| {
            let mut parts = value.split(';').map(str::trim);
            (parts.next().unwrap_or_default(), parts.collect())
        })
        .collect();
    if issuers.is_empty() {
        return told(
            &codes::CAA_OK,
            format!("the CAA at {name} forbids nobody to issue for {}", server.host),
        );
    }
    let ours = |issuer: &str| options.authorities.iter().any(|one| one.eq_ignore_ascii_case(issuer));
    let named: Vec<&(&str, Vec<&str>)> = issuers.iter().filter(|(issuer, _)| ours(issuer)).collect();
    let authorities = list(&options.authorities);
    if named.is_empty() {
        let finding =
            told(&codes::CAA_FORBIDS, format!("the CAA at {name} does not let {authorities} issue"));
        let finding =
            options.authorities.iter().fold(finding, |finding, one| finding.publish(entry(name, one)));
        return finding.remedy(format!(
            "add the record at {name}; if another authority issues your certificate, leave it"
        ));
    }
    let elsewhere = |parameters: &[&str], account: &str| {
        let bound = parameters.iter().find_map(|part| part.strip_prefix("accounturi="));
        bound.is_some_and(|uri| uri != account)
    };
    if let Some(account) = &options.account
        && named.iter().all(|(_, parameters)| elsewhere(parameters, account))
    {
        let finding = told(&codes::CAA_ACCOUNT, format!("the CAA at {name} is bound to another account"));
        let value = format!("{}; accounturi={account}", named[0].0);
        let entry = Entry::new(name, Data::Caa { critical: false, tag: "issue".to_owned(), value });
        return finding.publish(entry).remedy(format!("put our account into the record at {name}"));
    }
    told(&codes::CAA_OK, format!("the CAA at {name} lets {authorities} issue"))
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// Proves: RFC 8659 §3 (the nearest above), §4 (tags), and each wrong form.
    #[test]
    fn each_form_of_caa_is_told_apart() {
        for (zone, code) in [
            ("", "dns.caa.absent"),
            ("mail.example.org CAA 0 issue \"letsencrypt.org\"", "dns.caa.ok"),
            ("example.org CAA 0 issue \"letsencrypt.org; validationmethods=http-01\"", "dns.caa.ok"),
            ("example.org CAA 0 iodef \"mailto:a@example.org\"", "dns.caa.ok"),
            ("example.org CAA 0 issue \"other.example\"", "dns.caa.forbids"),
            ("example.org CAA 0 issue \";\"", "dns.caa.forbids"),
            (
                "example.org CAA 0 issue \"letsencrypt.org\"\nmail.example.org CAA 0 issue \"other.example\"",
                "dns.caa.forbids",
            ),
            (
                "example.org CAA 0 issue \"other.example\"\nexample.org CAA 0 issue \"letsencrypt.org\"",
                "dns.caa.ok",
            ),
            (
                "example.org CAA 128 new \"x\"\nexample.org CAA 0 issue \"letsencrypt.org\"",
                "dns.caa.critical",
            ),
            ("mail.example.org CAA !timeout", "dns.caa.unchecked"),
            ("example.org CAA !servfail", "dns.caa.unchecked"),
        ] {
            assert_eq!(host_codes(judge, zone), [code], "{zone}");
        }
    }

    /// Proves: RFC 8657 §3.
    #[test]
    fn an_account_of_somebody_else_is_named() {
        let options = Options { account: Some("https://a.example/1".to_owned()), ..Options::default() };
        let look = |value: &str| {
            let zone = format!("example.org CAA 0 issue \"letsencrypt.org{value}\"");
            told(&settled(&zone, |inquiry| judge(inquiry, &server(), &options)))
        };
        assert_eq!(look("; accounturi=https://a.example/2"), ["dns.caa.account"]);
        assert_eq!(look("; accounturi=https://a.example/1"), ["dns.caa.ok"]);
        assert_eq!(look(""), ["dns.caa.ok"]);
    }
}
