//! One file per word of the command line: its `Args` (doc comments are the help text) and
//! `run(args, &World, &mut Ui)`.

pub mod alias;
pub mod attend;
pub mod completions;
pub mod config;
pub mod demo;
pub mod dkim;
mod dns;
pub mod dns_check;
pub mod dns_publish;
pub mod dns_records;
pub mod domain;
pub mod down;
pub mod exec;
pub mod health;
pub mod help;
pub mod image;
pub mod init;
pub mod lint;
mod live;
pub mod logs;
mod names;
pub mod plan;
pub mod reload;
pub mod restart;
mod scene;
pub mod signal;
pub mod status;
pub mod tls;
pub mod up;
pub mod user;
pub mod version;
