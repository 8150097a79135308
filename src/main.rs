//! The program: reads the arguments, runs one command, turns its result into an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Two providers in one process make rustls panic at the first handshake; say which one, once.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ExitCode::from(mailctl::cli::main(std::env::args_os().collect(), std::env::vars_os().collect()))
}
