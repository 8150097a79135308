//! What programs hand to /dev/log.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::syslog::{LINE, line};

fuzz_target!(|bytes: &[u8]| {
    let line = line(bytes);
    // The tag, and what names the severity, may stand before a text of the full length.
    assert!(line.len() <= LINE + 16);
    assert!(!line.chars().any(char::is_control));
});
