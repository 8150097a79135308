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
