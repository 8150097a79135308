//! What mail programs ask for to find the server by themselves (RFC 6186, RFC 8314 §5.1).

use super::{
    Code, Findings, Options, codes,
    reach::{list, ours, reach_all},
    unanswered,
};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name, Question},
    finding::{Finding, Verdict},
    record,
    server::{Served, Server},
};

/// Judges SRV records and the names that mail programs try.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = &served.domain;
    let zone = Name::from(domain);
    if options.foreign {
        return Some(vec![
            codes::AUTOCONFIG_FOREIGN.of(domain, "not looked at: its server is not known here"),
        ]);
    }
    let services = record::services(&server.services);
    let services: Vec<(Name, u16)> =
        services.iter().filter_map(|(label, port)| Some((zone.child(label).ok()?, *port))).collect();
    let answers: Vec<_> =
        services.iter().map(|(name, _)| inquiry.ask(Question::new(name, Kind::Srv))).collect();
    let names = record::SETUP.into_iter().filter_map(|label| zone.child(label).ok());
    let (names, ours) = (reach_all(inquiry, names), ours(inquiry, server));
    let mut findings = Vec::new();
    let mut absent: Vec<Entry> = Vec::new();
    for ((name, port), answer) in services.iter().zip(answers) {
        let wanted = Entry::new(name, srv(server, *port));
        match answer?.records() {
            Err(why) => {
                let question = Question::new(name, Kind::Srv);
                findings.push(unanswered(&codes::AUTOCONFIG_UNCHECKED, domain, &question, why));
            }
            Ok([]) if *port != 0 => absent.push(wanted),
            Ok([]) => {}
            Ok(records) => findings.extend(service(domain.as_str(), records, wanted, *port)),
        }
    }
    let (names, ours) = (names?, ours?);
    for found in names.iter().filter(|found| found.addresses.is_empty()) {
        if let Some((question, why)) = &found.silent {
            findings.push(unanswered(&codes::AUTOCONFIG_UNCHECKED, domain, question, why));
        }
    }
    for found in names.iter().filter(|found| !ours.is_empty() && !found.addresses.is_empty()) {
        if !found.addresses.iter().any(|address| ours.contains(address)) {
            let name = &found.name;
            let summary = format!("{name} leads to another server, which mail programs then ask");
            let finding = told(&codes::AUTOCONFIG_NAME, domain.as_str(), summary);
            findings.push(
                finding
                    .found(format!("{name} has the address {}", list(&found.addresses)))
                    .expected(format!("{}. IN CNAME {}., or nothing", name, server.host))
                    .remedy(format!(
                        "remove {name} where it knows nothing about your mail (a wildcard may be behind it)"
                    )),
            );
        }
    }
    // Only where mailctld answers them; a name that is silent is neither there nor absent.
    let missing = names.iter().filter(|found| found.addresses.is_empty() && found.silent.is_none());
    let here = || Data::Cname(Name::from(&server.host));
    absent.extend(missing.filter(|_| server.policy.is_some()).map(|found| Entry::new(&found.name, here())));
    if findings.iter().all(|finding| finding.verdict == Verdict::Ok) {
        findings.push(if absent.is_empty() {
            told(
                &codes::AUTOCONFIG_OK,
                domain.as_str(),
                "mail programs find the server by themselves".to_owned(),
            )
        } else {
            let summary = format!("{} optional records are not published", absent.len());
            let finding = told(&codes::AUTOCONFIG_ABSENT, domain.as_str(), summary);
            absent.into_iter().fold(finding, Finding::publish)
        });
    }
    Some(findings)
}

fn told(code: &Code, domain: &str, summary: String) -> Finding {
    code.of(domain, summary)
}

/// A service, or with port 0 that it is not offered (RFC 6186 §3.4).
fn srv(server: &Server, port: u16) -> Data {
    let target = if port == 0 { Name::root() } else { Name::from(&server.host) };
    Data::Srv { priority: 0, weight: u16::from(port != 0), port, target }
}

fn service(domain: &str, records: &[Data], wanted: Entry, port: u16) -> Option<Finding> {
    let place = |data: &Data| match data {
        Data::Srv { port, target, .. } => Some((*port, target.clone())),
        _ => None,
    };
    let right = place(&wanted.data);
    // With the root as the target the port says nothing.
    let fits =
        |data: &Data| place(data) == right || port == 0 && place(data).is_some_and(|(_, to)| to.is_root());
    if records.iter().all(fits) {
        return None;
    }
    let name = wanted.name.clone();
    let offered = records.iter().any(|data| place(data).is_some_and(|(_, to)| !to.is_root()));
    let summary = match (port, offered) {
        (0, _) => format!("{name} leads somewhere, and this server does not offer it"),
        (_, false) => format!("{name} says that the service is not offered, and it is"),
        (_, true) => format!("{name} leads to another place than this server's port {port}"),
    };
    let finding = told(&codes::AUTOCONFIG_SRV, domain, summary);
    let finding =
        records.iter().fold(finding, |finding, data| finding.found(Entry::new(&name, data.clone())));
    Some(finding.publish(wanted).remedy(format!("replace the records at {name} by this one, or remove them")))
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    const HOST: &str = "mail.example.org A 192.0.2.25\n";
    const ALL: &str = "_submissions._tcp.example.org SRV 0 1 465 mail.example.org\n\
                       _submission._tcp.example.org SRV 0 1 587 mail.example.org\n\
                       _imaps._tcp.example.org SRV 0 1 993 mail.example.org\n\
                       _imap._tcp.example.org SRV 5 1 143 mail.example.org\n";

    fn codes(zone: &str) -> Vec<&'static str> {
        codes_of(judge, &format!("{HOST}{zone}"))
    }

    /// Proves: RFC 6186 §3, §3.4, RFC 8314 §5.1.
    #[test]
    fn each_form_of_service_record_is_told_apart() {
        assert_eq!(codes(""), ["dns.autoconfig.absent"]);
        assert_eq!(codes(ALL), ["dns.autoconfig.ok"]);
        assert_eq!(codes(&format!("{ALL}_pop3._tcp.example.org SRV 0 0 0 .")), ["dns.autoconfig.ok"]);
        for wrong in [
            "_imaps._tcp.example.org SRV 0 1 994 mail.example.org",
            "_imaps._tcp.example.org SRV 0 1 993 other.net",
            "_imaps._tcp.example.org SRV 0 0 0 .",
            "_pop3s._tcp.example.org SRV 0 1 995 mail.example.org",
        ] {
            assert_eq!(codes(wrong), ["dns.autoconfig.srv"], "{wrong}");
        }
        assert_eq!(codes("_imaps._tcp.example.org SRV !timeout"), ["dns.autoconfig.unchecked"]);
        assert_eq!(codes("autoconfig.example.org A 198.51.100.1"), ["dns.autoconfig.name"]);
        assert_eq!(codes("autodiscover.example.org CNAME mail.example.org"), ["dns.autoconfig.absent"]);
    }
}
