//! What is counted for metrics: sums over the whole log, which no midnight turns.
//!
//! A part of the wallboard, folded and read with it, so that a scrape is of one instant with it.
//! Being a fold of the log from its first event, a counter goes on over a restart where it was: it
//! neither starts again nor counts anything twice. Only a restored older log takes it back.

use std::collections::BTreeMap;

use atalaya_domain::agent::Kind;
use atalaya_domain::contact::{self, Contact};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{QueueId, Slug};
use atalaya_domain::kpi::{Counts, Sums};
use atalaya_domain::machine::Event;
use atalaya_domain::time::{Span, Timestamp};

use super::figures::change;
use crate::telemetry::Histogram;

/// Bounds of a citizen's and an agent's times, in microseconds: 0.25 s to an hour.
const BOUNDS_US: &[u64] = &[
    250_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    180_000_000,
    300_000_000,
    600_000_000,
    1_200_000_000,
    1_800_000_000,
    3_600_000_000,
];

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferEnd {
    /// The agent took it.
    Accepted,
    /// The agent turned it down.
    Rejected,
    /// It ran out.
    Missed,
    /// It was withdrawn.
    Recalled,
}

impl OfferEnd {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Rejected, Self::Missed, Self::Recalled];

    /// The word in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Missed => "missed",
            Self::Recalled => "recalled",
        }
    }

    const fn of(event: &contact::Event) -> Option<Self> {
        match event {
            contact::Event::OfferAccepted { .. } => Some(Self::Accepted),
            contact::Event::OfferRejected { .. } => Some(Self::Rejected),
            contact::Event::OfferMissed { .. } => Some(Self::Missed),
            contact::Event::OfferRecalled { .. } => Some(Self::Recalled),
            _ => None,
        }
    }
}

/// Contacts that are counted: the middle of the metric's name, and what it counts.
pub const CONTACTS: [(&str, &str); 6] = [
    ("offered", "Contacts that tried to enter the queue."),
    ("answered", "Contacts answered by an agent."),
    ("answered_within_target", "Contacts answered within the queue's target."),
    ("abandoned", "Contacts that left while waiting, short ones included."),
    ("short_abandoned", "Contacts that left while waiting within the short bound."),
    ("refused", "Contacts that were not admitted or were sent away."),
];

/// All that was counted of one queue since the log began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// In the order of [`CONTACTS`].
    pub contacts: [u64; CONTACTS.len()],
    /// In the order of [`OfferEnd::ALL`].
    pub offers: [u64; OfferEnd::ALL.len()],
    /// Waits of the answered.
    pub answered: Histogram,
    /// Waits of those who left.
    pub abandoned: Histogram,
    /// From the offer that was taken to the answer.
    pub offer_to_answer: Histogram,
    /// Talk, hold and wrap-up.
    pub handle: Histogram,
}

impl Default for Counted {
    fn default() -> Self {
        let times = || Histogram::new(BOUNDS_US);
        Self {
            contacts: [0; CONTACTS.len()],
            offers: [0; OfferEnd::ALL.len()],
            answered: times(),
            abandoned: times(),
            offer_to_answer: times(),
            handle: times(),
        }
    }
}

impl Counted {
    fn fold(&mut self, at: Timestamp, event: &contact::Event, before: &Contact, after: &Contact) {
        let change = change(at, before, after);
        let Sums { offered, refused, counts, .. } = change;
        let Counts { answered, answered_within, abandoned, short_abandoned, .. } = counts;
        let more = [offered, answered, answered_within, abandoned, short_abandoned, refused];
        for (count, more) in self.contacts.iter_mut().zip(more) {
            *count += more;
        }
        let end = OfferEnd::of(event);
        for (count, counted) in self.offers.iter_mut().zip(OfferEnd::ALL) {
            *count += u64::from(end == Some(counted));
        }
        let wait = micros(at.since(after.arrived_at));
        if answered > 0 {
            self.answered.observe(wait);
            if let Some(offered_at) = after.offered_at {
                self.offer_to_answer.observe(micros(at.since(offered_at)));
            }
        }
        if abandoned > 0 {
            self.abandoned.observe(wait);
        }
        if change.legs > 0 {
            self.handle.observe(u64::try_from(change.handled).unwrap_or(0));
        }
    }

    /// All of it as numbers, in a fixed order.
    fn numbers(&self) -> Vec<u64> {
        let times = [&self.answered, &self.abandoned, &self.offer_to_answer, &self.handle];
        let times = times.into_iter().flat_map(Histogram::numbers);
        self.contacts.into_iter().chain(self.offers).chain(times).collect()
    }

    fn of_numbers(numbers: &[u64]) -> Option<Self> {
        let (contacts, rest) = numbers.split_first_chunk()?;
        let (offers, rest) = rest.split_first_chunk()?;
        let length = BOUNDS_US.len() + 2;
        if rest.len() != 4 * length {
            return None;
        }
        let times = |place: usize| {
            Histogram::of_numbers(BOUNDS_US, rest.get(place * length..(place + 1) * length)?)
        };
        Some(Self {
            contacts: *contacts,
            offers: *offers,
            answered: times(0)?,
            abandoned: times(1)?,
            offer_to_answer: times(2)?,
            handle: times(3)?,
        })
    }
}

/// One queue, as a scrape shows it.
#[derive(Debug, Clone)]
pub struct QueueMeasures {
    /// Who waits, offered ones included.
    pub waiting: u64,
    /// Age of the oldest of them; nobody waits: 0.
    pub longest_wait: Span,
    /// Of the last quarter of an hour; nobody in it: none.
    pub service_level: Option<f64>,
    /// Since the log began.
    pub counted: Counted,
}

/// What metrics are made of.
#[derive(Debug, Clone)]
pub struct Measures {
    /// Every queue.
    pub queues: BTreeMap<QueueId, QueueMeasures>,
    /// Agents by team, in the order of [`Kind::ALL`].
    pub agents: BTreeMap<Slug, [u64; Kind::ALL.len()]>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Meter(BTreeMap<QueueId, Counted>);

impl Meter {
    /// An event of a contact, with its state before and after it.
    pub(super) fn fold(&mut self, recorded: &Recorded, before: &Contact, after: &Contact) {
        let (Some(entered), Event::Contact(event)) = (&after.entered, &recorded.event) else {
            return;
        };
        let counted = self.0.entry(entered.queue.clone()).or_default();
        counted.fold(recorded.at, event, before, after);
    }

    /// What was counted of `queue`.
    pub(super) fn counted(&self, queue: &QueueId) -> Counted {
        self.0.get(queue).cloned().unwrap_or_default()
    }

    /// All of it in numbers, for whoever keeps the view.
    pub(super) fn numbers(&self) -> Vec<(String, Vec<u64>)> {
        self.0.iter().map(|(queue, counted)| (queue.to_string(), counted.numbers())).collect()
    }

    /// What [`Meter::numbers`] gave; numbers of another version are none.
    pub(super) fn of_numbers(kept: &[(String, Vec<u64>)]) -> Option<Self> {
        let queues = kept.iter().map(|(queue, numbers)| {
            Some((QueueId::new(queue).ok()?, Counted::of_numbers(numbers)?))
        });
        queues.collect::<Option<_>>().map(Self)
    }
}

/// A span that is not negative.
fn micros(span: Span) -> u64 {
    u64::try_from(span.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_numbers_comes_back_and_nothing_else_does() {
        let mut counted = Counted { contacts: [1, 2, 3, 4, 5, 6], ..Counted::default() };
        counted.offers = [7, 8, 9, 10];
        for (place, times) in [
            (1, &mut counted.answered),
            (2, &mut counted.abandoned),
            (3, &mut counted.offer_to_answer),
            (4, &mut counted.handle),
        ] {
            times.observe(place * 1_000_000);
        }
        let meter = Meter([(QueueId::new("pensions").unwrap(), counted)].into());
        let numbers = meter.numbers();
        assert_eq!(Meter::of_numbers(&numbers), Some(meter));
        let mut short = numbers;
        short[0].1.pop();
        assert_eq!(Meter::of_numbers(&short), None);
    }
}
