//! PROXY headers of both versions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::proxy::{Decoded, LONGEST, decode};

fuzz_target!(|bytes: &[u8]| {
    match decode(bytes) {
        Decoded::Header(_, used) => {
            assert!(used > 0 && used <= bytes.len());
            assert!(matches!(decode(&bytes[..used - 1]), Decoded::More));
            assert_eq!(decode(&bytes[..used]), decode(bytes));
        }
        // Nothing is waited for without end.
        Decoded::More => assert!(bytes.len() < LONGEST),
        Decoded::Malformed(_) => {}
    }
});
