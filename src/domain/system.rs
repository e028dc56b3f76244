//! The centre itself: its starts, its clock, and what was taken out of service.

use std::collections::BTreeMap;

use crate::agent;
use crate::decision::{Act, Decision};
use crate::ids::{AgentId, EntityId};
use crate::time::{Now, Timestamp};

/// The machine.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct System {
    /// Events so far.
    pub version: u64,
    /// Number of the last start, from 1.
    pub start: u64,
    /// Rate of the centre's clock at that start.
    pub rate: f64,
    /// Out of service, and why.
    pub quarantined: BTreeMap<EntityId, String>,
}

/// What is asked of the centre.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The server starts; the agents are those signed in.
    Start { rate: f64, agents: Vec<AgentId> },
    /// The clock was set forward.
    SetClock { to: Timestamp },
    /// A configuration is applied: all `changes` or none.
    Configure { hash: [u8; 16], changes: Vec<(EntityId, crate::Command)> },
    /// Something must not be used any more; `others` are told (`quarantine::farewell`).
    Quarantine { entity: EntityId, cause: String, others: Vec<(EntityId, crate::Command)> },
}

/// What happened to the centre.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The server started.
    Started { number: u64, rate: f64 },
    /// The clock was set forward.
    ClockSet { to: Timestamp },
    /// A configuration was applied.
    Configured { hash: [u8; 16] },
    /// Something is out of service.
    Quarantined { entity: EntityId, cause: String },
}

impl System {
    /// Says what `command` causes.
    pub(crate) fn decide(&self, now: Now, command: &Command) -> Decision {
        let (event, with) = match command {
            Command::Start { rate, agents } => {
                let unheard = |agent: &AgentId| {
                    let to = EntityId::Agent(agent.clone());
                    (to, crate::Command::Agent(agent::Command::Unheard))
                };
                let started = Event::Started { number: self.start + 1, rate: *rate };
                (Some(started), agents.iter().map(unheard).collect())
            }
            Command::SetClock { to } => (Some(Event::ClockSet { to: *to }), vec![]),
            Command::Configure { hash, changes } => {
                (Some(Event::Configured { hash: *hash }), changes.clone())
            }
            Command::Quarantine { entity, .. } if self.quarantined.contains_key(entity) => {
                (None, vec![])
            }
            Command::Quarantine { entity, cause, others } => {
                let event = Event::Quarantined { entity: entity.clone(), cause: cause.clone() };
                (Some(event), others.clone())
            }
        };
        let events = event.into_iter().map(crate::Event::System).collect();
        Decision::of(Ok(Act { at: now.at, events, with }))
    }

    /// Becomes what `event` says.
    pub fn apply(&mut self, _at: Timestamp, event: &Event) {
        self.version += 1;
        match event {
            Event::Started { number, rate } => (self.start, self.rate) = (*number, *rate),
            Event::ClockSet { .. } | Event::Configured { .. } => (),
            Event::Quarantined { entity, cause } => {
                self.quarantined.insert(entity.clone(), cause.clone());
            }
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::ClockSet { .. } => "clock_set",
            Self::Configured { .. } => "configured",
            Self::Quarantined { .. } => "quarantined",
        }
    }
}
