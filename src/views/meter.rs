//! What is counted for metrics: sums over the whole log, which no midnight turns.
//!
//! A part of the wallboard, folded and read with it, so that a scrape is of one instant with it.
//! Being a fold of the log from its first event, a counter goes on over a restart where it was: it
//! neither starts again nor counts anything twice. Only a restored older log takes it back.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::agent::Kind;
use atalaya_domain::contact::{self, Contact};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{EntityId, QueueId, Slug};
use atalaya_domain::machine::Event;
use atalaya_domain::time::{Span, Timestamp};

use super::figures::Day;
use super::wallboard::change;
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

/// All that was counted of one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// As the day's, since the log began.
    sum: Day,
    offers: BTreeMap<OfferEnd, u64>,
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
            sum: Day::default(),
            offers: OfferEnd::ALL.map(|end| (end, 0)).into(),
            answered: times(),
            abandoned: times(),
            offer_to_answer: times(),
            handle: times(),
        }
    }
}

impl Counted {
    /// How the queue's offers ended.
    pub const fn offers(&self) -> &BTreeMap<OfferEnd, u64> {
        &self.offers
    }

    /// Counts of contacts: the middle of the metric's name, what it counts, and the count.
    pub const fn contacts(&self) -> [(&'static str, &'static str, u64); 6] {
        let Day { offered, answered, abandoned, short_abandoned, refused, level, .. } = self.sum;
        [
            ("offered", "Contacts that tried to enter the queue.", offered),
            ("answered", "Contacts answered by an agent.", answered),
            (
                "answered_within_target",
                "Contacts answered within the queue's target.",
                level.answered_within,
            ),
            ("abandoned", "Contacts that left while waiting, short ones included.", abandoned),
            (
                "short_abandoned",
                "Contacts that left while waiting within the short bound.",
                short_abandoned,
            ),
            ("refused", "Contacts that were not admitted or were sent away.", refused),
        ]
    }

    fn fold(&mut self, at: Timestamp, event: &contact::Event, before: &Contact, after: &Contact) {
        let change = change(at, before, after);
        self.sum.add(&change);
        let wait = micros(at.since(after.arrived_at));
        if change.answered > 0 {
            self.answered.observe(wait);
            if let Some(offered_at) = after.offered_at {
                self.offer_to_answer.observe(micros(at.since(offered_at)));
            }
        }
        if change.abandoned > 0 {
            self.abandoned.observe(wait);
        }
        if change.legs > 0 {
            self.handle.observe(micros(change.handled));
        }
        if let Some(end) = OfferEnd::of(event) {
            *self.offers.entry(end).or_default() += 1;
        }
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
    /// What is out of service.
    pub quarantined: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Meter {
    queues: BTreeMap<QueueId, Counted>,
    quarantined: BTreeSet<EntityId>,
}

impl Meter {
    /// An event of a contact, with its state before and after it.
    pub(super) fn fold(&mut self, recorded: &Recorded, before: &Contact, after: &Contact) {
        let (Some(entered), Event::Contact(event)) = (&after.entered, &recorded.event) else {
            return;
        };
        let counted = self.queues.entry(entered.queue.clone()).or_default();
        counted.fold(recorded.at, event, before, after);
    }

    /// `entity` is out of service.
    pub(super) fn quarantine(&mut self, entity: &EntityId) {
        self.quarantined.insert(entity.clone());
    }

    /// What was counted of `queue`.
    pub(super) fn counted(&self, queue: &QueueId) -> Counted {
        self.queues.get(queue).cloned().unwrap_or_default()
    }

    /// How many entities are out of service.
    pub(super) fn quarantined(&self) -> u64 {
        u64::try_from(self.quarantined.len()).unwrap_or(u64::MAX)
    }
}

/// A span that is not negative.
fn micros(span: Span) -> u64 {
    u64::try_from(span.0).unwrap_or(0)
}
