//! Records as Terraform, for the `hashicorp/dns` provider (RFC 2136): one resource per name and kind, because
//! that provider owns whole sets.

use super::{Record, form};
use crate::mail::dns::{Data, Kind, Name};
use std::{collections::BTreeMap, fmt::Write};

/// The resources for records of one zone, sorted by name. Kinds that the provider has no resource for (CAA, TLSA)
/// come as comments with their line of a zone file.
pub fn resources(zone: &Name, records: &[Record]) -> String {
    let mut sets: BTreeMap<(&Name, Kind), Vec<&Record>> = BTreeMap::new();
    for record in records {
        sets.entry((&record.name, record.data.kind())).or_default().push(record);
    }
    let mut text = String::new();
    for ((name, kind), set) in sets {
        if !text.is_empty() {
            text.push('\n');
        }
        resource(&mut text, zone, name, kind, &set);
    }
    text
}

fn resource(text: &mut String, zone: &Name, name: &Name, kind: Kind, set: &[&Record]) {
    let (Some(resource), Some(label)) = (resource_of(kind), form::relative(name, zone)) else {
        for record in set {
            let _ = writeln!(text, "# {record}");
        }
        return;
    };
    let _ = writeln!(text, "resource {} {} {{", quoted(resource), quoted(&identifier(name, kind)));
    let _ = writeln!(text, "  zone = {}", quoted(&format!("{zone}.")));
    if label != "@" {
        let _ = writeln!(text, "  name = {}", quoted(&label));
    }
    let _ = writeln!(text, "  ttl  = {}", set.iter().map(|record| record.ttl).min().unwrap_or_default());
    match kind {
        Kind::Txt => list(text, "txt", set.iter().map(|record| form::value(&record.data))),
        Kind::A | Kind::Aaaa => list(text, "addresses", set.iter().map(|record| record.data.to_string())),
        _ => set.iter().for_each(|record| block(text, &record.data)),
    }
    text.push_str("}\n");
}

fn resource_of(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::A => "dns_a_record_set",
        Kind::Aaaa => "dns_aaaa_record_set",
        Kind::Cname => "dns_cname_record",
        Kind::Mx => "dns_mx_record_set",
        Kind::Ns => "dns_ns_record_set",
        Kind::Ptr => "dns_ptr_record",
        Kind::Srv => "dns_srv_record_set",
        Kind::Txt => "dns_txt_record_set",
        Kind::Caa | Kind::Soa | Kind::Tlsa => return None,
    })
}

fn list(text: &mut String, name: &str, values: impl Iterator<Item = String>) {
    let values: Vec<String> = values.map(|value| quoted(&value)).collect();
    let _ = writeln!(text, "  {name} = [{}]", values.join(", "));
}

fn block(text: &mut String, data: &Data) {
    let _ = match data {
        Data::Mx { preference, exchange } => writeln!(
            text,
            "  mx {{\n    preference = {preference}\n    exchange   = {}\n  }}",
            quoted(&format!("{exchange}."))
        ),
        Data::Srv { priority, weight, port, target } => writeln!(
            text,
            "  srv {{\n    priority = {priority}\n    weight   = {weight}\n    port     = {port}\n    target   = {}\n  }}",
            quoted(&format!("{}.", target.as_str()))
        ),
        Data::Cname(target) => writeln!(text, "  cname = {}", quoted(&format!("{target}."))),
        Data::Ptr(target) => writeln!(text, "  ptr = {}", quoted(&format!("{target}."))),
        _ => Ok(()),
    };
}

/// Letters, digits and underscores; unique for a name and kind within a zone.
fn identifier(name: &Name, kind: Kind) -> String {
    let plain: String =
        name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{}_{}", kind.as_str().to_ascii_lowercase(), plain.trim_start_matches('_'))
}

/// A string of Terraform's language: `${` and `%{` would be evaluated.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::record::{Need, txt};

    #[test]
    fn a_set_is_one_resource() {
        let name = |text: &str| Name::parse(text).unwrap();
        let record = |owner: &str, data| Record {
            name: name(owner),
            data,
            ttl: 300,
            need: Need::Required,
            purpose: "",
        };
        let zone = name("example.org");
        let text = resources(
            &zone,
            &[
                record("example.org", Data::Mx { preference: 10, exchange: name("mx.example.net") }),
                record("example.org", txt("v=spf1 exists:%{i}.example.org \"-all")),
                record("example.org", txt("second")),
                record(
                    "_25._tcp.mx.example.org",
                    Data::Tlsa { usage: 3, selector: 1, matching: 1, data: vec![1] },
                ),
                record(
                    "_imaps._tcp.example.org",
                    Data::Srv { priority: 0, weight: 0, port: 0, target: Name::root() },
                ),
            ],
        );
        let expected = r#"# _25._tcp.mx.example.org. 300 IN TLSA 3 1 1 01

resource "dns_srv_record_set" "srv_imaps__tcp_example_org" {
  zone = "example.org."
  name = "_imaps._tcp"
  ttl  = 300
  srv {
    priority = 0
    weight   = 0
    port     = 0
    target   = "."
  }
}

resource "dns_mx_record_set" "mx_example_org" {
  zone = "example.org."
  ttl  = 300
  mx {
    preference = 10
    exchange   = "mx.example.net."
  }
}

resource "dns_txt_record_set" "txt_example_org" {
  zone = "example.org."
  ttl  = 300
  txt = ["v=spf1 exists:%%{i}.example.org \"-all", "second"]
}
"#;
        assert_eq!(text, expected);
    }
}
