//! `Page`: what a report is laid out for.

use super::Ui;
use std::io::{self, IsTerminal};

/// Columns where nobody says otherwise.
const WIDTH: usize = 80;

/// Width, colour and letters of where a report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Colour may be used; it never means anything by itself.
    pub colour: bool,
    /// Signs outside ASCII are shown.
    pub unicode: bool,
    /// A person looks at it on a terminal: what is too long may be cut in the middle.
    pub terminal: bool,
}

/// What a colour goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Could be better.
    Fair,
    /// Wrong.
    Bad,
    /// Not known.
    Open,
    /// A title.
    Title,
}

impl Page {
    /// Without colour, signs and terminal: for files, pipes and tickets.
    pub const PLAIN: Self = Self { width: WIDTH, colour: false, unicode: false, terminal: false };

    /// The text in the colour of its tone, where there are colours.
    pub fn toned(self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = console::style(text).force_styling(true);
        match tone {
            Tone::Good => style.green(),
            Tone::Fair => style.yellow(),
            Tone::Bad => style.red(),
            Tone::Open => style.magenta(),
            Tone::Title => style.bold(),
        }
        .to_string()
    }
}

impl Ui {
    /// What stdout is.
    pub fn page(&self) -> Page {
        if !io::stdout().is_terminal() {
            return Page::PLAIN;
        }
        let terminal = console::Term::stdout();
        let width = terminal.size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns));
        Page {
            width: width.clamp(40, 160),
            colour: console::colors_enabled(),
            unicode: terminal.features().wants_emoji(),
            terminal: true,
        }
    }

    /// Empties the screen for the next look, where stdout is one.
    pub fn wipe(&mut self) {
        if io::stdout().is_terminal() {
            let _ = console::Term::stdout().clear_screen();
        }
    }

    /// A line with the commands in it as they are to be typed here.
    pub fn typed(&self, line: &str) -> String {
        self.call.typed(line).into_owned()
    }
}
