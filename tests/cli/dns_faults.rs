//! `mailctl dns-check` where DNS itself is ill: what cannot be asked is neither right nor wrong, and costs one deadline.

use super::dns_check::{check, codes, home, records, serve};
use crate::common::{
    dns::{Dns, Fault, Zone, free_address},
    home::Home,
};
use serde_json::Value;
use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

/// One deadline (5 s) and the little that a busy machine takes; two deadlines would not be within it.
const ONE_DEADLINE: Duration = Duration::from_millis(8500);

/// All that needs no real root zone.
const SUBJECTS: &str = "address,reverse,helo,caa,mx,spf,dkim,dmarc,mta-sts,tls-rpt,autoconfig,wildcard";

/// Looks; nothing may be called wrong that is right. Exit status, findings by verdict, and how long it took.
fn look(home: &Home, dns: &Dns, words: &[&str]) -> (i32, Value, Duration) {
    let began = Instant::now();
    let (status, document) = check(home, dns, words);
    assert_eq!(codes(&document, "error"), Vec::<String>::new(), "{document:#}");
    (status, document, began.elapsed())
}

fn judged(document: &Value) -> Vec<String> {
    ["ok", "warning", "error"].iter().flat_map(|verdict| codes(document, verdict)).collect()
}

/// Proves: issue 4, fault 19: with all subjects, whatever is wrong with the resolver: exit status 75, nothing is
/// called right, and a dead one costs one deadline for all questions together.
#[test]
fn nothing_is_judged_by_a_resolver_that_is_ill() {
    let home = home();
    let lines = records(&home);
    let silent = [Fault::Drop, Fault::WrongId, Fault::Late(Duration::from_secs(30))];
    let ill = &|fault: Fault, most: Duration| {
        let dns = serve(&lines);
        dns.fault_everywhere(Some(fault));
        let (status, document, took) = look(&home, &dns, &[]);
        assert_eq!(
            (status, &document["verdict"]),
            (75, &"could_not_check".into()),
            "{fault:?}: {document:#}"
        );
        assert_eq!(judged(&document), Vec::<String>::new(), "{fault:?}");
        assert!(took < most, "{fault:?} took {took:?}");
    };
    std::thread::scope(|threads| {
        for fault in silent {
            threads.spawn(move || ill(fault, ONE_DEADLINE));
        }
    });
    for fault in [Fault::ServFail, Fault::Refused] {
        ill(fault, Duration::from_millis(3000));
    }
}

/// Proves: fault 19: a resolver that is not there at all is noticed at once.
#[test]
fn a_resolver_that_is_not_there() {
    let home = home();
    let at = free_address().to_string();
    let began = Instant::now();
    let ran = home.run(&["dns-check", "--json", "--resolver", &at]);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.status, judged(&document)), (75, Vec::new()), "{document:#}");
    assert!(ran.err.contains("dns.unchecked") && ran.err.contains("--resolver"), "{}", ran.err);
}

/// Proves: fault 19: half of all packets lost, answers that come late, that are cut off, or from servers of old: the
/// right verdict, or that it could not be checked; never a wrong one.
#[test]
fn bad_ways_lead_to_the_right_verdict() {
    let home = home();
    let dns = serve(&records(&home));
    let sound = [Fault::Late(Duration::from_millis(300)), Fault::Truncate, Fault::NoEdns];
    for fault in sound {
        dns.fault_everywhere(Some(fault));
        let (status, document, took) = look(&home, &dns, &["--only", SUBJECTS]);
        assert_eq!((status, &document["verdict"]), (0, &"ok".into()), "{fault:?}: {document:#}");
        assert!(took < ONE_DEADLINE, "{fault:?} took {took:?}");
    }
    dns.fault_everywhere(Some(Fault::Loss(0.5)));
    for _ in 0..3 {
        let (status, document, took) = look(&home, &dns, &["--only", SUBJECTS]);
        assert!([0, 75].contains(&status), "{document:#}");
        assert!(!judged(&document).is_empty(), "each question goes out five times: {document:#}");
        // The longest chain, each link of it at its worst.
        assert!(took < Duration::from_secs(16), "{took:?}");
    }
}

/// Proves: fault 19: answers cannot be forged by guessing: of a liar's packets none counts, and what is true is seen.
#[test]
fn silence_about_one_name_spoils_no_other() {
    let home = home();
    let dns = serve(&records(&home));
    for fault in [Fault::Drop, Fault::WrongId, Fault::ServFail, Fault::Refused] {
        dns.fault("_dmarc.example.org", fault);
        let (status, document, took) = look(&home, &dns, &["--only", SUBJECTS]);
        assert_eq!(status, 75, "{fault:?}: {document:#}");
        assert_eq!(codes(&document, "could_not_check"), ["dns.dmarc.unchecked"], "{fault:?}");
        assert!(judged(&document).len() > 8, "{fault:?}: {document:#}");
        assert!(took < ONE_DEADLINE, "{fault:?} took {took:?}");
    }
}

/// Proves: issue 4: of two name servers one is dead: that one is named, everything else is judged, and it costs one
/// deadline, also with `--authoritative`.
#[test]
fn one_dead_name_server_of_two() {
    let home = home();
    let dead = free_address();
    let Ok(_mute) = UdpSocket::bind((dead, 53)) else {
        assert!(!rustix::process::geteuid().is_root());
        return; // Port 53 is root's.
    };
    let own: Vec<String> = records(&home).into_iter().filter(|line| !line.contains(".arpa. ")).collect();
    let servers = format!("@ NS ns1\n@ NS ns2\nns1 A {{at}}\nns2 A {dead}");
    let dns = Dns::start(&[
        Zone::new(".", ""),
        Zone::new("example.org.", &format!("{}\n{servers}", own.join("\n"))),
    ]);
    for words in [&["example.org"][..], &["example.org", "--authoritative"]] {
        let words = [words, &["--only", "name-servers,mx,spf,dkim,dmarc,tls-rpt"]].concat();
        let (status, document, took) = look(&home, &dns, &words);
        assert_eq!(status, 75, "{document:#}");
        let unchecked = codes(&document, "could_not_check");
        assert!(!unchecked.is_empty() && unchecked.iter().all(|code| code.starts_with("dns.name_servers.")));
        let text = document.to_string();
        assert!(text.contains("ns2.example.org") && text.contains(&dead.to_string()), "{document:#}");
        for code in ["dns.mx.ok", "dns.spf.ok", "dns.dkim.ok", "dns.dmarc.ok", "dns.tls_rpt.ok"] {
            assert!(codes(&document, "ok").iter().any(|other| other == code), "{code}: {document:#}");
        }
        assert!(took < ONE_DEADLINE, "{words:?} took {took:?}");
    }
}
