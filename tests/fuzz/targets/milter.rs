//! A filter's answer to the health check.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::milter::{agreed, answer_size};

fuzz_target!(|bytes: &[u8]| {
    let Some((head, answer)) = bytes.split_first_chunk::<4>() else { return };
    if let Some(size) = answer_size(*head) {
        assert!((13..=4096).contains(&size));
        let answer = &answer[..size.min(answer.len())];
        assert!(agreed(answer).is_none() || answer.first() == Some(&b'O'));
    }
});
