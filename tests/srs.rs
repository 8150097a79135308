//! SRS held against others: postsrsd and Mail::SRS, as the distribution has them, in both directions with one secret.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "srs/peer.rs"]
mod peer;

use mailctl::mail::{
    address::Domain,
    srs::{Day, Secrets, Srs},
};
use peer::{MailSrs, Peer, Postsrsd};
use std::time::{SystemTime, UNIX_EPOCH};

const SECRETS: &str = "tops3cr3t\nolder one\n";

fn today() -> Day {
    Day::at(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap())
}

/// Senders of every form that the others take, the same ones each time.
fn senders() -> Vec<String> {
    const LOCAL: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=+-_.!#$&'*/?^{|}~";
    const HOST: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789-";
    let mut state = 42_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut text = |letters: &[u8], longest: usize| -> String {
        (0..=below(longest)).map(|_| char::from(letters[below(letters.len())])).collect()
    };
    let mut all: Vec<String> =
        (0..300).map(|_| format!("{}@{}.example.net", text(LOCAL, 40), text(HOST, 20))).collect();
    let forwarded: Vec<String> = all[..100]
        .iter()
        .enumerate()
        .map(|(at, sender)| {
            let (local, host) = sender.split_once('@').unwrap();
            let sign = ["=", "+", "-"][at % 3];
            let tail = format!("AbC{}=K{}={host}={local}", at % 10, ["A", "z", "7"][at % 3]);
            match at % 2 {
                0 => format!("SRS0{sign}{tail}@fwd1.example.com"),
                _ => format!("srs1{sign}WXYZ=fwd1.example.com={sign}{tail}@fwd2.example.com"),
            }
        })
        .collect();
    all.extend(forwarded);
    all
}

/// Each sender, rewritten by either, is the same address; each reads what the other made, and what became of it on the way.
fn agrees(mut peer: impl Peer) {
    let ours = Srs::new(Secrets::parse(SECRETS.as_bytes()).unwrap());
    let older = Srs::new(Secrets::parse(b"older one").unwrap());
    let domain = Domain::parse("fwd.example.org").unwrap();
    for sender in senders() {
        let before = today();
        let theirs = peer.forward(&sender).unwrap_or_else(|| panic!("{sender} is not rewritten"));
        let made = [before, today()].map(|day| ours.encode(&sender, &domain, day).unwrap());
        assert!(made.contains(&theirs), "{sender}: {theirs}, not {made:?}");
        // SRS1 of others comes back as SRS0, and capitals do not come back where they were lost.
        let back = peer.reverse(&theirs).unwrap_or_else(|| panic!("{theirs} is not read"));
        assert_eq!(ours.decode(local(&theirs), today()), Ok(back.clone()));
        for folded in [theirs.to_ascii_lowercase(), theirs.to_ascii_uppercase()] {
            let back = peer.reverse(&folded).unwrap_or_else(|| panic!("{folded} is not read"));
            let read = ours.decode(local(&folded), today()).unwrap();
            assert!(read.eq_ignore_ascii_case(&back), "{folded}: {read}, not {back}");
        }
        let other = older.encode(&sender, &domain, today()).unwrap();
        assert_eq!(peer.reverse(&other), Some(back));
        let strange =
            Srs::new(Secrets::parse(b"strange").unwrap()).encode(&sender, &domain, today()).unwrap();
        assert_eq!(peer.reverse(&strange), None, "{strange}");
        assert!(ours.decode(local(&strange), today()).is_err());
    }
}

fn local(address: &str) -> &str {
    address.rsplit_once('@').unwrap().0
}

/// Proves: threat 4 (postsrsd's addresses are ours and ours are its).
#[test]
fn postsrsd_agrees() {
    agrees(Postsrsd::start(SECRETS, "fwd.example.org"));
}

/// Proves: the same of Mail::SRS.
#[test]
fn mail_srs_agrees() {
    agrees(MailSrs::start(SECRETS, "fwd.example.org"));
}
