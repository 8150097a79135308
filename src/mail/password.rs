//! Passwords: made, judged and hashed the way Dovecot verifies them. Randomness comes in as a value.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, phc::PasswordHash},
};

/// Octets of randomness in a generated password: 160 bits.
pub const RANDOM: usize = 20;

/// Octets of a hash's salt.
pub const SALT: usize = 16;

/// Shortest password that is taken from a person.
const SHORTEST: usize = 8;

/// Longest: Dovecot's and most clients' lines end somewhere.
const LONGEST: usize = 256;

/// Without `l`, `1`, `0`, `o`, which people mix up: 32 characters, five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The hash of nobody's password, which takes as long to check as one of [`hash`]: the digest is zeros, and to find what
/// leads to it means 2^256 tries. Dovecot checks against it who logs in under a name that nobody has.
pub const NOBODYS: &str = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                           AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Known to everybody: the passwords that other mail servers' examples ship with.
const KNOWN: &[&str] = &[
    "adminpass123",
    "relaypass123",
    "userpass123",
    "testpass123",
    "password",
    "password1",
    "password123",
    "passw0rd",
    "changeme",
    "changeit",
    "letmein1",
    "qwertyui",
    "12345678",
    "123456789",
    "1234567890",
    "mailserver",
    "postmaster",
];

/// Why a password is not taken; one clear line, never with the password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Under [`SHORTEST`].
    #[error("it is shorter than 8 characters")]
    Short,
    /// Over [`LONGEST`].
    #[error("it is longer than 256 octets")]
    Long,
    /// Line ends and other control characters do not survive SASL or a file.
    #[error("it holds a line end or another control character")]
    Control,
    /// On the list of every guesser.
    #[error("it is one of the passwords that everybody tries first")]
    Known,
    /// Tried right after those.
    #[error("it is the user's own name")]
    OwnName,
}

/// A new password: 32 characters in groups of eight, 160 bits.
pub fn generate(random: [u8; RANDOM]) -> String {
    let bits = random.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let letters: Vec<u8> = bits
        .chunks_exact(5)
        .filter_map(|five| ALPHABET.get(five.iter().fold(0, |number, bit| number << 1 | usize::from(*bit))))
        .copied()
        .collect();
    letters.chunks(8).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// Whether `password` may be the one of `login`.
pub fn judge(password: &str, login: &str) -> Result<(), Weak> {
    if password.chars().any(char::is_control) {
        return Err(Weak::Control);
    }
    if password.chars().count() < SHORTEST {
        return Err(Weak::Short);
    }
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    let folded = password.to_lowercase();
    if KNOWN.contains(&folded.as_str()) {
        return Err(Weak::Known);
    }
    if folded == login || login.split('@').any(|part| part == folded) {
        return Err(Weak::OwnName);
    }
    Ok(())
}

/// `{ARGON2ID}…` with 64 MiB, three passes, one lane: what Dovecot's `passdb sql` reads.
/// `None` only where memory is too short for it.
pub fn hash(password: &str, salt: [u8; SALT]) -> Option<String> {
    let params = Params::new(65_536, 3, 1, None).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(format!("{{ARGON2ID}}{hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordVerifier;

    /// Proves: S4-16 (at least 128 bits), threat 14.
    #[test]
    fn generated_passwords_carry_all_their_randomness() {
        let password = generate([0xff; RANDOM]);
        assert_eq!(password, "99999999-99999999-99999999-99999999");
        let mut one = [0; RANDOM];
        one[RANDOM - 1] = 1;
        assert_ne!(generate(one), generate([0; RANDOM]));
        assert_eq!(password.bytes().filter(|b| *b != b'-').count() * 5, 160);
        assert_eq!(judge(&password, "ann@example.org"), Ok(()));
    }

    /// Proves: threat 14 (the known default passwords are refused).
    #[test]
    fn weak_passwords_are_refused() {
        let judge = |password: &str| judge(password, "ann.lee@example.org");
        for (password, why) in [
            ("", Weak::Short),
            ("1234567", Weak::Short),
            ("adminpass123", Weak::Known),
            ("AdminPass123", Weak::Known),
            ("relaypass123", Weak::Known),
            ("userpass123", Weak::Known),
            ("ann.lee@example.org", Weak::OwnName),
            ("example.org", Weak::OwnName),
            ("two\nlines of it", Weak::Control),
            ("nul\0nul\0nul", Weak::Control),
        ] {
            assert_eq!(judge(password), Err(why), "{password:?}");
        }
        assert_eq!(judge(&"x".repeat(257)), Err(Weak::Long));
        assert_eq!(judge("correct horse"), Ok(()));
    }

    #[test]
    fn the_hash_is_what_dovecot_reads() {
        let hash = hash("correct horse", [7; SALT]).unwrap();
        assert!(hash.starts_with("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$"), "{hash}");
        let phc = hash.strip_prefix("{ARGON2ID}").unwrap();
        Argon2::default().verify_password(b"correct horse", phc).unwrap();
        assert!(Argon2::default().verify_password(b"wrong horse", phc).is_err());
    }

    /// Proves: threats 29 (time): what is checked where there is no login is as dear as what is checked where there is one.
    #[test]
    fn nobodys_hash_costs_what_every_hash_costs() {
        let shape = |hash: &str| {
            let parts: Vec<&str> = hash.split('$').collect();
            (parts[..4].join("$"), parts[4].len(), parts[5].len())
        };
        assert_eq!(shape(NOBODYS), shape(&hash("correct horse", [7; SALT]).unwrap()));
        let phc = NOBODYS.strip_prefix("{ARGON2ID}").unwrap();
        let checked = Argon2::default().verify_password(b"correct horse", phc);
        assert_eq!(checked, Err(argon2::password_hash::Error::PasswordInvalid));
    }
}
