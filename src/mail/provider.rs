//! How the forms of common DNS providers are filled in.

use super::{
    dns::{Data, Entry, Kind, Name},
    record::form,
};

/// A provider's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider {
    /// As on the command line.
    pub name: &'static str,
    /// What its field for the name is called.
    name_field: &'static str,
    /// What its field for the value is called.
    value_field: &'static str,
    /// What is typed as the name of the zone itself.
    apex: &'static str,
    /// Texts are typed in quotes, each string of at most 255 characters apart.
    quotes: bool,
    /// Host names as values end in a dot, or the zone is appended to them.
    dot: bool,
    /// The preference of an MX has a field of its own.
    preference: bool,
    /// What else is to be known.
    note: &'static str,
}

const FORM: Provider = Provider {
    name: "",
    name_field: "Name",
    value_field: "Value",
    apex: "@",
    quotes: false,
    dot: false,
    preference: true,
    note: "",
};

/// All that are known, by name.
pub const PROVIDERS: &[Provider] = &[
    Provider { name: "bind", ..FORM },
    Provider {
        name: "cloudflare",
        value_field: "Content",
        note: "for A, AAAA and CNAME choose \"DNS only\" (grey cloud): the proxy does not carry mail",
        ..FORM
    },
    Provider { name: "digitalocean", name_field: "Hostname", dot: true, ..FORM },
    Provider { name: "gandi", quotes: true, dot: true, ..FORM },
    Provider { name: "godaddy", ..FORM },
    Provider { name: "hetzner", quotes: true, dot: true, preference: false, ..FORM },
    Provider { name: "ionos", name_field: "Host name", ..FORM },
    Provider {
        name: "namecheap",
        name_field: "Host",
        note: "MX records stand under Mail Settings, Custom MX",
        ..FORM
    },
    Provider {
        name: "ovh",
        name_field: "Sub-domain",
        value_field: "Target",
        apex: "(empty)",
        dot: true,
        ..FORM
    },
    Provider {
        name: "route53",
        name_field: "Record name",
        apex: "(empty)",
        quotes: true,
        preference: false,
        ..FORM
    },
    Provider { name: "strato", name_field: "Prefix", apex: "(empty)", ..FORM },
];

/// The provider of that name.
pub fn find(name: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.name == name)
}

impl Provider {
    /// What to type for this record, a line per field. `zone` is what the form appends to names.
    pub fn form(&self, entry: &Entry, zone: &Name) -> Vec<String> {
        if self.name == "bind" {
            return vec![entry.to_string()];
        }
        let Some(name) = form::relative(&entry.name, zone) else {
            return vec![format!("{} is not in the zone {zone}: it is set elsewhere", entry.name)];
        };
        let name = if name == "@" { self.apex.to_owned() } else { name };
        let kind = entry.data.kind();
        let mut lines = vec![format!("Type: {kind}"), format!("{}: {name}", self.name_field)];
        let (preference, value) = self.value(&entry.data);
        lines.extend(preference.map(|number| format!("Priority: {number}")));
        lines.push(format!("{}: {value}", self.value_field));
        let about_mx = self.note.starts_with("MX");
        let fits = matches!(kind, Kind::A | Kind::Aaaa | Kind::Cname) || about_mx && kind == Kind::Mx;
        if !self.note.is_empty() && fits && about_mx == (kind == Kind::Mx) {
            lines.push(format!("({})", self.note));
        }
        lines
    }

    fn value(&self, data: &Data) -> (Option<u16>, String) {
        let host = |name: &Name| if self.dot { format!("{name}.") } else { name.to_string() };
        match data {
            Data::Txt(_) if self.quotes => (None, form::split(data)),
            Data::Mx { preference, exchange } if self.preference => (Some(*preference), host(exchange)),
            Data::Mx { preference, exchange } => (None, format!("{preference} {}", host(exchange))),
            Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => (None, host(name)),
            Data::Srv { priority, weight, port, target } => {
                (None, format!("{priority} {weight} {port} {}", host(target)))
            }
            _ => (None, form::value(data)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// Proves: S4-11 (host label), S4-13 (records to copy), users-want 7 (each provider's form).
    #[test]
    fn each_form_is_filled_in_its_own_way() {
        let zone = name("example.org");
        let mx = Entry::new(&zone, Data::Mx { preference: 10, exchange: name("mail.example.org") });
        let form = |provider: &str, entry: &Entry| find(provider).unwrap().form(entry, &zone).join("|");
        assert_eq!(form("cloudflare", &mx), "Type: MX|Name: @|Priority: 10|Content: mail.example.org");
        assert_eq!(form("route53", &mx), "Type: MX|Record name: (empty)|Value: 10 mail.example.org");
        assert_eq!(form("hetzner", &mx), "Type: MX|Name: @|Value: 10 mail.example.org.");
        assert_eq!(form("bind", &mx), "example.org. IN MX 10 mail.example.org.");
        assert!(form("namecheap", &mx).ends_with("(MX records stand under Mail Settings, Custom MX)"));
        let key = Entry::txt(name("m1._domainkey.example.org"), &"k".repeat(300));
        assert!(
            form("cloudflare", &key).ends_with(&format!("Name: m1._domainkey|Content: {}", "k".repeat(300)))
        );
        assert!(form("route53", &key).ends_with(&format!("\"{}\" \"{}\"", "k".repeat(255), "k".repeat(45))));
        let reverse = Entry::new(name("1.2.0.192.in-addr.arpa"), Data::Ptr(name("mail.example.org")));
        assert!(form("godaddy", &reverse).contains("is not in the zone"));
        let address = Entry::new(name("mail.example.org"), Data::A([192, 0, 2, 1].into()));
        assert!(form("cloudflare", &address).contains("grey cloud"));
        assert!(!form("namecheap", &address).contains("Mail Settings"));
    }
}
