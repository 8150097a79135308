//! What a mail server sends to our filter, in one piece and cut; and a filter's answer to the health check.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::milter::{
    Command, Decoded, LONGEST,
    ask::{agreed, answer_size},
    decode,
};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Decoded::Command(command, used) = decode(rest) {
        assert!(used > 4 && used <= rest.len() && used <= 4 + LONGEST);
        assert!(matches!(decode(&rest[..used - 1]), Decoded::More(wanted) if wanted <= used));
        command.client();
        if let Command::Macros(_, macros) = command {
            for (name, _) in macros.iter() {
                macros.get(&String::from_utf8_lossy(name));
            }
        }
        rest = &rest[used..];
    }
    let Some((head, answer)) = bytes.split_first_chunk::<4>() else { return };
    if let Some(size) = answer_size(*head) {
        assert!((13..=4096).contains(&size));
        let answer = &answer[..size.min(answer.len())];
        assert!(agreed(answer).is_none() || answer.first() == Some(&b'O'));
    }
});
