//! The whole way from texts to [`super::Settings`].

use super::{
    example, keys, load,
    source::{Origin, Sources},
};

const GOOD: &str = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=admin@example.org\n";

/// What is wrong with these texts, a line each.
fn faults(settings_env: &str, mailctl_toml: &str) -> String {
    let sources =
        Sources { settings_env: Some(settings_env), mailctl_toml: Some(mailctl_toml), environment: &[] };
    load(&sources).map_or_else(|faults| faults.iter().map(|f| format!("{f}\n")).collect(), |_| String::new())
}

/// Proves: S4-1 (a full server from few settings), S4-3 (the host name need not be inside the domain).
#[test]
fn three_lines_are_enough() {
    let text = "DOMAIN=example.org\nHOSTNAME=mx.example.net\nADMIN_EMAIL=admin@example.org\n";
    let loaded = load(&Sources { settings_env: Some(text), ..Sources::default() }).unwrap();
    assert_eq!(loaded.settings.message_size_limit, 50 << 20);
    assert_eq!(loaded.settings.ports.submission, 587);
    assert!(loaded.settings.relay.is_none() && loaded.settings.protocols.imap);
    assert!(loaded.settings.raw.main.is_empty() && loaded.warnings.is_empty());
}

#[test]
fn environment_wins_over_file_wins_over_default() {
    let environment: Vec<(String, String)> =
        [("MAILCTL_TZ", "Europe/Paris"), ("MAILCTL_PORTS_SMTP", "2525"), ("MAILCTL_RELAY_USER", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let text = format!("{GOOD}TZ=Europe/Berlin\nENABLE_POP3=no\n");
    let loaded =
        load(&Sources { settings_env: Some(&text), environment: &environment, ..Sources::default() })
            .unwrap();
    let origin = |key: &str| loaded.origins.iter().find(|shown| shown.key == key).unwrap().origin.clone();
    assert_eq!(loaded.settings.timezone, "Europe/Paris");
    assert_eq!(origin("TZ"), Origin::Variable("MAILCTL_TZ".to_owned()));
    assert_eq!(loaded.settings.ports.smtp, 2525);
    assert_eq!(origin("ENABLE_POP3"), Origin::Line("settings.env", 5));
    assert_eq!(origin("ENABLE_IMAP"), Origin::Default);
}

#[test]
fn a_misspelt_variable_is_a_fault_and_a_foreign_one_is_not() {
    let load_with = |name: &str| {
        let environment = [(name.to_owned(), "x".to_owned())];
        load(&Sources { settings_env: Some(GOOD), environment: &environment, ..Sources::default() })
    };
    assert!(load_with("MAILCTL_DOMIAN").unwrap_err()[0].to_string().contains("did you mean MAILCTL_DOMAIN?"));
    assert!(load_with("MAILCTL_HOME").is_ok() && load_with("MAILCTL_BLESS").is_ok());
}

/// Proves: the trap "do not list domain in BOTH" (users-want 2.8).
#[test]
fn a_served_domain_is_never_the_host_name() {
    let told = faults("DOMAIN=example.org\nHOSTNAME=example.org\nADMIN_EMAIL=a@example.org\n", "");
    assert!(told.contains("settings.env:1") && told.contains("HOSTNAME=mail.example.org"), "{told}");
    let told = faults(&format!("{GOOD}ADDITIONAL_DOMAINS=x.org,mail.example.org\n"), "");
    assert!(told.contains("settings.env:4: ADDITIONAL_DOMAINS"), "{told}");
    let told = faults("DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=a@mail.example.org\n", "");
    assert!(told.contains("ADMIN_EMAIL=a@example.org"), "{told}");
}

#[test]
fn faults_of_both_files_come_together() {
    let told = faults(
        "DOMAIN=exa mple.org\nHOSTNAME=mail\nMESSAGE_SIZE_LIMIT=26GIGOTS\n",
        "[ports]\nsmtp = 70000\nimap = 143\nimaps = 143\n",
    );
    for wanted in [
        "settings.env:1: DOMAIN: ",
        "settings.env:2: HOSTNAME: ",
        "settings.env:3: MESSAGE_SIZE_LIMIT: ",
        "ADMIN_EMAIL is missing from settings.env; add a line ADMIN_EMAIL=",
        "mailctl.toml:2: ports.smtp: ",
    ] {
        assert!(told.contains(wanted), "{wanted} is not in\n{told}");
    }
    assert!(
        faults(GOOD, "[ports]\nimap = 143\nimaps = 143\n")
            .contains("mailctl.toml:3: ports.imap and ports.imaps are both 143")
    );
    assert!(faults(GOOD, "[ports]\nimap = 0\nimaps = 0\n").is_empty());
}

#[test]
fn limits_and_trust_are_checked_against_each_other() {
    assert!(
        faults(&format!("{GOOD}MAILBOX_SIZE_LIMIT=10M\n"), "").contains("smaller than MESSAGE_SIZE_LIMIT")
    );
    assert!(faults(&format!("{GOOD}TRUSTED_NETWORKS=0.0.0.0/0\n"), "").contains("open relay"));
    assert!(faults(&format!("{GOOD}TRUSTED_NETWORKS=192.0.2.0/24 !192.0.2.1\n"), "").is_empty());
    assert!(faults(GOOD, "[network]\nlisten = \"::\"\n").contains("network.subnet6"));
    assert!(faults(GOOD, "[network]\nlisten = \"::\"\nsubnet6 = \"fd00:6d61:696c::/64\"\n").is_empty());
    assert!(
        faults(GOOD, "[network]\nmtu = 1000\nsubnet6 = \"fd00:6d61:696c::/64\"\n").contains("network.mtu")
    );
    assert!(faults(GOOD, "[network]\nmtu = 1000\n").is_empty());
    assert!(faults(GOOD, "[network]\nmtu = 68\n").contains("neither auto nor a number"));
    assert!(faults(GOOD, "[limits]\nmemory = \"10M\"\n").contains("256M"));
}

/// Proves: S0-26, S1-4 (`require` is taken as `encrypt`), S2-12 (relay login).
#[test]
fn relay_settings_hold_together_or_are_refused() {
    let relay = |more: &str| {
        let text = format!("{GOOD}{more}");
        load(&Sources { settings_env: Some(&text), ..Sources::default() })
    };
    let loaded =
        relay("RELAY_HOST=[smtp.example.net]:587\nRELAY_USER=u\nRELAY_PASSWORD=p:w#x\nRELAY_TLS=require\n")
            .unwrap();
    let got = loaded.settings.relay.unwrap();
    assert_eq!((got.tls.as_str(), got.password.unwrap().reveal()), ("encrypt", "p:w#x"));
    assert_eq!(loaded.warnings.len(), 1);
    let shown = loaded.origins.iter().find(|shown| shown.key == "RELAY_PASSWORD").unwrap();
    assert_eq!(shown.value, "(hidden)");
    assert!(!format!("{:?}", loaded.origins).contains("p:w#x"));
    assert!(relay("RELAY_USER=u\nRELAY_PASSWORD=p\n").unwrap_err()[0].to_string().contains("RELAY_HOST"));
    assert!(
        relay("RELAY_HOST=a.example.net\nRELAY_USER=u\n").unwrap_err()[0]
            .to_string()
            .contains("RELAY_PASSWORD")
    );
    assert!(relay("RELAY_HOST=192.0.2.1:25\n").is_err());
}

/// Proves: threats section 2 (an explicit value wins over its from-file variant; a missing file is an error).
#[test]
fn the_secret_file_is_the_second_choice() {
    use super::source::Words;
    let text = format!("{GOOD}RELAY_HOST=a.example.net\nRELAY_USER=u\nRELAY_PASSWORD_FILE=/x\n");
    let gather = |text: &str| Words::gather(&Sources { settings_env: Some(text), ..Sources::default() });
    let mut words = gather(&text);
    let wanted = words.secrets_wanted();
    assert_eq!((wanted.len(), wanted[0].0.name, wanted[0].1.as_str()), (1, "RELAY_PASSWORD", "/x"));
    let password = wanted[0].0;
    words.secret_read(password, "/x", Ok("secret\n".to_owned()));
    let loaded = words.settle().unwrap();
    assert_eq!(loaded.settings.relay.unwrap().password.unwrap().reveal(), "secret");
    let mut words = gather(&text);
    words.secret_read(password, "/x", Err("No such file".to_owned()));
    let faults = words.settle().unwrap_err();
    assert_eq!(
        (faults.len(), faults[0].to_string().as_str()),
        (1, "settings.env:6: RELAY_PASSWORD_FILE /x: No such file")
    );
    assert!(gather(&format!("{text}RELAY_PASSWORD=p\n")).secrets_wanted().is_empty());
}

/// Every default and example in the table is a value that would be taken, and the files written from it load.
#[test]
fn the_table_obeys_itself() {
    let all: Vec<_> = keys::KEYS
        .iter()
        .filter(|key| key.home == keys::Home::Env)
        // Only one of it and TLS_CERT_FILE can be set.
        .filter(|key| key.name != "TLS_CERT_DIR")
        .map(|key| (key.name, if key.example.is_empty() { key.default } else { key.example }))
        .collect();
    let toml: String = example::mailctl_toml()
        .lines()
        .map(|l| l.strip_prefix('#').filter(|l| !l.starts_with(' ')).unwrap_or(l).to_owned() + "\n")
        .collect();
    assert_eq!(faults(&example::settings_env(&all), &toml), "");
    assert_eq!(faults(&example::settings_env_example(), &example::mailctl_toml()), "");
    for key in keys::KEYS {
        assert!((!key.required || key.default.is_empty()) && !key.manual.is_empty(), "{}", key.name);
        assert_eq!(key.name.contains('.'), key.home == keys::Home::Toml, "{}", key.name);
    }
}

proptest::proptest! {
    /// What `init` writes is what is read back, whatever is in it.
    #[test]
    fn a_written_value_is_read_back(value in "[^\\p{Cc}]{1,40}") {
        use super::source::Words;
        let text = example::settings_env(&[("RELAY_PASSWORD", &value)]);
        let words = Words::gather(&Sources { settings_env: Some(&text), ..Sources::default() });
        proptest::prop_assert!(words.faults.is_empty(), "{:?}", words.faults);
        proptest::prop_assert_eq!(&words.set["RELAY_PASSWORD"].text, &value);
    }

    /// Any text at all gives settings or faults, never a panic.
    #[test]
    fn any_text_is_an_answer(env in "(?s).{0,200}", toml in "(?s)[\\[\\]a-z.=\"' \n0-9_{},#\\\\-]{0,200}") {
        let _ = load(&Sources { settings_env: Some(&env), mailctl_toml: Some(&toml), environment: &[] });
    }
}

/// Proves: threats 28 and 15: a webhook is https and a secret, and only named networks are let in.
#[test]
fn a_webhook_is_a_secret_and_https() {
    let read = |lines: &str| {
        let text = format!("{GOOD}{lines}");
        load(&Sources { settings_env: Some(&text), ..Sources::default() })
    };
    let loaded =
        read("ALERT_WEBHOOK=https://x.example.org/s3cret\nALERT_WEBHOOK_NETWORKS=10.0.0.0/8\n").unwrap();
    let shown = loaded.origins.iter().find(|shown| shown.key == "ALERT_WEBHOOK").unwrap();
    assert_eq!(shown.value, "(hidden)");
    assert!(!format!("{:?}", loaded.settings).contains("s3cret"));
    let webhook = loaded.settings.webhook.unwrap();
    assert_eq!((webhook.url.reveal(), webhook.networks.len()), ("https://x.example.org/s3cret", 1));
    for wrong in ["http://x.example.org/s3cret", "https:///s3cret", "s3cret", "https://u:s3cret@x/"] {
        let faults = read(&format!("ALERT_WEBHOOK={wrong}\n")).unwrap_err();
        assert!(!faults[0].to_string().contains("s3cret"), "{}", faults[0]);
    }
    assert!(read("ALERT_WEBHOOK_NETWORKS=10.0.0.1/8\n").is_err());
}
