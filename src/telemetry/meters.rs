//! What this process counts of itself: commits, batches, requests. They begin at 0 with it.
//!
//! Not here: what is a fold of the log, which outlives the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::families::{Families, Labels};
use super::histogram::{Histogram, PER_SECOND};

/// Bounds of a commit's time, in microseconds: 0.1 ms to 2 s, past which readiness goes off.
const COMMIT_US: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_000_000,
];
/// Bounds of a request's time, in microseconds: 1 ms to 2 s.
const REQUEST_US: &[u64] = &[1_000, 5_000, 20_000, 50_000, 250_000, 2_000_000];
/// Bounds of what one batch holds; 256 entries are the most.
const BATCH: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024];
/// The codes that every route begins with at 0; another begins when it is first answered.
const CODES_AT_0: [u16; 3] = [200, 500, 503];

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// It is on disk.
    Committed,
    /// Nothing was written.
    Refused,
    /// It may be there, or not.
    Unknown,
}

impl Ended {
    const ALL: [Self; 3] = [Self::Committed, Self::Refused, Self::Unknown];

    const fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A method and a route's pattern.
type Route = (&'static str, &'static str);

#[derive(Debug)]
struct Counted {
    /// Since the Unix epoch.
    started: Duration,
    commit: Histogram,
    entries: Histogram,
    events: Histogram,
    commits: BTreeMap<Ended, u64>,
    requests: BTreeMap<(Route, u16), u64>,
    request_times: BTreeMap<Route, Histogram>,
}

/// See the module.
#[derive(Debug)]
pub struct Meters(Mutex<Counted>);

impl Default for Meters {
    fn default() -> Self {
        Self(Mutex::new(Counted {
            started: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            commit: Histogram::new(COMMIT_US),
            entries: Histogram::new(BATCH),
            events: Histogram::new(BATCH),
            commits: Ended::ALL.map(|ended| (ended, 0)).into(),
            requests: BTreeMap::new(),
            request_times: BTreeMap::new(),
        }))
    }
}

impl Meters {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every route that will be counted, at 0.
    pub fn expect_routes(&self, routes: impl IntoIterator<Item = Route>) {
        let mut counted = self.counted();
        for route in routes {
            counted.request_times.entry(route).or_insert_with(|| Histogram::new(REQUEST_US));
            for code in CODES_AT_0 {
                counted.requests.entry((route, code)).or_default();
            }
        }
    }

    /// A batch was given to the log.
    pub fn commit(&self, took: Duration, entries: usize, events: usize, ended: Ended) {
        let mut counted = self.counted();
        counted.commit.observe(micros(took));
        counted.entries.observe(whole(entries));
        counted.events.observe(whole(events));
        *counted.commits.entry(ended).or_default() += 1;
    }

    /// A request was answered.
    pub fn request(&self, route: Route, code: u16, took: Duration) {
        let mut counted = self.counted();
        *counted.requests.entry((route, code)).or_default() += 1;
        let times = counted.request_times.entry(route);
        times.or_insert_with(|| Histogram::new(REQUEST_US)).observe(micros(took));
    }

    /// Writes all of it.
    pub fn write(&self, to: &mut Families) {
        let counted = self.counted();
        to.gauge(
            "start_time_seconds",
            "When this process started, in seconds since the Unix epoch.",
            [(Labels::new(), counted.started.as_secs_f64())],
        );
        to.histogram(
            "journal_commit_seconds",
            "Time of one commit: one append and one sync.",
            PER_SECOND,
            [(Labels::new(), &counted.commit)],
        );
        to.histogram(
            "journal_batch_entries",
            "Entries of one commit.",
            1.0,
            [(Labels::new(), &counted.entries)],
        );
        to.histogram(
            "journal_batch_events",
            "Events of one commit.",
            1.0,
            [(Labels::new(), &counted.events)],
        );
        to.counter(
            "journal_commits_total",
            "Commits, by how they ended.",
            counted
                .commits
                .iter()
                .map(|(ended, count)| (vec![("result", ended.name().to_owned())], *count)),
        );
        to.counter(
            "http_requests_total",
            "Requests answered, by route and status code.",
            counted.requests.iter().map(|((route, code), count)| {
                let mut labels = route_labels(*route);
                labels.push(("code", code.to_string()));
                (labels, *count)
            }),
        );
        to.histogram(
            "http_request_seconds",
            "Time from a request's head to the head of its answer.",
            PER_SECOND,
            counted.request_times.iter().map(|(route, times)| (route_labels(*route), times)),
        );
    }
}

fn route_labels((method, route): Route) -> Labels {
    vec![("method", method.to_owned()), ("route", route.to_owned())]
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// A length as a count.
pub fn whole(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
