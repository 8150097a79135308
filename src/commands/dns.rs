//! What all commands that ask DNS have in common.

use crate::{
    error::{Error, codes},
    world::dns::{Asking, Dns},
};
use std::net::SocketAddr;

/// Whom to ask.
#[derive(clap::Args, Debug)]
pub struct Resolver {
    /// Ask this resolver instead of the one of this host
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address)]
    resolver: Option<SocketAddr>,
}

/// An address, with a port or without.
fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_matches(['[', ']']).parse().map(|address| SocketAddr::new(address, 53));
    bare.or_else(|_| text.parse())
        .map_err(|_| "an IP address is wanted, as in 9.9.9.9 or [::1]:5353".to_owned())
}

impl Resolver {
    /// How to ask it.
    pub fn asking(&self) -> Result<Asking, Error> {
        match self.resolver {
            Some(at) => Ok(Asking::at([at])),
            None => Asking::system().map_err(|cause| {
                Error::new(codes::DNS_UNCHECKED, "no resolver is known to ask")
                    .cause(cause)
                    .hint("name one with --resolver ADDRESS")
            }),
        }
    }

    /// Ready to ask.
    pub fn dns(&self) -> Result<Dns, Error> {
        self.asking().map(Dns::new)
    }
}
