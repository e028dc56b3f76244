//! `/events`: the committed stream, for integration and audit.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::answer;
use super::call::Call;
use super::page::Query;
use super::problem::Problem;
use crate::actors::centre::Told;
use crate::views::event_json;

/// What may be asked besides a page.
pub(super) const PARAMETERS: [&str; 2] = ["after", "epoch"];

/// `GET /events?after=&limit=`: what comes after a number, in order and without a gap.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &PARAMETERS)?;
    let limit = query.limit()?;
    let after = query.parsed("after", |value| value.parse().ok())?;
    let cursor = query.parsed("cursor", |value| value.parse().ok())?;
    let after: u64 = cursor.or(after).unwrap_or(0);
    if query.get("epoch").is_some_and(|epoch| epoch != call.api.epoch) {
        let detail = "cannot go on: the log is of another epoch; begin again without `after`";
        let code = super::problem::Code::EpochChanged;
        return Err(Problem::new(code, detail).with("epoch", call.api.epoch.clone()));
    }
    let events = call.api.core.events_after(after, limit);
    let next = events.last().filter(|_| events.len() == limit).map(|last| last.numbered.seq);
    let items = events.iter().map(|Told { numbered, by, observed_at }| {
        event_json(numbered.seq, by, &numbered.recorded, Some(*observed_at))
    });
    let items: Vec<Value> = items.collect();
    let next_cursor = next.map(|seq| seq.to_string());
    let page = json!({ "epoch": call.api.epoch, "items": items, "next_cursor": next_cursor });
    Ok(answer::read(&call, &page))
}
