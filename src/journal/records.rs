//! Domain events as versioned bytes, and back: what an event's payload in the log is.
//!
//! The domain knows nothing of bytes, so each kind and version of event has a struct of its own
//! here (`…V1`), written by bincode. bincode has no names and no defaults: a field added, removed
//! or moved, or a variant put anywhere but last, is another format. So a struct that was released
//! never changes; a change is a new `…V2`, its version in the table of [`kinds`], and the old one
//! still read. Golden files hold that to account.
//!
//! What [`encode`] accepts, [`decode`] reads: a payload that could not be read back is refused
//! before it is in the log. Absent here: frames, sums, sequence numbers, instants, and all that is
//! personal, which never is in an event.

pub(super) mod agent;
pub(super) mod contact;
mod credential;
mod entity;
mod kinds;
pub(super) mod parts;
pub(super) mod queue;
mod system;

use atalaya_domain::Event;
use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::{DecodeError, EncodeError};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use entity::{entity_key, entity_of};
pub use kinds::{KINDS, Kind, Row};

/// Most bytes of a payload, and most that reading one may ask for; past it, it is refused.
pub const RECORD_BYTES_MAX: usize = 65_536;

/// Payloads up to this many bytes are within the limit of reading whatever they hold: bincode
/// counts a number by its size in memory, at most eight times what it is in the log.
const SURELY_READ_BYTES: usize = RECORD_BYTES_MAX / 8;

/// Why an event cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No event has this number.
    #[error(
        "cannot read an event of kind {kind}: this program does not know it; a newer program \
         wrote it, use that one"
    )]
    UnknownKind {
        /// The number.
        kind: u16,
    },
    /// The kind is known and the version is not yet.
    #[error(
        "cannot read version {version} of `{name}`: this program reads up to {newest}; a newer \
         program wrote it, use that one"
    )]
    NewerVersion {
        /// The kind's name.
        name: &'static str,
        /// What was found.
        version: u8,
        /// The newest that is read.
        newest: u8,
    },
    /// Versions count from 1.
    #[error("cannot read version 0 of `{name}`: no program ever wrote it")]
    NoVersion {
        /// The kind's name.
        name: &'static str,
    },
    /// The payload is not what its kind and version say.
    #[error("cannot read `{name}`: {cause}")]
    Unreadable {
        /// The kind's name.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The payload goes on after its end.
    #[error("cannot read `{name}`: {extra} bytes follow its end")]
    Trailing {
        /// The kind's name.
        name: &'static str,
        /// So many.
        extra: usize,
    },
    /// The event holds more than a payload may, or something that would not come back.
    #[error("cannot write `{name}`: {cause}")]
    Unwritable {
        /// The kind's name.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// An entity's key is of no kind that is known, or its id is none of that kind.
    #[error("cannot read the name of an entity of kind {kind}: {cause}")]
    Entity {
        /// The number.
        kind: u8,
        /// What is wrong with it.
        cause: String,
    },
}

/// Kind, version and payload of `event`, in the newest version of its kind.
pub fn encode(event: &Event) -> Result<(u16, u8, Vec<u8>), RecordError> {
    let sheet = match event {
        Event::Agent(event) => agent::encode(event),
        Event::Contact(event) => contact::encode(event),
        Event::Queue(event) => queue::encode(event),
        Event::Credential(event) => credential::encode(event),
        Event::System(event) => system::encode(event),
    }?;
    Ok((sheet.kind.0, sheet.version, sheet.payload))
}

/// The event that `payload` is; every version ever released is read.
pub fn decode(kind: u16, version: u8, payload: &[u8]) -> Result<Event, RecordError> {
    let row = Kind(kind).row()?;
    match version {
        0 => return Err(RecordError::NoVersion { name: row.name }),
        version if version > row.newest => {
            let (name, newest) = (row.name, row.newest);
            return Err(RecordError::NewerVersion { name, version, newest });
        }
        _ => (),
    }
    let page = Page { row, version, payload };
    match kind {
        kinds::AGENT..kinds::CONTACT => agent::decode(&page).map(Event::Agent),
        kinds::CONTACT..kinds::QUEUE => contact::decode(&page).map(Event::Contact),
        kinds::QUEUE..kinds::CREDENTIAL => queue::decode(&page).map(Event::Queue),
        kinds::CREDENTIAL..kinds::SYSTEM => credential::decode(&page).map(Event::Credential),
        kinds::SYSTEM.. => system::decode(&page).map(Event::System),
        _ => Err(RecordError::UnknownKind { kind }),
    }
}

/// One kind's bytes in one version.
trait Record: Serialize + DeserializeOwned {
    const KIND: Kind;
    const VERSION: u8;
}

/// An event written.
struct Sheet {
    kind: Kind,
    version: u8,
    payload: Vec<u8>,
}

/// An event to read, its kind known and its version not beyond the newest.
struct Page<'a> {
    row: &'static Row,
    version: u8,
    payload: &'a [u8],
}

fn config() -> Configuration<LittleEndian, Varint, Limit<RECORD_BYTES_MAX>> {
    bincode::config::standard().with_limit::<RECORD_BYTES_MAX>()
}

fn put<R: Record>(record: &R) -> Result<Sheet, RecordError> {
    let row = R::KIND.row()?;
    let unwritable = |cause: String| RecordError::Unwritable { name: row.name, cause };
    let payload = bincode::serde::encode_to_vec(record, config()).map_err(|error| match error {
        EncodeError::OtherString(cause) => unwritable(cause),
        error => unwritable(error.to_string()),
    })?;
    if payload.len() > SURELY_READ_BYTES {
        let page = Page { row, version: R::VERSION, payload: &payload };
        get::<R>(&page).map_err(|_| {
            let held = payload.len();
            unwritable(format!(
                "its {held} bytes are more than an event may hold ({RECORD_BYTES_MAX}, small \
                 numbers counting as large ones)"
            ))
        })?;
    }
    Ok(Sheet { kind: R::KIND, version: R::VERSION, payload })
}

fn get<R: Record>(page: &Page<'_>) -> Result<R, RecordError> {
    let name = page.row.name;
    if page.payload.len() > RECORD_BYTES_MAX {
        let cause = format!("it has more than {RECORD_BYTES_MAX} bytes");
        return Err(RecordError::Unreadable { name, cause });
    }
    let (record, read) =
        bincode::serde::decode_from_slice(page.payload, config()).map_err(|error| match error {
            DecodeError::OtherString(cause) => RecordError::Unreadable { name, cause },
            error => RecordError::Unreadable { name, cause: error.to_string() },
        })?;
    match page.payload.len() - read {
        0 => Ok(record),
        extra => Err(RecordError::Trailing { name, extra }),
    }
}

/// Says which struct is which kind and version, and reads them all.
macro_rules! records {
    ($event:ty: $($record:ident = $kind:ident v $version:literal),* $(,)?) => {
        $(impl Record for $record {
            const KIND: Kind = Kind::$kind;
            const VERSION: u8 = $version;
        })*

        /// The event that the page is.
        pub(super) fn decode(page: &Page<'_>) -> Result<$event, RecordError> {
            match (page.row.kind, page.version) {
                $((Kind::$kind, $version) => get::<$record>(page).map(<$event>::from),)*
                (Kind(kind), _) => Err(RecordError::UnknownKind { kind }),
            }
        }
    };
}
use records;
