//! The name in the greeting (RFC 5321 §2.3.5, §4.1.1.1).

use super::{
    Findings, Options, codes,
    reach::{list, ours, reach},
    reverse, unanswered,
};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Name},
    finding::Finding,
    server::Server,
};

/// Last labels that exist in no public DNS (RFC 6761, RFC 6762, RFC 8375, and what people invent).
const LOCAL: [&str; 9] =
    ["local", "lan", "internal", "localdomain", "localhost", "invalid", "intranet", "corp", "home"];

/// Judges the host name as a greeting.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    let host = Name::from(&server.host);
    let found = reach(inquiry, &host);
    let ours = ours(inquiry, server);
    let pointers = ours.as_ref().map(|ours| {
        let all: Vec<_> =
            ours.iter().map(|one| inquiry.ask(reverse::question(*one)).map(|a| (*one, a))).collect();
        all.into_iter().collect::<Option<Vec<_>>>()
    });
    let mut findings: Vec<Finding> = Vec::new();
    if options.served.contains(&server.host) {
        findings.push(
            codes::HELO_SERVED
                .of(&host, format!("{host} is this server's own name and a served domain"))
                .found(format!("HOSTNAME={host}"))
                .expected("a host name of its own, like mail.example.org")
                .remedy("change HOSTNAME in settings.env, or stop to serve it: mailctl domain del"),
        );
    }
    if let Some(last) = host.labels().next_back().filter(|last| LOCAL.contains(last)) {
        findings.push(
            codes::HELO_LOCAL
                .of(&host, format!(".{last} exists in no public DNS"))
                .found(format!("HOSTNAME={host}"))
                .expected("a name within a domain of yours")
                .remedy("change HOSTNAME in settings.env, then: mailctl up"),
        );
        return Some(findings);
    }
    let (found, pointers) = (found?, pointers??);
    if found.addresses.is_empty() {
        findings.push(match &found.silent {
            Some((question, why)) => unanswered(&codes::HELO_UNCHECKED, &host, question, why),
            None => {
                let finding =
                    codes::HELO_UNRESOLVED.of(&host, format!("we greet as {host}, which has no address"));
                let finding = finding.found(format!("neither A nor AAAA at {host}"));
                let entries = server.addresses.iter().map(|one| super::address::entry(&host, *one));
                entries
                    .fold(finding, Finding::publish)
                    .remedy(format!("publish the address of this server at {host}"))
            }
        });
    }
    // Through a relay, receivers see the relay's greeting.
    if server.relay.is_none() {
        for (address, answer) in pointers {
            if let Err(why) = answer.records() {
                let question = reverse::question(address);
                findings.push(unanswered(&codes::HELO_UNCHECKED, &host, &question, why));
            }
            let names = reverse::names(answer);
            if !names.is_empty() && !names.contains(&host) {
                let at = Name::reverse(address);
                let name = list(&names);
                let finding =
                    codes::HELO_PTR.of(&host, format!("{address} is called {name}, and greets as {host}"));
                findings.push(
                    names
                        .iter()
                        .fold(finding, |finding, name| {
                            finding.found(Entry::new(&at, Data::Ptr(name.clone())))
                        })
                        .publish(Entry::new(&at, Data::Ptr(host.clone())))
                        .remedy(format!(
                            "set the reverse name of {address} to {host} where you rent the address"
                        )),
                );
            }
        }
    }
    if findings.is_empty() {
        findings.push(codes::HELO_OK.of(&host, format!("we greet as {host}")));
    }
    Some(findings)
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};
    use crate::mail::address::Domain;

    const HOST: &str = "mail.example.org A 192.0.2.25\n";

    /// Proves: S2-28, S4-11 (hostname = A = PTR), RFC 5321 §2.3.5.
    #[test]
    fn each_form_of_greeting_is_told_apart() {
        let other = format!("{HOST}25.2.0.192.in-addr.arpa PTR h.net");
        for (zone, code) in [
            (HOST, "dns.helo.ok"),
            ("", "dns.helo.unresolved"),
            ("mail.example.org A !timeout", "dns.helo.unchecked"),
            (other.as_str(), "dns.helo.ptr"),
        ] {
            assert_eq!(host_codes(judge, zone), [code], "{zone}");
        }
        let local = Server { host: Domain::parse("mail.lan").unwrap(), ..server() };
        let findings = settled("", |inquiry| judge(inquiry, &local, &Options::default()));
        assert_eq!(told(&findings), ["dns.helo.local"]);
        let options = Options { served: vec![server().host], ..Options::default() };
        let findings = settled(HOST, |inquiry| judge(inquiry, &server(), &options));
        assert_eq!(told(&findings), ["dns.helo.served"]);
    }
}
