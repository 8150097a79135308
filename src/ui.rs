//! The only place that prints: data on stdout, words on stderr, meaning never by colour alone.

mod ask;
mod call;
pub mod listing;
mod page;
mod progress;
mod stamp;
mod terminal;

pub use call::Call;
pub use page::{Page, Tone};
pub use progress::Progress;
pub use terminal::Terminal;

use crate::error::Error;
use std::io::{self, IsTerminal, Write};

/// How the person wants to be spoken to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Data as JSON.
    pub json: bool,
    /// Only results and errors.
    pub quiet: bool,
    /// Never ask.
    pub yes: bool,
}

/// The person at the terminal, or the program reading it.
pub struct Ui {
    manner: Manner,
    call: Call,
    /// Set when stdout's reader has gone (`mailctl user list | head`): nothing more to say, and no fault.
    closed: bool,
    /// Set when JSON was written: a reader expects one document, so an error after it is told in words only.
    documented: bool,
    /// Words carry the time: they go to a log.
    stamped: bool,
}

impl Ui {
    /// A voice on this process's stdout and stderr.
    pub fn new(manner: Manner) -> Self {
        Self { manner, call: Call::default(), closed: false, documented: false, stamped: false }
    }

    /// The same, for a command line that names home or project.
    #[must_use]
    pub fn called(mut self, call: Call) -> Self {
        self.call = call;
        self
    }

    /// For a command that services run: from here on words that no terminal shows carry the time. Whether they
    /// do.
    pub fn log_times(&mut self) -> bool {
        self.stamped = !io::stderr().is_terminal();
        self.stamped
    }

    /// How to speak.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// Whether a question can be asked at all.
    pub fn can_ask(&self) -> bool {
        !self.manner.yes && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// One line of data on stdout.
    pub fn data(&mut self, line: impl AsRef<str>) {
        self.write(&format!("{}\n", line.as_ref()));
    }

    /// A block of data on stdout, exactly as given.
    pub fn write(&mut self, text: &str) {
        if !self.closed && io::stdout().lock().write_all(text.as_bytes()).is_err() {
            self.closed = true;
        }
    }

    /// Whether the reader of stdout has gone; long listings stop here.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// A value as JSON on stdout, one line.
    pub fn json(&mut self, value: &impl serde::Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.documented = true;
            self.data(text);
        }
    }

    /// Words for the person: progress, results, what comes next.
    pub fn say(&mut self, line: impl AsRef<str>) {
        if !self.manner.quiet {
            let _ = writeln!(io::stderr().lock(), "{}{}", self.stamp(), self.call.typed(line.as_ref()));
        }
    }

    fn stamp(&self) -> String {
        if self.stamped { stamp::now() } else { String::new() }
    }

    /// Where a log goes: stdout, for whoever runs us to keep.
    pub fn log(&self) -> impl Write + Send + 'static {
        io::stdout()
    }

    /// The terminal, to lend it to a program.
    pub fn terminal(&self) -> Terminal {
        Terminal::of_this_process()
    }

    /// Begins to show the progress of something that takes a while.
    pub fn progress(&self) -> Progress {
        Progress::new(self.manner, self.stamped)
    }

    /// Something that works but should not stay so.
    pub fn warn(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(io::stderr().lock(), "{}warning: {}", self.stamp(), self.call.typed(line.as_ref()));
    }

    /// The end of a command that failed.
    pub fn fail(&mut self, error: &Error) {
        let hints: Vec<_> = error.hints().iter().map(|hint| self.call.typed(hint)).collect();
        if self.manner.json && !self.documented {
            self.json(&serde_json::json!({"error": {
                "code": error.code().name, "what": error.what(), "causes": error.causes(), "hints": hints,
            }}));
        }
        let mut out = io::stderr().lock();
        let _ = writeln!(out, "error[{}]: {}", error.code().name, error.what());
        for cause in error.causes() {
            let _ = writeln!(out, "  because: {cause}");
        }
        for hint in hints {
            let _ = writeln!(out, "  try: {hint}");
        }
    }
}
