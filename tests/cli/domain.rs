//! `mailctl domain` in a temporary home.


use crate::common::home::Home;

/// Proves: S4-2 and S4-19 (further domains), "makes the DKIM key too and says which DNS records".
#[test]
fn a_domain_comes_with_its_key_and_its_records() {
    let home = Home::new();
    let records = home.ok(&["domain", "add", "Example.NET"]);
    for word in [
        "example.net. IN MX 10 mail.example.org.",
        "v=spf1",
        "._domainkey.example.net.",
        "_dmarc.example.net.",
    ] {
        assert!(records.contains(word), "{word} is not in {records}");
    }
    let listed = home.json(&["domain", "list"]);
    assert_eq!(listed[0]["domain"], "example.org");
    assert_eq!((&listed[1]["domain"], &listed[1]["origin"]), (&"example.net".into(), &"store".into()));
    let selector = listed[1]["selector"].as_str().unwrap();
    assert!(home.path().join(format!("keys/dkim/example.net/{selector}.private")).exists());
    home.ok(&["user", "add", "ann@example.net"]);

    home.refused(&["domain", "add", "example.net"], 65, "name.exists");
    home.refused(&["domain", "add", "example.org"], 65, "settings.env");
    home.refused(&["domain", "add", "mail.example.org"], 64, "HOSTNAME");
    home.refused(&["domain", "add", "localhost"], 64, "name.malformed");
    home.refused(&["domain", "add", "../../etc"], 64, "name.malformed");
}

/// Proves: a domain in use is not removed; the settings' own are the operator's.
#[test]
fn a_domain_leaves_only_when_it_is_empty() {
    let home = Home::new();
    home.ok(&["domain", "add", "example.net"]);
    home.ok(&["user", "add", "ann@example.net"]);
    home.ok(&["alias", "add", "info@example.net", "ann@example.net"]);
    home.refused(&["domain", "del", "example.net"], 65, "1 mailbox and 1 alias");
    home.ok(&["alias", "del", "info@example.net"]);
    home.ok(&["user", "del", "ann@example.net"]);
    home.ok(&["domain", "del", "example.net", "--dry-run"]);
    assert_eq!(home.json(&["domain", "list"]).as_array().unwrap().len(), 2);
    home.ok(&["domain", "del", "example.net"]);
    assert_eq!(home.json(&["domain", "list"]).as_array().unwrap().len(), 1);
    assert!(home.path().join("keys/dkim/example.net").exists(), "keys are kept");
    home.refused(&["domain", "del", "example.net"], 65, "name.absent");
    home.refused(&["domain", "del", "example.org"], 65, "edit DOMAIN");
    let key = std::fs::read_dir(home.path().join("keys/dkim/example.net")).unwrap().count();
    home.ok(&["domain", "add", "example.net"]);
    assert_eq!(
        std::fs::read_dir(home.path().join("keys/dkim/example.net")).unwrap().count(),
        key,
        "taken again"
    );
}
