use super::*;
use crate::mail::dns::{Inquiry, Known, Name, Outcome, Question};
use std::net::IpAddr;

fn zone(text: &str) -> Zone {
    text.parse().unwrap()
}

/// What DNS has: every other name does not exist.
fn known(records: &[(&str, &str)], asked: &[Question]) -> Known {
    let mut known = Known::default();
    for (name, data) in records {
        let data = match data.strip_prefix("TXT ") {
            Some(text) => Data::Txt(vec![text.as_bytes().to_vec()]),
            None => Data::A(data.parse().unwrap()),
        };
        known.add(&Name::parse(name).unwrap(), data);
    }
    for question in asked {
        known
            .answers
            .entry(question.clone())
            .or_insert_with(|| Answer::new(Outcome::Nothing { exists: false }));
    }
    known
}

/// Asks until nothing is missing.
fn settled<T>(records: &[(&str, &str)], judge: impl Fn(&Inquiry<'_>) -> T) -> T {
    let mut asked: Vec<Question> = Vec::new();
    loop {
        let known = known(records, &asked);
        let inquiry = Inquiry::new(&known);
        let verdict = judge(&inquiry);
        let missing = inquiry.missing();
        if missing.is_empty() {
            return verdict;
        }
        asked.extend(missing.questions);
    }
}

#[test]
fn a_zone_is_read_and_written_alike() {
    for text in [
        "zen.spamhaus.org",
        "zen.spamhaus.org=127.0.0.[2..11]",
        "bl.example.net=127.0.0.[2;4..8]/defer",
        "domain:dbl.spamhaus.org=127.0.[1;2].[2..99]/log",
    ] {
        assert_eq!(zone(text).to_string(), text);
    }
    assert_eq!(zone("bl.example.net/reject").to_string(), "bl.example.net");
    for (bad, word) in [
        ("org", "no blocklist"),
        ("bl.example.net/mark", "reject, defer or log"),
        ("bl.example.net=127.0.0", "no codes"),
        ("bl.example.net=127.0.0.[2..11", "no codes"),
        ("bl.example.net=127.0.0.2.3", "no codes"),
        ("bl.example.net=127.0.0.[9..3]", "no codes"),
        ("bl.example.net=127.0.0.300", "no codes"),
        ("domain:", "empty"),
    ] {
        let told = bad.parse::<Zone>().unwrap_err();
        assert!(told.contains(word), "{bad}: {told}");
    }
    let codes: Codes = "127.0.0.[2;4..8]".parse().unwrap();
    let hold = |code: &str| codes.hold(code.parse().unwrap());
    assert!(hold("127.0.0.2") && hold("127.0.0.8") && !hold("127.0.0.3") && !hold("127.0.1.2"));
    assert_eq!(zone("abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net").shown(), "zen.dq.spamhaus.net");
}

/// Proves: issue 6: an answer that refuses the resolver is never a listing, whatever codes the settings take.
#[test]
fn a_refusal_is_no_listing() {
    let answer = |code: &str| {
        let mut answer = Answer::new(Outcome::Nothing { exists: false });
        answer.outcome = Outcome::Found(vec![Data::A(code.parse().unwrap())]);
        answer
    };
    let all: Codes = "[0..255].[0..255].[0..255].[0..255]".parse().unwrap();
    for code in [
        "127.255.255.252",
        "127.255.255.254",
        "127.255.255.255",
        "127.0.0.1",
        "127.0.1.255",
        "192.0.2.1",
        "0.0.0.0",
    ] {
        for codes in [None, Some(&all)] {
            assert_eq!(says(&answer(code), codes), Says::Refusal(code.parse().unwrap()));
        }
    }
    assert_eq!(says(&answer("127.0.0.4"), None), Says::Listed(vec!["127.0.0.4".parse().unwrap()]));
    assert_eq!(says(&answer("127.0.4.10"), None), Says::Refusal("127.0.4.10".parse().unwrap()));
    assert_eq!(says(&answer("127.0.4.10"), Some(&all)), Says::Listed(vec!["127.0.4.10".parse().unwrap()]));
    let few: Codes = "127.0.0.[2..3]".parse().unwrap();
    assert_eq!(says(&answer("127.0.0.4"), Some(&few)), Says::Clean);
}

/// Proves: RFC 5782 §2.1, §2.4, §3.1: whom which list is asked about, and what the client is told.
#[test]
fn clients_and_domains_are_looked_up() {
    let zones = [zone("bl.test"), zone("six.test/defer"), zone("domain:dbl.test"), zone("trial.test/log")];
    let zones: Vec<&Zone> = zones.iter().collect();
    let records = [
        ("7.2.0.192.bl.test", "127.0.0.2"),
        ("7.2.0.192.bl.test", "TXT see https://bl.test/\u{7}ä"),
        ("9.2.0.192.trial.test", "127.0.0.2"),
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.six.test", "127.0.0.3"),
        ("spam.example.dbl.test", "127.0.1.2"),
        ("mx.bad.example.dbl.test", "127.0.1.2"),
    ];
    let told = |client: &str, sender: &str, helo: &str| {
        let client: IpAddr = client.parse().unwrap();
        let (listings, doubts) = settled(&records, |inquiry| ask(inquiry, &zones, client, sender, helo));
        assert!(doubts.is_empty());
        judge(&listings).action.to_string()
    };
    assert_eq!(
        told("::ffff:192.0.2.7", "a@b.example", "c.example"),
        "REJECT 5.7.1 Service unavailable; client [192.0.2.7] blocked using bl.test; see https://bl.test/??"
    );
    assert_eq!(
        told("2001:db8::1", "", ""),
        "451 4.7.1 Service unavailable; client [2001:db8::1] blocked using six.test"
    );
    assert_eq!(
        told("192.0.2.8", "x@Spam.example", "[192.0.2.8]"),
        "REJECT 5.7.1 Service unavailable; sender domain [spam.example] blocked using dbl.test"
    );
    assert_eq!(
        told("192.0.2.8", "", "mx.bad.example"),
        "REJECT 5.7.1 Service unavailable; client name [mx.bad.example] blocked using dbl.test"
    );
    assert_eq!(told("192.0.2.9", "", ""), "DUNNO", "only logged");
    assert_eq!(told("192.0.2.8", "a@b.example", "localhost"), "DUNNO");
}

/// Proves: issue 6, RFC 5782 §5: only a list that passes its test is asked.
#[test]
fn a_list_is_tested() {
    let fit_of = |text: &str, records: &[(&str, &str)]| {
        let zone = zone(text);
        settled(records, |inquiry| fit(inquiry, &zone)).unwrap()
    };
    let good = [("2.0.0.127.bl.test", "127.0.0.2"), ("test.bl.test", "127.0.1.2")];
    assert_eq!(fit_of("bl.test", &good), Ok(()));
    assert_eq!(fit_of("bl.test=127.0.0.[10..11]", &good), Ok(()), "the test has other codes");
    assert_eq!(fit_of("domain:bl.test", &good), Ok(()));
    assert_eq!(fit_of("bl.test", &[]), Err(Unfit::Empty));
    let refusal = "127.255.255.254".parse().unwrap();
    assert_eq!(fit_of("bl.test", &[("2.0.0.127.bl.test", "127.255.255.254")]), Err(Unfit::Refuses(refusal)));
    let all = [good[0], ("1.0.0.127.bl.test", "127.0.0.2")];
    assert_eq!(fit_of("bl.test", &all), Err(Unfit::Everything));
    let mut dead = known(&[], &[]);
    for label in test_labels(false) {
        dead.silence(
            &Name::parse(&format!("{label}.bl.test")).unwrap(),
            crate::mail::dns::Kind::A,
            Silence::Timeout,
        );
    }
    assert_eq!(fit(&Inquiry::new(&dead), &zone("bl.test")), Some(Err(Unfit::Silent(Silence::Timeout))));
    assert!(fit(&Inquiry::new(&Known::default()), &zone("bl.test")).is_none());
}
