//! `mailctl cert issue|renew|revoke` against Debian's Pebble, with a proxy before it that fails as told.

use crate::common::{
    acme::{
        Manner, Pebble, Trouble,
        restarts::{at_step, restarts},
        scene::Scene,
        shown::Shown,
    },
    dns::{Dns, Zone},
    home::Home,
    stack::eventually,
};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Proves: issue 5 (HTTP-01, names that resolve to us, key reused, RSA beside it, revoked), S4-6, and that a second run
/// has nothing to do.
#[test]
fn a_certificate_is_issued_kept_renewed_and_revoked() {
    let scene = Scene::new(&Manner { bad_nonces: 20, ..Manner::default() }, "");
    let home = &scene.home;
    let possible = home.run(&["cert", "issue", "--dry-run"]);
    assert_eq!((possible.status, scene.pebble.orders(), scene.pebble.accounts()), (0, 0, 0), "{possible:?}");
    assert!(possible.err.contains("mail.example.org, autoconfig.example.org"), "{possible:?}");

    let issued = home.run(&["cert", "issue"]);
    assert_eq!(issued.status, 0, "{issued:?}\n{}", scene.pebble.log());
    assert!(issued.err.contains("mta-sts.example.org is left out: it leads to 192.0.2.99"), "{issued:?}");
    let key = scene.served("host.pem");
    assert_eq!(scene.challenges(), 0, "challenges are gone after the order");
    let first = scene.shown();
    assert_eq!(
        first["certificate"]["names"],
        serde_json::json!(["mail.example.org", "autoconfig.example.org"])
    );
    assert_eq!(first["acme"]["orders"]["mail.example.org"], 1);
    assert!(
        first["acme"]["renewal"].as_i64().unwrap() > 0 && first["acme"]["last_failure"].is_null(),
        "{first}"
    );

    let again = home.json(&["cert", "renew", "--if-due"]);
    assert_eq!((&again["outcome"], scene.pebble.orders()), (&"good".into(), 1));
    for (path, mode) in [("acme", 0o700), ("acme/ledger.json", 0o600), ("acme/account", 0o700)] {
        let is = fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(is, mode, "{path}");
    }
    let accounts: Vec<_> = fs::read_dir(home.path().join("acme/account")).unwrap().flatten().collect();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].metadata().unwrap().permissions().mode() & 0o7777, 0o600);

    home.ok(&["cert", "renew", "--force"]);
    assert_eq!(scene.served("host.pem"), key, "the key is used again");
    assert_ne!(scene.shown()["certificate"]["serial"], first["certificate"]["serial"]);
    home.ok(&["cert", "renew", "--new-key"]);
    let other = scene.served("host.pem");
    assert_ne!(other, key);

    scene.settings(&scene.pebble.directory(), "rsa = true\n");
    home.ok(&["cert", "renew"]);
    let rsa = scene.served("host-rsa.pem");
    assert!(rsa.len() > 2 * other.len(), "{rsa}");
    assert_eq!(scene.served("host.pem"), other);
    assert_eq!(scene.pebble.accounts(), 1);

    let serial = scene.shown()["certificate"]["serial"].as_str().unwrap().to_owned();
    home.refused(&["cert", "revoke"], 64, "--yes");
    home.ok(&["cert", "revoke", "--yes", "--reason", "key-compromise"]);
    assert_eq!(scene.pebble.status(&serial)["Status"], "Revoked");
    // Five orders are placed this week, and no wish lifts that.
    let full = home.refused(&["cert", "renew", "--force"], 75, "acme.limit");
    assert!(full.err.contains("in 6 days"), "{full:?}");
    scene.later(8 * 86_400);
    home.ok(&["cert", "renew", "--if-due"]);
    assert_ne!(scene.served("host.pem"), other, "a key that may be known is not used again");
}

/// Proves: S4-10, threat 26: nothing is ordered that could not succeed; each refusal names name, cause and command.
#[test]
fn what_would_be_refused_is_not_ordered() {
    let zone = "mail A 192.0.2.99\n";
    let scene = Scene::in_zone(zone, &Manner::default(), "");
    let home = &scene.home;
    let told = home.refused(&["cert", "issue"], 1, "acme.precheck");
    assert!(told.err.contains("mail.example.org: it leads to 192.0.2.99"), "{told:?}");
    assert!(told.err.contains("try: mailctl --home"), "{told:?}");
    scene.dns.fault("mail.example.org", crate::common::dns::Fault::ServFail);
    home.refused(&["cert", "issue"], 1, "SERVFAIL");
    // By a timer the same is not asked again at once, and that is no failure.
    let quiet = home.run(&["cert", "renew", "--if-due"]);
    assert!(quiet.status == 0 && quiet.err.contains("nothing to do now"), "{quiet:?}");
    assert_eq!(scene.failures(), 2);
    assert_eq!(scene.pebble.orders(), 0);

    // Somebody else's web server on our port.
    let scene = Scene::new(&Manner::default(), "");
    scene.shown.refuse(|_| true);
    let told = scene.home.refused(&["cert", "issue"], 1, "acme.precheck");
    assert!(told.err.contains("does not serve our files"), "{told:?}");
    assert_eq!(scene.pebble.orders(), 0);
    scene.home.refused(&["cert", "issue", "--dry-run"], 1, "acme.precheck");
}

/// Proves: fault 20 (429 with Retry-After, 5xx, half an answer, nonsense), each for longer than one attempt asks again:
/// the old certificate stays, the next attempt is on the calendar, the order that is under way is gone on with, and no
/// account or order is made twice.
#[test]
fn trouble_ends_on_the_calendar_and_costs_no_order() {
    let scene = Scene::new(&Manner::default(), "");
    let home = &scene.home;
    for (path, trouble) in [
        ("/dir", Trouble::Unavailable),
        ("/sign-me-up", Trouble::Cut),
        ("/order-plz", Trouble::TooMany(7200)),
        ("/order-plz", Trouble::Unavailable),
        ("/authZ", Trouble::TooMany(7200)),
        ("/my-order", Trouble::Nonsense),
    ] {
        scene.pebble.trouble(move |asked| asked.starts_with(path).then_some(trouble));
        let before = scene.pebble.asked(path);
        let ran = home.run(&["cert", "issue"]);
        assert!(scene.pebble.asked(path) > before, "{path} was not asked: {ran:?}");
        assert_eq!(ran.status, 75, "{path} {trouble:?}: {ran:?}");
        assert!(ran.err.contains("acme.silent") && ran.err.contains("the next attempt is at"), "{ran:?}");
        let next = scene.ledger()["failure"]["next"].as_i64().unwrap();
        let wait = next - scene.ledger()["failure"]["at"].as_i64().unwrap();
        if trouble == Trouble::TooMany(7200) {
            assert_eq!(wait, 7200);
            home.refused(&["cert", "issue", "--force"], 75, "acme.wait");
        } else {
            assert!((60..=9 * 3600).contains(&wait), "{wait}");
        }
        scene.later(10 * 3600);
    }
    scene.pebble.trouble(|_| None);
    home.ok(&["cert", "renew", "--if-due"]);
    scene.served("host.pem");
    assert_eq!((scene.pebble.accounts(), scene.pebble.orders()), (1, 1));
    assert_eq!(scene.shown()["acme"]["orders"]["mail.example.org"], 1);
}

/// Proves: fault 20: one answer that does not count, at whichever request, ends no attempt: the same is asked again, and
/// what the authority has done already (an order, a validation, an issuance) is not asked for twice.
#[test]
fn one_answer_that_does_not_count_is_asked_for_again() {
    let scene = Scene::new(&Manner::default(), "");
    let home = &scene.home;
    for (round, (path, trouble)) in [
        ("/dir", Trouble::Nonsense),
        ("/nonce-plz", Trouble::Unavailable),
        ("/sign-me-up", Trouble::Cut),
        ("/authZ", Trouble::TooMany(1)),
        ("/chalZ", Trouble::Cut),
        ("/chalZ", Trouble::Unavailable),
        ("/my-order", Trouble::Nonsense),
        ("/finalize-order", Trouble::Cut),
        ("/finalize-order", Trouble::Unavailable),
        ("/certZ", Trouble::Cut),
    ]
    .into_iter()
    .enumerate()
    {
        let hit = Arc::new(AtomicBool::new(false));
        let of_proxy = Arc::clone(&hit);
        scene.pebble.trouble(move |asked| {
            let hits = asked.starts_with(path) && !of_proxy.swap(true, Ordering::SeqCst);
            hits.then_some(trouble)
        });
        if path == "/sign-me-up" {
            fs::remove_dir_all(home.path().join("acme/account")).unwrap();
        }
        let ran = home.run(&["cert", "renew", "--force"]);
        assert_eq!(ran.status, 0, "{path} {trouble:?}: {ran:?}\n{}", scene.pebble.log());
        assert!(hit.load(Ordering::SeqCst), "{path} was not asked: {ran:?}");
        assert_eq!(scene.pebble.orders(), round + 1, "{path} {trouble:?}");
        scene.later(8 * 86_400);
    }
    scene.served("host.pem");
    assert_eq!(scene.pebble.accounts(), 2, "one of them after the first was taken away");
}

/// Proves: after a refusal the next attempt goes to the staging directory, and only from there to the real one.
#[test]
fn after_a_refusal_staging_comes_first() {
    let scene = Scene::new(&Manner::default(), "");
    let tries = Pebble::start(scene.dns.at(), &Manner::default());
    let root = scene.home.path().join("roots.pem");
    let both =
        [scene.pebble.root_file(), tries.root_file()].map(|file| fs::read_to_string(file).unwrap()).concat();
    fs::write(&root, both).unwrap();
    let settings = fs::read_to_string(scene.home.path().join("mailctl.toml")).unwrap();
    let settings = settings.replace(&scene.pebble.root_file().display().to_string(), root.to_str().unwrap());
    let settings = format!("{settings}staging = \"{}\"\n", tries.directory());
    fs::write(scene.home.path().join("mailctl.toml"), settings).unwrap();
    // The precheck sees our files, the authority does not.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    scene.shown.refuse(move |_| count.fetch_add(1, Ordering::SeqCst) >= 2);
    let refused = scene.home.refused(&["cert", "issue"], 69, "acme.refused");
    assert!(refused.err.contains("unauthorized"), "{refused:?}");
    assert_eq!((scene.pebble.orders(), tries.orders()), (1, 0));
    asked.store(0, Ordering::SeqCst);
    scene.home.refused(&["cert", "issue"], 69, "acme.refused");
    assert_eq!((scene.pebble.orders(), tries.orders()), (1, 1), "the real directory was left alone");
    scene.shown.refuse(|_| false);
    scene.home.ok(&["cert", "issue"]);
    assert_eq!((scene.pebble.orders(), tries.orders()), (2, 2));
    scene.served("host.pem");
}

/// Proves: RFC 8737, RFC 8555 §7.3.4 (a binding from a file; without it, or with a file that others read, the message says
/// what to set), and that neither key ever shows.
#[test]
fn tls_alpn_01_with_an_account_that_is_bound_to_another() {
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let manner = Manner { binding: Some(("kid-1".to_owned(), key.to_owned())), ..Manner::default() };
    let scene = Scene::new(&manner, "challenge = \"tls-alpn-01\"\n");
    let home = &scene.home;
    home.refused(&["cert", "issue"], 69, "set acme.eab_key_id");
    let file = home.path().join("eab.key");
    fs::write(&file, format!("{key}\n")).unwrap();
    let bound = format!(
        "challenge = \"tls-alpn-01\"\neab_key_id = \"kid-1\"\neab_key_file = \"{}\"\n",
        file.display()
    );
    scene.settings(&scene.pebble.directory(), &bound);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = home.refused(&["cert", "issue"], 78, "chmod 0600");
    assert!(!format!("{exposed:?}").contains(key));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let issued = home.run(&["cert", "issue"]);
    assert_eq!(issued.status, 0, "{issued:?}\n{}", scene.pebble.log());
    assert!(issued.err.contains("by tls-alpn-01"), "{issued:?}");
    scene.served("host.pem");
    assert_eq!((scene.challenges(), scene.pebble.accounts()), (0, 1));
}

/// Proves: RFC 8555 §8.4 through RFC 2136 with a real name server: the record is there before the authority looks, and
/// gone after; a name without an open port is proven.
#[test]
fn dns_01_through_a_real_name_server() {
    use crate::common::nameserver::{KEY, NameServer, Program};
    let server = NameServer::start(Program::Bind, "example.org", "mail A 192.0.2.25\n").expect("BIND");
    let at = std::net::SocketAddr::new(server.address(), 53);
    let home = Home::new();
    let shown = Shown::start(&home.path().join("acme/challenges"));
    let dns = Dns::start(&[Zone::new(".", "")]);
    let scene = Scene { pebble: Pebble::start(at, &Manner::default()), home, shown, dns };
    let home = &scene.home;
    let key = home.path().join("dns.key");
    fs::write(&key, format!("key \"{}\" {{ algorithm hmac-sha256; secret \"{}\"; }};\n", KEY.0, KEY.1))
        .unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let mut env = fs::File::options().append(true).open(home.path().join("settings.env")).unwrap();
    writeln!(env, "CERTIFICATES=acme").unwrap();
    let text = format!(
        "[dns]\naddresses = \"192.0.2.25\"\nresolver = \"{}\"\nupdate_key_file = \"{}\"\n[acme]\nchallenge = \"dns-01\"\n\
         directory = \"{}\"\nroot_file = \"{}\"\n",
        server.address(),
        key.display(),
        scene.pebble.directory(),
        scene.pebble.root_file().display()
    );
    fs::write(home.path().join("mailctl.toml"), text).unwrap();
    let issued = home.run(&["cert", "issue"]);
    assert_eq!(issued.status, 0, "{issued:?}\n{}\n{}", scene.pebble.log(), server.log());
    scene.served("host.pem");
    let left = Command::new("dig")
        .args([&format!("@{}", server.address()), "+short", "_acme-challenge.mail.example.org", "TXT"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "the record is gone");
    assert_eq!(scene.ledger()["under_way"], serde_json::json!([]));
}

/// Proves: RFC 9773: the authority's advice brings a renewal forward, the order says what it replaces, and the moment is
/// drawn once.
#[test]
fn advice_brings_a_renewal_forward() {
    let scene = Scene::new(&Manner::default(), "");
    let home = &scene.home;
    scene.pebble.advise("2100-01-01T00:00:00Z", "2100-01-02T00:00:00Z");
    home.ok(&["cert", "issue"]);
    // After the end of the certificate is no advice: two thirds of its life.
    home.ok(&["cert", "renew", "--if-due"]);
    let shown = scene.shown();
    assert!(shown["acme"]["renewal"].as_i64() < shown["certificate"]["not_after"].as_i64(), "{shown}");
    scene.pebble.advise("2027-01-01T00:00:00Z", "2027-06-01T00:00:00Z");
    home.ok(&["cert", "renew", "--if-due"]);
    assert_eq!(scene.ledger()["advice"]["start"], shown_advice("2100"), "not asked again before Retry-After");
    scene.later(86_400);
    home.ok(&["cert", "renew", "--if-due"]);
    let drawn = scene.ledger()["advice"]["at"].as_i64().unwrap();
    assert!((1_798_761_600..=1_811_808_000).contains(&drawn), "{drawn}");
    scene.later(86_400);
    home.ok(&["cert", "renew", "--if-due"]);
    assert_eq!(scene.ledger()["advice"]["at"], drawn);
    assert_eq!(scene.shown()["acme"]["advised"], true);
    let first = scene.shown()["certificate"]["serial"].clone();
    scene.pebble.advise("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    scene.later(86_400);
    let renewed = home.run(&["cert", "renew", "--if-due"]);
    assert_eq!(renewed.status, 0, "{renewed:?}");
    assert_ne!(scene.shown()["certificate"]["serial"], first);
    scene.served("host.pem");
    assert_eq!(scene.pebble.orders(), 2);
}

fn shown_advice(year: &str) -> Value {
    let start = format!("{year}-01-01T00:00:00Z");
    let start = time::OffsetDateTime::parse(&start, &time::format_description::well_known::Rfc3339).unwrap();
    start.unix_timestamp().into()
}

/// Proves: "200 restarts cause 0 extra orders" in small (the whole is a benchmark), with real processes killed (-9) at
/// moments drawn by chance, also while the order is on its way and before its answer is heard.
#[test]
fn restarts_cost_no_order() {
    let figures = restarts(12);
    assert_eq!((figures.kills, figures.extra, figures.accounts), (12, 0, 1), "{figures:?}");
}

/// Proves: RFC 8555 §7.1.2.1: an order whose answer was never heard is found again, on whichever page of the list, and
/// none is made where it was never taken; without a list it counts, and is placed again.
#[test]
fn an_order_that_was_cut_off_is_found_again() {
    let scene = Scene::in_zone("mail A {web}\n", &Manner::default(), "");
    let home = &scene.home;
    let count = || scene.shown()["acme"]["orders"]["mail.example.org"].as_u64().unwrap();
    let cut = |trouble: Trouble, words: &[&str]| {
        scene.pebble.trouble(move |path| (path == "/order-plz").then_some(trouble));
        let before = scene.pebble.asked("/order-plz");
        let mut child = home.command(words).spawn().unwrap();
        eventually(60, "the order is sent", || (scene.pebble.asked("/order-plz") > before).then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
        scene.pebble.quiet();
        scene.pebble.trouble(|_| None);
    };
    // Pebble shows three orders on a page.
    for _ in 0..4 {
        home.ok(&["cert", "renew", "--force"]);
    }
    scene.later(8 * 86_400);
    cut(Trouble::Hang, &["cert", "renew", "--force"]);
    assert_eq!(scene.pebble.orders(), 5);
    let again = home.run(&["cert", "renew", "--force"]);
    assert!(again.status == 0 && again.err.contains("going on with the order"), "{again:?}");
    assert_eq!((scene.pebble.orders(), count()), (5, 1));

    cut(Trouble::Deaf, &["cert", "renew", "--force"]);
    assert_eq!((scene.pebble.orders(), count()), (5, 2));
    home.ok(&["cert", "renew", "--force"]);
    assert_eq!((scene.pebble.orders(), count()), (6, 2), "what the authority never had does not count");

    cut(Trouble::Hang, &["cert", "renew", "--force"]);
    scene.pebble.trouble(|path| path.starts_with("/list-orderz").then_some(Trouble::Missing));
    home.ok(&["cert", "renew", "--force"]);
    assert_eq!((scene.pebble.orders(), count()), (8, 4), "who cannot know counts both");
}

/// Proves: "kill -9 at every durable step of `cert renew`", faults 10 and 20, for everything that changes a name.
#[test]
fn killed_at_any_change_of_a_name_the_next_renewal_ends_it() {
    killed_at_every("rename,renameat,renameat2,symlink,symlinkat,unlink,unlinkat", 8);
}

/// Proves: the same for everything that makes what was written last.
#[test]
fn killed_at_any_fsync_the_next_renewal_ends_it() {
    killed_at_every("fsync,fdatasync", 12);
}

/// Kills a renewal at each of these system calls in turn: whatever is live is whole, the next run has the certificate,
/// for one order and with the one account, and nothing is left over.
fn killed_at_every(calls: &str, at_least: usize) {
    let scene = Scene::in_zone("mail A {web}\n", &Manner::default(), "");
    let home = &scene.home;
    home.ok(&["cert", "issue"]);
    let serial = || scene.shown()["certificate"]["serial"].as_str().unwrap().to_owned();
    let mut killed = 0;
    for step in 1.. {
        scene.later(8 * 86_400);
        scene.due();
        let (before, orders) = (serial(), scene.pebble.orders());
        let ended = at_step(&scene, &["cert", "renew", "--if-due"], calls, step).output().unwrap();
        scene.pebble.quiet();
        scene.served("host.pem");
        if ended.status.success() {
            break;
        }
        assert!(!ended.status.success() && ended.status.code().is_none_or(|code| code == 137), "{ended:?}");
        killed += 1;
        home.ok(&["cert", "renew", "--if-due"]);
        scene.served("host.pem");
        assert_ne!(serial(), before, "step {step}");
        assert_eq!(scene.pebble.orders(), orders + 1, "step {step}");
        assert_eq!(scene.challenges(), 0, "step {step}");
        assert_eq!(
            (scene.pending(), &scene.ledger()["under_way"]),
            (0, &serde_json::json!([])),
            "step {step}"
        );
    }
    assert!(killed >= at_least, "only {killed} steps were there to be killed at");
    assert_eq!(scene.pebble.accounts(), 1);
}

/// Proves: issue 5, "Measured", in small (the whole is a benchmark): renewals at 50 % bad nonces and a tenth of all requests
/// each with 429, 5xx and silence and a tenth of the validations failed all end well, with one account and no mismatch on the disk.
#[test]
fn renewals_end_well_whatever_goes_wrong() {
    let figures = crate::common::acme::renewals::renewals(3, 3, Duration::from_millis(1500));
    assert_eq!((figures.renewed, figures.accounts, figures.mismatches), (3, 1, 0), "{figures:?}");
    assert!(figures.most_in_a_week <= 5, "{figures:?}");
}

/// Proves: fault 22 (clock a day back and ninety days ahead, and right again), S4-10 (the clock is looked at before an
/// order): a clock that is wrong orders nothing, is named, and leaves neither a storm of renewals nor a block behind.
#[test]
fn a_wrong_clock_is_named_and_costs_no_order() {
    let scene = Scene::new(&Manner::default(), "");
    scene.home.ok(&["cert", "issue"]);
    scene.home.ok(&["cert", "renew", "--force"]);
    let at = |shift: &str, how: &str| {
        let mailctl = scene.home.command(&["cert", "renew", how]);
        let ran = Command::new("faketime")
            .args(["-f", shift])
            .arg(mailctl.get_program())
            .args(mailctl.get_args())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            // What waits goes on waiting as long as ever.
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .output()
            .unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    for shift in ["+90d", "-1d"] {
        let (status, told) = at(shift, "--force");
        assert_eq!(status, Some(1), "{told}");
        assert!(told.contains("acme.precheck") && told.contains("the clock of this host"), "{told}");
        let (status, told) = at(shift, "--if-due");
        assert_eq!(status, Some(0), "{told}");
    }
    assert_eq!(scene.pebble.orders(), 2);

    let right = scene.home.run(&["cert", "renew", "--if-due"]);
    assert_eq!(right.status, 0, "{right:?}");
    assert_eq!(scene.pebble.orders(), 2, "nothing was due");
    assert_eq!(scene.shown()["acme"]["orders"]["mail.example.org"], 2, "what was ordered is remembered");
    // Nor does what went wrong then stand in the way now.
    scene.home.ok(&["cert", "renew", "--force"]);
    assert_eq!(scene.pebble.orders(), 3);
}
