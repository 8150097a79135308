//! A record as the forms of DNS providers want it: one field for the name, one for the value.

use super::Record;
use crate::mail::dns::{Data, Name};

/// The name as it is typed into a form that appends the zone: `@` for the zone itself. `None` where the record
/// is not in that zone.
pub fn relative(name: &Name, zone: &Name) -> Option<String> {
    if name == zone {
        return Some("@".to_owned());
    }
    if zone.is_root() {
        return Some(name.as_str().to_owned());
    }
    name.is_within(zone).then(|| name.as_str()[..name.as_str().len() - zone.as_str().len() - 1].to_owned())
}

/// The value in one piece, as most forms want it: a text without quotes and unsplit, host names with their final
/// dot.
pub fn value(data: &Data) -> String {
    data.text().unwrap_or_else(|| data.to_string())
}

/// A text in its strings of at most 255 octets, each in quotes, as some forms and all zone files want it; any
/// other value as it is.
pub fn split(data: &Data) -> String {
    data.to_string()
}

/// All ways to type it, a line each: what to choose, name relative and absolute, value in one piece, and in
/// strings where that differs.
pub fn lines(record: &Record, zone: &Name) -> Vec<String> {
    let name = match relative(&record.name, zone) {
        Some(relative) => format!("{relative}   (or, in full: {}.)", record.name),
        None => format!("{}.", record.name),
    };
    let mut lines = vec![
        format!("type   {}", record.data.kind()),
        format!("name   {name}"),
        format!("value  {}", value(&record.data)),
    ];
    if matches!(&record.data, Data::Txt(strings) if strings.len() > 1) {
        lines.push(format!("split  {}", split(&record.data)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::record::{Need, txt};

    /// Proves: S0-5, S0-32, S4-11 (the host label), issue's "one string; split ≤ 255; relative and absolute name".
    #[test]
    fn a_form_can_be_filled_in_either_way() {
        let name = |text: &str| Name::parse(text).unwrap();
        let zone = name("example.org");
        assert_eq!(relative(&zone, &zone).unwrap(), "@");
        assert_eq!(relative(&name("_dmarc.example.org"), &zone).unwrap(), "_dmarc");
        assert_eq!(relative(&name("mail.example.net"), &zone), None);
        let long = "x".repeat(300);
        let record = Record {
            name: name("mail._domainkey.example.org"),
            data: txt(&long),
            ttl: 3600,
            need: Need::Required,
            purpose: "",
        };
        let lines = lines(&record, &zone);
        assert_eq!(lines[0], "type   TXT");
        assert_eq!(lines[1], "name   mail._domainkey   (or, in full: mail._domainkey.example.org.)");
        assert_eq!(lines[2], format!("value  {long}"));
        assert_eq!(lines[3], format!("split  \"{}\" \"{}\"", &long[..255], &long[255..]));
    }
}
