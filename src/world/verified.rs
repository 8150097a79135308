//! What the last `dns-check` said of each served domain, remembered in the home.

use super::{World, atomic};
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        finding::{Proven, Standing},
    },
};
use std::collections::BTreeMap;

impl World {
    /// By domain; empty where nothing was checked yet, or what is there cannot be read.
    pub fn dns_standings(&self) -> BTreeMap<Domain, Standing> {
        let read = std::fs::read(self.paths.dns_standings()).unwrap_or_default();
        serde_json::from_slice(&read).unwrap_or_default()
    }

    /// Remembers what was found of some domains, beside what is known of the others. What could not be checked
    /// changes nothing. The error is for whoever may write here and cannot.
    pub fn note_dns(&self, found: &[(Domain, Option<Proven>)], now: i64) -> Result<(), Error> {
        if !self.paths.state().is_dir() {
            return Ok(());
        }
        let mut all = self.dns_standings();
        for (domain, proven) in found {
            if let Some(proven) = proven {
                all.insert(domain.clone(), Standing { proven: *proven, checked: now });
            }
        }
        let text = serde_json::to_vec(&all)
            .map_err(|e| Error::new(codes::BUG, "cannot write down what was found").cause(e))?;
        atomic::write(&self.paths.dns_standings(), &text, atomic::PUBLIC)
    }
}
