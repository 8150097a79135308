//! Secrets of SRS: `keys/srs/secrets`, 0640 root:mailctl, in postsrsd's own form: one to a line, the first one signs, the
//! others are still believed. Where they are lost, no bounce to an address made with them finds its way back.

use crate::{
    error::{Error, codes},
    mail::srs::{Secrets, WINDOW, lines},
    render::ids,
    world::{atomic, io_error, paths::Paths},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use std::{
    fs,
    io::ErrorKind,
    time::{Duration, SystemTime},
};

/// Makes the first secret, where there is none; whether that was so.
pub fn ensure(paths: &Paths) -> Result<bool, Error> {
    if read(paths)?.is_some() {
        return Ok(false);
    }
    write(paths, &[made()])?;
    Ok(true)
}

/// The secrets; `None` where there are none yet.
pub fn read(paths: &Paths) -> Result<Option<Secrets>, Error> {
    let text = text(paths)?;
    text.map(|text| Secrets::parse(&text).map_err(|e| unusable(paths, e))).transpose()
}

fn text(paths: &Paths) -> Result<Option<Vec<u8>>, Error> {
    let file = paths.srs_secrets();
    match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).map_err(|e| io_error("read", &file, &e)),
    }
}

/// A line each, the one that signs first.
fn stored(paths: &Paths) -> Result<Vec<Vec<u8>>, Error> {
    let text = text(paths)?.unwrap_or_default();
    Ok(lines(&text).map(<[u8]>::to_vec).collect())
}

/// A new secret signs from now on. Believed stays whatever can have signed an address that is still good: the one that
/// signed until now, and where the file was changed within the time for which addresses are good, all others in it. How
/// many are believed then, the new one included.
pub fn rotate(paths: &Paths, now: SystemTime) -> Result<usize, Error> {
    let file = paths.srs_secrets();
    let mut secrets = stored(paths)?;
    let changed = fs::metadata(&file).and_then(|data| data.modified()).ok();
    let age = changed.and_then(|changed| now.duration_since(changed).ok()).unwrap_or_default();
    if age > Duration::from_secs(86_400 * u64::from(WINDOW + 1)) {
        secrets.truncate(1);
    }
    secrets.insert(0, made());
    write(paths, &secrets)?;
    Ok(secrets.len())
}

/// Takes over the secrets of another server, from the text of a file as postsrsd has it. They are believed from now on; one
/// of ours goes on signing. How many are new.
pub fn import(paths: &Paths, text: &[u8]) -> Result<usize, Error> {
    ensure(paths)?;
    let mut secrets = stored(paths)?;
    let before = secrets.len();
    for line in lines(text) {
        if !secrets.iter().any(|known| known == line) {
            secrets.push(line.to_vec());
        }
    }
    if secrets.len() > before {
        write(paths, &secrets)?;
    }
    Ok(secrets.len() - before)
}

/// 256 bits.
fn made() -> Vec<u8> {
    STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>()).into_bytes()
}

fn write(paths: &Paths, secrets: &[Vec<u8>]) -> Result<(), Error> {
    Secrets::of(secrets.iter().map(Vec::as_slice)).map_err(|e| unusable(paths, e))?;
    if let Some(keys) = paths.srs().parent() {
        atomic::folder(keys, atomic::shared(0o750, 0))?;
    }
    atomic::folder(&paths.srs(), atomic::shared(0o750, ids::MAILCTL))?;
    let mut text = secrets.join(&b'\n');
    text.push(b'\n');
    atomic::write(&paths.srs_secrets(), &text, atomic::shared(0o640, ids::MAILCTL))
}

fn unusable(paths: &Paths, cause: impl std::fmt::Display) -> Error {
    let file = paths.srs_secrets();
    Error::new(codes::SRS_UNUSABLE, format!("{} cannot be used", file.display()))
        .cause(format!("it {cause}"))
        .hint("mailctl restore --only keys FILE brings back that of a backup")
        .hint(format!(
            "rm {}, and mailctl up makes a new one: bounces to older addresses are lost",
            file.display()
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{
        address::Domain,
        srs::{Day, Srs},
    };
    use std::os::unix::fs::PermissionsExt;

    fn home() -> (tempfile::TempDir, Paths) {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        (home, paths)
    }

    fn srs(paths: &Paths) -> Srs {
        Srs::new(read(paths).unwrap().unwrap())
    }

    fn days_on(days: u64) -> SystemTime {
        SystemTime::now() + Duration::from_secs(days * 86_400)
    }

    /// Proves: threats 6, 16 (made once, for mailctld alone to read; two generations, and none is dropped too early).
    #[test]
    fn a_secret_is_made_once_and_the_last_one_is_still_believed() {
        let (_home, paths) = home();
        assert!(read(&paths).unwrap().is_none());
        assert!(ensure(&paths).unwrap());
        assert!(!ensure(&paths).unwrap());
        let mode = fs::metadata(paths.srs_secrets()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert_eq!(super::super::check(&paths), []);
        let (domain, today) = (Domain::parse("example.org").unwrap(), Day::at(0));
        let first = srs(&paths).encode("ann@example.net", &domain, today).unwrap();
        let taken = || srs(&paths).decode(first.split_once('@').unwrap().0, today).is_ok();
        assert_eq!(rotate(&paths, days_on(400)).unwrap(), 2);
        assert!(taken());
        // Within the window nothing is dropped, after it the one before the last.
        assert_eq!(rotate(&paths, days_on(5)).unwrap(), 3);
        assert!(taken());
        assert_eq!(rotate(&paths, days_on(23)).unwrap(), 2);
        assert!(!taken());
    }

    /// Proves: threat 4 (a migrated secret keeps decoding).
    #[test]
    fn another_servers_secrets_are_believed_and_ours_signs() {
        let (_home, paths) = home();
        assert_eq!(import(&paths, b"theirs\r\n\nolder\n").unwrap(), 2);
        assert_eq!(import(&paths, b"older\ntheirs").unwrap(), 0);
        let (domain, today) = (Domain::parse("example.org").unwrap(), Day::at(0));
        let theirs = Srs::new(Secrets::parse(b"theirs").unwrap());
        let made = theirs.encode("ann@example.net", &domain, today).unwrap();
        assert!(srs(&paths).decode(made.split_once('@').unwrap().0, today).is_ok());
        assert_ne!(srs(&paths).encode("ann@example.net", &domain, today).unwrap(), made);
        // More than are ever believed, and nothing changes.
        let many: String = (0..20).map(|number| format!("secret{number}\n")).collect();
        assert_eq!(import(&paths, many.as_bytes()).unwrap_err().code(), codes::SRS_UNUSABLE);
        assert_eq!(stored(&paths).unwrap().len(), 3);
        fs::write(paths.srs_secrets(), "\n").unwrap();
        assert_eq!(ensure(&paths).unwrap_err().code(), codes::SRS_UNUSABLE);
    }
}
