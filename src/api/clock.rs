//! `/clock`: moves the clock of a centre that stands still (`--clock-rate 0`).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use atalaya_domain::ids::EntityId;
use atalaya_domain::time::Span;
use serde_json::{Value, json};

use super::answer::Answer;
use super::body::{Body, Keys, missing};
use super::call::Call;
use super::core::Core;
use super::idempotency::once;
use super::problem::{Code, Problem};
use crate::views::rfc3339;

/// The most that one call moves the clock by.
pub const ADVANCE_MAX: Span = Span::seconds(366 * 24 * 3_600);

/// What a move takes.
pub(super) const ADVANCE: Keys = Keys { known: &["advance", "leases"], later: &[] };

/// Where the clock stands, as the wire has it.
pub fn json(core: &Core) -> Value {
    // A whole number as one: 0, not 0.0.
    let rate = core.rate();
    let whole = rate.to_string().parse::<serde_json::Number>();
    let rate = whole.map_or_else(|_| json!(rate), Value::Number);
    json!({ "at": rfc3339(core.now()), "rate": rate })
}

/// `POST /clock`: answers once all that fell due on the way is committed.
pub async fn advance(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let mut fields = body.clone().fields(ADVANCE)?;
    let written = fields.duration("advance")?.ok_or_else(|| missing("advance"))?;
    let leases = fields.flag("leases")?;
    let span = written.span;
    let refused = |why: &str| {
        let detail = format!("cannot advance by `{}`: {why}", written.as_str());
        Err(Problem::invalid("advance", detail))
    };
    if span <= Span::ZERO {
        return refused("the clock only goes forward; name a duration over 0");
    }
    if span > ADVANCE_MAX || written.as_str().ends_with('d') {
        return refused("name at most 8784h, in ms, s, m or h");
    }
    if !call.api.core.stands_still() {
        let detail = "cannot advance a clock that runs: start the server with --clock-rate 0";
        return Err(Problem::new(Code::ClockRuns, detail));
    }
    once(call, &body, move |work| async move {
        let system = EntityId::System;
        let (terms, cause) = work.terms(StatusCode::OK, &system, Vec::new())?;
        let core = work.api.core.clone();
        // It goes on to its end also when the caller is gone.
        let moved =
            actix_web::rt::spawn(async move { core.advance(span, leases, terms, cause).await });
        let done = moved.await.map_err(|_| Problem::internal())??;
        Ok(Answer::changed(system, &done))
    })
    .await
}
