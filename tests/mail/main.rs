//! Ring: whole stacks on the real engine, asked by clients that no one here wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

#[path = "../common/mod.rs"]
mod common;

mod acme;
mod alerts;
mod backup;
mod boxes;
mod brute_force;
mod config;
mod demo;
mod explain;
mod faults;
mod forward;
mod hang;
mod hostile;
mod known;
mod lists;
mod milter;
mod network;
mod policy;
mod quota;
mod rights;
mod rotate;
mod routes;
mod signing;
mod six;
mod smtp;
mod spf;
mod tls;
mod unseen;
mod up;
mod updates;
mod upgrade;
mod web;
