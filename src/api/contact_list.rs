//! `GET /contacts`: contacts in memory and out of it, in one order.
//!
//! A page looks at so many contacts and no more ([`SCANNED_PER_PAGE_MAX`]). Where it ends there,
//! it may show fewer than were asked for, or none, and its cursor goes on from the last looked at;
//! only a cursor of null says that there is nothing behind. What may read the disk is done on a
//! thread that may wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpResponse, web};
use atalaya_domain::contact::Contact;
use atalaya_domain::ids::{AgentId, ContactId, QueueId};
use atalaya_domain::machine::State;
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{self, AT};
use super::call::Call;
use super::contacts::{FILTERS, STATES, may_see};
use super::page::Query;
use super::problem::Problem;
use super::wire;
use crate::actors::slots::Published;
use crate::journal::picture::PictureError;
use crate::views::{CountedIn, rfc3339};

/// Contacts that one page looks at: some 50 ms where all of them are read from the disk.
pub(super) const SCANNED_PER_PAGE_MAX: usize = 10_000;

/// States of contacts that are over: only those leave memory.
const OVER: [&str; 3] = ["closed", "abandoned", "refused"];

/// Most characters of somebody's text that a refusal repeats.
const ECHO_CHARS_MAX: usize = 80;

/// Filters.
struct Wanted {
    state: Option<&'static str>,
    queue: Option<QueueId>,
    agent: Option<AgentId>,
    external_id: Option<String>,
    /// Those whom a figure counts, by id.
    counted: Option<Vec<ContactId>>,
}

/// A number, an instant, and whom a figure counts there.
type Counted = (u64, Timestamp, Vec<ContactId>);

type Found = Result<(ContactId, Arc<Published>), PictureError>;

impl Wanted {
    fn is(&self, contact: &Contact) -> bool {
        let Some(entered) = &contact.entered else { return false };
        self.state.is_none_or(|state| contact.state.name() == state)
            && self.queue.as_ref().is_none_or(|queue| entered.queue == *queue)
            && self.agent.as_ref().is_none_or(|agent| contact.agent() == Some(agent))
            && self
                .external_id
                .as_ref()
                .is_none_or(|name| entered.external_id.as_ref() == Some(name))
    }
}

/// `GET /contacts`, oldest first.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &FILTERS)?;
    let is_state = |name: &str| STATES.into_iter().find(|state| *state == name);
    let counted = counted(&call, &query)?;
    let as_of = counted.as_ref().map(|(seq, at, _)| (*seq, *at));
    let wanted = Wanted {
        state: query.parsed("state", is_state)?,
        queue: query.parsed("queue", |value| QueueId::new(value).ok())?,
        agent: query.parsed("agent", |value| AgentId::new(value).ok())?,
        external_id: query.get("external_id").map(str::to_owned),
        counted: counted.map(|(_, _, ids)| ids),
    };
    let limit = query.limit()?;
    let cursor = |cursor: &str| Uuid::try_parse(cursor).ok().map(ContactId);
    let after = query.parsed("cursor", cursor)?;
    let asked = call.clone();
    let page = web::block(move || page(&asked, &wanted, after, limit)).await;
    let page = page.map_err(|_| Problem::internal())?.map_err(|error| {
        tracing::error!(%error, "cannot list contacts");
        Problem::internal()
    })?;
    let Some((seq, at)) = as_of else { return Ok(answer::read(&call, &page)) };
    // A window moves with the instant too: the number alone does not say what it counts.
    let mut response = answer::read_at(seq, &page);
    let at = HeaderValue::try_from(rfc3339(at)).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(AT, at);
    Ok(response)
}

/// Whom the figure counts that is asked for, and the number and the instant at which it does.
fn counted(call: &Call, query: &Query) -> Result<Option<Counted>, Problem> {
    let Some(name) = query.get("counted_in") else { return Ok(None) };
    let refused = |why: &str| {
        let shown: String = name.chars().take(ECHO_CHARS_MAX).collect();
        let detail = format!("cannot list who is counted in `{shown}`: {why}");
        Err(Problem::invalid("counted_in", detail))
    };
    let core = &call.api.core;
    let Some(counted) = CountedIn::parse(name) else {
        let figures = CountedIn::figures().join(", ");
        let why = format!("write a queue or totals, a dot, and one of {figures}");
        return refused(&why);
    };
    if counted.queue().is_some_and(|queue| core.queue(queue).is_none()) {
        return refused("there is no such queue");
    }
    match core.counted_in(&counted) {
        (seq, at, Some(ids)) => Ok(Some((seq, at, ids))),
        (_, _, None) => refused("too many contacts came today to tell them apart"),
    }
}

fn page(
    call: &Call,
    wanted: &Wanted,
    after: Option<ContactId>,
    limit: usize,
) -> Result<Value, PictureError> {
    let core = &call.api.core;
    let places = core.positions(core.queues().into_iter());
    let mut items = Vec::new();
    let (mut shown, mut looked) = (None, None);
    for (count, found) in candidates(call, wanted, after)?.enumerate() {
        if count == SCANNED_PER_PAGE_MAX {
            return Ok(
                json!({ "items": items, "next_cursor": wire::text_or_null(looked.as_ref()) }),
            );
        }
        let (id, published) = found?;
        looked = Some(id);
        let State::Contact(contact) = &published.state else { continue };
        if !wanted.is(contact) || !may_see(call, contact) {
            continue;
        }
        if items.len() == limit {
            return Ok(
                json!({ "items": items, "next_cursor": wire::text_or_null(shown.as_ref()) }),
            );
        }
        items.extend(wire::contact::json(call, id, contact, places.get(&id).copied()));
        shown = Some(id);
    }
    Ok(json!({ "items": items, "next_cursor": null }))
}

/// Those who may be wanted: those that a figure counts, by name where there is one, those in memory
/// where none that is over is wanted, else all.
fn candidates<'a>(
    call: &'a Call,
    wanted: &Wanted,
    after: Option<ContactId>,
) -> Result<Box<dyn Iterator<Item = Found> + 'a>, PictureError> {
    let core = &call.api.core;
    if let Some(counted) = &wanted.counted {
        let behind = counted.iter().copied().filter(|id| after.is_none_or(|after| after < *id));
        let ids = behind.collect::<Vec<_>>();
        return Ok(Box::new(ids.into_iter().map(|id| Ok((id, core.read(&id.into()))))));
    }
    let Some(name) = &wanted.external_id else {
        // A year of those who are over is not gone through for the few who wait.
        if wanted.state.is_some_and(|state| !OVER.contains(&state)) {
            let ids = core.in_memory_after(after).into_iter();
            return Ok(Box::new(ids.map(|id| Ok((id, core.read(&id.into()))))));
        }
        return Ok(Box::new(core.contacts_after(after)));
    };
    let is_named = |id: &ContactId| {
        let called = |contact: &Contact| {
            contact.entered.as_ref().is_some_and(|e| e.external_id.as_ref() == Some(name))
        };
        matches!(&core.read(&(*id).into()).state, State::Contact(contact) if called(contact))
    };
    // Memory first: who leaves it meanwhile is in the picture by then.
    let mut ids: BTreeSet<_> = core.in_memory_after(after).into_iter().filter(is_named).collect();
    let Some(outside) = core.named_outside(name)? else {
        return Ok(Box::new(core.contacts_after(after)));
    };
    ids.extend(outside.into_iter().filter(|id| after.is_none_or(|after| after < *id)));
    Ok(Box::new(ids.into_iter().map(|id| Ok((id, core.read(&id.into()))))))
}
