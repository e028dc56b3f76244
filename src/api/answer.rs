//! What a write answers: the entity as it is after the commit, its version and the log's number.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, LOCATION};
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::State;
use serde_json::Value;

use super::call::Call;
use super::clock;
use super::problem::Problem;
use super::wire;
use crate::actors::shell::Done;
use crate::views::queue_json;

/// Number of the last event of a write, or of what a read has seen.
pub const SEQ: HeaderName = HeaderName::from_static("atalaya-seq");
/// The instant that a list behind a figure is as of.
pub const AT: HeaderName = HeaderName::from_static("atalaya-at");
/// Says that the outcome is an earlier one.
pub const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");

/// How a write ended well.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 200 or 201.
    pub status: StatusCode,
    /// Of what was made.
    pub location: Option<String>,
    /// What to show.
    pub entity: EntityId,
    /// Number of its last event; 0 when nothing changed.
    pub seq: u64,
    /// Shown this once.
    pub secret: Option<String>,
}

impl Answer {
    /// `entity` was changed, or is as was wanted already.
    pub const fn changed(entity: EntityId, done: &Done) -> Self {
        Self { status: StatusCode::OK, location: None, entity, seq: done.seq, secret: None }
    }

    /// `entity` was made.
    pub fn made(entity: EntityId, done: &Done) -> Self {
        Self::of(StatusCode::CREATED, entity, done.seq)
    }

    /// The answer that has `status`.
    pub fn of(status: StatusCode, entity: EntityId, seq: u64) -> Self {
        let location = (status == StatusCode::CREATED).then(|| location(&entity)).flatten();
        Self { status, location, entity, seq, secret: None }
    }
}

/// Where an entity that can be made is found.
fn location(entity: &EntityId) -> Option<String> {
    Some(match entity {
        EntityId::Agent(id) => format!("/api/v1/agents/{id}"),
        EntityId::Queue(id) => format!("/api/v1/queues/{id}"),
        EntityId::Contact(id) => format!("/api/v1/contacts/{id}"),
        EntityId::Token(id) => format!("/api/v1/tokens/{id}"),
        EntityId::Session(_) | EntityId::System => return None,
    })
}

/// An answer as it goes out.
pub fn render(call: &Call, answer: &Answer) -> Result<HttpResponse, Problem> {
    let (mut json, version) = entity(call, &answer.entity)?;
    if let (Some(secret), Some(object)) = (&answer.secret, json.as_object_mut()) {
        object.insert("token".into(), secret.clone().into());
    }
    let seq = if answer.seq == 0 { call.api.core.last_seq() } else { answer.seq };
    let mut response = HttpResponse::build(answer.status);
    response.insert_header((SEQ, seq.to_string()));
    response.insert_header((ETAG, format!("\"{version}\"")));
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(location) = &answer.location {
        response.insert_header((LOCATION, location.as_str()));
    }
    Ok(response.json(json))
}

/// An entity as the caller may see it, and its version.
pub fn entity(call: &Call, id: &EntityId) -> Result<(Value, u64), Problem> {
    let published = call.api.core.read(id);
    let json = match (id, &published.state) {
        (EntityId::Agent(id), State::Agent(agent)) => wire::agent::json(call, id, agent),
        (EntityId::Queue(id), State::Queue(queue)) if queue.rules.is_some() => {
            Some(queue_json(id, queue, call.api.core.figures(id).as_ref()))
        }
        (EntityId::Contact(id), State::Contact(contact)) => {
            wire::contact::json(call, *id, contact, call.api.core.position(*id))
        }
        (EntityId::Token(id) | EntityId::Session(id), State::Credential(token)) => {
            wire::token::json(*id, token)
        }
        (EntityId::System, _) => Some(clock::json(&call.api.core)),
        _ => None,
    };
    let json = json.ok_or_else(|| Problem::not_found(id.kind()))?;
    Ok((json, published.version))
}

/// One entity, as a `GET` answers it.
pub fn one(call: &Call, id: &EntityId) -> Result<HttpResponse, Problem> {
    let seq = call.api.core.last_seq();
    let (json, version) = entity(call, id)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((SEQ, seq.to_string()));
    response.insert_header((ETAG, format!("\"{version}\"")));
    response.insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.json(json))
}

/// Any other reading.
pub fn read(call: &Call, json: &Value) -> HttpResponse {
    read_at(call.api.core.last_seq(), json)
}

/// The same, of what stood at the number `seq`.
pub fn read_at(seq: u64, json: &Value) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((SEQ, seq.to_string()));
    response.insert_header((CACHE_CONTROL, "no-store"));
    response.json(json)
}
