//! Sums of one group of contacts: counted as things happen, and added to those of other groups.
//!
//! One queue's day, a quarter of an hour, an hour of all queues: each is a sum of sums, and each
//! figure of it is reckoned here. Means are to the microsecond, as all instants of the API are.

use super::{Counts, Treatment, abandonment_rate, service_level};
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Tried to enter.
    pub offered: u64,
    /// Not admitted, or sent away.
    pub refused: u64,
    /// What became of those who waited.
    pub counts: Counts,
    /// The same of those who came under a target: what service levels are of.
    pub level: Counts,
    /// Waits of the answered, in microseconds.
    pub waited_answered: i128,
    /// Waits of those who left, in microseconds.
    pub waited_abandoned: i128,
    /// Longest wait of the answered and of those who left; nobody did: none.
    pub longest: Option<Span>,
    /// Legs ended, wrap-up included.
    pub legs: u64,
    /// Their talk, hold and wrap-up, in microseconds.
    pub handled: i128,
}

impl Sums {
    /// Nobody came.
    pub const NOTHING: Self = Self {
        offered: 0,
        refused: 0,
        counts: Counts::NOTHING,
        level: Counts::NOTHING,
        waited_answered: 0,
        waited_abandoned: 0,
        longest: None,
        legs: 0,
        handled: 0,
    };

    /// Left for another queue unanswered. Nobody does in this version.
    pub const fn overflowed_out(&self) -> u64 {
        0
    }

    /// Handed on unanswered. Nobody is in this version.
    pub const fn transferred_out(&self) -> u64 {
        0
    }

    /// Asked to be called back. Nobody can in this version.
    pub const fn callbacks(&self) -> u64 {
        0
    }

    /// Waits no more, whatever became of it.
    pub const fn left(&self) -> u64 {
        let Counts { answered, abandoned, .. } = self.counts;
        answered
            + abandoned
            + self.refused
            + self.overflowed_out()
            + self.transferred_out()
            + self.callbacks()
    }

    /// Counts `other` too.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.refused += other.refused;
        self.counts.add(&other.counts);
        self.level.add(&other.level);
        self.waited_answered += other.waited_answered;
        self.waited_abandoned += other.waited_abandoned;
        self.longest = self.longest.max(other.longest);
        self.legs += other.legs;
        self.handled += other.handled;
    }

    /// Share answered in time, of those who came under a target.
    pub fn service_level(&self, treatment: Treatment) -> Option<f64> {
        service_level(&self.level, treatment)
    }

    /// Mean wait of the answered.
    pub fn asa_s(&self) -> Option<f64> {
        mean_s(self.waited_answered, self.counts.answered)
    }

    /// Mean wait of the answered and of those who left.
    pub fn mean_wait_s(&self) -> Option<f64> {
        let waited = self.waited_answered + self.waited_abandoned;
        mean_s(waited, self.counts.answered + self.counts.abandoned)
    }

    /// Mean of talk, hold and wrap-up.
    pub fn aht_s(&self) -> Option<f64> {
        mean_s(self.handled, self.legs)
    }

    /// (Abandoned − short) ÷ (offered − short).
    pub fn abandonment_rate(&self) -> Option<f64> {
        abandonment_rate(self.offered, self.counts.abandoned, self.counts.short_abandoned)
    }
}

impl Counts {
    /// Nobody.
    pub const NOTHING: Self = Self {
        answered: 0,
        answered_within: 0,
        abandoned: 0,
        abandoned_within: 0,
        short_abandoned: 0,
    };

    /// Counts `other` too.
    pub const fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.answered_within += other.answered_within;
        self.abandoned += other.abandoned;
        self.abandoned_within += other.abandoned_within;
        self.short_abandoned += other.short_abandoned;
    }
}

/// Mean to the microsecond; nothing of nothing is no figure.
fn mean_s(micros: i128, count: u64) -> Option<f64> {
    let mean = (count > 0).then(|| micros / i128::from(count))?;
    Some(Span(i64::try_from(mean).unwrap_or(i64::MAX)).as_seconds())
}
