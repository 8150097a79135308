//! Progress of something that takes a while: one line that moves on a terminal, plain lines elsewhere.

use super::{Manner, stamp};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// A bar on stderr; it vanishes when dropped.
pub struct Progress {
    bar: ProgressBar,
    /// Off a terminal every step is a line of its own, and lines within steps are not shown.
    plain: bool,
    /// These lines carry the time.
    stamped: bool,
}

impl Progress {
    pub(super) fn new(manner: Manner, stamped: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let shown = terminal && !manner.quiet && !manner.json;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg:.dim}") {
            bar.set_style(style);
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, plain: !terminal && !manner.quiet && !manner.json, stamped }
    }

    /// Step `step` of `steps` begins.
    pub fn step(&self, step: u64, steps: u64, text: &str) {
        self.bar.set_prefix(format!("[{step}/{steps}] {}", cut(text, 60)));
        self.bar.set_message("");
        self.line(&format!("[{step}/{steps}] {}", cut(text, 100)));
    }

    /// A phase without a number begins.
    pub fn phase(&self, text: &str) {
        self.bar.set_prefix(text.to_owned());
        self.bar.set_message("");
        self.line(text);
    }

    /// The last line of output of the step.
    pub fn detail(&self, text: &str) {
        self.bar.set_message(cut(text, 200));
    }

    /// Something that is done now: a line of a log, elsewhere only the last detail.
    pub fn doing(&self, text: &str) {
        self.detail(text);
        if self.stamped {
            self.line(text);
        }
    }

    fn line(&self, text: &str) {
        if self.plain {
            let stamp = if self.stamped { stamp::now() } else { String::new() };
            let _ = writeln!(io::stderr().lock(), "{stamp}{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['…']).collect()
    }
}
