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
    for inner in command.get_subcommands() {
        let page = clap_mangen::Man::new(inner.clone());
        text.extend_from_slice(format!(".SH {}\n", inner.get_name().to_uppercase()).as_bytes());
        page.render_synopsis_section(text)?;
        page.render_description_section(text)?;
        page.render_options_section(text)?;
        if inner.has_subcommands() {
            page.render_subcommands_section(text)?;
        }
    }
    Ok(())
}
