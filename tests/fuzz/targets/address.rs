//! Names from people: what is taken is canonical.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::{
    address::{Address, Domain, Localpart, Selector},
    alias::{Source, table},
};

fuzz_target!(|text: &str| {
    if let Ok(address) = Address::parse(text) {
        assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(&address));
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\\"`$%|;()<>{}".contains(&byte);
        assert!(address.to_string().bytes().all(plain), "{address}");
        if let Some(untagged) = address.untagged('+') {
            assert_eq!(Address::parse(&untagged.to_string()), Ok(untagged));
        }
    }
    if let Ok(domain) = Domain::parse(text) {
        assert_eq!(Domain::parse(domain.as_str()), Ok(domain));
    }
    if let Ok(local) = Localpart::parse(text) {
        assert_eq!(Localpart::parse(local.as_str()), Ok(local));
    }
    if let Ok(selector) = Selector::parse(text) {
        assert_eq!(Selector::parse(selector.as_str()), Ok(selector));
    }
    if let Ok(source) = Source::parse(text) {
        assert_eq!(Source::parse(&source.to_string()), Ok(source));
    }
    if let Ok(home) = Domain::parse("example.org") {
        let _ = table::parse(text, &home);
    }
});
