//! The real programs look at a configuration before it goes live. Runs inside the image.

use std::process::Stdio;
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
    let (postfix, unused, dovecot, opendkim) = tokio::join!(
        ask("postfix", &["check"]),
        ask("postconf", &["-n"]),
        ask("doveconf", &["-n", "-c", "/etc/dovecot/dovecot.conf"]),
        ask("opendkim", &["-n", "-x", "/etc/mailctl/current/opendkim/opendkim.conf"]),
    );
    vec![postfix, unused, dovecot, opendkim]
}

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
