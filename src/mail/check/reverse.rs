//! PTR of every address that mail leaves from, and back (RFC 8601 §3: `iprev`).

use super::{
    Code, Findings, Options, codes,
    reach::{list, ours, reach_all},
    unanswered,
};
use crate::mail::{
    dns::{Answer, Data, Entry, Inquiry, Kind, Name, Question, Silence},
    finding::Finding,
    server::Server,
};
use std::net::IpAddr;

/// Judges the names of all addresses.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, _options: &Options) -> Findings {
    let host = &server.host;
    if let Some(relay) = &server.relay {
        let summary = format!("mail leaves through {relay}; its addresses count, not ours");
        return Some(vec![codes::REVERSE_RELAY.of(host, summary)]);
    }
    let ours = ours(inquiry, server)?;
    if ours.is_empty() {
        let finding = codes::REVERSE_UNKNOWN.of(host, "no address of this server is known");
        return Some(vec![
            finding.expected("dns.addresses in mailctl.toml, or an address of the host name").remedy(
                "set dns.addresses in mailctl.toml; mailctl dns-check --only address tells about the name",
            ),
        ]);
    }
    super::all(ours.iter().map(|address| one(inquiry, server, *address)).collect())
}

/// The question for the name of an address.
pub(super) fn question(address: IpAddr) -> Question {
    Question::new(Name::reverse(address), Kind::Ptr)
}

/// The names in an answer.
pub(super) fn names(answer: &Answer) -> Vec<Name> {
    let records = answer.records().unwrap_or_default();
    let name = |data: &Data| if let Data::Ptr(name) = data { Some(name.clone()) } else { None };
    records.iter().filter_map(name).collect()
}

/// A name of the address that leads back to it, as Postfix looks for the client's (`smtpd_client_name`); `Ok(None)` = there
/// is none, `Err` = DNS gave no answer that counts. `None` = answers are missing.
pub fn confirmed(inquiry: &Inquiry<'_>, address: IpAddr) -> Option<Result<Option<Name>, Silence>> {
    let address = address.to_canonical();
    let answer = inquiry.ask(question(address))?;
    if let Err(why) = answer.records() {
        return Some(Err(why.clone()));
    }
    let back = reach_all(inquiry, names(answer))?;
    if let Some(found) = back.iter().find(|reach| reach.addresses.contains(&address)) {
        return Some(Ok(Some(found.name.clone())));
    }
    let silent = back.iter().find_map(|reach| reach.silent.as_ref());
    Some(silent.map_or(Ok(None), |(_, why)| Err((*why).clone())))
}

fn one(inquiry: &Inquiry<'_>, server: &Server, address: IpAddr) -> Findings {
    let question = question(address);
    let answer = inquiry.ask(question.clone())?;
    if let Err(why) = answer.records() {
        return Some(vec![unanswered(&codes::REVERSE_UNCHECKED, &server.host, &question, why)]);
    }
    let names = names(answer);
    let told = |code: &Code, summary: String| {
        let finding = code.of(&server.host, summary);
        names
            .iter()
            .fold(finding, |finding, name| finding.found(Entry::new(&question.name, Data::Ptr(name.clone()))))
    };
    let named = |finding: Finding| {
        let wanted = Entry::new(&question.name, Data::Ptr(Name::from(&server.host)));
        finding.publish(wanted).remedy(format!(
            "set the reverse name of {address} to {} where you rent the address (not in your own zone)",
            server.host
        ))
    };
    if names.is_empty() {
        let finding = told(&codes::REVERSE_MISSING, format!("{address} has no name"));
        return Some(vec![named(finding.found(format!("nothing at {}", question.name)))]);
    }
    let back = reach_all(inquiry, names.iter().cloned())?;
    let confirmed: Vec<&Name> =
        back.iter().filter(|reach| reach.addresses.contains(&address)).map(|reach| &reach.name).collect();
    if confirmed.is_empty() {
        if let Some((question, why)) = back.iter().find_map(|reach| reach.silent.as_ref()) {
            return Some(vec![unanswered(&codes::REVERSE_UNCHECKED, &server.host, question, why)]);
        }
        let name = list(&names);
        let summary = format!("{address} is called {name}, and that name does not lead back");
        return Some(vec![named(told(&codes::REVERSE_UNCONFIRMED, summary))]);
    }
    let mut findings = Vec::new();
    if names.len() > 1 {
        let finding = told(&codes::REVERSE_SEVERAL, format!("{address} has {} names", names.len()));
        findings.push(named(finding));
    } else if !confirmed.contains(&&Name::from(&server.host))
        && confirmed.iter().all(|name| generic(name, address))
    {
        let summary = format!("{address} is called {}, a name made of the address", list(&confirmed));
        findings.push(named(told(&codes::REVERSE_GENERIC, summary)));
    } else {
        let summary = format!("{address} is {}, and back", list(&confirmed));
        findings.push(told(&codes::REVERSE_OK, summary));
    }
    Some(findings)
}

/// Whether a provider made the name of the address, or says that it is somebody's line at home.
fn generic(name: &Name, address: IpAddr) -> bool {
    let words =
        ["dyn", "dynamic", "dhcp", "pool", "dsl", "adsl", "ppp", "dialup", "cable", "client", "unassigned"];
    let text = name.as_str();
    if text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| words.contains(&word)) {
        return true;
    }
    match address {
        IpAddr::V4(v4) => {
            let numbers: Vec<u32> =
                text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
            let octets = v4.octets();
            octets.iter().all(|octet| numbers.contains(&u32::from(*octet)))
                || text.contains(&octets.map(|octet| format!("{octet:02x}")).concat())
                || text.contains(&octets.map(|octet| format!("{octet:03}")).concat())
        }
        IpAddr::V6(v6) => {
            let bare: String = text.chars().filter(|c| !"-.".contains(*c)).collect();
            let groups = v6.segments().map(|group| format!("{group:04x}")).concat();
            let short = v6.to_string().replace(':', "-");
            bare.contains(&groups[16..]) || text.contains(&short)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    const HOST: &str = "mail.example.org A 192.0.2.25\nmail.example.org AAAA 2001:db8::25\n";
    const FOUR: &str = "25.2.0.192.in-addr.arpa PTR mail.example.org\n";

    fn six() -> String {
        format!("{} PTR mail.example.org\n", Name::reverse("2001:db8::25".parse().unwrap()))
    }

    fn codes(zone: &str) -> Vec<&'static str> {
        host_codes(judge, &format!("{HOST}{}{zone}", six()))
    }

    /// Proves: S4-10, S4-11 (PTR = HOSTNAME), S2-28, RFC 8601 §3 (forward-confirmed), IPv4 and IPv6.
    #[test]
    fn each_form_of_reverse_name_is_told_apart() {
        let at = "25.2.0.192.in-addr.arpa";
        assert_eq!(codes(FOUR), ["dns.reverse.ok", "dns.reverse.ok"]);
        assert_eq!(
            codes(&format!("{at} PTR h.net\nh.net A 192.0.2.25")),
            ["dns.reverse.ok", "dns.reverse.ok"]
        );
        for (zone, code) in [
            (String::new(), "dns.reverse.missing"),
            (format!("{at} PTR h.net"), "dns.reverse.unconfirmed"),
            (format!("{at} PTR h.net\nh.net A 198.51.100.1"), "dns.reverse.unconfirmed"),
            (format!("{at} PTR h.net\nh.net A !timeout"), "dns.reverse.unchecked"),
            (format!("{at} PTR 192-0-2-25.h.net\n192-0-2-25.h.net A 192.0.2.25"), "dns.reverse.generic"),
            (format!("{at} PTR host.dyn.net\nhost.dyn.net A 192.0.2.25"), "dns.reverse.generic"),
            (format!("{FOUR}{at} PTR h.net"), "dns.reverse.several"),
            (format!("{at} PTR !timeout"), "dns.reverse.unchecked"),
            (format!("{at} PTR !servfail"), "dns.reverse.unchecked"),
            (format!("{at} PTR !refused"), "dns.reverse.unchecked"),
        ] {
            assert_eq!(codes(&zone), [code], "{zone}");
        }
        let no_six = host_codes(judge, &format!("{HOST}{FOUR}"));
        assert_eq!(no_six, ["dns.reverse.missing"], "IPv6 counts as well");
    }

    #[test]
    fn without_an_address_nothing_is_claimed() {
        let unknown = Server { addresses: Vec::new(), ..server() };
        let relayed = Server { relay: Some("[smtp.example.net]:587".to_owned()), ..server() };
        let look =
            |server: &Server| told(&settled("", |inquiry| judge(inquiry, server, &Options::default())));
        assert_eq!(look(&unknown), ["dns.reverse.unknown"]);
        assert_eq!(look(&relayed), ["dns.reverse.relay"]);
    }

    #[test]
    fn names_made_of_addresses_are_known() {
        let made = |name: &str, address: &str| generic(&Name::parse(name).unwrap(), address.parse().unwrap());
        assert!(made("static.25.2.0.192.clients.h.net", "192.0.2.25"));
        assert!(made("c0000219.h.net", "192.0.2.25"));
        assert!(made("2001-db8--25.h.net", "2001:db8::25"));
        assert!(!made("mail.example.org", "192.0.2.25"));
        assert!(!made("mx25.example.org", "192.0.2.25"));
    }
}
