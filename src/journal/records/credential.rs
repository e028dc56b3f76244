//! Records of the events of tokens and sessions: hashes, never a secret.

use atalaya_domain::credential::{Event, Grant};
use serde::{Deserialize, Serialize};

use super::parts::{Id, Micros, Word, maybe};
use super::{Kind, Page, Record, RecordError, Sheet, get, put, records};

records! { Event:
    MadeV1 = CREDENTIAL_MADE v 1,
    EndedV1 = CREDENTIAL_ENDED v 1,
}

#[derive(Serialize, Deserialize)]
struct MadeV1 {
    hash: [u8; 16],
    role: Word,
    agent: Option<Word>,
    scope: Option<Word>,
    token: Option<Id>,
    expires_at: Option<Micros>,
}

#[derive(Serialize, Deserialize)]
struct EndedV1;

/// Writes a credential's event.
pub(super) fn encode(event: &Event) -> Result<Sheet, RecordError> {
    match event {
        Event::Made(grant) => put(&MadeV1 {
            hash: grant.hash,
            role: grant.role.clone().into(),
            agent: maybe(grant.agent.clone()),
            scope: maybe(grant.scope.clone()),
            token: maybe(grant.token),
            expires_at: maybe(grant.expires_at),
        }),
        Event::Ended => put(&EndedV1),
    }
}

impl From<MadeV1> for Event {
    fn from(record: MadeV1) -> Self {
        Self::Made(Grant {
            hash: record.hash,
            role: record.role.into(),
            agent: maybe(record.agent),
            scope: maybe(record.scope),
            token: maybe(record.token),
            expires_at: maybe(record.expires_at),
        })
    }
}

impl From<EndedV1> for Event {
    fn from(EndedV1: EndedV1) -> Self {
        Self::Ended
    }
}
