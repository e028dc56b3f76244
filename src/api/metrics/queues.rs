//! Gauges of queues and of the centre: what the wallboard shows, at its own number.
//!
//! A share or a mean of nothing is NaN, never 0.

use atalaya_domain::ids::QueueId;
use atalaya_domain::queue::Status;

use crate::telemetry::families::float;
use crate::telemetry::{Families, Labels};
use crate::views::{Measures, QueueMeasures, TODAY};

const STATES: [Status; 3] = [Status::Open, Status::Closed, Status::EmergencyClosed];

pub(super) fn of_queue(id: &QueueId) -> Labels {
    vec![("queue", id.to_string())]
}

pub(super) fn write(families: &mut Families, measures: &Measures) {
    now(families, measures);
    levels(families, measures);
    today(families, measures);
    let alerts = measures.alerts.into_iter();
    families.gauge(
        "alerts",
        "Alerts that the wallboard shows, by their rule.",
        alerts.map(|(rule, count)| (vec![("rule", rule.to_owned())], float(count))),
    );
    #[expect(clippy::cast_precision_loss, reason = "microseconds stay far below 2^53")]
    let at = measures.at.0 as f64 / 1e6;
    let help = "The centre's own present, in seconds since the Unix epoch.";
    families.gauge("clock_seconds", help, [(Labels::new(), at)]);
}

/// One gauge with a sample for each queue that has a value.
fn each(
    families: &mut Families,
    measures: &Measures,
    (name, help): (&str, &str),
    value: impl Fn(&QueueMeasures) -> Option<f64>,
) {
    let queues = measures.queues.iter();
    let samples = queues.filter_map(|(id, queue)| Some((of_queue(id), value(queue)?)));
    families.gauge(name, help, samples);
}

fn now(families: &mut Families, measures: &Measures) {
    let help = "Contacts that wait, offered ones included.";
    each(families, measures, ("queue_waiting", help), |queue| Some(float(queue.waiting)));
    let help = "Age of the oldest contact that waits; 0 while nobody does.";
    each(families, measures, ("queue_longest_wait_seconds", help), |queue| {
        Some(queue.longest_wait.as_seconds())
    });
    let help = "Contacts in conversation, those on hold included.";
    each(families, measures, ("queue_active", help), |queue| Some(float(queue.active)));
    let help = "Ready agents who may take what waits in the queue.";
    each(families, measures, ("queue_ready", help), |queue| Some(float(queue.ready)));
    let states = measures.queues.iter().flat_map(|(id, queue)| {
        STATES.map(|state| {
            let mut labels = of_queue(id);
            labels.push(("state", state.name().to_owned()));
            (labels, f64::from(u8::from(state == queue.status)))
        })
    });
    families.gauge("queue_state", "1 for what the queue is now, 0 for what it is not.", states);
}

fn levels(families: &mut Families, measures: &Measures) {
    let figure = |value: Option<f64>| Some(value.unwrap_or(f64::NAN));
    let help = "Answered within the target ÷ (answered + abandoned − short ones), of the last \
                15 min; NaN while there was nobody.";
    each(families, measures, ("service_level", help), |queue| figure(queue.service_level));
    let help = "The same of the local day.";
    each(families, measures, ("service_level_today", help), |queue| {
        figure(queue.service_level_today)
    });
    let help = "Wanted service level; a queue without a target has none.";
    each(families, measures, ("service_level_target", help), |queue| {
        queue.target.map(|(share, _)| share)
    });
    let help = "Within how long a contact is to be answered; a queue without a target has none.";
    each(families, measures, ("service_level_target_seconds", help), |queue| {
        queue.target.map(|(_, within)| within.as_seconds())
    });
    families.gauge(
        "centre_service_level",
        "Service level of the last 15 min over all queues; NaN while there was nobody.",
        [(Labels::new(), measures.service_level.unwrap_or(f64::NAN))],
    );
    families.gauge(
        "centre_service_level_today",
        "Service level of the local day over all queues; NaN while there was nobody.",
        [(Labels::new(), measures.service_level_today.unwrap_or(f64::NAN))],
    );
}

fn today(families: &mut Families, measures: &Measures) {
    let counts = measures.queues.iter().flat_map(|(id, queue)| {
        TODAY.into_iter().zip(queue.today).map(|(result, count)| {
            let mut labels = of_queue(id);
            labels.push(("result", result.to_owned()));
            (labels, float(count))
        })
    });
    families.gauge("contacts_today", "Contacts of the local day, by what they became.", counts);
    let figure = |value: Option<f64>| Some(value.unwrap_or(f64::NAN));
    let help = "Mean wait of those answered on the local day; NaN while there was nobody.";
    each(families, measures, ("asa_today_seconds", help), |queue| figure(queue.asa_today_s));
    let help = "Mean talk, hold and wrap-up of the local day's legs; NaN while there was none.";
    each(families, measures, ("aht_today_seconds", help), |queue| figure(queue.aht_today_s));
}
