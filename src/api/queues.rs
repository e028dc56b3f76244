//! Queues: rules, open and closed, who waits.

use actix_web::HttpResponse;
use atalaya_domain::agent::Agent;
use atalaya_domain::ids::{EntityId, QueueId};
use atalaya_domain::machine;
use atalaya_domain::queue::{
    Bound, Command, NAME_CHARS_MAX, OFFER_TIMEOUT, OnReject, Rules, SHORT_ABANDON,
    SHORT_NAME_CHARS_MAX, ServiceLevel, Thresholds, WAITING_MAX, WRAP_UP,
};
use atalaya_domain::skills::Requirement;
use atalaya_domain::time::Written;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::body::{self, Body, Fields, Keys, missing};
use super::call::Call;
use super::idempotency::once;
use super::page::Query;
use super::problem::{Code, Problem};
use super::roles::Role;
use super::wire;
use crate::views::queue_json;

/// Words that an overflow may name, and so no queue.
const RESERVED: [&str; 4] = ["callback", "message", "refuse", "totals"];

/// What this version carries out.
const KNOWN: [&str; 15] = [
    "name",
    "short_name",
    "channel",
    "requires",
    "language",
    "levels",
    "service_level",
    "max_waiting",
    "wrap_up",
    "offer_timeout",
    "strategy",
    "on_reject",
    "max_misses",
    "short_abandon",
    "thresholds",
];
/// What is part of the contract besides.
const LATER: [&str; 7] = [
    "relax",
    "overflow",
    "async_grace",
    "recover_place",
    "skip_empty_levels",
    "max_expected_wait",
    "hours",
];

/// Fields of the rules.
pub(super) const RULES: Keys = Keys { known: &KNOWN, later: &LATER };
/// Fields of `service_level`.
pub(super) const SERVICE_LEVEL: Keys = Keys::of(&["share", "within"]);
/// Fields of `thresholds`.
pub(super) const THRESHOLDS: Keys = Keys::of(&["longest_wait", "waiting", "service_level"]);
/// Fields of each of them.
pub(super) const BOUND: Keys = Keys::of(&["warning", "critical"]);
/// Fields of `strategy`.
pub(super) const STRATEGY: Keys = Keys::of(&["agent", "contact"]);
/// Fields of an opening.
pub(super) const OPEN: Keys = Keys::of(&["reason"]);
/// Fields of a closing.
pub(super) const CLOSE: Keys = Keys::of(&["reason", "emergency"]);

/// `GET /queues`.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &[])?;
    let core = &call.api.core;
    let page = query.page(
        core.queues(),
        |cursor| QueueId::new(cursor).ok(),
        |id| Some(queue_json(id, &core.queue(id)?.0, core.figures(id).as_ref())),
    )?;
    Ok(answer::read(&call, &page))
}

/// `GET /queues/{id}`.
pub async fn one(call: Call) -> Result<HttpResponse, Problem> {
    answer::one(&call, &call.queue_id()?.into())
}

/// `PUT /queues/{id}`: create or replace the rules; they hold for those who come after.
pub async fn put(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    Query::of(&call, &[])?;
    let (id, rules) = read(call.param("id"), body)?;
    let rules = Box::new(rules);
    let stands = call.api.core.queue(&id).map(|(queue, _)| queue);
    let is_new = stands.is_none();
    let to = EntityId::Queue(id.clone());
    // The hash of the configured text stays: until that text changes, what is put here wins.
    let text_hash = stands.map_or([0; 16], |queue| queue.text_hash);
    let command = Command::Configure { rules, text_hash };
    let done = call.tell(to.clone(), machine::Command::Queue(command)).await?;
    let answer = if is_new { Answer::made(to, &done) } else { Answer::changed(to, &done) };
    answer::render(&call, &answer)
}

/// A queue as somebody writes it, in a body or in a configuration file: one list of keys.
pub fn read(id: &str, body: Body) -> Result<(QueueId, Rules), Problem> {
    let mut fields = body.fields(RULES)?;
    let id = QueueId::new(id)
        .map_err(|error| Problem::invalid("id", format!("cannot make a queue: {error}")))?;
    if RESERVED.contains(&id.as_str()) {
        let detail = format!("cannot make a queue `{id}`: the word has a meaning of its own");
        return Err(Problem::invalid("id", detail));
    }
    Ok((id, rules(&mut fields)?))
}

fn rules(fields: &mut Fields) -> Result<Rules, Problem> {
    let name = fields.text("name", NAME_CHARS_MAX)?.ok_or_else(|| missing("name"))?;
    let short_name = fields.text("short_name", SHORT_NAME_CHARS_MAX)?;
    let short_name =
        short_name.unwrap_or_else(|| name.chars().take(SHORT_NAME_CHARS_MAX).collect());
    if fields.text("channel", 20)?.is_some_and(|channel| channel != "voice") {
        let detail = "cannot take `channel`: this version has voice only";
        return Err(Problem::new(Code::NotInThisVersion, detail).with("field", "channel"));
    }
    strategy(fields)?;
    let requirement = requirement(fields)?;
    let requirement = Requirement {
        skills: requirement.skills.unwrap_or_default(),
        language: requirement.language,
        levels: requirement.levels,
    };
    let service_level = match fields.object("service_level", SERVICE_LEVEL)? {
        None => None,
        Some(mut level) => Some(ServiceLevel {
            share: level.number("share")?.ok_or_else(|| missing("service_level.share"))?,
            within: level.duration("within")?.ok_or_else(|| missing("service_level.within"))?,
        }),
    };
    let max_waiting = fields.whole("max_waiting", 0, u32::MAX)?;
    let wrap_up = wrap_up(fields)?;
    let offer_timeout = fields.duration("offer_timeout")?;
    let on_reject = match fields.text("on_reject", 20)?.as_deref() {
        None | Some("not_ready") => OnReject::NotReady,
        Some("ready") => OnReject::Ready,
        Some(_) => {
            let detail = "cannot take `on_reject`: it is neither not_ready nor ready";
            return Err(Problem::invalid("on_reject", detail));
        }
    };
    let rules = Rules {
        name,
        short_name,
        requirement,
        service_level,
        max_waiting,
        wrap_up,
        offer_timeout: offer_timeout.unwrap_or_else(|| OFFER_TIMEOUT.into()),
        on_reject,
        max_misses: fields.whole("max_misses", 0, u32::MAX)?.unwrap_or(1),
        short_abandon: fields.duration("short_abandon")?.unwrap_or_else(|| SHORT_ABANDON.into()),
        thresholds: thresholds(fields)?,
    };
    rules.check().map_err(|unsound| {
        let field = unsound.field;
        Problem::invalid(field, format!("cannot take `{field}`: {unsound}"))
    })?;
    Ok(rules)
}

/// Each part and each of its bounds may be left out.
fn thresholds(fields: &mut Fields) -> Result<Thresholds, Problem> {
    let Some(mut given) = fields.paths("thresholds", THRESHOLDS)? else {
        return Ok(Thresholds::default());
    };
    Ok(Thresholds {
        longest_wait: bound(&mut given, "thresholds.longest_wait", Fields::duration)?,
        waiting: bound(&mut given, "thresholds.waiting", |fields, field| {
            fields.whole(field, 0, WAITING_MAX)
        })?,
        service_level: bound(&mut given, "thresholds.service_level", Fields::number)?,
    })
}

fn bound<T>(
    given: &mut Fields,
    part: &str,
    read: impl Fn(&mut Fields, &str) -> Result<Option<T>, Problem>,
) -> Result<Bound<T>, Problem> {
    let Some(mut bound) = given.paths(part, BOUND)? else { return Ok(Bound::default()) };
    let mut of = |name: &str| read(&mut bound, &format!("{part}.{name}"));
    Ok(Bound { warning: of("warning")?, critical: of("critical")? })
}

/// A limit, or `"none"`; left out: 30 s.
fn wrap_up(fields: &mut Fields) -> Result<Option<Written>, Problem> {
    match fields.text("wrap_up", 40)?.as_deref() {
        None => Ok(Some(WRAP_UP.into())),
        Some("none") => Ok(None),
        Some(text) => match Written::parse(text) {
            Ok(limit) if limit.span.0 >= 0 => Ok(Some(limit)),
            Ok(_) => Err(Problem::invalid("wrap_up", "cannot take `wrap_up`: it is negative")),
            Err(error) => {
                Err(Problem::invalid("wrap_up", format!("cannot take `wrap_up`: {error}")))
            }
        },
    }
}

/// Only what the matching carries out.
fn strategy(fields: &mut Fields) -> Result<(), Problem> {
    let Some(mut strategy) = fields.object("strategy", STRATEGY)? else {
        return Ok(());
    };
    for (part, only) in [("agent", "longest_idle"), ("contact", "oldest_first")] {
        if strategy.text(part, 40)?.is_some_and(|named| named != only) {
            let detail = format!("cannot take `strategy.{part}`: this version has {only} only");
            let problem = Problem::new(Code::NotInThisVersion, detail);
            return Err(problem.with("field", format!("strategy.{part}")));
        }
    }
    Ok(())
}

/// Skills, language and levels, each left out or given.
pub struct Wishes {
    /// Least level of each skill.
    pub skills: Option<atalaya_domain::skills::Skills>,
    /// What must be spoken.
    pub language: Option<atalaya_domain::ids::Slug>,
    /// Levels of agent.
    pub levels: Option<std::collections::BTreeSet<u8>>,
}

/// Reads `requires`, `language`, `levels`.
pub fn requirement(fields: &mut Fields) -> Result<Wishes, Problem> {
    Ok(Wishes {
        skills: fields.levels_by_slug("requires", 1, 10)?,
        language: fields.slug("language")?,
        levels: fields.list("levels", body::level_item)?,
    })
}

/// `POST /queues/{id}/open`.
pub async fn open(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let reason = body.fields(OPEN)?.slug("reason")?;
    command(call, &kept, Command::Open { reason }).await
}

/// `POST /queues/{id}/close`.
pub async fn close(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let mut fields = body.fields(CLOSE)?;
    let (reason, emergency) = (fields.slug("reason")?, fields.flag("emergency")?);
    command(call, &kept, Command::Close { emergency, reason }).await
}

async fn command(call: Call, body: &Body, command: Command) -> Result<HttpResponse, Problem> {
    let id = call.queue_id()?;
    if call.api.core.queue(&id).is_none() {
        return Err(Problem::not_found("queue"));
    }
    let to = EntityId::Queue(id);
    once(call, body, |work| async move {
        let done = work.tell(to.clone(), machine::Command::Queue(command)).await?;
        Ok(Answer::changed(to, &done))
    })
    .await
}

/// `GET /queues/{id}/waiting`: in the order of service; the cursor is the last position shown.
pub async fn waiting(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &[])?;
    let core = &call.api.core;
    let id = call.queue_id()?;
    if call.caller()?.role == Role::Agent && !serves(&call, &id)? {
        return Err(Problem::new(Code::Forbidden, "cannot look into a queue one does not serve"));
    }
    if core.queue(&id).is_none() {
        return Err(Problem::not_found("queue"));
    }
    let limit = query.limit()?;
    let after: usize = query.parsed("cursor", |value| value.parse().ok())?.unwrap_or(0);
    let places: Vec<_> = core.waiting(&id).into_iter().zip(1..).skip(after).collect();
    let show = |(id, place): &(_, usize)| {
        wire::contact::json(&call, *id, &core.contact(*id)?.0, Some(*place))
    };
    let items: Vec<Value> = places.iter().take(limit).filter_map(show).collect();
    let next_cursor = (places.len() > limit).then(|| (after + limit).to_string());
    Ok(answer::read(&call, &json!({ "items": items, "next_cursor": next_cursor })))
}

/// Whether the agent who asks meets the queue's requirement.
fn serves(call: &Call, id: &QueueId) -> Result<bool, Problem> {
    let agent = call.api.core.agent(call.agent()?);
    let queue = call.api.core.queue(id).and_then(|(queue, _)| queue.rules);
    let fits = |agent: &Agent, rules: &Rules| {
        let facts = agent.facts.as_ref();
        facts.is_some_and(|facts| rules.requirement.unfit(id, &facts.profile).is_none())
    };
    Ok(agent.zip(queue).is_some_and(|((agent, _), rules)| fits(&agent, &rules)))
}
