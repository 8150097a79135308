//! Dovecot's auth-policy protocol (doc.dovecot.org, "Authentication Policy"): JSON over HTTP. Before a login
//! (`?command=allow`) it asks and gets a number: negative = refuse, 0 = go on, more = so many seconds to wait; after it
//! (`?command=report`) it tells how it ended.

use crate::mail::penalty::{Attempt, Outcome, Verdict};
use serde::Deserialize;
use std::net::IpAddr;

/// The longest request taken, in octets. Dovecot sends two or three hundred.
pub const LONGEST: usize = 16 << 10;

/// Of a login's name so many characters are looked at: no address has more (RFC 5321 §4.5.3.1).
const NAME: usize = 320;

/// As it stands in the JSON. What else is there is not looked at.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    login: String,
    #[serde(default)]
    remote: String,
    #[serde(default)]
    pwhash: String,
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    policy_reject: bool,
    #[serde(default)]
    fail_type: String,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who tries what, from where.
    pub attempt: Attempt,
    /// `imap`, `pop3`, `sieve`, `smtp` …
    pub protocol: String,
    /// How it ended, where that is told.
    pub outcome: Option<Outcome>,
}

/// Reads the body of one; `None` where it is none.
pub fn request(body: &[u8]) -> Option<Request> {
    // An object; a list would be taken for its values in their order.
    let object = body.len() <= LONGEST && body.trim_ascii_start().first() == Some(&b'{');
    let body: Body = object.then(|| serde_json::from_slice(body).ok()).flatten()?;
    let remote = match body.remote.as_str() {
        // From a socket within the server.
        "" => None,
        text => Some(text.parse::<IpAddr>().ok()?.to_canonical()),
    };
    // What is listed on a terminal one day has no control characters.
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let short = |text: &str, most: usize| text.chars().take(most).map(plain).collect::<String>();
    let outcome = body.success.map(|success| match (success, body.fail_type.as_str()) {
        _ if body.policy_reject => Outcome::Other,
        (true, _) => Outcome::Good,
        // The directory could not be read, or an account was found and is not to be used: nobody guessed.
        (false, "internal" | "policy" | "expired" | "disabled") => Outcome::Other,
        (false, _) => Outcome::Wrong,
    });
    let attempt = Attempt {
        account: short(body.login.trim(), NAME).to_lowercase(),
        remote,
        secret: Some(short(&body.pwhash, 128)).filter(|hash| !hash.is_empty()),
    };
    Some(Request { attempt, protocol: short(&body.protocol, 16), outcome })
}

/// The answer to `allow`. The words are shown to the person who is refused.
pub fn reply(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => r#"{"status":0,"msg":""}"#.to_owned(),
        Verdict::Delay(seconds) => format!(r#"{{"status":{seconds},"msg":""}}"#),
        Verdict::Refuse(_) => r#"{"status":-1,"msg":"too many wrong passwords, try again later"}"#.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Proves: what Dovecot 2.4.1 sends is read, before a login and after it.
    #[test]
    fn dovecots_own_words_are_read() {
        let allow = br#"{"device_id":"","fail_type":"","login":"Ann@Example.org","protocol":"imap","pwhash":"062e","remote":"::ffff:192.0.2.7","session_id":"TmRrAs5gXq6sEQAB","tls":false}"#;
        let asked = request(allow).unwrap();
        assert_eq!(asked.attempt.account, "ann@example.org");
        assert_eq!(asked.attempt.remote, Some("192.0.2.7".parse().unwrap()));
        assert_eq!((asked.attempt.secret.as_deref(), asked.outcome), (Some("062e"), None));
        let report = |rest: &str| {
            let text =
                format!(r#"{{"login":"a","protocol":"smtp","pwhash":"0","remote":"2001:db8::1",{rest}}}"#);
            request(text.as_bytes()).unwrap().outcome
        };
        for (rest, outcome) in [
            (r#""fail_type":"","success":true,"policy_reject":false"#, Outcome::Good),
            (r#""fail_type":"credentials","success":false,"policy_reject":false"#, Outcome::Wrong),
            (r#""fail_type":"account","success":false"#, Outcome::Wrong),
            (r#""fail_type":"policy","success":false,"policy_reject":true"#, Outcome::Other),
            (r#""fail_type":"internal","success":false,"policy_reject":false"#, Outcome::Other),
        ] {
            assert_eq!(report(rest), Some(outcome), "{rest}");
        }
    }

    #[test]
    fn nonsense_is_none() {
        let long = format!(r#"{{"login":"{}"}}"#, "a".repeat(LONGEST));
        for text in ["", "[]", "{", r#"{"remote":"nowhere"}"#, r#"{"login":5}"#, long.as_str()] {
            assert_eq!(request(text.as_bytes()), None, "{text:.40}");
        }
        let empty = request(b"{}").unwrap();
        assert_eq!((empty.attempt.account.as_str(), empty.attempt.remote), ("", None));
    }

    proptest! {
        #[test]
        fn any_login_is_survived(login in any::<String>(), hash in any::<String>()) {
            let text = serde_json::json!({"login": login, "pwhash": hash, "remote": "192.0.2.7"}).to_string();
            let asked = request(text.as_bytes()).unwrap();
            prop_assert!(asked.attempt.account.chars().count() <= 3 * NAME);
            prop_assert!(!asked.attempt.account.contains(char::is_control));
        }
    }
}
