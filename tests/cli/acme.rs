//! `mailctl cert issue|renew|revoke` against Debian's Pebble, with a proxy before it that fails as told.

use crate::common::{
    acme::{Manner, Pebble, Trouble, shown::Shown},
    dns::{Dns, Zone},
    home::Home,
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
};

struct Scene {
    home: Home,
    pebble: Pebble,
    shown: Shown,
    dns: Dns,
}

impl Scene {
    fn new(manner: &Manner, acme: &str) -> Self {
        Self::in_zone("mail A {web}\nautoconfig A {web}\nmta-sts A 192.0.2.99\n", manner, acme)
    }

    /// `{web}` in the zone is the address at which challenges are shown.
    fn in_zone(zone: &str, manner: &Manner, acme: &str) -> Self {
        let home = Home::new();
        let shown = Shown::start(&home.path().join("acme/challenges"));
        let zone = zone.replace("{web}", &shown.address().to_string());
        let dns = Dns::start(&[Zone::new("example.org", &zone), Zone::new(".", "")]);
        let pebble = Pebble::start(dns.at(), manner);
        let scene = Self { home, pebble, shown, dns };
        let mut env = fs::File::options().append(true).open(scene.home.path().join("settings.env")).unwrap();
        writeln!(env, "CERTIFICATES=acme").unwrap();
        scene.settings(&scene.pebble.directory(), acme);
        scene
    }

    fn settings(&self, directory: &str, acme: &str) {
        let text = format!(
            "[dns]\naddresses = \"{}\"\nresolver = \"{}\"\n[acme]\ndirectory = \"{directory}\"\nroot_file = \"{}\"\n{acme}",
            self.shown.address(),
            self.dns.at(),
            self.pebble.root_file().display(),
        );
        fs::write(self.home.path().join("mailctl.toml"), text).unwrap();
    }

    fn ledger(&self) -> Value {
        serde_json::from_slice(&fs::read(self.home.path().join("acme/ledger.json")).unwrap()).unwrap()
    }

    /// Writes the book as if so many seconds more had passed.
    fn later(&self, seconds: i64) {
        let mut ledger = self.ledger();
        let back = |value: &mut Value| {
            if let Some(time) = value.as_i64().filter(|time| *time > 0) {
                *value = (time - seconds).into();
            }
        };
        ledger["placed"].as_array_mut().unwrap().iter_mut().for_each(|placed| back(&mut placed["at"]));
        back(&mut ledger["ask"]);
        if ledger["failure"].is_object() {
            ["at", "next", "told"].iter().for_each(|key| back(&mut ledger["failure"][*key]));
        }
        fs::write(self.home.path().join("acme/ledger.json"), ledger.to_string()).unwrap();
    }

    /// The certificate in place, checked by OpenSSL: chain, key, names.
    fn served(&self, file: &str) -> String {
        let path = self.home.path().join("tls/live").join(file);
        let root = self.home.path().join("issuing-root.pem");
        fs::write(&root, self.pebble.issuing_root()).unwrap();
        let openssl = |words: &[&str]| {
            let said = Command::new("openssl").args(words).arg(&path).output().unwrap();
            assert!(said.status.success(), "openssl {words:?}: {said:?}");
            String::from_utf8(said.stdout).unwrap()
        };
        openssl(&[
            "verify",
            "-CAfile",
            root.to_str().unwrap(),
            "-untrusted",
            path.to_str().unwrap(),
            "-verify_hostname",
            "mail.example.org",
        ]);
        let of_key = openssl(&["pkey", "-pubout", "-in"]);
        assert_eq!(openssl(&["x509", "-pubkey", "-noout", "-in"]), of_key, "{file}: the key is another's");
        of_key
    }

    fn shown(&self) -> Value {
        self.home.json(&["cert", "show"])
    }

    fn challenges(&self) -> usize {
        let kinds =
            ["http-01", "tls-alpn-01"].map(|kind| self.home.path().join("acme/challenges").join(kind));
        kinds.iter().map(|kind| fs::read_dir(kind).unwrap().count()).sum()
    }
}

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
    assert_eq!(scene.shown_failures(), 2);
    assert_eq!(scene.pebble.orders(), 0);

    // Somebody else's web server on our port.
    let scene = Scene::new(&Manner::default(), "");
    scene.shown.refuse(|| true);
    let told = scene.home.refused(&["cert", "issue"], 1, "acme.precheck");
    assert!(told.err.contains("does not serve our files"), "{told:?}");
    assert_eq!(scene.pebble.orders(), 0);
    scene.home.refused(&["cert", "issue", "--dry-run"], 1, "acme.precheck");
}

impl Scene {
    fn shown_failures(&self) -> u64 {
        self.ledger()["failure"]["count"].as_u64().unwrap()
    }
}

/// Proves: fault 20 (429 with Retry-After, 5xx, half an answer, nonsense): the old certificate stays, the next attempt is
/// on the calendar, the order that is under way is gone on with, and no account or order is made twice.
#[test]
fn trouble_ends_on_the_calendar_and_costs_no_order() {
    let scene = Scene::new(&Manner::default(), "");
    let home = &scene.home;
    for (path, trouble) in [
        ("/dir", Trouble::Unavailable),
        ("/dir", Trouble::Nonsense),
        ("/sign-me-up", Trouble::Cut),
        ("/order-plz", Trouble::TooMany(7200)),
        ("/order-plz", Trouble::Unavailable),
        ("/authZ", Trouble::Unavailable),
        ("/chalZ", Trouble::Cut),
        ("/my-order", Trouble::Nonsense),
        ("/finalize-order", Trouble::Cut),
        ("/certZ", Trouble::Cut),
    ] {
        let hit = Arc::new(AtomicBool::new(false));
        let of_proxy = Arc::clone(&hit);
        scene.pebble.trouble(move |asked| {
            let hits = asked.starts_with(path) && !of_proxy.swap(true, Ordering::SeqCst);
            hits.then_some(trouble)
        });
        let ran = home.run(&["cert", "issue"]);
        assert!(hit.load(Ordering::SeqCst), "{path} was not asked: {ran:?}");
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
    // One was answered with 503 before Pebble saw it, one in silence: what nobody can know counts, and is given up.
    let orders = scene.shown()["acme"]["orders"]["mail.example.org"].as_u64().unwrap();
    assert_eq!((scene.pebble.accounts(), scene.pebble.orders()), (1, 1));
    assert_eq!(orders, 2);
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
    scene.shown.refuse(move || count.fetch_add(1, Ordering::SeqCst) >= 2);
    let refused = scene.home.refused(&["cert", "issue"], 69, "acme.refused");
    assert!(refused.err.contains("unauthorized"), "{refused:?}");
    assert_eq!((scene.pebble.orders(), tries.orders()), (1, 0));
    asked.store(0, Ordering::SeqCst);
    scene.home.refused(&["cert", "issue"], 69, "acme.refused");
    assert_eq!((scene.pebble.orders(), tries.orders()), (1, 1), "the real directory was left alone");
    scene.shown.refuse(|| false);
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

/// Proves: "200 restarts cause 0 extra orders" in small, with real processes killed (-9) while the authority has not
/// answered: the order that is under way is found again each time.
#[test]
fn restarts_cost_no_order() {
    let scene = Scene::new(&Manner::default(), "");
    let home = &scene.home;
    // From the order on the authority is silent.
    scene.pebble.trouble(|path| path.starts_with("/authZ").then_some(Trouble::Hang));
    for round in 0..20 {
        let mut child = home.command(&["cert", "issue"]).spawn().unwrap();
        let hangs =
            |scene: &Scene| scene.pebble.seen().iter().filter(|seen| seen.path.starts_with("/authZ")).count();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while hangs(&scene) <= round && child.try_wait().unwrap().is_none() {
            assert!(std::time::Instant::now() < until, "{}", scene.pebble.log());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!((scene.pebble.orders(), scene.pebble.accounts()), (1, 1));
    scene.pebble.trouble(|_| None);
    home.ok(&["cert", "issue"]);
    scene.served("host.pem");
    assert_eq!(scene.pebble.orders(), 1);
}

/// Proves: "kill -9 at every durable step of `cert renew`", faults 10 and 20: whatever is live is whole, the next run has
/// the certificate, the one account stays, and no round takes more than two orders.
#[test]
fn killed_at_any_step_the_next_renewal_ends_it() {
    let scene = Scene::in_zone("mail A {web}\n", &Manner::default(), "");
    let home = &scene.home;
    home.ok(&["cert", "issue"]);
    let serial = || scene.shown()["certificate"]["serial"].as_str().unwrap().to_owned();
    let mut killed = 0;
    for step in 1.. {
        scene.later(8 * 86_400);
        let (before, orders) = (serial(), scene.pebble.orders());
        let traced = home.command(&["cert", "renew", "--force"]);
        let status = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,symlink,unlink"])
            .args(["-e", &format!("inject=rename,symlink,unlink:signal=SIGKILL:when={step}")])
            .arg(traced.get_program())
            .args(traced.get_args())
            .env_clear()
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .output()
            .unwrap()
            .status;
        scene.served("host.pem");
        if status.success() {
            break;
        }
        killed += 1;
        home.ok(&["cert", "renew", "--force"]);
        scene.served("host.pem");
        assert_ne!(serial(), before, "step {step}");
        assert!(scene.pebble.orders() <= orders + 2, "step {step}");
        assert_eq!(scene.challenges(), 0, "step {step}");
        let pending = fs::read_dir(home.path().join("acme/pending")).unwrap().count();
        assert_eq!((pending, &scene.ledger()["under_way"]), (0, &serde_json::json!([])), "step {step}");
    }
    assert!(killed >= 8, "only {killed} steps were there to be killed at");
    assert_eq!(scene.pebble.accounts(), 1);
}

/// Proves: issue 5, "Measured", in small (the whole is a benchmark): renewals at 50 % bad nonces and a tenth of the attempts
/// each with 429, 5xx, silence and a failed validation all end well, with one account and no mismatch on the disk.
#[test]
fn renewals_end_well_whatever_goes_wrong() {
    let figures = crate::common::acme::renewals::renewals(12);
    assert_eq!((figures.renewed, figures.accounts, figures.mismatches), (12, 1, 0), "{figures:?}");
    assert!(figures.most_in_a_week <= 5, "{figures:?}");
}
