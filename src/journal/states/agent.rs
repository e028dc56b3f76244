//! An agent's state as bytes.

use std::sync::Arc;

use atalaya_domain::agent::{Agent, Facts, Tally, Work};
use serde::{Deserialize, Serialize};

use crate::journal::records::agent::{FactsV1, WishV1};
use crate::journal::records::parts::{Id, Micros, Word, maybe};

/// An agent.
#[derive(Serialize, Deserialize)]
pub(super) struct AgentV1 {
    version: u64,
    facts: Option<FactsV1>,
    text_hash: [u8; 16],
    signed_in: Option<Micros>,
    signed_out_at: Micros,
    start: u64,
    not_ready: Option<Word>,
    intent_since: Micros,
    pending: Option<WishV1>,
    lost: Option<Micros>,
    unheard: Option<Micros>,
    work: Vec<(Id, WorkV1)>,
    idle_since: Micros,
    was_idle: bool,
    misses: u32,
    tally: TallyV1,
}

/// Numbered by place: only ever longer.
#[derive(Serialize, Deserialize)]
enum WorkV1 {
    Offered { offer: Id, since: Micros, until: Micros },
    Active { since: Micros },
    WrapUp { since: Micros, until: Option<Micros> },
}

#[derive(Serialize, Deserialize)]
struct TallyV1 {
    offered: u64,
    accepted: u64,
    handled: u64,
    missed: u64,
    rejected: u64,
    not_ready: Micros,
}

impl From<&Agent> for AgentV1 {
    fn from(agent: &Agent) -> Self {
        Self {
            version: agent.version,
            facts: agent.facts.as_deref().map(FactsV1::from),
            text_hash: agent.text_hash,
            signed_in: maybe(agent.signed_in),
            signed_out_at: agent.signed_out_at.into(),
            start: agent.start,
            not_ready: maybe(agent.not_ready.clone()),
            intent_since: agent.intent_since.into(),
            pending: maybe(agent.pending.clone()),
            lost: maybe(agent.lost),
            unheard: maybe(agent.unheard),
            work: agent
                .work
                .iter()
                .map(|(contact, work)| ((*contact).into(), work.into()))
                .collect(),
            idle_since: agent.idle_since.into(),
            was_idle: agent.was_idle,
            misses: agent.misses,
            tally: (&agent.tally).into(),
        }
    }
}

impl From<AgentV1> for Agent {
    fn from(record: AgentV1) -> Self {
        Self {
            version: record.version,
            facts: record.facts.map(|facts| Arc::new(Facts::from(facts))),
            text_hash: record.text_hash,
            signed_in: maybe(record.signed_in),
            signed_out_at: record.signed_out_at.into(),
            start: record.start,
            not_ready: maybe(record.not_ready),
            intent_since: record.intent_since.into(),
            pending: maybe(record.pending),
            lost: maybe(record.lost),
            unheard: maybe(record.unheard),
            work: record.work.into_iter().map(|(id, work)| (id.into(), work.into())).collect(),
            idle_since: record.idle_since.into(),
            was_idle: record.was_idle,
            misses: record.misses,
            tally: record.tally.into(),
        }
    }
}

impl From<&Work> for WorkV1 {
    fn from(work: &Work) -> Self {
        match work {
            Work::Offered { offer, since, until } => Self::Offered {
                offer: (*offer).into(),
                since: (*since).into(),
                until: (*until).into(),
            },
            Work::Active { since } => Self::Active { since: (*since).into() },
            Work::WrapUp { since, until } => {
                Self::WrapUp { since: (*since).into(), until: maybe(*until) }
            }
        }
    }
}

impl From<WorkV1> for Work {
    fn from(record: WorkV1) -> Self {
        match record {
            WorkV1::Offered { offer, since, until } => {
                Self::Offered { offer: offer.into(), since: since.into(), until: until.into() }
            }
            WorkV1::Active { since } => Self::Active { since: since.into() },
            WorkV1::WrapUp { since, until } => {
                Self::WrapUp { since: since.into(), until: maybe(until) }
            }
        }
    }
}

impl From<&Tally> for TallyV1 {
    fn from(tally: &Tally) -> Self {
        Self {
            offered: tally.offered,
            accepted: tally.accepted,
            handled: tally.handled,
            missed: tally.missed,
            rejected: tally.rejected,
            not_ready: tally.not_ready.into(),
        }
    }
}

impl From<TallyV1> for Tally {
    fn from(record: TallyV1) -> Self {
        Self {
            offered: record.offered,
            accepted: record.accepted,
            handled: record.handled,
            missed: record.missed,
            rejected: record.rejected,
            not_ready: record.not_ready.into(),
        }
    }
}
