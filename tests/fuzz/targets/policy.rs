//! Requests of the policy protocol, as many as the bytes hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::{
    mail::policy::{Action, login},
    wire::policy::{Decoded, decode, encode},
};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Decoded::Request(request, used) = decode(rest) {
        assert!(used > 0 && used <= rest.len());
        assert!(matches!(decode(&rest[..used - 1]), Decoded::More));
        let name = String::from_utf8_lossy(request.get("sasl_username").unwrap_or_default()).into_owned();
        for action in [login(&name, Some(false)), login(&name, None), Action::Reject(name.clone())] {
            let mut out = Vec::new();
            encode(&action, &mut out);
            // One line and an empty one, whatever the login is called.
            assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
            assert!(out.starts_with(b"action=") && out.ends_with(b"\n\n"));
        }
        rest = &rest[used..];
    }
});
