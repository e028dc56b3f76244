//! A contact's state as bytes.

use std::sync::Arc;

use atalaya_domain::contact::{Choice, Contact, Entered, State};
use serde::{Deserialize, Serialize};

use crate::journal::records::contact::EnteredV1;
use crate::journal::records::parts::{Id, Micros, OrderKeyV1, Word, maybe};

/// A contact.
#[derive(Serialize, Deserialize)]
pub(super) struct ContactV1 {
    version: u64,
    entered: Option<EnteredV1>,
    priority: Option<Word>,
    order_key: OrderKeyV1,
    arrived_at: Micros,
    state: PlaceV1,
    offered_at: Option<Micros>,
    answered_at: Option<Micros>,
    ended_at: Option<Micros>,
    closed_at: Option<Micros>,
    held: Micros,
    extended: bool,
    back_off: Vec<(Word, Micros)>,
    choice: Option<ChoiceV1>,
    outcome: Option<String>,
    topic: Option<String>,
}

/// Numbered by place: only ever longer.
#[derive(Serialize, Deserialize)]
enum PlaceV1 {
    Unborn,
    Queued,
    Offered { offer: Id, agent: Word, since: Micros, expires_at: Micros },
    Active { agent: Word, since: Micros },
    Held { agent: Word, since: Micros },
    WrapUp { agent: Word, since: Micros, until: Option<Micros> },
    Closed { agent: Word, since: Micros },
    Abandoned,
    Refused { reason: Word },
}

#[derive(Serialize, Deserialize)]
struct ChoiceV1 {
    at: Micros,
    agent: Word,
    candidates: u32,
    idle_since: Micros,
    next: Vec<Word>,
}

impl From<&Contact> for ContactV1 {
    fn from(contact: &Contact) -> Self {
        let back_off = contact.back_off.iter();
        Self {
            version: contact.version,
            entered: contact.entered.as_deref().map(EnteredV1::from),
            priority: maybe(contact.priority.clone()),
            order_key: contact.order_key.into(),
            arrived_at: contact.arrived_at.into(),
            state: (&contact.state).into(),
            offered_at: maybe(contact.offered_at),
            answered_at: maybe(contact.answered_at),
            ended_at: maybe(contact.ended_at),
            closed_at: maybe(contact.closed_at),
            held: contact.held.into(),
            extended: contact.extended,
            back_off: back_off
                .map(|(agent, until)| (agent.clone().into(), (*until).into()))
                .collect(),
            choice: contact.choice.as_ref().map(|(at, agent, choice)| ChoiceV1 {
                at: (*at).into(),
                agent: agent.clone().into(),
                candidates: choice.candidates,
                idle_since: choice.idle_since.into(),
                next: choice.next.iter().cloned().map(Word::from).collect(),
            }),
            outcome: contact.outcome.clone(),
            topic: contact.topic.clone(),
        }
    }
}

impl From<ContactV1> for Contact {
    fn from(record: ContactV1) -> Self {
        let back_off = record.back_off.into_iter();
        let choice = |record: ChoiceV1| {
            let choice = Choice {
                candidates: record.candidates,
                idle_since: record.idle_since.into(),
                next: record.next.into_iter().map(Into::into).collect(),
            };
            (record.at.into(), record.agent.into(), choice)
        };
        Self {
            version: record.version,
            entered: record.entered.map(|entered| Arc::new(Entered::from(entered))),
            priority: maybe(record.priority),
            order_key: record.order_key.into(),
            arrived_at: record.arrived_at.into(),
            state: record.state.into(),
            offered_at: maybe(record.offered_at),
            answered_at: maybe(record.answered_at),
            ended_at: maybe(record.ended_at),
            closed_at: maybe(record.closed_at),
            held: record.held.into(),
            extended: record.extended,
            back_off: back_off.map(|(agent, until)| (agent.into(), until.into())).collect(),
            choice: record.choice.map(choice),
            outcome: record.outcome,
            topic: record.topic,
        }
    }
}

impl From<&State> for PlaceV1 {
    fn from(state: &State) -> Self {
        match state {
            State::Unborn => Self::Unborn,
            State::Queued => Self::Queued,
            State::Offered { offer, agent, since, expires_at } => Self::Offered {
                offer: (*offer).into(),
                agent: agent.clone().into(),
                since: (*since).into(),
                expires_at: (*expires_at).into(),
            },
            State::Active { agent, since } => {
                Self::Active { agent: agent.clone().into(), since: (*since).into() }
            }
            State::Held { agent, since } => {
                Self::Held { agent: agent.clone().into(), since: (*since).into() }
            }
            State::WrapUp { agent, since, until } => Self::WrapUp {
                agent: agent.clone().into(),
                since: (*since).into(),
                until: maybe(*until),
            },
            State::Closed { agent, since } => {
                Self::Closed { agent: agent.clone().into(), since: (*since).into() }
            }
            State::Abandoned => Self::Abandoned,
            State::Refused { reason } => Self::Refused { reason: reason.clone().into() },
        }
    }
}

impl From<PlaceV1> for State {
    fn from(record: PlaceV1) -> Self {
        match record {
            PlaceV1::Unborn => Self::Unborn,
            PlaceV1::Queued => Self::Queued,
            PlaceV1::Offered { offer, agent, since, expires_at } => Self::Offered {
                offer: offer.into(),
                agent: agent.into(),
                since: since.into(),
                expires_at: expires_at.into(),
            },
            PlaceV1::Active { agent, since } => {
                Self::Active { agent: agent.into(), since: since.into() }
            }
            PlaceV1::Held { agent, since } => {
                Self::Held { agent: agent.into(), since: since.into() }
            }
            PlaceV1::WrapUp { agent, since, until } => {
                Self::WrapUp { agent: agent.into(), since: since.into(), until: maybe(until) }
            }
            PlaceV1::Closed { agent, since } => {
                Self::Closed { agent: agent.into(), since: since.into() }
            }
            PlaceV1::Abandoned => Self::Abandoned,
            PlaceV1::Refused { reason } => Self::Refused { reason: reason.into() },
        }
    }
}
