//! What Outlook asks of an autodiscover service (MS-OXDSCLI §2.2.3): a small XML document with the user's address.
//!
//! No XML is built from it and nothing is looked up in it but two texts, so this looks for these two and knows
//! nothing else of XML: no entities of the document's own, no external ones, no depth.

use crate::mail::address::Address;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whose settings are asked for.
    pub address: Address,
    /// What the client can read is ActiveSync's answer and no other; it is not offered here.
    pub mobile: bool,
}

/// Reads a request; `None` where there is no address in it.
pub fn request(body: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(body).ok()?;
    let address = Address::parse(&plain(element(text, "EMailAddress")?)).ok()?;
    let schema = element(text, "AcceptableResponseSchema").unwrap_or_default();
    Some(Request { address, mobile: schema.contains("/mobilesync/") })
}

/// The text of the first element of that name, whatever its prefix; `None` where something else is in it.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        let (tag, after) = rest.split_once('>')?;
        let called = tag.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        if called.rsplit(':').next() == Some(name) {
            return after.split_once("</").map(|(text, _)| text.trim()).filter(|text| !text.contains('<'));
        }
    }
}

/// The five entities that every XML document has (XML 1.0 §4.6).
fn plain(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
    const MOBILE: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

    fn asked(address: &str, schema: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Autodiscover xmlns=\"x\"><Request>\
             <EMailAddress>{address}</EMailAddress>\
             <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
        )
    }

    /// Proves: MS-OXDSCLI §2.2.3.1.
    #[test]
    fn the_address_is_found_and_nothing_else_counts() {
        let found = request(asked("Ann@Example.org", OUTLOOK).as_bytes()).unwrap();
        assert_eq!((found.address.to_string().as_str(), found.mobile), ("ann@example.org", false));
        assert!(request(asked(" ann@example.org\r\n", MOBILE).as_bytes()).unwrap().mobile);
        assert_eq!(
            request(asked("o&apos;hara&amp;co@example.org", OUTLOOK).as_bytes()).unwrap().address.to_string(),
            "o'hara&co@example.org"
        );
        let prefixed = "<a:Request><a:EMailAddress x='1'>ann@example.org</a:EMailAddress></a:Request>";
        assert!(request(prefixed.as_bytes()).is_some());
        for none in [
            "",
            "<EMailAddress>",
            "<EMailAddress>ann@example.org",
            "<EMailAddress></EMailAddress>",
            "<EMailAddress>ann</EMailAddress>",
            "<EMailAddress><b>ann@example.org</b></EMailAddress>",
            "<EMailAddress>&xxe;@example.org</EMailAddress>",
            "<Other>ann@example.org</Other>",
        ] {
            assert_eq!(request(none.as_bytes()), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = request(&bytes);
        }

        #[test]
        fn nor_do_pieces_of_xml(pieces in prop::collection::vec("<|</|>|EMailAddress|:| |a@b.c|&", 0..30)) {
            let _ = request(pieces.concat().as_bytes());
        }
    }
}
