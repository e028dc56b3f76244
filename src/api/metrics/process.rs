//! What the process tells of itself: faults, lanes, sockets, the log's state, the disk.
//!
//! Not here: commits and requests, which `telemetry::Meters` counts.

use std::collections::BTreeMap;

use crate::actors::workings::Workings;
use crate::api::Api;
use crate::telemetry::families::float;
use crate::telemetry::meters::whole;
use crate::telemetry::{Families, Labels, itself};

pub(super) fn write(families: &mut Families, api: &Api) {
    faults(families, &Faults::of(api));
    process(families, api);
    let workings = api.core.workings();
    lanes(families, &workings);
    journal(families, &workings);
    disk(families, api);
    itself::write(families);
}

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

fn one(families: &mut Families, name: &str, help: &str, value: f64) {
    families.gauge(name, help, [(Labels::new(), value)]);
}

fn lanes(families: &mut Families, workings: &Workings) {
    let by = |counts: &BTreeMap<&'static str, u64>| {
        let all = at_least(&ACTORS, counts.clone()).into_iter();
        let sample =
            |(actor, count): (&str, u64)| (vec![("actor", actor.to_owned())], float(count));
        all.map(sample).collect::<Vec<_>>()
    };
    families.gauge("actors", "Actors that live, by the kind of entity.", by(&workings.lanes));
    let help = "Commands that lie in the mailboxes of actors, by the kind of entity.";
    families.gauge("mailbox_depth", help, by(&workings.mailboxes));
}

fn journal(families: &mut Families, workings: &Workings) {
    let lags = [("fold", workings.fold_lag), ("picture", workings.picture_lag)];
    families.gauge(
        "journal_lag_events",
        "Events that are on disk and not yet shown (fold), or shown and not yet in the picture.",
        lags.map(|(of, lag)| (vec![("of", of.to_owned())], float(lag))),
    );
    let help = "How long the commit under way takes; 0 while there is none.";
    one(families, "journal_commit_age_seconds", help, workings.commit_age.as_secs_f64());
    let flag = |is: bool| f64::from(u8::from(is));
    let help = "1 while the log takes work, 0 while it refuses.";
    one(families, "journal_takes_work", help, flag(workings.takes_work));
    one(families, "ready", "1 while /health/ready says so, else 0.", flag(workings.ready));
    families.counter(
        "starts_total",
        "Starts of the server on this store, by its log.",
        [(Labels::new(), workings.starts)],
    );
}

/// Unknown is NaN: where there is no folder, or the disk does not answer.
fn disk(families: &mut Families, api: &Api) {
    let asked = api.room.as_ref().map(|room| room());
    let (free, reserve) = match asked {
        Some(Ok((free, reserve))) => (float(free), float(reserve)),
        Some(Err(_)) | None => (f64::NAN, f64::NAN),
    };
    one(families, "disk_free_bytes", "Bytes free where the log lies; NaN: unknown.", free);
    let help = "Free bytes under which writes are refused; NaN: unknown.";
    one(families, "disk_reserve_bytes", help, reserve);
}
