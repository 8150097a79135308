use super::*;
use proptest::prelude::*;

fn minute(text: &str) -> Minute {
    text.parse().unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn rule(id: i64, priority: u16, conditions: Vec<Condition>, action: Action) -> Rule {
    Rule { id, priority, enabled: true, conditions, action }
}

/// Proves: S0-34, each condition, with both of its answers.
#[test]
fn conditions_hold_or_not() {
    use Condition::*;
    let facts = Facts {
        sender: "bounce+17@list.Example.net".to_owned(),
        from: vec!["News@Shop.example".to_owned()],
        subjects: vec!["Your  INVOICE \u{c4}rger".to_owned()],
        size: 1000,
        attachments: true,
        time: 22 * 3600 + 30 * 60,
    };
    for (condition, holds) in [
        (SenderContains("NEWS@".to_owned()), true),
        (SenderContains("bounce+".to_owned()), true),
        (SenderContains("nobody".to_owned()), false),
        (SenderIs(address("news@shop.example")), true),
        (SenderIs(address("ews@shop.example")), false),
        (SenderDomain("shop.example".to_owned()), true),
        (SenderDomain("example.net".to_owned()), false),
        (SenderDomain(".example.net".to_owned()), true),
        (SenderDomain(".Shop.example".to_owned()), true),
        (SenderDomain(".hop.example".to_owned()), false),
        (SubjectContains("invoice \u{e4}rger".to_owned()), true),
        (SubjectContains("invoices".to_owned()), false),
        (SubjectIs(" your invoice \u{c4}RGER".to_owned()), true),
        (SubjectIs("invoice".to_owned()), false),
        (Larger(999), true),
        (Larger(1000), false),
        (Smaller(1001), true),
        (Smaller(1000), false),
        (Attachment(true), true),
        (Attachment(false), false),
        (Between(minute("22:30"), minute("22:31")), true),
        (Between(minute("22:00"), minute("22:30")), false),
        (Between(minute("22:00"), minute("6:00")), true),
        (Between(minute("23:00"), minute("22:31")), true),
        (Between(minute("23:00"), minute("06:00")), false),
    ] {
        assert_eq!(condition.holds(&facts), holds, "{condition}");
        let json = serde_json::to_string(&condition).unwrap();
        assert_eq!(serde_json::from_str::<Condition>(&json).unwrap(), condition);
    }
}

/// Proves: S0-33 (priority ascending, first match wins, switch), S0-34 (actions).
#[test]
fn the_first_rule_that_matches_counts() {
    let block = Action::Block("no".to_owned());
    let redirect = Action::Redirect(vec![address("x@example.net")]);
    let large = || vec![Condition::Larger(100)];
    let mut rules = vec![
        rule(4, 500, large(), redirect.clone()),
        rule(2, 500, vec![Condition::Larger(100), Condition::Attachment(true)], block.clone()),
        rule(3, 10, large(), Action::AlsoTo(vec![address("y@example.net")])),
        rule(9, 1000, Vec::new(), Action::Forward),
    ];
    rules[2].enabled = false;
    in_order(&mut rules);
    assert_eq!(rules.iter().map(|rule| rule.id).collect::<Vec<_>>(), [3, 2, 4, 9]);
    let facts = |size, attachments| Facts { size, attachments, ..Facts::default() };
    assert_eq!(decide(&rules, &facts(101, true)), Decision { rule: Some(2), action: &block });
    assert_eq!(decide(&rules, &facts(101, false)), Decision { rule: Some(4), action: &redirect });
    assert_eq!(decide(&rules, &facts(1, false)), Decision { rule: Some(9), action: &Action::Forward });
    assert_eq!(decide(&rules[..2], &facts(1, false)), Decision { rule: None, action: &Action::Forward });
    assert_eq!(wants(&rules), Wants::Message);
    assert_eq!(wants(&rules[3..]), Wants::Envelope);
    assert_eq!(rules[1].to_string(), "if it is larger than 100 octets and something is attached: block: no");
    for rule in &rules {
        let (conditions, action) = rule.stored().unwrap();
        let read = Rule::read(rule.id, i64::from(rule.priority), rule.enabled, &conditions, &action);
        assert_eq!(read.as_ref(), Ok(rule));
        assert_eq!(rule.sound(), Ok(()));
    }
    assert!(Rule::read(1, 5, true, "[{\"moon\":1}]", "\"forward\"").unwrap_err().contains("moon"));
    for (conditions, action, word) in [
        (vec![Condition::SubjectContains(" ".to_owned())], Action::Forward, "empty"),
        (vec![Condition::SenderDomain("a@b.example".to_owned())], Action::Forward, "letters, digits"),
        (vec![Condition::Between(minute("1:00"), minute("01:00"))], Action::Forward, "no time at all"),
        (Vec::new(), Action::Block("a\r\n250 ok".to_owned()), "one line"),
        (Vec::new(), Action::Redirect(Vec::new()), "nobody"),
    ] {
        let told = rule(1, 0, conditions, action).sound().unwrap_err();
        assert!(told.contains(word), "{told}");
    }
    assert!("24:00".parse::<Minute>().is_err() && "7".parse::<Minute>().is_err());
}

#[test]
fn matches_are_counted() {
    let twice = Matches::default().once_more(5).once_more(4);
    assert_eq!(twice, Matches { count: 2, last: 5 });
    assert_eq!(Matches::of_octets(twice.octets()), twice);
    assert_eq!(Matches { count: u32::MAX, last: 0 }.once_more(1).count, u32::MAX);
}

const TWO: &str = "From: Ann <ann@example.net>, \"B, ob\" <bob@example.org>\r\n\
    Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= folded\r\n\
    Content-Type: multipart/mixed;\r\n boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\n\
    Content-Type: text/plain\r\n\r\ntext\r\n--a b\r\nCONTENT\r\n--a b--\r\nepilogue\r\n--a b\r\n\
    Content-Disposition: attachment\r\n\r\n";

#[test]
fn a_header_is_decoded() {
    let facts = Facts::of("envelope@example.com", TWO.as_bytes(), 7);
    assert_eq!(facts.from, ["ann@example.net", "bob@example.org"]);
    assert_eq!(facts.subjects, ["Gr\u{fc}\u{df}e\u{65e5}\u{672c} folded"]);
    assert_eq!((facts.sender.as_str(), facts.time, facts.attachments), ("envelope@example.com", 7, false));
    assert_eq!(facts.size, TWO.len() as u64);
    let twice = Facts::of("", b"Subject: one\nsubject: two\n\nx", 0);
    assert_eq!(twice.subjects, ["one", "two"], "nobody knows which one is shown");
    assert_eq!(twice.size, 31, "line ends count two");
    assert_eq!(Facts::of("", b"", 0).subjects, [""]);
    assert_eq!(Facts::of("", b"Subject: no end of the header", 0).subjects, ["no end of the header"]);
}

fn with_part(part: &str) -> bool {
    let message = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n\
         Content-Type: multipart/alternative; boundary=\"in+ner\"\r\n\r\n--in+ner\r\n\r\nplain\r\n--in+ner\r\n\
         Content-Type: text/html\r\n\r\n<p>\r\n--in+ner--\r\n--outer\r\n{part}\r\n--outer--\r\n"
    );
    Facts::of("", message.as_bytes(), 0).attachments
}

/// Proves: S0-34 ("has attachments"), by the structure of MIME and not by words in the text.
#[test]
fn attachments_are_what_people_take_for_them() {
    for (part, attached) in [
        ("Content-Type: text/plain\r\n\r\nContent-Disposition: attachment", false),
        ("Content-Type: application/pdf\r\n\r\nx", true),
        ("Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx", true),
        ("Content-Type: text/csv;\r\n name=\"a.csv\"\r\n\r\nx", true),
        ("Content-Type: text/plain\r\nContent-Disposition: inline; filename=a.txt\r\n\r\nx", false),
        (
            "Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Disposition: inline; filename=a.png\r\n\r\nx",
            false,
        ),
        (
            "Content-Type: image/png\r\nContent-Disposition: attachment; filename*=utf-8''%C3%A4.png\r\n\r\nx",
            true,
        ),
        ("Content-Type: application/pdf\r\nContent-Disposition: inline; filename=a.pdf\r\n\r\nx", true),
        ("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx", true),
        ("Content-Type: message/delivery-status\r\n\r\nx", false),
        (
            "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Disposition: attachment\r\n\r\nx",
            false,
        ),
        ("Content-Type: application/pdf", true),
        ("Content-Type: audio/wav\n\nx", true),
    ] {
        assert_eq!(with_part(part), attached, "{part}");
    }
    let whole = |head: &str| Facts::of("", format!("{head}\r\n\r\nx").as_bytes(), 0).attachments;
    assert!(whole("Content-Type: application/pdf") && whole("Content-Disposition: attachment; filename=a"));
    assert!(
        !whole("Subject: x") && !whole("Content-Type: text/html") && !whole("Content-Type: multipart/mixed")
    );
}

/// Memory stays where it is, whatever comes.
#[test]
fn a_message_of_any_size_and_form_is_scanned_in_little_memory() {
    let mut scanner = Scanner::new();
    scanner.feed(b"Content-Type: multipart/mixed; boundary=b\r\nX: ");
    let piece = vec![b'x'; 1 << 20];
    (0..20).for_each(|_| scanner.feed(&piece));
    scanner.feed(b"\r\n\r\n--b\r\nContent-Type: application/zip\r\nY: ");
    (0..20).for_each(|_| scanner.feed(&piece));
    scanner.feed(b"\r\n\r\n");
    let facts = scanner.facts("", 0);
    assert!(facts.size > 40 << 20 && facts.attachments);
    let deep: String = (0..5000)
        .map(|level| format!("--b{level}\nContent-Type: multipart/mixed; boundary=b{}\n\n", level + 1))
        .collect();
    let facts = Facts::of("", format!("Content-Type: multipart/mixed; boundary=b0\n\n{deep}").as_bytes(), 0);
    assert!(!facts.attachments);
}

proptest! {
    /// However a message is cut, the facts are the same; and no octets make it panic.
    #[test]
    fn pieces_of_any_length_give_the_same_facts(
        noise in prop::collection::vec(any::<u8>(), 0..40), cuts in prop::collection::vec(0usize..700, 0..8), at in 0usize..500,
    ) {
        let mut message = TWO.replace("--a b--", "--a b\r\nContent-Type: application/pdf\r\n\r\n").into_bytes();
        let at = at.min(message.len());
        message.splice(at..at, noise);
        let whole = Facts::of("s@example.net", &message, 1);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
        cuts.sort_unstable();
        let mut scanner = Scanner::new();
        let mut from = 0;
        for cut in cuts {
            scanner.feed(&message[from..cut]);
            from = cut;
        }
        scanner.feed(&message[from..]);
        prop_assert_eq!(scanner.facts("s@example.net", 1), whole);
    }

    #[test]
    fn any_octets_are_scanned(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Facts::of("", &octets, 0);
    }
}
