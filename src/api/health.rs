//! Whether the process lives, and whether it takes work.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::clock;

/// It answers, so it lives.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(live_json())
}

/// What it says.
pub(super) fn live_json() -> Value {
    json!({ "status": "live" })
}

/// 200 when work is taken, else 503, with the reasons.
pub async fn ready(call: Call) -> HttpResponse {
    let core = &call.api.core;
    let reasons = core.not_ready();
    let clock = clock::json(core);
    let mut response =
        if reasons.is_empty() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(ready_json(&reasons, &clock))
}

/// What it says.
pub(super) fn ready_json(reasons: &[String], clock: &Value) -> Value {
    let status = if reasons.is_empty() { "ready" } else { "not_ready" };
    json!({ "status": status, "reasons": reasons, "clock": clock })
}
