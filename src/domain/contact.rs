//! A contact: where it is, who has it, and every deadline that concerns both.
//!
//! The offer is the contact's, its wrap-up too; the agent holds a reservation and learns how it
//! ended. The queue's rules are frozen into the `queued` event as the contact's terms, so a rule
//! changed today does not rewrite yesterday.

mod apply;
mod decide;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent::OfferResult;
use crate::ids::{AgentId, OfferId, PersonId, QueueId, Slug};
use crate::priority::{Credit, OrderKey};
use crate::queue::{OnReject, SHORT_ABANDON};
use crate::skills::Requirement;
use crate::time::{Span, Timestamp};

/// How long an agent who rejected a contact and stayed ready is spared it.
pub const BACK_OFF: Span = Span::seconds(60);
/// How long after the end of wrap-up its outcome and topic may still be given.
pub const OUTCOME_GRACE: Span = Span::seconds(300);

/// What a contact needs of its queue's rules, as they were when it entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How long an offer stands.
    pub offer_timeout: Span,
    /// Limit of the wrap-up; `None`: until ended.
    pub wrap_up: Option<Span>,
    /// What a rejection does to the agent.
    pub on_reject: OnReject,
    /// Offers missed in a row that make an agent not ready.
    pub max_misses: u32,
    /// Answered within this is within the target, inclusive; `None`: no target.
    pub within: Option<Span>,
    /// An abandon within this is short, inclusive.
    pub short_abandon: Span,
}

/// How a contact came: all that is fixed at its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Where it waits.
    pub queue: QueueId,
    /// The class's name.
    pub priority: Slug,
    /// When it is served, smaller first.
    pub order_key: OrderKey,
    /// Who may answer.
    pub requirement: Requirement,
    /// The other system's name for it.
    pub external_id: Option<String>,
    /// Whose it is.
    pub person: PersonId,
    /// The rules it came under.
    pub terms: Terms,
}

/// Where a contact is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// It has not come.
    #[default]
    Unborn,
    /// Waiting.
    Queued,
    /// Waiting, and put to an agent.
    Offered { offer: OfferId, agent: AgentId, since: Timestamp, expires_at: Timestamp },
    /// In conversation.
    Active { agent: AgentId, since: Timestamp },
    /// In conversation, on hold.
    Held { agent: AgentId, since: Timestamp },
    /// Its last leg is in wrap-up.
    WrapUp { agent: AgentId, since: Timestamp, until: Option<Timestamp> },
    /// Done.
    Closed { agent: AgentId, since: Timestamp },
    /// The citizen left while waiting.
    Abandoned,
    /// Not admitted, or sent away by an emergency.
    Refused { reason: Slug },
}

/// Why this agent was picked, as it was when the offer was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Free agents who could have taken it.
    pub candidates: u32,
    /// When the picked one's last work ended.
    pub idle_since: Timestamp,
    /// Who would have been next, at most [`CHOICE_NEXT_MAX`].
    pub next: Vec<AgentId>,
}

/// Most agents that a choice names as next.
pub const CHOICE_NEXT_MAX: usize = 3;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Events so far.
    pub version: u64,
    /// How it came; `None`: unborn.
    pub entered: Option<Arc<Entered>>,
    /// Priority as it is now, by name.
    pub priority: Option<Slug>,
    /// Order key as it is now.
    pub order_key: OrderKey,
    /// When it came.
    pub arrived_at: Timestamp,
    /// Where it is.
    pub state: State,
    /// When it was last offered.
    pub offered_at: Option<Timestamp>,
    /// First answer.
    pub answered_at: Option<Timestamp>,
    /// End of talk, abandoning or refusal.
    pub ended_at: Option<Timestamp>,
    /// End of wrap-up.
    pub closed_at: Option<Timestamp>,
    /// Time on hold, finished holds only.
    pub held: Span,
    /// Whether its agent has had the one extension.
    pub extended: bool,
    /// Agents who rejected it and stay ready: spared until then.
    pub back_off: BTreeMap<AgentId, Timestamp>,
    /// Why the last agent it was offered to.
    pub choice: Option<(Timestamp, AgentId, Choice)>,
    /// How it went.
    pub outcome: Option<String>,
    /// What it was about.
    pub topic: Option<String>,
}

/// Who did something to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Its agent.
    Agent(AgentId),
    /// A supervisor, or a program that acts as one.
    Supervisor,
    /// The other side.
    Citizen,
    /// A deadline.
    System,
}

/// What is asked of a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It comes. The wishes replace the queue's; `full`: admission's verdict.
    Arrive(Box<Arrival>),
    /// Put it to an agent.
    Offer { offer: OfferId, agent: AgentId, choice: Choice },
    /// The agent takes it.
    Accept { offer: OfferId, agent: AgentId },
    /// The agent turns it down.
    Reject { offer: OfferId, agent: AgentId, reason: Option<Slug> },
    /// From an agent: the offer ended on their side.
    Withdraw { offer: OfferId, result: OfferResult, reason: &'static str },
    /// The citizen leaves while waiting.
    Abandon,
    /// Sent away while waiting.
    Refuse { reason: Slug },
    /// On hold.
    Hold { by: Who },
    /// Back from hold.
    Resume { by: Who },
    /// The conversation ends.
    Complete { by: Who },
    /// Wrap-up ends; within five minutes after, only outcome and topic are taken.
    EndWrapUp { by: Who, outcome: Option<String>, topic: Option<String> },
    /// More time for wrap-up: once for its agent, always for a supervisor.
    ExtendWrapUp { by: Who, span: Span },
    /// Another priority while waiting.
    Reprioritise { priority: Slug, credit: Credit },
    /// Only what has fallen due.
    Tick,
}

/// What a new contact brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Where it wants to wait.
    pub queue: QueueId,
    /// The class's name.
    pub priority: Slug,
    /// The class's head start.
    pub credit: Credit,
    /// Replaces the queue's language.
    pub language: Option<Slug>,
    /// Replaces the queue's skills.
    pub skills: Option<crate::skills::Skills>,
    /// Replaces the queue's levels.
    pub levels: Option<std::collections::BTreeSet<u8>>,
    /// The other system's name for it.
    pub external_id: Option<String>,
    /// Whose it is.
    pub person: PersonId,
    /// Whether the queue has no place left.
    pub full: bool,
}

impl Arrival {
    /// What it needs, where its queue needs `own`.
    pub fn requirement(&self, own: &Requirement) -> Requirement {
        Requirement {
            skills: self.skills.clone().unwrap_or_else(|| own.skills.clone()),
            language: self.language.clone().or_else(|| own.language.clone()),
            levels: self.levels.clone().or_else(|| own.levels.clone()),
        }
    }
}

/// What happened to a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It waits.
    Queued(Box<Entered>),
    /// It was not admitted (with all it came with), or was sent away.
    Refused { entered: Option<Box<Entered>>, reason: Slug },
    /// Put to an agent.
    Offered { offer: OfferId, agent: AgentId, expires_at: Timestamp, choice: Choice },
    /// Taken.
    OfferAccepted { offer: OfferId, agent: AgentId },
    /// In conversation.
    Answered { agent: AgentId },
    /// Turned down; queued again.
    OfferRejected { offer: OfferId, agent: AgentId, reason: Slug, back_off: Option<Timestamp> },
    /// Ran out; queued again.
    OfferMissed { offer: OfferId, agent: AgentId },
    /// Withdrawn; queued again.
    OfferRecalled { offer: OfferId, agent: AgentId, reason: Slug },
    /// May be offered to this agent again.
    BackOffEnded { agent: AgentId },
    /// The citizen left.
    Abandoned,
    /// On hold.
    Held,
    /// Back.
    Resumed,
    /// The conversation ended; `wrap_up_until` `None`: until ended.
    Completed { agent: AgentId, by: Who, wrap_up_until: Option<Timestamp> },
    /// Another limit.
    WrapUpExtended { by: Who, until: Timestamp },
    /// Closed.
    WrapUpEnded { by: Who, outcome: Option<String>, topic: Option<String> },
    /// Given after the end.
    OutcomeGiven { outcome: Option<String>, topic: Option<String> },
    /// Another order key.
    PriorityChanged { from: Slug, to: Slug, order_key: OrderKey },
}

impl Contact {
    /// Who has it, or had it last; an agent it is merely offered to is named too.
    pub fn agent(&self) -> Option<&AgentId> {
        match &self.state {
            State::Offered { agent, .. }
            | State::Active { agent, .. }
            | State::Held { agent, .. }
            | State::WrapUp { agent, .. }
            | State::Closed { agent, .. } => Some(agent),
            State::Unborn | State::Queued | State::Abandoned | State::Refused { .. } => None,
        }
    }

    /// Whether it waits to be answered; an offered one still does.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Queued | State::Offered { .. })
    }

    /// Whether nothing will happen to it any more but a late outcome.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Closed { .. } | State::Abandoned | State::Refused { .. })
    }

    /// Whether leaving now, at `at`, counts as a short abandon.
    pub fn is_short(&self, at: Timestamp) -> bool {
        let bound = self.terms().map_or(SHORT_ABANDON, |terms| terms.short_abandon);
        at.since(self.arrived_at) <= bound
    }
}

impl State {
    /// The word on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unborn => "unborn",
            Self::Queued => "queued",
            Self::Offered { .. } => "offered",
            Self::Active { .. } => "active",
            Self::Held { .. } => "held",
            Self::WrapUp { .. } => "wrap_up",
            Self::Closed { .. } => "closed",
            Self::Abandoned => "abandoned",
            Self::Refused { .. } => "refused",
        }
    }
}

impl Command {
    /// Completes "cannot …".
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Arrive(_) => "arrive",
            Self::Offer { .. } => "be offered",
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::Withdraw { .. } => "withdraw the offer",
            Self::Abandon => "abandon",
            Self::Refuse { .. } => "refuse",
            Self::Hold { .. } => "hold",
            Self::Resume { .. } => "resume",
            Self::Complete { .. } => "complete",
            Self::EndWrapUp { .. } => "end the wrap-up",
            Self::ExtendWrapUp { .. } => "extend the wrap-up",
            Self::Reprioritise { .. } => "change the priority",
            Self::Tick => "tick",
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued(_) => "queued",
            Self::Refused { .. } => "refused",
            Self::Offered { .. } => "offered",
            Self::OfferAccepted { .. } => "offer_accepted",
            Self::Answered { .. } => "answered",
            Self::OfferRejected { .. } => "offer_rejected",
            Self::OfferMissed { .. } => "offer_missed",
            Self::OfferRecalled { .. } => "offer_recalled",
            Self::BackOffEnded { .. } => "back_off_ended",
            Self::Abandoned => "abandoned",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Completed { .. } => "completed",
            Self::WrapUpExtended { .. } => "wrap_up_extended",
            Self::WrapUpEnded { .. } => "wrap_up_ended",
            Self::OutcomeGiven { .. } => "outcome_given",
            Self::PriorityChanged { .. } => "priority_changed",
        }
    }
}
