//! `/events`: the committed stream, for integration and audit.

use actix_web::HttpResponse;
use atalaya_domain::ids::{ContactId, EntityId};
use serde_json::{Value, json};

use super::answer;
use super::call::Call;
use super::page::Query;
use super::problem::{Code, Problem};
use crate::actors::stream::Told;
use crate::journal::commit::PastError;
use crate::views::event_json;

/// What may be asked besides a page.
pub(super) const PARAMETERS: [&str; 3] = ["after", "epoch", "entity"];

/// `GET /events?after=&limit=&entity=`: what comes after a number, in order and without a gap; from
/// the first that is kept where none is named. Of one contact only where it is named: what its
/// history tells, to whoever follows the stream.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &PARAMETERS)?;
    let limit = query.limit()?;
    let after = query.parsed("after", |value| value.parse().ok())?;
    let cursor = query.parsed("cursor", |value| value.parse().ok())?;
    let after: Option<u64> = cursor.or(after);
    if query.get("epoch").is_some_and(|epoch| epoch != call.api.epoch) {
        let detail = "cannot go on: the log is of another epoch; begin again without `after`";
        return Err(Problem::new(Code::EpochChanged, detail).with("epoch", call.api.epoch.clone()));
    }
    let entity = query.parsed("entity", contact)?;
    let events = match entity {
        None => call.api.core.events_after(after, limit).await.map_err(problem)?,
        Some(contact) => {
            let mut events = call.api.core.history(&contact).await.map_err(problem)?;
            events.retain(|told| after.is_none_or(|after| after < told.numbered.seq));
            events.truncate(limit);
            events
        }
    };
    let next = events.last().filter(|_| events.len() == limit).map(|last| last.numbered.seq);
    let items = events.iter().map(|Told { numbered, by, observed_at }| {
        event_json(numbered.seq, by, &numbered.recorded, Some(*observed_at))
    });
    let items: Vec<Value> = items.collect();
    let next_cursor = next.map(|seq| seq.to_string());
    let page = json!({ "epoch": call.api.epoch, "items": items, "next_cursor": next_cursor });
    Ok(answer::read(&call, &page))
}

/// `contact:ID`. The history of a contact is short; that of a queue, an agent or the system is not,
/// and is not searched for here.
fn contact(text: &str) -> Option<EntityId> {
    let id = text.strip_prefix("contact:")?.parse().ok()?;
    Some(EntityId::Contact(ContactId(id)))
}

pub(super) fn problem(error: PastError) -> Problem {
    match error {
        PastError::TooOld { first_seq } => {
            let detail = format!("{error}; begin again without `after`");
            Problem::new(Code::CursorTooOld, detail).with("first_seq", first_seq)
        }
        PastError::Unreadable(why) => {
            tracing::error!(why, "failed to read events from the log");
            Problem::internal()
        }
    }
}
