//! What a machine answers to a command: lapses, one act, or a typed rejection.

use crate::ids::{AgentId, EntityId, OfferId};
use crate::time::Timestamp;
use crate::{Command, Event};

/// Events of one machine at one instant, and the commands to others that stand or fall with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// When it happened: the due instant of a lapse, else the command's.
    pub at: Timestamp,
    /// In order.
    pub events: Vec<Event>,
    /// In order, after the events.
    pub with: Vec<(EntityId, Command)>,
}

impl Act {
    /// An act that asks nothing of others.
    pub const fn events(at: Timestamp, events: Vec<Event>) -> Self {
        Self { at, events, with: Vec::new() }
    }
}

/// Everything one command causes: what had fallen due first, then the command itself.
///
/// The lapses stand even when the command is refused: a late answer is refused *because* the offer
/// lapsed, and the lapse is news.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Deadlines that had passed, each as an act of its own, in their order.
    pub lapses: Vec<Act>,
    /// What the command does.
    pub act: Result<Act, Rejection>,
}

impl Decision {
    /// A decision of a machine without deadlines.
    pub const fn of(act: Result<Act, Rejection>) -> Self {
        Self { lapses: Vec::new(), act }
    }
}

/// Why a command was turned down. A caller's mistake or a lost race: retrying is useless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The command makes no sense in this state.
    #[error("cannot {command} while {state}")]
    IllegalTransition {
        /// Completes "cannot …".
        command: &'static str,
        /// The state's name.
        state: &'static str,
    },
    /// The offer named is not out any more.
    #[error("cannot {command}: offer {offer} is over")]
    OfferGone {
        /// Completes "cannot …".
        command: &'static str,
        /// The offer named.
        offer: OfferId,
    },
    /// It is another agent's.
    #[error("cannot {command}: it is not {agent}'s")]
    NotYours {
        /// Completes "cannot …".
        command: &'static str,
        /// Who asked.
        agent: AgentId,
    },
    /// There is no such thing.
    #[error("there is no such {entity}")]
    Unknown {
        /// Kind of thing.
        entity: &'static str,
    },
    /// Something with this id is there already.
    #[error("this {entity} exists already")]
    Exists {
        /// Kind of thing.
        entity: &'static str,
    },
    /// An agent without a session cannot be made ready.
    #[error("cannot force {agent} ready: no session of theirs is open")]
    NoSession {
        /// The agent.
        agent: AgentId,
    },
    /// Once by its agent is enough.
    #[error("cannot extend the wrap-up again: its agent may extend it once, a supervisor always")]
    ExtendedAlready,
    /// It failed, and takes nothing any more.
    #[error(
        "cannot use {entity}: it is out of service after a fault; a supervisor may end its \
         contacts, or sign the agent out"
    )]
    Quarantined {
        /// What is out of service.
        entity: EntityId,
    },
    /// The states that were read do not fit together: one of them has moved on.
    #[error("the states read do not fit together: {what}")]
    Unfit {
        /// What does not fit.
        what: &'static str,
    },
}

impl Rejection {
    /// The last part of the problem's URN.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::IllegalTransition { .. } => "illegal-transition",
            Self::OfferGone { .. } => "offer-gone",
            Self::NotYours { .. } => "not-yours",
            Self::Unknown { .. } => "not-found",
            Self::Exists { .. } => "exists",
            Self::NoSession { .. } => "no-session",
            Self::ExtendedAlready => "extended-already",
            Self::Quarantined { .. } => "quarantined",
            Self::Unfit { .. } => "unfit",
        }
    }
}
