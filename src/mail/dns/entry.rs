//! `Entry`: one record to publish.

use super::{Data, Name};
use crate::mail::record::{form, txt};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

/// One record to publish: an owner name and its data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Whose record.
    pub name: Name,
    /// What it says.
    pub data: Data,
}

impl Entry {
    /// Puts the two together.
    pub fn new(name: impl Into<Name>, data: Data) -> Self {
        Self { name: name.into(), data }
    }

    /// A TXT record, in strings of at most 255 octets.
    pub fn txt(name: impl Into<Name>, text: &str) -> Self {
        Self::new(name, txt(text))
    }

    /// The value without the strings' quotes, as the forms of most providers want it.
    pub fn value(&self) -> String {
        form::value(&self.data)
    }
}

/// A line of a zone file, with the full name.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.name.is_root() { "" } else { "." };
        write!(f, "{}{dot} IN {} {}", self.name, self.data.kind(), self.data)
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Entry", 4)?;
        entry.serialize_field("name", &self.name)?;
        entry.serialize_field("type", &self.data.kind())?;
        entry.serialize_field("value", &self.value())?;
        entry.serialize_field("zone", &self.to_string())?;
        entry.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S0-32 (TXT in strings of at most 255 octets).
    #[test]
    fn an_entry_is_a_line_of_a_zone() {
        let name = Name::parse("_dmarc.example.org").unwrap();
        let entry = Entry::txt(&name, &"x".repeat(300));
        let line = entry.to_string();
        assert!(line.starts_with("_dmarc.example.org. IN TXT \"xxx"), "{line}");
        assert!(line.split('"').all(|string| string.len() <= 255));
        assert_eq!(entry.value().len(), 300);
        let json = serde_json::to_value(&entry).unwrap();
        assert_eq!((&json["type"], &json["name"]), (&"TXT".into(), &"_dmarc.example.org".into()));
    }
}
