//! MTA-STS: the first line is the record, the rest the policy file of a stranger's web server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::{
    dns::Name,
    mta_sts::{Mode, Policy, id, is_one},
};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (record, file) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(id) = id(record) {
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(!is_one(record) || record.trim_start().starts_with("v=STSv1"));
    }
    if let Ok(policy) = Policy::parse(file) {
        assert!(policy.max_age <= 31_557_600);
        assert!(policy.mode == Mode::None || !policy.hosts.is_empty());
        for host in &policy.hosts {
            if let Ok(name) = Name::parse(host) {
                assert!(host.starts_with("*.") || policy.names(&name), "{host:?} names itself");
            }
        }
    }
});
