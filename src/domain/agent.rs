//! An agent: signed in or not, what they intend, what they have in hand; presence is derived.
//!
//! The agent owns presence and capacity. Offers, legs and wrap-ups are the contact's, with every
//! deadline; the agent holds what is in hand (`Work`) and learns how it ended. The lease is not
//! here: a session register says `Lost` and `Heard`.

mod apply;
mod decide;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{ContactId, OfferId, Slug};
use crate::queue::OnReject;
use crate::skills::Profile;
use crate::time::{Span, Timestamp};

pub use crate::presence::{Kind, Presence};

/// Why an agent who let offers ring out is not ready.
pub const MISSED_OFFER: &str = "missed_offer";
/// Why an agent who rejected an offer is not ready.
pub const REJECTED_OFFER: &str = "rejected_offer";

/// What an agent wants to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// To be offered work.
    Ready,
    /// Not to be, and why.
    NotReady(Slug),
    /// To leave.
    SignedOut,
}

/// One contact in an agent's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Reserved for an offer that is out; `until` is for show, the deadline is the contact's.
    Offered { offer: OfferId, since: Timestamp, until: Timestamp },
    /// In conversation, or on hold.
    Active { since: Timestamp },
    /// After it; `until` is for show.
    WrapUp { since: Timestamp, until: Option<Timestamp> },
}

/// Sums since the agent was made; a day's figures are differences of two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Offers put to the agent.
    pub offered: u64,
    /// Offers accepted.
    pub accepted: u64,
    /// Legs ended, wrap-up included.
    pub handled: u64,
    /// Offers that ran out.
    pub missed: u64,
    /// Offers turned down.
    pub rejected: u64,
    /// Time spent not ready, finished pauses only.
    pub not_ready: Span,
}

/// What is configured of an agent; the name is personal and lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The team.
    pub team: Slug,
    /// What decides which contacts the agent may take.
    pub profile: Profile,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agent {
    /// Events so far.
    pub version: u64,
    /// `None` until configured.
    pub facts: Option<Arc<Facts>>,
    /// Hash of the configured text that was applied last; zeros: none was.
    pub text_hash: [u8; 16],
    /// Since when signed in, or out.
    pub signed_in: Option<Timestamp>,
    /// When last signed out.
    pub signed_out_at: Timestamp,
    /// Number of the server's start under which the agent was last heard.
    pub start: u64,
    /// Not ready for this reason; `None`: wants work.
    pub not_ready: Option<Slug>,
    /// Start of that intent.
    pub intent_since: Timestamp,
    /// What takes effect when the work in hand has ended.
    pub pending: Option<Wish>,
    /// Since when the lease is over, by event.
    pub lost: Option<Timestamp>,
    /// Since when a new start waits to hear from the agent.
    pub unheard: Option<Timestamp>,
    /// By contact.
    pub work: BTreeMap<ContactId, Work>,
    /// End of the last work, or the first sign-in: what `longest_idle` goes by.
    pub idle_since: Timestamp,
    /// Whether any work or sign-in has set `idle_since`.
    pub was_idle: bool,
    /// Offers missed in a row.
    pub misses: u32,
    /// Sums.
    pub tally: Tally,
}

/// What is asked of an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Create or replace the profile.
    Configure { facts: Arc<Facts>, text_hash: [u8; 16] },
    /// The agent says what they want to be; `after` lets offers that are out stand.
    Presence { wish: Wish, after: bool, start: u64 },
    /// A supervisor says it; `session`: whether the agent has one open.
    Force { wish: Wish, session: bool },
    /// The lease ran out.
    Lost,
    /// Somebody spoke for the agent again.
    Heard { start: u64 },
    /// A new start: shown lost until heard.
    Unheard,
    /// From a contact: an offer goes out.
    Reserve { offer: OfferId, contact: ContactId, until: Timestamp },
    /// From a contact: the offer ended.
    Release { offer: OfferId, contact: ContactId, result: Released },
    /// From a contact: the conversation ended.
    Wrap { contact: ContactId, until: Option<Timestamp> },
    /// From a contact: the leg is over.
    EndLeg { contact: ContactId },
}

/// How an offer ended, for the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// Taken: the leg starts.
    Accepted,
    /// Turned down.
    Rejected(OnReject),
    /// Ran out; so many in a row make an agent not ready.
    Missed { max_misses: u32 },
    /// Withdrawn: costs the agent nothing.
    Recalled,
}

/// How an offer ended, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferResult {
    /// Taken.
    Accepted,
    /// Turned down.
    Rejected,
    /// Ran out.
    Missed,
    /// Withdrawn.
    Recalled,
}

/// What happened to an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Another profile.
    Changed { facts: Arc<Facts>, text_hash: [u8; 16] },
    /// Signed in, under this start of the server.
    SignedIn { start: u64 },
    /// Signed out.
    SignedOut,
    /// Wants work (`None`), or not and why.
    IntentChanged { not_ready: Option<Slug> },
    /// What waits for the end of work.
    PendingChanged { pending: Option<Wish> },
    /// An offer is out.
    Reserved { offer: OfferId, contact: ContactId, until: Timestamp },
    /// It ended.
    Released { offer: OfferId, contact: ContactId, result: OfferResult },
    /// In conversation.
    LegStarted { contact: ContactId },
    /// After the conversation; again when the limit moves.
    LegWrapping { contact: ContactId, until: Option<Timestamp> },
    /// The leg is over.
    LegEnded { contact: ContactId },
    /// The lease is over.
    Lost,
    /// Heard again.
    Heard { start: u64 },
    /// Presence or reason is other than before; last of its agent in its entry.
    PresenceChanged { state: Kind, reason: Option<Slug>, since: Timestamp },
}

impl Command {
    /// Completes "cannot …".
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure",
            Self::Presence { .. } => "change presence",
            Self::Force { .. } => "be forced",
            Self::Lost => "be lost",
            Self::Heard { .. } => "be heard",
            Self::Unheard => "go unheard",
            Self::Reserve { .. } => "be offered a contact",
            Self::Release { .. } => "be released",
            Self::Wrap { .. } => "wrap up",
            Self::EndLeg { .. } => "end a leg",
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::SignedIn { .. } => "signed_in",
            Self::SignedOut => "signed_out",
            Self::IntentChanged { .. } => "intent_changed",
            Self::PendingChanged { .. } => "pending_changed",
            Self::Reserved { .. } => "reserved",
            Self::Released { .. } => "released",
            Self::LegStarted { .. } => "leg_started",
            Self::LegWrapping { .. } => "leg_wrapping",
            Self::LegEnded { .. } => "leg_ended",
            Self::Lost => "lost",
            Self::Heard { .. } => "heard",
            Self::PresenceChanged { .. } => "presence_changed",
        }
    }
}
