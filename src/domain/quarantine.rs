//! What may still be done with an entity that was taken out of service.
//!
//! *Taking* (an offer, an answer) needs everyone in service; *giving back* needs no machine but the
//! leader's, so nobody is held by what has failed. Two kinds are out of service: one whose machine
//! is sound (its actor kept dying), which still decides what gives back, and one that is *frozen*
//! (an event could not be applied), which has no events of its own any more. Not here: how one
//! comes to be out of service, which is the actors' and the log's to say.

use crate::agent::{self, OfferResult, Released, Wish, Work};
use crate::contact::{self, Who};
use crate::ids::{AgentId, ContactId, EntityId};
use crate::machine::{Command, State};
use crate::time::Timestamp;

/// Why offers are recalled when one of their two sides leaves service.
pub const RECALLED_BECAUSE: &str = "quarantined";

/// How far an entity can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Wholly.
    InService,
    /// Its machine is sound; it takes nothing any more, and gives back.
    OutOfService,
    /// Its state is behind the log for good: others go on without it.
    Frozen,
}

/// What is known of an entity when a command is composed.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The state.
    pub state: State,
    /// Whether it can be relied on.
    pub standing: Standing,
}

impl From<State> for Seen {
    fn from(state: State) -> Self {
        Self { state, standing: Standing::InService }
    }
}

/// Whether `command`, which comes from another machine, wants something of its receiver.
pub(crate) const fn takes(command: &Command) -> bool {
    matches!(command, Command::Agent(agent::Command::Reserve { .. }))
}

/// Whether `command` may be led by an entity that is out of service: it ends what the entity has
/// of others. A supervisor signs an agent out by force, and ends a contact.
pub(crate) const fn gives_back(command: &Command) -> bool {
    match command {
        Command::Agent(command) => matches!(
            command,
            agent::Command::Lost | agent::Command::Force { wish: Wish::SignedOut, .. }
        ),
        Command::Contact(command) => matches!(
            command,
            contact::Command::Abandon
                | contact::Command::Refuse { .. }
                | contact::Command::Reject { .. }
                | contact::Command::Complete { .. }
                | contact::Command::EndWrapUp { .. }
                | contact::Command::Tick
        ),
        Command::Credential(_) => true,
        Command::Queue(_) | Command::System(_) => false,
    }
}

/// What the agent who has a frozen contact is told when somebody ends it.
pub(crate) fn freed(id: ContactId, work: &Work) -> agent::Command {
    match work {
        Work::Offered { offer, .. } => {
            let (offer, result) = (*offer, Released::Recalled);
            agent::Command::Release { offer, contact: id, result }
        }
        Work::Active { .. } | Work::WrapUp { .. } => agent::Command::EndLeg { contact: id },
    }
}

/// The agent in whose name `command` is given, if it is one.
pub(crate) const fn by_agent(command: &contact::Command) -> Option<&AgentId> {
    match command {
        contact::Command::Complete { by: Who::Agent(agent) }
        | contact::Command::EndWrapUp { by: Who::Agent(agent), .. }
        | contact::Command::Reject { agent, .. } => Some(agent),
        _ => None,
    }
}

/// What is told when `entity` leaves service at `now`: offers that are out are recalled, and a
/// contact's wrap-up ends, since its deadline would not come. A conversation stays: who is in it
/// ends it. What has fallen due already lapses by itself.
pub fn farewell<'a>(
    entity: &EntityId,
    standing: Standing,
    now: Timestamp,
    states: impl Iterator<Item = (&'a EntityId, &'a State)>,
) -> Vec<(EntityId, Command)> {
    let mut told = Vec::new();
    for (id, state) in states {
        match (entity, id, state) {
            (EntityId::Agent(agent), EntityId::Contact(id), State::Contact(contact)) => {
                recall(agent, *id, contact, now, &mut told);
            }
            (EntityId::Contact(contact), EntityId::Agent(id), State::Agent(agent)) => {
                let Some(work) = agent.work.get(contact) else { continue };
                if standing == Standing::Frozen && !matches!(work, Work::Active { .. }) {
                    told.push((EntityId::Agent(id.clone()), Command::Agent(freed(*contact, work))));
                }
            }
            (EntityId::Contact(id), EntityId::Contact(same), State::Contact(contact))
                if id == same && standing != Standing::Frozen =>
            {
                if let contact::State::Offered { agent, .. } = &contact.state {
                    recall(agent, *id, contact, now, &mut told);
                }
                let due = contact.deadline().is_some_and(|(at, _)| at <= now);
                if matches!(contact.state, contact::State::WrapUp { .. }) && !due {
                    let (outcome, topic) = (None, None);
                    let end = contact::Command::EndWrapUp { by: Who::System, outcome, topic };
                    told.push(((*id).into(), Command::Contact(end)));
                }
            }
            _ => (),
        }
    }
    told
}

/// The offer of `contact` that is out to `agent` ends on both sides.
fn recall(
    agent: &AgentId,
    id: ContactId,
    contact: &contact::Contact,
    now: Timestamp,
    told: &mut Vec<(EntityId, Command)>,
) {
    let contact::State::Offered { offer, agent: to, .. } = &contact.state else { return };
    if to != agent || contact.deadline().is_some_and(|(at, _)| at <= now) {
        return;
    }
    let (result, reason) = (OfferResult::Recalled, RECALLED_BECAUSE);
    let withdraw = contact::Command::Withdraw { offer: *offer, result, reason };
    told.push((id.into(), Command::Contact(withdraw)));
    let release =
        agent::Command::Release { offer: *offer, contact: id, result: Released::Recalled };
    told.push((agent.clone().into(), Command::Agent(release)));
}
