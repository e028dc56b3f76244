//! States of the machines as versioned bytes, and back: what the picture holds of each entity.
//!
//! As with the records of events each kind has a struct a version (`…V1`), and one that was
//! released never changes; golden files hold that to account. A state that cannot be read costs
//! time only: the picture is set aside and made anew from the log. Absent here: where the bytes
//! lie, and everything that is personal.

mod agent;
mod contact;
mod few;

use atalaya_domain::State;
use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes of a state, and most that reading one may ask for; past it, it is refused.
pub const STATE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// States up to this many bytes are within the limit of reading whatever they hold: a number
/// counts by its size in memory, at most eight times what it is as bytes.
const SURELY_READ_BYTES: usize = STATE_BYTES_MAX / 8;

/// A kind of machine: its number, which is for ever, and the newest version of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateKind {
    /// First byte of a state.
    pub number: u8,
    /// Second byte of a state as it is written; all from 1 to it are read.
    pub newest: u8,
    /// For people.
    pub name: &'static str,
}

const AGENT: StateKind = StateKind { number: 1, newest: 1, name: "agent" };
const CONTACT: StateKind = StateKind { number: 2, newest: 1, name: "contact" };
const QUEUE: StateKind = StateKind { number: 3, newest: 2, name: "queue" };
const CREDENTIAL: StateKind = StateKind { number: 4, newest: 1, name: "credential" };
const SYSTEM: StateKind = StateKind { number: 5, newest: 1, name: "system" };

/// Every kind, by number.
pub const STATE_KINDS: [StateKind; 5] = [AGENT, CONTACT, QUEUE, CREDENTIAL, SYSTEM];

/// Why a state cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// No machine has this number, or its state has no such version.
    #[error(
        "cannot read a state of kind {kind}, version {version}: this program does not know it; a \
         newer program wrote it"
    )]
    Unknown {
        /// First byte.
        kind: u8,
        /// Second byte.
        version: u8,
    },
    /// The bytes are not what their kind and version say.
    #[error("cannot read the state of {article} {name}: {cause}", article = article(name))]
    Unreadable {
        /// The kind's name.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The state holds more than may be written, or something that would not come back.
    #[error("cannot write the state of {article} {name}: {cause}", article = article(name))]
    Unwritable {
        /// The kind's name.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

fn article(name: &str) -> &'static str {
    if name.starts_with('a') { "an" } else { "a" }
}

/// Kind, version and content of `state`, in the newest version of its kind.
pub fn encode_state(state: &State) -> Result<Vec<u8>, StateError> {
    match state {
        State::Agent(state) => put(AGENT, &agent::AgentV1::from(state)),
        State::Contact(state) => put(CONTACT, &contact::ContactV1::from(state)),
        State::Queue(state) => put(QUEUE, &few::QueueV2::from(state)),
        State::Credential(state) => put(CREDENTIAL, &few::CredentialV1::from(state)),
        State::System(state) => put(SYSTEM, &few::SystemV1::from(state)),
    }
}

/// The state that `bytes` are.
pub fn decode_state(bytes: &[u8]) -> Result<State, StateError> {
    let kind = state_kind(bytes)?;
    match kind.number {
        1 => get::<agent::AgentV1>(kind, bytes).map(|state| State::Agent(state.into())),
        2 => get::<contact::ContactV1>(kind, bytes).map(|state| State::Contact(state.into())),
        3 if bytes.get(1) == Some(&1) => {
            get::<few::QueueV1>(kind, bytes).map(|state| State::Queue(state.into()))
        }
        3 => get::<few::QueueV2>(kind, bytes).map(|state| State::Queue(state.into())),
        4 => get::<few::CredentialV1>(kind, bytes).map(|state| State::Credential(state.into())),
        _ => get::<few::SystemV1>(kind, bytes).map(|state| State::System(state.into())),
    }
}

/// The kind that `bytes` say they are, its version one that is read.
pub(super) fn state_kind(bytes: &[u8]) -> Result<StateKind, StateError> {
    let (kind, version) = match bytes {
        [kind, version, ..] => (*kind, *version),
        [kind] => (*kind, 0),
        [] => (0, 0),
    };
    STATE_KINDS
        .into_iter()
        .find(|known| known.number == kind && (1..=known.newest).contains(&version))
        .ok_or(StateError::Unknown { kind, version })
}

fn config() -> Configuration<LittleEndian, Varint, Limit<STATE_BYTES_MAX>> {
    bincode::config::standard().with_limit::<STATE_BYTES_MAX>()
}

fn put<R: Serialize + DeserializeOwned>(
    kind: StateKind,
    record: &R,
) -> Result<Vec<u8>, StateError> {
    let name = kind.name;
    let unwritable = |cause: String| StateError::Unwritable { name, cause };
    let mut bytes = vec![kind.number, kind.newest];
    bincode::serde::encode_into_std_write(record, &mut bytes, config())
        .map_err(|error| unwritable(error.to_string()))?;
    if SURELY_READ_BYTES < bytes.len() {
        get::<R>(kind, &bytes).map_err(|_| {
            let held = bytes.len();
            unwritable(format!("its {held} bytes are more than a state may hold"))
        })?;
    }
    Ok(bytes)
}

fn get<R: DeserializeOwned>(kind: StateKind, bytes: &[u8]) -> Result<R, StateError> {
    let unreadable = |cause: String| StateError::Unreadable { name: kind.name, cause };
    if STATE_BYTES_MAX < bytes.len() {
        return Err(unreadable(format!("it has more than {STATE_BYTES_MAX} bytes")));
    }
    let content = bytes.get(2..).unwrap_or_default();
    let (record, read) = bincode::serde::decode_from_slice(content, config())
        .map_err(|error| unreadable(error.to_string()))?;
    match content.len() - read {
        0 => Ok(record),
        extra => Err(unreadable(format!("{extra} bytes follow its end"))),
    }
}
