//! What all commands that ask DNS have in common.

use crate::{
    error::{Error, codes},
    mail::dns::place,
    settings::Settings,
    world::dns::{Asking, Dns, anchors},
};
use std::net::SocketAddr;

/// Whom to ask.
#[derive(clap::Args, Debug, Default)]
pub struct Resolver {
    /// Ask this resolver instead of the one of this host
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = place)]
    resolver: Option<SocketAddr>,
}

impl Resolver {
    /// How to ask: the flag wins over the settings, and they over the host's own resolvers.
    pub fn asking(&self, settings: Option<&Settings>) -> Result<Asking, Error> {
        let of = settings.map(|settings| &settings.dns);
        let mut asking = match self.resolver.or(of.and_then(|dns| dns.resolver)) {
            Some(at) => Asking::at([at]),
            None => Asking::system().map_err(|cause| {
                Error::new(codes::DNS_UNCHECKED, "no resolver is known to ask")
                    .cause(cause)
                    .hint("name one: --resolver ADDRESS, or dns.resolver in mailctl.toml")
            })?,
        };
        if let Some(file) = of.and_then(|dns| dns.trust_anchor_file.as_ref()) {
            let anchors = anchors::read(file)?;
            (asking.anchors, asking.digests) = (Some(anchors.keys), anchors.digests);
        }
        Ok(asking)
    }

    /// Ready to ask.
    pub fn dns(&self, settings: &Settings) -> Result<Dns, Error> {
        self.asking(Some(settings)).map(Dns::new)
    }
}
