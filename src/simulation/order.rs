//! The order of one instant as a run keeps it, and which of two due things is first.
//!
//! `Phase` carries it. A test may swap two phases in the pure loop, to
//! show that the order can be seen; nothing else ever does.

use atalaya_domain::ids::ContactId;
use atalaya_domain::time::{Phase, Timestamp};

use super::driver::Place;

/// Where a deadline stands: instant, phase, the name by which its contact takes its turn, and the
/// contact.
pub type Deadline = (Timestamp, Phase, String, ContactId);

/// Phases of deadlines that the states of contacts hold; all others are planned by people.
const OF_STATES: [Phase; 3] = [Phase::WrapUpEnd, Phase::OfferExpiry, Phase::BackOff];

/// Whether what is due goes before what is planned: at one place the deadline does.
pub fn deadline_first(due: Option<&Deadline>, planned: Option<&Place>) -> bool {
    match (due, planned) {
        (Some((at, phase, id, _)), Some(place)) => {
            (at, phase, id) <= (&place.0, &place.1, &place.2)
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    swapped: Option<(Phase, Phase)>,
}

impl Order {
    /// An order in which two phases have changed places.
    pub const fn swapping(a: Phase, b: Phase) -> Self {
        Self { swapped: Some((a, b)) }
    }

    /// The place that a phase takes, and the phase that takes a place.
    #[must_use]
    pub fn place(self, phase: Phase) -> Phase {
        match self.swapped {
            Some((a, b)) if phase == a => b,
            Some((a, b)) if phase == b => a,
            Some(_) | None => phase,
        }
    }

    /// The phase at which what is planned for `place` is decided: the last before which no deadline
    /// lapses whose own place is later.
    #[must_use]
    pub fn decided_at(self, place: Phase) -> Phase {
        if self.swapped.is_none() {
            return place;
        }
        let later = OF_STATES.into_iter().filter(|phase| self.place(*phase) > place).min();
        let before = Phase::ALL.into_iter().rfind(|phase| later.is_none_or(|later| *phase < later));
        before.unwrap_or(place)
    }
}
