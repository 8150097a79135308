//! SRS addresses as strangers write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::{
    address::Domain,
    srs::{Day, LONGEST_PATH, Secrets, Srs},
};

fuzz_target!(|input: (i32, &str, bool)| {
    let (day, text, sign) = input;
    let srs = Srs::new(Secrets::parse(b"secret\nolder").unwrap());
    let (day, domain) = (Day::at(i64::from(day) * 86_400), Domain::parse("fwd.example.org").unwrap());
    if let Ok(back) = srs.decode(text, day) {
        assert!(back.contains('@'));
    }
    // What is signed by us is read, whatever stood in it.
    let text = if sign { format!("{text}@example.net") } else { text.to_owned() };
    let Ok(made) = srs.encode(&text, &domain, day) else { return };
    assert!(made.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
    if made == text {
        return;
    }
    assert!(made.len() <= LONGEST_PATH);
    let (local, _) = made.rsplit_once('@').unwrap();
    if let Ok(back) = srs.decode(local, day) {
        // It goes round.
        assert!(srs.encode(&back, &domain, day).is_ok());
    }
});
