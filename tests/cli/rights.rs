//! `mailctl user may-send`, `allow` and `disallow` in a temporary home.

use crate::common::home::Home;
use std::fs;

/// Proves: S2-16, S2-19, S4-21, users-want 9, issue 6 (`user may-send` explains yes or no).
#[test]
fn who_may_send_as_what_is_explained_and_can_be_given() {
    let home = Home::new();
    home.ok(&["user", "add", "bob@example.org"]);
    home.ok(&["user", "add", "ann@example.org"]);
    home.ok(&["alias", "add", "info@example.org", "bob@example.org"]);
    let yes = |sender: &str| home.ok(&["user", "may-send", "bob@example.org", sender]);
    assert!(yes("bob+tag@example.org").contains("own address"));
    assert!(yes("info@example.org").contains("ends in the mailbox"));
    let no = home.refused(&["user", "may-send", "bob@example.org", "shop@example.org"], 1, "sender.refused");
    assert!(no.err.contains("user allow bob@example.org shop@example.org"), "{no:?}");

    let ran =
        home.run(&["user", "allow", "bob@example.org", "shop@example.org", "@example.net", "--dry-run"]);
    assert!(ran.status == 0 && ran.err.contains("nothing was changed"), "{ran:?}");
    home.refused(&["user", "may-send", "bob@example.org", "shop@example.org"], 1, "sender.refused");
    let ran = home.run(&["user", "allow", "bob@example.org", "shop@example.org", "@example.net"]);
    assert!(
        ran.status == 0
            && ran.err.contains("undo: mailctl ")
            && ran.err.contains(" user disallow bob@example.org"),
        "{ran:?}"
    );
    assert!(ran.err.contains("example.net is not a domain of this server"), "{ran:?}");
    assert!(yes("shop@example.org").contains("was given shop@example.org"));
    assert!(yes("anyone@example.net").contains("was given @example.net"));
    home.refused(&["user", "may-send", "bob@example.org", "x@sub.example.net"], 1, "sender.refused");
    home.refused(&["user", "allow", "bob@example.org", "shop@example.org"], 65, "name.exists");
    assert_eq!(home.ok(&["user", "may-send", "bob@example.org"]), "@example.net\nshop@example.org\n");
    let told = home.json(&["user", "may-send", "bob@example.org", "x@example.net"]);
    assert_eq!((&told["may_send"], &told["why"]), (&true.into(), &"granted".into()), "{told}");
    home.refused(&["user", "may-send", "ann@example.org", "shop@example.org"], 1, "sender.refused");

    home.ok(&["user", "disallow", "bob@example.org", "@example.net"]);
    home.refused(&["user", "may-send", "bob@example.org", "x@example.net"], 1, "sender.refused");
    home.refused(&["user", "disallow", "bob@example.org", "@example.net"], 65, "name.absent");
    for bad in ["nonsense", "a b@example.org", "@", "*@example.org"] {
        home.refused(&["user", "allow", "bob@example.org", bad], 64, "name.malformed");
    }
    home.refused(&["user", "allow", "nobody@example.org", "x@example.org"], 65, "name.absent");

    // Whoever gets the name later begins with nothing.
    home.ok(&["user", "del", "bob@example.org", "--yes"]);
    home.ok(&["user", "add", "bob@example.org"]);
    assert_eq!(home.ok(&["user", "may-send", "bob@example.org"]), "");

    let file = home.path().join("settings.env");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}SENDER_RESTRICTIONS=domain\n")).unwrap();
    assert!(yes("anyone@example.org").contains("SENDER_RESTRICTIONS=domain"));
    let no = home.refused(&["user", "may-send", "bob@example.org", "x@example.net"], 1, "sender.refused");
    assert!(no.err.contains("example.net is not served here"), "{no:?}");
    fs::write(&file, format!("{text}SENDER_RESTRICTIONS=all\n")).unwrap();
    home.refused(&["user", "may-send", "bob@example.org"], 78, "email or domain");
}
