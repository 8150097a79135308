//! How often a rule has matched.

/// A counter, as mailctld remembers it under the rule's number: eight octets on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Matches {
    /// How often; it stays at the highest number that fits.
    pub count: u32,
    /// When last, in seconds since 1970.
    pub last: u32,
}

impl Matches {
    /// One more at `now`.
    #[must_use]
    pub fn once_more(self, now: u32) -> Self {
        Self { count: self.count.saturating_add(1), last: self.last.max(now) }
    }

    /// As it is kept.
    pub fn octets(self) -> [u8; 8] {
        let mut octets = [0; 8];
        octets[..4].copy_from_slice(&self.count.to_le_bytes());
        octets[4..].copy_from_slice(&self.last.to_le_bytes());
        octets
    }

    /// Reads [`Matches::octets`].
    pub fn of_octets(octets: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = octets;
        Self { count: u32::from_le_bytes([a, b, c, d]), last: u32::from_le_bytes([e, f, g, h]) }
    }
}
