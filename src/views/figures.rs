//! What is counted of one queue: today's figures and the sliding windows (ARCHITECTURE.md).
//!
//! Shares and means are reckoned by the domain's formulas; here is only counting. A window counts
//! events in the slice of their own instant, so that each figure is a function of the log and of
//! the instant at which it is asked for.

use std::collections::VecDeque;

use atalaya_domain::contact::{Contact, State as Place};
use atalaya_domain::kpi::{Counts, Sums, Treatment};
use atalaya_domain::time::{Span, Timestamp};
use serde_json::{Map, Value, json};

/// How long a sliding window is, in slices of one length. It ends with the slice that runs now, so
/// it is up to a slice shorter than its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// The suffix of its figures on the wire.
    pub(super) name: &'static str,
    slice: Span,
    slices: i64,
}

/// A quarter of an hour.
pub(super) const QUARTER: Frame = Frame { name: "15m", slice: Span::seconds(5), slices: 180 };
/// An hour.
pub(super) const HOUR: Frame = Frame { name: "1h", slice: Span::seconds(60), slices: 60 };

impl Frame {
    fn slice_of(self, at: Timestamp) -> i64 {
        at.0.div_euclid(self.slice.0)
    }

    /// Whether the window that is asked for at `now` counts what happened at `at`.
    pub(super) fn holds(self, at: Timestamp, now: Timestamp) -> bool {
        let last = self.slice_of(now);
        (last - self.slices + 1..=last).contains(&self.slice_of(at))
    }
}

/// Counts of one local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Day {
    pub(super) sums: Sums,
    /// Waiting at local midnight.
    pub(super) carried_over: u64,
}

impl Day {
    pub(super) fn add(&mut self, other: &Self) {
        self.sums.add(&other.sums);
        self.carried_over += other.carried_over;
    }

    /// `change` happened before midnight and is told after it: who entered waited then, who left
    /// did not.
    pub(super) const fn amend_carried_over(&mut self, change: &Sums) {
        self.carried_over = (self.carried_over + change.offered).saturating_sub(change.left());
    }

    /// The `_today` counters, in the order of the wire.
    pub(super) fn counters(&self, into: &mut Map<String, Value>) {
        let Sums { offered, refused, counts, .. } = self.sums;
        let counters = [
            ("offered_today", offered),
            ("answered_today", counts.answered),
            ("abandoned_today", counts.abandoned),
            ("short_abandoned_today", counts.short_abandoned),
            ("refused_today", refused),
            ("overflowed_out_today", self.sums.overflowed_out()),
            ("transferred_out_today", self.sums.transferred_out()),
            ("callbacks_today", self.sums.callbacks()),
            ("carried_over_today", self.carried_over),
        ];
        into.extend(counters.map(|(name, count)| (name.to_owned(), json!(count))));
        let level = self.sums.service_level(Treatment::Standard);
        into.insert("service_level_today".to_owned(), json!(level));
    }
}

/// What a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Recent {
    pub(super) offered: u64,
    pub(super) counts: Counts,
    /// Of those who came under a target.
    pub(super) level: Counts,
}

impl Recent {
    pub(super) const fn of(change: &Sums) -> Self {
        Self { offered: change.offered, counts: change.counts, level: change.level }
    }

    pub(super) const fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.counts.add(&other.counts);
        self.level.add(&other.level);
    }

    /// The figures of `frame`, in the order of the wire.
    pub(super) fn counters(&self, frame: Frame, into: &mut Map<String, Value>) {
        let Counts { answered, abandoned, short_abandoned, .. } = self.counts;
        let counters = [
            ("offered", self.offered),
            ("answered", answered),
            ("abandoned", abandoned),
            ("short_abandoned", short_abandoned),
        ];
        let name = |figure: &str| format!("{figure}_{}", frame.name);
        into.extend(counters.map(|(figure, count)| (name(figure), json!(count))));
        into.insert(name("service_level"), json!(self.service_level()));
    }

    /// Share answered in time; nobody came under a target: no figure.
    pub(super) fn service_level(&self) -> Option<f64> {
        atalaya_domain::kpi::service_level(&self.level, Treatment::Standard)
    }
}

/// A sliding window, in slices that hold something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) frame: Frame,
    pub(super) slices: VecDeque<(i64, Recent)>,
}

impl Window {
    /// Nothing has happened.
    pub(super) const fn new(frame: Frame) -> Self {
        Self { frame, slices: VecDeque::new() }
    }

    /// Counts what happened at `at`; an instant earlier than the last goes into its own slice.
    pub(super) fn count(&mut self, at: Timestamp, recent: &Recent) {
        if *recent == Recent::default() {
            return;
        }
        let (slice, slices) = (self.frame.slice_of(at), self.frame.slices);
        let place = self.slices.partition_point(|(other, _)| *other < slice);
        match self.slices.get_mut(place) {
            Some((other, held)) if *other == slice => held.add(recent),
            Some(_) | None => self.slices.insert(place, (slice, *recent)),
        }
        let newest = self.slices.back().map_or(slice, |(newest, _)| *newest);
        while self.slices.front().is_some_and(|(oldest, _)| *oldest <= newest - slices) {
            self.slices.pop_front();
        }
    }

    /// All of it as of `now`.
    pub(super) fn sum(&self, now: Timestamp) -> Recent {
        let oldest = self.frame.slice_of(now) - self.frame.slices;
        let mut sum = Recent::default();
        for (_, recent) in self.slices.iter().filter(|(slice, _)| *slice > oldest) {
            sum.add(recent);
        }
        sum
    }
}

/// What is counted by a contact's change at `at`.
pub(super) fn change(at: Timestamp, before: &Contact, after: &Contact) -> Sums {
    let mut sums = Sums::default();
    if before.state == after.state {
        return sums;
    }
    let within = after.entered.as_ref().and_then(|entered| entered.terms.within);
    let wait = at.since(after.arrived_at);
    let in_time = within.is_some_and(|within| wait <= within);
    sums.offered = u64::from(before.state == Place::Unborn);
    sums.refused = u64::from(matches!(after.state, Place::Refused { .. }));
    if before.answered_at.is_none() && after.answered_at.is_some() {
        sums.counts.answered = 1;
        sums.counts.answered_within = u64::from(in_time);
        sums.waited_answered = i128::from(wait.0);
        sums.longest = Some(wait);
    }
    if after.state == Place::Abandoned {
        sums.counts.abandoned = 1;
        sums.counts.abandoned_within = u64::from(in_time);
        sums.counts.short_abandoned = u64::from(before.is_short(at));
        sums.waited_abandoned = i128::from(wait.0);
        sums.longest = Some(wait);
    }
    if within.is_some() {
        sums.level = sums.counts;
    }
    if let (Place::Closed { .. }, Some(answered)) = (&after.state, after.answered_at) {
        sums.legs = 1;
        sums.handled = i128::from(at.since(answered).0);
    }
    sums
}
