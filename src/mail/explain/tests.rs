use super::{super::directory::tests::*, *};
use crate::mail::{address::Address, list::Lists, relay::RelayMode, rights::Restriction};

const MAIN: &str = "smtpd_client_restrictions = check_policy_service unix:/run/mailctl/mailctld/policy\n\
    smtpd_helo_restrictions = permit_mynetworks reject_invalid_helo_hostname\n\
    smtpd_relay_restrictions = permit_mynetworks reject_unauth_destination\n\
    smtpd_recipient_restrictions = reject_unlisted_recipient reject_rbl_client x.example permit reject\n";
const MASTER: &str = "submission inet n - n - - smtpd\n  -o smtpd_helo_restrictions=\n\
    \x20 -o smtpd_sender_restrictions=reject_sender_login_mismatch\n\
    \x20 -o smtpd_relay_restrictions=permit_sasl_authenticated reject\n";

fn asked(service: &str, change: impl FnOnce(&mut Question)) -> (Verdict, Vec<Step>) {
    let table = table(&["ann@example.org", "bob@example.org"], &[("info@example.org", &["bob@example.org"])]);
    let address = |text: &str| Address::parse(text).unwrap();
    let mut question = Question {
        client: None,
        trusted: false,
        helo: None,
        login: None,
        from: Some(address("x@example.net")),
        to: address("info@example.org"),
        spf: None,
        heard: None,
        called: None,
    };
    change(&mut question);
    let words = Words {
        restriction: Restriction::Email,
        mode: RelayMode::AllowAuth,
        lists: &Lists::default(),
        header_from: HeaderFrom::Own,
    };
    let Ok(steps) = walk(&lists(MAIN, MASTER, service), &question, &table, &place(), words);
    (steps.last().unwrap().verdict, steps)
}

/// Proves: S0-21 (each error of the guide has a cause and a fix), issue 6 (`explain`).
#[test]
fn the_rule_that_decides_is_named_with_its_remedy() {
    let address = |text: &str| Address::parse(text).unwrap();
    let (verdict, steps) = asked("smtp", |_| {});
    assert_eq!(verdict, Verdict::Next, "{steps:#?}");
    assert!(steps.iter().any(|step| step.verdict == Verdict::Open && step.setting == Some("[postfix.main]")));

    let (verdict, steps) = asked("smtp", |question| question.to = address("nobody@example.org"));
    let last = steps.last().unwrap();
    assert_eq!((verdict, last.rule.as_str()), (Verdict::Refuse, "reject_unlisted_recipient"));
    assert!(last.reply.as_ref().unwrap().starts_with("550 5.1.1"));

    let (_, steps) = asked("smtp", |question| question.to = address("x@example.com"));
    let last = steps.last().unwrap();
    assert!(
        last.reply.as_ref().unwrap().contains("Relay access denied") && last.remedies.len() == 2,
        "{last:?}"
    );
    let (verdict, _) = asked("smtp", |question| {
        question.to = address("x@example.com");
        question.trusted = true;
    });
    assert_eq!(verdict, Verdict::Next);

    for (helo, fine) in
        [("mail.example.net", true), ("[192.0.2.1]", true), ("a b", false), ("-x.example", false)]
    {
        let (_, steps) = asked("smtp", |question| question.helo = Some(helo.to_owned()));
        assert_eq!(steps.last().unwrap().rule != "reject_invalid_helo_hostname", fine, "{helo}");
    }

    let send = |from: Option<&str>| {
        asked("submission", |question| {
            question.login = Some(address("bob@example.org"));
            question.from = from.map(address);
            question.to = address("x@example.com");
        })
    };
    let (verdict, steps) = send(Some("info@example.org"));
    let last = steps.last().unwrap();
    assert_eq!((verdict, last.setting), (Verdict::Open, Some("submission.header_from")), "{last:?}");
    assert_eq!(send(None).0, Verdict::Open);
    let (verdict, steps) = send(Some("ann@example.org"));
    let last = steps.last().unwrap();
    assert_eq!((verdict, last.setting), (Verdict::Refuse, Some("SENDER_RESTRICTIONS")));
    assert_eq!(last.remedies, ["mailctl user allow bob@example.org ann@example.org"]);
    let (verdict, steps) = asked("submission", |question| question.login = Some(address("gone@example.org")));
    assert_eq!(verdict, Verdict::Refuse);
    assert!(steps.last().unwrap().reply.as_ref().unwrap().starts_with("535"), "{steps:?}");
}

/// Proves: issue 6: `explain` names the entry that decides, and how to be rid of it.
#[test]
fn an_entry_of_a_list_is_named() {
    use crate::mail::list::{Table, file};
    use std::sync::Arc;
    const MAIN: &str =
        "smtpd_recipient_restrictions = check_policy_service unix:/run/mailctl/mailctld/policy\n";
    let read = |name: &str, text: &str| file::read(name, file::way(name).unwrap(), text.as_bytes()).entries;
    let mut entries = read("drop.block", "; DROP\n192.0.2.0/24 ; SBL1\nrecipient:info@example.org\n");
    entries.extend(read("own.allow", "192.0.2.7\n"));
    let known = Lists { files: vec![Arc::new(Table::new(entries))], ..Lists::default() };
    let table = table(&["ann@example.org"], &[("info@example.org", &["ann@example.org"])]);
    let address = |text: &str| Address::parse(text).unwrap();
    let asked = |client: &str, login: Option<&str>, to: &str| {
        let question = Question {
            client: client.parse().ok(),
            trusted: false,
            helo: None,
            login: login.map(address),
            from: Some(address(login.unwrap_or("x@example.net"))),
            to: address(to),
            spf: None,
            heard: None,
            called: None,
        };
        let words = Words {
            restriction: Restriction::Email,
            mode: RelayMode::AllowAuth,
            lists: &known,
            header_from: HeaderFrom::Own,
        };
        let Ok(mut steps) = walk(&lists(MAIN, MASTER, "smtp"), &question, &table, &place(), words);
        steps.retain(|step| step.rule.starts_with("check_policy_service"));
        steps.remove(0)
    };
    let step = asked("192.0.2.8", None, "ann@example.org");
    assert_eq!(
        (step.verdict, step.why.as_str()),
        (Verdict::Refuse, "block 192.0.2.0/24 (lists/drop.block:2, SBL1)")
    );
    assert_eq!(
        step.reply.as_deref(),
        Some(
            "554 5.7.1 <ann@example.org>: Recipient address rejected: mail from your address is not taken here"
        )
    );
    assert_eq!(step.remedies[0], "take line 2 out of lists/drop.block");
    assert!(step.remedies[1].starts_with("mailctl allow add 192.0.2.8 "));
    let step = asked("192.0.2.7", None, "info@example.org");
    assert_eq!(step.verdict, Verdict::Next);
    assert!(step.why.starts_with("allow 192.0.2.7 (lists/own.allow:1): "), "{}", step.why);
    assert_eq!(asked("192.0.2.7", Some("ann@example.org"), "info@example.org").verdict, Verdict::Refuse);
    assert_eq!(asked("192.0.2.8", Some("ann@example.org"), "ann@example.org").verdict, Verdict::Open);
}

/// Proves: issue 6: `explain` tells what blocklists in DNS say, with what the client is told and how to make an exception;
/// a list that only logs, or that is not believed, refuses nobody.
#[test]
fn what_lists_in_dns_say_is_told() {
    use crate::mail::dnsbl::{Act, Listing};
    const MAIN: &str =
        "smtpd_recipient_restrictions = check_policy_service unix:/run/mailctl/mailctld/policy permit\n";
    let table = table(&["ann@example.org"], &[]);
    let listing = |act, what: &str| Listing {
        zone: "bl.example".to_owned(),
        act,
        what: what.to_owned(),
        text: "see there".to_owned(),
    };
    let asked = |heard: Heard| {
        let question = Question {
            client: "192.0.2.7".parse().ok(),
            trusted: false,
            helo: None,
            login: None,
            from: Address::parse("x@example.net").ok(),
            to: Address::parse("ann@example.org").unwrap(),
            spf: None,
            heard: Some(heard),
            called: None,
        };
        let words = Words {
            restriction: Restriction::Email,
            mode: RelayMode::AllowAuth,
            lists: &Lists::default(),
            header_from: HeaderFrom::Own,
        };
        let Ok(mut steps) = walk(&lists(MAIN, MASTER, "smtp"), &question, &table, &place(), words);
        (steps.remove(0), steps.len())
    };
    let of =
        |listings: Vec<Listing>| Heard { listings, asked: vec!["bl.example".into()], ..Heard::default() };
    let (step, more) = asked(of(vec![
        listing(Act::Defer, "sender domain [example.net]"),
        listing(Act::Reject, "client [192.0.2.7]"),
    ]));
    assert_eq!((step.rule.as_str(), step.verdict, more), ("dns-blocklist", Verdict::Refuse, 0));
    assert_eq!(step.why, "client [192.0.2.7] blocked using bl.example; see there");
    assert_eq!(
        step.reply.as_deref(),
        Some(
            "554 5.7.1 <ann@example.org>: Recipient address rejected: Service unavailable; client [192.0.2.7] \
             blocked using bl.example; see there"
        )
    );
    assert_eq!(step.setting, Some("dnsbl.zones"));
    assert!(step.remedies[0].starts_with("mailctl allow add 192.0.2.7 "), "{:?}", step.remedies);
    let (step, _) = asked(of(vec![listing(Act::Defer, "sender domain [example.net]")]));
    assert!(step.reply.as_ref().unwrap().starts_with("451 4.7.1 <ann@example.org>: "), "{step:?}");
    assert!(step.remedies[1].starts_with("mailctl allow add sender:example.net "), "{step:?}");
    let (step, more) = asked(of(vec![listing(Act::Log, "client [192.0.2.7]")]));
    assert_eq!((step.verdict, more), (Verdict::Next, 3));
    assert!(step.why.ends_with("which is only told in the log"), "{}", step.why);
    let (step, _) = asked(of(vec![]));
    assert_eq!((step.verdict, step.why.as_str()), (Verdict::Next, "not on bl.example"));
    let doubtful = vec![("dead.example".to_owned(), "it lists everything".to_owned())];
    let (step, more) = asked(Heard { doubtful, ..Heard::default() });
    assert_eq!((step.verdict, more), (Verdict::Open, 3));
    assert!(step.why.contains("dead.example is not believed here: it lists everything"), "{}", step.why);
}
