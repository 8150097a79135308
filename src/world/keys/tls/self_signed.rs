//! The first certificate: self-signed, so that everything can start.

use super::{Change, install, live};
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{Pair, Place, Wanted},
    },
    world::{io_error, paths::Paths},
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SerialNumber};

/// How long it holds.
const SELF_SIGNED: time::Duration = time::Duration::days(365);

/// From when on it is made anew.
const RENEWED: i64 = 30 * 86_400;

/// For clients whose clock is behind.
const GRACE: time::Duration = time::Duration::HOUR;

/// Makes it, for `host` alone; one that is there is kept (`false`).
pub fn self_signed(paths: &Paths, host: &Domain, now: time::OffsetDateTime) -> Result<bool, Error> {
    if live(paths)?.is_some() {
        return Ok(false);
    }
    let key = KeyPair::generate().map_err(|e| failed(e.to_string()))?;
    put(paths, host, now, &key)?;
    Ok(true)
}

/// Makes it anew where it runs out or HOSTNAME is another one, with the same key; whether that was so. Only one of our
/// own making: what somebody brought in is theirs.
pub fn renew_self_signed(paths: &Paths, host: &Domain, now: time::OffsetDateTime) -> Result<bool, Error> {
    let Some(leaf) = live(paths)? else { return Ok(false) };
    let ours = leaf.self_signed
        && leaf.names.len() == 1
        && leaf.not_after - leaf.not_before == (SELF_SIGNED + GRACE).whole_seconds();
    let good = leaf.holds_for(host.as_str()) && leaf.not_after - now.unix_timestamp() > RENEWED;
    if !ours || good {
        return Ok(false);
    }
    let file = paths.certificate(&Place::Host);
    let pem = std::fs::read_to_string(&file).map_err(|e| io_error("read", &file, &e))?;
    let key = KeyPair::from_pem(&pem).map_err(|e| failed(e.to_string()))?;
    put(paths, host, now, &key)?;
    Ok(true)
}

fn failed(cause: String) -> Error {
    Error::new(codes::BUG, "cannot make a certificate").cause(cause)
}

fn put(paths: &Paths, host: &Domain, now: time::OffsetDateTime, key: &KeyPair) -> Result<(), Error> {
    let certificate = make(host, now, key).map_err(|e| failed(e.to_string()))?;
    let key = key.serialize_pem();
    let wanted = Wanted::Host(host);
    let pair = Pair::assemble(certificate.as_bytes(), key.as_bytes(), &wanted, now.unix_timestamp());
    let pair = pair.map_err(|e| failed(e.to_string()))?;
    install(paths, &Change::default().serve(Place::Host, &pair))?;
    Ok(())
}

fn make(host: &Domain, now: time::OffsetDateTime, key: &KeyPair) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::new([host.to_string()])?;
    params.not_before = now - GRACE;
    // rcgen would take it from the key, and one made anew with the same key could not be told from the old one. Its
    // first bit would be a sign, and it must not be all zero (RFC 5280 §4.1.2.2).
    let mut serial: [u8; 16] = rand::random();
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_after = now + SELF_SIGNED;
    // A common name over 64 octets is not allowed (RFC 5280 appendix A.1); the alternative name has no limit.
    let name = if host.as_str().len() <= 64 { host.as_str() } else { "mailctl" };
    params.distinguished_name.push(DnType::CommonName, name);
    // No key usage: OpenSSL 1.1 takes a certificate that may not sign certificates for one that did not sign
    // itself, and clients could not be told to trust it.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params.self_signed(key)?.pem())
}

#[cfg(test)]
mod tests {
    use super::super::{Files, fingerprint, served, spki};
    use super::*;
    use crate::mail::cert::Certificate;
    use std::{fs, os::unix::fs::PermissionsExt};

    /// Proves: S1-9 (365 days, the host's name, kept afterwards; only root and mailctld read it).
    #[test]
    fn the_first_certificate_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        fs::create_dir(paths.tls()).unwrap();
        let (host, now) = (Domain::parse("mail.example.org").unwrap(), time::OffsetDateTime::now_utc());
        assert!(fingerprint(&paths).is_empty() && spki(&paths).is_empty());
        assert!(self_signed(&paths, &host, now).unwrap());
        let file = paths.certificate(&Place::Host);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o640);
        let certificate = live(&paths).unwrap().unwrap();
        assert_eq!(certificate.names, ["mail.example.org"]);
        assert_eq!(certificate.subject, "mail.example.org");
        assert_eq!((certificate.not_after - now.unix_timestamp()) / 86_400, 365);
        assert!(certificate.self_signed);
        assert_eq!(served(&paths).unwrap().len(), 1);
        let before = fs::read(&file).unwrap();
        assert!(!self_signed(&paths, &host, now).unwrap());
        assert_eq!(fs::read(&file).unwrap(), before);

        // A year later it is made anew, with the same key, before it runs out; so it is where the name changes.
        let key = spki(&paths);
        let later = |days: i64| now + time::Duration::days(days);
        assert!(!renew_self_signed(&paths, &host, later(334)).unwrap());
        assert_eq!(fs::read(&file).unwrap(), before);
        let other = Domain::parse("mx.example.org").unwrap();
        assert!(renew_self_signed(&paths, &other, now).unwrap());
        assert!(live(&paths).unwrap().unwrap().holds_for("mx.example.org"));
        assert!(renew_self_signed(&paths, &host, now).unwrap());
        assert!(renew_self_signed(&paths, &host, later(336)).unwrap());
        let renewed = live(&paths).unwrap().unwrap();
        assert!(renewed.not_after > certificate.not_after && renewed.serial != certificate.serial);
        assert_eq!(spki(&paths), key);
        let certificate = Certificate::read(&fs::read(&file).unwrap()).unwrap();
        let now = later(336);

        let served = Files { certificate: file.clone(), chain: None, key: file };
        let pair = served.pair(&Wanted::Host(&host), now.unix_timestamp()).unwrap();
        assert_eq!(pair.leaf, certificate);
    }
}
