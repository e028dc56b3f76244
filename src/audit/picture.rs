//! The auditor's own picture of the centre: a fold of `/events`, one event at a time.
//!
//! What an event of an agent does is in `people`, of a contact in `calls`. What breaks a rule of
//! the log itself (order, capacity, one agent a contact) is told as a [`Fault`] where it happens.
//! Not here: what views show of the picture (`expect`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::calls::Contact;
use super::counts::Book;
use super::people::Agent;
use super::terms::{Known, Terms, duration};

/// Names of events that are not in the contract and are remembered by name; past it they are
/// counted as one.
const STRANGE_MAX: usize = 64;
/// A short abandon where the queue's text does not say.
const SHORT: i64 = 5_000_000;

/// What an event broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The kind of violation.
    pub(super) kind: &'static str,
    /// What should be.
    pub(super) expected: String,
    /// What is.
    pub(super) found: String,
}

impl Fault {
    pub(super) fn new(
        kind: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { kind, expected: expected.into(), found: found.into() }
    }
}

/// What of a queue's text is frozen into a contact when it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// Answered within this is within the target; none: no target.
    pub(super) within: Option<i64>,
    /// An abandon within this is short.
    pub(super) short: i64,
}

/// One queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    pub(super) version: u64,
    pub(super) state: &'static str,
    /// As configured; none: not known.
    pub(super) text: Option<Rc<Value>>,
    /// Who waits, offered ones included, the oldest first.
    pub(super) waiting: BTreeSet<(i64, String)>,
    pub(super) active: BTreeSet<String>,
    pub(super) book: Book,
    /// Whether a contact of it was ever out of service: sums do not hold then.
    pub(super) broken: bool,
}

impl Queue {
    fn measure(&self) -> Option<Measure> {
        let text = self.text.as_ref()?;
        let within = text["service_level"]["within"].as_str().and_then(duration);
        let short = text["short_abandon"].as_str().and_then(duration).unwrap_or(SHORT);
        Some(Measure { within, short })
    }
}

/// Bounds of histograms in seconds, by family, as the first scrape named them.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    pub(super) wait: Vec<f64>,
    pub(super) offer_to_answer: Vec<f64>,
    pub(super) handle: Vec<f64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) seq: u64,
    /// The latest instant of an event, in microseconds.
    pub(super) now: i64,
    zone: TimeZone,
    /// The local day of `now`: its first instant and the next one's.
    day: (i64, i64),
    pub(super) agents: BTreeMap<String, Agent>,
    pub(super) queues: BTreeMap<String, Queue>,
    /// Those that are not over.
    pub(super) contacts: HashMap<String, Contact>,
    /// Which agent has a contact in hand.
    pub(super) held_by: HashMap<String, String>,
    /// Entities out of service, and since when.
    pub(super) out: BTreeMap<String, i64>,
    pub(super) bounds: Bounds,
    /// Agents whose last change of presence has not been told yet.
    pub(super) untold: HashSet<String>,
    /// Events that the contract does not name, with how often they came.
    pub(super) strange: BTreeMap<String, u64>,
    /// Times that a text of configuration was not known.
    pub(super) unknown_texts: u64,
}

impl Picture {
    /// Nothing has happened; days turn at the midnights of `zone`.
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            seq: 0,
            now: i64::MIN,
            zone,
            day: (i64::MIN, i64::MIN),
            agents: BTreeMap::new(),
            queues: BTreeMap::new(),
            contacts: HashMap::new(),
            held_by: HashMap::new(),
            out: BTreeMap::new(),
            bounds: Bounds::default(),
            untold: HashSet::new(),
            strange: BTreeMap::new(),
            unknown_texts: 0,
        }
    }

    /// The entity and version whose text must be known before `event` can be folded.
    pub(super) fn needs(&self, event: &Value) -> Option<(String, u64)> {
        if event["event"] != "changed" {
            return None;
        }
        let entity = event["entity"].as_str()?;
        let version = match entity.split_once(':')? {
            ("queue", id) => self.queues.get(id).map_or(0, |queue| queue.version),
            ("agent", id) => self.agents.get(id).map_or(0, |agent| agent.version),
            _ => return None,
        };
        Some((entity.to_owned(), version + 1))
    }

    /// Folds one event: what it broke.
    pub(super) fn fold(&mut self, event: &Value, terms: &Terms) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.seq = event["seq"].as_u64().unwrap_or(self.seq + 1);
        let Some(at) = event["at"].as_str().and_then(instant) else {
            faults.push(Fault::new("order", "an instant in RFC 3339", event["at"].to_string()));
            return faults;
        };
        self.roll(at);
        let entity = event["entity"].as_str().unwrap_or_default();
        let name = event["event"].as_str().unwrap_or_default();
        let text = match self.needs(event).map(|(entity, version)| terms.at(&entity, version)) {
            Some(Known::Text(text)) => Some(text),
            Some(Known::Never | Known::NotYet) => {
                self.unknown_texts += 1;
                None
            }
            None => None,
        };
        let (kind, id) = entity.split_once(':').unwrap_or((entity, ""));
        let data = &event["data"];
        match kind {
            "agent" => self.of_agent(id, at, name, data, text, &mut faults),
            "contact" => self.of_contact(id, at, name, data, &mut faults),
            "queue" => self.of_queue(id, name, data, text),
            "system" => self.of_system(at, name, data),
            "token" | "session" => (),
            _ => self.strange(entity, name),
        }
        faults
    }

    fn of_queue(&mut self, id: &str, name: &str, data: &Value, text: Option<Rc<Value>>) {
        let queue = self.queues.entry(id.to_owned()).or_default();
        queue.version += 1;
        if queue.state.is_empty() {
            queue.state = "open";
        }
        match name {
            "changed" => queue.text = text,
            "opened" => queue.state = "open",
            "closed" if data["emergency"] == true => queue.state = "emergency_closed",
            "closed" => queue.state = "closed",
            _ => self.strange("queue", name),
        }
    }

    fn of_system(&mut self, at: i64, name: &str, data: &Value) {
        match name {
            "started" | "clock_set" | "configured" => (),
            "quarantined" => {
                let entity = data["entity"].as_str().unwrap_or_default();
                self.out.entry(entity.to_owned()).or_insert(at);
                if let Some(("contact", id)) = entity.split_once(':') {
                    self.take_out(id);
                }
            }
            _ => self.strange("system", name),
        }
    }

    /// What the contract does not name is not judged, but said at the end.
    pub(super) fn strange(&mut self, entity: &str, name: &str) {
        let kind = entity.split(':').next().unwrap_or_default();
        let key = format!("{kind} {name}");
        let full = self.strange.len() >= STRANGE_MAX && !self.strange.contains_key(&key);
        let key = if full { "others".to_owned() } else { key };
        *self.strange.entry(key).or_default() += 1;
    }

    /// The present goes on: at local midnight the day's counts turn.
    fn roll(&mut self, at: i64) {
        if at <= self.now {
            return;
        }
        self.now = at;
        if at < self.day.1 {
            return;
        }
        let first = self.day.1 == i64::MIN;
        self.day = self.local_day(at);
        if first {
            return;
        }
        for queue in self.queues.values_mut() {
            queue.book.turn(u64::try_from(queue.waiting.len()).unwrap_or(u64::MAX));
        }
        for agent in self.agents.values_mut() {
            agent.turn();
        }
    }

    /// First instant of the local day of the log's present.
    pub(super) const fn day_began(&self) -> i64 {
        self.day.0
    }

    /// Whether the local day of the log's present is over at `at`.
    pub(super) const fn is_past_midnight(&self, at: i64) -> bool {
        at >= self.day.1 && self.day.1 != i64::MIN
    }

    fn local_day(&self, at: i64) -> (i64, i64) {
        let day = Timestamp::from_microsecond(at).and_then(|at| {
            let date = self.zone.to_datetime(at).date();
            let midnight = |date: jiff::civil::Date| self.zone.to_timestamp(date.at(0, 0, 0, 0));
            Ok((midnight(date)?.as_microsecond(), midnight(date.tomorrow()?)?.as_microsecond()))
        });
        day.unwrap_or((at, i64::MAX))
    }

    /// The measure of `queue` as it is now.
    pub(super) fn measure(&self, queue: &str) -> Option<Measure> {
        self.queues.get(queue).and_then(Queue::measure)
    }
}

/// Microseconds of an RFC 3339 instant.
pub(super) fn instant(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// The instant as text.
pub(super) fn written(at: i64) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}
