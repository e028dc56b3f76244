//! What is counted of one queue: today's figures and the sliding window (ARCHITECTURE.md).
//!
//! Shares are reckoned by the domain's formulas; here is only counting.

use std::collections::VecDeque;

use atalaya_domain::kpi::{self, Counts, Treatment};
use atalaya_domain::time::{Span, Timestamp};
use serde_json::{Map, Value, json};

/// Length of the sliding window, in slices.
const WINDOW_SLICES: i64 = 180;
/// Length of a slice. The window ends with the slice that runs now, so it is between 14 min 55 s
/// and 15 min long.
const SLICE: Span = Span::seconds(5);

/// Counts of one local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Day {
    pub(super) offered: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) short_abandoned: u64,
    pub(super) refused: u64,
    /// Waiting at local midnight.
    pub(super) carried_over: u64,
    /// Of those who came under a target.
    pub(super) level: Counts,
    /// Sum of the waits of the answered.
    pub(super) waited: Span,
    /// Legs ended, wrap-up included.
    pub(super) legs: u64,
    /// Sum of their talk, hold and wrap-up.
    pub(super) handled: Span,
}

impl Day {
    pub(super) fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.short_abandoned += other.short_abandoned;
        self.refused += other.refused;
        self.carried_over += other.carried_over;
        self.waited.0 += other.waited.0;
        self.legs += other.legs;
        self.handled.0 += other.handled.0;
        add_counts(&mut self.level, &other.level);
    }

    /// `change` happened before midnight and is told after it: who entered waited then, who left
    /// did not.
    pub(super) fn amend_carried_over(&mut self, change: &Self) {
        let left = change.answered + change.abandoned + change.refused;
        self.carried_over = (self.carried_over + change.offered).saturating_sub(left);
    }

    /// The `_today` counters, in the order of the wire.
    pub(super) fn counters(&self, into: &mut Map<String, Value>) {
        let counters = [
            ("offered_today", self.offered),
            ("answered_today", self.answered),
            ("abandoned_today", self.abandoned),
            ("short_abandoned_today", self.short_abandoned),
            ("refused_today", self.refused),
            // Nobody overflows, is handed on or is called back yet.
            ("overflowed_out_today", 0),
            ("transferred_out_today", 0),
            ("callbacks_today", 0),
            ("carried_over_today", self.carried_over),
        ];
        into.extend(counters.map(|(name, count)| (name.to_owned(), json!(count))));
        into.insert("service_level_today".to_owned(), level(&self.level));
    }

    pub(super) fn asa_s(&self) -> Option<f64> {
        mean_s(self.waited, self.answered)
    }

    pub(super) fn aht_s(&self) -> Option<f64> {
        mean_s(self.handled, self.legs)
    }
}

/// The last quarter of an hour, in slices that hold something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Window(pub(super) VecDeque<(i64, Counts)>);

impl Window {
    /// Counts `counts` at `at`; an instant earlier than the last goes into its own slice.
    pub(super) fn count(&mut self, at: Timestamp, counts: &Counts) {
        let slice = slice_of(at);
        let place = self.0.partition_point(|(other, _)| *other < slice);
        match self.0.get_mut(place) {
            Some((other, held)) if *other == slice => add_counts(held, counts),
            Some(_) | None => self.0.insert(place, (slice, *counts)),
        }
        let newest = self.0.back().map_or(slice, |(newest, _)| *newest);
        while self.0.front().is_some_and(|(oldest, _)| *oldest <= newest - WINDOW_SLICES) {
            self.0.pop_front();
        }
    }

    pub(super) fn level(&self, now: Timestamp) -> Value {
        json!(self.share(now))
    }

    /// The service level of the window; nobody in it: no figure.
    pub(super) fn share(&self, now: Timestamp) -> Option<f64> {
        let last = slice_of(now);
        let mut sum = Counts::default();
        for (slice, counts) in &self.0 {
            if *slice > last - WINDOW_SLICES {
                add_counts(&mut sum, counts);
            }
        }
        kpi::service_level(&sum, Treatment::Standard)
    }
}

fn slice_of(at: Timestamp) -> i64 {
    at.0.div_euclid(SLICE.0)
}

fn level(counts: &Counts) -> Value {
    json!(kpi::service_level(counts, Treatment::Standard))
}

fn add_counts(sum: &mut Counts, other: &Counts) {
    sum.answered += other.answered;
    sum.answered_within += other.answered_within;
    sum.abandoned += other.abandoned;
    sum.abandoned_within += other.abandoned_within;
    sum.short_abandoned += other.short_abandoned;
}

/// Mean to the microsecond; nothing of nothing is no figure.
fn mean_s(sum: Span, count: u64) -> Option<f64> {
    let count = i64::try_from(count).ok().filter(|count| *count > 0)?;
    Some(Span(sum.0 / count).as_seconds())
}
