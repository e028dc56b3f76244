//! How long callers would have waited: those who were answered tell only that it was longer.
//!
//! The estimate is that of Kaplan and Meier (1958) over all calls of the file: those who hung up
//! while queueing are the ends, those who were answered are cut off at their wait. There is no
//! chance in it: the share drawn is the contact's line, spread evenly.

use std::collections::BTreeMap;

use atalaya_domain::time::Span;

use super::call::{Call, Ended};

/// 2⁶⁴ divided by the golden ratio: multiples of it, cut to 64 bits, lie evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The share of callers who wait longer than so long.
pub(super) struct Patience {
    steps: Vec<(Span, f64)>,
    pub(super) hung_up: u64,
    pub(super) cut_off: u64,
}

impl Patience {
    pub(super) fn new<'a>(calls: impl Iterator<Item = &'a Call>) -> Self {
        // How many hung up and how many were answered after each wait.
        let mut waits: BTreeMap<Span, (u32, u32)> = BTreeMap::new();
        for call in calls {
            let (hung_up, answered) = waits.entry(call.q_time).or_default();
            *(if call.ended == Ended::HungUp { hung_up } else { answered }) += 1;
        }
        let (mut hung_up, mut cut_off) = (0, 0);
        for (ends, cut) in waits.values() {
            (hung_up, cut_off) = (hung_up + u64::from(*ends), cut_off + u64::from(*cut));
        }
        let mut left: u32 = waits.values().map(|(ends, cut)| ends + cut).sum();
        let mut longer = 1.0;
        let mut steps = Vec::new();
        for (wait, (ends, cut)) in waits {
            if ends > 0 {
                longer *= 1.0 - f64::from(ends) / f64::from(left);
                steps.push((wait, longer));
            }
            left -= ends + cut;
        }
        Self { steps, hung_up, cut_off }
    }

    /// Longer than `wait` by the share at `place`; `None` where nobody was seen to wait so long.
    pub(super) fn beyond(&self, wait: Span, place: u64) -> Option<Span> {
        let from = self.steps.partition_point(|(at, _)| *at <= wait);
        let share = from.checked_sub(1).map_or(1.0, |last| self.steps[last].1);
        let wanted = share * even(place);
        self.steps[from..].iter().find(|(_, longer)| *longer <= wanted).map(|(at, _)| *at)
    }
}

/// A number from 0 up to 1, spread evenly over neighbouring places.
pub(super) fn even(place: u64) -> f64 {
    let high = u32::try_from(place.wrapping_mul(GOLDEN) >> 32).unwrap_or_default();
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

/// The value of `sorted` at the share of `place`.
pub(super) fn drawn(sorted: &[Span], place: u64) -> Option<Span> {
    let scaled = u128::from(place.wrapping_mul(GOLDEN)) * u128::try_from(sorted.len()).ok()?;
    sorted.get(usize::try_from(scaled >> 64).ok()?).copied()
}
