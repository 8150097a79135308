//! Who may send as whom, and whether it is believed.

use super::known;
use crate::mail::advice::{
    Advice,
    Outlook::{Lost, Waits},
};

pub(super) const KNOWN: &[Advice] = &[
    // Who may send as whom.
    known(
        "sendgrid-sender",
        Lost,
        &[&["verified sender identity"]],
        "SendGrid sends only as senders and domains that it has verified",
        &[
            "verify the domain there: Settings, Sender Authentication, Authenticate Your Domain",
            "mailctl dns-check {domain}",
            "mail that is only forwarded needs a sender of yours: rewrite it (wrap)",
        ],
    ),
    known(
        "ses-sender",
        Lost,
        &[&["email address is not verified"], &["identities failed the check"]],
        "Amazon SES sends only as verified identities, and in its sandbox only to verified ones",
        &[
            "verify the domain in the SES console of the region that the answer names, and ask for production access",
            "mail that is only forwarded needs a sender of yours: rewrite it (wrap)",
        ],
    ),
    known(
        "mailgun-sender",
        Lost,
        &[
            &["sandbox subdomains are for test"],
            &["is not allowed to send", "mailgun"],
            &["free accounts are for test purposes"],
            &["domain", "is not allowed to send"],
        ],
        "Mailgun sends only as a domain that is set up there, and from its sandbox only to authorised recipients",
        &["add the domain at Mailgun and publish its records", "mailctl dns-check {domain}"],
    ),
    known(
        "postmark-sender",
        Lost,
        &[&["sender signature"], &["sender not verified"], &["sender verify failed"]],
        "the provider sends only as a confirmed sender: at Postmark a Sender Signature or a verified domain",
        &["confirm {address}, or its domain, at the provider", "mailctl dns-check {domain}"],
    ),
    known(
        "send-as",
        Lost,
        &[
            &["not owned by user"],
            &["5.7.60"],
            &["does not have permissions to send as this sender"],
            &["sendasdenied"],
        ],
        "the login at the next server may not send as this sender",
        &[
            "on a server of your own: mailctl user allow LOGIN {address}",
            "at Microsoft 365: give the login the right Send As for the mailbox, or rewrite the sender (wrap)",
        ],
    ),
    // Trust in the sender.
    known(
        "gmail-authentication",
        Lost,
        &[
            &["5.7.26"],
            &["4.7.26"],
            &["5.7.27"],
            &["4.7.27"],
            &["5.7.30"],
            &["4.7.30"],
            &["4.7.32"],
            &["unauthenticated email"],
            &["does not pass authentication"],
        ],
        "Gmail wants SPF or DKIM of the domain in From, and a pass of DMARC; a forwarded message has lost SPF, and DKIM where something changed it",
        &[
            "mailctl dns-check {domain}",
            "mailctl dkim show {domain}",
            "for forwarded mail: leave it as it is, sign its chain (ARC), and wrap it where its domain says p=reject and its DKIM is gone",
        ],
    ),
    known(
        "microsoft-authentication",
        Lost,
        &[
            &["5.7.509"],
            &["5.7.515"],
            &["dmarc", "5.7.1"],
            &["dmarc policy"],
            &["rejected per dmarc"],
            &["does not pass dmarc"],
            &["dmarc", "reject"],
        ],
        "the domain in From asks receivers to refuse what fails DMARC, and this did: neither SPF nor DKIM of that domain passes",
        &[
            "mailctl dns-check {domain}",
            "for forwarded mail: leave it as it is, sign its chain (ARC), and wrap it where its DKIM is gone",
        ],
    ),
    known(
        "spf",
        Lost,
        &[&["spf", "fail"], &["spf", "not authorized"], &["spf", "not permitted"], &["5.7.23"]],
        "the sender's domain does not name our address in its SPF record; forwarded mail needs a sender of ours (SRS)",
        &["mailctl dns-check {domain}", "mailctl dns-publish {domain}"],
    ),
    known(
        "reverse-name",
        Waits,
        &[
            &["5.7.25"],
            &["4.7.25"],
            &["4.7.23"],
            &["ptr record"],
            &["reverse hostname"],
            &["reverse dns"],
            &["cannot find your hostname"],
        ],
        "our address has no name in DNS that leads back to it",
        &[
            "ask whoever rents the address to you for the reverse name: HOSTNAME of settings.env",
            "mailctl dns-check {domain}",
        ],
    ),
    known(
        "helo",
        Waits,
        &[&["helo command rejected"], &["invalid helo"], &["ehlo", "not resolve"]],
        "the name with which this server greets is not in DNS, or not its own",
        &["HOSTNAME in settings.env is that name; it needs an address record", "mailctl dns-check"],
    ),
    known(
        "sender-domain",
        Lost,
        &[
            &["sender address rejected", "domain not found"],
            &["4.1.8"],
            &["5.1.8", "domain"],
            &["domain of sender address", "does not exist"],
        ],
        "the sender's domain has neither MX nor address in DNS; for rewritten senders that is the SRS domain",
        &["mailctl dns-check {domain}", "mailctl dns-publish {domain}"],
    ),
];
