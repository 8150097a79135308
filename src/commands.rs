//! One file per word of the command line: its `Args` (doc comments are the help text) and
//! `run(args, &World, &mut Ui)`.

pub mod completions;
pub mod config;
pub mod health;
pub mod help;
pub mod image;
pub mod init;
mod names;
pub mod user;
pub mod version;
