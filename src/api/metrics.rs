//! `/metrics`: what Prometheus scrapes, put together off the threads that answer.
//!
//! Contacts, offers, agents and queues come from the wallboard, at one sequence number; what the
//! process counts of itself (commits, requests, sockets) begins with it. Labels are bounded by
//! configuration and by the table of routes: never a person, never a contact.
//! `queues` has the gauges of queues, `process` what the process tells of itself.

mod process;
mod queues;

use std::sync::Arc;
use std::time::Instant;

use self::queues::of_queue;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use atalaya_domain::agent::Kind;

use super::Api;
use super::answer::SEQ;
use super::call::Call;
use super::problem::Problem;
use super::roles::{Look, TABLE, look_up};
use crate::telemetry::families::{CONTENT_TYPE, float};
use crate::telemetry::histogram::PER_SECOND;
use crate::telemetry::{Families, Labels};
use crate::views::{CONTACTS, Measures, OfferEnd};

/// The one channel of this version.
const CHANNEL: &str = "voice";
/// Method and route of what is not in the table: the page's files, and what is not there.
const OTHER: (&str, &str) = ("other", "other");

/// `GET /metrics`.
pub async fn scrape(call: Call) -> Result<HttpResponse, Problem> {
    let api = call.api.clone();
    let (seq, text) = web::block(move || gather(&api)).await.map_err(|_| Problem::internal())??;
    let mut response = HttpResponse::Ok();
    response.insert_header((SEQ, seq.to_string()));
    response.insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.content_type(CONTENT_TYPE).body(text))
}

/// Counts every request by its route, whatever became of it.
pub async fn count(
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let api = req.app_data::<web::Data<Api>>().cloned();
    let route = match look_up(req.method().as_str(), req.path()) {
        Look::Line(line) => (line.method, line.path),
        Look::OtherMethods(_) | Look::NoPath => OTHER,
    };
    let answer = next.call(req).await;
    let code = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if let Some(api) = api {
        api.meters.request(route, code.as_u16(), begun.elapsed());
    }
    answer
}

/// Every route that [`count`] knows.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|line| (line.method, line.path)).chain([OTHER])
}

/// All metrics, and the number of the last event in those that are a fold of the log.
fn gather(api: &Arc<Api>) -> Result<(u64, String), Problem> {
    let (seq, measures, quarantined) = api.core.measures();
    let mut families = Families::default();
    families.gauge(
        "event_seq",
        "Number of the last event in the figures of this scrape.",
        [(Labels::new(), float(seq))],
    );
    agents(&mut families, &measures);
    queues::write(&mut families, &measures);
    contacts(&mut families, &measures);
    times(&mut families, &measures);
    let out = [(Labels::new(), float(quarantined))];
    families.gauge("quarantined", "Entities that are out of service.", out);
    process::write(&mut families, api);
    api.meters.write(&mut families);
    families.text().map(|text| (seq, text)).map_err(|error| {
        tracing::error!(%error, "cannot write the metrics");
        Problem::internal()
    })
}

fn agents(families: &mut Families, measures: &Measures) {
    let samples = measures.agents.iter().flat_map(|(team, counts)| {
        Kind::ALL.iter().zip(counts).map(move |(kind, count)| {
            (vec![("team", team.to_string()), ("state", kind.name().to_owned())], float(*count))
        })
    });
    families.gauge("agents", "Agents by what they are now.", samples);
}

fn contacts(families: &mut Families, measures: &Measures) {
    for (place, (name, help)) in CONTACTS.into_iter().enumerate() {
        let samples = measures.queues.iter().map(|(id, queue)| {
            let mut labels = of_queue(id);
            labels.push(("channel", CHANNEL.to_owned()));
            (labels, queue.counted.contacts[place])
        });
        families.counter(&format!("contacts_{name}_total"), help, samples);
    }
    let offers = measures.queues.iter().flat_map(|(id, queue)| {
        let result = |(end, count): (OfferEnd, u64)| {
            let mut labels = of_queue(id);
            labels.push(("result", end.name().to_owned()));
            (labels, count)
        };
        OfferEnd::ALL.into_iter().zip(queue.counted.offers).map(result)
    });
    families.counter("offers_total", "Offers that ended, by how they did.", offers);
}

fn times(families: &mut Families, measures: &Measures) {
    let waits = measures.queues.iter().flat_map(|(id, queue)| {
        let counted = &queue.counted;
        [("answered", &counted.answered), ("abandoned", &counted.abandoned)].map(
            |(outcome, histogram)| {
                let mut labels = of_queue(id);
                labels.push(("outcome", outcome.to_owned()));
                (labels, histogram)
            },
        )
    });
    let help = "Wait from arrival to the answer, or to leaving.";
    families.histogram("contact_wait_seconds", help, PER_SECOND, waits);
    let queues = || measures.queues.iter();
    families.histogram(
        "offer_to_answer_seconds",
        "Time from the offer that was taken to the answer.",
        PER_SECOND,
        queues().map(|(id, queue)| (of_queue(id), &queue.counted.offer_to_answer)),
    );
    families.histogram(
        "contact_handle_seconds",
        "Talk, hold and wrap-up of a leg that has ended.",
        PER_SECOND,
        queues().map(|(id, queue)| (of_queue(id), &queue.counted.handle)),
    );
}
