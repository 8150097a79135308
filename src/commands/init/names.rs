//! Whether the names exist in DNS. Nothing here stops `init`: records are often made afterwards.

use super::answers::Complete;
use crate::{
    error::Error,
    mail::address::Domain,
    ui::Ui,
    world::dns::{Answer, Dns},
};

/// Names that never exist in public DNS (RFC 2606, RFC 6761): nobody is asked about them.
const RESERVED: &[&str] = &["test", "example", "invalid", "localhost"];

/// Warns about what is missing; asks whether to go on where somebody can be asked.
pub async fn check(answers: &Complete, ui: &mut Ui) -> Result<(), Error> {
    let findings = findings(answers).await;
    for finding in &findings {
        ui.warn(finding);
    }
    if !findings.is_empty() && ui.can_ask() {
        ui.confirm("Go on, and publish these later?")?;
    }
    Ok(())
}

async fn findings(answers: &Complete) -> Vec<String> {
    let asked = |name: &Domain| !name.as_str().rsplit('.').next().is_some_and(|top| RESERVED.contains(&top));
    if !asked(&answers.hostname) && !answers.domains().any(asked) {
        return Vec::new();
    }
    let dns = match Dns::system() {
        Ok(dns) => dns,
        Err(why) => return vec![format!("the names were not looked up in DNS: {why}")],
    };
    let mut findings = Vec::new();
    // All at once: the deadline is for one answer, and so for all of them.
    let (host, domains) = tokio::join!(
        async { if asked(&answers.hostname) { host(&dns, &answers.hostname).await } else { None } },
        futures_util::future::join_all(answers.domains().filter(|name| asked(name)).map(|domain| mail(
            &dns,
            domain,
            &answers.hostname
        )))
    );
    findings.extend(host);
    findings.extend(domains.into_iter().flatten());
    findings
}

async fn host(dns: &Dns, name: &Domain) -> Option<String> {
    match dns.addresses(name).await {
        Answer::Found(addresses) if addresses.iter().all(|address| address.is_loopback()) => Some(format!(
            "{name} leads to this host's own loopback address; other servers need its public one"
        )),
        Answer::Found(_) => None,
        Answer::Nothing => {
            Some(format!("{name} has no address in DNS; publish: {name}. A <this host's public address>"))
        }
        Answer::Silent(why) => Some(format!("{name} could not be looked up ({why}); later: dig {name}")),
    }
}

async fn mail(dns: &Dns, domain: &Domain, hostname: &Domain) -> Option<String> {
    match dns.mail_servers(domain).await {
        Answer::Found(servers) if servers.iter().any(|server| server == hostname.as_str()) => None,
        Answer::Found(servers) => Some(format!(
            "mail for {domain} goes to {} today; publish: {domain}. MX 10 {hostname}.",
            servers.join(", ")
        )),
        Answer::Nothing => Some(format!("{domain} has no MX in DNS; publish: {domain}. MX 10 {hostname}.")),
        Answer::Silent(why) => {
            Some(format!("{domain} could not be looked up ({why}); later: dig MX {domain}"))
        }
    }
}
