//! The files an operator starts from, written from the table of keys.

use super::keys::{Home, KEYS, Key, TABLES};

/// Width of comment lines.
const WIDTH: usize = 100;

/// `settings.env` with every key explained. Keys in `values` are set, the others are there as comments.
pub fn settings_env(values: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "# Settings of your mail server: KEY=value, no quotes needed, comments on lines of their own.\n\
         # A key that is commented out has the value shown, or, where it has no default, none.\n\
         # After a change: mailctl config check, mailctl config diff, mailctl up\n",
    );
    for key in KEYS.iter().filter(|key| key.home == Home::Env) {
        text.push('\n');
        explain(&mut text, key);
        match values.iter().find(|(name, _)| *name == key.name) {
            Some((name, value)) => text.push_str(&format!("{name}={}\n", quoted(value))),
            None => text.push_str(&format!("#{}={}\n", key.name, key.default)),
        }
    }
    text
}

/// Quotes are only for what would be read differently without: outer blanks, and quotes themselves.
fn quoted(value: &str) -> String {
    if value.trim() != value || value.starts_with(['"', '\'']) {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

/// The example in the repository: what is required is set to something under example.org.
pub fn settings_env_example() -> String {
    let required: Vec<_> =
        KEYS.iter().filter(|key| key.required).map(|key| (key.name, key.example)).collect();
    settings_env(&required)
}

/// `mailctl.toml` with everything in it as comments.
pub fn mailctl_toml() -> String {
    let mut text = String::from(
        "# Structure of your mail server; what every install needs is in settings.env.\n\
         # After a change: mailctl config check, mailctl config diff, mailctl up\n",
    );
    let mut table = "";
    for key in KEYS.iter().filter(|key| key.home == Home::Toml) {
        let (owner, leaf) = key.name.split_once('.').unwrap_or(("", key.name));
        if owner != table {
            text.push_str(&format!("\n[{owner}]\n"));
            table = owner;
        }
        explain(&mut text, key);
        let value = if key.default.is_empty() { key.example } else { key.default };
        let bare = value.parse::<f64>().is_ok();
        text.push_str(&if bare {
            format!("#{leaf} = {value}\n")
        } else {
            format!("#{leaf} = \"{value}\"\n")
        });
    }
    for (table, manual) in TABLES {
        text.push_str(&format!("\n[{table}]\n"));
        comment(&mut text, manual);
    }
    text
}

/// A key's manual as comment lines.
fn explain(text: &mut String, key: &Key) {
    let need = if key.required { " Required." } else { "" };
    comment(text, &format!("{}{need}", key.manual));
    if key.example.is_empty() || key.required {
        comment(text, &format!("({})", key.kind));
    } else {
        comment(text, &format!("({}; example: {})", key.kind, key.example));
    }
}

/// Words as `#` lines of at most `WIDTH` columns.
fn comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&format!("{line}\n"));
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&format!("{line}\n"));
}
