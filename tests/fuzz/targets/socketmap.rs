//! Requests of the socketmap protocol, as many as the bytes hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::socketmap::{Decoded, Reply, decode, encode};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Decoded::Request { map, key, used } = decode(rest) {
        assert!(used <= rest.len() && map.len() + key.len() < used);
        // However it arrives, it is the same request.
        for cut in [used / 2, used - 1] {
            assert_eq!(decode(&rest[..cut]), Decoded::More);
        }
        if let Ok(key) = std::str::from_utf8(key) {
            let mut out = Vec::new();
            encode(Reply::Ok(key), &mut out);
            let text = std::str::from_utf8(&out).unwrap();
            let (length, body) = text.split_once(':').unwrap();
            assert_eq!(length.parse::<usize>().unwrap() + 1, body.len());
            assert!(body.starts_with("OK ") && body.ends_with(','));
        }
        rest = &rest[used..];
    }
});
