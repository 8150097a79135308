use super::*;
use crate::mail::address::Domain;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn params(names: &[&str], from: i64, to: i64) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = time::OffsetDateTime::from_unix_timestamp(from).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(to).unwrap();
    params
}

fn authority(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = params(&[], NOW - DAY, NOW + 900 * DAY);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    (params, KeyPair::generate().unwrap())
}

fn plain(names: &[&str], from: i64, to: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (params(names, from, to).self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn assemble(certificates: &str, key: &str) -> Result<Pair, Fault> {
    let host = Domain::parse("mail.example.org").unwrap();
    Pair::assemble(certificates.as_bytes(), key.as_bytes(), &Wanted::Host(&host), NOW)
}

#[test]
fn a_good_pair_is_served_key_first() {
    let (certificate, key) = plain(&["mail.example.org", "*.example.net"], NOW - DAY, NOW + DAY);
    let pair = assemble(&certificate, &key).unwrap();
    assert!(!pair.leaf_only && pair.leaf.self_signed);
    assert_eq!(pair.leaf.names, ["mail.example.org", "*.example.net"]);
    assert!(pair.pem.starts_with(b"-----BEGIN PRIVATE KEY"));
    assert_eq!(Certificate::read(&pair.pem).unwrap(), pair.leaf);
    assert_eq!((pair.leaf.not_before, pair.leaf.not_after), (NOW - DAY, NOW + DAY));
    assert!(pair.leaf.holds_for("a.example.net"));
    assert!(!pair.leaf.holds_for("example.net") && !pair.leaf.holds_for("a.b.example.net"));
}

/// Proves: fault 21, and the TLS part of "behaviours": mismatched, missing, expired, wrong name, encrypted.
#[test]
fn what_cannot_be_served_is_refused_and_the_file_named() {
    let (certificate, key) = plain(&["mail.example.org"], NOW - DAY, NOW + DAY);
    let (_, other) = plain(&["mail.example.org"], NOW - DAY, NOW + DAY);
    let (expired, expired_key) = plain(&["mail.example.org"], NOW - 9 * DAY, NOW - DAY);
    let (early, early_key) = plain(&["mail.example.org"], NOW + DAY, NOW + 9 * DAY);
    let (foreign, foreign_key) = plain(&["example.org"], NOW - DAY, NOW + DAY);
    let secret = PKey::private_key_from_pem(key.as_bytes())
        .unwrap()
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret")
        .unwrap();
    let secret = String::from_utf8(secret).unwrap();
    let weak = openssl::rsa::Rsa::generate(1024).unwrap().private_key_to_pem().unwrap();
    let weak = String::from_utf8(weak).unwrap();
    for (certificate, key, of_key, word) in [
        (&certificate, &other, true, "does not belong"),
        (&certificate, &secret, true, "encrypted"),
        (&certificate, &certificate, true, "no private key"),
        (&certificate, &String::new(), true, "no private key"),
        (&certificate, &weak, true, "1024 bits"),
        (&key, &key, false, "no certificate"),
        (&expired, &expired_key, false, "expired on 2027-01-14"),
        (&early, &early_key, false, "not valid before 2027-01-16"),
        (&foreign, &foreign_key, false, "not for mail.example.org (HOSTNAME), but for example.org"),
    ] {
        let fault = assemble(certificate, key).unwrap_err();
        assert!(fault.to_string().contains(word), "{fault} lacks {word:?}");
        assert_eq!(matches!(fault, Fault::Key(_)), of_key, "{fault}");
    }
}

#[test]
fn the_chain_is_put_in_order_and_a_missing_one_is_seen() {
    let (root_params, root_key) = authority("Root");
    let root = root_params.self_signed(&root_key).unwrap();
    let root_issuer = Issuer::from_params(&root_params, &root_key);
    let (middle_params, middle_key) = authority("Middle");
    let middle = middle_params.signed_by(&middle_key, &root_issuer).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = params(&["mail.example.org"], NOW - DAY, NOW + DAY)
        .signed_by(&leaf_key, &Issuer::from_params(&middle_params, &middle_key))
        .unwrap();
    let key = leaf_key.serialize_pem();

    let shuffled = format!("{}{}{}", root.pem(), leaf.pem(), middle.pem());
    let pair = assemble(&shuffled, &key).unwrap();
    assert!(!pair.leaf_only);
    let served = X509::stack_from_pem(&pair.pem).unwrap();
    let issuers: Vec<String> =
        served.iter().map(|one| super::super::common_name(one.issuer_name())).collect();
    assert_eq!(issuers, ["Middle", "Root", "Root"]);

    assert!(assemble(&leaf.pem(), &key).unwrap().leaf_only);
    assert!(assemble(&format!("{}{}", leaf.pem(), root.pem()), &key).unwrap().leaf_only, "a gap");
}

/// Proves: fault 21 (a chain over an expired issuer is of no use to clients).
#[test]
fn an_expired_issuer_is_seen() {
    let (mut root_params, root_key) = authority("Old");
    root_params.not_after = time::OffsetDateTime::from_unix_timestamp(NOW - DAY / 2).unwrap();
    let root = root_params.self_signed(&root_key).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = params(&["mail.example.org"], NOW - DAY, NOW + DAY)
        .signed_by(&leaf_key, &Issuer::from_params(&root_params, &root_key))
        .unwrap();
    let fault = assemble(&format!("{}{}", leaf.pem(), root.pem()), &leaf_key.serialize_pem()).unwrap_err();
    assert!(matches!(fault, Fault::Certificate(_)) && fault.to_string().contains("\"Old\""), "{fault}");
}

/// Proves: issue 5 (SNI: a certificate per domain): which names are a domain's own.
#[test]
fn a_domains_certificate_holds_for_a_name_in_it() {
    let domain = Domain::parse("example.net").unwrap();
    let names = ["example.net", "mail.example.net", "*.b.example.net", "notexample.net", "mail.example.org"];
    let (certificate, key) = plain(&names, NOW - DAY, NOW + DAY);
    let assembled = |wanted: &Wanted<'_>| Pair::assemble(certificate.as_bytes(), key.as_bytes(), wanted, NOW);
    let leaf = assembled(&Wanted::Domain(&domain)).unwrap().leaf;
    assert_eq!(leaf.names_in(&domain), ["example.net", "mail.example.net", "*.b.example.net"]);
    let other = Domain::parse("ample.net").unwrap();
    let fault = assembled(&Wanted::Domain(&other)).unwrap_err();
    assert!(fault.to_string().contains("no name in ample.net"), "{fault}");
}
