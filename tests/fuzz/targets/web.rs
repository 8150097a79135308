//! What mailctld reads by itself of requests over HTTP: queries and autodiscover's documents.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::{autodiscover, query};

fuzz_target!(|bytes: &[u8]| {
    if let Some(asked) = autodiscover::request(bytes) {
        assert!(!asked.address.to_string().contains(['<', '>', '"', '\n', '\0']));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(value) = query::value(text, "emailaddress") {
        assert!(text.contains("emailaddress") && value.len() <= text.len());
    }
});
