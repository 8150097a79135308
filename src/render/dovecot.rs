//! Dovecot: mailboxes, and logins for everyone.

use super::{ConfigFile, Fault, ids, template::Templates, tls};
use crate::settings::Settings;
use serde::Serialize;

/// What its template sees.
#[derive(Serialize)]
struct Context {
    listen: &'static str,
    protocols: Protocols,
    ciphers: &'static [&'static str],
    curves: &'static [&'static str],
    mailbox_size_limit: u64,
    message_size_limit: u64,
    folders: [&'static str; 4],
    vmail: u32,
}

#[derive(Serialize)]
struct Protocols {
    imap: &'static str,
    pop3: &'static str,
    managesieve: &'static str,
}

/// Its files.
pub(super) fn render(settings: &Settings, templates: &Templates) -> Result<Vec<ConfigFile>, Fault> {
    let yes = |on| if on { "yes" } else { "no" };
    let context = Context {
        listen: if settings.network.subnet6.is_some() { "*, ::" } else { "*" },
        protocols: Protocols {
            imap: yes(settings.protocols.imap),
            pop3: yes(settings.protocols.pop3),
            managesieve: yes(settings.protocols.managesieve),
        },
        ciphers: tls::CIPHERS,
        curves: tls::CURVES,
        mailbox_size_limit: settings.mailbox_size_limit,
        message_size_limit: settings.message_size_limit,
        folders: ["Drafts", "Junk", "Trash", "Sent"],
        vmail: ids::VMAIL,
    };
    Ok(vec![ConfigFile::public("dovecot/dovecot.conf", templates.render("dovecot/dovecot.conf", &context)?)])
}
