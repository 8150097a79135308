//! TLS-RPT: where others report broken TLS (RFC 8460 §3).

use super::{Code, Findings, Options, codes, unanswered};
use crate::mail::{
    dmarc,
    dns::{Entry, Inquiry, Kind, Name, Question},
    record,
    server::{Served, Server},
    tags,
};

/// Judges the record of a domain.
pub fn judge(inquiry: &Inquiry<'_>, _server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = &served.domain;
    let Ok(name) = Name::from(domain).child("_smtp._tls") else {
        return Some(vec![codes::TLS_RPT_ABSENT.of(domain, "not used")]);
    };
    let question = Question::new(&name, Kind::Txt);
    let answer = inquiry.ask(question.clone())?;
    let texts = match answer.texts() {
        Ok(texts) => texts,
        Err(why) => return Some(vec![unanswered(&codes::TLS_RPT_UNCHECKED, domain, &question, why)]),
    };
    let wanted = Entry::txt(&name, &record::tls_reports(domain, &options.wishes));
    let told = |code: &Code, summary: String| {
        let finding = code.of(domain, summary);
        texts.iter().fold(finding, |finding, text| finding.found(Entry::txt(&name, text)))
    };
    let records: Vec<&String> = texts.iter().filter(|text| text.starts_with("v=TLSRPTv1")).collect();
    Some(vec![match records[..] {
        // What does not begin so is passed over (RFC 8460 §3): perhaps it was never meant, as a wildcard's.
        [] if !texts.iter().any(|text| text.to_ascii_lowercase().contains("tlsrpt")) => {
            told(&codes::TLS_RPT_ABSENT, "not used (optional)".into()).publish(wanted)
        }
        [] => told(&codes::TLS_RPT_BROKEN, "the record does not begin with v=TLSRPTv1;".into())
            .publish(wanted)
            .remedy(format!("mend the record at {name}")),
        [one] => match fault(one) {
            None => told(&codes::TLS_RPT_OK, "reports about broken TLS are asked for".into()),
            Some(what) => told(&codes::TLS_RPT_BROKEN, what)
                .publish(wanted)
                .remedy(format!("mend the record at {name}")),
        },
        _ => told(&codes::TLS_RPT_SEVERAL, format!("{} records count as none", records.len()))
            .publish(match records.iter().filter(|text| fault(text).is_none()).min() {
                Some(text) => Entry::txt(&name, text),
                None => wanted,
            })
            .remedy(format!("leave one of them at {name}")),
    }])
}

fn fault(text: &str) -> Option<String> {
    let tags = match tags::parse(text) {
        Ok(tags) => tags,
        Err(part) => return Some(format!("cannot be read at {part:?}")),
    };
    if tags.first().is_none_or(|tag| tag.name != "v" || tag.value != "TLSRPTv1") {
        return Some("v=TLSRPTv1 must be its first tag".to_owned());
    }
    let Some(rua) = tags.iter().find(|tag| tag.name == "rua") else {
        return Some("it has no rua= with an address for reports".to_owned());
    };
    let good = |uri: &str| match uri.split_once(':') {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto") => {
            dmarc::domain_of(address).is_some()
        }
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
            rest.len() > 2 && rest.starts_with("//")
        }
        _ => false,
    };
    let bad = rua.value.split(',').map(str::trim).find(|uri| !good(uri))?;
    Some(format!("{bad:?} is neither mailto:ADDRESS nor an https URL"))
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// Proves: RFC 8460 §3.
    #[test]
    fn each_form_of_tls_rpt_is_told_apart() {
        let at = "_smtp._tls.example.org TXT";
        for (record, code) in [
            ("\"v=TLSRPTv1; rua=mailto:a@example.org\"", "dns.tls_rpt.ok"),
            ("\"v=TLSRPTv1;rua=https://example.org/r,mailto:a@example.org\"", "dns.tls_rpt.ok"),
            ("\"v=TLSRPTv1\"", "dns.tls_rpt.broken"),
            ("\"v=TLSRPTv1; rua=a@example.org\"", "dns.tls_rpt.broken"),
            ("\"v=TLSRPTv2; rua=mailto:a@example.org\"", "dns.tls_rpt.broken"),
            ("\"v=TLSRPTv1 rua=mailto:a@example.org\"", "dns.tls_rpt.broken"),
            ("!timeout", "dns.tls_rpt.unchecked"),
        ] {
            assert_eq!(codes_of(judge, &format!("{at} {record}")), [code], "{record}");
        }
        assert_eq!(codes_of(judge, ""), ["dns.tls_rpt.absent"]);
        let one = format!("{at} \"v=TLSRPTv1; rua=mailto:a@example.org\"");
        assert_eq!(codes_of(judge, &format!("{one}\n{one}")), ["dns.tls_rpt.several"]);
    }
}
