//! Messages and forwards from outside: however a message is cut its facts are the same; sources are written as they are read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::{
    forward::{Aim, Source, csv},
    rule::{Facts, Scanner},
};

fuzz_target!(|octets: &[u8]| {
    let whole = Facts::of("", octets, 0);
    let mut scanner = Scanner::new();
    octets.chunks(7).for_each(|piece| scanner.feed(piece));
    assert_eq!(scanner.facts("", 0), whole);
    let Ok(text) = str::from_utf8(octets) else { return };
    if let Ok(source) = Source::parse(text) {
        assert_eq!(Source::parse(&source.to_string()).as_ref(), Ok(&source));
        source.samples().iter().for_each(|sample| assert!(source.holds(sample), "{source} {sample}"));
    }
    if let Ok(aim) = Aim::parse(text) {
        assert_eq!(Aim::parse(&aim.to_string()), Ok(aim));
    }
    let _ = csv::records(text);
});
