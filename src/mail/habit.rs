//! What a login usually sends, and when it is so far above that somebody else may be using it.

/// When a login is frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// At so many times its usual recipients of a day; 0 = never.
    pub times: u32,
    /// But not below so many recipients of a day.
    pub from: u32,
}

/// What is known of one login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habit {
    /// The day that is counted, in days since 1970 (UTC).
    day: u32,
    /// Recipients of that day.
    today: u32,
    /// The usual recipients of a day, in sixteenths.
    usual: u32,
    /// So many are no reason to freeze today: the administrator has seen them.
    excused: u32,
    /// When it was frozen, in Unix time; 0 = it is not.
    frozen: u32,
}

/// A day counts one eighth, those before it the rest: a week's habit.
const SHARE: u32 = 8;

impl Habit {
    /// Seconds after which a login that sent nothing has no habit any more.
    pub const KEPT: u32 = 90 * 86_400;

    /// When it was frozen, where it is.
    pub fn frozen(&self) -> Option<u32> {
        (self.frozen > 0).then_some(self.frozen)
    }

    /// With so many recipients more at `now`. Frozen from now on where they are too many; those are not counted, for
    /// their message is refused.
    #[must_use]
    pub fn add(self, rule: &Freeze, recipients: u32, now: u32) -> Self {
        let mut habit = self.at(now / 86_400);
        let today = habit.today.saturating_add(recipients);
        if rule.times > 0 && habit.frozen == 0 && today > habit.most(rule).max(habit.excused) {
            habit.frozen = now.max(1);
        } else {
            habit.today = today;
        }
        habit
    }

    /// Recipients that a day may have.
    pub fn most(&self, rule: &Freeze) -> u32 {
        (self.usual / 16).saturating_mul(rule.times).max(rule.from)
    }

    /// Free again; as many as there were, and as many again as it may have in any case, are no reason today.
    #[must_use]
    pub fn thawed(self, rule: &Freeze) -> Self {
        let excused = self.today.saturating_add(self.most(rule).saturating_mul(2));
        Self { frozen: 0, excused, ..self }
    }

    /// On that day. A clock that went back changes nothing.
    fn at(mut self, day: u32) -> Self {
        if self.day == 0 {
            self.day = day;
        }
        // After two months of silence nothing is left of a habit that fits in 32 bits.
        for _ in 0..day.saturating_sub(self.day).min(200) {
            let today = self.today.saturating_mul(16);
            self.usual = self.usual - self.usual / SHARE + today / SHARE;
            (self.today, self.excused) = (0, 0);
        }
        self.day = self.day.max(day);
        self
    }

    /// Octets of [`Habit::to_octets`].
    pub const OCTETS: usize = 20;

    /// For the disk.
    pub fn to_octets(self, out: &mut Vec<u8>) {
        for number in [self.day, self.today, self.usual, self.excused, self.frozen] {
            out.extend(number.to_le_bytes());
        }
    }

    /// From the disk.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; 20] = octets.try_into().ok()?;
        let at = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| octets[4 * at + index]));
        Some(Self { day: at(0), today: at(1), usual: at(2), excused: at(3), frozen: at(4) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 86_400;
    const BEGIN: u32 = 20_000 * DAY;
    const RULE: Freeze = Freeze { times: 10, from: 300 };

    /// Proves: threats 30 (a login that is used by somebody else is frozen, an honest one is not).
    #[test]
    fn a_login_far_above_its_habit_is_frozen() {
        // Thirty recipients a day for three weeks.
        let mut habit = Habit::default();
        for day in 0..21 {
            habit = habit.add(&RULE, 30, BEGIN + day * DAY);
        }
        assert_eq!(habit.most(&RULE), 300);
        let now = BEGIN + 21 * DAY;
        let busy = habit.add(&RULE, 250, now);
        assert_eq!(busy.frozen(), None);
        let spam = busy.add(&RULE, 100, now + 60);
        assert_eq!(spam.frozen(), Some(now + 60));
        assert!(spam.add(&RULE, 1, now + DAY).frozen().is_some(), "it stays so until somebody looks");
        let thawed = spam.thawed(&RULE).add(&RULE, 100, now + 120);
        assert_eq!(thawed.frozen(), None);
        assert!(thawed.add(&RULE, 5000, now + 180).frozen().is_some());
    }

    #[test]
    fn who_always_sends_much_may() {
        let mut habit = Habit::default();
        for day in 0..30 {
            habit = habit.add(&RULE, 290, BEGIN + day * DAY);
        }
        assert_eq!(habit.add(&RULE, 2000, BEGIN + 30 * DAY).frozen(), None);
        // And has no habit any more after a long silence.
        let silent = habit.add(&RULE, 1, BEGIN + 200 * DAY);
        assert_eq!(silent.most(&RULE), 300);
        assert!(habit.add(&Freeze::default(), u32::MAX, BEGIN).frozen().is_none());
    }

    #[test]
    fn a_clock_that_goes_back_changes_nothing() {
        let habit = Habit::default().add(&RULE, 200, BEGIN + 5 * DAY).add(&RULE, 50, BEGIN);
        assert_eq!((habit.today, habit.frozen()), (250, None));
        let mut octets = Vec::new();
        habit.to_octets(&mut octets);
        assert_eq!(Habit::from_octets(&octets), Some(habit));
    }
}
