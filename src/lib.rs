//! `mailctl`: your own mail server in one command.
//!
//! The rooms, bottom to top; a room uses only those above it in this list (`tests/architecture.rs` holds
//! the walls, `manual/decisions/house.md` tells why they stand where they stand):
//!
//! - [`mail`]: the words and rules of running mail. Pure: no I/O, no clock, no async.
//! - [`wire`]: protocols, bytes in and values out. No sockets.
//! - [`settings`]: `settings.env`, `mailctl.toml` and the environment become [`settings::Settings`].
//! - [`render`]: settings and facts become whole configuration files.
//! - [`plan`]: what should run, and the steps from what runs to that.
//! - [`error`], [`manual`], [`ui`]: what people read.
//! - [`world`]: everything that can fail because the world is the world.
//! - [`daemon`]: the hot path (`mailctl daemon`).
//! - [`commands`]: one file per word of the command line.
//! - [`cli`]: which word leads where.
//!
//! Invariants:
//!
//! 1. `mail`, `wire`, `settings`, `render`, `plan` never await and never fail because of the world.
//! 2. No mail is lost: Postfix has the only queue, the daemon has none.
//! 3. A rendered file is never edited: a whole new generation is checked by the real programs, then one
//!    rename switches to it.
//! 4. A plan holds every choice; apply chooses nothing; applying twice changes nothing.
//! 5. A command returns when its effect is live, or says exactly what is not.
//! 6. Only `settings` interprets configuration text; only `world::paths` makes paths; only `ui` prints;
//!    only `main` exits.
//! 7. `settings.env` and `mailctl.toml` are what the operator decides; the store is what commands change.
//! 8. State on disk: write a temporary file, fsync it, rename, fsync the directory; or a SQLite transaction.
//! 9. No shell. Names from people are parsed into types before anything else sees them.
//! 10. Every message to a person names the thing, the cause and the next command to type.

pub mod cli;
pub mod commands;
pub mod daemon;
pub mod error;
pub mod mail;
pub mod manual;
pub mod plan;
pub mod render;
pub mod settings;
pub mod ui;
pub mod wire;
pub mod world;
