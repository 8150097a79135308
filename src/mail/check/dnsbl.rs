//! The lists that mailctld asks about clients (`dnsbl.zones`): each is put to the test that mailctld puts it to.

use super::{Findings, Options, codes};
use crate::mail::{
    dns::Inquiry,
    dnsbl::{Unfit, Zone, fit, test_labels},
    finding::Finding,
    server::Server,
};

/// Judges them; none is asked about anybody.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    let host = server.host.as_str();
    // All tests go out before one is waited for.
    let parts: Vec<_> =
        options.zones.iter().map(|zone| fit(inquiry, zone).map(|passed| one(host, zone, passed))).collect();
    parts.into_iter().collect()
}

fn one(host: &str, zone: &Zone, passed: Result<(), Unfit>) -> Finding {
    // Without the key that some lists want as the first label.
    let name = zone.shown();
    let why = match passed {
        Ok(()) => {
            return codes::BLOCKLIST_ASKED.of(host, format!("{name} passes its test, and mailctld asks it"));
        }
        Err(why) => why,
    };
    let out = "or take it out of dnsbl.zones in mailctl.toml, then: mailctl up";
    let [listed, clean] = test_labels(zone.domains);
    let told = match &why {
        Unfit::Refuses(code) => codes::BLOCKLIST_REFUSES
            .of(host, format!("{name} refuses the resolver, so mailctld does not ask it"))
            .found(format!("it answers {code}, which is no listing"))
            .remedy("many lists refuse resolvers that many share: name one of your own in dns.resolver (mailctl.toml), then: mailctl up")
            .remedy("where the list wants a registration or a key, get one at its web page"),
        Unfit::Everything => codes::BLOCKLIST_EVERYTHING
            .of(host, format!("{name} lists everything, so mailctld does not ask it"))
            .found(format!("{clean}.{name} is listed"))
            .remedy("such a list is closed as a rule: look at its web page"),
        Unfit::Empty => codes::BLOCKLIST_EMPTY
            .of(host, format!("{name} does not list its own test entry, so mailctld does not ask it"))
            .found(format!("nothing at {listed}.{name}"))
            .remedy("a list that is closed, or mistyped, answers so: look at its web page for its name"),
        Unfit::Silent(silence) => codes::BLOCKLIST_UNCHECKED
            .of(host, format!("{name}: {silence}"))
            .found(format!("{name}: {silence}; mailctld asks no list that gives no answer"))
            .remedy("mailctl dns-check --only blocklist --watch asks again until there is an answer; --resolver ADDRESS asks another resolver"),
    };
    told.expected(format!("{listed}.{name} listed, {clean}.{name} not (RFC 5782 §5)")).remedy(out)
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};
    use crate::mail::finding::Verdict;

    const FIT: &str = "2.0.0.127.bl.test A 127.0.0.2\n";

    fn look(zone: &str, list: &str) -> Finding {
        let options = Options { zones: vec![list.parse().unwrap()], ..Options::default() };
        settled(zone, |inquiry| judge(inquiry, &server(), &options)).remove(0)
    }

    /// Proves: issue 6: a list of `dnsbl.zones` that refuses, is closed, lists everything or is silent is named with a
    /// remedy, by the test that mailctld makes.
    #[test]
    fn each_list_is_put_to_its_test() {
        for (zone, list, code, word) in [
            (FIT.to_owned(), "bl.test", "dns.blocklist.asked", "mailctld asks it"),
            // The test entry need not have the codes that somebody chose.
            (FIT.to_owned(), "bl.test=127.0.0.9/log", "dns.blocklist.asked", "mailctld asks it"),
            ("test.dbl.test A 127.0.1.2".to_owned(), "domain:dbl.test", "dns.blocklist.asked", ""),
            (
                "2.0.0.127.bl.test A 127.255.255.254".to_owned(),
                "bl.test",
                "dns.blocklist.refuses",
                "127.255.255.254",
            ),
            ("2.0.0.127.bl.test A 192.0.2.80".to_owned(), "bl.test", "dns.blocklist.refuses", "dns.resolver"),
            (
                format!("{FIT}1.0.0.127.bl.test A 127.0.0.2"),
                "bl.test",
                "dns.blocklist.everything",
                "1.0.0.127.bl.test is listed",
            ),
            (String::new(), "bl.test", "dns.blocklist.empty", "nothing at 2.0.0.127.bl.test"),
            (String::new(), "domain:dbl.test", "dns.blocklist.empty", "nothing at test.dbl.test"),
            (
                "2.0.0.127.bl.test A !servfail".to_owned(),
                "bl.test",
                "dns.blocklist.unchecked",
                "asks no list that gives no answer",
            ),
        ] {
            let finding = look(&zone, list);
            assert_eq!(finding.code, code, "{zone} {list}");
            let text = format!("{finding:?}");
            assert!(text.contains(word), "{word}: {text}");
            assert_eq!(finding.verdict == Verdict::Ok, finding.remedy.is_empty(), "{text}");
        }
    }

    /// Proves: a key that a list gave is shown to nobody.
    #[test]
    fn a_key_is_not_shown() {
        let key = "abcdefghijklmnopqrstuvwxyz";
        let finding = look("", &format!("{key}.zen.dq.test"));
        assert!(!format!("{finding:?}").contains(key), "{finding:?}");
    }
}
