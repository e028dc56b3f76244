//! Agents: roster, profile, presence, and their answers to offers.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::HttpResponse;
use atalaya_domain::agent::{Agent, Command, Facts, Kind, Wish};
use atalaya_domain::contact;
use atalaya_domain::ids::{AgentId, EntityId, QueueId, Slug};
use atalaya_domain::machine;
use atalaya_domain::skills::{AGENT_LEVELS, Profile};

use super::answer::{self, Answer};
use super::body::{self, Body, Fields, Keys, missing};
use super::call::Call;
use super::idempotency::once;
use super::page::Query;
use super::personal;
use super::problem::{Code, Problem};
use super::roles::Role;
use super::wire;

/// Most characters of a name.
pub(super) const NAME_CHARS_MAX: usize = 120;
/// Most calls at one time that a profile may allow.
pub(super) const VOICE_MAX: u32 = 20;
/// Most characters of a supervisor's why.
pub(super) const WHY_CHARS_MAX: usize = 500;

/// Fields of a profile.
pub(super) const PROFILE: Keys = Keys {
    known: &["name", "team", "level", "skills", "languages", "capacity", "queues"],
    later: &["shifts"],
};
/// Channels of a profile's capacity.
pub(super) const CAPACITY: Keys = Keys {
    known: &["voice"],
    later: &["chat", "sms", "email", "mailbox", "visit", "callback", "outbound"],
};
/// Fields of a presence.
pub(super) const PRESENCE: Keys = Keys::of(&["state", "reason", "after", "force", "why"]);
/// Fields of a rejection.
pub(super) const REJECT: Keys = Keys::of(&["reason"]);
/// Filters of the list.
pub(super) const FILTERS: [&str; 4] = ["state", "team", "skill", "queue"];

/// `GET /agents`.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &FILTERS)?;
    let is_state = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let state = query.parsed("state", is_state)?;
    let team = query.parsed("team", |value| Slug::new(value).ok())?;
    let skill = query.parsed("skill", |value| Slug::new(value).ok())?;
    let queue = query.parsed("queue", |value| QueueId::new(value).ok())?;
    let core = &call.api.core;
    let needed = queue.map(|id| (core.queue(&id).map(|(queue, _)| queue), id));
    let shown = |id: &AgentId, agent: &Agent| {
        let lost = core.out_of_service(id).is_some();
        if lost { Kind::Lost } else { agent.presence().state }
    };
    let wanted = |id: &AgentId, agent: &Agent| {
        let Some(facts) = &agent.facts else { return false };
        state.is_none_or(|state| shown(id, agent) == state)
            && team.as_ref().is_none_or(|team| facts.team == *team)
            && skill.as_ref().is_none_or(|skill| facts.profile.skills.contains_key(skill))
            && needed.as_ref().is_none_or(|(queue, id)| {
                let rules = queue.as_ref().and_then(|queue| queue.rules.as_ref());
                rules.is_some_and(|rules| rules.requirement.unfit(id, &facts.profile).is_none())
            })
    };
    let ids = core.ids(|id| match id {
        EntityId::Agent(id) => Some(id),
        _ => None,
    });
    let page = query.page(
        ids,
        |cursor| AgentId::new(cursor).ok(),
        |id| {
            let (agent, _) = core.agent(id).filter(|(agent, _)| wanted(id, agent))?;
            wire::agent::json(&call, id, &agent)
        },
    )?;
    Ok(answer::read(&call, &page))
}

/// `GET /agents/{id}`.
pub async fn one(call: Call) -> Result<HttpResponse, Problem> {
    answer::one(&call, &call.agent_id()?.into())
}

/// `PUT /agents/{id}`: create or replace the profile.
pub async fn put(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let (id, name, facts) = read(call.param("id"), body)?;
    let stands = call.api.core.agent(&id).map(|(agent, _)| agent);
    let is_new = stands.is_none();
    // The hash of the configured text stays: until that text changes, what is put here wins.
    let text_hash = stands.map_or([0; 16], |agent| agent.text_hash);
    let command = Command::Configure { facts: Arc::new(facts), text_hash };
    let to = EntityId::Agent(id.clone());
    let said = vec![personal::of_agent(&id, "name", name)];
    let done = call.tell_with(to.clone(), machine::Command::Agent(command), said).await?;
    let answer = if is_new { Answer::made(to, &done) } else { Answer::changed(to, &done) };
    answer::render(&call, &answer)
}

/// An agent as somebody writes it, in a body or in a configuration file, with the name, which is
/// personal: one list of keys.
pub fn read(id: &str, body: Body) -> Result<(AgentId, String, Facts), Problem> {
    let mut fields = body.fields(PROFILE)?;
    let id = AgentId::new(id)
        .map_err(|error| Problem::invalid("id", format!("cannot make an agent: {error}")))?;
    let name = fields.text("name", NAME_CHARS_MAX)?.ok_or_else(|| missing("name"))?;
    Ok((id, name, facts(&mut fields)?))
}

fn facts(fields: &mut Fields) -> Result<Facts, Problem> {
    let team = fields.slug("team")?.ok_or_else(|| missing("team"))?;
    let level = fields.value("level").map(|level| body::level_item("level", &level)).transpose()?;
    let skills = fields.levels_by_slug("skills", 1, 10)?.unwrap_or_default();
    let languages: BTreeSet<Slug> = fields.list("languages", body::slug_item)?.unwrap_or_default();
    let voice = match fields.object("capacity", CAPACITY)? {
        None => 1,
        Some(mut capacity) => capacity.whole("voice", 0, VOICE_MAX)?.unwrap_or(0),
    };
    let queues: Option<BTreeSet<QueueId>> =
        fields.list("queues", |field, item| body::slug_item(field, item).map(QueueId))?;
    let small = |field: &str, number: u32| {
        u8::try_from(number).map_err(|_| Problem::invalid(field, format!("cannot take `{field}`")))
    };
    let (level, voice) = (level.unwrap_or(*AGENT_LEVELS.start()), small("capacity", voice)?);
    Ok(Facts { team, profile: Profile { level, skills, languages, voice, queues } })
}

/// `POST /agents/{id}/presence`: one's own; a supervisor forces it and says why.
pub async fn presence(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let mut fields = body.fields(PRESENCE)?;
    let caller = call.caller()?;
    let own = caller.role == Role::Agent;
    let force = fields.flag("force")?;
    if own && (force || call.agent()?.as_str() != call.param("id")) {
        let detail = "cannot change the presence of another, or force one's own";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let id = call.agent_id()?;
    let after = fields.flag("after")?;
    let mut said = Vec::new();
    let why = fields.text("why", WHY_CHARS_MAX)?.filter(|why| !why.trim().is_empty());
    let wish = wish(&mut fields)?;
    let command = if own {
        Command::Presence { wish, after, start: call.api.core.start() }
    } else {
        if !force {
            return Err(Problem::invalid("force", "cannot change another's presence but by force"));
        }
        let why = why.ok_or_else(|| missing("why"))?;
        said.push(personal::of_agent(&id, "why", why));
        if after {
            return Err(Problem::invalid("after", "cannot force and wait for the end of work"));
        }
        Command::Force { wish, session: call.api.core.is_heard(&id) }
    };
    once(call, &kept, |work| async move {
        let to = EntityId::Agent(id);
        let done = work.tell_with(to.clone(), machine::Command::Agent(command), said).await?;
        Ok(Answer::changed(to, &done))
    })
    .await
}

fn wish(fields: &mut Fields) -> Result<Wish, Problem> {
    let state = fields.slug("state")?.ok_or_else(|| missing("state"))?;
    let reason = fields.slug("reason")?;
    match (state.as_str(), reason) {
        ("ready", None) => Ok(Wish::Ready),
        ("signed_out", None) => Ok(Wish::SignedOut),
        ("not_ready", Some(reason)) => Ok(Wish::NotReady(reason)),
        ("not_ready", None) => Err(missing("reason")),
        ("ready" | "signed_out", Some(_)) => {
            Err(Problem::invalid("reason", "cannot take a reason but for not_ready"))
        }
        _ => {
            let detail = "cannot take `state`: it is none of ready, not_ready, signed_out";
            Err(Problem::invalid("state", detail))
        }
    }
}

/// `POST /agents/{id}/offers/{offer}/accept`; answers the contact.
pub async fn accept(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    body.fields(Keys::NONE)?;
    answer_offer(call, kept, |offer, agent| contact::Command::Accept { offer, agent }).await
}

/// `POST /agents/{id}/offers/{offer}/reject`; answers the contact.
pub async fn reject(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let reason = body.fields(REJECT)?.slug("reason")?;
    answer_offer(call, kept, |offer, agent| contact::Command::Reject { offer, agent, reason }).await
}

/// An offer that is not out any more is gone (409), whether it ever was: the stream of events
/// knows, the states do not.
async fn answer_offer(
    call: Call,
    body: Body,
    command: impl FnOnce(atalaya_domain::ids::OfferId, AgentId) -> contact::Command,
) -> Result<HttpResponse, Problem> {
    let agent = call.agent()?.clone();
    if agent.as_str() != call.param("id") {
        return Err(Problem::new(Code::Forbidden, "cannot answer another agent's offers"));
    }
    let offer = call.offer_id()?;
    if call.api.core.agent(&agent).is_none() {
        return Err(Problem::not_found("agent"));
    }
    let found = call.api.core.offered(offer, &agent);
    let command = command(offer, agent);
    once(call, &body, |work| async move {
        let contact = found.ok_or_else(|| {
            let name = command.name();
            let detail = format!("cannot {name}: offer {offer} is over");
            Problem::new(Code::OfferGone, detail).with("command", name)
        })?;
        let to = EntityId::Contact(contact);
        let done = work.tell(to.clone(), machine::Command::Contact(command)).await?;
        Ok(Answer::changed(to, &done))
    })
    .await
}
