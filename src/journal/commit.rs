//! What the writer hands to a log: numbered entries that are committed whole or not at all.
//!
//! How they become bytes and files is the log's; [`Memory`] keeps them for tests and for runs that
//! need no disk.

use std::sync::{Arc, Mutex, PoisonError};

use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, CredentialId, EntityId, PersonId};
use atalaya_domain::time::Timestamp;

/// Who caused an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `agent:ana`, `system`, `token:…`.
    pub by: String,
    /// Under which session.
    pub session: Option<[u8; 16]>,
    /// Personal data that came with the command: it is kept beside the events, never in them.
    pub said: Vec<Said>,
    /// What a repeat of the request is answered with, where it came with a key.
    pub receipt: Option<Receipt>,
}

/// What a repeated request is answered with. It is committed in the entry that it is about, so
/// that no crash lies between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose request it was.
    pub token: CredentialId,
    /// Keyed hash of the key.
    pub key: [u8; 16],
    /// Keyed hash of the request.
    pub request: [u8; 16],
    /// HTTP status of the answer.
    pub status: u16,
    /// What the answer shows.
    pub entity: EntityId,
    /// The wall's instant; of one that was read back, its batch's.
    pub wall: Timestamp,
}

/// One personal datum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whose it is.
    pub of: Whose,
    /// Which datum: `name`, `from`, `subject.CONTACT`, `why`.
    pub field: String,
    /// The datum.
    pub text: String,
}

/// Whose personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// A citizen's.
    Person(PersonId),
    /// An agent's.
    Agent(AgentId),
}

impl Cause {
    /// The centre itself.
    pub fn system() -> Self {
        Self::of("system".into(), None)
    }

    /// Somebody, who says nothing personal.
    pub const fn of(by: String, session: Option<[u8; 16]>) -> Self {
        Self { by, session, said: Vec::new(), receipt: None }
    }
}

/// An event with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// From 1, without a gap.
    pub seq: u64,
    /// Seq of the entity's previous event; 0: none.
    pub previous: u64,
    /// The event.
    pub recorded: Recorded,
}

/// One entry, ready to be committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// Who caused it.
    pub cause: Cause,
    /// Centre instant of the decision.
    pub now: Timestamp,
    /// In order; none where only a receipt is committed.
    pub events: Vec<Numbered>,
}

/// Why a batch was not committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written.
    #[error("failed to commit: {0}")]
    Refused(String),
    /// It may be there after a restart, or not.
    #[error("failed to learn whether the commit happened: {0}")]
    Unknown(String),
}

/// Commits batches, one at a time.
pub trait Commit: Send {
    /// Makes `batch` durable whole, or says that it did not.
    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError>;

    /// A reader of what was committed.
    fn past(&self) -> Arc<dyn Past>;

    /// Looks whether a batch could be committed, and does what is to be done for it; called now
    /// and then while there is none.
    fn probe(&mut self) -> Result<(), CommitError> {
        Ok(())
    }

    /// Number of the last batch that was committed.
    fn last_batch(&self) -> u64 {
        0
    }
}

/// Reads what was committed, on any thread beside the writer.
pub trait Past: Send + Sync {
    /// The first number that is kept.
    fn first_seq(&self) -> u64;

    /// Entries that hold the events after `seq`, in order and without a gap, until they have
    /// `limit` of them or there are no more. The first and the last may hold others besides.
    fn after(&self, seq: u64, limit: usize) -> Result<Vec<Sealed>, PastError>;
}

/// Why events cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PastError {
    /// They are not kept any more.
    #[error("cannot go on from there: events before {first_seq} are not kept any more")]
    TooOld {
        /// The first number that is.
        first_seq: u64,
    },
    /// The log's own words.
    #[error("{0}")]
    Unreadable(String),
}

/// Keeps what was committed in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<Sealed>>>);

impl Memory {
    /// Holds these already.
    pub fn of(entries: Vec<Sealed>) -> Self {
        Self(Arc::new(Mutex::new(entries)))
    }

    /// A copy of all entries so far.
    pub fn entries(&self) -> Vec<Sealed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Commit for Memory {
    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(batch);
        Ok(())
    }

    fn past(&self) -> Arc<dyn Past> {
        Arc::new(self.clone())
    }
}

impl Past for Memory {
    fn first_seq(&self) -> u64 {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find_map(|entry| entry.events.first()).map_or(1, |event| event.seq)
    }

    fn after(&self, seq: u64, limit: usize) -> Result<Vec<Sealed>, PastError> {
        let first_seq = self.first_seq();
        if seq.saturating_add(1) < first_seq {
            return Err(PastError::TooOld { first_seq });
        }
        let mut left = limit;
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let later = |entry: &&Sealed| entry.events.last().is_some_and(|last| seq < last.seq);
        let page = entries.iter().filter(later).take_while(|entry| {
            let before = left;
            left = left.saturating_sub(entry.events.iter().filter(|e| seq < e.seq).count());
            before > 0
        });
        Ok(page.cloned().collect())
    }
}
