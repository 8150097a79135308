//! The book of alerts, as kept in the home.

use super::{World, atomic, io_error};
use crate::{
    error::{Error, codes},
    mail::alert::Book,
};
use std::{fs, io::ErrorKind};

impl World {
    /// What is known; nothing where there is no book, or one that cannot be understood: then all is told once more.
    pub fn alerts(&self) -> Result<Book, Error> {
        let path = self.paths.alerts();
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Book::default()),
            Err(error) => Err(io_error("read", &path, &error)),
        }
    }

    /// Writes it, where it has changed.
    pub fn note_alerts(&self, book: &Book, before: &Book) -> Result<(), Error> {
        if book == before {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(book)
            .map_err(|e| Error::new(codes::BUG, "cannot write the alerts down").cause(e))?;
        atomic::write(&self.paths.alerts(), &text, atomic::PRIVATE)
    }
}
