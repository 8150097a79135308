//! The real programs look at a configuration before it goes live. Runs inside the image.

use crate::render;
use std::{fs, os::unix::net::UnixDatagram, path::Path, process::Stdio};
use tokio::process::Command;

/// What a program said of its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which program.
    pub program: &'static str,
    /// Whether it would run with it.
    pub accepted: bool,
    /// What it complains about; a program that accepts can still warn.
    pub complaints: Vec<String>,
}

/// Asks all of them at once.
pub async fn verdicts() -> Vec<Verdict> {
    let ((postfix, smtpd), unused, dovecot, opendkim, second) = tokio::join!(
        // One after the other: the check complains about folders of the queue that another made.
        async { (ask("postfix", &["check"]).await, smtpd().await) },
        ask("postconf", &["-n"]),
        ask("doveconf", &["-n", "-c", "/etc/dovecot/dovecot.conf"]),
        ask("opendkim", &["-n", "-x", "/etc/mailctl/current/opendkim/opendkim.conf"]),
        // The one that signs with Ed25519, where a domain does.
        async {
            let conf = format!("/etc/mailctl/current/{}", render::ED25519_CONF);
            if Path::new(&conf).exists() { Some(ask("opendkim", &["-n", "-x", &conf]).await) } else { None }
        },
    );
    [postfix, smtpd, unused, dovecot, opendkim].into_iter().chain(second).collect()
}

/// `postfix check` does not look at most values; an smtpd does, when it starts. On its own (`-S`) it speaks to
/// its standard input, here nobody, and reports to the socket where Postfix's log daemon would listen.
async fn smtpd() -> Verdict {
    // A queue folder of its own: in the real one the real log daemon may listen. Without TLS, whose state
    // another daemon would keep.
    let log = fs::create_dir_all(format!("{QUEUE}/public"))
        .and_then(|()| UnixDatagram::bind(format!("{QUEUE}/public/postlog")));
    let own = format!("queue_directory={QUEUE}");
    let plain = ["-S", "-o", &own, "-o", "smtpd_tls_security_level=none", "-o", "smtpd_tls_auth_only=no"];
    let verdict = ask("/usr/lib/postfix/sbin/smtpd", &plain).await;
    let mut complaints = verdict.complaints;
    if let Ok(log) = log
        && log.set_nonblocking(true).is_ok()
    {
        let mut line = [0; 4096];
        while let Ok(length) = log.recv(&mut line) {
            let text = String::from_utf8_lossy(&line[..length]);
            let grave = ["fatal: ", "error: ", "warning: ", "panic: "]
                .iter()
                .find_map(|word| text.find(word))
                .filter(|_| !ALONE.iter().any(|words| text.contains(words)));
            complaints.extend(grave.map(|at| format!("smtpd: {}", text[at..].trim())));
        }
    }
    let refused = complaints.iter().any(|line| line.contains("fatal: ") || line.contains("panic: "));
    Verdict { program: "smtpd", accepted: verdict.accepted && !refused, complaints }
}

/// What an smtpd says only because the rest of Postfix does not run beside it.
const ALONE: &[&str] = &["private/tlsmgr", "no entropy for TLS key generation"];

/// Where that smtpd believes its queue to be.
const QUEUE: &str = "/tmp/queue";

async fn ask(program: &'static str, args: &[&str]) -> Verdict {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .output();
    match output.await {
        Ok(output) => judge(program, output.status.success(), &String::from_utf8_lossy(&output.stderr)),
        Err(error) => Verdict { program, accepted: false, complaints: vec![error.to_string()] },
    }
}

/// A line that says `fatal` or `error` is a refusal even from a program that ends with 0.
fn judge(program: &'static str, success: bool, stderr: &str) -> Verdict {
    let complaints: Vec<String> = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.ends_with("settings OK"))
        .map(str::to_owned)
        .collect();
    let refused = complaints.iter().any(|line| line.contains("fatal: ") || line.contains("error: "));
    Verdict { program, accepted: success && !refused, complaints }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fatal_line_refuses_and_a_warning_does_not() {
        let verdict =
            judge("postconf", true, "postconf: warning: /etc/postfix/main.cf: unused parameter: a=b\n");
        assert!(verdict.accepted && verdict.complaints.len() == 1);
        assert!(!judge("postfix", true, "postfix: fatal: bad numerical configuration: x = y\n").accepted);
        assert!(!judge("doveconf", false, "doveconf: Fatal: Error in configuration file\n").accepted);
    }
}
