//! Records of the centre's events.

use atalaya_domain::system::Event;
use serde::{Deserialize, Serialize};

use super::parts::{Entity, Micros};
use super::{Kind, Page, Record, RecordError, Sheet, get, put, records};

records! { Event:
    StartedV1 = SYSTEM_STARTED v 1,
    ClockSetV1 = SYSTEM_CLOCK_SET v 1,
    ConfiguredV1 = SYSTEM_CONFIGURED v 1,
    QuarantinedV1 = SYSTEM_QUARANTINED v 1,
}

#[derive(Serialize, Deserialize)]
struct StartedV1 {
    number: u64,
    rate: f64,
}

#[derive(Serialize, Deserialize)]
struct ClockSetV1 {
    to: Micros,
}

#[derive(Serialize, Deserialize)]
struct ConfiguredV1 {
    hash: [u8; 16],
}

#[derive(Serialize, Deserialize)]
struct QuarantinedV1 {
    entity: Entity,
    cause: String,
}

/// Writes an event of the centre.
pub(super) fn encode(event: &Event) -> Result<Sheet, RecordError> {
    match event {
        Event::Started { number, rate } => put(&StartedV1 { number: *number, rate: *rate }),
        Event::ClockSet { to } => put(&ClockSetV1 { to: (*to).into() }),
        Event::Configured { hash } => put(&ConfiguredV1 { hash: *hash }),
        Event::Quarantined { entity, cause } => {
            put(&QuarantinedV1 { entity: Entity(entity.clone()), cause: cause.clone() })
        }
    }
}

impl From<StartedV1> for Event {
    fn from(record: StartedV1) -> Self {
        Self::Started { number: record.number, rate: record.rate }
    }
}

impl From<ClockSetV1> for Event {
    fn from(record: ClockSetV1) -> Self {
        Self::ClockSet { to: record.to.into() }
    }
}

impl From<ConfiguredV1> for Event {
    fn from(record: ConfiguredV1) -> Self {
        Self::Configured { hash: record.hash }
    }
}

impl From<QuarantinedV1> for Event {
    fn from(record: QuarantinedV1) -> Self {
        Self::Quarantined { entity: record.entity.0, cause: record.cause }
    }
}
