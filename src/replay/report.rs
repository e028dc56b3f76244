//! What came of a day: one row a contact, and the figures over them.

use std::cmp::Ordering;
use std::io::Write;

use atalaya_domain::contact::{Contact, State};
use atalaya_domain::kpi::{self, Counts, Treatment, service_level, share};
use atalaya_domain::time::{Span, Timestamp};
use serde::Serialize;

use super::live::Lived;
use super::raw::account::Account;

/// What became of one contact; instants are spans from the start of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The day's name for it.
    pub contact: String,
    /// Its queue.
    pub queue: String,
    /// Its class of priority.
    pub priority: String,
    /// When it came.
    pub arrived: Span,
    /// When it was first answered.
    pub answered: Option<Span>,
    /// End of talk, abandoning or refusal.
    pub ended: Option<Span>,
    /// Only if answered, the last.
    pub agent: Option<String>,
    /// `answered`, `abandoned`, `refused` or `waiting`.
    pub outcome: &'static str,
    /// End of wrap-up.
    pub(super) closed: Option<Span>,
    /// The target of its queue as it was when it came.
    pub(super) within: Option<Span>,
    /// Left within the queue's bound.
    pub(super) short: bool,
}

impl Outcome {
    /// What became of `contact`, of a day that began at `start`.
    pub fn of(contact: &Contact, start: Timestamp) -> Self {
        let since = |instant: Timestamp| instant.since(start);
        let entered = contact.entered.as_ref();
        let outcome = match (&contact.answered_at, &contact.state) {
            (Some(_), _) => "answered",
            (None, State::Abandoned) => "abandoned",
            (None, State::Refused { .. }) => "refused",
            (None, _) => "waiting",
        };
        let agent = contact.answered_at.and_then(|_| contact.agent());
        Self {
            contact: entered.and_then(|e| e.external_id.clone()).unwrap_or_default(),
            queue: entered.map(|entered| entered.queue.to_string()).unwrap_or_default(),
            priority: contact.priority.as_ref().map(ToString::to_string).unwrap_or_default(),
            arrived: since(contact.arrived_at),
            answered: contact.answered_at.map(since),
            ended: contact.ended_at.map(since),
            agent: agent.map(ToString::to_string),
            outcome,
            closed: contact.closed_at.map(since),
            within: entered.and_then(|entered| entered.terms.within),
            short: contact.ended_at.is_some_and(|at| contact.is_short(at)),
        }
    }

    /// To the first answer, abandoning or refusal.
    pub fn wait(&self) -> Option<Span> {
        self.answered.or(self.ended).map(|until| Span(until.0 - self.arrived.0))
    }

    /// The order of arrival; at one instant that of the names.
    pub fn by_arrival(a: &Self, b: &Self) -> Ordering {
        (a.arrived, &a.contact).cmp(&(b.arrived, &b.contact))
    }

    fn service(&self) -> Option<Span> {
        Some(Span(self.ended?.0 - self.answered?.0))
    }
}

/// A day's outcomes, in order of arrival, and its figures.
#[derive(Debug, Clone)]
pub struct Report {
    /// The day's name.
    pub scenario: String,
    /// In order of arrival.
    pub outcomes: Vec<Outcome>,
    /// Events in the log.
    pub events: u64,
    /// What a live replay says besides.
    pub lived: Option<Lived>,
    /// What a log of calls became before it was played.
    pub recorded: Option<Account>,
}

/// The figures of a scenario that a replay knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kpi {
    offered: u64,
    answered: u64,
    abandoned: u64,
    short_abandoned: u64,
    refused: u64,
    service_level: Option<f64>,
    mean_wait_s: Option<f64>,
    asa_s: Option<f64>,
    wait_p50_s: Option<f64>,
    wait_p90_s: Option<f64>,
    wait_p99_s: Option<f64>,
    max_wait_s: Option<f64>,
    abandonment_rate: Option<f64>,
    delay_probability: Option<f64>,
    aht_s: Option<f64>,
}

impl Report {
    /// Sorts `outcomes` and keeps them.
    pub fn new(scenario: String, mut outcomes: Vec<Outcome>, events: u64) -> Self {
        outcomes.sort_by(Outcome::by_arrival);
        Self { scenario, outcomes, events, lived: None, recorded: None }
    }

    /// The figures over all contacts.
    pub fn kpi(&self) -> Kpi {
        let of = |outcome| self.outcomes.iter().filter(move |row| row.outcome == outcome);
        let in_time =
            |row: &&Outcome| row.within.is_some_and(|most| row.wait().is_some_and(|w| w <= most));
        let counts = Counts {
            answered: count(of("answered")),
            answered_within: count(of("answered").filter(in_time)),
            abandoned: count(of("abandoned")),
            abandoned_within: count(of("abandoned").filter(in_time)),
            short_abandoned: count(of("abandoned").filter(|row| row.short)),
        };
        let served = of("answered").chain(of("abandoned"));
        let mut waits: Vec<Span> = served.filter_map(Outcome::wait).collect();
        waits.sort_unstable();
        let offered = count(self.outcomes.iter());
        let short = counts.short_abandoned;
        let handled = of("answered").filter_map(|row| Some(Span(row.closed?.0 - row.answered?.0)));
        Kpi {
            offered,
            answered: counts.answered,
            abandoned: counts.abandoned,
            short_abandoned: short,
            refused: count(of("refused")),
            service_level: service_level(&counts, Treatment::Standard),
            mean_wait_s: mean(waits.iter().copied()),
            asa_s: mean(of("answered").filter_map(Outcome::wait)),
            wait_p50_s: quantile(&waits, 50),
            wait_p90_s: quantile(&waits, 90),
            wait_p99_s: quantile(&waits, 99),
            max_wait_s: waits.last().map(|wait| wait.as_seconds()),
            abandonment_rate: kpi::abandonment_rate(offered, counts.abandoned, short),
            delay_probability: share(
                count(waits.iter().filter(|wait| **wait > Span::ZERO)),
                count(waits.iter()),
            ),
            aht_s: mean(handled),
        }
    }

    /// Writes the contacts file: one row a contact, in order of arrival.
    pub fn write_contacts(&self, to: impl Write) -> Result<(), csv::Error> {
        let mut csv = csv::Writer::from_writer(to);
        csv.write_record([
            "contact",
            "queue",
            "priority",
            "arrived_s",
            "answered_s",
            "ended_s",
            "wait_s",
            "service_s",
            "agent",
            "outcome",
        ])?;
        for row in &self.outcomes {
            csv.write_record([
                &row.contact,
                &row.queue,
                &row.priority,
                &seconds(Some(row.arrived)),
                &seconds(row.answered),
                &seconds(row.ended),
                &seconds(row.wait()),
                &seconds(row.service()),
                row.agent.as_deref().unwrap_or_default(),
                row.outcome,
            ])?;
        }
        csv.flush().map_err(csv::Error::from)
    }
}

fn seconds(span: Option<Span>) -> String {
    span.map(|span| span.as_seconds().to_string()).unwrap_or_default()
}

fn count<T>(rows: impl Iterator<Item = T>) -> u64 {
    rows.fold(0, |count, _| count + 1)
}

fn mean(spans: impl Iterator<Item = Span>) -> Option<f64> {
    let (sum, count) =
        spans.fold((0, 0), |(sum, count), span| (sum + i128::from(span.0), count + 1));
    kpi::mean_s(sum, count)
}

fn quantile(sorted: &[Span], percent: usize) -> Option<f64> {
    kpi::quantile(sorted, percent).map(Span::as_seconds)
}
