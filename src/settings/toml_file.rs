//! `mailctl.toml`: tables of known keys, and the free tables with Postfix's own words.

use super::{
    keys::{Home, KEYS, TABLES},
    near::nearest,
    source::{Origin, Word, Words},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

impl Words {
    /// Reads the file's text.
    pub(super) fn read_toml(&mut self, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            self.fault(Origin::Line(Home::Toml.file(), line), error.message().to_owned(), None);
        }
        if errors.is_empty() {
            self.walk(text, "", table.get_ref());
        }
    }

    /// One table and those inside it; `path` is what leads here.
    fn walk(&mut self, text: &str, path: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let place = Origin::Line(Home::Toml.file(), line_at(text, name.span().start));
            let full = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            if let Some((free, _)) = TABLES.iter().find(|(free, _)| *free == path) {
                self.raw_word(free, &name.to_string(), value, place);
            } else if let DeValue::Table(inner) = value.get_ref() {
                if is_table(&full) {
                    self.walk(text, &full, inner);
                } else {
                    self.unknown_table(place, &full);
                }
            } else if let Some(key) = KEYS.iter().find(|key| key.home == Home::Toml && key.name == full) {
                match scalar(value.get_ref()) {
                    Some(text) => self.put(key, &text, place),
                    None => self.fault(place, format!("{full} is not a {}", key.kind), None),
                }
            } else if is_table(&full) {
                self.fault(place, format!("{full} is a table"), Some(format!("write [{full}]")));
            } else {
                self.unknown(place, &full, Home::Toml);
            }
        }
    }

    fn raw_word(&mut self, table: &'static str, name: &str, value: &Spanned<DeValue<'_>>, place: Origin) {
        let shown = format!("[{table}] {name:?}");
        let remedy = Some(format!("write it as {name:?} = \"value\""));
        let Some(text) = scalar(value.get_ref()) else {
            return self.fault(place, format!("{shown} is not text"), remedy);
        };
        if text.chars().any(char::is_control) {
            return self.fault(place, format!("{shown} has a line end or control character inside"), None);
        }
        if let Err(what) = raw_name(table, name).and_then(|()| raw_value(table, &text)) {
            return self.fault(place, format!("{shown} {what}"), None);
        }
        self.raw.insert((table, name.to_owned()), Word { text, origin: place });
    }

    fn unknown_table(&mut self, place: Origin, name: &str) {
        let remedy = nearest(name, tables()).map_or_else(
            || "mailctl help settings lists all".to_owned(),
            |near| format!("did you mean [{near}]?"),
        );
        self.fault(place, format!("[{name}] is not a table of settings"), Some(remedy));
    }
}

/// All tables, parents included.
fn tables() -> impl Iterator<Item = &'static str> {
    let keyed = KEYS.iter().filter_map(|key| key.name.split_once('.').map(|(table, _)| table));
    keyed.chain(TABLES.iter().map(|(table, _)| *table)).chain(std::iter::once("postfix"))
}

fn is_table(name: &str) -> bool {
    tables().any(|table| table == name)
}

/// Text, numbers and true/false as they would be written in `settings.env`.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A name that can stand in Postfix's file as one word.
fn raw_name(table: &str, name: &str) -> Result<(), &'static str> {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:[]".contains(&b))
    };
    let fits = match table {
        "postfix.main" => {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        }
        "postfix.master" => {
            let parts: Vec<&str> = name.split('/').collect();
            let kinds = ["inet", "unix", "unix-dgram", "fifo", "pass"];
            matches!(parts.len(), 2 | 3) && parts.iter().all(|part| word(part)) && kinds.contains(&parts[1])
        }
        _ => !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"#\"'|/$".contains(&b)),
    };
    match (fits, table) {
        (true, _) => Ok(()),
        (false, "postfix.main") => Err("is not the name of a parameter"),
        (false, "postfix.master") => {
            Err("is not service/type or service/type/parameter, as in submission/inet")
        }
        (false, _) => Err("is not an address, a domain, .domain or *"),
    }
}

/// A route names a transport; the other tables take any line.
fn raw_value(table: &str, text: &str) -> Result<(), &'static str> {
    let route = table == "postfix.transport";
    if route && (!text.contains(':') || text.contains(char::is_whitespace)) {
        return Err("is not transport:nexthop, as in smtp:[192.0.2.9]:2525");
    }
    Ok(())
}

/// Line number, from 1, of an offset.
fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::source::Sources;

    fn read(text: &str) -> Words {
        Words::gather(&Sources { mailctl_toml: Some(text), ..Sources::default() })
    }

    /// Proves: S2-4, S3-21, S0-7 (raw settings in Postfix's own words).
    #[test]
    fn reads_known_keys_and_free_tables() {
        let words = read(
            "[ports]\nsmtp = 2525\n[limits]\ncpus = 1.5\n[postfix.main]\nsmtpd_banner = \"x\"\nmaximal_queue_lifetime = \"2d\"\n[postfix.master]\n\"submission/inet/smtpd_tls_security_level\" = \"encrypt\"\n[postfix.transport]\n\"lists.example.org\" = \"smtp:[192.0.2.9]:2525\"\n",
        );
        assert!(words.faults.is_empty(), "{:?}", words.faults);
        assert_eq!(
            (words.set["ports.smtp"].text.as_str(), &words.set["ports.smtp"].origin),
            ("2525", &Origin::Line("mailctl.toml", 2))
        );
        assert_eq!(words.set["limits.cpus"].text, "1.5");
        assert_eq!(words.raw.len(), 4);
    }

    #[test]
    fn every_fault_has_its_line() {
        let text = "DOMAIN = \"x\"\n[prots]\nsmtp = 1\n[ports]\nstmp = 25\nimap = [1]\n[network]\n[postfix]\nmian = 1\n[postfix.main]\n\"a b\" = \"x\"\nc = \"1\\n2\"\n[postfix.master]\nsubmission = \"x\"\n[postfix.transport]\n\"example.org\" = \"nowhere\"\n";
        let told: Vec<String> = read(text).faults.iter().map(ToString::to_string).collect();
        for wanted in [
            "mailctl.toml:1: \"DOMAIN\" does not belong in mailctl.toml; move it to settings.env",
            "mailctl.toml:2: [prots] is not a table of settings; did you mean [ports]?",
            "mailctl.toml:5: \"ports.stmp\" is not a setting; did you mean ports.smtp?",
            "mailctl.toml:6: ports.imap",
            "mailctl.toml:9: \"postfix.mian\"",
            "mailctl.toml:11: [postfix.main] \"a b\"",
            "mailctl.toml:12: [postfix.main] \"c\"",
            "mailctl.toml:14: [postfix.master]",
            "mailctl.toml:16: [postfix.transport]",
        ] {
            assert!(
                told.iter().any(|line| line.starts_with(wanted)),
                "{wanted}\nis not in\n{}",
                told.join("\n")
            );
        }
    }

    #[test]
    fn broken_toml_names_the_line() {
        let told = read("[ports]\nsmtp = = 3\n").faults[0].to_string();
        assert!(told.starts_with("mailctl.toml:2: "), "{told}");
    }
}
