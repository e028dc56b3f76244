//! `/wallboard`: what the wallboard topic's snapshot holds.

use actix_web::HttpResponse;
use serde_json::json;

use super::answer;
use super::call::Call;
use super::page::Query;
use super::problem::Problem;
use crate::views::{Scope, rfc3339};

/// `GET /wallboard`: names as initials for whoever only reads.
pub async fn one(call: Call) -> Result<HttpResponse, Problem> {
    Query::of(&call, &[])?;
    let scope = if call.caller()?.reads_only { Scope::Wall } else { Scope::All };
    let ((seq, at), data) = call.api.core.wallboard(scope);
    let epoch = &call.api.epoch;
    let board = json!({ "epoch": epoch, "seq": seq, "at": rfc3339(at), "data": data });
    Ok(answer::read(&call, &board))
}
