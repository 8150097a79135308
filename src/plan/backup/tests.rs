use super::*;

fn manifest(entries: &[(&str, Kind)]) -> Manifest {
    let entry = |(path, kind): &(&str, Kind)| Entry {
        path: (*path).to_owned(),
        kind: kind.clone(),
        mode: 0o600,
        uid: 0,
        gid: 0,
        mtime: 0,
    };
    Manifest {
        head: Head {
            format: FORMAT,
            mailctl: "0.1.0".to_owned(),
            schema: Some(1),
            project: "mailctl".to_owned(),
            hostname: "mail.example.org".to_owned(),
            machine: "host".to_owned(),
            addresses: Vec::new(),
            created: "2026-11-21T00:00:00Z".to_owned(),
            parts: Part::ALL.to_vec(),
        },
        entries: entries.iter().map(entry).collect(),
    }
}

fn file() -> Kind {
    Kind::File { size: 1, sha256: String::new() }
}

fn link(to: &str) -> Kind {
    Kind::Link { to: to.to_owned() }
}

#[test]
fn what_is_of_this_moment_is_in_no_backup() {
    for (path, part) in [
        ("settings.env", Some(Part::Settings)),
        ("secrets/relay", Some(Part::Settings)),
        ("templates/postfix/main.cf", Some(Part::Settings)),
        ("state/db/directory.db", Some(Part::State)),
        ("state/dns-check.json", Some(Part::State)),
        ("keys/dkim/example.org/m.private", Some(Part::Keys)),
        ("keys/srs/secrets", Some(Part::Keys)),
        ("tls/live", Some(Part::Keys)),
        ("acme/account/x.json", Some(Part::Keys)),
        ("mail/example.org/ann/.dovecot.sieve", Some(Part::Mail)),
        ("acme/challenges/http-01/x", None),
        ("state/lock", None),
        ("state/.new-abc", None),
        ("state/db/directory.db-wal", None),
        ("state/policy/policy.db", None),
        ("spool/deferred/1/1A", None),
        ("rendered/current", None),
        (".restore/journal", None),
        (".git/config", None),
        ("mailctl-20261121T000000Z.tar.age", None),
    ] {
        assert_eq!(part_of(path), part, "{path}");
    }
}

/// Proves: threat 10 (a backup from anywhere writes nothing outside of the home).
#[test]
fn nothing_leads_out_of_the_home() {
    let good = [
        ("tls", Kind::Folder),
        ("tls/live", link("sets/0001")),
        ("mail/example.org/ann/.dovecot.sieve", link("sieve/a.sieve")),
        ("settings.env", file()),
    ];
    assert_eq!(manifest(&good).fault(), None);
    for (path, kind) in [
        ("../etc/passwd", file()),
        ("/etc/passwd", file()),
        ("tls/../../x", file()),
        ("tls//x", file()),
        ("tls/./x", file()),
        ("", file()),
        ("tls/a\nb", file()),
        ("spool/deferred/1", file()),
        (".restore/journal", file()),
        ("tls/x", link("/etc/passwd")),
        ("tls/x", link("../../etc/passwd")),
        ("tls/x", link("a/../../../etc")),
        ("tls/live/host.pem", file()),
        ("settings.env/x", file()),
        ("settings.env", file()),
    ] {
        let mut entries = good.to_vec();
        entries.push((path, kind));
        assert!(manifest(&entries).fault().is_some(), "{path}");
    }
}

#[test]
fn messages_are_counted_by_mailbox_and_folder() {
    let base = "mail/example.org/ann/Maildir";
    let paths = [
        format!("{base}/cur/1.a:2,S"),
        format!("{base}/new/2.a"),
        format!("{base}/.Sent/cur/3.a:2,S"),
        format!("{base}/.Work.2026/cur/4.a:2,"),
        format!("{base}/dovecot-uidlist"),
        "mail/example.org/ann/sieve/a.sieve".to_owned(),
    ];
    let entries: Vec<(&str, Kind)> = paths.iter().map(|path| (path.as_str(), file())).collect();
    let found = manifest(&entries).messages();
    let ann = &found["ann@example.org"];
    assert_eq!((ann["INBOX"], ann["Sent"], ann["Work/2026"], ann.len()), (2, 1, 1, 3));
}
