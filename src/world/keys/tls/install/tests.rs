use super::super::{fingerprint, live, served, spki};
use super::*;
use crate::mail::{
    address::Domain,
    cert::{Kind, Wanted},
};
use openssl::{pkey::PKey, rsa::Rsa};
use rcgen::{CertificateParams, KeyPair};
use std::os::unix::fs::PermissionsExt;

const NOW: i64 = 1_800_000_000;

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn pair(kind: Kind, name: &str, wanted: &Wanted<'_>) -> Pair {
    let key = match kind {
        Kind::Ecdsa => KeyPair::generate().unwrap(),
        Kind::Rsa => {
            let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
            let pem = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
            KeyPair::from_pem(&pem).unwrap()
        }
    };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = time::OffsetDateTime::from_unix_timestamp(NOW - 1).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(NOW + 1000).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Pair::assemble(certificate.pem().as_bytes(), key.serialize_pem().as_bytes(), wanted, NOW).unwrap()
}

/// A home, a pair for the host and one for a domain.
fn scene() -> (tempfile::TempDir, Paths, Pair, Pair) {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::new(home.path().to_owned());
    let host = pair(Kind::Ecdsa, "mail.example.org", &Wanted::Host(&domain("mail.example.org")));
    let other = pair(Kind::Ecdsa, "mail.example.net", &Wanted::Domain(&domain("example.net")));
    (home, paths, host, other)
}

/// Proves: issue 5 (Installing), fault 20: a set is whole, what is not changed stays, old sets are kept and pruned.
#[test]
fn a_set_is_carried_on_and_old_ones_are_pruned() {
    let (_home, paths, host, other) = scene();
    let named = Place::Domain(domain("example.net"));
    assert_eq!(install(&paths, &Change::default().serve(Place::Host, &host)).unwrap(), 1);
    let first = fingerprint(&paths);
    install(&paths, &Change::default().serve(named.clone(), &other)).unwrap();
    assert_eq!(places(&paths), [Place::Host, named.clone()]);
    assert_ne!(fingerprint(&paths), first);
    assert_eq!(spki(&paths).len(), 1, "a domain's key is not the host's");
    let rsa = pair(Kind::Rsa, "mail.example.org", &Wanted::Host(&domain("mail.example.org")));
    assert_eq!(rsa.kind, Kind::Rsa);
    install(&paths, &Change::default().serve(Place::HostRsa, &rsa)).unwrap();
    assert_eq!(spki(&paths).len(), 2);
    let served = served(&paths).unwrap();
    let leaves: Vec<_> = served.iter().map(|one| one.certificate.clone()).collect();
    assert_eq!(leaves, [host.leaf.clone(), rsa.leaf.clone(), other.leaf.clone()]);
    assert_eq!(live(&paths).unwrap(), Some(host.leaf.clone()));
    for file in [paths.certificate(&named), paths.certificate(&Place::HostRsa)] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o7777, 0o750);
    }
    install(&paths, &Change::default().withdraw(Place::HostRsa).withdraw(named)).unwrap();
    assert_eq!(places(&paths), [Place::Host]);
    assert_eq!(fingerprint(&paths), first, "the same files are the same set");
    assert_eq!(numbers(&paths), [2, 3, 4]);
    assert_eq!(fs::read_link(paths.tls_live()).unwrap().to_str(), Some("sets/0004"));
}

/// Proves: a file that leaves stays until no configuration names it.
#[test]
fn what_leaves_stays_while_it_is_named() {
    let (_home, paths, host, other) = scene();
    let named = Place::Domain(domain("example.net"));
    let both = Change::default().serve(Place::Host, &host).serve(named.clone(), &other);
    install(&paths, &both).unwrap();
    let conf = paths.current().join("dovecot/dovecot.conf");
    fs::create_dir_all(conf.parent().unwrap()).unwrap();
    fs::write(&conf, format!("ssl_server_cert_file = {INSIDE}/live/sni/example.net.pem\n")).unwrap();
    install(&paths, &Change::default().withdraw(named.clone())).unwrap();
    let file = paths.certificate(&named);
    assert!(file.exists() && places(&paths) == [Place::Host]);
    tidy(&paths).unwrap();
    install(&paths, &Change::default()).unwrap();
    assert!(file.exists() && places(&paths) == [Place::Host]);
    fs::write(&conf, "").unwrap();
    tidy(&paths).unwrap();
    assert!(!file.exists() && within(&paths.tls_live()) == [Place::Host]);
    let sets = numbers(&paths);
    tidy(&paths).unwrap();
    assert_eq!(numbers(&paths), sets, "nothing to tidy, nothing written");
}

/// Proves: a home from before there were sets goes on with its certificate.
#[test]
fn the_one_file_of_before_is_taken_over() {
    let (_home, paths, host, _) = scene();
    assert!(!take_over(&paths).unwrap());
    fs::create_dir_all(paths.current().join("postfix")).unwrap();
    fs::create_dir(paths.tls()).unwrap();
    let conf = paths.current().join("postfix/main.cf");
    fs::write(&conf, format!("smtpd_tls_chain_files = {INSIDE}/live.pem\n")).unwrap();
    fs::write(paths.tls_before_sets(), &host.pem).unwrap();
    assert!(take_over(&paths).unwrap());
    assert_eq!(live(&paths).unwrap(), Some(host.leaf.clone()));
    assert!(paths.tls_before_sets().exists(), "a running Postfix reads it");
    assert!(!take_over(&paths).unwrap());
    fs::write(&conf, "").unwrap();
    assert!(!take_over(&paths).unwrap() && !paths.tls_before_sets().exists());
    assert_eq!(numbers(&paths), [1]);
}

/// Proves: fault 9, fault 10: what a killed run left is removed, and is never live.
#[test]
fn what_a_killed_run_left_is_removed() {
    let (_home, paths, host, other) = scene();
    install(&paths, &Change::default().serve(Place::Host, &host)).unwrap();
    let draft = paths.tls_sets().join(".new-abc");
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join("host.pem"), "half").unwrap();
    // Written whole, but killed before the switch.
    fs::create_dir(paths.tls_set(2)).unwrap();
    fs::write(paths.tls_set(2).join("host.pem"), &other.pem).unwrap();
    symlink("sets/0002", paths.tls().join(".new-live")).unwrap();
    assert_eq!(live(&paths).unwrap(), Some(host.leaf.clone()));
    assert_eq!(install(&paths, &Change::default()).unwrap(), 3);
    assert_eq!(live(&paths).unwrap(), Some(host.leaf.clone()));
    assert!(!draft.exists() && !paths.tls().join(".new-live").exists());
}
