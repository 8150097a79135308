//! What mailctld serves to the Internet beside mail: ACME's challenges, the MTA-STS policy, and what mail programs
//! ask to set themselves up.
//!
//! - [`plain`] and [`tls`] are the doors, 80 and 443; [`sources`] lets no client take all places.
//! - [`exchange`] is one request and its response, with a deadline; [`routes`] says what the response is.
//! - [`challenge`] reads tokens and challenge certificates, [`certificate`] what is served otherwise.
//! - [`pages`] are the texts that `mailctl up` rendered.
//!
//! Nothing here looks at mailboxes: no answer tells whether one exists. Nothing is logged per request either: who
//! likes could fill the log; it is counted.

pub mod certificate;
mod challenge;
pub mod exchange;
mod names;
mod pages;
pub mod plain;
pub mod respond;
mod routes;
mod sources;
pub mod tls;

use super::state::State;
use crate::error::Error;
use pages::Pages;
use sources::Sources;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Connections at a time, at each of the two doors.
pub const MOST: usize = 512;

/// What every request is answered from.
pub struct Web {
    state: Arc<State>,
    pages: RwLock<Arc<Pages>>,
    challenges: PathBuf,
    sources: Sources,
    responses: [AtomicU64; 5],
}

/// How a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// In clear.
    Plain,
    /// In TLS, for the name that the client wanted.
    Tls(Option<String>),
}

impl Web {
    /// Answers from the pages beside the configuration `file`.
    pub fn new(state: Arc<State>, challenges: PathBuf, file: &Path) -> Result<Self, Error> {
        let pages = RwLock::new(Arc::new(Pages::beside(file)?));
        Ok(Self { state, pages, challenges, sources: Sources::default(), responses: Default::default() })
    }

    /// Reads the pages anew; those that cannot be read change nothing.
    pub fn reload(&self, file: &Path) -> Result<(), Error> {
        let pages = Arc::new(Pages::beside(file)?);
        *self.pages.write().unwrap_or_else(PoisonError::into_inner) = pages;
        Ok(())
    }

    fn pages(&self) -> Arc<Pages> {
        self.pages.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Responses so far, by the first digit of their status: 1 to 5.
    pub fn responses(&self) -> [u64; 5] {
        self.responses.each_ref().map(|count| count.load(Relaxed))
    }

    fn count(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(count) = self.responses.get(class) {
            count.fetch_add(1, Relaxed);
        }
    }
}
