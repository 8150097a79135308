//! The settings of certificates' authorities.

use super::{
    FLAG,
    form::{Key, toml},
};

/// All of them.
pub(super) const KEYS: &[Key] = &[
    toml(
        "acme.directory",
        "https URL",
        "The authority's ACME directory (RFC 8555). To have a certificate issued is to agree to its terms of service.",
    )
    .default("https://acme-v02.api.letsencrypt.org/directory"),
    toml(
        "acme.staging",
        "https URL",
        "The authority's directory for tries: after it has refused something, the next attempt goes there first, so that the real limits are not used up. Nothing = Let's Encrypt's own for Let's Encrypt, none for others.",
    )
    .example("https://acme-staging-v02.api.letsencrypt.org/directory"),
    toml(
        "acme.challenge",
        "http-01, tls-alpn-01 or dns-01",
        "How the names are proven to be this server's: a file on port 80, a certificate on port 443, or a record in DNS (which needs dns.update_key_file).",
    )
    .default("http-01"),
    toml(
        "acme.root_file",
        "absolute path",
        "PEM file with the roots that vouch for the directory's web server, for an authority of your own. They count beside those of the system.",
    )
    .example("/etc/mailctl/ca-root.pem"),
    toml(
        "acme.eab_key_id",
        "text",
        "Key identifier of an account at the authority that ours is bound to, where it wants one (external account binding).",
    )
    .example("kid-1"),
    toml(
        "acme.eab_key_file",
        "absolute path",
        "File with the key to acme.eab_key_id, in base64 as the authority shows it. It must not be readable by others (chmod 0600).",
    )
    .example("/etc/mailctl/eab.key"),
    toml(
        "acme.rsa",
        FLAG,
        "Have a second certificate with an RSA key, served to those who do not know the P-256 key of the first. It costs a second order each time.",
    )
    .default("false"),
];
