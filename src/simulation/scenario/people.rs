//! Agents, single contacts, and what people do at given times.

use std::collections::BTreeSet;

use atalaya_domain::ids::{AgentId, QueueId, Slug};
use atalaya_domain::skills::{AGENT_LEVELS, Profile};
use atalaya_domain::time::{Span, Timestamp};
use toml::Spanned;

use super::form::{self, Text};
use super::recorded::{Known, named};
use super::source::{ScenarioError, Source, shown};
use super::{
    AGENTS_MAX, Action, ActionKind, Does, NORMAL, QueueDoes, ScenarioAgent, ScenarioContact,
};

/// Reason of `not_ready` that names none.
const REASON: &str = "break";

/// A level of agent.
pub(super) fn level(source: Source<'_>, level: &Spanned<i64>) -> Result<u8, ScenarioError> {
    u8::try_from(*level.as_ref()).ok().filter(|level| AGENT_LEVELS.contains(level)).ok_or_else(
        || {
            let what = format!("{} is no level of agent: write 1 or 2", level.as_ref());
            source.value(level.span(), &what)
        },
    )
}

/// All agents in file order, groups by their numbers.
pub(super) fn agents(
    source: Source<'_>,
    groups: &[Spanned<form::Agents>],
    queues: &BTreeSet<QueueId>,
) -> Result<Vec<ScenarioAgent>, ScenarioError> {
    let mut seen = BTreeSet::new();
    let mut agents = Vec::new();
    for group in groups {
        let place = group.span();
        let group = group.as_ref();
        let (text, names) = match (&group.id, &group.count, &group.prefix) {
            (Some(id), None, None) => (id, vec![id.as_ref().clone()]),
            (None, Some(count), Some(prefix)) => {
                let room = AGENTS_MAX.saturating_sub(agents.len());
                if usize::try_from(*count.as_ref()).map_or(true, |count| count > room) {
                    let what = format!("more than {AGENTS_MAX} agents: write fewer");
                    return Err(source.value(count.span(), &what));
                }
                let name = |number| format!("{}{number}", prefix.as_ref());
                (prefix, (1..=*count.as_ref()).map(name).collect())
            }
            _ => {
                let what = "[[agents]]: write `id` alone, or `count` and `prefix`";
                return Err(source.place(&place, what));
            }
        };
        let model = agent(source, group, queues)?;
        for name in names {
            let id = AgentId::new(&name)
                .map_err(|error| source.value(text.span(), &error.to_string()))?;
            if !seen.insert(id.clone()) {
                let what = format!("`{id}` is an id of two agents: rename one");
                return Err(source.value(text.span(), &what));
            }
            agents.push(model.clone().into_agent(id));
        }
    }
    Ok(agents)
}

/// What the agents of a group share.
#[derive(Clone)]
struct Model {
    profile: Profile,
    shift: Option<(Timestamp, Timestamp)>,
    answer_delay: Span,
}

impl Model {
    fn into_agent(self, id: AgentId) -> ScenarioAgent {
        let Self { profile, shift, answer_delay } = self;
        ScenarioAgent { id, profile, shift, answer_delay, manual: false }
    }
}

fn agent(
    source: Source<'_>,
    group: &form::Agents,
    queues: &BTreeSet<QueueId>,
) -> Result<Model, ScenarioError> {
    let permitted = group.queues.as_ref().map(|names| {
        names.iter().map(|name| queue(source, name, queues)).collect::<Result<BTreeSet<_>, _>>()
    });
    Ok(Model {
        profile: Profile {
            level: group
                .level
                .as_ref()
                .map_or(Ok(*AGENT_LEVELS.start()), |given| level(source, given))?,
            skills: source.skills(&group.skills)?,
            languages: group
                .languages
                .iter()
                .map(|language| source.slug(language))
                .collect::<Result<_, _>>()?,
            voice: group.capacity.as_ref().map_or(1, |capacity| capacity.voice),
            queues: permitted.transpose()?,
        },
        shift: group.shift.as_ref().map(|shift| window(source, shift)).transpose()?,
        answer_delay: group
            .answer_delay
            .as_ref()
            .map_or(Ok(Span::ZERO), |delay| source.span(delay))?,
    })
}

fn window(
    source: Source<'_>,
    shift: &form::Shift,
) -> Result<(Timestamp, Timestamp), ScenarioError> {
    let (from, to) = (source.instant(&shift.from)?, source.instant(&shift.to)?);
    if to <= from {
        return Err(source.value(shift.to.span(), "not after `from`: write a later instant"));
    }
    Ok((from, to))
}

fn queue(
    source: Source<'_>,
    text: &Text,
    queues: &BTreeSet<QueueId>,
) -> Result<QueueId, ScenarioError> {
    let id = QueueId(source.slug(text)?);
    if !queues.contains(&id) {
        let what = format!("`{id}` is no queue of the scenario: add a [[queue]] of this id");
        return Err(source.value(text.span(), &what));
    }
    Ok(id)
}

fn priority(
    source: Source<'_>,
    text: Option<&Text>,
    known: &Known<'_>,
) -> Result<Slug, ScenarioError> {
    let Some(text) = text else {
        return Slug::new(NORMAL)
            .map_err(|error| ScenarioError::new(source.file, None, &error.to_string()));
    };
    let class = source.slug(text)?;
    if !known.priorities.0.contains_key(&class) {
        let what = format!("`{class}` is no class of priority: add it to [priorities]");
        return Err(source.value(text.span(), &what));
    }
    Ok(class)
}

/// A single contact.
pub(super) fn contact(
    source: Source<'_>,
    single: &form::Contact,
    known: &Known<'_>,
) -> Result<ScenarioContact, ScenarioError> {
    let moment = |text: &Text| source.moment(text, known.start);
    Ok(ScenarioContact {
        id: named(single.id.as_ref()).map_err(|what| source.value(single.id.span(), &what))?,
        at: moment(&single.at)?,
        queue: queue(source, &single.queue, known.queues)?,
        service: source.span(&single.service)?,
        patience: single.patience.as_ref().map(|text| source.span(text)).transpose()?,
        priority: priority(source, single.priority.as_ref(), known)?,
        language: single.language.as_ref().map(|text| source.slug(text)).transpose()?,
        requires: single.requires.as_ref().map(|levels| source.skills(levels)).transpose()?,
        hangs_up_at: single.hangs_up_at.as_ref().map(moment).transpose()?,
    })
}

/// All actions in file order.
pub(super) fn actions(
    source: Source<'_>,
    actions: &[Spanned<form::Action>],
    agents: &[ScenarioAgent],
    contacts: &BTreeSet<String>,
    known: &Known<'_>,
) -> Result<Vec<Action>, ScenarioError> {
    let agents: BTreeSet<&str> = agents.iter().map(|agent| agent.id.as_str()).collect();
    let mut read = Vec::with_capacity(actions.len());
    for action in actions {
        let place = action.span();
        let action = action.as_ref();
        let what = match (&action.agent, &action.queue, &action.contact) {
            (Some(name), None, None) => {
                let id = AgentId(source.slug(name)?);
                if !agents.contains(id.as_str()) {
                    let what = format!("`{id}` is no agent of the scenario: add it to [[agents]]");
                    return Err(source.value(name.span(), &what));
                }
                ActionKind::Agent(id, does(source, action)?)
            }
            (None, Some(name), None) => {
                let id = queue(source, name, known.queues)?;
                ActionKind::Queue(id, queue_does(source, action)?)
            }
            (None, None, Some(name)) => {
                if !contacts.contains(name.as_ref()) {
                    let what = format!("`{}` is no contact of the scenario", shown(name.as_ref()));
                    let what = format!("{what}: add it as a [[contact]] or in [recorded]");
                    return Err(source.value(name.span(), &what));
                }
                ActionKind::Priority(name.as_ref().clone(), set_priority(source, action, known)?)
            }
            _ => {
                let what = "[[action]]: write one of `agent`, `queue`, `contact`";
                return Err(source.place(&place, what));
            }
        };
        read.push(Action { at: source.moment(&action.at, known.start)?, what });
    }
    Ok(read)
}

/// Refuses a key that says nothing beside this `does`.
fn beside<T>(
    source: Source<'_>,
    action: &form::Action,
    given: Option<&Spanned<T>>,
) -> Result<(), ScenarioError> {
    given.map_or(Ok(()), |given| {
        let does = shown(action.does.as_ref());
        let what = format!("says nothing beside `does = \"{does}\"`: take it out");
        Err(source.value(given.span(), &what))
    })
}

fn unknown(source: Source<'_>, action: &form::Action, one_of: &str) -> ScenarioError {
    let what = format!("`{}` is not done here: write {one_of}", shown(action.does.as_ref()));
    source.value(action.does.span(), &what)
}

fn does(source: Source<'_>, action: &form::Action) -> Result<Does, ScenarioError> {
    let does = match action.does.as_ref().as_str() {
        "ready" => Does::Ready,
        "not_ready" => {
            let reason = match &action.reason {
                Some(text) => source.slug(text)?,
                None => Slug::new(REASON)
                    .map_err(|error| source.value(action.does.span(), &error.to_string()))?,
            };
            Does::NotReady { reason }
        }
        "sign_out" => Does::SignOut,
        "accept" => Does::Accept,
        "reject" => Does::Reject,
        "complete" => Does::Complete,
        "wrap_up_done" => Does::WrapUpDone,
        "hold" => Does::Hold,
        "resume" => Does::Resume,
        "disconnect" => Does::Disconnect,
        "reconnect" => Does::Reconnect,
        _ => {
            let one_of = "one of ready, not_ready, sign_out, accept, reject, complete, \
                          wrap_up_done, hold, resume, disconnect, reconnect";
            return Err(unknown(source, action, one_of));
        }
    };
    if !matches!(does, Does::NotReady { .. }) {
        beside(source, action, action.reason.as_ref())?;
    }
    beside(source, action, action.emergency.as_ref())?;
    beside(source, action, action.priority.as_ref())?;
    Ok(does)
}

fn queue_does(source: Source<'_>, action: &form::Action) -> Result<QueueDoes, ScenarioError> {
    beside(source, action, action.reason.as_ref())?;
    beside(source, action, action.priority.as_ref())?;
    match action.does.as_ref().as_str() {
        "open" => {
            beside(source, action, action.emergency.as_ref())?;
            Ok(QueueDoes::Open)
        }
        "close" => {
            let emergency = action.emergency.as_ref().is_some_and(|given| *given.as_ref());
            Ok(QueueDoes::Close { emergency })
        }
        _ => Err(unknown(source, action, "open or close")),
    }
}

fn set_priority(
    source: Source<'_>,
    action: &form::Action,
    known: &Known<'_>,
) -> Result<Slug, ScenarioError> {
    beside(source, action, action.reason.as_ref())?;
    beside(source, action, action.emergency.as_ref())?;
    if action.does.as_ref() != "set_priority" {
        return Err(unknown(source, action, "set_priority"));
    }
    if action.priority.is_none() {
        let what = "`priority` is missing: write it beside `set_priority`";
        return Err(source.place(&action.does.span(), what));
    }
    priority(source, action.priority.as_ref(), known)
}

/// Marks the agents that accept by their actions alone.
pub(super) fn mark_manual(agents: &mut [ScenarioAgent], actions: &[Action]) {
    let manual: BTreeSet<&AgentId> = actions
        .iter()
        .filter_map(|action| match &action.what {
            ActionKind::Agent(id, Does::Accept | Does::Reject) => Some(id),
            ActionKind::Agent(..) | ActionKind::Queue(..) | ActionKind::Priority(..) => None,
        })
        .collect();
    for agent in agents {
        agent.manual = manual.contains(&agent.id);
    }
}
