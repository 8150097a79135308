//! The whole command line as one committed text. `MAILCTL_BLESS=1` rewrites it.

use std::{fs, path::Path};

#[test]
fn the_command_line_is_the_committed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli.txt");
    let wanted = mailctl::commands::help::reference(mailctl::cli::grammar());
    if std::env::var_os("MAILCTL_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "tests/golden/cli.txt is not what the program has; run make bless and read the difference"
    );
}

/// Every word has a line of help, and clap itself finds no fault with the grammar.
#[test]
fn everything_is_explained() {
    let mut grammar = mailctl::cli::grammar();
    grammar.build();
    grammar.clone().debug_assert();
    let mut rest = vec![grammar];
    while let Some(command) = rest.pop() {
        assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{} {} has no help",
                command.get_name(),
                argument.get_id()
            );
        }
        rest.extend(command.get_subcommands().cloned());
    }
}

/// What the manual, README and the program's own messages tell people to type exists: each `mailctl WORD` in
/// them is a command, each `--flag` one of its own, each `mailctl help TOPIC` a page.
#[test]
fn every_command_that_is_told_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("settings.env.example")];
    gather(&root.join("src"), &mut files);
    let mut grammar = mailctl::cli::grammar();
    grammar.build();
    let mut wrong = Vec::new();
    let mut told = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (index, line) in text.lines().enumerate() {
            for command in commands(line) {
                told += 1;
                if let Err(word) = known(&grammar, &command) {
                    wrong.push(format!(
                        "{}:{}: mailctl {}: {word}",
                        file.display(),
                        index + 1,
                        command.join(" ")
                    ));
                }
            }
        }
    }
    assert!(told > 50, "only {told} were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn gather(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "md") {
            files.push(path);
        }
    }
}

/// The words after each `mailctl ` of a line, up to what ends a command there.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("mailctl ") {
        let before = line[..at].chars().next_back();
        let hint = before == Some('"') && line.contains("hint(");
        // In prose `mailctl` is a name; it is a command where it is quoted or begins a line of a block.
        if !(before == Some('`') || hint || line.trim_start().starts_with("mailctl ")) {
            continue;
        }
        let rest: String = line[at + 8..].chars().take_while(|c| !"`\"#(),;|\\{}".contains(*c)).collect();
        let first = rest.split_whitespace().next().unwrap_or_default();
        if !first.is_empty() && first.chars().all(|c| c.is_ascii_lowercase()) {
            let words = rest.split_whitespace().map(|word| word.trim_end_matches(['.', ':', '?']).to_owned());
            found.push(words.collect());
        }
    }
    found
}

fn known(grammar: &clap::Command, words: &[String]) -> Result<(), String> {
    if words[0] == "help" {
        let topic = words[1..].join("/").trim_matches('/').to_owned();
        let lower = topic.chars().all(|c| c.is_ascii_lowercase() || c == '/');
        let page =
            topic.is_empty() || !lower || topic == "reference" || mailctl::manual::page(&topic).is_some();
        return if page || grammar.find_subcommand(&words[1]).is_some() { Ok(()) } else { Err(topic) };
    }
    let mut command = grammar.find_subcommand(&words[0]).ok_or_else(|| words[0].clone())?;
    let mut rest = &words[1..];
    while let (true, Some(word)) = (command.has_subcommands(), rest.first()) {
        if !word.chars().all(|c| c.is_ascii_lowercase()) {
            break;
        }
        command = command.find_subcommand(word).ok_or_else(|| word.clone())?;
        rest = &rest[1..];
    }
    let flags = rest.iter().filter_map(|word| word.strip_prefix("--")).filter(|flag| !flag.is_empty());
    for flag in flags.map(|flag| flag.split('=').next().unwrap_or(flag)) {
        let long = |argument: &clap::Arg| {
            argument.get_long() == Some(flag)
                || argument.get_visible_aliases().is_some_and(|all| all.contains(&flag))
        };
        if !command.get_arguments().any(long) {
            return Err(format!("--{flag}"));
        }
    }
    Ok(())
}
