//! Which entry decides about a message.

use super::{
    Entry, Way,
    key::Kind,
    table::{Hit, Table},
};
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// The entries of the commands and those of each file: kept apart, so that a change of one need not wait for a hundred
/// thousand lines of the others.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// Made by commands.
    pub commands: Arc<Table>,
    /// Those of each file.
    pub files: Vec<Arc<Table>>,
}

/// What is known of a message, as Postfix names it. What is not known is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The client.
    pub client: Option<IpAddr>,
    /// What it calls itself.
    pub helo: &'a [u8],
    /// The envelope's sender.
    pub sender: &'a [u8],
    /// A recipient.
    pub recipient: &'a [u8],
    /// Between a local part and its tag.
    pub delimiter: char,
}

impl Lists {
    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.tables().all(|table| table.entries().is_empty())
    }

    /// How many entries allow, and how many block.
    pub fn counts(&self) -> (usize, usize) {
        let counts = self.tables().map(Table::counts);
        counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    /// The entry that decides about a message of somebody who has not logged in. Of each kind the most specific one
    /// speaks. Then whoever allows the client, the sender or the recipient wins over all that block; a HELO name, which
    /// costs nothing to say, allows nothing but itself.
    pub fn judge(&self, subject: &Subject<'_>) -> Option<&Entry> {
        if self.is_empty() {
            return None;
        }
        let client = subject.client.and_then(|client| self.both(|table| table.client(client)));
        let helo = lower(subject.helo);
        let helo = self.both(|table| table.helo(&helo));
        let sender = self.address(Kind::Sender, subject.sender, subject.delimiter);
        let recipient = self.recipient(subject.recipient, subject.delimiter);
        let is = |way: Way| move |entry: &&Entry| entry.way == way;
        let allows = [client, sender, recipient].into_iter().flatten().find(is(Way::Allow));
        allows.or_else(|| [client, helo, sender, recipient].into_iter().flatten().find(is(Way::Block)))
    }

    /// The entry that is on a recipient: the only ones that are asked for whoever logged in or is trusted.
    pub fn recipient(&self, recipient: &[u8], delimiter: char) -> Option<&Entry> {
        self.address(Kind::Recipient, recipient, delimiter)
    }

    fn address(&self, kind: Kind, address: &[u8], delimiter: char) -> Option<&Entry> {
        if address.is_empty() || self.is_empty() {
            return None;
        }
        let address = lower(address);
        self.both(|table| table.address(kind, &address, delimiter))
    }

    fn both<'a>(&'a self, ask: impl Fn(&'a Table) -> Option<Hit<'a>>) -> Option<&'a Entry> {
        self.tables().map(ask).reduce(Hit::stronger).flatten().map(|hit| hit.entry)
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        std::iter::once(&self.commands).chain(&self.files).map(Arc::as_ref)
    }
}

/// In lower case; copied only where it is not.
fn lower(text: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(text) if !text.bytes().any(|b| b.is_ascii_uppercase()) => Cow::Borrowed(text),
        text => Cow::Owned(text.to_ascii_lowercase()),
    }
}
