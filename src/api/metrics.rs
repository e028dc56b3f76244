//! `/metrics`: what Prometheus scrapes, put together off the threads that answer.
//!
//! Contacts, offers, agents and queues come from the wallboard, at one sequence number; what the
//! process counts of itself (commits, requests, sockets) begins with it. Labels are bounded by
//! configuration and by the table of routes: never a person, never a contact.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use atalaya_domain::agent::Kind;
use atalaya_domain::ids::QueueId;

use super::Api;
use super::answer::SEQ;
use super::call::Call;
use super::problem::Problem;
use super::roles::{Look, TABLE, look_up};
use crate::telemetry::families::{CONTENT_TYPE, float};
use crate::telemetry::histogram::PER_SECOND;
use crate::telemetry::meters::whole;
use crate::telemetry::{Families, Labels};
use crate::views::{CONTACTS, Measures, OfferEnd, QueueMeasures};

/// The one channel of this version.
const CHANNEL: &str = "voice";
/// Method and route of what is not in the table: the page's files, and what is not there.
const OTHER: (&str, &str) = ("other", "other");

/// What others count since the start, by kind; what nobody has counted stands at 0, so that every
/// series is there from the start.
#[derive(Debug, Clone)]
struct Faults {
    /// Actors started anew, by the kind of their entity.
    restarts: BTreeMap<&'static str, u64>,
    /// What has been impossible and was found, by kind.
    impossible: BTreeMap<&'static str, u64>,
}

/// Kinds of entities, whose lanes can be started anew.
const ACTORS: [&str; 6] = ["agent", "contact", "queue", "session", "system", "token"];
impl Faults {
    fn of(api: &Api) -> Self {
        let (restarts, impossible) = api.core.faults();
        Self { restarts: at_least(&ACTORS, restarts), impossible }
    }
}

/// What was counted, with every kind.
fn at_least(
    kinds: &[&'static str],
    counted: BTreeMap<&'static str, u64>,
) -> BTreeMap<&'static str, u64> {
    let mut all: BTreeMap<_, _> = kinds.iter().map(|kind| (*kind, 0)).collect();
    all.extend(counted);
    all
}

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
    queues(&mut families, &measures);
    contacts(&mut families, &measures);
    times(&mut families, &measures);
    faults(&mut families, &Faults::of(api));
    let out = [(Labels::new(), float(quarantined))];
    families.gauge("quarantined", "Entities that are out of service.", out);
    process(&mut families, api);
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

fn of_queue(id: &QueueId) -> Labels {
    vec![("queue", id.to_string())]
}

fn queues(families: &mut Families, measures: &Measures) {
    let mut gauge = |name, help, value: fn(&QueueMeasures) -> f64| {
        let queues = measures.queues.iter();
        families.gauge(name, help, queues.map(|(id, queue)| (of_queue(id), value(queue))));
    };
    gauge("queue_waiting", "Contacts that wait, offered ones included.", |queue| {
        float(queue.waiting)
    });
    gauge(
        "queue_longest_wait_seconds",
        "Age of the oldest contact that waits; 0 while nobody does.",
        |queue| queue.longest_wait.as_seconds(),
    );
    gauge(
        "service_level",
        "Answered within the target ÷ (answered + abandoned − short ones), of the last 15 min; \
         NaN while there was nobody.",
        |queue| queue.service_level.unwrap_or(f64::NAN),
    );
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

fn faults(families: &mut Families, faults: &Faults) {
    let by = |label: &'static str, counts: &BTreeMap<&'static str, u64>| {
        let sample = |(kind, count): (&&str, &u64)| (vec![(label, (*kind).to_owned())], *count);
        counts.iter().map(sample).collect::<Vec<_>>()
    };
    families.counter(
        "actor_restarts_total",
        "Actors that panicked and were started anew.",
        by("actor", &faults.restarts),
    );
    families.counter(
        "impossible_total",
        "States that cannot be and were found; anything but 0 is a defect.",
        by("kind", &faults.impossible),
    );
}

fn process(families: &mut Families, api: &Api) {
    let clients = api.push.watchers().into_iter();
    families.gauge(
        "websocket_clients",
        "Subscriptions of open sockets, by topic.",
        clients.map(|(topic, count)| (vec![("topic", topic.to_owned())], float(whole(count)))),
    );
    let sockets = [(Labels::new(), float(whole(api.push.count())))];
    families.gauge("websockets", "Open sockets.", sockets);
    families.counter(
        "ticks_skipped_total",
        "Looks at the views that were left out because the one before took too long.",
        [(Labels::new(), api.push.skipped_ticks())],
    );
    families.counter(
        "frames_left_out_total",
        "Frames that a jammed socket of an agent did not get.",
        [(Labels::new(), api.push.left_out())],
    );
    let in_flight = [(Labels::new(), float(whole(api.core.in_flight())))];
    let help = "Commands that wait for their lane or the writer, or are being carried out.";
    families.gauge("commands_in_flight", help, in_flight);
    let rate = [(Labels::new(), api.core.rate())];
    families.gauge("clock_rate", "Centre seconds in a second; 0 stands still.", rate);
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    families.gauge("build_info", "The program, always 1.", [(version, 1.0)]);
}
