//! `GET /wallboard`: what the topic's snapshot holds, for whoever has no socket.

use actix_web::HttpResponse;
use serde_json::json;

use super::answer;
use super::call::Call;
use super::problem::Problem;
use super::wire;
use super::ws::topics::scope_of;

/// `GET /wallboard`.
pub async fn one(call: Call) -> Result<HttpResponse, Problem> {
    let scope = scope_of(call.caller()?);
    let (seq, data) = call.api.core.wallboard(scope);
    let at = wire::instant(call.api.core.now());
    let body = json!({ "epoch": call.api.epoch, "seq": seq, "at": at, "data": data });
    Ok(answer::read(&call, &body))
}
