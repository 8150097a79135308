//! A listing of any length: lines come out as they are known, many at a time, and stop when nobody reads.

use super::Ui;
use std::time::{Duration, Instant};

/// Octets that are worth a system call.
const PORTION: usize = 32 * 1024;

/// Longest time a line is held back.
const DELAY: Duration = Duration::from_millis(50);

/// Lines for a person; for a machine one JSON array, an element per line.
pub struct Listing<'a> {
    ui: &'a mut Ui,
    text: String,
    rows: usize,
    flushed: Instant,
}

impl<'a> Listing<'a> {
    /// Begins one on stdout.
    pub fn begin(ui: &'a mut Ui) -> Self {
        let mut text = String::with_capacity(2 * PORTION);
        if ui.manner().json {
            text.push('[');
        }
        Self { ui, text, rows: 0, flushed: Instant::now() }
    }

    /// Adds one row, in the form that was asked for.
    pub fn row(&mut self, row: &impl serde::Serialize, line: impl FnOnce(&mut String)) {
        if self.ui.manner().json {
            self.text.push_str(if self.rows == 0 { "\n" } else { ",\n" });
            self.text.push_str(&serde_json::to_string(row).unwrap_or_default());
        } else {
            line(&mut self.text);
            self.text.push('\n');
        }
        self.rows += 1;
        // The clock is asked now and then: a hundred thousand times would cost as much as the rows.
        if self.text.len() > PORTION || (self.rows % 16 == 1 && self.flushed.elapsed() > DELAY) {
            self.flush();
        }
    }

    /// Whether the reader has gone.
    pub fn closed(&self) -> bool {
        self.ui.closed()
    }

    /// Ends it; `nothing` tells a person that there was not a single row.
    pub fn end(mut self, nothing: impl FnOnce(&mut Ui)) {
        if self.ui.manner().json {
            self.text.push_str(if self.rows == 0 { "]\n" } else { "\n]\n" });
        } else if self.rows == 0 {
            nothing(self.ui);
        }
        self.flush();
    }

    fn flush(&mut self) {
        self.ui.write(&self.text);
        self.text.clear();
        self.flushed = Instant::now();
    }
}
