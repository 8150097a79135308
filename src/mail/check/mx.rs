//! MX: whether mail for the domain comes to this server (RFC 5321 §5.1).

use super::{
    Code, Findings, Options, codes,
    reach::{Reach, is_private, list, ours, reach, reach_all},
    unanswered,
};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name, Question},
    finding::{Finding, Verdict},
    server::{Served, Server},
};
use std::net::{IpAddr, Ipv4Addr};

/// One MX record with what is known of its target.
struct Mx<'a> {
    preference: u16,
    reach: Reach<'a>,
    ours: bool,
}

/// Judges the MX records of a domain.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = &served.domain;
    let name = Name::from(domain);
    let question = Question::new(&name, Kind::Mx);
    let answer = inquiry.ask(question.clone());
    // Of a foreign domain nothing is ours, whatever leads here.
    let ours = if options.foreign { Some(Vec::new()) } else { ours(inquiry, server) };
    let (answer, ours) = (answer?, ours?);
    let records = match answer.records() {
        Ok(records) => records,
        Err(why) => return Some(vec![unanswered(&codes::MX_UNCHECKED, domain, &question, why)]),
    };
    let mut pairs: Vec<(u16, Name)> = records.iter().filter_map(pair).collect();
    pairs.sort();
    let wanted = Entry::new(&name, Data::Mx { preference: 10, exchange: Name::from(&server.host) });
    let told = |code: &Code, summary: String| {
        let finding = code.of(domain, summary);
        let finding = records.iter().fold(finding, |finding, data| finding.found(line(&name, data)));
        if options.foreign || code.verdict == Verdict::Ok { finding } else { finding.publish(wanted.clone()) }
    };
    if pairs.is_empty() {
        return missing(inquiry, &name, &ours, &told, options);
    }
    if pairs.iter().any(|(_, exchange)| exchange.is_root()) {
        return Some(vec![null(&pairs, options, &told)]);
    }
    let targets = reach_all(inquiry, pairs.iter().map(|(_, exchange)| exchange.clone()))?;
    let host = Name::from(&server.host);
    let all: Vec<Mx<'_>> = pairs
        .iter()
        .zip(targets)
        .map(|((preference, exchange), reach)| {
            let ours = !options.foreign && *exchange == host
                || reach.addresses.iter().any(|address| ours.contains(address));
            Mx { preference: *preference, reach, ours }
        })
        .collect();
    Some(weighed(&all, options, &told))
}

fn pair(data: &Data) -> Option<(u16, Name)> {
    match data {
        Data::Mx { preference, exchange } => Some((*preference, exchange.clone())),
        _ => None,
    }
}

fn line(name: &Name, data: &Data) -> Entry {
    Entry::new(name, data.clone())
}

/// No MX: mail goes to the address of the domain itself, if it has one (RFC 5321 §5.1).
fn missing(
    inquiry: &Inquiry<'_>,
    name: &Name,
    ours: &[IpAddr],
    told: &dyn Fn(&Code, String) -> Finding,
    options: &Options,
) -> Findings {
    let own = reach(inquiry, name)?;
    if let Some((question, why)) = &own.silent
        && own.addresses.is_empty()
    {
        return Some(vec![unanswered(&codes::MX_UNCHECKED, name, question, why)]);
    }
    let implicit = own.addresses.iter().any(|address| ours.contains(address))
        || options.foreign && !own.addresses.is_empty();
    let finding = if implicit {
        told(&codes::MX_IMPLICIT, format!("{name} has no MX; mail goes to its own address"))
            .found(format!("{name} has the address {}", list(&own.addresses)))
    } else if own.addresses.is_empty() {
        told(&codes::MX_MISSING, format!("nobody can write to {name}: it has no MX"))
            .found(format!("no MX and no address at {name}"))
    } else {
        told(&codes::MX_MISSING, format!("{name} has no MX, so its mail goes to its web server"))
            .found(format!("no MX; {name} has the address {}, which is not ours", list(&own.addresses)))
    };
    let finding = finding.remedy("publish the MX record at the provider of the zone");
    Some(vec![finding])
}

/// RFC 7505.
fn null(pairs: &[(u16, Name)], options: &Options, told: &dyn Fn(&Code, String) -> Finding) -> Finding {
    if pairs.len() > 1 {
        return told(&codes::MX_NULL_BESIDE, "a null MX stands beside others".to_owned())
            .remedy("remove the record with the single dot (RFC 7505 §3: it must stand alone)");
    }
    if options.foreign && pairs[0].0 == 0 {
        return told(&codes::MX_OK, "the domain takes no mail, and says so (null MX)".to_owned());
    }
    if options.foreign {
        return told(&codes::MX_NULL, format!("a null MX with the preference {}", pairs[0].0))
            .remedy("give it the preference 0, or senders may take it for a broken record (RFC 7505 §3)");
    }
    told(&codes::MX_NULL, "the domain says that it takes no mail at all (null MX)".to_owned())
        .remedy("put the MX record of this server in the place of the one with the single dot")
}

/// All records with their targets.
fn weighed(all: &[Mx<'_>], options: &Options, told: &dyn Fn(&Code, String) -> Finding) -> Vec<Finding> {
    // Where nothing answers at all it is no matter of one that is left over.
    let dead = all.iter().all(|mx| mx.reach.addresses.is_empty() && mx.reach.silent.is_none());
    let mut findings: Vec<Finding> = all.iter().filter_map(|mx| target(mx, dead, told)).collect();
    let doubled = all
        .iter()
        .enumerate()
        .find(|(index, mx)| all[..*index].iter().any(|other| other.reach.name == mx.reach.name));
    if let Some((_, mx)) = doubled {
        let summary = format!("{} stands twice", mx.reach.name);
        findings.push(told(&codes::MX_DOUBLED, summary).remedy("keep one of the two records"));
    }
    if !options.foreign {
        findings.extend(order(all, told));
    }
    if findings.iter().all(|finding| finding.verdict == Verdict::Ok) {
        let whose = if options.foreign { "mail goes to" } else { "mail comes to this server:" };
        let names = list(all.iter().map(|mx| &mx.reach.name));
        findings.push(told(&codes::MX_OK, format!("{whose} {names}")));
    }
    findings
}

/// Whose servers they are, and who is asked first.
fn order(all: &[Mx<'_>], told: &dyn Fn(&Code, String) -> Finding) -> Option<Finding> {
    let best = all.iter().filter(|mx| mx.ours).map(|mx| mx.preference).min();
    // Of whose address nothing is known nobody can say that it is another's.
    let known = |mx: &&Mx<'_>| mx.reach.silent.is_none() || !mx.reach.addresses.is_empty();
    let other = |mx: &&Mx<'_>| !mx.ours && (best.is_none() || known(mx));
    let others = list(all.iter().filter(other).map(|mx| &mx.reach.name));
    let unknown = all.iter().find_map(|mx| mx.reach.silent.as_ref().filter(|_| !mx.ours));
    match (best, unknown) {
        // Whose it is cannot be told, so "not ours" would be a guess.
        (None, Some((question, why))) => Some(
            unanswered(&codes::MX_UNCHECKED, &question.name, question, why)
                .found(format!("so it is not known whether {others} is this server")),
        ),
        (None, None) => Some(
            told(&codes::MX_ELSEWHERE, format!("mail goes to another server: {others}"))
                .remedy("publish the MX record of this server, and remove those of the other"),
        ),
        (Some(_), _) if others.is_empty() => None,
        (Some(best), _) if all.iter().any(|mx| other(&mx) && mx.preference <= best) => Some(
            told(&codes::MX_NOT_FIRST, format!("{others} is asked before this server, or as often"))
                .remedy("remove the other record, or give it a higher number than ours"),
        ),
        (Some(_), _) => Some(
            told(&codes::MX_BACKUP, format!("{others} takes mail when this server does not answer"))
                .remedy("keep it only if that server knows your users and hands mail on to this one"),
        ),
    }
}

/// What is wrong with the target itself.
fn target(mx: &Mx<'_>, dead: bool, told: &dyn Fn(&Code, String) -> Finding) -> Option<Finding> {
    let name = &mx.reach.name;
    if name.as_str().parse::<Ipv4Addr>().is_ok() || name.as_str().starts_with('[') {
        let summary = format!("the target {name} is an address; an MX names a host");
        return Some(told(&codes::MX_LITERAL, summary).remedy("write the host's name in its place"));
    }
    if let Some(real) = mx.reach.aliases.last() {
        return Some(
            told(&codes::MX_ALIAS, format!("the target {name} is a CNAME, which an MX must not name"))
                .found(format!("{name}. IN CNAME {real}."))
                .remedy(format!("name {real} in the MX, or give {name} A and AAAA records (RFC 2181 §10.3)")),
        );
    }
    if !mx.reach.addresses.is_empty() {
        let hidden = mx.reach.addresses.iter().all(|address| is_private(*address));
        // Of our own the subject address tells.
        return (hidden && !mx.ours && mx.reach.silent.is_none()).then(|| {
            let addresses = list(&mx.reach.addresses);
            told(
                &codes::MX_PRIVATE,
                format!("the target {name} has only {addresses}, which the Internet cannot reach"),
            )
            .found(format!("{name} has the address {addresses}"))
            .remedy(format!("remove the record that names {name}, or give it a public address"))
        });
    }
    if let Some((question, why)) = &mx.reach.silent {
        return Some(unanswered(&codes::MX_UNCHECKED, name, question, why));
    }
    let code = if mx.ours || dead { &codes::MX_DEAD } else { &codes::MX_OTHER_DEAD };
    let summary = format!("the target {name} has no address");
    let remedy = if mx.ours {
        format!("publish A (and AAAA) records for {name}; mailctl dns-check --only address shows which")
    } else {
        format!("remove the record that names {name}")
    };
    Some(told(code, summary).found(format!("{name} has neither A nor AAAA")).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    const HOST: &str = "mail.example.org A 192.0.2.25\nmail.example.org AAAA 2001:db8::25\n";

    fn codes(zone: &str) -> Vec<&'static str> {
        codes_of(judge, &format!("{HOST}{zone}"))
    }

    /// Proves: S0-32, S4-11 (MX target), and each wrong form.
    #[test]
    fn each_form_of_mx_is_told_apart() {
        for (zone, code) in [
            ("example.org MX 10 mail.example.org", "dns.mx.ok"),
            ("example.org MX 0 mx.example.org\nmx.example.org A 192.0.2.25", "dns.mx.ok"),
            ("", "dns.mx.missing"),
            ("example.org A 198.51.100.9", "dns.mx.missing"),
            ("example.org A 192.0.2.25", "dns.mx.implicit"),
            ("example.org MX 0 .", "dns.mx.null"),
            ("example.org MX 0 .\nexample.org MX 10 mail.example.org", "dns.mx.null_beside"),
            ("example.org MX 10 mx.net\nmx.net A 198.51.100.9", "dns.mx.elsewhere"),
            (
                "example.org MX 10 mail.example.org\nexample.org MX 20 mx.net\nmx.net A 198.51.100.9",
                "dns.mx.backup",
            ),
            (
                "example.org MX 10 mail.example.org\nexample.org MX 10 mx.net\nmx.net A 198.51.100.9",
                "dns.mx.not_first",
            ),
            ("example.org MX 1 a.org\na.org CNAME mail.example.org", "dns.mx.alias"),
            ("example.org MX 10 mail.example.org\nexample.org MX 20 mail.example.org", "dns.mx.doubled"),
            ("example.org MX !timeout", "dns.mx.unchecked"),
            ("example.org MX !servfail", "dns.mx.unchecked"),
            ("example.org MX !refused", "dns.mx.unchecked"),
        ] {
            assert_eq!(codes(zone), [code], "{zone}");
        }
        assert_eq!(codes("example.org MX 10 192.0.2.25"), ["dns.mx.literal", "dns.mx.elsewhere"]);
        assert_eq!(codes_of(judge, "example.org MX 10 mail.example.org"), ["dns.mx.dead"]);
    }

    /// Proves: silence about a target is neither "elsewhere" nor "ok".
    #[test]
    fn a_silent_target_is_not_judged() {
        let zone = "example.org MX 10 mx.net\nmx.net A !timeout\nmx.net AAAA !timeout";
        assert!(codes(zone).iter().all(|code| *code == "dns.mx.unchecked"), "{:?}", codes(zone));
    }

    #[test]
    fn the_remedy_is_the_record() {
        let findings = findings_of(judge, "example.org MX 0 .");
        assert_eq!(findings[0].expected, ["example.org. IN MX 10 mail.example.org."]);
        assert_eq!(findings[0].found, ["example.org. IN MX 0 ."]);
    }

    /// Proves: a domain that is not served here is looked at, and compared with nothing.
    #[test]
    fn a_foreign_domain_may_have_its_own_server() {
        let options = Options { foreign: true, ..Options::default() };
        let look =
            |zone: &str| told(&settled(zone, |inquiry| judge(inquiry, &server(), &served(), &options)));
        assert_eq!(look("example.org MX 10 mx.net\nmx.net A 198.51.100.9"), ["dns.mx.ok"]);
        assert_eq!(look("example.org MX 0 ."), ["dns.mx.ok"]);
        assert_eq!(look("example.org MX 10 mx.net"), ["dns.mx.dead"], "nobody takes its mail");
        let one = "example.org MX 10 mx.net\nmx.net A 198.51.100.9\nexample.org MX 20 old.net";
        assert_eq!(look(one), ["dns.mx.other_dead"]);
        assert_eq!(look(&format!("{one}\nold.net A 10.1.2.3")), ["dns.mx.private"]);
        // Our own name and address are nothing special there.
        assert_eq!(look("example.org MX 10 mail.example.org"), ["dns.mx.dead"]);
    }

    /// Proves: of a server whose address is not answered nobody says that it is another's.
    #[test]
    fn a_silent_backup_is_not_called_foreign() {
        let zone = "example.org MX 10 mail.example.org\nmail.example.org A 192.0.2.25\n\
                    example.org MX 20 mx2.example.org\nmx2.example.org A !servfail\nmx2.example.org AAAA !servfail";
        assert_eq!(codes(zone), ["dns.mx.unchecked"]);
    }
}
