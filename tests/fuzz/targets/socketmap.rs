//! Whatever a peer sends: no panic, no request beyond the buffer, and the same answer however it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::socketmap::{Decoded, decode};

fuzz_target!(|bytes: &[u8]| {
    let whole = decode(bytes);
    let half = decode(&bytes[..bytes.len() / 2]);
    match (&half, &whole) {
        (Decoded::More, _) | (Decoded::Malformed(_), Decoded::Malformed(_)) => {}
        // What was settled with half of the bytes is not changed by the rest.
        (settled, whole) => assert_eq!(settled, whole),
    }
    if let Decoded::Request { map, key, used } = whole {
        assert!(used <= bytes.len() && map.len() + key.len() < used);
    }
});
