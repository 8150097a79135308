//! Networks, as a sorted table of ranges: which network is the smallest one around an address takes one binary search,
//! whether there are ten or a million.

/// An address as a number.
pub trait Number: Copy + Ord {
    /// The one after it; `None` after the last.
    fn next(self) -> Option<Self>;
}

impl Number for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Nobody's.
const NOBODY: u32 = u32::MAX;

/// Each range begins at a start and ends before the next one.
#[derive(Debug)]
pub struct Ranges<N> {
    starts: Vec<N>,
    owners: Vec<u32>,
}

impl<N> Default for Ranges<N> {
    fn default() -> Self {
        Self { starts: Vec::new(), owners: Vec::new() }
    }
}

/// A network: its first and last address, and whose it is.
pub type Net<N> = (N, N, u32);

impl<N: Number> Ranges<N> {
    /// Of networks, of which two never overlap but by holding one another. Where two are the same, the first counts.
    pub fn new(mut nets: Vec<Net<N>>) -> Self {
        // The sort is stable; whoever holds others comes before them.
        nets.sort_by(|one, two| one.0.cmp(&two.0).then(two.1.cmp(&one.1)));
        nets.dedup_by(|later, first| (later.0, later.1) == (first.0, first.1));
        let mut ranges = Self::default();
        let mut around: Vec<(N, u32)> = Vec::new();
        for (first, last, owner) in nets {
            while around.last().is_some_and(|(end, _)| *end < first) {
                ranges.leave(&mut around);
            }
            ranges.begin(first, owner);
            around.push((last, owner));
        }
        while !around.is_empty() {
            ranges.leave(&mut around);
        }
        ranges.starts.shrink_to_fit();
        ranges.owners.shrink_to_fit();
        ranges
    }

    /// Behind the innermost network, that which is around it goes on.
    fn leave(&mut self, around: &mut Vec<(N, u32)>) {
        let ended = around.pop();
        let owner = around.last().map_or(NOBODY, |(_, owner)| *owner);
        if let Some(start) = ended.and_then(|(end, _)| end.next()) {
            self.begin(start, owner);
        }
    }

    fn begin(&mut self, start: N, owner: u32) {
        match self.owners.last_mut() {
            Some(last) if self.starts.last() == Some(&start) => *last = owner,
            _ => {
                self.starts.push(start);
                self.owners.push(owner);
            }
        }
    }

    /// Whose the smallest network around `address` is.
    pub fn owner(&self, address: N) -> Option<u32> {
        let at = self.starts.partition_point(|start| *start <= address).checked_sub(1)?;
        self.owners.get(at).copied().filter(|owner| *owner != NOBODY)
    }
}
