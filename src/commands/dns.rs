//! What all commands that ask DNS have in common.

use crate::{
    error::{Error, codes},
    mail::dns::place,
    settings::Settings,
    world::dns::{Asking, Dns},
};
use std::net::SocketAddr;

/// Whom to ask.
#[derive(clap::Args, Debug)]
pub struct Resolver {
    /// Ask this resolver instead of the one of this host
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = place)]
    resolver: Option<SocketAddr>,
}

impl Resolver {
    /// How to ask: the flag wins over the settings, and they over the host's own resolvers.
    pub fn asking(&self, settings: &Settings) -> Result<Asking, Error> {
        match self.resolver.or(settings.dns.resolver) {
            Some(at) => Ok(Asking::at([at])),
            None => Asking::system().map_err(|cause| {
                Error::new(codes::DNS_UNCHECKED, "no resolver is known to ask")
                    .cause(cause)
                    .hint("name one: --resolver ADDRESS, or dns.resolver in mailctl.toml")
            }),
        }
    }

    /// Ready to ask.
    pub fn dns(&self, settings: &Settings) -> Result<Dns, Error> {
        self.asking(settings).map(Dns::new)
    }
}
