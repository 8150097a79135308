//! What DNS says of this server and its domains, judged.
//!
//! One file per subject, each a plain function over what is known ([`crate::mail::dns::Inquiry`]); `None` = an
//! answer is still missing, and noted. Silence (a deadline, SERVFAIL, REFUSED) is "could not check", never
//! "wrong" and never "ok".

mod address;
mod autoconfig;
pub mod blocklist;
mod caa;
pub mod codes;
mod dkim;
mod dmarc;
mod dnsbl;
mod dnssec;
mod helo;
mod mta_sts;
mod mx;
mod name_servers;
mod reach;
mod reverse;
mod spf;
mod tls_rpt;
mod tlsa;
mod wildcard;
#[cfg(test)]
mod zone;

pub use blocklist::Blocklist;
pub use codes::Code;
pub use reach::is_private;
pub use reverse::confirmed;

use super::{
    address::Domain,
    dns::{Inquiry, Question, Silence},
    dnsbl::Zone,
    finding::{Finding, Subject, Verdict},
    record::Wishes,
    server::{Served, Server},
};
use std::collections::BTreeSet;

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only these; all of them where it is empty.
    pub subjects: BTreeSet<Subject>,
    /// The domain is not served here: what stands there is judged by itself, and compared with nothing.
    pub foreign: bool,
    /// The authorities that issue this server's certificates, as CAA names them.
    pub authorities: Vec<String>,
    /// The account there (RFC 8657 §3); `None` = not known.
    pub account: Option<String>,
    /// The ways in which names are proven to them (RFC 8657 §4).
    pub methods: Vec<String>,
    /// Ask every name server of the zone for every record of ours.
    pub authoritative: bool,
    /// Lists to look into; none by default.
    pub blocklists: Vec<Blocklist>,
    /// Lists that mailctld asks about others.
    pub zones: Vec<Zone>,
    /// All domains that are served.
    pub served: Vec<Domain>,
    /// What the records should say where there is a choice.
    pub wishes: Wishes,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            subjects: BTreeSet::new(),
            foreign: false,
            authorities: vec!["letsencrypt.org".to_owned()],
            account: None,
            methods: ["http-01", "tls-alpn-01", "dns-01"].map(str::to_owned).to_vec(),
            authoritative: false,
            blocklists: Vec::new(),
            zones: Vec::new(),
            served: Vec::new(),
            wishes: Wishes::default(),
        }
    }
}

impl Options {
    /// Whether a subject is to be judged. Who wants every name server asked wants to hear of them.
    pub fn wants(&self, subject: Subject) -> bool {
        let everywhere = self.authoritative && subject == Subject::NameServers;
        everywhere || self.subjects.is_empty() || self.subjects.contains(&subject)
    }
}

/// What a judgement returns: `None` = an answer is missing.
pub type Findings = Option<Vec<Finding>>;

type Judge = fn(&Inquiry<'_>, &Server, &Served, &Options) -> Findings;
type HostJudge = fn(&Inquiry<'_>, &Server, &Options) -> Findings;

const OF_HOST: &[(Subject, HostJudge)] = &[
    (Subject::Address, address::judge),
    (Subject::Reverse, reverse::judge),
    (Subject::Helo, helo::judge),
    (Subject::Spf, spf::host),
    (Subject::Tlsa, tlsa::judge),
    (Subject::Caa, caa::judge),
    (Subject::Blocklist, blocklist::host),
    (Subject::Blocklist, dnsbl::judge),
];

const OF_DOMAIN: &[(Subject, Judge)] = &[
    (Subject::NameServers, name_servers::judge),
    (Subject::Dnssec, dnssec::judge),
    (Subject::Mx, mx::judge),
    (Subject::Spf, spf::judge),
    (Subject::Dkim, dkim::judge),
    (Subject::Dmarc, dmarc::judge),
    (Subject::MtaSts, mta_sts::judge),
    (Subject::TlsRpt, tls_rpt::judge),
    (Subject::Autoconfig, autoconfig::judge),
    (Subject::Wildcard, wildcard::judge),
    (Subject::Blocklist, blocklist::domain),
];

/// Everything about the host.
pub fn host(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    let wanted = OF_HOST.iter().filter(|(subject, _)| options.wants(*subject));
    // All are called, also after one that misses an answer: so all questions go out at once.
    about(&server.host, all(wanted.map(|(_, judge)| judge(inquiry, server, options)).collect()))
}

/// Everything about a domain.
pub fn domain(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let wanted = OF_DOMAIN.iter().filter(|(subject, _)| options.wants(*subject));
    about(&served.domain, all(wanted.map(|(_, judge)| judge(inquiry, server, served, options)).collect()))
}

/// Reports are grouped by what they are about, whatever name a question had.
fn about(whom: &Domain, findings: Findings) -> Findings {
    let mut findings = findings?;
    findings.iter_mut().for_each(|finding| finding.about = whom.to_string());
    Some(together(findings))
}

/// All silence about a subject as one finding: a dead server is one fact, not twenty.
fn together(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let open = finding.verdict == Verdict::CouldNotCheck;
        match kept.iter_mut().find(|other| open && other.code == finding.code) {
            Some(other) => {
                other.found.extend(finding.found);
                other.found.dedup();
                other.summary = format!("{} questions got no answer that counts", other.found.len());
            }
            None => kept.push(finding),
        }
    }
    kept
}

fn all(parts: Vec<Findings>) -> Findings {
    let parts: Vec<Vec<Finding>> = parts.into_iter().collect::<Option<_>>()?;
    Some(parts.into_iter().flatten().collect())
}

/// A question that got no answer that counts.
fn unchecked(
    code: &Code,
    about: impl std::fmt::Display,
    question: impl std::fmt::Display,
    why: &Silence,
) -> Finding {
    code.of(about, format!("{question}: {why}"))
        .found(format!("{question}: {why}"))
        .remedy("mailctl dns-check --watch asks again until there is an answer; --resolver ADDRESS asks another resolver")
}

/// [`unchecked`], with the question as it was asked.
fn unanswered(code: &Code, about: impl std::fmt::Display, question: &Question, why: &Silence) -> Finding {
    unchecked(code, about, question, why)
}

/// The worst of several.
pub fn worst<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Verdict {
    findings.into_iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
}

#[cfg(test)]
mod tests;
