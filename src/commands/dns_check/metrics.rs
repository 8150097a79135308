//! The findings for Prometheus, in its text format.

use super::report::Section;
use crate::mail::finding::Verdict;

/// A sample per finding. What could not be checked is neither good nor bad and has a metric of its own. Names of
/// DNS hold no quotes and no line ends, so labels need no escape.
pub fn text(sections: &[Section], now: i64) -> String {
    let mut judged = String::from(
        "# HELP mailctl_dns_check How a check of DNS stands: 0 ok, 1 warning, 2 error.\n\
         # TYPE mailctl_dns_check gauge\n",
    );
    let mut open = String::from(
        "# HELP mailctl_dns_unchecked A check of DNS that got no answer that counts.\n\
         # TYPE mailctl_dns_unchecked gauge\n",
    );
    let mut samples: Vec<(String, Option<u8>)> = Vec::new();
    for finding in sections.iter().flat_map(|section| &section.findings) {
        let labels = format!(
            "{{domain=\"{}\",subject=\"{}\",code=\"{}\"}}",
            finding.about,
            finding.subject.name(),
            finding.code
        );
        let value = match finding.verdict {
            Verdict::Ok => Some(0),
            Verdict::Warning => Some(1),
            Verdict::Error => Some(2),
            Verdict::CouldNotCheck => None,
        };
        // Several keys can have the same code; a series stands once.
        if !samples.iter().any(|(known, _)| *known == labels) {
            samples.push((labels, value));
        }
    }
    for (labels, value) in samples {
        match value {
            Some(value) => judged.push_str(&format!("mailctl_dns_check{labels} {value}\n")),
            None => open.push_str(&format!("mailctl_dns_unchecked{labels} 1\n")),
        }
    }
    format!(
        "{judged}{open}# HELP mailctl_dns_check_time_seconds When DNS was asked.\n\
         # TYPE mailctl_dns_check_time_seconds gauge\nmailctl_dns_check_time_seconds {now}\n"
    )
}
