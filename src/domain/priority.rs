//! Priority as a head start: an order key that never changes while a contact waits.

use std::collections::BTreeMap;
use std::fmt;

use crate::ids::Slug;
use crate::time::{Span, Timestamp};

/// What a class of priority is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credit {
    /// Before everything.
    AlwaysFirst,
    /// As if it had come so much earlier.
    HeadStart(Span),
}

/// When a contact is served: smaller first; equal ones by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OrderKey {
    /// 0 for what is before everything, else 1.
    pub rank: u8,
    /// Arrival less the credit.
    pub at: Timestamp,
}

impl Credit {
    /// The key of a contact that arrived at `arrived`.
    pub const fn order_key(self, arrived: Timestamp) -> OrderKey {
        match self {
            Self::AlwaysFirst => OrderKey { rank: 0, at: arrived },
            Self::HeadStart(span) => OrderKey { rank: 1, at: arrived.minus(span) },
        }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rank, self.at.0)
    }
}

/// The classes of a centre, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priorities(pub BTreeMap<Slug, Credit>);

impl Default for Priorities {
    /// `emergency`, `high` (5 min), `normal`, `low` (−10 min).
    fn default() -> Self {
        let classes = [
            ("emergency", Credit::AlwaysFirst),
            ("high", Credit::HeadStart(Span::seconds(300))),
            ("normal", Credit::HeadStart(Span::ZERO)),
            ("low", Credit::HeadStart(Span::seconds(-600))),
        ];
        Self(
            classes
                .into_iter()
                .filter_map(|(name, credit)| Some((Slug::new(name).ok()?, credit)))
                .collect(),
        )
    }
}
