//! Blocklists (RFC 5782): asked only where they are named, and believed only where they pass their own test.

use super::{Code, Findings, Options, codes, reach::ours, unanswered, unchecked};
use crate::mail::{
    dns::{Answer, Inquiry, Kind, Name, Question, Silence},
    dnsbl::{Says, says, test_labels},
    finding::Finding,
    server::{Served, Server},
};
use std::fmt;

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocklist {
    /// Where it is asked.
    pub zone: Name,
    /// It lists domains; else addresses.
    pub domains: bool,
}

impl Blocklist {
    /// `zen.spamhaus.org`, or `domain:dbl.spamhaus.org`; the error is one clear line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (domains, zone) = match text.strip_prefix("domain:") {
            Some(zone) => (true, zone),
            None => (false, text),
        };
        match Name::parse(zone) {
            Ok(zone) if !zone.is_root() => Ok(Self { zone, domains }),
            Ok(_) => Err("the root is no blocklist".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl fmt::Display for Blocklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.domains { "domain:" } else { "" }, self.zone)
    }
}

/// Judges the addresses of the host.
pub fn host(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    let lists: Vec<&Blocklist> = options.blocklists.iter().filter(|list| !list.domains).collect();
    if lists.is_empty() {
        return Some(Vec::new());
    }
    let ours = ours(inquiry, server)?;
    let things: Vec<(String, String)> = ours
        .iter()
        .filter_map(|address| {
            let reverse = Name::reverse(*address).to_string();
            // RFC 5782 §2.1, §2.4: as the reverse name, below another zone.
            let label = reverse.strip_suffix(".in-addr.arpa").or(reverse.strip_suffix(".ip6.arpa"))?;
            Some((address.to_string(), label.to_owned()))
        })
        .collect();
    looked_up(inquiry, server.host.as_str(), &lists, &things)
}

/// Judges a domain.
pub fn domain(inquiry: &Inquiry<'_>, _server: &Server, served: &Served, options: &Options) -> Findings {
    let lists: Vec<&Blocklist> = options.blocklists.iter().filter(|list| list.domains).collect();
    if lists.is_empty() {
        return Some(Vec::new());
    }
    let domain = served.domain.to_string();
    looked_up(inquiry, &domain, &lists, &[(domain.clone(), domain.clone())])
}

/// Every list for every thing: name and label.
fn looked_up(
    inquiry: &Inquiry<'_>,
    about: &str,
    lists: &[&Blocklist],
    things: &[(String, String)],
) -> Findings {
    let parts = lists.iter().map(|list| {
        let tests = test_labels(list.domains).map(|label| ask(inquiry, list, label));
        let asked: Vec<_> = things.iter().map(|(_, label)| ask(inquiry, list, label)).collect();
        let [listed, clean] = tests;
        let (listed, clean) = (listed?, clean?);
        if let Some(finding) = unfit(about, list, &listed, &clean) {
            return Some(vec![finding]);
        }
        let mut findings = Vec::new();
        for ((name, _), asked) in things.iter().zip(asked) {
            findings.push(one(about, list, name, asked?));
        }
        Some(findings)
    });
    super::all(parts.collect())
}

fn ask<'a>(inquiry: &Inquiry<'a>, list: &Blocklist, label: &str) -> Option<(Question, &'a Answer)> {
    // A name that is too long for the list cannot be on it, and is asked as the list itself.
    let name = Name::parse(&format!("{label}.{}", list.zone)).unwrap_or_else(|_| list.zone.clone());
    let question = Question::new(name, Kind::A);
    inquiry.ask(question.clone()).map(|answer| (question, answer))
}

/// Why the list cannot be believed.
fn unfit(
    about: &str,
    list: &Blocklist,
    listed: &(Question, &Answer),
    clean: &(Question, &Answer),
) -> Option<Finding> {
    let told = |summary: String| {
        codes::BLOCKLIST_UNCHECKED
            .of(about, summary)
            .expected(format!("{} listed, {} not (RFC 5782 §5)", listed.0.name, clean.0.name))
            .remedy("public resolvers are refused by many lists: mailctl dns-check --resolver ADDRESS with one of your own")
            .remedy("or take the list out of dns.blocklists in mailctl.toml")
    };
    for (question, answer) in [listed, clean] {
        match says(answer, None) {
            Says::Silent(why) => return Some(unanswered(&codes::BLOCKLIST_UNCHECKED, about, question, &why)),
            Says::Refusal(code) => {
                let finding = told(format!("{} does not answer us", list.zone));
                return Some(finding.found(format!("{} is {code}", question.name)));
            }
            Says::Listed(_) | Says::Clean => {}
        }
    }
    match (says(listed.1, None), says(clean.1, None)) {
        (Says::Clean, _) => Some(told(format!("{} does not list its own test entry", list.zone))),
        (_, Says::Listed(_)) => Some(told(format!("{} lists everything", list.zone))),
        _ => None,
    }
}

fn one(about: &str, list: &Blocklist, name: &str, (question, answer): (Question, &Answer)) -> Finding {
    let told = |code: &Code, summary: String| code.of(about, summary);
    match says(answer, None) {
        Says::Clean => told(&codes::BLOCKLIST_OK, format!("{name} is not on {}", list.zone)),
        Says::Listed(codes) => {
            let finding = told(&codes::BLOCKLIST_LISTED, format!("{name} is on {}", list.zone));
            let finding = codes
                .iter()
                .fold(finding, |finding, code| finding.found(format!("{} is {code}", question.name)));
            finding.expected(format!("nothing at {}", question.name)).remedy(format!(
                "find out what was sent (mailctl logs postfix), end it, then ask the list at its web page to remove {name}"
            ))
        }
        Says::Refusal(code) => unchecked(
            &codes::BLOCKLIST_UNCHECKED,
            about,
            &question,
            &Silence::Fault(format!("the list answered {code}, which is no listing")),
        ),
        Says::Silent(why) => unanswered(&codes::BLOCKLIST_UNCHECKED, about, &question, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    const FIT: &str = "2.0.0.127.bl.test A 127.0.0.2\ntest.dbl.test A 127.0.1.2\n";

    fn look(zone: &str) -> (Vec<&'static str>, Vec<&'static str>) {
        let lists = ["bl.test", "domain:dbl.test"].map(|text| Blocklist::parse(text).unwrap());
        let server = Server { addresses: vec!["192.0.2.25".parse().unwrap()], ..server() };
        let options = Options { blocklists: lists.to_vec(), ..Options::default() };
        let of_host = settled(zone, |inquiry| host(inquiry, &server, &options));
        let of_domain = settled(zone, |inquiry| domain(inquiry, &server, &served(), &options));
        (told(&of_host), told(&of_domain))
    }

    /// Proves: issue 4, S4-32: "open resolver refused" is never read as listed; each list is tested first.
    #[test]
    fn only_a_list_that_passes_its_test_is_believed() {
        let ok = ("dns.blocklist.ok", "dns.blocklist.ok");
        let listed = "25.2.0.192.bl.test A 127.0.0.3";
        for (zone, host, domain) in [
            (FIT.to_owned(), ok.0, ok.1),
            (format!("{FIT}{listed}"), "dns.blocklist.listed", ok.1),
            (format!("{FIT}example.org.dbl.test A 127.0.1.4"), ok.0, "dns.blocklist.listed"),
            (format!("{FIT}25.2.0.192.bl.test A 127.255.255.254"), "dns.blocklist.unchecked", ok.1),
            (format!("{FIT}25.2.0.192.bl.test A 198.51.100.1"), "dns.blocklist.unchecked", ok.1),
            (format!("{FIT}25.2.0.192.bl.test A !timeout"), "dns.blocklist.unchecked", ok.1),
            (format!("{FIT}1.0.0.127.bl.test A 127.0.0.2\n{listed}"), "dns.blocklist.unchecked", ok.1),
            (
                format!("2.0.0.127.bl.test A 127.255.255.254\n{listed}"),
                "dns.blocklist.unchecked",
                "dns.blocklist.unchecked",
            ),
            (listed.to_owned(), "dns.blocklist.unchecked", "dns.blocklist.unchecked"),
        ] {
            assert_eq!(look(&zone), (vec![host], vec![domain]), "{zone}");
        }
    }

    /// Proves: off by default.
    #[test]
    fn nobody_is_asked_where_no_list_is_named() {
        let findings = settled("", |inquiry| host(inquiry, &server(), &Options::default()));
        assert!(findings.is_empty());
    }
}
