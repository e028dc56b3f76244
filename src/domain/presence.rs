//! What an agent is now: derived from what is stored, never stored itself.

use crate::agent::{Agent, Work};
use crate::ids::Slug;
use crate::time::Timestamp;

/// The seven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Not signed in.
    SignedOut,
    /// Signed in, and not heard of.
    Lost,
    /// An offer is out.
    Offered,
    /// In conversation.
    Busy,
    /// After one.
    WrapUp,
    /// Signed in, not to be offered work.
    NotReady,
    /// Free.
    Ready,
}

impl Kind {
    /// All of them, in the order in which they are derived.
    pub const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::Lost,
        Self::Busy,
        Self::Offered,
        Self::WrapUp,
        Self::NotReady,
        Self::Ready,
    ];

    /// The word in the log, on the wire and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Lost => "lost",
            Self::Offered => "offered",
            Self::Busy => "busy",
            Self::WrapUp => "wrap_up",
            Self::NotReady => "not_ready",
            Self::Ready => "ready",
        }
    }
}

/// A state, why, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// One of the seven.
    pub state: Kind,
    /// Of `not_ready` only.
    pub reason: Option<Slug>,
    /// Since when.
    pub since: Timestamp,
}

impl Presence {
    const fn plain(state: Kind, since: Timestamp) -> Self {
        Self { state, reason: None, since }
    }
}

impl Agent {
    /// What the agent is now.
    pub fn presence(&self) -> Presence {
        if self.signed_in.is_none() {
            return Presence::plain(Kind::SignedOut, self.signed_out_at);
        }
        match self.lost.or(self.unheard) {
            Some(since) => Presence::plain(Kind::Lost, since),
            None => self.presence_when_heard(),
        }
    }

    /// What the agent is but for the lease: what a lost one was.
    pub fn presence_when_heard(&self) -> Presence {
        let earliest =
            |wanted: fn(&Work) -> Option<Timestamp>| self.work.values().filter_map(wanted).min();
        if let Some(since) = earliest(|work| match work {
            Work::Active { since } => Some(*since),
            Work::Offered { .. } | Work::WrapUp { .. } => None,
        }) {
            return Presence::plain(Kind::Busy, since);
        }
        if let Some(since) = earliest(|work| match work {
            Work::Offered { since, .. } => Some(*since),
            Work::Active { .. } | Work::WrapUp { .. } => None,
        }) {
            return Presence::plain(Kind::Offered, since);
        }
        if let Some(since) = earliest(|work| match work {
            Work::WrapUp { since, .. } => Some(*since),
            Work::Active { .. } | Work::Offered { .. } => None,
        }) {
            return Presence::plain(Kind::WrapUp, since);
        }
        match &self.not_ready {
            Some(reason) => Presence {
                state: Kind::NotReady,
                reason: Some(reason.clone()),
                since: self.intent_since,
            },
            None => Presence::plain(Kind::Ready, self.intent_since.max(self.idle_since)),
        }
    }

    /// Calls the agent could take besides what is in hand; a reservation takes room at once.
    pub fn room(&self) -> usize {
        let most = self.facts.as_ref().map_or(0, |facts| usize::from(facts.profile.voice));
        most.saturating_sub(self.work.len())
    }

    /// Whether the agent may be offered a call now.
    pub fn is_available(&self) -> bool {
        self.signed_in.is_some()
            && self.lost.is_none()
            && self.unheard.is_none()
            && self.not_ready.is_none()
            && self.pending.is_none()
            && self.room() > 0
    }
}
