//! Records of queues' events.

use atalaya_domain::queue::{Bound, Event, Rules, ServiceLevel, Thresholds};
use serde::{Deserialize, Serialize};

use super::parts::{Length, OnRejectV1, RequirementV1, Word, maybe};
use super::{Kind, Page, Record, RecordError, Sheet, get, put, records};

records! { Event:
    ChangedV1 = QUEUE_CHANGED v 1,
    ChangedV2 = QUEUE_CHANGED v 2,
    OpenedV1 = QUEUE_OPENED v 1,
    ClosedV1 = QUEUE_CLOSED v 1,
}

#[derive(Serialize, Deserialize)]
struct ChangedV1 {
    rules: RulesV1,
    text_hash: [u8; 16],
}

#[derive(Serialize, Deserialize)]
struct ChangedV2 {
    rules: RulesV2,
    text_hash: [u8; 16],
}

/// How a queue works.
#[derive(Serialize, Deserialize)]
pub(in crate::journal) struct RulesV2 {
    /// All but the thresholds.
    rules: RulesV1,
    thresholds: ThresholdsV1,
}

#[derive(Serialize, Deserialize)]
struct ThresholdsV1 {
    longest_wait: BoundV1<Length>,
    waiting: BoundV1<u32>,
    service_level: BoundV1<f64>,
}

#[derive(Serialize, Deserialize)]
struct BoundV1<T> {
    warning: Option<T>,
    critical: Option<T>,
}

/// How a queue works.
#[derive(Serialize, Deserialize)]
pub(in crate::journal) struct RulesV1 {
    name: String,
    short_name: String,
    requirement: RequirementV1,
    service_level: Option<ServiceLevelV1>,
    max_waiting: Option<u32>,
    wrap_up: Option<Length>,
    offer_timeout: Length,
    on_reject: OnRejectV1,
    max_misses: u32,
    short_abandon: Length,
}

#[derive(Serialize, Deserialize)]
struct ServiceLevelV1 {
    share: f64,
    within: Length,
}

#[derive(Serialize, Deserialize)]
struct OpenedV1 {
    reason: Option<Word>,
}

#[derive(Serialize, Deserialize)]
struct ClosedV1 {
    emergency: bool,
    reason: Option<Word>,
}

/// Writes a queue's event.
pub(super) fn encode(event: &Event) -> Result<Sheet, RecordError> {
    match event {
        Event::Changed { rules, text_hash } => {
            put(&ChangedV2 { rules: (&**rules).into(), text_hash: *text_hash })
        }
        Event::Opened { reason } => put(&OpenedV1 { reason: maybe(reason.clone()) }),
        Event::Closed { emergency, reason } => {
            put(&ClosedV1 { emergency: *emergency, reason: maybe(reason.clone()) })
        }
    }
}

impl From<ChangedV1> for Event {
    fn from(record: ChangedV1) -> Self {
        Self::Changed { rules: Box::new(record.rules.into()), text_hash: record.text_hash }
    }
}

impl From<ChangedV2> for Event {
    fn from(record: ChangedV2) -> Self {
        Self::Changed { rules: Box::new(record.rules.into()), text_hash: record.text_hash }
    }
}

impl From<&Rules> for RulesV2 {
    fn from(rules: &Rules) -> Self {
        let Thresholds { longest_wait, waiting, service_level } = rules.thresholds.clone();
        let thresholds = ThresholdsV1 {
            longest_wait: BoundV1::of(longest_wait, Length),
            waiting: BoundV1::of(waiting, |waiting| waiting),
            service_level: BoundV1::of(service_level, |share| share),
        };
        Self { rules: rules.into(), thresholds }
    }
}

impl From<RulesV2> for Rules {
    fn from(record: RulesV2) -> Self {
        let ThresholdsV1 { longest_wait, waiting, service_level } = record.thresholds;
        let thresholds = Thresholds {
            longest_wait: longest_wait.bound(|length| length.0),
            waiting: waiting.bound(|waiting| waiting),
            service_level: service_level.bound(|share| share),
        };
        Self { thresholds, ..record.rules.into() }
    }
}

impl<T> BoundV1<T> {
    fn of<D>(bound: Bound<D>, as_record: impl Fn(D) -> T) -> Self {
        let Bound { warning, critical } = bound;
        Self { warning: warning.map(&as_record), critical: critical.map(as_record) }
    }

    fn bound<D>(self, of_record: impl Fn(T) -> D) -> Bound<D> {
        let Self { warning, critical } = self;
        Bound { warning: warning.map(&of_record), critical: critical.map(of_record) }
    }
}

impl From<&Rules> for RulesV1 {
    fn from(rules: &Rules) -> Self {
        Self {
            name: rules.name.clone(),
            short_name: rules.short_name.clone(),
            requirement: (&rules.requirement).into(),
            service_level: rules.service_level.as_ref().map(|level| ServiceLevelV1 {
                share: level.share,
                within: Length(level.within.clone()),
            }),
            max_waiting: rules.max_waiting,
            wrap_up: rules.wrap_up.clone().map(Length),
            offer_timeout: Length(rules.offer_timeout.clone()),
            on_reject: rules.on_reject.into(),
            max_misses: rules.max_misses,
            short_abandon: Length(rules.short_abandon.clone()),
        }
    }
}

impl From<RulesV1> for Rules {
    fn from(record: RulesV1) -> Self {
        Self {
            name: record.name,
            short_name: record.short_name,
            requirement: record.requirement.into(),
            service_level: record
                .service_level
                .map(|level| ServiceLevel { share: level.share, within: level.within.0 }),
            max_waiting: record.max_waiting,
            wrap_up: record.wrap_up.map(|length| length.0),
            offer_timeout: record.offer_timeout.0,
            on_reject: record.on_reject.into(),
            max_misses: record.max_misses,
            short_abandon: record.short_abandon.0,
            thresholds: Thresholds::default(),
        }
    }
}

impl From<OpenedV1> for Event {
    fn from(record: OpenedV1) -> Self {
        Self::Opened { reason: maybe(record.reason) }
    }
}

impl From<ClosedV1> for Event {
    fn from(record: ClosedV1) -> Self {
        Self::Closed { emergency: record.emergency, reason: maybe(record.reason) }
    }
}
