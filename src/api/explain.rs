//! `/contacts/{id}/explain`: why it has its agent, or why it still waits.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;

use super::answer::SEQ;
use super::call::Call;
use super::page::Query;
use super::problem::Problem;
use crate::views::explain_json;

/// `GET /contacts/{id}/explain`: all of it as of one event, whose number is in it.
pub async fn one(call: Call) -> Result<HttpResponse, Problem> {
    Query::of(&call, &[])?;
    let id = call.contact_id()?;
    let core = &call.api.core;
    let found = core.explain(id).ok_or_else(|| Problem::not_found("contact"))?;
    let json = explain_json(id, &found.contact, &found.explanation, found.at, found.seq);
    let mut response = HttpResponse::Ok();
    response.insert_header((SEQ, found.seq.to_string()));
    response.insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.json(json))
}
