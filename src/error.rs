//! What a person reads when something did not work: a stable code, the cause, and the next command.

pub mod codes;

use std::fmt;

/// Exit statuses: `sysexits.h`, and 1 for "checked, and found wanting".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something was checked and is not as it should be.
    Wanting = 1,
    /// The command line is wrong (`EX_USAGE`).
    Usage = 64,
    /// Input data is wrong (`EX_DATAERR`).
    Data = 65,
    /// Something needed is not there (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// A fault of mailctl's own (`EX_SOFTWARE`).
    Bug = 70,
    /// Reading or writing failed (`EX_IOERR`).
    Io = 74,
    /// Trying again later may work (`EX_TEMPFAIL`).
    Again = 75,
    /// Not allowed (`EX_NOPERM`).
    NoPermission = 77,
    /// The settings are wrong (`EX_CONFIG`).
    Settings = 78,
    /// A command cannot be executed, as shells tell it.
    NotExecutable = 126,
    /// There is no such command, as shells tell it.
    NotFound = 127,
}

/// One kind of failure: its stable name, its exit status, and its paragraph in `mailctl help errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable, dotted: `store.locked`.
    pub name: &'static str,
    /// The process's exit status.
    pub exit: Exit,
    /// What it means and what to do, for the manual.
    pub manual: &'static str,
}

/// A failure as it is told to a person. Never holds a secret.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    what: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    /// `what` names the thing: "user a@example.org already exists".
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Adds why it happened.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what to do next, best as a command to type.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What failed, in one line.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why, from the nearest cause to the farthest.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for Error {}
