//! The OpenDKIMs: which should run, and how each is told.

use crate::{
    error::{Error, codes},
    render::{self, ids},
    world::io_error,
};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The live configuration, as the container sees it.
const CURRENT: &str = "/etc/mailctl/current";
/// Name in the log, and configuration; the first always runs, another while it has one.
const PROGRAMS: [(&str, &str); 2] =
    [("opendkim", "opendkim/opendkim.conf"), ("opendkim-ed25519", render::ED25519_CONF)];
/// How long one that is not wanted any more goes on: Postfix asks it until it has read that as well.
const FAREWELL: Duration = Duration::from_secs(10);

/// All children.
#[derive(Default)]
pub struct Crew {
    children: Vec<Child>,
    stopping: bool,
}

struct Child {
    pid: Pid,
    program: usize,
    /// Is still to be told that its configuration is another.
    reload: bool,
    /// Is to end then.
    until: Option<Instant>,
    /// Was told to end.
    ending: bool,
}

impl Crew {
    /// Starts what should run and does not.
    pub fn muster(&mut self) -> Result<(), Error> {
        for program in (0..PROGRAMS.len()).filter(|&program| wanted(program)) {
            if !self.stopping && !self.children.iter().any(|child| child.program == program) {
                self.children.push(start(program)?);
            }
        }
        Ok(())
    }

    /// After a switch to another configuration: each reads it anew, comes, or goes.
    pub fn reload(&mut self) -> Result<(), Error> {
        for child in &mut self.children {
            if wanted(child.program) {
                (child.reload, child.until) = (true, None);
            } else {
                child.until.get_or_insert(Instant::now() + FAREWELL);
            }
        }
        self.muster()?;
        self.go_on();
        Ok(())
    }

    /// Tells all of them to end.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.children.iter_mut().for_each(Child::end);
    }

    /// Whether all have ended that were told to.
    pub fn is_gone(&self) -> bool {
        self.stopping && self.children.is_empty()
    }

    /// Whether [`Crew::go_on`] has something to do, now or later.
    pub fn waits(&self) -> bool {
        self.children.iter().any(|child| child.reload || child.until.is_some() && !child.ending)
    }

    /// Does what was to wait until now.
    pub fn go_on(&mut self) {
        for child in &mut self.children {
            // A signal that it is not ready for would end it.
            if child.reload && expects(child.pid, Signal::USR1) {
                let _ = kill_process(child.pid, Signal::USR1);
                child.reload = false;
            }
            if child.until.is_some_and(|until| until <= Instant::now()) && !child.ending {
                child.end();
            }
        }
    }

    /// Takes note of every process that has ended, also of those that were left to us.
    pub fn reap(&mut self) -> Result<(), Error> {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let Some(at) = self.children.iter().position(|child| child.pid == pid) else { continue };
            let child = self.children.swap_remove(at);
            if !child.ending {
                return Err(ended(child.program, status));
            }
        }
        // One that is wanted again since it was told to end.
        self.muster()
    }
}

impl Child {
    fn end(&mut self) {
        self.ending = true;
        let _ = kill_process(self.pid, Signal::TERM);
    }
}

fn conf(program: usize) -> PathBuf {
    Path::new(CURRENT).join(PROGRAMS[program].1)
}

fn wanted(program: usize) -> bool {
    program == 0 || conf(program).exists()
}

/// As its own user; group and further groups are ours already. Giving root up takes every capability with it.
fn start(program: usize) -> Result<Child, Error> {
    let child = Command::new("opendkim")
        .arg0(PROGRAMS[program].0)
        .args(["-f", "-x"])
        .arg(conf(program))
        .uid(ids::OPENDKIM)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|e| io_error("start", Path::new("opendkim"), &e))?;
    Ok(Child { pid: Pid::from_child(&child), program, reload: false, until: None, ending: false })
}

/// Whether a process is ready for a signal: it handles it, or keeps it back for a thread that waits for it, as
/// OpenDKIM does (proc_pid_status(5): SigCgt and SigBlk, bit 0 is signal 1).
fn expects(pid: Pid, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
    let masks =
        status.lines().filter_map(|line| line.strip_prefix("SigCgt:").or(line.strip_prefix("SigBlk:")));
    let expected =
        masks.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok()).fold(0, |all, mask| all | mask);
    expected >> (signal.as_raw() - 1) & 1 == 1
}

fn ended(program: usize, status: WaitStatus) -> Error {
    let how = match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => format!("with status {status}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "for no reason that is known".to_owned(),
    };
    Error::new(codes::PROGRAM_ENDED, format!("{} ended {how}", PROGRAMS[program].0))
        .hint("mailctl config check")
}
