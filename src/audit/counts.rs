//! What the auditor counts of one queue: a local day, sliding windows, and the whole log.
//!
//! *Rule of the windows.* Time is cut into slices from the epoch on (UTC), of s = 5 s for the
//! window of 15 min and of 60 s for that of an hour; what happened at `t` lies in slice ⌊t ÷ s⌋,
//! with `t` the event's own `at`, also when it was told later. A window of n slices read at `at`
//! sums the slices from ⌊at ÷ s⌋ − n + 1 on: 180 of 5 s, 60 of 60 s. So a figure is a function of
//! the log and of `at`.
//!
//! *Rule of the day.* What happened before local midnight and was told after it changes who was
//! carried over, never the day's counts.

use std::collections::VecDeque;
use std::ops::AddAssign;

/// Microseconds of the slices that are kept: those of the longer window are made of them.
const SLICE: i64 = 5_000_000;
/// Kept slices that the longest window may hold; older ones are dropped.
const KEPT_MAX: i64 = 720;

/// A window: its name on the wire, and how it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) name: &'static str,
    /// Kept slices in one of its own.
    width: i64,
    slices: i64,
}

/// A quarter of an hour.
pub(super) const QUARTER: Frame = Frame { name: "15m", width: 1, slices: 180 };
/// An hour.
pub(super) const HOUR: Frame = Frame { name: "1h", width: 12, slices: 60 };

/// Sums of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) offered: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) short: u64,
    pub(super) refused: u64,
    /// Of contacts that came under a target: answered, of these within it, abandoned, of these
    /// short.
    pub(super) target: [u64; 4],
    /// Waits of the answered, in microseconds.
    pub(super) waited: i64,
    /// Legs that ended, and their talk, hold and wrap-up in microseconds.
    pub(super) legs: u64,
    pub(super) handled: i64,
    /// Of contacts whose terms are not known: shares cannot be told.
    pub(super) unknown: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.short += other.short;
        self.refused += other.refused;
        for (sum, more) in self.target.iter_mut().zip(other.target) {
            *sum += more;
        }
        self.waited += other.waited;
        self.legs += other.legs;
        self.handled += other.handled;
        self.unknown += other.unknown;
    }
}

/// A figure that may not exist, or may not be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    /// Some contact's terms are not known.
    Unknown,
    /// Nothing to divide by: null on the wire, NaN in a scrape.
    None,
    /// The value.
    Is(f64),
}

impl Counts {
    /// Answered within the target ÷ (answered + abandoned − short).
    pub(super) fn service_level(&self) -> Figure {
        let [answered, within, abandoned, short] = self.target;
        if self.unknown > 0 {
            return Figure::Unknown;
        }
        match (answered + abandoned).saturating_sub(short) {
            0 => Figure::None,
            of => Figure::Is(float(within) / float(of)),
        }
    }

    /// Mean wait of the answered, in seconds.
    pub(super) fn asa(&self) -> Figure {
        mean(self.waited, self.answered)
    }

    /// Mean of talk, hold and wrap-up, in seconds.
    pub(super) fn aht(&self) -> Figure {
        mean(self.handled, self.legs)
    }
}

/// A mean to the microsecond.
fn mean(sum: i64, count: u64) -> Figure {
    match i64::try_from(count) {
        Ok(0) | Err(_) => Figure::None,
        Ok(count) => Figure::Is(seconds(sum / count)),
    }
}

/// Seconds of microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a log stay below 2^53")]
pub(super) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// A count as a number of a scrape.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

/// Number of the slice that holds an instant.
pub(super) const fn slice_of(at: i64) -> i64 {
    at.div_euclid(SLICE)
}

/// Slices that hold something, the oldest first; those that no window holds are dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Windows(VecDeque<(i64, Counts)>);

impl Windows {
    pub(super) fn add(&mut self, at: i64, counts: Counts) {
        let slice = slice_of(at);
        let place = self.0.partition_point(|(other, _)| *other < slice);
        match self.0.get_mut(place) {
            Some((other, held)) if *other == slice => *held += counts,
            Some(_) | None => self.0.insert(place, (slice, counts)),
        }
        let newest = self.0.back().map_or(slice, |(newest, _)| *newest);
        while self.0.front().is_some_and(|(oldest, _)| *oldest <= newest - KEPT_MAX) {
            self.0.pop_front();
        }
    }

    /// The window of `frame` that ends with the kept slice `last`.
    pub(super) fn sum(&self, last: i64, frame: Frame) -> Counts {
        let oldest = last.div_euclid(frame.width) - frame.slices;
        let mut sum = Counts::default();
        for (slice, counts) in &self.0 {
            if slice.div_euclid(frame.width) > oldest {
                sum += *counts;
            }
        }
        sum
    }
}

/// How observed times are spread over bounds that a scrape has named.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread {
    /// Observed at or below each bound, and not below the one before.
    within: Vec<u64>,
    pub(super) count: u64,
    /// In microseconds.
    pub(super) sum: i64,
}

impl Spread {
    /// Counts `micros`; `bounds` in seconds, rising, the same at each call.
    pub(super) fn observe(&mut self, bounds: &[f64], micros: i64) {
        self.within.resize(bounds.len(), 0);
        let micros = micros.max(0);
        let place = bounds.partition_point(|bound| *bound < seconds(micros));
        if let Some(count) = self.within.get_mut(place) {
            *count += 1;
        }
        self.count += 1;
        self.sum += micros;
    }

    /// How many are at or below each bound.
    pub(super) fn cumulative(&self, bounds: &[f64]) -> Vec<u64> {
        let mut sum = 0;
        let below = |place| self.within.get(place).copied().unwrap_or(0);
        let cumulative = (0..bounds.len()).map(|place| {
            sum += below(place);
            sum
        });
        cumulative.collect()
    }
}

/// Ends of an offer, as `result` names them.
pub(super) const RESULTS: [&str; 4] = ["accepted", "rejected", "missed", "recalled"];

/// Times of contacts, in the order of their families in a scrape.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    pub(super) answered: Spread,
    pub(super) abandoned: Spread,
    pub(super) offer_to_answer: Spread,
    pub(super) handle: Spread,
}

/// All that is counted of one queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) today: Counts,
    /// Waiting at local midnight.
    pub(super) carried_over: u64,
    pub(super) windows: Windows,
    pub(super) whole: Counts,
    /// By [`RESULTS`].
    pub(super) offers: [u64; 4],
    pub(super) times: Times,
}

impl Book {
    /// Something happened at `at`; the local day of the log's present began at `day`.
    pub(super) fn count(&mut self, at: i64, day: i64, more: Counts) {
        self.whole += more;
        self.windows.add(at, more);
        if at >= day {
            self.today += more;
        } else {
            let left = more.answered + more.abandoned + more.refused;
            self.carried_over = (self.carried_over + more.offered).saturating_sub(left);
        }
    }

    /// A local day begins; so many wait.
    pub(super) fn turn(&mut self, waiting: u64) {
        (self.today, self.carried_over) = (Counts::default(), waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_cut_into_slices() {
        let mut windows = Windows::default();
        let second = 1_000_000;
        for at in [0, 4, 5, 59, 60] {
            let one = Counts { offered: 1, ..Counts::default() };
            windows.add(at * second, one);
        }
        let at = |seconds: i64, frame| windows.sum(slice_of(seconds * second), frame).offered;
        assert_eq!([at(60, QUARTER), at(899, QUARTER), at(900, QUARTER)], [5, 5, 3]);
        assert_eq!([at(905, QUARTER), at(3_599, HOUR), at(3_600, HOUR)], [2, 5, 1]);
    }

    #[test]
    fn what_is_told_after_midnight_and_was_before_changes_who_was_carried_over() {
        let mut book = Book::default();
        book.turn(2);
        book.count(99, 100, Counts { answered: 1, ..Counts::default() });
        book.count(100, 100, Counts { offered: 1, ..Counts::default() });
        assert_eq!((book.carried_over, book.today.answered, book.today.offered), (1, 0, 1));
        assert_eq!((book.whole.answered, book.whole.offered), (1, 1));
    }

    #[test]
    fn times_are_spread_over_bounds_that_hold_their_own_value() {
        let mut spread = Spread::default();
        let bounds = [1.0, 2.0];
        for micros in [1_000_000, 1_000_001, 2_000_000, 2_000_001] {
            spread.observe(&bounds, micros);
        }
        assert_eq!(spread.cumulative(&bounds), [1, 3]);
        assert_eq!((spread.count, spread.sum), (4, 6_000_002));
    }
}
