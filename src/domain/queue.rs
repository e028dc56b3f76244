//! A queue: its rules, and whether it is open. It holds nothing per contact.
//!
//! Who waits is the intake's to know (`matching`); what a contact needs of the rules is frozen
//! into its `queued` event.

use std::ops::RangeInclusive;

use crate::decision::{Act, Decision, Rejection};
use crate::ids::Slug;
use crate::skills::Requirement;
use crate::time::{Now, Span, Timestamp, Written};

/// Default time that an offer stands.
pub const OFFER_TIMEOUT: Span = Span::seconds(20);
/// Default limit of a wrap-up.
pub const WRAP_UP: Span = Span::seconds(30);
/// Default bound of an abandon that counts as short; inclusive.
pub const SHORT_ABANDON: Span = Span::seconds(5);
/// Most characters of a name.
pub const NAME_CHARS_MAX: usize = 80;
/// Most characters of a short name; left out, the name is cut to it.
pub const SHORT_NAME_CHARS_MAX: usize = 24;
/// Greatest `max_waiting`.
pub const WAITING_MAX: u32 = 1_000_000;
/// Least and greatest `max_misses`.
pub const MISSES: RangeInclusive<u32> = 1..=100;
/// Least and greatest share of a service level.
pub const SHARES: RangeInclusive<f64> = 0.0..=1.0;

/// What an agent becomes who rejects an offer of this queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum OnReject {
    /// `not_ready(rejected_offer)`.
    #[default]
    NotReady,
    /// Stays ready, and is not offered the same contact for a while.
    Ready,
}

/// The target a queue is measured by.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLevel {
    /// Wanted share, 0 to 1.
    pub share: f64,
    /// Answered within this, inclusive.
    pub within: Written,
}

/// A value that warns, and one that alarms; either may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound<T> {
    /// Past this people are warned; a figure that stands at it is not past it.
    pub warning: Option<T>,
    /// Past this it is worse.
    pub critical: Option<T>,
}

impl<T> Default for Bound<T> {
    fn default() -> Self {
        Self { warning: None, critical: None }
    }
}

impl<T> Bound<T> {
    /// Whether neither is there.
    pub const fn is_empty(&self) -> bool {
        self.warning.is_none() && self.critical.is_none()
    }
}

/// When figures of the queue are shown as a warning, or worse. Nothing here acts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thresholds {
    /// Of the age of the oldest who waits; the longer the worse.
    pub longest_wait: Bound<Written>,
    /// Of how many wait; the more the worse.
    pub waiting: Bound<u32>,
    /// Of the service level; the less the worse.
    pub service_level: Bound<f64>,
}

/// How a queue works, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Name that people read.
    pub name: String,
    /// For where there is little room.
    pub short_name: String,
    /// Who may answer.
    pub requirement: Requirement,
    /// The target, if there is one.
    pub service_level: Option<ServiceLevel>,
    /// Most contacts waiting, offered ones included; past it an arrival is refused.
    pub max_waiting: Option<u32>,
    /// Limit of a wrap-up; `None`: until it is ended.
    pub wrap_up: Option<Written>,
    /// How long an offer stands.
    pub offer_timeout: Written,
    /// What a rejection does to the agent.
    pub on_reject: OnReject,
    /// Offers missed in a row that make an agent not ready.
    pub max_misses: u32,
    /// An abandon within this is short; inclusive.
    pub short_abandon: Written,
    /// When its figures warn.
    pub thresholds: Thresholds,
}

/// What of a queue's rules cannot be: the first of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}: {advice}")]
pub struct Unsound {
    /// The key, as it is written everywhere.
    pub field: &'static str,
    /// What is wrong with its value.
    pub why: String,
    /// What to write.
    pub advice: String,
}

impl Rules {
    /// Whether these rules can be a queue's, whoever wrote them.
    pub fn check(&self) -> Result<(), Unsound> {
        let unsound = |field, why: String, advice: &str| {
            let advice = advice.to_owned();
            Err(Unsound { field, why, advice })
        };
        for (field, name, most) in [
            ("name", &self.name, NAME_CHARS_MAX),
            ("short_name", &self.short_name, SHORT_NAME_CHARS_MAX),
        ] {
            if name.chars().count() > most {
                return unsound(field, format!("longer than {most} characters"), "shorten it");
            }
            if name.chars().any(char::is_control) {
                return unsound(field, "it has a control character".into(), "take it out");
            }
        }
        if let Some(level) = &self.service_level
            && !SHARES.contains(&level.share)
        {
            let why = format!("{} is no share", level.share);
            return unsound("service_level.share", why, "write a number from 0 to 1");
        }
        if let Some(most) = self.max_waiting.filter(|most| *most > WAITING_MAX) {
            let advice = format!("write {WAITING_MAX} or less");
            return unsound("max_waiting", format!("{most} is too many"), &advice);
        }
        if self.offer_timeout.span <= Span::ZERO {
            let why = "nobody can answer in no time".into();
            return unsound("offer_timeout", why, "write a duration over 0");
        }
        if !MISSES.contains(&self.max_misses) {
            let why = format!("{} is no number of offers to miss", self.max_misses);
            let advice = format!("write {} to {}", MISSES.start(), MISSES.end());
            return unsound("max_misses", why, &advice);
        }
        self.thresholds.check()
    }
}

impl Thresholds {
    fn check(&self) -> Result<(), Unsound> {
        let Self { longest_wait, waiting, service_level } = self;
        let unsound = |field, why: String, advice: String| Err(Unsound { field, why, advice });
        let values = |bound: &Bound<f64>| [bound.warning, bound.critical].into_iter().flatten();
        if let Some(share) = values(service_level).find(|share| !SHARES.contains(share)) {
            let advice = "write numbers from 0 to 1".to_owned();
            return unsound("thresholds.service_level", format!("{share} is no share"), advice);
        }
        let spans = longest_wait.warning.as_ref().zip(longest_wait.critical.as_ref());
        if let Some((warning, critical)) = spans.filter(|(first, then)| first.span >= then.span) {
            let (first, then) = (warning.as_str(), critical.as_str());
            let why = format!("a warning at {first} does not come before {then}");
            let advice = "write a critical wait that is longer than the warning's".to_owned();
            return unsound("thresholds.longest_wait", why, advice);
        }
        let counts = waiting.warning.zip(waiting.critical);
        if let Some((first, then)) = counts.filter(|(first, then)| first >= then) {
            let why = format!("a warning at {first} does not come before {then}");
            let advice = "write a critical number that is greater than the warning's".to_owned();
            return unsound("thresholds.waiting", why, advice);
        }
        let shares = service_level.warning.zip(service_level.critical);
        if let Some((first, then)) = shares.filter(|(first, then)| first <= then) {
            let why = format!("a share that falls comes to {then} before it comes to {first}");
            let advice = "write a critical share that is less than the warning's".to_owned();
            return unsound("thresholds.service_level", why, advice);
        }
        Ok(())
    }
}

/// Whether a queue takes arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Status {
    /// Takes arrivals.
    #[default]
    Open,
    /// Takes none, and serves those who wait.
    Closed,
    /// Takes none, and those who wait are refused.
    EmergencyClosed,
}

impl Status {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::EmergencyClosed => "emergency_closed",
        }
    }
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Queue {
    /// Events so far.
    pub version: u64,
    /// `None` until configured.
    pub rules: Option<std::sync::Arc<Rules>>,
    /// Hash of the configured text that was applied last; zeros: none was.
    pub text_hash: [u8; 16],
    /// Whether it takes arrivals.
    pub status: Status,
}

/// What is asked of a queue.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// New rules; they hold for those who enter after.
    Configure { rules: Box<Rules>, text_hash: [u8; 16] },
    /// Take arrivals.
    Open { reason: Option<Slug> },
    /// Take none any more.
    Close { emergency: bool, reason: Option<Slug> },
}

/// What happened to a queue.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It has other rules.
    Changed { rules: Box<Rules>, text_hash: [u8; 16] },
    /// It takes arrivals.
    Opened { reason: Option<Slug> },
    /// It takes none.
    Closed { emergency: bool, reason: Option<Slug> },
}

impl Queue {
    /// Says what `command` causes.
    pub(crate) fn decide(&self, now: Now, command: &Command) -> Decision {
        Decision::of(
            self.transition(command).map(|event| {
                Act::events(now.at, event.into_iter().map(crate::Event::Queue).collect())
            }),
        )
    }

    fn transition(&self, command: &Command) -> Result<Option<Event>, Rejection> {
        if let Command::Configure { rules, text_hash } = command {
            let same = self.rules.as_deref() == Some(rules) && self.text_hash == *text_hash;
            return Ok(
                (!same).then(|| Event::Changed { rules: rules.clone(), text_hash: *text_hash })
            );
        }
        if self.rules.is_none() {
            return Err(Rejection::Unknown { entity: "queue" });
        }
        Ok(match (command, self.status) {
            (Command::Configure { .. }, _) | (Command::Open { .. }, Status::Open) => None,
            (Command::Open { reason }, Status::Closed | Status::EmergencyClosed) => {
                Some(Event::Opened { reason: reason.clone() })
            }
            (Command::Close { emergency, reason }, status) => {
                let wanted = if *emergency { Status::EmergencyClosed } else { Status::Closed };
                (status != wanted)
                    .then(|| Event::Closed { emergency: *emergency, reason: reason.clone() })
            }
        })
    }

    /// Becomes what `event` says.
    pub fn apply(&mut self, _at: Timestamp, event: &Event) {
        self.version += 1;
        match event {
            Event::Changed { rules, text_hash } => {
                self.rules = Some(rules.clone().into());
                self.text_hash = *text_hash;
            }
            Event::Opened { .. } => self.status = Status::Open,
            Event::Closed { emergency: true, .. } => self.status = Status::EmergencyClosed,
            Event::Closed { emergency: false, .. } => self.status = Status::Closed,
        }
    }
}

impl Command {
    /// Completes "cannot …".
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure",
            Self::Open { .. } => "open",
            Self::Close { .. } => "close",
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Opened { .. } => "opened",
            Self::Closed { .. } => "closed",
        }
    }
}
