//! Whether the distribution has newer packages: asked inside the image, remembered in the home.

use super::{World, atomic};
use crate::{
    error::{Error, codes},
    plan::upgrade::Checked,
};
use std::{process::Stdio, time::Duration};
use tokio::process::Command;

/// A mirror that answers at all has sent its lists by then.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Between two tries of a timer where mirrors are out of reach.
const AGAIN: Duration = Duration::from_secs(3600);

/// Asks apt, inside the image: what it would install, in its own words. Its folders are in memory, and it stays
/// the user that it is, for it has no capability to become another.
pub async fn simulate() -> Result<String, Error> {
    const QUIET: &[&str] = &["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"];
    apt(&[QUIET, &["-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=2", "update"]].concat())
        .await?;
    apt(&[QUIET, &["--simulate", "dist-upgrade"]].concat()).await
}

async fn apt(arguments: &[&str]) -> Result<String, Error> {
    let fail = |cause: String| Error::new(codes::UPDATE_UNKNOWN, "apt cannot tell").cause(cause);
    let output = Command::new("apt-get")
        .args(arguments)
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|e| fail(format!("apt-get: {e}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let grave = said.lines().find(|line| line.starts_with("E: ")).or(said.lines().next());
    Err(fail(grave.unwrap_or("it ended without a word").to_owned()))
}

impl World {
    /// What the last check found; `None` where there was none that can be read.
    pub fn last_update_check(&self) -> Option<Checked> {
        serde_json::from_slice(&std::fs::read(self.paths.update_check()).ok()?).ok()
    }

    /// Whether the mirrors could not be asked within the last hour: they need not be asked again yet.
    pub fn update_check_failed_lately(&self) -> bool {
        let tried = std::fs::metadata(self.paths.update_try()).and_then(|data| data.modified());
        tried.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < AGAIN))
    }

    /// Remembers that they could not be asked just now.
    pub fn note_failed_update_check(&self) -> Result<(), Error> {
        atomic::write(&self.paths.update_try(), b"", atomic::PRIVATE)
    }

    /// Remembers it, where there is a home.
    pub fn note_update_check(&self, checked: &Checked) -> Result<(), Error> {
        if !self.paths.state().is_dir() {
            return Ok(());
        }
        let text = serde_json::to_vec(checked)
            .map_err(|e| Error::new(codes::BUG, "cannot write down what was found").cause(e))?;
        atomic::write(&self.paths.update_check(), &text, atomic::PRIVATE)
    }
}
