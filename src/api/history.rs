//! `/contacts/{id}/history`: every event of a contact, with who and when.
//!
//! Events carry nothing personal, and nothing personal is added here: a reading that shows it is
//! audited, which this version does not do.

use actix_web::HttpResponse;
use atalaya_domain::ids::EntityId;
use serde_json::{Value, json};

use super::answer;
use super::call::Call;
use super::page::Query;
use super::problem::Problem;
use crate::actors::stream::Told;
use crate::views::event_json;

/// `GET /contacts/{id}/history`, oldest first; the cursor is the number of the last event shown.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &[])?;
    let limit = query.limit()?;
    let after: u64 = query.parsed("cursor", |value| value.parse().ok())?.unwrap_or(0);
    let id = call.contact_id()?;
    if call.api.core.contact(id).is_none() {
        return Err(Problem::not_found("contact"));
    }
    let mut events =
        call.api.core.history(&EntityId::Contact(id)).await.map_err(super::events::problem)?;
    events.retain(|told| told.numbered.seq > after);
    let more = events.len() > limit;
    events.truncate(limit);
    let next_cursor = events.last().filter(|_| more).map(|last| last.numbered.seq.to_string());
    let items = events.iter().map(|Told { numbered, by, observed_at }| {
        event_json(numbered.seq, by, &numbered.recorded, Some(*observed_at))
    });
    let items: Vec<Value> = items.collect();
    let page = json!({ "epoch": call.api.epoch, "items": items, "next_cursor": next_cursor });
    Ok(answer::read(&call, &page))
}
