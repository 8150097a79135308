//! `mailctl completions` and `mailctl man`: what other programs want to know about the command line.

use crate::{
    error::{Error, codes},
    ui::Ui,
};

/// Print completions for a shell
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which shell
    shell: clap_complete::Shell,
}

/// Print the manual page (roff)
#[derive(clap::Args, Debug)]
pub struct ManArgs {}

/// Prints the completion script.
pub fn run(args: &Args, mut command: clap::Command, ui: &mut Ui) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "mailctl", &mut text);
    ui.write(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Prints the manual page: the program, then each command.
pub fn man(_args: &ManArgs, command: clap::Command, ui: &mut Ui) -> Result<(), Error> {
    let mut command = command;
    command.build();
    let mut text = Vec::new();
    let done = render(&command, &mut text);
    done.map_err(|e| Error::new(codes::BUG, "cannot make the manual page").cause(e))?;
    ui.write(&String::from_utf8_lossy(&text));
    Ok(())
}

fn render(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(text)?;
    command.get_subcommands().filter(|inner| !inner.is_hide_set()).try_for_each(|inner| section(inner, text))
}

/// A section for the command, and one for each of its verbs after it.
fn section(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    // What the whole program has is told once, at the top.
    let told = command
        .clone()
        .mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument });
    let has_options = told.get_arguments().any(|argument| !argument.is_hide_set());
    let page = clap_mangen::Man::new(told);
    let mut body = Vec::new();
    page.render_synopsis_section(&mut body)?;
    page.render_description_section(&mut body)?;
    if has_options {
        page.render_options_section(&mut body)?;
    }
    if command.has_subcommands() {
        page.render_subcommands_section(&mut body)?;
    }
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let title = name.strip_prefix("mailctl ").unwrap_or(name).to_uppercase();
    // Its parts are below it, not beside it.
    let body = String::from_utf8_lossy(&body).replace("\n.SH ", "\n.SS ");
    let body = body.strip_prefix(".SH ").map_or(body.clone(), |rest| format!(".SS {rest}"));
    text.extend_from_slice(format!(".SH \"{title}\"\n{body}").as_bytes());
    command.get_subcommands().filter(|inner| !inner.is_hide_set()).try_for_each(|inner| section(inner, text))
}
