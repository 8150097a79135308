//! The units of systemd that start a stack at boot and keep it: `systemd/` of the source, with the real paths.

use super::{Fault, template};
use serde::Serialize;

/// Project and home of the one stack that most hosts have; its units carry no name of it.
const USUAL: (&str, &str) = ("mailctl", "/var/lib/mailctl");

/// The first release of systemd that waits longer after each failed start (`RestartSteps=`).
const BACKOFF: u32 = 254;

/// How the first line of a unit of ours begins; the rest of the line is the home.
const MARK: &str = "# Written by mailctl boot enable for ";

/// What the units name.
#[derive(Clone, Debug)]
pub struct Place {
    /// This program.
    pub program: String,
    /// The home, as it is given to the program.
    pub home: String,
    /// The home without links on the way; the only folder that can be written to.
    pub writable: String,
    /// The stack's name.
    pub project: String,
    /// `DOCKER_HOST`, where it is set.
    pub engine: Option<String>,
    /// The host's release of systemd; `None` = not known.
    pub systemd: Option<u32>,
}

/// The units of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Starts the stack.
    pub stack: String,
    /// Does what is due.
    pub maintain: String,
    /// Starts that one.
    pub timer: String,
}

/// One unit as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// `mailctl.service`.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl Names {
    /// Of a project. With an at sign, so that no project's name makes another unit's name of it.
    pub fn of(project: &str) -> Self {
        let suffix = if project == USUAL.0 { String::new() } else { format!("@{project}") };
        Self {
            stack: format!("mailctl{suffix}.service"),
            maintain: format!("mailctl-maintain{suffix}.service"),
            timer: format!("mailctl-maintain{suffix}.timer"),
        }
    }

    /// All of them.
    pub fn all(&self) -> [&str; 3] {
        [&self.stack, &self.maintain, &self.timer]
    }
}

/// What the templates see; everything is quoted already.
#[derive(Serialize)]
struct Context<'a> {
    note: String,
    home_text: String,
    program: String,
    home: String,
    service: &'a str,
    engine: Option<String>,
    private_tmp: bool,
    steps: bool,
}

/// All units of a stack.
pub fn units(place: &Place) -> Result<Vec<Unit>, Fault> {
    let names = Names::of(&place.project);
    let below_tmp = |path: &str| path.starts_with("/tmp/") || path.starts_with("/var/tmp/");
    let paths = [&place.home, &place.writable, &place.program];
    let context = Context {
        note: format!("{}{}", &MARK[2..], line(&place.home)?),
        home_text: line(&place.home)?.replace('%', "%%"),
        program: command(place)?,
        home: word(&format!("-{}", place.writable))?,
        service: &names.stack,
        engine: place.engine.as_ref().map(|at| word(&format!("DOCKER_HOST={at}"))).transpose()?,
        private_tmp: !paths.into_iter().any(|path| below_tmp(path)),
        steps: place.systemd.is_some_and(|version| version >= BACKOFF),
    };
    let unit = |name: &str, text: &str| {
        let text = template::render_one(name, text, &[("systemd/hardening", HARDENING)], &context)?;
        Ok(Unit { name: name.to_owned(), text })
    };
    Ok(vec![
        unit(&names.stack, include_str!("../../systemd/mailctl.service"))?,
        unit(&names.maintain, include_str!("../../systemd/mailctl-maintain.service"))?,
        unit(&names.timer, include_str!("../../systemd/mailctl-maintain.timer"))?,
    ])
}

const HARDENING: &str = include_str!("../../systemd/hardening");

/// The home that a unit of ours was made for; `None` = somebody else wrote it.
pub fn made_for(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix(MARK)
}

/// The program with the options that find this home and project again. `:` = no variables in it are replaced
/// (systemd.service(5)).
fn command(place: &Place) -> Result<String, Fault> {
    let mut text = word(&format!(":{}", place.program))?;
    if place.home != USUAL.1 {
        text.push_str(&format!(" --home {}", word(&place.home)?));
    }
    if place.project != USUAL.0 {
        text.push_str(&format!(" --project {}", word(&place.project)?));
    }
    Ok(text)
}

/// One word of a unit file: within quotes where it needs them (systemd.syntax(7)), and a percent sign is one
/// (systemd.unit(5)).
fn word(text: &str) -> Result<String, Fault> {
    let text = line(text)?.replace('%', "%%");
    let plain = |c: char| c.is_alphanumeric() || "/._-:=+,@%".contains(c);
    Ok(if text.chars().all(plain) {
        text
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    })
}

/// What would end a line, or hide in it, stands in no unit.
fn line(text: &str) -> Result<&str, Fault> {
    if text.chars().any(char::is_control) {
        let what = "a control character in it cannot stand in a unit of systemd".to_owned();
        return Err(Fault { place: text.escape_debug().to_string(), what });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            program: "/usr/local/bin/mailctl".to_owned(),
            home: USUAL.1.to_owned(),
            writable: USUAL.1.to_owned(),
            project: USUAL.0.to_owned(),
            engine: None,
            systemd: Some(257),
        }
    }

    fn text(place: &Place, name: &str) -> String {
        units(place).unwrap().into_iter().find(|unit| unit.name == name).unwrap().text
    }

    /// Proves: S4-22
    #[test]
    fn the_usual_stack_needs_no_options_and_no_suffix() {
        let unit = text(&place(), "mailctl.service");
        assert_eq!(made_for(&unit), Some("/var/lib/mailctl"));
        assert!(unit.contains("\nExecStart=:/usr/local/bin/mailctl up --wait\n"), "{unit}");
        assert!(unit.contains("\nReadWritePaths=-/var/lib/mailctl\n") && unit.contains("\nPrivateTmp=yes\n"));
        assert!(unit.contains("\nRestartSteps=6\n") && !unit.contains("DOCKER_HOST"), "{unit}");
        let old = text(&Place { systemd: Some(252), ..place() }, "mailctl.service");
        assert!(old.contains("\nRestartSec=1min\n") && !old.contains("RestartSteps"), "{old}");
        assert!(text(&place(), "mailctl-maintain.timer").contains("\nPersistent=yes\n"));
    }

    #[test]
    fn every_value_is_one_word() {
        let odd = Place {
            program: "/opt/my $x/mailctl".to_owned(),
            home: "/tmp/a \"b\\ 100%".to_owned(),
            writable: "/tmp/a \"b\\ 100%".to_owned(),
            project: "two".to_owned(),
            engine: Some("unix:///run/my engine.sock".to_owned()),
            systemd: None,
        };
        let unit = text(&odd, "mailctl@two.service");
        let start = r#"ExecStart=":/opt/my $x/mailctl" --home "/tmp/a \"b\\ 100%%" --project two up --wait"#;
        assert!(unit.contains(start), "{unit}");
        assert!(unit.contains(r#"ReadWritePaths="-/tmp/a \"b\\ 100%%""#), "{unit}");
        assert!(unit.contains("Environment=\"DOCKER_HOST=unix:///run/my engine.sock\"\n"), "{unit}");
        assert!(!unit.contains("PrivateTmp"), "its home would be hidden: {unit}");
        assert_eq!(made_for(&unit), Some(odd.home.as_str()));
        let after = text(&odd, "mailctl-maintain@two.service");
        assert!(after.contains("time-sync.target mailctl@two.service\n"), "{after}");
        assert!(units(&Place { home: "/srv/a\nUser=x".to_owned(), ..place() }).is_err());
    }
}
