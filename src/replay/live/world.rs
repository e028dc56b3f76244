//! What everybody of a live replay shares: the server, its clock, and notes of what happened.
//!
//! What people do is not here (`callers`, `desk`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atalaya_domain::ids::Slug;
use atalaya_domain::priority::Credit;
use atalaya_domain::time::{Span, Timestamp};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::LiveError;
use crate::client::{Client, ClientError};
use crate::simulation::scenario::Scenario;

/// Looks at the server's clock; the quickest counts.
const LOOKS: u32 = 9;
/// Round trips that are kept for the median; later ones are not.
const HOPS_MAX: usize = 1_000_000;
/// Kinds of things left out that are kept apart; those past it are counted together.
const LEFT_OUT_MAX: usize = 64;
/// A wait without an end: longer than any.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// The server's clock as this side knows it, and where the day lies on it.
///
/// Both sides reckon by monotonic time from one look; over the minutes of a replay that holds to
/// less than a hop.
#[derive(Debug, Clone, Copy)]
pub(super) struct CentreClock {
    at: Timestamp,
    read: Instant,
    rate: f64,
    offset: Span,
}

impl CentreClock {
    /// Reads the server's clock; the day lies on it as it was recorded.
    pub(super) async fn read(client: &Client) -> Result<Self, LiveError> {
        let mut best: Option<(Duration, Self)> = None;
        for _ in 0..LOOKS {
            let sent = Instant::now();
            let ready = client.get("/health/ready").await?;
            let trip = sent.elapsed();
            let rate = ready["clock"]["rate"].as_f64().unwrap_or_default();
            let at = instant(&ready["clock"]["at"]).filter(|_| rate.is_finite() && rate > 0.0);
            let at = at.ok_or(LiveError::Clock(rate))?;
            let clock = Self { at, read: sent + trip / 2, rate, offset: Span::ZERO };
            if best.as_ref().is_none_or(|(least, _)| trip < *least) {
                best = Some((trip, clock));
            }
        }
        best.map(|(_, clock)| clock).ok_or(LiveError::Clock(0.0))
    }

    /// The same clock, on which `day` falls at `server`.
    #[must_use]
    pub(super) fn with_day_at(self, day: Timestamp, server: Timestamp) -> Self {
        Self { offset: server.since(day), ..self }
    }

    /// Centre seconds in a second.
    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    /// The server's present.
    pub(super) fn now(&self) -> Timestamp {
        self.at.plus(self.centre(self.read.elapsed()))
    }

    /// When an instant of the day falls on the server.
    pub(super) const fn on_server(&self, day: Timestamp) -> Timestamp {
        day.plus(self.offset)
    }

    /// What an instant of the server is in the day.
    pub(super) const fn in_day(&self, server: Timestamp) -> Timestamp {
        server.minus(self.offset)
    }

    /// How long so much time here is there.
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates at the ends of time")]
    pub(super) fn centre(&self, here: Duration) -> Span {
        Span((here.as_secs_f64() * self.rate * 1e6) as i64)
    }

    /// How long so much time there is here.
    pub(super) fn here(&self, centre: Span) -> Duration {
        Duration::try_from_secs_f64((centre.as_seconds() / self.rate).max(0.0)).unwrap_or(FOREVER)
    }

    /// When the server's clock shows `at`.
    pub(super) fn when(&self, at: Timestamp) -> Instant {
        self.read + self.here(at.since(self.at)).min(FOREVER)
    }

    /// Waits until the server's clock shows `at`.
    pub(super) async fn until(&self, at: Timestamp) {
        sleep_until(self.when(at)).await;
    }
}

/// An instant as the server writes it.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

/// See the module.
pub(super) struct World {
    /// The server, as the administrator sees it.
    pub(super) client: Client,
    /// Its clock.
    pub(super) clock: CentreClock,
    /// The day.
    pub(super) scenario: Scenario,
    numbers: HashMap<String, usize>,
    notes: Mutex<Notes>,
}

/// What is known of the day so far.
#[derive(Default)]
pub(super) struct Notes {
    /// The server's ids of the day's contacts that have arrived.
    pub(super) ids: BTreeMap<String, usize>,
    /// Those of them that have ended.
    pub(super) ended: HashSet<usize>,
    /// Those that were answered.
    pub(super) answered: HashSet<usize>,
    /// Those that were abandoned.
    pub(super) abandoned: u64,
    /// Classes of priority that the server was seen to keep as the day has them.
    pub(super) classes: HashSet<Slug>,
    /// What was left out, with why.
    pub(super) left_out: BTreeMap<String, u64>,
    /// What ends the replay.
    pub(super) fault: Option<LiveError>,
    hops: Vec<Duration>,
}

impl World {
    /// A day that has not begun.
    pub(super) fn new(client: Client, clock: CentreClock, scenario: Scenario) -> Self {
        let contacts = scenario.contacts.iter().enumerate();
        let numbers = contacts.map(|(number, contact)| (contact.id.clone(), number)).collect();
        Self { client, clock, scenario, numbers, notes: Mutex::default() }
    }

    /// What is known so far.
    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which of the day's contacts the server speaks of.
    pub(super) fn number(&self, contact: &Value) -> Option<usize> {
        self.numbers.get(contact["external_id"].as_str()?).copied()
    }

    /// How long the conversation of a contact lasts.
    pub(super) fn service(&self, number: usize) -> Span {
        self.scenario.contacts.get(number).map_or(Span::ZERO, |contact| contact.service)
    }

    /// What a class of the day is worth.
    pub(super) fn credit(&self, class: &Slug) -> Option<Credit> {
        self.scenario.priorities.0.get(class).copied()
    }

    /// A command was sent at `sent` and is answered.
    pub(super) fn hop(&self, sent: Instant) {
        let mut notes = self.notes();
        if notes.hops.len() < HOPS_MAX {
            notes.hops.push(sent.elapsed());
        }
    }

    /// The median of all round trips, in centre seconds.
    pub(super) fn hop_s(&self) -> Option<f64> {
        let mut hops = std::mem::take(&mut self.notes().hops);
        hops.sort_unstable();
        let middle = hops.get(hops.len() / 2)?;
        Some(self.clock.centre(*middle).as_seconds())
    }

    /// Something of the day is not done.
    pub(super) fn leave_out(&self, what: &str) {
        let mut notes = self.notes();
        let room = notes.left_out.contains_key(what) || notes.left_out.len() < LEFT_OUT_MAX;
        let what = if room { what } else { "other things" };
        *notes.left_out.entry(what.to_owned()).or_default() += 1;
    }

    /// The server refused something of the day.
    pub(super) fn refused(&self, what: &str, error: &ClientError) {
        tracing::warn!(what, %error, "a part of the day is left out");
        match error {
            ClientError::Refused { status, problem, .. } => {
                self.leave_out(&format!("{what}: the server answers {status} {problem}"));
            }
            ClientError::Address(_)
            | ClientError::Unreachable { .. }
            | ClientError::Answer { .. }
            | ClientError::NoSocket { .. } => {
                self.leave_out(&format!("{what}: the server cannot be reached"));
            }
        }
    }
}
