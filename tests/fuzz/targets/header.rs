//! Values of `From`, `Received-SPF` and `Authentication-Results` as anybody writes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::header::{author, forged};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(all) = author::list(bytes) {
        for written in all {
            // What a client is told is one line of printable ASCII, and every address stood there as it is told.
            let told = written.to_string();
            assert!(told.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{told:?}");
            assert!(!written.domain.is_empty() && written.domain.is_ascii());
            assert!(!written.local.contains("=?"));
        }
    }
    forged::received_spf(bytes, "mail.example.org");
    forged::spf_result(bytes, "mail.example.org");
});
