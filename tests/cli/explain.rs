//! `mailctl explain` in a temporary home.

use crate::common::{
    dns::{Dns, Zone},
    home::Home,
};
use std::fs;

/// Proves: S0-21: the rule, what the client is told, the setting and the command that changes it; without a stack.
#[test]
fn a_refusal_comes_with_its_rule_and_its_remedy() {
    let home = Home::new();
    home.ok(&["user", "add", "bob@example.org"]);
    let taken = home.ok(&["explain", "receive", "--from", "x@example.net", "--to", "bob@example.org"]);
    assert!(
        taken.contains("smtpd_relay_restrictions") && taken.contains("=> mailbox bob@example.org"),
        "{taken}"
    );
    let no = home.refused(
        &[
            "explain",
            "receive",
            "--from",
            "x@example.net",
            "--to",
            "x@example.com",
            "--client-ip",
            "192.0.2.1",
        ],
        1,
        "message.refused",
    );
    for word in
        ["554 5.7.1", "Relay access denied", "TRUSTED_NETWORKS", "domain add example.com", "explain send"]
    {
        assert!(no.err.contains(word), "{word}: {no:?}");
    }
    // The loopback is trusted.
    home.ok(&["explain", "receive", "--from", "<>", "--to", "x@example.com", "--client-ip", "127.0.0.1"]);
    let sent = home.json(&["explain", "send", "--user", "bob@example.org", "--to", "x@example.com"]);
    assert_eq!((&sent["taken"], &sent["goes_to"][0]), (&true.into(), &"x@example.com".into()), "{sent}");
    let words = [
        "explain",
        "send",
        "--user",
        "bob@example.org",
        "--from",
        "ann@example.org",
        "--to",
        "x@example.com",
    ];
    let no = home.refused(&words, 1, "message.refused");
    assert!(no.err.contains("user allow bob@example.org ann@example.org"), "{no:?}");
    home.refused(&["explain", "send", "--user", "bob", "--to", "x@example.com"], 64, "name.malformed");
}

/// Proves: S0-21 (what next hops answer, with cause and a command to type).
#[test]
fn an_answer_of_the_next_hop_comes_with_its_cause() {
    let home = Home::new();
    let told = home.ok(&["relay", "explain", "554 5.7.1 <bob@example.com>: Relay access denied"]);
    for word in ["log in", "RELAY_USER", "--to bob@example.com", "went back"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let json = home.json(&["relay", "explain", "421-4.7.28", "unusual", "rate"]);
    assert_eq!((&json["name"], &json["outlook"]), (&"gmail-rate".into(), &"passes".into()), "{json}");
    home.refused(&["relay", "explain", "hello"], 1, "answer.unknown");
}

/// Proves: issue 6 (`explain receive` with the lists of `dnsbl.zones`): asked over the wire with the code that mailctld asks
/// with; the listing, the answer, the setting and the exception are told; a list that refuses the resolver refuses nobody.
#[test]
fn lists_in_dns_are_asked() {
    let fit = "2.0.0.127 A 127.0.0.2\n";
    let dns = Dns::start(&[
        Zone::new(
            "bl.test",
            &format!("{fit}7.2.0.192 A 127.0.0.4\n7.2.0.192 TXT \"see there\"\n9.2.0.192 A 127.0.0.10\n"),
        ),
        Zone::new("late.test", &format!("{fit}8.2.0.192 A 127.0.0.2\n")),
        Zone::new("told.test", &format!("{fit}9.2.0.192 A 127.0.0.2\n")),
        Zone::new(
            "refuses.test",
            "* A 127.255.255.254\n*.2.0.192 A 127.255.255.254\n*.0.0.127 A 127.255.255.254\n",
        ),
        Zone::new("dbl.test", "test A 127.0.1.2\nspam.example A 127.0.1.2\n"),
        Zone::new("example", "@ A 192.0.2.99\n"),
    ]);
    let home = Home::new();
    let zones = "bl.test=127.0.0.[2..9], late.test/defer, told.test/log, refuses.test, domain:dbl.test";
    let settings =
        format!("[dns]\nresolver = \"{}\"\n[spf]\nmode = \"off\"\n[dnsbl]\nzones = \"{zones}\"\n", dns.at());
    fs::write(home.path().join("mailctl.toml"), settings).unwrap();
    home.ok(&["user", "add", "bob@example.org"]);
    let words = |client: &'static str, from: &'static str| {
        ["explain", "receive", "--from", from, "--to", "bob@example.org", "--client-ip", client]
    };
    let no = home.refused(&words("192.0.2.7", "x@example.net"), 1, "dns-blocklist");
    for word in [
        "blocked using bl.test; see there",
        "554 5.7.1 <bob@example.org>: Recipient address rejected: Service unavailable; client [192.0.2.7] ",
        "dnsbl.zones",
        "allow add 192.0.2.7 ",
    ] {
        assert!(no.err.contains(word), "{word}: {no:?}");
    }
    home.refused(&words("192.0.2.8", "x@example.net"), 1, "451 4.7.1 <bob@example.org>");
    home.refused(&words("192.0.2.1", "x@spam.example"), 1, "allow add sender:spam.example");
    let told = home.ok(&words("192.0.2.9", "x@example.net"));
    for word in [
        "only told in the log",
        "not on bl.test, late.test, dbl.test",
        "refuses.test is not believed here: it answers 127",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(dns.asked_for("9.2.0.192.refuses.test", "A"), 0, "what fails its test is asked nothing");
    // Who is allowed, or known here, is not asked about.
    home.ok(&words("127.0.0.1", "x@spam.example"));
    home.ok(&["allow", "add", "192.0.2.7"]);
    home.ok(&words("192.0.2.7", "x@example.net"));
}

/// Proves: issue 6 (greylisting of pools is foretold): the client's name is looked for as Postfix does it, and where DNS tells
/// none, that is said.
#[test]
fn the_name_of_the_client_is_looked_up() {
    use crate::common::mailctld::Mailctld;
    let dns = Dns::start(&[
        Zone::new("2.0.192.in-addr.arpa", "7 PTR mx7.pool.example.\n8 PTR liar.pool.example.\n"),
        Zone::new("pool.example", "mx7 A 192.0.2.7\nliar A 192.0.2.99\n"),
    ]);
    let home = Home::new();
    let settings =
        format!("[dns]\nresolver = \"{}\"\n[spf]\nmode = \"off\"\n[greylist]\nmode = \"all\"\n", dns.at());
    fs::write(home.path().join("mailctl.toml"), settings).unwrap();
    home.ok(&["user", "add", "bob@example.org"]);
    let greylist =
        "[policies.greylist]\nmode='all'\ndelay=2\nwindow=3600\nkeep=86400\nafter=0\nipv4=24\nipv6=64";
    let mailctld = Mailctld::start(&home, greylist);
    let foretold = |client: &str| {
        let words = [
            "explain",
            "receive",
            "--from",
            "x@example.net",
            "--to",
            "bob@example.org",
            "--client-ip",
            client,
        ];
        home.refused(&words, 1, "greylist.mode").err
    };
    assert!(foretold("192.0.2.7").contains("in 2 seconds, as one of the servers of pool.example"), "pool");
    assert!(
        foretold("192.0.2.8").contains("as one that stands alone (DNS has no name for it that leads back")
    );
    assert!(foretold("198.51.100.1").contains("as one that stands alone"));
    // It came from another server of the pool: that is the one that is waited for.
    let came = |client: &str, name: &str| {
        mailctld.ask(&format!(
            "protocol_state=RCPT client_address={client} client_name={name} sender=x@example.net recipient=bob@example.org"
        ))
    };
    assert!(came("203.0.113.1", "mx1.pool.example").ends_with("2 seconds"));
    // Its delay is over for every server of the pool, whatever network it stands in, and for no other client.
    let words = |client: &'static str| {
        ["explain", "receive", "--from", "x@example.net", "--to", "bob@example.org", "--client-ip", client]
    };
    mailctld.soon("the delay is over", || home.run(&words("192.0.2.7")).status == 0);
    let told = home.ok(&words("192.0.2.7"));
    assert!(told.contains("known to greylisting, as one of the servers of pool.example"), "{told}");
    foretold("192.0.2.8");
}
