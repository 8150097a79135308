//! The manual, compiled in: `mailctl help TOPIC`. What a table knows is written from the table.

use crate::{
    error::codes,
    mail::check,
    settings::keys::{Home, KEYS, Key, TABLES},
};

/// A page: its name, and one line about it.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// `flow`.
    pub name: &'static str,
    /// For the list of topics.
    pub about: &'static str,
    text: Text,
}

#[derive(Clone, Copy, Debug)]
enum Text {
    Page(&'static str),
    Made(fn() -> String),
}

/// All pages.
pub const TOPICS: &[Topic] = &[
    Topic { name: "flow", about: "the path of a message", text: Text::Page(include_str!("manual/flow.md")) },
    Topic { name: "settings", about: "every setting, its default and its file", text: Text::Made(settings) },
    Topic {
        name: "clients",
        about: "settings for mail programs and applications",
        text: Text::Page(include_str!("manual/clients.md")),
    },
    Topic {
        name: "policy",
        about: "what may pass: limits and greylisting",
        text: Text::Page(include_str!("manual/policy.md")),
    },
    Topic {
        name: "troubleshooting",
        about: "when something does not work",
        text: Text::Page(include_str!("manual/troubleshooting.md")),
    },
    Topic {
        name: "web",
        about: "what is served over HTTP, and another web server on the same host",
        text: Text::Page(include_str!("manual/web.md")),
    },
    Topic {
        name: "containers",
        about: "what runs, with which rights, and how it is brought up",
        text: Text::Page(include_str!("manual/containers.md")),
    },
    Topic {
        name: "keys",
        about: "DKIM keys and the certificate",
        text: Text::Page(include_str!("manual/keys.md")),
    },
    Topic {
        name: "boot",
        about: "starting with the host, upkeep by a timer, alerts",
        text: Text::Page(include_str!("manual/boot.md")),
    },
    Topic {
        name: "certificates",
        about: "getting a certificate, its renewal, and what can fail",
        text: Text::Page(include_str!("manual/certificates.md")),
    },
    Topic {
        name: "brute-force",
        about: "guessing at passwords: delays, bans, and letting somebody in again",
        text: Text::Page(include_str!("manual/brute-force.md")),
    },
    Topic {
        name: "directory",
        about: "who exists and where mail goes: the database",
        text: Text::Page(include_str!("manual/directory.md")),
    },
    Topic {
        name: "forward",
        about: "aliases for many addresses, with an end, a switch, a note, rules",
        text: Text::Page(include_str!("manual/forward.md")),
    },
    Topic {
        name: "backup",
        about: "backup, restore, upgrade",
        text: Text::Page(include_str!("manual/backup.md")),
    },
    Topic {
        name: "dns",
        about: "the records that mail needs, and how they are checked",
        text: Text::Made(dns),
    },
    Topic { name: "errors", about: "every error code and exit status", text: Text::Made(errors) },
    Topic {
        name: "checklists",
        about: "for changes to mailctl itself",
        text: Text::Page(include_str!("manual/checklists.md")),
    },
    Topic { name: "decisions", about: "why it is built as it is", text: Text::Made(decisions) },
];

/// Why things are as they are: name and page.
const DECISIONS: &[(&str, &str)] = &[
    ("backup", include_str!("manual/decisions/backup.md")),
    ("certificates", include_str!("manual/decisions/certificates.md")),
    ("boot", include_str!("manual/decisions/boot.md")),
    ("daemon", include_str!("manual/decisions/daemon.md")),
    ("dependencies", include_str!("manual/decisions/dependencies.md")),
    ("directory", include_str!("manual/decisions/directory.md")),
    ("dns", include_str!("manual/decisions/dns.md")),
    ("engine", include_str!("manual/decisions/engine.md")),
    ("house", include_str!("manual/decisions/house.md")),
    ("forward", include_str!("manual/decisions/forward.md")),
    ("limits", include_str!("manual/decisions/limits.md")),
    ("milter", include_str!("manual/decisions/milter.md")),
    ("policy", include_str!("manual/decisions/policy.md")),
    ("render", include_str!("manual/decisions/render.md")),
    ("settings", include_str!("manual/decisions/settings.md")),
    ("shape", include_str!("manual/decisions/shape.md")),
];

/// The page of that name; `decisions/NAME` is one decision.
pub fn page(name: &str) -> Option<String> {
    if let Some(decision) = name.strip_prefix("decisions/") {
        return DECISIONS.iter().find(|(name, _)| *name == decision).map(|(_, page)| (*page).to_owned());
    }
    TOPICS.iter().find(|topic| topic.name == name).map(|topic| match topic.text {
        Text::Page(page) => page.to_owned(),
        Text::Made(make) => make(),
    })
}

/// Every name that [`page`] knows.
pub fn names() -> impl Iterator<Item = String> {
    let decisions = DECISIONS.iter().map(|(name, _)| format!("decisions/{name}"));
    TOPICS.iter().map(|topic| topic.name.to_owned()).chain(decisions)
}

fn settings() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         `settings.env` holds what every install needs, `mailctl.toml` the structure. Each key lives in one of the two;\n\
         an environment variable `MAILCTL_<KEY>` wins over both. An empty value counts as none.\n\
         `mailctl config show` prints every value with its origin, `mailctl config check` what is wrong,\n\
         `mailctl config diff` what `mailctl up` would change.\n",
    );
    for home in [Home::Env, Home::Toml] {
        text.push_str(&format!("\n## {}\n", home.file()));
        KEYS.iter().filter(|key| key.home == home).for_each(|key| text.push_str(&setting(key)));
    }
    for (table, manual) in TABLES {
        text.push_str(&format!("\n### [{table}]\n{}\n", wrap(manual)));
    }
    text
}

fn setting(key: &Key) -> String {
    let default = match (key.required, key.default) {
        (true, _) => "required".to_owned(),
        (false, "") => "default: none".to_owned(),
        (false, value) => format!("default: {value}"),
    };
    let example = if key.example.is_empty() { String::new() } else { format!("; example: {}", key.example) };
    let facts = format!("({}; {default}{example}; environment: {})", key.kind, key.variable());
    format!("\n### {}\n{}\n{}\n", key.name, wrap(key.manual), wrap(&facts))
}

fn errors() -> String {
    let mut text = String::from(
        "# Error codes\n\n\
         Each message begins with `error[CODE]`; `--json` prints it as an object. Exit status 0 = done,\n\
         1 = checked, and found wanting; the others are those of sysexits.h.\n\n",
    );
    for code in codes::ALL {
        let manual = wrap(code.manual).replace('\n', "\n  ");
        text.push_str(&format!("- `{}` (exit {})\n  {manual}\n", code.name, code.exit as u8));
    }
    text
}

/// The page, and every code that a finding can have.
fn dns() -> String {
    let mut text = String::from(include_str!("manual/dns.md"));
    text.push_str("\n## Codes\n\n");
    for code in check::codes::ALL {
        let manual = wrap(code.manual).replace('\n', "\n  ");
        text.push_str(&format!("- `{}` ({})\n  {manual}\n", code.name, code.verdict));
    }
    text
}

fn decisions() -> String {
    let mut text = String::from("# Decisions\n\n");
    for (name, page) in DECISIONS {
        let title = page.lines().next().unwrap_or_default().trim_start_matches("# ");
        text.push_str(&format!("- `mailctl help decisions/{name}`: {title}\n"));
    }
    text
}

/// Lines of at most 100 columns.
fn wrap(words: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > 100);
        match lines.last_mut() {
            Some(line) if !full && line.is_empty() => line.push_str(word),
            Some(line) if !full => line.push_str(&format!(" {word}")),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// A decision that is not compiled in is one that nobody reads.
    #[test]
    fn every_decision_on_disk_is_in_the_manual() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual/decisions");
        let on_disk: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let compiled: BTreeSet<String> = DECISIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(on_disk, compiled, "add the missing ones to DECISIONS in src/manual.rs");
    }

    #[test]
    fn every_page_opens_with_a_title() {
        for name in names() {
            assert!(page(&name).is_some_and(|page| page.starts_with("# ")), "{name}");
        }
        assert!(page("settings").unwrap().contains("### RELAY_PASSWORD\n"));
        assert!(page("errors").unwrap().contains("`settings.missing` (exit 78)"));
        assert!(page("dns").unwrap().contains("`dns.dkim.truncated` (error)"));
        assert!(page("nonsense").is_none());
    }
}
