//! Lists of `tag=value`, as the records of DKIM, DMARC and TLS-RPT have them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::tags::{doubled, parse};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(tags) = parse(&text) else { return };
    for tag in &tags {
        assert!(!tag.name.is_empty() && !tag.value.contains(';'));
        assert_eq!(tag.value, tag.value.trim_matches([' ', '\t', '\r', '\n']));
    }
    // Written down again it reads the same.
    let again: String = tags.iter().map(|tag| format!("{}={};", tag.name, tag.value)).collect();
    assert_eq!(parse(&again).unwrap(), tags);
    assert_eq!(doubled(&parse(&again).unwrap()), doubled(&tags));
});
