//! Which figures of the dashboards the wallboard shows as well, and how it says them.

use std::collections::BTreeMap;

use serde_json::Value;

/// A wallboard and the instant of the scrape that it is held against, in centre seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) data: &'a Value,
    pub(crate) at: f64,
}

/// Values by label; one without a label stands under the empty text. No figure is NaN.
pub(crate) type Values = BTreeMap<String, f64>;

type Says = fn(Shown<'_>) -> Values;

/// A query of a panel, the label that tells its samples apart, and what the wallboard says.
pub(crate) struct Same {
    pub(crate) place: &'static str,
    pub(crate) label: &'static str,
    /// It slides with the clock between two events.
    pub(crate) slides: bool,
    pub(crate) says: Says,
}

const fn same(place: &'static str, label: &'static str, says: Says) -> Same {
    Same { place, label, slides: false, says }
}

const fn sliding(place: &'static str, label: &'static str, says: Says) -> Same {
    Same { place, label, slides: true, says }
}

/// All of them.
pub(crate) const SAME: &[Same] = &[
    same("centre / Waiting / A", "", |shown| total(shown, "waiting")),
    same("centre / Longest wait / A", "", |shown| one(wait(shown, &shown.data["totals"]))),
    same("centre / Service level today / A", "", |shown| total(shown, "service_level_today")),
    same("centre / In conversation / A", "", |shown| total(shown, "active")),
    same("centre / Agents ready / A", "", |shown| total(shown, "ready")),
    same("centre / Agents lost / A", "", |shown| total(shown, "lost")),
    same("centre / Offered today / A", "", |shown| total(shown, "offered_today")),
    same("centre / Answered today / A", "", |shown| total(shown, "answered_today")),
    same("centre / Abandoned today / A", "", |shown| total(shown, "abandoned_today")),
    same("centre / Refused today / A", "", |shown| total(shown, "refused_today")),
    same("centre / Agents signed in / A", "", |shown| total(shown, "signed_in")),
    same("centre / Alerts / A", "", |shown| {
        one(number(shown.data["alerts"].as_array().map_or(0, Vec::len)))
    }),
    same("centre / Queues now / A", "queue", |shown| queues(shown, "waiting")),
    same("centre / Queues now / B", "queue", waits),
    same("centre / Queues now / C", "queue", |shown| queues(shown, "ready")),
    same("centre / Queues now / D", "queue", |shown| queues(shown, "active")),
    same("centre / Queues now / E", "queue", |shown| queues(shown, "service_level_today")),
    same("centre / Queues now / F", "queue", |shown| {
        of_queues(shown, |queue| queue["target"]["share"].as_f64())
    }),
    same("centre / Queues now / G", "queue", |shown| queues(shown, "asa_today_s")),
    same("centre / Waiting by queue / A", "queue", |shown| queues(shown, "waiting")),
    same("centre / Longest wait by queue / A", "queue", waits),
    sliding("centre / Service level, 15 min / A", "queue", |shown| {
        queues(shown, "service_level_15m")
    }),
    sliding("centre / Service level, 15 min / B", "", |shown| total(shown, "service_level_15m")),
    same("centre / Agents by state / A", "state", states),
    same("queue / Waiting / A", "", |shown| sum(queues(shown, "waiting"))),
    same("queue / Longest wait / A", "", |shown| greatest(waits(shown))),
    same("queue / In conversation / A", "", |shown| sum(queues(shown, "active"))),
    same("queue / Ready agents / A", "", |shown| sum(queues(shown, "ready"))),
    sliding("queue / Service level, 15 min / A", "", |shown| {
        least(queues(shown, "service_level_15m"))
    }),
    same("queue / Service level today / A", "", |shown| {
        least(queues(shown, "service_level_today"))
    }),
    same("queue / Offered today / A", "", |shown| sum(queues(shown, "offered_today"))),
    same("queue / Answered today / A", "", |shown| sum(queues(shown, "answered_today"))),
    same("queue / Abandoned today / A", "", |shown| sum(queues(shown, "abandoned_today"))),
    same("queue / Mean wait today / A", "", |shown| greatest(queues(shown, "asa_today_s"))),
    same("queue / Mean handling today / A", "", |shown| greatest(queues(shown, "aht_today_s"))),
    same("queue / Open queues / A", "", |shown| {
        sum(of_queues(shown, |queue| Some(number(usize::from(queue["state"] == "open")))))
    }),
    sliding("queue / Service level and target / A", "queue", |shown| {
        queues(shown, "service_level_15m")
    }),
    same("agents / Ready / A", "", |shown| total(shown, "ready")),
    same("agents / Offered / A", "", |shown| total(shown, "offered")),
    same("agents / In conversation / A", "", |shown| total(shown, "busy")),
    same("agents / In wrap-up / A", "", |shown| total(shown, "wrap_up")),
    same("agents / Not ready / A", "", |shown| total(shown, "not_ready")),
    same("agents / Lost / A", "", |shown| total(shown, "lost")),
    same("agents / Teams now / A", "team", |shown| teams(shown, "ready")),
    same("agents / Teams now / B", "team", |shown| teams(shown, "offered")),
    same("agents / Teams now / C", "team", |shown| teams(shown, "busy")),
    same("agents / Teams now / D", "team", |shown| teams(shown, "wrap_up")),
    same("agents / Teams now / E", "team", |shown| teams(shown, "not_ready")),
    same("agents / Teams now / F", "team", |shown| teams(shown, "lost")),
];

#[expect(clippy::cast_precision_loss, reason = "a centre has fewer than 2^53 of anything")]
const fn number(count: usize) -> f64 {
    count as f64
}

fn one(value: f64) -> Values {
    Values::from([(String::new(), value)])
}

fn total(shown: Shown<'_>, figure: &str) -> Values {
    one(shown.data["totals"][figure].as_f64().unwrap_or(f64::NAN))
}

fn of_queues(shown: Shown<'_>, figure: impl Fn(&Value) -> Option<f64>) -> Values {
    let queues = shown.data["queues"].as_object().unwrap().iter();
    queues.map(|(id, queue)| (id.clone(), figure(queue).unwrap_or(f64::NAN))).collect()
}

fn queues(shown: Shown<'_>, figure: &str) -> Values {
    of_queues(shown, |queue| queue[figure].as_f64())
}

fn waits(shown: Shown<'_>) -> Values {
    of_queues(shown, |queue| Some(wait(shown, queue)))
}

/// Age of the oldest who waits, at the scrape's instant.
fn wait(shown: Shown<'_>, figures: &Value) -> f64 {
    figures["longest_wait_since"].as_str().map_or(0.0, |since| shown.at - seconds(since))
}

/// Seconds since the Unix epoch.
pub(crate) fn seconds(instant: &str) -> f64 {
    let instant: jiff::Timestamp = instant.parse().unwrap();
    instant.as_duration().as_secs_f64()
}

fn states(shown: Shown<'_>) -> Values {
    let states = ["ready", "offered", "busy", "wrap_up", "not_ready", "lost"];
    let value = |state: &str| shown.data["totals"][state].as_f64().unwrap();
    states.map(|state| (state.to_owned(), value(state))).into()
}

fn teams(shown: Shown<'_>, state: &str) -> Values {
    let mut teams = Values::new();
    for agent in shown.data["agents"].as_object().unwrap().values() {
        let count = teams.entry(agent["team"].as_str().unwrap().to_owned()).or_default();
        *count += number(usize::from(agent["state"] == state));
    }
    teams
}

fn sum(values: Values) -> Values {
    one(values.into_values().sum())
}

/// As Prometheus does it: no figure is left aside, unless there is none at all.
fn greatest(values: Values) -> Values {
    one(values.into_values().fold(f64::NAN, f64::max))
}

fn least(values: Values) -> Values {
    one(values.into_values().fold(f64::NAN, f64::min))
}

/// Equal, but for the last digits of numbers that took different ways; no figure equals none.
pub(crate) fn equal(one: &Values, other: &Values) -> bool {
    let figures = |values: &Values| -> Vec<(String, f64)> {
        // A team of which nobody is signed in stands in the metrics only.
        let shown = values.iter().filter(|(_, value)| **value != 0.0);
        shown.map(|(label, value)| (label.clone(), *value)).collect()
    };
    let (one, other) = (figures(one), figures(other));
    let near =
        |one: f64, other: f64| (one.is_nan() && other.is_nan()) || (one - other).abs() < 1e-4;
    one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| one.0 == other.0 && near(one.1, other.1))
}

#[test]
fn what_differs_is_not_equal() {
    let of = |pairs: &[(&str, f64)]| -> Values {
        pairs.iter().map(|(label, value)| ((*label).to_owned(), *value)).collect()
    };
    let whole = of(&[("a", 1.0), ("b", 0.25), ("c", f64::NAN)]);
    assert!(equal(&whole, &whole) && equal(&of(&[("a", 0.0)]), &of(&[])));
    for other in [
        of(&[("a", 1.0), ("b", 0.25)]),
        of(&[("a", 1.0), ("b", 0.2502), ("c", f64::NAN)]),
        of(&[("a", 1.0), ("b", 0.25), ("d", f64::NAN)]),
        of(&[("a", 1.0), ("b", 0.25), ("c", 1.0)]),
    ] {
        assert!(!equal(&whole, &other), "{other:?}");
    }
}
