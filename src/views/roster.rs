//! The agents as they are, with what they did today; what the roster topic and the tiles show.
//!
//! Names are personal: they come beside the log and are shown whole or as initials.

use std::collections::BTreeMap;

use atalaya_domain::agent::{Agent, Kind, Presence, Tally, Work};
use atalaya_domain::ids::{AgentId, ContactId, Slug};
use atalaya_domain::time::{Span, Timestamp};
use serde_json::{Map, Value, json};

use super::json::{agent_json, show_lost};
use super::wallboard::Scope;

/// Most letters of initials.
const INITIALS_MAX: usize = 4;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) agent: Agent,
    /// Sums at local midnight, a pause that ran then counted up to it.
    pub(super) midnight: Tally,
}

/// Every configured agent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roster {
    pub(super) agents: BTreeMap<AgentId, Held>,
    pub(super) names: BTreeMap<AgentId, String>,
    /// Out of service since: shown lost.
    pub(super) quarantined: BTreeMap<AgentId, Timestamp>,
}

impl Roster {
    /// What the agent has become by what happened at `at`; the local day began at `day_began`.
    pub fn fold(&mut self, id: &AgentId, after: &Agent, at: Timestamp, day_began: Timestamp) {
        if let Some(held) = self.agents.get_mut(id) {
            held.agent.clone_from(after);
            if at < day_began {
                // Told after midnight, it belongs to the day before.
                held.midnight = tally_at(after, day_began);
            }
        } else {
            let held = Held { agent: after.clone(), midnight: Tally::default() };
            self.agents.insert(id.clone(), held);
        }
    }

    /// Another local day begins at `midnight`.
    pub fn turn(&mut self, midnight: Timestamp) {
        for held in self.agents.values_mut() {
            held.midnight = tally_at(&held.agent, midnight);
        }
    }

    /// The name that people read.
    pub fn set_name(&mut self, id: &AgentId, name: &str) {
        self.names.insert(id.clone(), name.to_owned());
    }

    /// The agent is out of service, and shown lost.
    pub fn quarantine(&mut self, id: &AgentId, at: Timestamp) {
        self.quarantined.entry(id.clone()).or_insert(at);
    }

    /// What `id` did today, a pause that runs counted up to `now`.
    pub fn today(&self, id: &AgentId, now: Timestamp) -> Option<Tally> {
        let held = self.agents.get(id)?;
        Some(less(&tally_at(&held.agent, now), &held.midnight))
    }

    /// `data` of the roster topic. The day's `not_ready_s` holds finished pauses only: the glass
    /// adds the one that runs, from midnight or its `since`, so the wire is silent meanwhile.
    pub fn data(&self, scope: Scope) -> Value {
        let agents: Map<String, Value> = self
            .agents
            .iter()
            .map(|(id, held)| {
                let mut value = agent_json(id, &held.agent, &self.name(id, scope));
                if let Some(since) = self.quarantined.get(id) {
                    show_lost(&mut value, *since);
                }
                if let Some(object) = value.as_object_mut() {
                    object.insert("today".to_owned(), today_json(held));
                }
                (id.to_string(), value)
            })
            .collect();
        json!({ "agents": agents })
    }

    /// Those signed in whose lease is not over by event; one out of service has none.
    pub fn held(&self) -> Vec<AgentId> {
        let agents = self.agents.iter().filter(|(id, _)| !self.quarantined.contains_key(*id));
        let held =
            agents.filter(|(_, held)| held.agent.signed_in.is_some() && held.agent.lost.is_none());
        held.map(|(id, _)| id.clone()).collect()
    }

    /// Those signed in, with what they are.
    pub(super) fn signed_in(&self) -> impl Iterator<Item = (&AgentId, &Agent, Presence)> {
        self.agents.iter().filter_map(|(id, held)| {
            let mut presence = held.agent.presence();
            if let Some(since) = self.quarantined.get(id) {
                presence = Presence { state: Kind::Lost, reason: None, since: *since };
            }
            held.agent.signed_in.map(|_| (id, &held.agent, presence))
        })
    }

    /// How many agents of each team are what, in the order of [`Kind::ALL`]; as the wallboard
    /// counts them.
    pub(super) fn census(&self) -> BTreeMap<Slug, [u64; Kind::ALL.len()]> {
        let mut teams = BTreeMap::new();
        for (id, held) in &self.agents {
            let Some(facts) = &held.agent.facts else { continue };
            let state = match held.agent.signed_in {
                None => Kind::SignedOut,
                Some(_) if self.quarantined.contains_key(id) => Kind::Lost,
                Some(_) => held.agent.presence().state,
            };
            let counts = teams.entry(facts.team.clone()).or_insert([0; Kind::ALL.len()]);
            for (kind, count) in Kind::ALL.iter().zip(counts) {
                *count += u64::from(*kind == state);
            }
        }
        teams
    }

    /// The contact that makes an agent what they are: in conversation before offered before after.
    pub(super) fn at_work_on(agent: &Agent) -> Option<ContactId> {
        let rank = |work: &Work| match work {
            Work::Active { since } => (0, *since),
            Work::Offered { since, .. } => (1, *since),
            Work::WrapUp { since, .. } => (2, *since),
        };
        agent.work.iter().min_by_key(|(_, work)| rank(work)).map(|(contact, _)| *contact)
    }

    /// The name as `scope` may see it; the id stands in for one that is not known.
    pub(super) fn name(&self, id: &AgentId, scope: Scope) -> String {
        let name = self.names.get(id).map_or(id.as_str(), String::as_str);
        match scope {
            Scope::All => name.to_owned(),
            Scope::Wall => initials(name),
        }
    }
}

fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().next())
        .flat_map(char::to_uppercase)
        .take(INITIALS_MAX)
        .collect()
}

/// The sums with a pause that runs at `now` counted up to it.
fn tally_at(agent: &Agent, now: Timestamp) -> Tally {
    let mut tally = agent.tally;
    if agent.signed_in.is_some() && agent.not_ready.is_some() {
        tally.not_ready.0 += now.since(agent.intent_since).0.max(0);
    }
    tally
}

/// What `now` has more than `before`, never less than nothing.
fn less(now: &Tally, before: &Tally) -> Tally {
    Tally {
        offered: now.offered.saturating_sub(before.offered),
        accepted: now.accepted.saturating_sub(before.accepted),
        handled: now.handled.saturating_sub(before.handled),
        missed: now.missed.saturating_sub(before.missed),
        rejected: now.rejected.saturating_sub(before.rejected),
        not_ready: Span((now.not_ready.0 - before.not_ready.0).max(0)),
    }
}

fn today_json(held: &Held) -> Value {
    let today = less(&held.agent.tally, &held.midnight);
    json!({
        "offered": today.offered,
        "accepted": today.accepted,
        "handled": today.handled,
        "missed": today.missed,
        "rejected": today.rejected,
        "not_ready_s": today.not_ready.as_seconds(),
    })
}
