//! The terminal lent to a program that runs elsewhere: its keys go there, its words come here.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{IsTerminal, stdin, stdout};

/// This process's terminal, or the pipes in its place.
pub struct Terminal {
    /// Whether keys and words both pass a terminal.
    pub interactive: bool,
    /// Its columns and rows.
    pub size: Option<(u16, u16)>,
}

impl Terminal {
    /// Looks at what this process is connected to.
    pub(super) fn of_this_process() -> Self {
        Self {
            interactive: stdin().is_terminal() && stdout().is_terminal(),
            size: tcgetwinsize(stdout()).ok().map(|size| (size.ws_col, size.ws_row)),
        }
    }

    /// Passes every key on, Ctrl-C too, until the answer is dropped.
    pub fn lend(&self) -> Option<Lent> {
        if !self.interactive {
            return None;
        }
        let before = tcgetattr(stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Lent(before))
    }

    /// Where the program's output and its complaints go.
    pub fn outlets(&self) -> (tokio::io::Stdout, tokio::io::Stderr) {
        (tokio::io::stdout(), tokio::io::stderr())
    }
}

/// Gives the terminal back as it was.
pub struct Lent(Termios);

impl Drop for Lent {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
