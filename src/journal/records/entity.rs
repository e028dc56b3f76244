//! Names of entities as bytes: a number for the kind of machine, and its id.
//!
//! The numbers are for ever, as those of events are.

use atalaya_domain::EntityId;
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, QueueId, Slug};
use uuid::Uuid;

use super::RecordError;

const SYSTEM: u8 = 1;
const QUEUE: u8 = 2;
const AGENT: u8 = 3;
const CONTACT: u8 = 4;
const TOKEN: u8 = 5;
const SESSION: u8 = 6;

/// Kind and id of an entity: the text of a slug, the 16 bytes of a UUID, nothing for the centre.
pub fn entity_key(id: &EntityId) -> (u8, Vec<u8>) {
    match id {
        EntityId::System => (SYSTEM, Vec::new()),
        EntityId::Queue(id) => (QUEUE, id.as_str().into()),
        EntityId::Agent(id) => (AGENT, id.as_str().into()),
        EntityId::Contact(id) => (CONTACT, id.0.as_bytes().into()),
        EntityId::Token(id) => (TOKEN, id.0.as_bytes().into()),
        EntityId::Session(id) => (SESSION, id.0.as_bytes().into()),
    }
}

/// The entity of a key.
pub fn entity_of(kind: u8, id: &[u8]) -> Result<EntityId, RecordError> {
    let wrong = |cause: String| RecordError::Entity { kind, cause };
    let slug = || {
        let text = std::str::from_utf8(id).map_err(|error| wrong(error.to_string()))?;
        Slug::new(text).map_err(|error| wrong(error.to_string()))
    };
    let uuid = || Uuid::from_slice(id).map_err(|error| wrong(error.to_string()));
    match kind {
        SYSTEM if id.is_empty() => Ok(EntityId::System),
        SYSTEM => Err(wrong("the centre has no id".into())),
        QUEUE => Ok(EntityId::Queue(QueueId(slug()?))),
        AGENT => Ok(EntityId::Agent(AgentId(slug()?))),
        CONTACT => Ok(EntityId::Contact(ContactId(uuid()?))),
        TOKEN => Ok(EntityId::Token(CredentialId(uuid()?))),
        SESSION => Ok(EntityId::Session(CredentialId(uuid()?))),
        _ => Err(wrong("this program does not know it; a newer program wrote it".into())),
    }
}
