use super::*;
use ipnet::IpNet;
use proptest::prelude::*;
use std::net::IpAddr;

fn table(way: Way, text: &str) -> Vec<Entry> {
    let read = file::read(&format!("x.{way}"), way, text.as_bytes());
    assert_eq!(read.faults, [], "{text}");
    read.entries
}

fn lists(allow: &str, block: &str) -> Lists {
    let mut entries = table(Way::Allow, allow);
    entries.extend(table(Way::Block, block));
    Lists { files: vec![Arc::new(Table::new(entries))], ..Lists::default() }
}

fn judged(lists: &Lists, client: &str, helo: &str, sender: &str, recipient: &str) -> String {
    let subject = Subject {
        client: client.parse().ok(),
        helo: helo.as_bytes(),
        sender: sender.as_bytes(),
        recipient: recipient.as_bytes(),
        delimiter: '+',
    };
    lists.judge(&subject).map(|entry| format!("{} {}", entry.way, entry.key)).unwrap_or_default()
}

#[test]
fn an_entry_is_read_and_written_alike() {
    for (text, written) in [
        ("192.0.2.7", ""),
        ("client:192.0.2.0/24", "192.0.2.0/24"),
        ("[2001:db8::]/32", "2001:db8::/32"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("helo:Mail.Example.net", "helo:mail.example.net"),
        ("helo:localhost", ""),
        ("helo:.lan", ""),
        ("helo:[192.0.2.1]", ""),
        ("sender:Ann@Example.net", "sender:ann@example.net"),
        ("sender:@example.net", "sender:example.net"),
        ("sender:.Top", "sender:.top"),
        ("recipient:Abuse@", "recipient:abuse@"),
        ("recipient:a/b=c@example.net", ""),
    ] {
        let key: Key = text.parse().unwrap();
        assert_eq!(key.to_string(), if written.is_empty() { text } else { written });
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}

#[test]
fn what_is_no_entry_says_how_it_is_written() {
    for (text, word) in [
        ("192.0.2.1/24", "did you mean 192.0.2.0/24?"),
        ("::ffff:192.0.2.0/120", "write it as 192.0.2.0/24"),
        ("example.net", "write sender:example.net, recipient:example.net or helo:example.net"),
        ("ann@example.net", "write sender:ann@example.net or recipient:ann@example.net"),
        ("192.0.2.1 REJECT", "a comment begins with # or ;"),
        ("client:mail.example.net", "helo:"),
        ("sender:<>", "bounces"),
        ("recipient:", "empty recipient"),
        ("sender:münchen.example", "xn--"),
        ("helo:a b", "no name of a host"),
        ("999.1.1.1", "is no entry"),
        ("recipient:a@b@c.example", "before the @"),
    ] {
        let told = text.parse::<Key>().unwrap_err();
        assert!(told.contains(word), "{text}: {told}");
    }
}

/// Proves: issue 6: Spamhaus' DROP is read as it is; a line that is wrong is named.
#[test]
fn a_file_is_one_entry_for_each_line() {
    let drop = "\u{feff}; Spamhaus DROP List 2026/11/21 - (c) 2026\n; Expires: Sat\n1.10.16.0/20 ; SBL256894\r\n\
                2.56.192.0/22 ; SBL459831\n\n  # by hand\nsender:.top # all of it\n";
    let read = file::read("drop.block", Way::Block, drop.as_bytes());
    let told: Vec<String> = read.entries.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "block 1.10.16.0/20 (lists/drop.block:3, SBL256894)",
            "block 2.56.192.0/22 (lists/drop.block:4, SBL459831)",
            "block sender:.top (lists/drop.block:7, all of it)",
        ]
    );
    let read = file::read("x.allow", Way::Allow, b"192.0.2.1\n<html>\nnonsense\n\xff\n192.0.2.2");
    assert_eq!((read.entries.len(), read.faulty, read.faults[0].line), (2, 3, 2));
    assert!(read.faults[1].to_string().starts_with("line 3: \"nonsense\" is no entry; there are "));
    assert_eq!(
        ["a.block", "b.c.allow", ".x.block", ".block", "x.txt", "block"].map(file::way),
        [Some(Way::Block), Some(Way::Allow), None, None, None, None]
    );
}

/// Proves: issue 6: the more specific entry wins; at equal specificity that which allows.
#[test]
fn of_one_kind_the_more_specific_entry_speaks() {
    let lists = lists(
        "192.0.2.7\n198.51.100.0/24\nsender:good.example.net\nsender:ann@bad.example\nhelo:mail.dyn.example\n\
         recipient:abuse@",
        "192.0.2.0/24\n198.51.100.0/24\n2001:db8::/32\nsender:.example.net\nsender:bad.example\nhelo:.dyn.example\n\
         recipient:old@example.org\nrecipient:closed.example",
    );
    let client = |client: &str| judged(&lists, client, "", "", "");
    assert_eq!(client("192.0.2.8"), "block 192.0.2.0/24");
    assert_eq!(client("::ffff:192.0.2.8"), "block 192.0.2.0/24");
    assert_eq!(client("192.0.2.7"), "allow 192.0.2.7");
    assert_eq!(client("198.51.100.1"), "allow 198.51.100.0/24");
    assert_eq!((client("192.0.3.0"), client("192.0.1.255")), (String::new(), String::new()));
    assert_eq!(client("2001:db8:ffff::1"), "block 2001:db8::/32");
    let sender = |sender: &str| judged(&lists, "", "", sender, "");
    assert_eq!(sender("a@example.net"), "block sender:.example.net");
    assert_eq!(sender("a@x.Example.NET"), "block sender:.example.net");
    assert_eq!(sender("a@good.example.net"), "allow sender:good.example.net");
    assert_eq!(sender("a@x.good.example.net"), "block sender:.example.net");
    assert_eq!(sender("a@notexample.net"), "");
    assert_eq!(sender("Ann+list@bad.example"), "allow sender:ann@bad.example");
    assert_eq!(sender("+ann@bad.example"), "block sender:bad.example");
    assert_eq!((sender(""), sender("nobody")), (String::new(), String::new()));
    let helo = |helo: &str| judged(&lists, "", helo, "", "");
    assert_eq!(helo("x.dyn.example."), "block helo:.dyn.example");
    assert_eq!(helo("MAIL.dyn.example"), "", "it allows nothing but itself");
    let to = |recipient: &str| judged(&lists, "", "", "", recipient);
    assert_eq!(to("old+x@example.org"), "block recipient:old@example.org");
    assert_eq!(to("abuse@closed.example"), "block recipient:closed.example");
    assert_eq!(to("ABUSE+x@example.org"), "allow recipient:abuse@");
}

/// Proves: issue 6: across kinds, that which allows client, sender or recipient wins.
#[test]
fn across_kinds_allowing_wins() {
    let lists = lists(
        "192.0.2.7\nhelo:good.example\nsender:friend.example\nrecipient:abuse@",
        "0.0.0.0/0\nhelo:.example\nsender:.example",
    );
    let judged = |client: &str, helo: &str, sender: &str, to: &str| judged(&lists, client, helo, sender, to);
    assert_eq!(judged("192.0.2.7", "x.example", "a@x.example", ""), "allow 192.0.2.7");
    assert_eq!(judged("192.0.2.8", "x.example", "a@friend.example", ""), "allow sender:friend.example");
    assert_eq!(judged("192.0.2.8", "x.example", "a@x.example", "abuse@a.org"), "allow recipient:abuse@");
    assert_eq!(judged("192.0.2.8", "good.example", "", "a@b.org"), "block 0.0.0.0/0");
    assert_eq!(judged("2001:db8::1", "x.example", "a@x.example", "a@b.org"), "block helo:.example");
    assert_eq!(judged("2001:db8::1", "good.example", "a@x.example", "a@b.org"), "block sender:.example");
    assert_eq!(judged("2001:db8::1", "good.example", "", "a@b.org"), "");
}

#[test]
fn entries_of_files_and_commands_are_weighed_alike() {
    let of = |way, text: &str| {
        let mut entries = table(way, text);
        entries.iter_mut().for_each(|entry| entry.origin = Origin::Command);
        Arc::new(Table::new(entries))
    };
    let files = vec![of(Way::Block, "192.0.2.0/24"), of(Way::Block, "198.51.100.0/25")];
    let lists = Lists { commands: of(Way::Allow, "192.0.2.0/24\n198.51.100.0/24"), files };
    assert_eq!(judged(&lists, "192.0.2.1", "", "", ""), "allow 192.0.2.0/24");
    assert_eq!(judged(&lists, "198.51.100.1", "", "", ""), "block 198.51.100.0/25");
    assert_eq!(lists.commands.entries()[0].remedy(), "mailctl allow del 192.0.2.0/24");
}

fn net() -> impl Strategy<Value = IpNet> {
    // Few bits that differ, so that networks hold one another often.
    let v4 = (0u32..64, 0u8..=32).prop_map(|(bits, length)| {
        let address = IpAddr::from(std::net::Ipv4Addr::from(bits << 26 | bits));
        IpNet::new_assert(address, length).trunc()
    });
    let v6 = (0u128..16, 0u8..=128).prop_map(|(bits, length)| {
        let address = IpAddr::from(std::net::Ipv6Addr::from(bits << 124 | bits));
        IpNet::new_assert(address, length).trunc()
    });
    prop_oneof![v4, v6]
}

proptest! {
    /// The longest prefix, as a scan of all of them finds it.
    #[test]
    fn the_smallest_network_is_found(nets in prop::collection::vec((net(), any::<bool>()), 0..60), asked in net()) {
        let entries: Vec<Entry> = nets.iter().map(|(net, allow)| Entry {
            way: if *allow { Way::Allow } else { Way::Block },
            key: Key::Network(*net),
            origin: Origin::Command,
            comment: "".into(),
        }).collect();
        let table = Table::new(entries.clone());
        let first = |net: &IpNet| net.network();
        let last = |net: &IpNet| net.broadcast();
        for address in nets.iter().flat_map(|(net, _)| [first(net), last(net)]).chain([asked.addr(), last(&asked)]) {
            let around = entries.iter().filter(|entry| matches!(&entry.key, Key::Network(net) if net.contains(&address)));
            let naive = around.max_by_key(|entry| match &entry.key {
                Key::Network(net) => (net.prefix_len(), entry.way == Way::Allow),
                Key::Name(..) => (0, false),
            });
            // A mapped address is an IPv4 client and nothing else.
            if address.to_canonical() == address {
                let found = table.client(address).map(|hit| (hit.entry.way, hit.entry.key.clone()));
                prop_assert_eq!(found, naive.map(|entry| (entry.way, entry.key.clone())));
            }
        }
    }

    /// No text of a file makes it panic, and what it wrote is read again.
    #[test]
    fn any_text_is_read(text in prop::collection::vec(any::<u8>(), 0..200), line in "[a-z0-9.:@/\\[\\] ;#+]{0,40}") {
        file::read("x.block", Way::Block, &text);
        for entry in file::read("x.block", Way::Block, line.as_bytes()).entries {
            prop_assert_eq!(entry.key.to_string().parse(), Ok(entry.key));
        }
    }
}

/// A hundred thousand networks are compiled in a moment and looked up in much less than one.
#[test]
fn many_networks_are_no_slower_than_few() {
    let entries = |count: u32| -> Vec<Entry> {
        (0..count)
            .map(|number| Entry {
                way: Way::Block,
                key: Key::Network(IpNet::new_assert(std::net::Ipv4Addr::from(number << 9).into(), 24)),
                origin: Origin::Command,
                comment: "".into(),
            })
            .collect()
    };
    let took = |table: &Table| {
        let began = std::time::Instant::now();
        let held =
            (0..100_000u32).filter(|n| table.client(std::net::Ipv4Addr::from(n * 77).into()).is_some());
        assert!(held.count() > 0);
        began.elapsed()
    };
    let (few, many) = (Table::new(entries(100)), Table::new(entries(100_000)));
    assert_eq!(many.counts(), (0, 100_000));
    let (few, many) = (took(&few), took(&many));
    // A scan would be a thousand times slower; a binary search takes ten more steps.
    assert!(many < few * 20 + std::time::Duration::from_millis(50), "{few:?}, {many:?}");
}
