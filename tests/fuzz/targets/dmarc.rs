//! A TXT record at `_dmarc`, as a stranger publishes it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::dmarc::{Policy, Request, domain_of, edited, is_one, tidied};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(policy) = Policy::parse(&text) else { return };
    assert!(is_one(&text) && policy.percent <= 100);
    for address in policy.aggregate.iter().chain(&policy.failure) {
        assert!(domain_of(address).is_some(), "{address:?}");
    }
    // What is given as a remedy is a record, says the same, and has nothing more to mend.
    let tidy = tidied(&text).expect("what is a policy is a list of tags");
    let again = Policy::parse(&tidy).unwrap_or_else(|fault| panic!("{tidy:?}: {fault}"));
    let voided = policy.passed_over.iter().any(|note| note.contains("the whole record"));
    assert!(voided || again.request == policy.request, "{tidy:?}");
    assert_eq!(again.aggregate, policy.aggregate, "{tidy:?}");
    assert!(again.passed_over.is_empty(), "{tidy:?}: {:?}", again.passed_over);
    let strict = edited(&tidy, &[("p", Some("reject"))]).expect("a list of tags");
    assert_eq!(Policy::parse(&strict).unwrap().request, Request::Reject);
});
