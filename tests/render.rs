//! The render ring: settings in, whole configuration files out, compared byte for byte.

mod common;

use common::golden::{cases, rendered, tree};
use mailctl::{
    render::{Facts, render},
    settings::{load, source::Sources},
};
use std::{collections::BTreeMap, fs};

/// Proves: S2-4, S3-21, S0-7 (raw settings and template overrides win), S4-3, S4-20, S0-26, S1-24, S2-12.
#[test]
fn every_golden_tree_is_what_is_rendered() {
    let bless = std::env::var_os("MAILCTL_BLESS").is_some() && std::env::var_os("CI").is_none();
    let mut wrong = Vec::new();
    for (name, folder) in cases() {
        let set = rendered(&folder);
        let mut files: BTreeMap<String, String> =
            set.files().iter().map(|file| (file.path.clone(), file.text.clone())).collect();
        let modes = set.files().iter().map(|file| format!("{:04o} {} {}\n", file.mode, file.gid, file.path));
        files.insert("MODES".to_owned(), modes.collect());
        let golden = folder.join("rendered");
        if bless {
            let _ = fs::remove_dir_all(&golden);
            for (path, text) in &files {
                let path = golden.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
        let expected = tree(&golden);
        let all = files.keys().chain(expected.keys());
        let differing = all.filter(|path| files.get(*path) != expected.get(*path));
        wrong.extend(differing.map(|path| format!("{name}/rendered/{path}")));
        assert_eq!(set.digest(""), rendered(&folder).digest(""), "{name} is not the same twice");
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "differ from what is rendered now (make bless): {wrong:#?}");
}

/// Proves: threat 2: local parts that name a way (`a%b`, `"a@b"`) are taken only where strangers' mail cannot go on
/// to a server that would follow it.
#[test]
fn local_parts_that_name_a_way_are_only_for_mail_that_ends_here() {
    let env = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=a@example.org\n";
    let taken = |toml: &str, overrides: &[(&str, &str)]| {
        let sources = Sources { settings_env: Some(env), mailctl_toml: Some(toml), ..Sources::default() };
        let overrides = overrides.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let facts = Facts { overrides: overrides.collect(), ..Facts::default() };
        let set = render(&load(&sources).unwrap().settings, &facts).unwrap();
        let main = set.files().iter().find(|file| file.path == "postfix/main.cf").unwrap();
        main.text.contains("allow_untrusted_routing = yes")
    };
    assert!(taken("", &[]));
    assert!(taken("[postfix.main]\nsmtpd_banner = \"x\"\n", &[("dovecot/dovecot.conf", "x")]));
    for raw in [
        "[postfix.transport]\n\"example.net\" = \"smtp:[192.0.2.9]\"\n",
        "[postfix.main]\nrelay_domains = \"example.net\"\n",
        "[postfix.main]\ncontent_filter = \"smtp:[192.0.2.9]\"\n",
        "[postfix.main]\nvirtual_transport = \"smtp:[192.0.2.9]\"\n",
        "[postfix.main]\nvirtual_alias_maps = \"static:x@example.net\"\n",
        "[postfix.main]\nmydestination = \"example.net\"\n",
        "[postfix.main]\nheader_checks = \"pcre:/x\"\n",
        "[postfix.main]\nsmtpd_recipient_restrictions = \"check_recipient_access pcre:/x\"\n",
        "[postfix.master]\n\"smtp/inet/content_filter\" = \"smtp:[192.0.2.9]\"\n",
    ] {
        assert!(!taken(raw, &[]), "{raw}");
    }
    let own = "{% include \"builtin/postfix/main.cf\" %}\nrelay_domains = example.net\n";
    assert!(!taken("", &[("postfix/main.cf", own)]));
    assert!(!taken("", &[("postfix/master.cf", "smtp inet n - n - - smtpd\n")]));
}

/// Proves: threats 33: however many guess at passwords at once, checking them takes at most half of the memory.
#[test]
fn checking_passwords_leaves_memory_for_mail() {
    let env = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=a@example.org\n";
    for (memory, workers) in [("256M", 2), ("1G", 8), ("64G", 30)] {
        let toml = format!("[limits]\nmemory = \"{memory}\"\n");
        let sources = Sources { settings_env: Some(env), mailctl_toml: Some(&toml), ..Sources::default() };
        let set = render(&load(&sources).unwrap().settings, &Facts::default()).unwrap();
        let conf = set.files().iter().find(|file| file.path == "dovecot/dovecot.conf").unwrap();
        assert!(conf.text.contains(&format!("  process_limit = {workers}\n")), "{memory}");
    }
}

/// What no configuration of ours may lack, whatever the settings are.
///
/// Proves: S1-2, S1-24, S4-21, S4-27.
#[test]
fn hardening_holds_in_every_tree() {
    for (name, folder) in cases() {
        let set = rendered(&folder);
        let text = |path: &str| &set.files().iter().find(|file| file.path == path).unwrap().text;
        let (main, master) = (text("postfix/main.cf"), text("postfix/master.cf"));
        for line in [
            "smtpd_forbid_bare_newline = reject",
            "smtpd_forbid_bare_newline_exclusions =",
            "smtpd_forbid_unauth_pipelining = yes",
            "smtpd_sasl_auth_enable = no",
            "smtpd_tls_auth_only = yes",
            "virtual_alias_domains =",
            "milter_default_action = tempfail",
            "smtpd_policy_service_timeout = 2s",
            "disable_vrfy_command = yes",
        ] {
            assert!(main.lines().any(|have| have == line), "{name}: no {line:?}");
        }
        assert!(master.contains("  -o mime_header_checks=\n  -o nested_header_checks=\n"), "{name}");
        // Both doors for users, and the one that mailctld comes back by.
        assert_eq!(master.matches("-o smtpd_forbid_bare_newline_exclusions=\n").count(), 3, "{name}");
        assert_eq!(master.matches("-o smtpd_tls_security_level=encrypt").count(), 2, "{name}");
        let entries = master.lines().filter(|line| !line.starts_with([' ', '#']));
        for entry in entries {
            assert_eq!(entry.split_whitespace().nth(4), Some("n"), "{name}: {entry} is chrooted");
        }
        let mut names: Vec<&str> = main
            .lines()
            .filter(|line| !line.starts_with(['#', ' ']))
            .filter_map(|line| line.split_once(" ="))
            .map(|(name, _)| name)
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(all, names.len(), "{name}: a parameter is set twice");
        for file in set.files() {
            let secret = file.text.contains("se{{c}}ret");
            assert_eq!(secret, file.mode == 0o600, "{name}: mode of {}", file.path);
        }
    }
}
