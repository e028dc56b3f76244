//! A queue as JSON, with the figures that are at hand.

use atalaya_domain::ids::QueueId;
use atalaya_domain::queue::{OnReject, Queue};
use serde_json::{Value, json};

use super::{extend, instant_or_null, requirement};
use crate::api::call::Call;

/// The queue; none that is not configured.
pub fn json(call: &Call, id: &QueueId, queue: &Queue) -> Option<Value> {
    let rules = queue.rules.as_ref()?;
    let core = &call.api.core;
    let waiting = core.waiting(id);
    let oldest = waiting.iter().filter_map(|id| core.contact(*id));
    let oldest = oldest.map(|(contact, _)| contact.arrived_at).min();
    let level = rules.service_level.as_ref();
    let on_reject = match rules.on_reject {
        OnReject::NotReady => "not_ready",
        OnReject::Ready => "ready",
    };
    let mut json = json!({
        "id": id.as_str(),
        "name": rules.name,
        "short_name": rules.short_name,
        "channel": "voice",
    });
    extend(&mut json, requirement(&rules.requirement));
    let service_level =
        level.map(|level| json!({ "share": level.share, "within": level.within.as_str() }));
    let members = [
        ("service_level", json!(service_level)),
        ("max_waiting", json!(rules.max_waiting)),
        ("wrap_up", rules.wrap_up.as_ref().map_or("none", |limit| limit.as_str()).into()),
        ("offer_timeout", rules.offer_timeout.as_str().into()),
        ("strategy", json!({ "agent": "longest_idle", "contact": "oldest_first" })),
        ("on_reject", on_reject.into()),
        ("max_misses", rules.max_misses.into()),
        ("short_abandon", rules.short_abandon.as_str().into()),
        ("state", queue.status.name().into()),
        ("waiting", waiting.len().into()),
        ("longest_wait_since", instant_or_null(oldest)),
        ("version", queue.version.into()),
    ];
    extend(&mut json, members);
    Some(json)
}
