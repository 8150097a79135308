//! `mailctl help`: the commands, their help, and the pages of the manual.

use crate::{
    error::{Error, codes},
    manual,
    settings::near::nearest,
    ui::Ui,
};

/// Show help for a command, or a page of the manual
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A command (user add) or a page: flow, settings, clients, troubleshooting, directory, errors,
    /// checklists, decisions, reference
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

/// Prints it; `command` is the whole command line's grammar.
pub fn run(args: &Args, mut command: clap::Command, ui: &mut Ui) -> Result<(), Error> {
    let name = args.words.join("/");
    if name.is_empty() {
        ui.write(&format!("{}\n{}", command.render_help(), topics()));
    } else if name == "reference" {
        ui.write(&reference(command));
    } else if let Some(page) = manual::page(&name) {
        ui.write(&page);
    } else {
        let text = help_of(command, &args.words)?;
        ui.write(&text);
    }
    Ok(())
}

/// Help of every command, one after the other, at a fixed width.
pub fn reference(command: clap::Command) -> String {
    let mut command = command.term_width(100);
    command.build();
    let mut text = String::new();
    walk(&mut command, &mut text, true);
    text
}

fn walk(command: &mut clap::Command, text: &mut String, top: bool) {
    let name = command.get_display_name().unwrap_or(command.get_name()).replace('-', " ");
    // The options that every command has are told once.
    let mut told = command.clone();
    if !top {
        told =
            told.mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument });
    }
    let help = told.render_long_help().to_string();
    text.push_str(&format!("# {name}\n\n"));
    help.trim_end().lines().for_each(|line| text.push_str(&format!("{}\n", line.trim_end())));
    text.push('\n');
    for inner in command.get_subcommands_mut() {
        walk(inner, text, false);
    }
}

fn help_of(mut command: clap::Command, words: &[String]) -> Result<String, Error> {
    command.build();
    let mut found = &mut command;
    for word in words {
        let known: Vec<String> = found.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
        if !known.contains(word) {
            return Err(unknown(word, &known));
        }
        found = match found.find_subcommand_mut(word) {
            Some(inner) => inner,
            None => return Err(unknown(word, &known)),
        };
    }
    Ok(found.render_long_help().to_string())
}

fn unknown(word: &str, commands: &[String]) -> Error {
    let names: Vec<String> = manual::names().chain(commands.iter().cloned()).collect();
    let error = Error::new(codes::USAGE, format!("there is no help about {word:?}"));
    match nearest(word, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("mailctl help {near}")),
        None => error.hint("mailctl help"),
    }
}

/// The list of pages, as clap lists commands.
fn topics() -> String {
    let mut text = String::from("Pages of the manual (mailctl help TOPIC):\n");
    for topic in manual::TOPICS {
        text.push_str(&format!("  {:<16} {}\n", topic.name, topic.about));
    }
    text.push_str(&format!("  {:<16} {}\n", "reference", "help of every command"));
    text
}
