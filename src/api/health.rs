//! Whether the process lives, and whether it takes work.

use actix_web::HttpResponse;
use serde_json::json;

use super::call::Call;
use super::clock;

/// It answers, so it lives.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// 200 when work is taken, else 503, with the reasons.
pub async fn ready(call: Call) -> HttpResponse {
    let core = &call.api.core;
    let reasons = core.not_ready();
    let clock = clock::json(core);
    let (mut response, status) = if reasons.is_empty() {
        (HttpResponse::Ok(), "ready")
    } else {
        (HttpResponse::ServiceUnavailable(), "not_ready")
    };
    response.json(json!({ "status": status, "reasons": reasons, "clock": clock }))
}
