//! Queues, agents and callers inferred from the calls of a day: the log names no sign-in.
//!
//! An agent is there from the first call that they took to the end of the last, but for gaps: a
//! pause between two calls longer than [`GAP_MAX`] is time away. So nobody stands idle who may have
//! been at lunch, and nobody is away who was between two calls.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::ids::{AgentId, QueueId, Slug, SlugError};
use atalaya_domain::priority::{Credit, Priorities};
use atalaya_domain::queue::{
    OFFER_TIMEOUT, OnReject, Rules, SHORT_ABANDON, SHORT_NAME_CHARS_MAX, ServiceLevel, Thresholds,
};
use atalaya_domain::skills::{Profile, Requirement, Skills};
use atalaya_domain::time::{MICROS_PER_SECOND, Span, Timestamp};

use super::DAY;
use super::call::{Call, Ended};
use super::patience::{Patience, drawn};
use crate::simulation::scenario::{
    Action, ActionKind, Does, Scenario, ScenarioAgent, ScenarioContact,
};

/// Longest pause between two calls in which an agent is there; a longer one is time away.
pub(super) const GAP_MAX: Span = Span::seconds(60);
/// Head start of a caller of priority 2.
pub(super) const VIP_HEAD_START: Span = Span::seconds(90);
/// What a day's queues want, and every agent of theirs has.
const LEVEL: u8 = 5;
/// The queues' target.
const TARGET: (f64, Span) = (0.8, Span::seconds(20));
/// Class of priority 2.
pub(super) const VIP: &str = "high";
/// Class of all others.
pub(super) const NORMAL: &str = "normal";
/// Where an agent is in a gap.
const AWAY: &str = "break";

/// The names above, checked once.
pub(super) struct Words {
    vip: Slug,
    normal: Slug,
    away: Slug,
}

impl Words {
    pub(super) fn new() -> Result<Self, SlugError> {
        Ok(Self { vip: Slug::new(VIP)?, normal: Slug::new(NORMAL)?, away: Slug::new(AWAY)? })
    }
}

/// When an agent is there, and what for.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    /// From and to, in order, apart by more than [`GAP_MAX`].
    pub(super) windows: Vec<(Span, Span)>,
    /// Whose calls they took.
    pub(super) queues: BTreeSet<QueueId>,
    pub(super) calls: u64,
    /// Calls that began before an earlier one had ended.
    pub(super) at_once: u64,
}

/// Who is there in a day.
pub(super) struct Staff {
    pub(super) agents: BTreeMap<AgentId, Presence>,
    pub(super) queues: BTreeSet<QueueId>,
    /// From the end of a call to the next, in whole seconds.
    pub(super) wrap_up: Span,
    /// Pauses that `wrap_up` is the mean of.
    pub(super) pauses: u64,
    /// Service times of the calls that were served for some time, in order of length.
    services: BTreeMap<QueueId, Vec<Span>>,
}

impl Staff {
    pub(super) fn new(taken: &[&Call]) -> Self {
        let mut served: BTreeMap<&AgentId, Vec<&Call>> = BTreeMap::new();
        let mut services: BTreeMap<QueueId, Vec<Span>> = BTreeMap::new();
        for call in taken {
            if let (Ended::Served, Some(agent)) = (call.ended, &call.agent) {
                served.entry(agent).or_default().push(call);
                if call.ser_time > Span::ZERO {
                    services.entry(call.queue.clone()).or_default().push(call.ser_time);
                }
            }
        }
        for services in services.values_mut() {
            services.sort_unstable();
        }
        let mut agents = BTreeMap::new();
        let (mut sum, mut pauses) = (0, 0);
        for (agent, mut calls) in served {
            calls.sort_by_key(|call| (call.began(), call.line));
            let presence = presence(&calls);
            // A call that shows no presence is nobody's to take, and others may take it.
            if !presence.windows.is_empty() {
                agents.insert(agent.clone(), presence);
            }
            for pause in pauses_before_waiting(&calls) {
                (sum, pauses) = (sum + pause.0, pauses + 1);
            }
        }
        let count = i64::try_from(pauses).unwrap_or(i64::MAX).max(1);
        // Half a second more, to round.
        let half = count * MICROS_PER_SECOND / 2;
        let wrap_up = Span::seconds((sum + half) / (count * MICROS_PER_SECOND));
        let queues = taken.iter().map(|call| call.queue.clone()).collect();
        Self { agents, queues, wrap_up, pauses, services }
    }

    /// The day as a scenario, by its name and its first instant.
    pub(super) fn scenario(
        &self,
        (name, start): (String, Timestamp),
        taken: &[&Call],
        patience: &Patience,
        words: &Words,
    ) -> Scenario {
        let mut contacts: Vec<_> =
            taken.iter().map(|call| self.contact(call, start, patience, words)).collect();
        contacts.sort_by_key(|contact| contact.at);
        // A call that queued at midnight itself belongs to the day before.
        let last = contacts.last().map_or(start, |last| last.at.plus(Span::seconds(1)));
        let mut priorities = Priorities::default();
        priorities.0.insert(words.vip.clone(), Credit::HeadStart(VIP_HEAD_START));
        let gone = |(agent, there)| comings(agent, there, start, &words.away);
        let mut actions: Vec<_> = self.agents.iter().flat_map(gone).collect();
        actions.sort_by_key(|action| action.at);
        Scenario {
            name,
            start,
            end: start.plus(DAY).max(last),
            seed: 0,
            priorities,
            queues: self.queues.iter().map(|queue| (queue.clone(), self.rules(queue))).collect(),
            agents: self.agents.iter().filter_map(|(id, at)| agent(id, at, start)).collect(),
            contacts,
            actions,
        }
    }

    fn contact(
        &self,
        call: &Call,
        start: Timestamp,
        patience: &Patience,
        words: &Words,
    ) -> ScenarioContact {
        let (service, patience) = match call.ended {
            Ended::Served => (call.ser_time, patience.beyond(call.q_time, call.line)),
            Ended::HungUp | Ended::Phantom => (self.service(call), Some(call.q_time)),
        };
        ScenarioContact {
            id: call.rec.clone(),
            at: start.plus(call.arrived()),
            queue: call.queue.clone(),
            service,
            patience,
            priority: (if call.is_vip { &words.vip } else { &words.normal }).clone(),
            language: None,
            requires: None,
            hangs_up_at: None,
        }
    }

    /// How long somebody who hung up would have been served: as others of the queue were.
    fn service(&self, call: &Call) -> Span {
        let of_queue = self.services.get(&call.queue);
        let services = of_queue.or_else(|| self.services.values().max_by_key(|all| all.len()));
        services.and_then(|services| drawn(services, call.line)).unwrap_or(Span::ZERO)
    }

    fn rules(&self, queue: &QueueId) -> Rules {
        let (share, within) = TARGET;
        let name = queue.as_str();
        Rules {
            name: name.to_owned(),
            short_name: name.chars().take(SHORT_NAME_CHARS_MAX).collect(),
            requirement: Requirement { skills: skills([queue]), language: None, levels: None },
            service_level: Some(ServiceLevel { share, within: within.into() }),
            max_waiting: None,
            wrap_up: Some(self.wrap_up.into()),
            offer_timeout: OFFER_TIMEOUT.into(),
            on_reject: OnReject::NotReady,
            max_misses: 1,
            short_abandon: SHORT_ABANDON.into(),
            thresholds: Thresholds::default(),
        }
    }
}

/// When the agent of `calls`, in order of their beginnings, was there.
fn presence(calls: &[&Call]) -> Presence {
    let mut there = Presence::default();
    for call in calls {
        there.calls += 1;
        there.queues.insert(call.queue.clone());
        let Some(began) = call.began() else { continue };
        // The log's parts keep clocks of their own: who was served at once came to somebody.
        let from = if call.queued() { began } else { began.min(call.arrived()) };
        let to = Span(began.0 + call.ser_time.0).max(from);
        match there.windows.last_mut() {
            Some((_, until)) if from.0 - until.0 <= GAP_MAX.0 => {
                there.at_once += u64::from(began < *until);
                *until = to.max(*until);
            }
            _ => there.windows.push((from, to)),
        }
    }
    there
}

/// From the end of each call to the next, where its caller was waiting already: nothing but work
/// kept the agent.
fn pauses_before_waiting<'a>(calls: &'a [&Call]) -> impl Iterator<Item = Span> + 'a {
    calls.windows(2).filter_map(|two| {
        let [one, next] = two else { return None };
        let ended = one.began()?.0 + one.ser_time.0;
        let pause = Span(next.began()?.0 - ended);
        let was_waiting = next.queued() && next.arrived().0 <= ended;
        (was_waiting && (Span::ZERO..=GAP_MAX).contains(&pause)).then_some(pause)
    })
}

fn agent(id: &AgentId, there: &Presence, start: Timestamp) -> Option<ScenarioAgent> {
    let (from, to) = (there.windows.first()?.0, there.windows.last()?.1);
    let profile = Profile {
        level: 1,
        skills: skills(&there.queues),
        languages: BTreeSet::new(),
        voice: 1,
        queues: None,
    };
    // Who ends as they come has still come: a shift is longer than nothing.
    let to = to.max(Span(from.0 + MICROS_PER_SECOND));
    let shift = Some((start.plus(from), start.plus(to)));
    Some(ScenarioAgent { id: id.clone(), profile, shift, answer_delay: Span::ZERO, manual: false })
}

/// What an agent does between two windows: goes at the end of the first, comes back at the second.
fn comings<'a>(
    agent: &'a AgentId,
    there: &'a Presence,
    start: Timestamp,
    away: &'a Slug,
) -> impl Iterator<Item = Action> + 'a {
    let gaps = there.windows.windows(2).filter_map(|two| match two {
        [(_, to), (from, _)] => Some((*to, *from)),
        _ => None,
    });
    gaps.flat_map(move |(to, from)| {
        let does =
            |at, does| Action { at: start.plus(at), what: ActionKind::Agent(agent.clone(), does) };
        [does(to, Does::NotReady { reason: away.clone() }), does(from, Does::Ready)]
    })
}

fn skills<'a>(queues: impl IntoIterator<Item = &'a QueueId>) -> Skills {
    queues.into_iter().map(|queue| (queue.0.clone(), LEVEL)).collect()
}
