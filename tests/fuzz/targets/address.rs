//! Names from people: what is taken is canonical, and holds nothing that another program would interpret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::address::Address;

fuzz_target!(|text: &str| {
    let Ok(address) = Address::parse(text) else { return };
    let printed = address.to_string();
    assert_eq!(Address::parse(&printed).as_ref(), Ok(&address));
    assert!(printed.len() <= 318 && !printed.starts_with('-'));
    assert!(printed.bytes().all(|byte| byte.is_ascii_graphic() && !b"/\\|$%{}`\"(),:;<>[]".contains(&byte)));
    if let Some(plain) = address.untagged('+') {
        assert_eq!(Address::parse(&plain.to_string()), Ok(plain));
    }
});
