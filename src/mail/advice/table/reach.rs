//! No connection, no TLS, no login.

use super::{TRY, known};
use crate::mail::advice::{Advice, Outlook::Waits};

pub(super) const KNOWN: &[Advice] = &[
    // Before anything was said.
    known(
        "connection-refused",
        Waits,
        &[&["connection refused"]],
        "nothing listens at that host and port, or a firewall answers for it; providers that block port 25 mostly do so silently",
        &[
            "use the port that the provider names (587 with STARTTLS, 465 with TLS): RELAY_HOST=[HOST]:587 in settings.env, then: mailctl up",
            TRY,
        ],
    ),
    known(
        "connection-timed-out",
        Waits,
        &[
            &["connection timed out"],
            &["operation timed out"],
            &["timed out while"],
            &["no answer within"],
            &["no route to host"],
            &["network is unreachable"],
        ],
        "no answer comes back: most often the network blocks port 25 outwards, or IPv6 leads nowhere",
        &[
            "send through a provider on port 587: RELAY_HOST=[HOST]:587, RELAY_USER, RELAY_PASSWORD in settings.env, then: mailctl up",
            TRY,
        ],
    ),
    known(
        "host-not-found",
        Waits,
        &[
            &["host or domain name not found"],
            &["name or service not known"],
            &["nxdomain"],
            &["name service error"],
        ],
        "the name of the next server is not in DNS, or no name server answers",
        &["correct the name in RELAY_HOST, or the recipient's domain", "mailctl dns-check {domain}"],
    ),
    known(
        "certificate",
        Waits,
        &[
            &["certificate verif"],
            &["certificate", "not trusted"],
            &["certificate", "untrusted"],
            &["certificate", "expired"],
            &["self-signed certificate"],
            &["self signed certificate"],
            &["server certificate not"],
            &["unknownissuer"],
            &["notvalidforname"],
            &["unable to get local issuer"],
        ],
        "the next server's certificate is not one for its name from an authority that is believed",
        &[
            "name the server as its certificate does in RELAY_HOST, and set RELAY_TLS=verify; for a server of your own without a certificate of an authority RELAY_TLS=encrypt, then: mailctl up",
            TRY,
        ],
    ),
    known(
        "tls-form",
        Waits,
        &[
            &["wrong version number"],
            &["tls is required, but was not offered"],
            &["tls handshake failed"],
            &["corrupt message", "tls"],
            &["packet length too long"],
        ],
        "TLS is spoken in the wrong form: port 465 begins with TLS, port 587 and 25 change to it by STARTTLS",
        &["RELAY_HOST=[HOST]:587 in settings.env with STARTTLS, then: mailctl up", TRY],
    ),
    // Logging in.
    known(
        "gmail-app-password",
        Waits,
        &[
            &["application-specific password required"],
            &["534", "5.7.9"],
            &["534", "5.7.14"],
            &["weblogin"],
            &["badcredentials", "gsmtp"],
            &["username and password not accepted"],
        ],
        "Gmail takes no account password over SMTP, only an app password of an account with two-step verification",
        &[
            "make one at https://myaccount.google.com/apppasswords",
            "RELAY_USER=the whole address, RELAY_PASSWORD=the 16 letters without blanks in settings.env, then: mailctl up",
            TRY,
        ],
    ),
    known(
        "microsoft-basic-auth",
        Waits,
        &[&["smtpclientauthentication is disabled"], &["5.7.139"], &["basic authentication is disabled"]],
        "Microsoft 365 has logins with a password switched off for this mailbox or for the whole organisation",
        &[
            "in Exchange's PowerShell: Set-CASMailbox -Identity {address} -SmtpClientAuthenticationDisabled $false",
            "or use a token: login XOAUTH2",
            TRY,
        ],
    ),
    known(
        "sendgrid-credits",
        Waits,
        &[&["maximum credits exceeded"]],
        "SendGrid's plan has no messages left for this period",
        &["raise the plan, or wait for the next period; mail stays in the queue for five days"],
    ),
    known(
        "login-refused",
        Waits,
        &[
            &["535"],
            &["5.7.8"],
            &["authentication failed"],
            &["authentication credentials invalid"],
            &["invalid login"],
            &["bad username / password"],
        ],
        "login and password are not those of an account there; for SendGrid the login is the word apikey, for Amazon SES they are SMTP credentials and not access keys, for Postmark the server token twice",
        &["RELAY_USER and RELAY_PASSWORD (or RELAY_PASSWORD_FILE) in settings.env, then: mailctl up", TRY],
    ),
    known(
        "login-wanted",
        Waits,
        &[
            &["authentication required"],
            &["530", "5.7.0", "auth"],
            &["530", "5.7.1", "auth"],
            &["5.7.57"],
            &["must be authenticated"],
        ],
        "the server takes mail only from clients that log in",
        &["RELAY_USER and RELAY_PASSWORD in settings.env, then: mailctl up", TRY],
    ),
    known(
        "starttls-wanted",
        Waits,
        &[
            &["must issue a starttls"],
            &["starttls first"],
            &["5.7.29"],
            &["4.7.29"],
            &["encryption needed"],
            &["tls required"],
        ],
        "the server takes mail only over TLS",
        &["RELAY_TLS=encrypt in settings.env, then: mailctl up", TRY],
    ),
];
