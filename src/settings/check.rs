//! What no single value can tell: the values checked against each other.

use super::{Settings, source::Words, value};

impl Words {
    /// What no single value can tell.
    pub(super) fn cross_check(&mut self, settings: &Settings, warnings: &mut Vec<String>) {
        for (key, served) in [
            ("DOMAIN", std::slice::from_ref(&settings.domain)),
            ("ADDITIONAL_DOMAINS", &settings.additional_domains),
        ] {
            if served.contains(&settings.hostname) {
                // Postfix would take such a domain for its own ("do not list domain in BOTH") and lose its mail.
                let remedy =
                    format!("give the server a name of its own, like HOSTNAME=mail.{}", settings.hostname);
                let what = format!("{key} serves {}, which is also HOSTNAME", settings.hostname);
                self.fault(self.origin(key), what, Some(remedy));
            }
        }
        if settings.admin.domain() == &settings.hostname {
            let remedy = format!(
                "use an address of a served domain, like ADMIN_EMAIL={}@{}",
                settings.admin.local(),
                settings.domain
            );
            self.fault(
                self.origin("ADMIN_EMAIL"),
                format!("ADMIN_EMAIL {} is at the host name, which has no mailboxes", settings.admin),
                Some(remedy),
            );
        } else if !settings.domains().any(|domain| domain == settings.admin.domain()) {
            warnings.push(format!(
                "ADMIN_EMAIL {} is not at DOMAIN or ADDITIONAL_DOMAINS: role mail leaves this server",
                settings.admin
            ));
        }
        if settings.message_size_limit < 1024 {
            let remedy = Some("set it to what the disk can take, like 50M".to_owned());
            self.fault(self.origin("MESSAGE_SIZE_LIMIT"), "MESSAGE_SIZE_LIMIT is below 1k", remedy);
        }
        if (1..settings.message_size_limit).contains(&settings.mailbox_size_limit) {
            let remedy = Some("raise it, or set 0 for no limit".to_owned());
            self.fault(
                self.origin("MAILBOX_SIZE_LIMIT"),
                "MAILBOX_SIZE_LIMIT is smaller than MESSAGE_SIZE_LIMIT",
                remedy,
            );
        }
        if settings.limits.memory < 256 << 20 {
            let remedy = Some("set 256M or more: checking one password takes 64M".to_owned());
            self.fault(self.origin("limits.memory"), "limits.memory is too small to log anyone in", remedy);
        }
        if settings.network.listen.is_ipv6() && settings.network.subnet6.is_none() {
            // The engine would pass such clients on under its gateway's IPv4 address.
            let remedy = Some("set network.subnet6 too, or listen on an IPv4 address".to_owned());
            let what = "network.listen is an IPv6 address, but the containers have no IPv6";
            self.fault(self.origin("network.listen"), what, remedy);
        }
        if settings.network.subnet6.is_some() && settings.network.mtu.is_some_and(|mtu| mtu < 1280) {
            // RFC 8200 §5: the kernel has no IPv6 on such a link.
            let what = "network.mtu is below 1280, which IPv6 needs";
            self.fault(self.origin("network.mtu"), what, Some("set 1280 or more, or auto".to_owned()));
        }
        if let Some((one, other, port)) = value::clash(&settings.ports) {
            let remedy = Some("give each its own".to_owned());
            self.fault(self.origin(other), format!("{one} and {other} are both {port}"), remedy);
        }
        if let Some(network) = settings.trusted.too_wide() {
            let remedy = Some("name the networks of your own clients".to_owned());
            self.fault(
                self.origin("TRUSTED_NETWORKS"),
                format!("TRUSTED_NETWORKS holds {network}: an open relay"),
                remedy,
            );
        }
        if self.text("RELAY_TLS").to_ascii_lowercase().starts_with("require") {
            warnings.push("RELAY_TLS=require is no level of Postfix; it is taken as encrypt".to_owned());
        }
        if settings
            .relay
            .as_ref()
            .is_some_and(|relay| relay.password.is_some() && matches!(relay.tls.as_str(), "none" | "may"))
        {
            warnings.push(format!(
                "RELAY_TLS={} may send the relay password in clear; use encrypt",
                self.text("RELAY_TLS")
            ));
        }
    }
}
