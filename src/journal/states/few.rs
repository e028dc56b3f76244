//! The small states as bytes: queue, credential, and the centre itself.

use std::sync::Arc;

use atalaya_domain::credential::{Credential, Grant};
use atalaya_domain::queue::{Queue, Rules, Status};
use atalaya_domain::system::System;
use serde::{Deserialize, Serialize};

use crate::journal::records::parts::{Entity, Id, Micros, Word, maybe, numbered};
use crate::journal::records::queue::{RulesV1, RulesV2};

/// A queue; `Q`: its rules, in one version or another.
#[derive(Serialize, Deserialize)]
pub(super) struct QueueOf<Q> {
    version: u64,
    rules: Option<Q>,
    text_hash: [u8; 16],
    status: StatusV1,
}

/// A queue without thresholds.
pub(super) type QueueV1 = QueueOf<RulesV1>;
/// A queue.
pub(super) type QueueV2 = QueueOf<RulesV2>;

numbered! {
    /// Whether a queue takes arrivals.
    StatusV1 is Status { Open, Closed, EmergencyClosed }
}

/// A token or session.
#[derive(Serialize, Deserialize)]
pub(super) struct CredentialV1 {
    version: u64,
    grant: Option<GrantV1>,
    ended: bool,
}

#[derive(Serialize, Deserialize)]
struct GrantV1 {
    hash: [u8; 16],
    role: Word,
    agent: Option<Word>,
    scope: Option<Word>,
    token: Option<Id>,
    expires_at: Option<Micros>,
}

/// The centre.
#[derive(Serialize, Deserialize)]
pub(super) struct SystemV1 {
    version: u64,
    start: u64,
    rate: f64,
    quarantined: Vec<(Entity, String)>,
}

impl From<&Queue> for QueueV2 {
    fn from(queue: &Queue) -> Self {
        Self {
            version: queue.version,
            rules: queue.rules.as_deref().map(RulesV2::from),
            text_hash: queue.text_hash,
            status: queue.status.into(),
        }
    }
}

impl<Q: Into<Rules>> From<QueueOf<Q>> for Queue {
    fn from(record: QueueOf<Q>) -> Self {
        Self {
            version: record.version,
            rules: record.rules.map(|rules| Arc::new(rules.into())),
            text_hash: record.text_hash,
            status: record.status.into(),
        }
    }
}

impl From<&Credential> for CredentialV1 {
    fn from(credential: &Credential) -> Self {
        let Credential { version, grant, ended } = credential;
        let grant = grant.as_ref().map(|grant| GrantV1 {
            hash: grant.hash,
            role: grant.role.clone().into(),
            agent: maybe(grant.agent.clone()),
            scope: maybe(grant.scope.clone()),
            token: maybe(grant.token),
            expires_at: maybe(grant.expires_at),
        });
        Self { version: *version, grant, ended: *ended }
    }
}

impl From<CredentialV1> for Credential {
    fn from(record: CredentialV1) -> Self {
        let grant = record.grant.map(|grant| Grant {
            hash: grant.hash,
            role: grant.role.into(),
            agent: maybe(grant.agent),
            scope: maybe(grant.scope),
            token: maybe(grant.token),
            expires_at: maybe(grant.expires_at),
        });
        Self { version: record.version, grant, ended: record.ended }
    }
}

impl From<&System> for SystemV1 {
    fn from(system: &System) -> Self {
        let quarantined = system.quarantined.iter();
        Self {
            version: system.version,
            start: system.start,
            rate: system.rate,
            quarantined: quarantined.map(|(id, why)| (Entity(id.clone()), why.clone())).collect(),
        }
    }
}

impl From<SystemV1> for System {
    fn from(record: SystemV1) -> Self {
        let quarantined = record.quarantined.into_iter();
        Self {
            version: record.version,
            start: record.start,
            rate: record.rate,
            quarantined: quarantined.map(|(id, why)| (id.0, why)).collect(),
        }
    }
}
