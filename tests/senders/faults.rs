//! A DNS that fails altogether, while both SPF and a blocklist want to know.

use super::*;

const POLICIES: &str = "[policies.spf]\nmode = \"reject\"\n";

fn zones() -> Dns {
    let listed = "2.0.0.127 A 127.0.0.2\n7.2.0.192 A 127.0.0.4\n";
    let strict = "@ TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n";
    let domains = (0..5).map(|number| Zone::new(&format!("s{number}.test"), strict));
    Dns::start(
        &domains.chain([Zone::new("known.test", strict), Zone::new("bl.test", listed)]).collect::<Vec<_>>(),
    )
}

/// A place whose list has passed its test.
fn asking(dns: &Dns, policies: &str) -> Place {
    let place = Place::new(dns, &format!("dnsbl = [\"bl.test\"]\n{policies}"));
    place.until("192.0.2.7", "a@known.test", "REJECT");
    place
}

/// Five clients at once, each with a sender that nobody asked about yet: each has its answer in time.
fn five(place: &Place, what: &str) -> Vec<String> {
    std::thread::scope(|scope| {
        let asked = (0..5).map(|number| {
            scope.spawn(move || {
                let (told, took) = place.timed(&format!("198.51.100.{number}"), &format!("a@s{number}.test"));
                assert!(took < PROMISED, "{what}: {took:?}");
                told
            })
        });
        asked.collect::<Vec<_>>().into_iter().map(|asked| asked.join().unwrap()).collect()
    })
}

/// Proves: fault 19 (DNS slow, silent, SERVFAIL, refusing, answering something else), with SPF and blocklists on: each answer
/// within 1.5 s, 451 for SPF and nothing for the list; healed, all is as before, by itself.
#[test]
fn whatever_dns_does_everybody_is_answered_in_time() {
    let tried = |fault: Fault| {
        let dns = zones();
        let place = asking(&dns, POLICIES);
        dns.fault_everywhere(Some(fault));
        for told in five(&place, &format!("{fault:?}")) {
            assert!(told.starts_with("451 4.7.24 SPF: DNS gave no answer about s"), "{fault:?}: {told}");
        }
        dns.fault_everywhere(None);
        place.until("198.51.100.1", "a@s1.test", "550 5.7.23 ");
    };
    let late = Fault::Late(Duration::from_secs(3));
    std::thread::scope(|scope| {
        for fault in [Fault::Drop, Fault::ServFail, Fault::Refused, Fault::WrongId, late] {
            scope.spawn(move || tried(fault));
        }
    });
}

/// Proves: fault 19 (dead): where nobody listens, and that nobody is refused for it where the settings say `mark`.
#[test]
fn a_dns_that_is_not_there_is_no_answer() {
    let tried = |more: &str, wanted: &str| {
        let dns = zones();
        let place = asking(&dns, &format!("{POLICIES}{more}"));
        let at = dns.at();
        drop(dns);
        for told in five(&place, more) {
            assert!(told.starts_with(wanted), "{told}");
        }
        // Another one in its place is asked.
        let _dns = Dns::start_at(at, &[Zone::new("s1.test", "@ TXT \"v=spf1 -all\"\n")]);
        place.until("198.51.100.1", "a@s1.test", "550 5.7.23 ");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| tried("", "451 4.7.24 SPF: DNS gave no answer about s"));
        scope.spawn(|| tried("temperror = \"mark\"\n", "DUNNO"));
    });
}

/// Proves: fault 19 (half of the packets lost): in time as well; who is refused is refused for what DNS said.
#[test]
fn a_dns_that_loses_half_still_decides_nothing_wrongly() {
    let dns = zones();
    let place = asking(&dns, POLICIES);
    dns.fault_everywhere(Some(Fault::Loss(0.5)));
    for told in five(&place, "loss") {
        assert!(told.starts_with("451 4.7.24 ") || told.starts_with("550 5.7.23 "), "{told}");
    }
}
