//! Challenges of ACME that `mailctl cert` laid down: `http-01/TOKEN` (RFC 8555 §8.3) and `tls-alpn-01/NAME.pem`
//! (RFC 8737). A name that could be a path is none, links are not followed, and nothing else there is ever read.

use crate::mail::address::Domain;
use rustix::fs::{Mode, OFlags, open};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Where a validator asks.
pub const PREFIX: &str = "/.well-known/acme-challenge/";

/// The longest token (RFC 8555 §8.1 wants 128 bits, which are 22 characters; the longest in use have 43).
const TOKEN: usize = 128;
/// A key authorization is a token, a dot and 43 characters.
const AUTHORIZATION: u64 = TOKEN as u64 + 64;
/// A certificate of one name with its key.
const CERTIFICATE: u64 = 16 << 10;

/// What `mailctl cert` answers for `token`.
pub async fn authorization(folder: &Path, token: &str) -> Option<Vec<u8>> {
    // RFC 8555 §8.3: the base64url alphabet, so neither dots nor slashes.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=TOKEN).contains(&token.len()) || !token.bytes().all(fits) {
        return None;
    }
    read(folder.join("http-01").join(token), AUTHORIZATION).await
}

/// The certificate that proves to a validator that `name` is ours, with its key.
pub async fn certificate(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let name = Domain::parse(name).ok()?;
    read(folder.join("tls-alpn-01").join(format!("{name}.pem")), CERTIFICATE).await
}

async fn read(path: PathBuf, most: u64) -> Option<Vec<u8>> {
    // A disk can hang, and takes then one thread of those that may, not those that answer Postfix.
    tokio::task::spawn_blocking(move || whole(&path, most)).await.ok().flatten()
}

/// A plain file of at most `most` octets.
fn whole(path: &Path, most: u64) -> Option<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content).ok()?;
    (u64::try_from(content.len()).ok()? <= most).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    /// Proves: threats 26 (challenge path abused: tokens only, no traversal), 10.
    #[tokio::test]
    async fn tokens_are_read_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        for part in ["http-01", "tls-alpn-01", "http-01/folder"] {
            fs::create_dir(folder.join(part)).unwrap();
        }
        fs::write(folder.join("secret"), "secret").unwrap();
        fs::write(folder.join("http-01/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"), "token.print").unwrap();
        fs::write(folder.join("http-01/long"), "x".repeat(5000)).unwrap();
        fs::write(folder.join("http-01/.new-half"), "half").unwrap();
        symlink("../secret", folder.join("http-01/link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("http-01/pipe"), Mode::RWXU).unwrap();
        let found = authorization(folder, "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA").await;
        assert_eq!(found.as_deref(), Some(&b"token.print"[..]));
        let tokens = [
            "",
            ".",
            "..",
            "../secret",
            "link",
            "long",
            "folder",
            "pipe",
            ".new-half",
            "a/b",
            "a\0b",
            "none",
        ];
        for token in tokens.into_iter().chain([&*"a".repeat(129)]) {
            assert_eq!(authorization(folder, token).await, None, "{token:?}");
        }
        fs::write(folder.join("tls-alpn-01/example.org.pem"), "pem").unwrap();
        assert_eq!(certificate(folder, "Example.org").await.as_deref(), Some(&b"pem"[..]));
        for name in ["", "..", "../secret", "example.net", "localhost"] {
            assert_eq!(certificate(folder, name).await, None, "{name:?}");
        }
    }
}
