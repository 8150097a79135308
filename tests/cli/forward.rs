//! `mailctl forward` in a temporary home.

use crate::common::home::Home;
use serde_json::json;
use std::fs;

fn with_people() -> Home {
    let home = Home::new();
    for name in ["ann", "bob", "admin"] {
        home.ok(&["user", "add", &format!("{name}@example.org")]);
    }
    home.ok(&["domain", "add", "old.example"]);
    home
}

fn way(home: &Home, address: &str) -> Vec<String> {
    let way = home.json(&["forward", "test", address]);
    let targets = way["targets"].as_array().unwrap().iter();
    targets.map(|target| target["address"].as_str().unwrap().to_owned()).collect()
}

const TICKET: &str = "/^ticket-([0-9]+)$/@example.org";

/// Proves: issue 7 (exact, plus, wildcard, regex, catch-all, domain alias, in that precedence; every step is explained).
#[test]
fn every_kind_of_source_is_added_listed_and_explained() {
    let home = with_people();
    home.ok(&["forward", "add", "info@example.org", "ann@example.org", "out@example.net"]);
    home.ok(&["forward", "add", "Sales-*@example.org", "bob@example.org", "sales+$1@example.net"]);
    home.ok(&["forward", "add", TICKET, "t+${1}@example.net", "--note", "the ticket system"]);
    home.ok(&["forward", "add", "@example.org", "admin@example.org"]);
    home.ok(&["forward", "add", "@old.example", "@example.org"]);
    for (address, targets) in [
        ("info+x@example.org", &["ann+x@example.org", "out@example.net"][..]),
        ("sales-EU@example.org", &["bob@example.org", "sales+eu@example.net"]),
        ("ticket-17@old.example", &["t+17@example.net"]),
        ("ticket-x@example.org", &["admin@example.org"]),
        ("ann@old.example", &["ann@example.org"]),
    ] {
        assert_eq!(way(&home, address), targets, "{address}");
    }
    let told = home.ok(&["forward", "test", "ticket-17@old.example"]);
    assert!(
        told.contains("all of @old.example is led to another domain, here to ticket-17@example.org"),
        "{told}"
    );
    assert!(told.contains(&format!("matches {TICKET} with $1 = 17, leads to t+17@example.net")), "{told}");
    assert_eq!(told, home.ok(&["alias", "resolve", "ticket-17@old.example"]));
    // The catch-all is an alias, and `alias` shows what it always showed.
    assert_eq!(
        home.ok(&["alias", "list"]),
        "@example.org admin@example.org\ninfo@example.org ann@example.org\ninfo@example.org out@example.net\n"
    );
    let listed = home.json(&["forward", "list"]);
    let kinds: Vec<_> = listed.as_array().unwrap().iter().map(|row| (&row["source"], &row["kind"])).collect();
    assert_eq!(
        kinds,
        [
            (&json!(TICKET), &json!("expression")),
            (&json!("@old.example"), &json!("domain")),
            (&json!("sales-*@example.org"), &json!("wildcard")),
            (&json!("@example.org"), &json!("catch_all")),
            (&json!("info@example.org"), &json!("address")),
        ]
    );
    let lines = |words: &[&str]| home.ok(&[&["forward", "list"], words].concat()).lines().count();
    assert_eq!(lines(&["--domain", "old.example"]), 1);
    assert_eq!(lines(&["--search", "TICKET system"]), 1);
    assert_eq!(lines(&["--search", "sales"]), 1);
    assert_eq!((lines(&["--limit", "2"]), lines(&["--limit", "2", "--page", "3"])), (2, 1));
    assert!(home.ok(&["forward", "show", TICKET]).contains("the ticket system"));
    assert_eq!(home.json(&["forward", "show", "@old.example"])["targets"], json!(["@example.org"]));
    let may = |sender: &str| home.json(&["user", "may-send", "bob@example.org", sender])["may_send"].clone();
    assert_eq!((may("sales-eu@example.org"), may("bob@old.example")), (json!(true), json!(true)));
    let shown = home.json(&["user", "show", "bob@example.org"]);
    assert_eq!(shown["aliases"], json!(["sales-*@example.org", "@old.example"]));
    assert_eq!(shown["senders"], json!(["bob@example.org", "sales-*@example.org", "@old.example"]));
    let gone = home.run(&["user", "del", "bob@example.org"]);
    assert!(gone.err.contains("forward del 'sales-*@example.org' --target bob@example.org"), "{gone:?}");
    home.refused(&["domain", "del", "old.example"], 65, "1 pattern of forwards");
}

/// Proves: S0-41 (expiry is enforced), S0-30 (soft delete, bulk).
#[test]
fn what_is_off_or_over_is_refused_and_comes_back() {
    let home = with_people();
    home.ok(&["forward", "add", "@example.org", "admin@example.org"]);
    home.ok(&["forward", "add", "info@example.org", "ann@example.org", "--disabled", "--note", "later"]);
    home.ok(&["forward", "add", "s-*@example.org", "ann@example.org", "--expires", "30d"]);
    assert_eq!(way(&home, "info@example.org"), [""; 0], "not the catch-all's either");
    assert!(home.ok(&["forward", "test", "info@example.org"]).contains("switched off: refused"));
    let refused = home.run(&["explain", "receive", "--from", "x@example.net", "--to", "info@example.org"]);
    assert!(refused.status == 1 && refused.err.contains("forward show"), "{refused:?}");
    let warned = home.run(&["alias", "add", "info@example.org", "bob@example.org"]);
    assert!(warned.status == 0 && warned.err.contains("forward enable info@example.org"), "{warned:?}");
    let done = home.run(&["forward", "enable", "info@example.org", "s-*@example.org"]);
    assert!(done.err.contains("switched on already: s-*@example.org"), "{done:?}");
    assert_eq!(way(&home, "info@example.org"), ["ann@example.org", "bob@example.org"]);
    home.ok(&["forward", "disable", "info@example.org", "s-*@example.org", "--dry-run"]);
    assert_eq!(way(&home, "s-1@example.org"), ["ann@example.org"]);
    home.ok(&["forward", "disable", "info@example.org", "s-*@example.org"]);
    assert_eq!(way(&home, "s-1@example.org"), [""; 0]);
    assert_eq!(home.json(&["forward", "list", "--disabled"]).as_array().unwrap().len(), 2);
    home.refused(&["forward", "disable", "nobody@example.org", "s-*@example.org"], 65, "is no forward");
    home.refused(&["forward", "set", "s-*@example.org", "--expires", "2001-01-01"], 64, "is past");
    home.ok(&["forward", "set", "s-*@example.org", "--expires", "2999-12-31", "--note", "long"]);
    let shown = home.json(&["forward", "show", "s-*@example.org"]);
    assert_eq!((&shown["note"], &shown["until"]), (&json!("long"), &json!(32_503_680_000i64)));

    // Its end comes by itself.
    let csv = "source,targets,enabled,until,note\nbrief@example.org,ann@example.org,yes,2024-01-01,\n";
    assert_eq!(home.fed(&["forward", "import", "-"], csv).status, 0);
    assert_eq!(way(&home, "brief@example.org"), [""; 0]);
    assert!(home.ok(&["forward", "test", "brief@example.org"]).contains("over since 2024-01-02 00:00 UTC"));
    assert_eq!(home.json(&["forward", "list", "--expired"])[0]["source"], "brief@example.org");
    let over = home.run(&["forward", "enable", "brief@example.org"]);
    assert!(over.err.contains("--expires never"), "{over:?}");
    home.ok(&["forward", "set", "brief@example.org", "--expires", "never"]);
    assert_eq!(way(&home, "brief@example.org"), ["ann@example.org"]);

    // A forward beside a mailbox that is over leaves the mailbox its mail.
    home.ok(&["forward", "add", "bob@example.org", "out@example.net", "--expires", "1h"]);
    home.ok(&["forward", "disable", "bob@example.org"]);
    assert_eq!(way(&home, "bob@example.org"), ["bob@example.org"]);
}

/// Proves: issue 7 (loops refused when added, through patterns and whole domains as well), threat 8.
#[test]
fn circles_are_refused_whatever_they_go_through() {
    let home = with_people();
    home.ok(&["domain", "add", "third.example"]);
    home.ok(&["forward", "add", "a-*@example.org", "b-$1@example.org"]);
    home.ok(&["forward", "add", "@old.example", "@third.example"]);
    home.ok(&["forward", "add", "v-*@example.org", "ann@example.org"]);
    home.ok(&["forward", "add", "t@example.org", "v-5@example.org"]);
    let before = home.ok(&["forward", "export"]);
    for words in [
        &["b-*@example.org", "a-$1@example.org"][..],
        &["/^b-([a-z]+)$/@example.org", "a-$1@example.org"],
        &["@third.example", "@old.example"],
        &["@example.org", "@example.org"],
        &["c-*@example.org", "c-1@example.org"],
        &["d*@example.org", "d$1@example.org"],
        &["/^(.*)$/@example.org", "$1@example.org"],
        &["v-5*@example.org", "t@example.org"],
        &["b-1@example.org", "a-1@example.org"],
    ] {
        let refused = home.run(&[&["forward", "add"], words].concat());
        assert!(matches!(refused.status, 64 | 65), "{words:?}: {refused:?}");
    }
    home.refused(&["alias", "add", "b-1@example.org", "a-1@example.org"], 65, "alias.loop");
    // Off is no way round: it would be a circle when it is switched on.
    home.ok(&["forward", "disable", "a-*@example.org"]);
    home.refused(&["forward", "add", "b-*@example.org", "a-$1@example.org", "--disabled"], 65, "alias.loop");
    home.ok(&["forward", "enable", "a-*@example.org"]);
    assert_eq!(home.ok(&["forward", "export"]), before);
}

#[test]
fn what_cannot_be_says_why_and_writes_nothing() {
    let home = with_people();
    let before = home.directory();
    for (words, status, word) in [
        (&["s-*@example.org", "x$2@example.net"][..], 64, "has one part, $1"),
        (&["info@example.org", "x$1@example.net"], 64, "has no parts"),
        (&["/ticket/@example.org", "ann@example.org"], 64, "begin with ^"),
        (&["*@example.org", "ann@example.org"], 64, "write it as @example.org"),
        (&["s-*@example.org", "@example.net"], 64, "only a whole domain"),
        (&["s-*@example.org", "nobody@example.org"], 65, "nobody here"),
        (&["s-*@foreign.example", "ann@example.org"], 65, "domain add foreign.example"),
        (&["s-*@example.org", "ann@example.org", "--note", "two\nlines"], 64, "one line"),
        (&["s-*@example.org", "ann@example.org", "--expires", "soon"], 64, "30d"),
    ] {
        home.refused(&[&["forward", "add"], words].concat(), status, word);
    }
    let many: Vec<String> = (0..11).map(|number| format!("x{number}@example.net")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    home.refused(
        &[&["forward", "add", "s-*@example.org"], &many[..]].concat(),
        65,
        "forward.targets allows 10",
    );
    home.ok(&[&["alias", "add", "all@example.org"], &many[..]].concat());
    home.ok(&["alias", "del", "all@example.org"]);
    assert_eq!(home.directory(), before);
    fs::write(home.path().join("mailctl.toml"), "[forward]\ntargets = 11\n").unwrap();
    home.ok(&[&["forward", "add", "s-*@example.org"], &many[..]].concat());
    let gone = home.run(&["forward", "del", "s-*@example.org", "--target", "x3@example.net"]);
    assert!(gone.err.contains("forward add 's-*@example.org' x3@example.net"), "{gone:?}");
    home.refused(
        &["forward", "del", "s-*@example.org", "--target", "x3@example.net"],
        65,
        "does not lead to",
    );
    home.ok(&["forward", "del", "s-*@example.org", "--dry-run"]);
    home.ok(&["forward", "del", "s-*@example.org"]);
    home.refused(&["forward", "del", "s-*@example.org"], 65, "is no forward");

    // One text, one meaning.
    home.ok(&["forward", "add", "@old.example", "@example.org"]);
    home.refused(&["alias", "add", "@old.example", "ann@example.org"], 65, "forward del '@old.example'");
    home.refused(&["forward", "add", "@old.example", "ann@example.org"], 65, "name.exists");
    home.refused(&["forward", "add", "@old.example", "@example.net"], 65, "another domain already");
    assert_eq!(home.fed(&["alias", "import", "-"], "@old.example ann@example.org\n").status, 65);
    let star = home.run(&["alias", "add", "a*b@example.org", "ann@example.org"]);
    assert!(star.status == 0 && star.err.contains("is a letter"), "{star:?}");
    home.refused(&["forward", "add", "a*b@example.org", "bob@example.org"], 65, "a star in its name");
}

/// Proves: import and export are each other's opposite, in both forms; all lines or none.
#[test]
fn what_is_exported_is_imported_alike() {
    let home = with_people();
    for words in [
        &["info@example.org", "ann@example.org", "out@example.net", "--note", "says \"hi\", twice"][..],
        &["sales-*@example.org", "bob@example.org", "x+$1@example.net", "--expires", "2999-01-01T10:30"],
        &[TICKET, "t+${1}@example.net", "--disabled"],
        &["@old.example", "@example.org"],
        &["@example.org", "info@example.org"],
    ] {
        home.ok(&[&["forward", "add"], words].concat());
    }
    let sources = ["info@example.org", "sales-*@example.org", TICKET, "@old.example", "@example.org"];
    let csv = home.ok(&["forward", "export"]);
    let text = home.ok(&["forward", "export", "--json"]);
    for form in [&csv, &text] {
        home.ok(&[&["forward", "del"], &sources[..]].concat());
        assert_eq!(home.ok(&["forward", "list"]), "");
        let dry = home.fed(&["forward", "import", "-", "--dry-run"], form);
        assert!(dry.status == 0 && home.ok(&["forward", "list"]).is_empty(), "{dry:?}");
        let done = home.fed(&["forward", "import", "-"], form);
        assert!(done.status == 0 && done.err.contains("5 forwards added"), "{done:?}");
        assert_eq!(home.ok(&["forward", "export"]), csv);
        assert_eq!(home.ok(&["forward", "export", "--json"]), text);
        let again = home.fed(&["forward", "import", "-"], form);
        assert!(again.err.contains("0 forwards added, 0 changed, 5 as they were"), "{again:?}");
    }
    let wrong = "source,targets,until\nx@example.org,nobody@mail.example.org,\ny-*@example.org,$9@example.net,\n\
                 z@example.org,ann@example.org,soon\n";
    let refused = home.fed(&["forward", "import", "-"], wrong);
    assert!(refused.status == 65 && refused.err.contains("line 4:"), "{refused:?}");
    let refused = home.fed(&["forward", "import", "-"], &wrong.replace("soon", ""));
    assert!(refused.status == 65 && refused.err.contains("line 3:"), "{refused:?}");
    let refused = home.fed(&["forward", "import", "-"], &wrong.replace("soon", "").replace("$9", "$1"));
    assert!(refused.status == 65 && refused.err.contains("line 2:"), "{refused:?}");
    assert_eq!(home.ok(&["forward", "export"]), csv);
}

const MESSAGE: &str = "From: News <news@shop.example>\r\nSubject: =?utf-8?q?Your_Inv=6Fice?=\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--\r\n";

/// Proves: S0-33 (priority, first match, switch), S0-34 (conditions and actions), `forward rule test --eml`.
#[test]
fn rules_come_go_move_and_are_tried() {
    let home = with_people();
    home.ok(&["forward", "add", "info@example.org", "ann@example.org"]);
    home.ok(&["forward", "add", "s-*@example.org", "info@example.org"]);
    let add = |words: &[&str]| {
        let added = home.json(&[&["forward", "rule", "add"], words].concat());
        added["id"].as_i64().unwrap().to_string()
    };
    let invoice = add(&[
        "info@example.org",
        "--subject-contains",
        "INVOICE",
        "--attachment",
        "yes",
        "--also-to",
        "bob@example.org",
    ]);
    let shop = add(&[
        "info@example.org",
        "--priority",
        "10",
        "--sender-domain",
        ".shop.example",
        "--block",
        "no ads, please",
    ]);
    let night = add(&[
        "s-*@example.org",
        "--between",
        "22:00-06:00",
        "--redirect",
        "out@example.net",
        "bob@example.org",
    ]);
    home.ok(&["forward", "rule", "add", "info@example.org", "--forward", "--dry-run"]);
    assert_eq!(home.json(&["forward", "rule", "list"]).as_array().unwrap().len(), 3);
    let file = home.path().join("message.eml");
    fs::write(&file, MESSAGE).unwrap();
    let test = |words: &[&str]| {
        let told = ["forward", "rule", "test", "--eml", file.to_str().unwrap(), "--at", "12:00"];
        home.json(&[&told[..], words].concat())
    };
    let targets = |way: &serde_json::Value| {
        let all = way["targets"].as_array().unwrap().iter();
        all.map(|one| one["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let way = test(&["info@example.org"]);
    assert_eq!((&way["stops"][0]["block"], targets(&way)), (&json!("no ads, please"), Vec::<String>::new()));
    home.ok(&["forward", "rule", "disable", &shop]);
    assert_eq!(targets(&test(&["info@example.org"])), ["ann@example.org", "bob@example.org"]);
    assert_eq!(targets(&test(&["s-x@example.org"])), ["ann@example.org", "bob@example.org"]);
    let shown = [
        "forward",
        "rule",
        "test",
        "--eml",
        file.to_str().unwrap(),
        "--at",
        "23:00",
        "s-x@example.org",
        "--json",
    ];
    let way: serde_json::Value = serde_json::from_str(&home.ok(&shown)).unwrap();
    assert_eq!(targets(&way), ["out@example.net", "bob@example.org"]);
    let all = test(&[]);
    assert_eq!(all["facts"]["subjects"], json!(["Your Invoice"]));
    assert_eq!(all["facts"]["attachments"], json!(true));
    assert_eq!(all["results"][0]["rule"].to_string(), invoice);
    assert_eq!(all["results"][1]["rule"], json!(null));
    home.ok(&["forward", "rule", "enable", &shop]);
    home.ok(&["forward", "rule", "move", &shop, "900"]);
    assert_eq!(test(&["info@example.org"])["stops"][0]["rule"].to_string(), invoice);
    assert!(
        home.ok(&["forward", "show", "info@example.org"])
            .contains("priority 900: if the sender is of shop.example or below it")
    );
    assert!(
        home.ok(&["forward", "test", "info@example.org"]).contains("rules of info@example.org may send some")
    );

    // There and back again, with its rules.
    let exported = home.ok(&["forward", "export", "--json"]);
    let gone = home.run(&["forward", "rule", "del", &shop]);
    let undo = gone.err.lines().find_map(|line| line.strip_prefix("undo: ")).unwrap();
    assert!(
        undo.ends_with(
            "rule add info@example.org --priority 900 --sender-domain .shop.example --block 'no ads, please'"
        ),
        "{undo}"
    );
    home.ok(&["forward", "del", "s-*@example.org", "info@example.org"]);
    assert_eq!(home.json(&["forward", "rule", "list"]), json!([]), "rules go with their forward");
    assert_eq!(home.fed(&["forward", "import", "-"], &exported).status, 0);
    assert_eq!(home.ok(&["forward", "export", "--json"]), exported);

    for (words, status, word) in [
        (&["info@example.org", "--subject-is", "x"][..], 64, "--block"),
        (&["info@example.org", "--block", "--forward"], 64, "cannot be used"),
        (&["nobody@example.org", "--block"], 65, "is no forward"),
        (&["info@example.org", "--redirect", "nobody@mail.example.org"], 65, "nobody here"),
        (&["info@example.org", "--also-to", "s-1@example.org"], 65, "would come back"),
        (&["info@example.org", "--between", "22:00", "--block"], 64, "22:00-06:00"),
        (&["info@example.org", "--priority", "1001", "--block"], 64, "1001"),
        (&["info@example.org", "--subject-contains", "", "--block"], 64, "empty"),
    ] {
        home.refused(&[&["forward", "rule", "add"], words].concat(), status, word);
    }
    home.refused(&["forward", "rule", "del", &night], 65, "there is no rule");
}
