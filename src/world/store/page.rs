//! Listings of any length: one row of text per few thousand entries, so that a hundred thousand mailboxes
//! cost a few dozen round trips to SQLite's thread, and no read transaction outlives a page.

/// Fields end with TAB, rows with NEWLINE; neither can be in a name.
#[derive(Debug, Default)]
pub struct Page<const FIELDS: usize>(Option<String>);

impl<const FIELDS: usize> Page<FIELDS> {
    /// Entries per page: big enough to forget the round trip, small enough for the first line to come at once.
    pub const SIZE: i64 = 4096;

    pub(super) fn new(text: Option<String>) -> Self {
        Self(text)
    }

    /// The entries; none = the listing is over.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = [&str; FIELDS]> {
        self.0.iter().flat_map(|text| text.lines()).map(|line| {
            let mut fields = line.split('\t');
            std::array::from_fn(|_| fields.next().unwrap_or_default())
        })
    }
}
