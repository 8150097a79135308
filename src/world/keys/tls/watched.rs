//! Sources that are looked at again: those of the settings are the operator's, these were named by `--watch`.

use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{Place, Source},
    },
    world::{atomic, io_error, paths::Paths},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io::ErrorKind};

/// Sources by the place that they are for.
pub type Watched = BTreeMap<Place, Vec<Source>>;

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// The domain; none = the server itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    domain: Option<String>,
    source: Vec<Source>,
}

/// What `--watch` remembered.
pub fn watched(paths: &Paths) -> Result<Watched, Error> {
    let file = paths.certificate_sources();
    let text = match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Watched::new()),
        text => text.map_err(|e| io_error("read", &file, &e))?,
    };
    let damaged = |cause: String| {
        Error::new(codes::IO, format!("{} is damaged", file.display()))
            .cause(cause)
            .hint(format!("rm {}", file.display()))
    };
    let entries: Vec<Entry> = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    let places = entries.into_iter().map(|entry| {
        let place = match entry.domain {
            None => Place::Host,
            Some(name) => Place::Domain(Domain::parse(&name).map_err(|e| damaged(e.to_string()))?),
        };
        Ok((place, entry.source))
    });
    places.collect()
}

/// Remembers them; does not write what is there already. The caller holds the lock.
pub fn watch(paths: &Paths, watched: &Watched) -> Result<(), Error> {
    let entries: Vec<Entry> = watched
        .iter()
        .map(|(place, source)| Entry {
            domain: place.domain().map(ToString::to_string),
            source: source.clone(),
        })
        .collect();
    let text = serde_json::to_string_pretty(&entries)
        .map_err(|e| Error::new(codes::BUG, "cannot write down a source").cause(e))?;
    let file = paths.certificate_sources();
    let text = format!("{text}\n");
    if fs::read(&file).is_ok_and(|before| before == text.as_bytes()) || (entries.is_empty() && !file.exists())
    {
        return Ok(());
    }
    atomic::write(&file, text.as_bytes(), atomic::PRIVATE)
}
