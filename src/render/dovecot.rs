//! Dovecot: mailboxes, and logins for everyone.

use super::{ConfigFile, Facts, Fault, ids, template::Templates, tls};
use crate::settings::Settings;
use serde::Serialize;

/// What its template sees.
#[derive(Serialize)]
struct Context<'a> {
    hostname: &'a str,
    listen: &'static str,
    protocols: Protocols,
    ciphers: &'static [&'static str],
    curves: &'static [&'static str],
    certificate: tls::Host,
    names: Vec<tls::Name>,
    mailbox_size_limit: u64,
    message_size_limit: u64,
    auth_workers: u64,
    nobodys_password: &'static str,
    folders: [&'static str; 4],
    vmail: u32,
}

/// How many passwords are checked at a time in a container with so many octets of memory: each takes 64 MiB
/// (`mail::password`), all together half of it. Dovecot's own 30 would take 2 GiB, and whoever guesses at thirty
/// passwords at once would have the kernel kill deliveries.
fn auth_workers(memory: u64) -> u64 {
    (memory / (128 << 20)).clamp(1, 30)
}

#[derive(Serialize)]
struct Protocols {
    imap: &'static str,
    pop3: &'static str,
    managesieve: &'static str,
}

/// Its files.
pub(super) fn render(
    settings: &Settings,
    facts: &Facts,
    templates: &Templates,
) -> Result<Vec<ConfigFile>, Fault> {
    let yes = |on| if on { "yes" } else { "no" };
    let context = Context {
        hostname: settings.hostname.as_str(),
        listen: if settings.network.subnet6.is_some() { "*, ::" } else { "*" },
        protocols: Protocols {
            imap: yes(settings.protocols.imap),
            pop3: yes(settings.protocols.pop3),
            managesieve: yes(settings.protocols.managesieve),
        },
        ciphers: tls::CIPHERS,
        curves: tls::CURVES,
        certificate: tls::host(&facts.certificates),
        names: tls::names(&settings.hostname, &facts.certificates),
        mailbox_size_limit: settings.mailbox_size_limit,
        message_size_limit: settings.message_size_limit,
        auth_workers: auth_workers(settings.limits.memory),
        nobodys_password: crate::mail::password::NOBODYS,
        folders: ["Drafts", "Junk", "Trash", "Sent"],
        vmail: ids::VMAIL,
    };
    Ok(vec![ConfigFile::public("dovecot/dovecot.conf", templates.render("dovecot/dovecot.conf", &context)?)])
}
