//! Scenarios: what a file says of a day, read whole or refused whole.
//!
//! [`read`] takes a file, [`parse`] a text; both give a [`Scenario`] in the domain's own types, or
//! one [`ScenarioError`] with file, line, key and advice. Running it is not here, nor is chance:
//! every arrival stands in the scenario or in the recorded file that it names.

mod form;
mod people;
mod recorded;
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use atalaya_domain::ids::{AgentId, QueueId, Slug};
use atalaya_domain::priority::{Credit, Priorities};
use atalaya_domain::queue::{
    OFFER_TIMEOUT, OnReject, Rules, SHORT_ABANDON, SHORT_NAME_CHARS_MAX, ServiceLevel, Thresholds,
};
use atalaya_domain::skills::{Profile, Requirement, Skills};
use atalaya_domain::time::{Span, Timestamp, Written};

use form::{Form, Text};
pub use source::ScenarioError;
use source::{Source, shown};

/// Most bytes of a scenario's text; a longer one is refused.
pub const SCENARIO_BYTES_MAX: usize = 64 << 20;
/// Most agents of a scenario; more are refused.
pub const AGENTS_MAX: usize = 100_000;
/// Most contacts of a recorded file; more are refused.
pub const CONTACTS_MAX: usize = 20_000_000;
/// Most bytes of a contact's id; a longer one is refused.
pub const CONTACT_ID_BYTES_MAX: usize = 128;

/// Class of a contact that names none.
const NORMAL: &str = "normal";

/// A day to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name that people read.
    pub name: String,
    /// Where virtual time begins.
    pub start: Timestamp,
    /// Arrivals stop here.
    pub end: Timestamp,
    /// Seed of whatever is left to chance; 0 unless given.
    pub seed: u64,
    /// The four classes, and what `[priorities]` replaces or adds.
    pub priorities: Priorities,
    /// In file order.
    pub queues: Vec<(QueueId, Rules)>,
    /// In file order.
    pub agents: Vec<ScenarioAgent>,
    /// In order of arrival; at one instant single ones first, then recorded ones, each in file
    /// order. What would arrive at `end` or later is left out.
    pub contacts: Vec<ScenarioContact>,
    /// In order of time; at one instant in file order.
    pub actions: Vec<Action>,
}

/// Somebody who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioAgent {
    /// Who.
    pub id: AgentId,
    /// What they may take.
    pub profile: Profile,
    /// Ready from the first instant, leaves at the second; `None`: there all the time.
    pub shift: Option<(Timestamp, Timestamp)>,
    /// From offer to accept.
    pub answer_delay: Span,
    /// Accepts by its actions alone: one of them is `accept` or `reject`.
    pub manual: bool,
}

/// Somebody who arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioContact {
    /// Name in the results.
    pub id: String,
    /// Arrival.
    pub at: Timestamp,
    /// Where.
    pub queue: QueueId,
    /// Length of the conversation.
    pub service: Span,
    /// Waits no longer than this; `None`: for ever.
    pub patience: Option<Span>,
    /// Class; `normal` unless given.
    pub priority: Slug,
    /// Replaces the queue's.
    pub language: Option<Slug>,
    /// Replaces the queue's.
    pub requires: Option<Skills>,
    /// Leaves here if still waiting.
    pub hangs_up_at: Option<Timestamp>,
}

/// What somebody does at a given time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: ActionKind,
}

/// Whose action it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// An agent does something.
    Agent(AgentId, Does),
    /// A queue is opened or closed.
    Queue(QueueId, QueueDoes),
    /// A contact gets another class; it may be one that was left out, as arriving too late.
    Priority(String, Slug),
}

/// What an agent does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Says ready.
    Ready,
    /// Says not ready.
    NotReady {
        /// `break` unless given.
        reason: Slug,
    },
    /// Leaves.
    SignOut,
    /// Takes the offer.
    Accept,
    /// Declines the offer.
    Reject,
    /// Ends the conversation.
    Complete,
    /// Ends the wrap-up.
    WrapUpDone,
    /// Holds the conversation.
    Hold,
    /// Takes it up again.
    Resume,
    /// Falls silent.
    Disconnect,
    /// Is heard again.
    Reconnect,
}

/// What a queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueDoes {
    /// Takes no arrivals.
    Close {
        /// Those who wait are refused.
        emergency: bool,
    },
    /// Takes arrivals.
    Open,
}

/// Reads the scenario of a file.
pub fn read(path: &Path) -> Result<Scenario, ScenarioError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("cannot read the scenario: {error}: name a file of UTF-8 text");
        ScenarioError::new(&file, None, &what)
    })?;
    parse(&text, &file, path.parent().unwrap_or(Path::new("")))
}

/// Reads a scenario's text; errors name `file`, recorded contacts are looked for from `base`.
pub fn parse(text: &str, file: &str, base: &Path) -> Result<Scenario, ScenarioError> {
    let source = Source { text, file };
    if text.len() > SCENARIO_BYTES_MAX {
        let what = format!("longer than {SCENARIO_BYTES_MAX} bytes: put contacts in [recorded]");
        return Err(ScenarioError::new(file, None, &what));
    }
    let form: Form = toml::from_str(text).map_err(|error| source.refused(&error))?;
    let start = source.instant(&form.scenario.start)?;
    let end = source.instant(&form.scenario.end)?;
    if end <= start {
        let what = "not after the scenario's start: write a later instant";
        return Err(source.value(form.scenario.end.span(), what));
    }
    only(source, form.strategy.agent.as_ref(), "longest_idle")?;
    only(source, form.strategy.contact.as_ref(), "oldest_first")?;
    let priorities = priorities(source, &form)?;
    let queues = queues(source, &form)?;
    let by_id: BTreeSet<QueueId> = queues.iter().map(|(id, _)| id.clone()).collect();
    let mut agents = people::agents(source, &form.agents, &by_id)?;
    let known = recorded::Known { start, queues: &by_id, priorities: &priorities };
    let (mut contacts, ids) = contacts(source, &form, base, &known)?;
    contacts.retain(|contact| contact.at < end);
    contacts.sort_by_key(|contact| contact.at);
    let mut actions = people::actions(source, &form.action, &agents, &ids, &known)?;
    people::mark_manual(&mut agents, &actions);
    actions.sort_by_key(|action| action.at);
    let Form { scenario: head, .. } = form;
    Ok(Scenario {
        name: head.name,
        start,
        end,
        seed: head.seed,
        priorities,
        queues,
        agents,
        contacts,
        actions,
    })
}

/// Refuses a value that this version does not carry out.
fn only(source: Source<'_>, text: Option<&Text>, one: &str) -> Result<(), ScenarioError> {
    match text {
        Some(text) if text.as_ref() != one => {
            let what = format!("`{}` cannot be carried out by this", shown(text.as_ref()));
            Err(source.value(text.span(), &format!("{what} version: write \"{one}\"")))
        }
        Some(_) | None => Ok(()),
    }
}

fn priorities(source: Source<'_>, form: &Form) -> Result<Priorities, ScenarioError> {
    let mut priorities = Priorities::default();
    for (name, credit) in &form.priorities {
        let class = source.name(name)?;
        let credit = if credit.as_ref() == "always_first" {
            Credit::AlwaysFirst
        } else {
            Credit::HeadStart(Span::parse(credit.as_ref()).map_err(|error| {
                source.value(credit.span(), &format!("{error}, or write \"always_first\""))
            })?)
        };
        priorities.0.insert(class, credit);
    }
    Ok(priorities)
}

fn queues(source: Source<'_>, form: &Form) -> Result<Vec<(QueueId, Rules)>, ScenarioError> {
    let standing = match &form.scenario.offer_timeout {
        Some(text) => source.written(text)?,
        None => OFFER_TIMEOUT.into(),
    };
    let mut seen = BTreeSet::new();
    let mut queues = Vec::new();
    for queue in &form.queue {
        let id = QueueId(source.slug(&queue.id)?);
        if !seen.insert(id.clone()) {
            let what = format!("`{id}` is an id of two queues: rename one");
            return Err(source.value(queue.id.span(), &what));
        }
        let rules = rules(source, queue, &standing)?;
        rules.check().map_err(|unsound| {
            let place = queue.place(unsound.field, form.scenario.offer_timeout.as_ref());
            source.value(place, &unsound.to_string())
        })?;
        queues.push((id, rules));
    }
    Ok(queues)
}

fn rules(
    source: Source<'_>,
    queue: &form::Queue,
    standing: &Written,
) -> Result<Rules, ScenarioError> {
    only(source, queue.channel.as_ref(), "voice")?;
    let or = |text: &Option<Text>, default: &Written| {
        text.as_ref().map_or_else(|| Ok(default.clone()), |text| source.written(text))
    };
    let name: &str = queue.name.as_ref().unwrap_or(&queue.id).as_ref();
    let levels = queue.levels.as_ref().map(|levels| {
        levels.iter().map(|level| people::level(source, level)).collect::<Result<BTreeSet<_>, _>>()
    });
    Ok(Rules {
        name: name.to_owned(),
        short_name: queue.short_name.as_ref().map_or_else(
            || name.chars().take(SHORT_NAME_CHARS_MAX).collect(),
            |given| given.as_ref().clone(),
        ),
        requirement: Requirement {
            skills: source.skills(&queue.requires)?,
            language: queue.language.as_ref().map(|text| source.slug(text)).transpose()?,
            levels: levels.transpose()?,
        },
        service_level: queue
            .service_level
            .as_ref()
            .map(|target| {
                let within = source.written(&target.within)?;
                Ok(ServiceLevel { share: *target.share.as_ref(), within })
            })
            .transpose()?,
        max_waiting: queue.max_waiting.as_ref().map(|most| *most.as_ref()),
        wrap_up: match &queue.wrap_up {
            Some(text) if text.as_ref() == "none" => None,
            text => Some(or(text, &Span::ZERO.into())?),
        },
        offer_timeout: or(&queue.offer_timeout, standing)?,
        on_reject: match queue.on_reject.as_ref().map(|text| (text, text.as_ref().as_str())) {
            None | Some((_, "not_ready")) => OnReject::NotReady,
            Some((_, "ready")) => OnReject::Ready,
            Some((text, other)) => {
                let what =
                    format!("`{}` is neither: write \"not_ready\" or \"ready\"", shown(other));
                return Err(source.value(text.span(), &what));
            }
        },
        max_misses: queue.max_misses.as_ref().map_or(1, |misses| *misses.as_ref()),
        short_abandon: or(&queue.short_abandon, &SHORT_ABANDON.into())?,
        // They are for those who watch; nothing in a scenario is watched.
        thresholds: Thresholds::default(),
    })
}

/// All contacts in file order, single ones first, and the ids that actions may name.
fn contacts(
    source: Source<'_>,
    form: &Form,
    base: &Path,
    known: &recorded::Known<'_>,
) -> Result<(Vec<ScenarioContact>, BTreeSet<String>), ScenarioError> {
    let mut ids = BTreeSet::new();
    let mut contacts = Vec::new();
    for single in &form.contact {
        let contact = people::contact(source, single, known)?;
        if !ids.insert(contact.id.clone()) {
            let what = format!("`{}` is an id of two contacts: rename one", contact.id);
            return Err(source.value(single.id.span(), &what));
        }
        contacts.push(contact);
    }
    if let Some(rows) = &form.recorded {
        let (file, rows) = recorded::read(source, rows, base, known)?;
        for (line, contact) in rows {
            if !ids.insert(contact.id.clone()) {
                let what = format!("`{}` is an id of two contacts: rename one", contact.id);
                return Err(ScenarioError::new(&file, Some(line), &what));
            }
            contacts.push(contact);
        }
    }
    Ok((contacts, ids))
}
