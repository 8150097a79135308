//! systemd, asked and told through `systemctl`: its one interface that every release has.

use super::io_error;
use crate::error::{Error, codes};
use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

/// What systemd knows of a unit: property and value, as `systemctl show` prints them.
pub type Properties = BTreeMap<String, String>;

/// An answer takes milliseconds; a start waits until the stack is up.
const PATIENCE: Duration = Duration::from_secs(120);

/// The systemd that runs this host.
pub struct Systemd(());

impl Systemd {
    /// The one of this host (sd_booted(3)).
    pub fn here() -> Result<Self, Error> {
        if Path::new("/run/systemd/system").is_dir() {
            return Ok(Self(()));
        }
        Err(Error::new(codes::BOOT_NO_SYSTEMD, "systemd does not run this host")
            .cause("there is no /run/systemd/system")
            .hint("let your init system run, at boot and after the engine: mailctl up")
            .hint("and a timer of yours, every quarter of an hour: mailctl maintain"))
    }

    /// Its release.
    pub async fn version(&self) -> Option<u32> {
        // `systemd 257 (257.9-1~deb13u1)`, and a line of what it was built with.
        let said = self.run(&["--version"]).await.ok()?;
        said.split_whitespace().nth(1)?.split(['.', '~', '-']).next()?.parse().ok()
    }

    /// Tells it something; what it says.
    pub async fn run(&self, words: &[&str]) -> Result<String, Error> {
        let doing = format!("systemctl {}", words.join(" "));
        let running = Command::new("systemctl")
            .args(["--no-pager", "--no-ask-password"])
            .args(words)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("SYSTEMD_COLORS", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let failed = |cause: &str| Error::new(codes::BOOT_REFUSED, format!("{doing} failed")).cause(cause);
        let ended = tokio::time::timeout(PATIENCE, running).await;
        let output = ended
            .map_err(|_| failed("systemd did not answer in time").hint("systemctl list-jobs"))?
            .map_err(|e| io_error("run", Path::new("systemctl"), &e))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let error =
            lines.take(5).fold(Error::new(codes::BOOT_REFUSED, format!("{doing} failed")), Error::cause);
        Err(match words.last().filter(|last| last.contains('.')) {
            Some(unit) => error.hint(format!("journalctl -u {unit} -n 50")),
            None => error,
        })
    }

    /// What it knows of a unit; also of one that does not exist (`LoadState=not-found`). Times are in UTC.
    pub async fn show(&self, unit: &str) -> Result<Properties, Error> {
        let said = self.run(&["show", unit]).await?;
        let pairs = said.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
