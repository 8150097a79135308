//! `mailctl cert` in a temporary home.

use crate::common::{
    certificate::{self, Made},
    home::Home,
};
use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process::Command,
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn pair(home: &Home, name: &str) -> (String, String) {
    let (certificate, key) = certificate::pair(home.path(), name);
    (certificate.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned())
}

/// Proves: S1-10, S0-12, S1-21 (certificate matches key), fault 21: what cannot be served is refused, what was
/// served stays.
#[test]
fn a_certificate_is_judged_before_it_is_served() {
    let home = Home::new();
    home.refused(&["tls", "show"], 65, "cert import");
    let (certificate, key) = pair(&home, "mail.example.org");
    let shown = home.json(&["cert", "import", "--cert", &certificate, "--key", &key]);
    let live = home.path().join("tls/live/host.pem");
    assert_eq!(mode(&live), 0o640);
    let fingerprint = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in", &certificate])
        .output()
        .unwrap();
    let fingerprint = String::from_utf8(fingerprint.stdout).unwrap();
    let shown = shown["certificate"]["fingerprint"].as_str().unwrap();
    assert!(fingerprint.trim().ends_with(shown), "{fingerprint} {shown}");
    assert!(home.ok(&["cert", "show"]).contains(shown));

    let served = fs::read(&live).unwrap();
    let (foreign, foreign_key) = pair(&home, "other.example.org");
    for (certificate, key, word) in [
        (&foreign, &foreign_key, "not for mail.example.org"),
        (&certificate, &foreign_key, "other.example.org.key"),
        (&key, &key, "no certificate"),
    ] {
        home.refused(&["cert", "import", "--cert", certificate, "--key", key], 78, word);
    }
    home.refused(&["cert", "import", "--cert", &certificate], 64, "--key");
    home.refused(&["cert", "import", "--cert", "/nonexistent", "--key", &key], 74, "/nonexistent");
    assert_eq!(fs::read(&live).unwrap(), served);
}

/// Proves: S0-12 (certbot's folder).
#[test]
fn certbots_folder_is_taken_as_it_is() {
    let home = Home::new();
    let (certificate, key) = pair(&home, "mail.example.org");
    let folder = home.path().join("live");
    fs::create_dir(&folder).unwrap();
    fs::copy(certificate, folder.join("fullchain.pem")).unwrap();
    fs::copy(key, folder.join("privkey.pem")).unwrap();
    home.ok(&["cert", "import", folder.to_str().unwrap(), "--dry-run"]);
    assert!(!home.path().join("tls/live/host.pem").exists());
    home.ok(&["cert", "import", folder.to_str().unwrap()]);
    assert!(home.path().join("tls/live/host.pem").exists());
}

/// Both files of one that was made for the test.
fn made(home: &Home, file: &str, of: Made<'_>) -> (String, String) {
    let (certificate, key) = certificate::make(home.path(), file, of);
    (certificate.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned())
}

const HOST: Made<'static> = Made { names: &["mail.example.org"], rsa: false, issued: false };

/// Proves: issue 5 (ECDSA and RSA side by side, SNI, TLSA follows the keys): two kinds for the host, one for a domain,
/// shown, published as TLSA, and withdrawn with a way back.
#[test]
fn a_set_holds_two_kinds_and_domains() {
    let home = Home::new();
    let (ec, ec_key) = made(&home, "ec", HOST);
    let (rsa, rsa_key) = made(&home, "rsa", Made { rsa: true, ..HOST });
    let names = &["mail.example.net", "*.example.net"];
    let (net, net_key) = made(&home, "net", Made { names, ..HOST });
    let import = |rest: &[&str]| home.ok(&[&["cert", "import"], rest].concat());
    // In any order: the ECDSA one is the first.
    import(&["--cert", &rsa, "--key", &rsa_key, "--cert", &ec, "--key", &ec_key]);
    home.refused(
        &["cert", "import", "--for", "example.net", "--cert", &net, "--key", &net_key],
        65,
        "domain add",
    );
    home.ok(&["domain", "add", "example.net"]);
    home.refused(
        &["cert", "import", "--for", "example.net", "--cert", &ec, "--key", &ec_key],
        78,
        "no name in",
    );
    import(&["--for", "example.net", "--cert", &net, "--key", &net_key]);
    let twice = ["cert", "import", "--cert", &ec, "--key", &ec_key, "--cert", &ec, "--key", &ec_key];
    home.refused(&twice, 78, "side by side");
    home.refused(&twice[..8], 64, "do not go together");

    let shown = home.json(&["cert", "show"]);
    let places: Vec<&str> =
        shown["certificates"].as_array().unwrap().iter().map(|one| one["for"].as_str().unwrap()).collect();
    assert_eq!(places, ["host", "host, RSA", "example.net"]);
    let live = home.path().join("tls/live");
    assert!(fs::read_to_string(live.join("host.pem")).unwrap().contains(&fs::read_to_string(&ec).unwrap()));
    assert!(
        fs::read_to_string(live.join("host-rsa.pem")).unwrap().contains(&fs::read_to_string(&rsa).unwrap())
    );
    let records = home.ok(&["dns-records", "--format", "zone"]);
    let tlsa: Vec<&str> = records.lines().filter(|line| line.contains(" TLSA ")).collect();
    for file in [&ec, &rsa] {
        let digest = certificate::spki(Path::new(file));
        assert!(tlsa.iter().any(|line| line.to_lowercase().ends_with(&digest)), "{digest}: {tlsa:?}");
    }
    assert_eq!(tlsa.len(), 2, "a domain's key is no key of the host: {tlsa:?}");

    home.refused(&["cert", "remove", "example.org"], 65, "cert show");
    home.ok(&["cert", "remove", "example.net", "--dry-run"]);
    assert!(live.join("sni/example.net.pem").exists());
    let told = home.run(&["cert", "remove", "example.net"]).err;
    assert!(!live.join("sni").exists(), "{told}");
    let undo = told.lines().find_map(|line| line.strip_prefix("undo: mailctl ")).unwrap();
    home.ok(&undo.split(' ').filter(|word| !word.is_empty()).skip(2).collect::<Vec<_>>());
    assert!(live.join("sni/example.net.pem").exists());
    // A new certificate for the host takes the place of both.
    import(&["--cert", &rsa, "--key", &rsa_key]);
    assert!(!live.join("host-rsa.pem").exists() && live.join("sni/example.net.pem").exists());
}

/// Proves: S0-12, S1-10, S2-11, S2-17, fault 21: a source is looked at again; what is new and good is served, and a
/// half-written pair, one without its chain or with an encrypted key leaves the old one, with the file named.
#[test]
fn a_source_is_looked_at_again_and_a_bad_one_changes_nothing() {
    let home = Home::new();
    let issued = |file| made(&home, file, Made { issued: true, ..HOST });
    let source = home.path().join("live");
    fs::create_dir(&source).unwrap();
    let lay = |certificate: Option<&str>, key: Option<&str>| {
        for (from, to) in [(certificate, "fullchain.pem"), (key, "privkey.pem")] {
            if let Some(from) = from {
                fs::copy(from, source.join(to)).unwrap();
            }
        }
    };
    let (one, one_key) = issued("one");
    lay(Some(&one), Some(&one_key));
    let folder = source.to_str().unwrap();
    assert!(home.ok(&["cert", "import", "--again", "--quiet"]).is_empty());
    home.ok(&["cert", "import", folder, "--watch"]);
    let serial = || home.json(&["cert", "show"])["certificate"]["serial"].as_str().unwrap().to_owned();
    let first = serial();
    assert_eq!(home.json(&["cert", "import", "--again"])["installed"], false);

    let (two, two_key) = issued("two");
    lay(None, Some(&two_key));
    let told = home.refused(&["cert", "import", "--again"], 78, "privkey.pem").err;
    assert!(told.contains("goes on being served") && serial() == first, "{told}");
    lay(Some(&two), None);
    assert_eq!(home.json(&["cert", "import", "--again"])["installed"], true);
    let second = serial();
    assert_ne!(second, first);

    let (three, three_key) = issued("three");
    let leaf = fs::read_to_string(&three).unwrap();
    let end = "-----END CERTIFICATE-----\n";
    fs::write(source.join("fullchain.pem"), leaf.split_inclusive(end).next().unwrap()).unwrap();
    lay(None, Some(&three_key));
    home.refused(&["cert", "import", "--again"], 78, "lacks the chain");
    lay(Some(&three), None);
    let locked = source.join("locked.pem");
    let done = Command::new("openssl")
        .args(["pkey", "-aes128", "-passout", "pass:secret", "-in", &three_key, "-out"])
        .arg(&locked)
        .output()
        .unwrap();
    assert!(done.status.success());
    fs::rename(&locked, source.join("privkey.pem")).unwrap();
    let told = home.refused(&["cert", "import", "--again"], 78, "privkey.pem").err;
    assert!(told.contains("encrypted") && serial() == second, "{told}");

    // By hand from elsewhere: that source is not to come back.
    home.ok(&["cert", "import", "--cert", &one, "--key", &one_key]);
    lay(None, Some(&three_key));
    assert_eq!(home.json(&["cert", "import", "--again"])["installed"], false);
    // By the settings: nothing else is taken while they say so.
    let env = home.path().join("settings.env");
    let settings = fs::read_to_string(&env).unwrap();
    fs::write(&env, format!("{settings}TLS_CERT_FILE={three}\nTLS_KEY_FILE={three_key}\n")).unwrap();
    assert_eq!(home.json(&["cert", "import", "--again"])["installed"], true);
    home.refused(&["cert", "import", folder], 78, "TLS_CERT_FILE");
    fs::write(&env, format!("{settings}TLS_CERT_FILE={three}\n")).unwrap();
    home.refused(&["config", "check"], 78, "TLS_KEY_FILE");
}

/// Proves: issue 5 (kill -9 at every durable step), faults 9, 10 and 20: whatever is live is one whole set, and the
/// next run ends what was begun.
#[test]
fn killed_at_any_step_the_old_or_the_new_set_is_live() {
    let home = Home::new();
    let files = |kind: &str| {
        let (ec, ec_key) = made(&home, &format!("{kind}-ec"), HOST);
        let (rsa, rsa_key) = made(&home, &format!("{kind}-rsa"), Made { rsa: true, ..HOST });
        [ec, ec_key, rsa, rsa_key]
    };
    let (one, other) = (files("one"), files("other"));
    let words = |[ec, ec_key, rsa, rsa_key]: &[String; 4]| {
        ["cert", "import", "--watch", "--cert", ec, "--key", ec_key, "--cert", rsa, "--key", rsa_key]
            .map(str::to_owned)
    };
    let live = home.path().join("tls/live");
    let set =
        || ["host.pem", "host-rsa.pem"].map(|name| fs::read_to_string(live.join(name)).unwrap_or_default());
    let import = |files| home.ok(&words(files).each_ref().map(String::as_str));
    import(&other);
    let second = set();
    import(&one);
    let first = set();
    assert!(first != second && !first.contains(&String::new()));
    let mut killed = 0;
    for call in ["fsync", "rename", "symlink", "mkdir", "unlinkat"] {
        for step in 1.. {
            import(&one);
            let traced = home.command(&words(&other).each_ref().map(String::as_str));
            let status = Command::new("strace")
                .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
                .args(["-e", &format!("inject={call}:signal=SIGKILL:when={step}")])
                .arg(traced.get_program())
                .args(traced.get_args())
                .env_clear()
                .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
                .output()
                .unwrap()
                .status;
            let now = set();
            assert!(now == first || now == second, "{call} {step}: a mixture is live");
            home.ok(&["cert", "show"]);
            if status.success() {
                assert!(now == second, "{call} {step}");
                break;
            }
            assert_eq!(status.signal().or(status.code().map(|code| code - 128)), Some(9), "{call} {step}");
            killed += 1;
        }
    }
    assert!(killed >= 12, "only {killed} steps were there to be killed at");
    import(&one);
    assert!(set() == first);
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(home.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert!(names("tls/sets").len() == 3 && !names("tls/sets").iter().any(|name| name.starts_with('.')));
    assert!(!names("tls").iter().any(|name| name.starts_with('.')), "{:?}", names("tls"));
}

/// Proves: S2-17 (certificate and key in the settings themselves): from settings.env with written line ends, and from the
/// environment as they are or in base64; judged like files; the key is shown nowhere, and lies in no file that others read.
#[test]
fn a_pair_in_the_settings_is_served_and_never_shown() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let home = Home::new();
    let env = home.path().join("settings.env");
    let settings = fs::read_to_string(&env).unwrap();
    let (certificate, key) = pair(&home, "mail.example.org");
    let [certificate, key] = [certificate, key].map(|file| fs::read_to_string(file).unwrap());
    let secret = key.lines().nth(1).unwrap().to_owned();
    let line = |text: &str| text.trim_end().replace('\n', "\\n");
    let write = |text: String| {
        fs::write(&env, settings.clone() + &text).unwrap();
        fs::set_permissions(&env, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(format!("TLS_CERT_PEM={}\n", line(&certificate)));
    home.refused(&["config", "check"], 78, "set TLS_KEY_PEM");
    write(format!("TLS_CERT_PEM=\"{}\"\nTLS_KEY_PEM=\"{}\"\n", line(&certificate), line(&key)));
    fs::set_permissions(&env, fs::Permissions::from_mode(0o644)).unwrap();
    home.refused(&["cert", "import", "--again"], 78, "chmod 0600");
    fs::set_permissions(&env, fs::Permissions::from_mode(0o600)).unwrap();
    home.ok(&["cert", "import", "--again"]);
    let live = home.path().join("tls/live/host.pem");
    assert!(fs::read_to_string(&live).unwrap().contains(&secret));
    assert_eq!(mode(&live), 0o640);
    for words in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["cert", "show", "--json"],
        &["config", "check"],
        &["config", "diff"],
    ] {
        let ran = home.run(words);
        assert!(!format!("{ran:?}").contains(&secret), "{words:?} shows the key");
    }
    let (other, other_key) = pair(&home, "other.example.org");
    home.refused(&["cert", "import", "--cert", &other, "--key", &other_key], 78, "TLS_KEY_PEM");

    // One for another name is refused by its name, and the old one stays.
    let [other, other_key] = [other, other_key].map(|file| fs::read_to_string(file).unwrap());
    let before = fs::read(&live).unwrap();
    let by_environment = |certificate: &str, key: &str| {
        let mut command = home.command(&["cert", "import", "--again"]);
        command.env("MAILCTL_TLS_CERT_PEM", certificate).env("MAILCTL_TLS_KEY_PEM", key).output().unwrap()
    };
    write(String::new());
    let refused = by_environment(&BASE64_STANDARD.encode(&other), &BASE64_STANDARD.encode(&other_key));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("TLS_CERT_PEM cannot be served"), "{said}");
    let garbled = by_environment(&certificate, &format!("{secret}!"));
    let said = String::from_utf8(garbled.stderr).unwrap();
    assert!(said.contains("TLS_KEY_PEM: is neither PEM") && !said.contains(&secret), "{said}");
    assert_eq!(fs::read(&live).unwrap(), before);
    let (new, new_key) = pair(&home, "mail.example.org");
    let [new, new_key] = [new, new_key].map(|file| fs::read_to_string(file).unwrap());
    let taken = by_environment(&new, &new_key);
    assert!(taken.status.success(), "{taken:?}");
    assert!(fs::read_to_string(&live).unwrap().contains(new_key.lines().nth(1).unwrap()));
}
