//! The walls of the house, held against its source: who uses whom, who may touch the world, who prints and
//! who exits. The table of rooms is the one people read, in `src/manual/decisions/house.md`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "architecture/source.rs"]
mod source;

use source::{Path, Token};
use std::{collections::BTreeMap, fs, path::Path as File};

const HOUSE: &str = include_str!("../src/manual/decisions/house.md");

/// Rooms that are values in, values out.
const PURE: [&str; 5] = ["mail", "wire", "settings", "render", "plan"];

/// What no pure room names: the ways to wait, to touch the world, and to ask the clock.
const WORLDLY: [&str; 17] = [
    "tokio",
    "futures_util",
    "bollard",
    "sqlx",
    "hickory_resolver",
    "rustix",
    "std::fs",
    "std::os",
    "std::env",
    "std::process",
    "std::thread",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::net::ToSocketAddrs",
];

/// The clock by any other name: `OffsetDateTime::now_utc`, `Utc::now`.
const CLOCKS: [&str; 3] = ["now", "now_utc", "now_local"];

/// A file of the crate: its path below `src`, and its text.
type Text = (String, String);

/// Proves: the source keeps every wall of `manual/decisions/house.md`.
#[test]
fn the_house_stands() {
    let mut texts = Vec::new();
    read(File::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut texts);
    assert!(texts.len() > 100, "only {} files were read", texts.len());
    let faults = faults(&texts);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn read(folder: &File, prefix: &str, texts: &mut Vec<Text>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read(&path, &format!("{name}/"), texts);
        } else if name.ends_with(".rs") {
            texts.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    texts.sort();
}

/// Everything that stands where it should not, a line each.
fn faults(texts: &[Text]) -> Vec<String> {
    let walls = walls();
    let mut tests = Vec::new();
    let mut files = Vec::new();
    for (name, text) in texts {
        let (tokens, inner) = source::without_tests(&source::tokens(text));
        let folder = name.trim_end_matches(".rs");
        tests.extend(inner.iter().map(|test| format!("{folder}/{test}.rs")));
        files.push((name, text, tokens));
    }
    let mut faults = Vec::new();
    for (name, text, tokens) in files {
        let mut say = |line: usize, what: String| faults.push(format!("src/{name}:{line}: {what}"));
        let length = text.lines().count();
        if length > 400 {
            say(length, "longer than 400 lines: which two things is it?".to_owned());
        }
        let module: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if let Some(vague) = module.iter().find(|part| VAGUE.contains(&part.as_str())) {
            say(1, format!("a file called {vague:?} can hold anything"));
        }
        if tests.contains(name) {
            continue;
        }
        let module = if module == ["lib"] { Vec::new() } else { module };
        let room = module.first().map_or("lib", String::as_str);
        let paths = source::paths(&tokens, &module);
        match walls.get(room) {
            Some(allowed) => rooms(room, allowed, &paths, &mut say),
            None if room == "lib" => {}
            None => say(1, format!("{room} has no line in the table of manual/decisions/house.md")),
        }
        if PURE.contains(&room) {
            pure(room, &paths, &tokens, &mut say);
        }
        doors(room, &paths, &tokens, &mut say);
    }
    faults
}

const VAGUE: [&str; 6] = ["util", "utils", "common", "helpers", "types", "manager"];

/// Room and what it may use, from the manual.
fn walls() -> BTreeMap<&'static str, Vec<Vec<&'static str>>> {
    let rows = HOUSE.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let room = cells.next().unwrap();
        let rooms = cells.next().unwrap().split(',').map(str::trim).filter(|room| !room.is_empty());
        (room, rooms.map(|room| room.split("::").collect()).collect())
    })
    .collect()
}

/// Paths into rooms that `room` has no door to.
fn rooms(room: &str, allowed: &[Vec<&str>], paths: &[Path], say: &mut impl FnMut(usize, String)) {
    for path in paths {
        let [root, inside @ ..] = &path.segments[..] else { continue };
        if !matches!(root.as_str(), "crate" | "mailctl") {
            continue;
        }
        let own = inside.first().is_some_and(|first| first == room);
        let open = |door: &Vec<&str>| inside.iter().zip(door).filter(|(a, b)| a == b).count() == door.len();
        if !own && !allowed.iter().any(open) {
            say(path.line, format!("{room} may not use {}", inside.join("::")));
        }
    }
}

/// What a pure room must not know.
fn pure(room: &str, paths: &[Path], tokens: &[Token], say: &mut impl FnMut(usize, String)) {
    for path in paths {
        let text = path.segments.join("::");
        // `use std;` or `use std::*` would bring all of it in by a back door.
        let opened = text.trim_end_matches("::*").to_owned() + "::";
        let worldly = |bad: &&str| {
            format!("{text}::").starts_with(&format!("{bad}::")) || path.used && bad.starts_with(&opened)
        };
        let clock = path.segments.last().is_some_and(|last| CLOCKS.contains(&last.as_str()));
        if clock || WORLDLY.iter().any(worldly) {
            say(path.line, format!("{room} is pure and may not use {text}"));
        }
    }
    for token in tokens.iter().filter(|token| matches!(token.text.as_str(), "async" | "await")) {
        say(token.line, format!("{room} is pure and never waits: {}", token.text));
    }
}

/// Doors that only one room has: printing, leaving, the environment, the engine's client.
fn doors(room: &str, paths: &[Path], tokens: &[Token], say: &mut impl FnMut(usize, String)) {
    for pair in tokens.windows(2) {
        let word = pair[0].text.as_str();
        let prints = matches!(word, "print" | "println" | "eprint" | "eprintln" | "dbg");
        if prints && pair[1].text == "!" && room != "ui" {
            say(pair[0].line, format!("only ui prints: {word}!"));
        }
    }
    for path in paths {
        let text = path.segments.join("::");
        let begins = |of: &[&str]| of.iter().any(|of| format!("{text}::").starts_with(&format!("{of}::")));
        if room != "ui"
            && begins(&["std::io::stdout", "std::io::stderr", "tokio::io::stdout", "tokio::io::stderr"])
        {
            say(path.line, format!("only ui prints: {text}"));
        }
        if room != "main" && begins(&["std::process::exit", "std::process::abort", "std::process::ExitCode"])
        {
            say(path.line, format!("only main exits: {text}"));
        }
        let own_program = room == "world" && begins(&["std::env::current_exe"]);
        if room != "main" && begins(&["std::env"]) && !own_program {
            say(path.line, format!("the environment comes in at the door: {text}"));
        }
        if room != "world" && begins(&["bollard", "sqlx"]) {
            say(path.line, format!("only world speaks to the engine and the database: {text}"));
        }
    }
}

/// Each planted fault is found, and what only looks like one is not.
#[test]
fn planted_faults_are_found() {
    let found = |name: &str, text: &str| faults(&[(name.to_owned(), text.to_owned())]);
    for (name, text, part) in [
        ("mail/x.rs", "use crate::world::World;", "mail may not use world::World"),
        ("mail/x.rs", "use crate::{mail::address, settings::{self, Settings}};", "mail may not use settings"),
        ("mail/x.rs", "fn f() { crate::world::lock::Lock::take() }", "world::lock"),
        ("mail/x.rs", "use super::super::world;", "mail may not use world"),
        ("mail/x.rs", "use std::{fmt, fs as disk};", "std::fs"),
        ("mail/x.rs", "use std::*;", "pure"),
        ("mail/x.rs", "use std as s; fn f() { s::fs::read(\"\") }", "std::fs::read"),
        ("wire/x.rs", "fn f() { let s: std::net::TcpStream; }", "TcpStream"),
        ("wire/x.rs", "use std::net; fn f(s: net::TcpStream) {}", "std::net::TcpStream"),
        ("wire/x.rs", "use tokio::io::AsyncRead;", "tokio"),
        ("settings/x.rs", "async fn f() { g().await }", "never waits: await"),
        ("settings/x.rs", "fn f() { std::env::var(\"HOME\") }", "environment"),
        ("render/x.rs", "use time::OffsetDateTime; fn f() { OffsetDateTime::now_utc() }", "now_utc"),
        ("render.rs", "use std::time::SystemTime;", "SystemTime"),
        ("plan/x.rs", "use std::process::Command;", "std::process"),
        ("plan/x.rs", "/* a /* nested */ comment */ use crate::world;", "plan may not use world"),
        ("world/x.rs", "use crate::ui::Ui;", "world may not use ui"),
        ("world/x.rs", "fn f() { println!(\"\") }", "only ui prints"),
        ("world/x.rs", "use std::io; fn f() { io::stdout() }", "only ui prints"),
        ("daemon/x.rs", "use crate::world::docker;", "daemon may not use world::docker"),
        ("daemon/x.rs", "use crate::world::*;", "daemon may not use world::*"),
        ("daemon.rs", "use crate::world;", "daemon may not use world"),
        ("daemon/x.rs", "use crate::commands::up;", "daemon may not use commands"),
        ("commands/x.rs", "fn f() { crate::daemon::run() }", "commands may not use daemon"),
        ("commands/x.rs", "use bollard::Docker;", "only world speaks"),
        ("commands/x.rs", "fn f() { std::process::exit(1) }", "only main exits"),
        ("main.rs", "fn main() { mailctl::commands::up::run() }", "main may not use commands"),
        ("extra/x.rs", "", "no line in the table"),
        ("mail/util.rs", "", "can hold anything"),
        ("mail/x.rs", &"\n".repeat(401), "longer than 400"),
        ("mail/x.rs", "#[cfg(test)]\nmod tests { fn f() { \"}\"; } }\nuse tokio::net;", ":3: mail is pure"),
        ("mail/x.rs", "const C: char = '\"'; use tokio::net; const D: char = '\"';", "tokio"),
        ("mail/x.rs", "fn f<'a>(x: &'a str) { tokio::spawn(x) }", "tokio"),
        ("mail/x.rs", "const R: &str = r#\"\"#; use tokio::net;", "tokio"),
    ] {
        let faults = found(name, text);
        assert!(faults.iter().any(|fault| fault.contains(part)), "{name}: {text}\ngave {faults:?}");
    }
    for (name, text) in [
        ("mail/x.rs", "// use crate::world;\n/* tokio::spawn */ const A: &str = \"use std::fs;\";"),
        ("mail/x.rs", "const A: &str = r##\"use \"# crate::world;\"##; const B: u8 = b'\\''; "),
        ("mail/x.rs", "#[cfg(test)]\nmod tests { use std::fs; fn f() { std::env::var(\"}\"); } }"),
        ("mail/x.rs", "#[cfg(test)] use std::fs;"),
        (
            "mail/x.rs",
            "use super::address::Address; use std::net::{IpAddr, Ipv4Addr}; use std::time::Duration;",
        ),
        ("wire/x.rs", "use crate::mail::address::{self, Address as A};"),
        ("plan/x.rs", "use crate::render::ids; fn f() { ids::VMAIL }"),
        ("daemon/x.rs", "use crate::world::store::{Kind, Store};"),
        ("commands/up/x.rs", "use super::scene; use crate::{plan::Plan, world::World};"),
        ("ui/x.rs", "use std::io; fn f() { io::stdout() }"),
        ("main.rs", "use std::process::ExitCode; fn main() { mailctl::cli::main(std::env::args_os()) }"),
    ] {
        assert_eq!(found(name, text), Vec::<String>::new(), "{name}: {text}");
    }
    let outside = [("mail/x.rs", "#[cfg(test)]\nmod tests;"), ("mail/x/tests.rs", "use std::fs;")];
    assert_eq!(faults(&outside.map(|(name, text)| (name.to_owned(), text.to_owned()))), Vec::<String>::new());
}

/// The manual's table is whole: every room of `lib.rs` has a line, and only rooms do.
#[test]
fn every_room_has_a_line() {
    let library = include_str!("../src/lib.rs");
    let rooms: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .chain(["main"])
        .collect();
    let walls = walls();
    let mut missing: Vec<&&str> = rooms.iter().filter(|room| !walls.contains_key(**room)).collect();
    missing.extend(walls.keys().filter(|room| !rooms.contains(room)));
    assert!(missing.is_empty(), "{missing:?}");
}
