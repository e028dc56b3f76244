//! The machines under one roof: what the shell, the log and the fold handle without knowing which.

use crate::ids::EntityId;
use crate::time::{Phase, Timestamp};
use crate::{agent, contact, credential, queue, system};

/// A command to any machine.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To an agent.
    Agent(agent::Command),
    /// To a contact.
    Contact(contact::Command),
    /// To a queue.
    Queue(queue::Command),
    /// To a token or session.
    Credential(credential::Command),
    /// To the centre.
    System(system::Command),
}

/// An event of any machine.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Of an agent.
    Agent(agent::Event),
    /// Of a contact.
    Contact(contact::Event),
    /// Of a queue.
    Queue(queue::Event),
    /// Of a token or session.
    Credential(credential::Event),
    /// Of the centre.
    System(system::Event),
}

/// The state of any machine.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Of an agent.
    Agent(agent::Agent),
    /// Of a contact.
    Contact(contact::Contact),
    /// Of a queue.
    Queue(queue::Queue),
    /// Of a token or session.
    Credential(credential::Credential),
    /// Of the centre.
    System(system::System),
}

impl State {
    /// The state of something that has no event yet.
    pub fn blank(id: &EntityId) -> Self {
        match id {
            EntityId::Agent(_) => Self::Agent(agent::Agent::default()),
            EntityId::Contact(_) => Self::Contact(contact::Contact::default()),
            EntityId::Queue(_) => Self::Queue(queue::Queue::default()),
            EntityId::Token(_) | EntityId::Session(_) => {
                Self::Credential(credential::Credential::default())
            }
            EntityId::System => Self::System(system::System::default()),
        }
    }

    /// Events so far.
    pub const fn version(&self) -> u64 {
        match self {
            Self::Agent(state) => state.version,
            Self::Contact(state) => state.version,
            Self::Queue(state) => state.version,
            Self::Credential(state) => state.version,
            Self::System(state) => state.version,
        }
    }

    /// Becomes what `event` says; an event of another kind of machine changes nothing.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        match (self, event) {
            (Self::Agent(state), Event::Agent(event)) => state.apply(at, event),
            (Self::Contact(state), Event::Contact(event)) => state.apply(at, event),
            (Self::Queue(state), Event::Queue(event)) => state.apply(at, event),
            (Self::Credential(state), Event::Credential(event)) => state.apply(at, event),
            (Self::System(state), Event::System(event)) => state.apply(at, event),
            (
                Self::Agent(_)
                | Self::Contact(_)
                | Self::Queue(_)
                | Self::Credential(_)
                | Self::System(_),
                _,
            ) => debug_assert!(false, "an event of another machine"),
        }
    }

    /// When this must next be looked at, if ever: only contacts hold deadlines.
    pub fn deadline(&self) -> Option<(Timestamp, Phase)> {
        match self {
            Self::Contact(state) => state.deadline(),
            Self::Agent(_) | Self::Queue(_) | Self::Credential(_) | Self::System(_) => None,
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Agent(event) => event.name(),
            Self::Contact(event) => event.name(),
            Self::Queue(event) => event.name(),
            Self::Credential(event) => event.name(),
            Self::System(event) => event.name(),
        }
    }
}
