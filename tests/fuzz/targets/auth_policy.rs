#![no_main]
use libfuzzer_sys::fuzz_target;
use mailctl::{mail::penalty::Key, wire::auth_policy::request};

fuzz_target!(|bytes: &[u8]| {
    if let Some(asked) = request(bytes) {
        assert!(!asked.attempt.account.contains(char::is_control));
        assert!(asked.attempt.secret.is_none_or(|hash| hash.chars().count() <= 128));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = text.parse::<Key>()
    {
        assert_eq!(key.to_string().parse::<Key>(), Ok(key));
    }
});
