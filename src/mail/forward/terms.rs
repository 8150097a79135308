//! Whether a forward counts, and until when.

/// Most characters of a note.
pub const NOTE: usize = 500;

/// What is set beside the targets of a forward.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Terms {
    /// It counts.
    pub enabled: bool,
    /// The first second since 1970 at which it counts no more; `None` = it stays.
    pub until: Option<i64>,
    /// For people; "" = none.
    pub note: String,
}

/// Why a forward does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// Somebody switched it off.
    Disabled,
    /// It is over since this second since 1970.
    Expired(i64),
}

impl Default for Terms {
    fn default() -> Self {
        Self { enabled: true, until: None, note: String::new() }
    }
}

impl Terms {
    /// Why it does not count at `now`, in seconds since 1970; `None` = it does.
    pub fn off(&self, now: i64) -> Option<Off> {
        if !self.enabled {
            return Some(Off::Disabled);
        }
        self.until.filter(|until| *until <= now).map(Off::Expired)
    }
}
