//! The picture of the log in `DIR/state`: what the log says, so that a start need not read all of
//! it. It follows the log and may be behind; it is never ahead, and never the only copy.
//!
//! [`Picture::open`] gives a picture of this log or an empty one: what is missing, of another log,
//! damaged or of another format is set aside and costs time only. [`Picture::apply`] writes a
//! [`Change`] whole or not at all, the applied mark with it. One thread writes (see
//! [`super::follower`]), any thread reads. All but the views lies in one tree, since only a tree's
//! batch is atomic, and a sum over all records lies beside the mark: a store that lost or kept too
//! much is found out at the next start.
//!
//! Absent here: who gathers changes, and any type of the store.

mod keys;
mod open;
mod views;
mod write;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use atalaya_domain::ids::{ContactId, CredentialId, QueueId};
use atalaya_domain::time::Timestamp;
use atalaya_domain::{EntityId, State};

use super::bytes::DecodeError;
use super::commit::Whose;
use super::records::RecordError;
use super::states::StateError;
use views::Views;
use write::{Head, Mark};

/// The picture's folder in the data folder.
pub const STATE_FOLDER: &str = "state";
/// Pictures set aside that are kept; older ones are removed.
pub const ASIDE_MAX: usize = 2;
/// Bytes of pages that the store keeps in memory.
pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Most contacts given for one `external_id`; the earliest are.
pub const SAME_EXTERNAL_ID_MAX: usize = 1_000;

/// Up to where the log is in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Number of the last batch.
    pub batch: u64,
    /// Number of the last event up to there.
    pub seq: u64,
    /// Centre instant of the last entry up to there.
    pub now: Timestamp,
}

/// A state as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The last good state.
    pub state: State,
    /// The log's version; past the state's own once the entity is frozen.
    pub version: u64,
    /// Number of the entity's first event: of contacts with the same order key, the one that came
    /// first.
    pub first_seq: u64,
    /// Number of the entity's last event.
    pub seq: u64,
    /// Whether an event could not be applied.
    pub frozen: bool,
    /// Out of service since.
    pub quarantined: Option<Timestamp>,
}

/// What a repeated call is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose call it was.
    pub token: CredentialId,
    /// Keyed hash of the idempotency key.
    pub key: [u8; 16],
    /// Keyed hash of the request.
    pub request: [u8; 16],
    /// HTTP status of the answer.
    pub status: u16,
    /// What the answer shows.
    pub entity: EntityId,
    /// Wall instant of the commit.
    pub wall: Timestamp,
    /// Number of the last event up to its entry.
    pub seq: u64,
}

/// What the picture becomes in one step: all of it as of one batch's end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// States that are other than before.
    pub states: BTreeMap<EntityId, Kept>,
    /// Personal data said.
    pub said: BTreeMap<(Whose, String), String>,
    /// Receipts by token and key.
    pub receipts: BTreeMap<(CredentialId, [u8; 16]), Receipt>,
    /// Views by name, whole.
    pub views: BTreeMap<String, Vec<u8>>,
    /// Sums of a quarter of an hour (its number) and a queue that never change again: a view that
    /// grows with the years is kept piece by piece.
    pub cells: BTreeMap<(i64, QueueId), Vec<u8>>,
    /// The mark; without it there is nothing to apply.
    pub applied: Option<Applied>,
}

/// What was found at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: the whole log is to be folded.
    New,
    /// A picture of this log, up to here.
    Known(Applied),
    /// Something else, which lies there now; the whole log is to be folded.
    SetAside {
        /// Its new name.
        to: PathBuf,
        /// What was wrong with it.
        why: String,
    },
}

/// Why the picture cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The store or its disk refused.
    #[error("cannot {doing} the state: {cause}")]
    Store {
        /// What was tried.
        doing: &'static str,
        /// The store's words.
        cause: String,
    },
    /// Another process has it open.
    #[error("cannot open the state: another process has it ({cause})")]
    Busy {
        /// The store's words.
        cause: String,
    },
    /// What is there is not what was written.
    #[error("cannot use the state: {what}")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// A write failed before: what it left is known after a start only.
    #[error("cannot write the state: a write failed before; start again")]
    Broken,
    /// A change that is not newer than what is there.
    #[error("cannot write the state: batch {batch} is applied, the change is of batch {change}")]
    Old {
        /// What the picture has.
        batch: u64,
        /// What the change brings.
        change: u64,
    },
    /// Acknowledged batches are gone from the log.
    #[error(
        "cannot start: the log ends with batch {last}, but the state has applied batch {applied}; \
         restore the log from a backup"
    )]
    Ahead {
        /// What the picture has.
        applied: u64,
        /// The last batch of the log.
        last: u64,
    },
    /// A state's bytes.
    #[error(transparent)]
    State(#[from] StateError),
    /// The name of an entity.
    #[error(transparent)]
    Name(#[from] RecordError),
}

impl From<DecodeError> for PictureError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged { what: format!("a record with {} at its byte {}", error.what, error.at) }
    }
}

/// The picture, open.
pub struct Picture {
    tree: sled::Db,
    head: Mutex<Head>,
    views: Views,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("applied", &self.applied()).finish_non_exhaustive()
    }
}

impl Picture {
    /// Up to where the log is in it; `None`: nothing is.
    pub fn applied(&self) -> Option<Applied> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).mark.map(|mark| mark.applied)
    }

    /// Refuses a log that ends before what the picture has: acknowledged batches are gone.
    pub fn fits(&self, log_last_batch: u64) -> Result<(), PictureError> {
        match self.applied() {
            Some(Applied { batch, .. }) if log_last_batch < batch => {
                Err(PictureError::Ahead { applied: batch, last: log_last_batch })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Every state, by kind and id.
    pub fn states(&self) -> impl Iterator<Item = Result<(EntityId, Kept), PictureError>> + use<> {
        self.scan(&[keys::STATES]).map(|record| {
            let (key, value) = record?;
            Ok((keys::entity(&key)?, keys::kept(&value)?))
        })
    }

    /// The state of `id`.
    pub fn state(&self, id: &EntityId) -> Result<Option<Kept>, PictureError> {
        self.get(&keys::state(id))?.map(|value| keys::kept(&value)).transpose()
    }

    /// At most `limit` contacts after `after`, by id.
    pub fn contacts_after(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, Kept)>, PictureError> {
        let all = keys::contacts();
        let from = match after {
            Some(after) => Bound::Excluded(keys::state(&after.into())),
            None => Bound::Included(all.clone()),
        };
        let found = self.tree.range((from, Bound::Unbounded)).take(limit).map_while(|record| {
            let (key, value) = match record.map_err(open::failed("read")) {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            key.starts_with(&all).then(|| match (keys::entity(&key)?, keys::kept(&value)?) {
                (EntityId::Contact(id), kept) => Ok((id, kept)),
                (id, _) => Err(PictureError::Damaged { what: format!("{id} among contacts") }),
            })
        });
        found.collect()
    }

    /// The contacts that another system calls so, by id; at most [`SAME_EXTERNAL_ID_MAX`].
    pub fn by_external_id(&self, external_id: &str) -> Result<Vec<ContactId>, PictureError> {
        let found = self.scan(&keys::external(external_id)).take(SAME_EXTERNAL_ID_MAX);
        found.map(|record| keys::external_contact(&record?.0)).collect()
    }

    /// The personal data said of `owner`, by field.
    pub fn said(&self, owner: &Whose) -> Result<BTreeMap<String, String>, PictureError> {
        let prefix = keys::owner(owner);
        let found = self.scan(&prefix).map(|record| {
            let (key, text) = record?;
            let field = text_of(key.get(prefix.len()..).unwrap_or_default())?;
            Ok((field, text_of(&text)?))
        });
        found.collect()
    }

    /// What was said of this field of `owner`.
    pub fn said_of(&self, owner: &Whose, field: &str) -> Result<Option<String>, PictureError> {
        let key = [&keys::owner(owner)[..], field.as_bytes()].concat();
        self.get(&key)?.map(|text| text_of(&text)).transpose()
    }

    /// All personal data, by owner and field, with the text.
    pub fn all_said(
        &self,
    ) -> impl Iterator<Item = Result<(Whose, String, String), PictureError>> + use<> {
        self.scan(&keys::under(keys::SAID, &[])).map(|record| {
            let (key, text) = record?;
            let (owner, field) = keys::owner_and_field(&key)?;
            Ok((owner, text_of(field)?, text_of(&text)?))
        })
    }

    /// The sums of the quarters `from` up to, not including, `to`, by quarter and queue.
    pub fn cells(
        &self,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = Result<((i64, QueueId), Vec<u8>), PictureError>> + use<> {
        let (from, to) = (keys::cells_from(from), keys::cells_from(to.max(from)));
        self.tree.range(from..to).map(|record| {
            let (key, value) = record.map_err(open::failed("read"))?;
            Ok((keys::cell_of(&key)?, value.to_vec()))
        })
    }

    /// The receipts of this wall instant or later, the oldest first.
    pub fn receipts(
        &self,
        since_wall: Timestamp,
    ) -> impl Iterator<Item = Result<Receipt, PictureError>> + use<> {
        let tree = self.tree.clone();
        let ends = keys::under(b't' + 1, &[]);
        let index = tree.range(keys::receipts_from(since_wall)..ends);
        index.map(move |entry| {
            let (by_wall, _) = entry.map_err(open::failed("read"))?;
            let gone = || PictureError::Damaged { what: "an index without a receipt".to_owned() };
            let name = by_wall.last_chunk::<32>().ok_or_else(gone)?;
            let value = tree.get(keys::under(b'r', name)).map_err(open::failed("read"))?;
            keys::receipt_of(&value.ok_or_else(gone)?)
        })
    }

    /// The receipt of this call.
    pub fn receipt(
        &self,
        token: CredentialId,
        key: &[u8; 16],
    ) -> Result<Option<Receipt>, PictureError> {
        self.get(&keys::receipt(token, key))?.map(|value| keys::receipt_of(&value)).transpose()
    }

    /// The bytes of a view, if they are as of the applied mark: a view that did not come with the
    /// last change is of another instant than the states, and is of no use.
    pub fn view(&self, name: &str) -> Option<Vec<u8>> {
        let mark = self.head.lock().unwrap_or_else(PoisonError::into_inner).mark;
        let Mark { applied, views } = mark?;
        self.views.read(&applied, views?, name)
    }

    /// Makes durable what was applied.
    pub fn flush(&self) -> Result<(), PictureError> {
        let applied = self.applied();
        open::guarded("flush", || self.tree.flush())?;
        if let Some(applied) = applied {
            self.views.remove(|batch| batch < applied.batch);
        }
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PictureError> {
        let found = open::guarded("read", || self.tree.get(key))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), PictureError>> + use<> {
        let records = self.tree.scan_prefix(prefix);
        records.map(|record| {
            let (key, value) = record.map_err(open::failed("read"))?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }
}

fn text_of(bytes: &[u8]) -> Result<String, PictureError> {
    let wrong = |_| PictureError::Damaged { what: "text that is not UTF-8".to_owned() };
    String::from_utf8(bytes.to_vec()).map_err(wrong)
}
