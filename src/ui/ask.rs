//! Questions. Every one has a flag that answers it, for there is not always somebody to ask.

use super::Ui;
use crate::error::{Error, codes};
use std::io::{self, IsTerminal, Read};

impl Ui {
    /// A yes or no before something that cannot be undone. `--yes` answers; where nobody can be asked, the
    /// answer is an error that says so.
    pub fn confirm(&mut self, question: &str) -> Result<(), Error> {
        if self.manner.yes {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(Error::new(codes::USAGE, "this cannot be undone, and nobody can be asked here")
                .cause(question)
                .hint("repeat the command with --yes"));
        }
        let agreed = dialoguer::Confirm::new().with_prompt(question).default(false).interact();
        match agreed {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(codes::DECLINED, "nothing was changed").cause("the answer was no")),
            Err(error) => Err(unanswered(error)),
        }
    }

    /// A line of text, asked again until `parse` takes it; `proposal` is what Enter answers.
    pub fn ask<T, E: ToString>(
        &mut self,
        question: &str,
        proposal: Option<&str>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, Error> {
        let proposal = match (proposal, self.can_ask()) {
            (Some(proposal), false) => return parse(proposal).map_err(|e| unanswered(e.to_string())),
            (None, false) => return Err(unanswered("nobody can be asked here")),
            (proposal, true) => proposal,
        };
        let mut input = dialoguer::Input::<String>::new().with_prompt(question);
        if let Some(text) = proposal {
            input = input.default(text.to_owned()).allow_empty(true).show_default(!text.is_empty());
        }
        let checked =
            input.validate_with(|text: &String| parse(text.trim()).map(|_| ()).map_err(|e| e.to_string()));
        let text = checked.interact_text().map_err(unanswered)?;
        parse(text.trim()).map_err(|e| unanswered(e.to_string()))
    }

    /// Waits for Enter, where somebody is there.
    pub fn pause(&mut self, prompt: &str) {
        if self.can_ask() {
            self.say(prompt);
            let _ = io::stdin().read_line(&mut String::new());
        }
    }

    /// A new password, typed twice.
    pub fn ask_new_password(&mut self, whose: &str) -> Result<String, Error> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Error::new(codes::USAGE, "nobody can be asked for a password here")
                .hint("give it on standard input, with --password-stdin"));
        }
        dialoguer::Password::new()
            .with_prompt(format!("Password for {whose}"))
            .with_confirmation("The same again", "These two differ")
            .interact()
            .map_err(unanswered)
    }

    /// The one line on standard input.
    pub fn password_from_stdin(&mut self) -> Result<String, Error> {
        let mut text = String::new();
        io::stdin().lock().take(4096).read_to_string(&mut text).map_err(|error| {
            Error::new(codes::USAGE, "the password on standard input cannot be read").cause(error)
        })?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }

    /// A secret that is shown once: alone on stdout, so that it can be captured. A person at a terminal sees
    /// it within quotes, to know where it begins and ends.
    pub fn secret(&mut self, secret: &str) {
        if io::stdout().is_terminal() {
            self.data(format!("\"{secret}\""));
        } else {
            self.data(secret);
        }
    }
}

fn unanswered(error: impl std::fmt::Display) -> Error {
    Error::new(codes::DECLINED, "nothing was changed")
        .cause(format!("the question was not answered: {error}"))
}
