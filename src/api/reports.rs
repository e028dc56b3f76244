//! `/reports/intervals`: what became of those who arrived in each interval, by queue.
//!
//! All rows are as of one sequence number, and come in one answer: as JSON, or as CSV for who says
//! `Accept: text/csv`. What takes long, or may read the disk, is done on a thread that may wait.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use actix_web::{HttpRequest, HttpResponse, web};
use atalaya_domain::ids::QueueId;
use atalaya_domain::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::answer::SEQ;
use super::call::Call;
use super::page::Query;
use super::problem::{Code, Problem};
use crate::views::{By, CellsAt, Plan, PlanError, ROWS_MAX, Report, rfc3339};

/// Parameters.
pub(super) const PARAMETERS: [&str; 5] = ["from", "to", "queue", "by", "time_zone"];
/// The content type of lines.
const CSV: &str = "text/csv; charset=utf-8";
/// The content type of all else.
const JSON: &str = "application/json";
/// Most characters of somebody's text that a refusal repeats.
const ECHO_CHARS_MAX: usize = 80;

/// `GET /reports/intervals`.
pub async fn intervals(call: Call, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &PARAMETERS)?;
    if let Some(name) = ["limit", "cursor"].into_iter().find(|name| query.get(name).is_some()) {
        let detail = format!("cannot take the parameter `{name}`: all rows come in one answer");
        return Err(Problem::new(Code::BadQuery, detail).with("field", name));
    }
    let zone = zone(&call, &query)?;
    let by = |name: &str| By::ALL.into_iter().find(|by| by.name() == name);
    let by = query.parsed("by", by)?.unwrap_or(By::Quarter);
    let core = &call.api.core;
    let now = core.now();
    let instant = |text: &str| instant(text, &zone);
    let from = query.parsed("from", instant)?.or_else(|| midnight(&zone, now)).unwrap_or(now);
    let to = query.parsed("to", instant)?.unwrap_or_else(|| now.max(from));
    let queue = query.parsed("queue", |value| QueueId::new(value).ok())?;
    if let Some(id) = queue.as_ref().filter(|id| core.queue(id).is_none()) {
        let detail = format!("cannot report on `{id}`: there is no such queue");
        return Err(Problem::invalid("queue", detail));
    }
    let (asked, lines) = (call.clone(), wants_lines(&req));
    let read = web::block(move || {
        // Of many years this takes a while too.
        let plan = Plan::new(from, to, by, zone.clone()).map_err(refused)?;
        let (from, to) = plan.quarters();
        let cells = asked.api.core.cells(from, to, queue.as_ref()).map_err(|error| {
            tracing::error!(%error, "cannot read the cells of a report");
            Problem::internal()
        })?;
        let report = plan.report(&cells).map_err(refused)?;
        if lines {
            return Ok::<_, Problem>((cells.seq, report.csv()));
        }
        let zone = zone.iana_name().unwrap_or("UTC");
        let json = json(&asked.api.epoch, by, zone, &cells, &report);
        Ok((cells.seq, json.to_string()))
    });
    let (seq, text) = read.await.map_err(|_| Problem::internal())??;
    let mut response = HttpResponse::Ok();
    response.insert_header((SEQ, seq.to_string()));
    response.insert_header((CACHE_CONTROL, "no-store"));
    response.insert_header((VARY, "Accept"));
    response.content_type(if lines { CSV } else { JSON });
    Ok(response.body(text))
}

/// The answer in JSON.
pub(super) fn json(epoch: &str, by: By, zone: &str, cells: &CellsAt, report: &Report<'_>) -> Value {
    let (items, totals) = report.json();
    json!({
        "epoch": epoch,
        "seq": cells.seq,
        "at": rfc3339(cells.at),
        "time_zone": zone,
        "by": by.name(),
        "items": items,
        "totals": totals,
        "next_cursor": null,
    })
}

/// Whether lines are wanted rather than JSON: which of the two is accepted first.
fn wants_lines(req: &HttpRequest) -> bool {
    let accepted = req.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let mut kinds = accepted
        .flat_map(|value| value.split(','))
        .map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    kinds.find(|kind| kind == "text/csv" || kind == JSON).is_some_and(|kind| kind != JSON)
}

fn refused(error: PlanError) -> Problem {
    let field = match error {
        PlanError::Backwards => "to",
        PlanError::TooMany => "from",
        PlanError::Uneven => "time_zone",
    };
    let problem = Problem::invalid(field, format!("cannot make the report: {error}"));
    match error {
        PlanError::TooMany => problem.with("limit", ROWS_MAX),
        PlanError::Backwards | PlanError::Uneven => problem,
    }
}

/// The zone that is asked for, or the centre's.
fn zone(call: &Call, query: &Query) -> Result<TimeZone, Problem> {
    let Some(name) = query.get("time_zone") else { return Ok(call.api.core.time_zone()) };
    TimeZone::get(name).map_err(|_| {
        let shown: String = name.chars().take(ECHO_CHARS_MAX).collect();
        let detail = format!("cannot take the time zone `{shown}`: write one like Europe/Madrid");
        Problem::invalid("time_zone", detail)
    })
}

/// RFC 3339, or a date, whose first instant in `zone` is meant. A `+` that was not encoded came as
/// a blank.
fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(date) = text.parse::<Date>()
        && !text.contains(['T', 't', ' '])
    {
        return first_of(date, zone);
    }
    let instant: jiff::Timestamp = text.replace(' ', "+").parse().ok()?;
    Some(Timestamp(instant.as_microsecond()))
}

fn first_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let first = zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp(first.as_microsecond()))
}

/// The first instant of the day that holds `now`.
fn midnight(zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let now = jiff::Timestamp::from_microsecond(now.0).ok()?;
    first_of(zone.to_datetime(now).date(), zone)
}
