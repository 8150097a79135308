//! A judgement that asks what a whole check of a domain asks, without judging; the tests and the benchmark drive it.

use crate::common::dns::Zone;
use mailctl::mail::dns::{Data, Inquiry, Kind, Name, Question};

/// Twenty-four questions of the kinds that a whole check asks, one chain of three among them: MX, its address, and
/// who that address says it is.
pub fn judge(inquiry: &Inquiry<'_>, domain: &Name) -> Option<usize> {
    let mut answers = Vec::new();
    for kind in [Kind::Txt, Kind::Ns, Kind::Soa, Kind::Caa] {
        answers.push(inquiry.ask(Question::new(domain, kind)));
    }
    for (label, kind) in [
        ("_dmarc", Kind::Txt),
        ("_mta-sts", Kind::Txt),
        ("_smtp._tls", Kind::Txt),
        ("m202611._domainkey", Kind::Txt),
        ("m202610._domainkey", Kind::Txt),
        ("mta-sts", Kind::A),
        ("mta-sts", Kind::Aaaa),
        ("autoconfig", Kind::A),
        ("autoconfig", Kind::Aaaa),
        ("autodiscover", Kind::A),
        ("autodiscover", Kind::Aaaa),
        ("_imaps._tcp", Kind::Srv),
        ("_imap._tcp", Kind::Srv),
        ("_submissions._tcp", Kind::Srv),
        ("_submission._tcp", Kind::Srv),
        ("_autodiscover._tcp", Kind::Srv),
        ("nothing-has-this-name", Kind::Mx),
    ] {
        answers.push(inquiry.ask(Question::new(domain.child(label).unwrap(), kind)));
    }
    let mx = inquiry.ask(Question::new(domain, Kind::Mx))?;
    for record in mx.records().unwrap_or_default() {
        let Data::Mx { exchange, .. } = record else { continue };
        let addresses = inquiry.ask(Question::new(exchange, Kind::A))?;
        for record in addresses.records().unwrap_or_default() {
            let Data::A(address) = record else { continue };
            answers.push(inquiry.ask(Question::new(Name::reverse((*address).into()), Kind::Ptr)));
        }
    }
    answers.into_iter().collect::<Option<Vec<_>>>().map(|answers| answers.len() + 2)
}

/// A server for a hundred domains, and their names.
pub fn zones() -> (Vec<Zone>, Vec<Name>) {
    let mut zones = vec![
        Zone::new("example.org", "mail A 192.0.2.25\n"),
        Zone::new("2.0.192.in-addr.arpa", "25 PTR mail.example.org.\n"),
    ];
    let names: Vec<Name> =
        (0..100).map(|number| Name::parse(&format!("d{number}.example.net")).unwrap()).collect();
    zones.extend(names.iter().map(|name| {
        Zone::new(
            name.as_str(),
            "@ MX 10 mail.example.org.\n@ TXT \"v=spf1 mx -all\"\n_dmarc TXT \"v=DMARC1; p=none\"\n",
        )
    }));
    (zones, names)
}
