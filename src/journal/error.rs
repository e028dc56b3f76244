//! What can go wrong with the log, as types. Advice to people stands in the texts.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::bytes::EncodeError;

/// A fold's own error, carried through the log's.
pub type FoldError = Box<dyn std::error::Error + Send + Sync>;

/// Why the log cannot be opened or read. Nothing was cut or changed where it is refused.
#[derive(Debug, Error)]
pub enum LogError {
    /// Acknowledged bytes are not what was written.
    #[error(
        "cannot read the log: segment {segment} is damaged at byte {offset} ({what}); \
         restore it from a backup, nothing was changed"
    )]
    Damage {
        /// Number of the segment.
        segment: u64,
        /// Byte in its file.
        offset: u64,
        /// What was found there.
        what: String,
    },
    /// The state's applied mark lies beyond the log's end: acknowledged batches are gone.
    #[error(
        "cannot open the log: it ends with batch {last} (segment {segment}, byte {offset}), \
         but the state has applied batch {applied}; restore the log from a backup"
    )]
    BehindState {
        /// What the state has.
        applied: u64,
        /// The last batch of the log.
        last: u64,
        /// The last segment.
        segment: u64,
        /// Where its last intact batch ends.
        offset: u64,
    },
    /// A newer program wrote this segment.
    #[error(
        "cannot read the log: segment {segment} has format {found}, this program knows {known}; \
         use the newer program"
    )]
    NewerFormat {
        /// Number of the segment.
        segment: u64,
        /// Its format version.
        found: u16,
        /// The newest that this program reads.
        known: u16,
    },
    /// The key beside the log is not the one that the log was written with.
    #[error(
        "cannot read the log: segment {segment} was written with another key than the one in \
         the data folder; restore the key from a backup"
    )]
    OtherKey {
        /// Number of the segment.
        segment: u64,
    },
    /// The caller's fold refused a batch.
    #[error("cannot fold batch {batch} of the log: {source}")]
    Fold {
        /// Number of the batch.
        batch: u64,
        /// The fold's own words.
        source: FoldError,
    },
    /// The disk refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl LogError {
    pub(super) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(super) fn damage(segment: u64, offset: u64, what: impl Into<String>) -> Self {
        Self::Damage { segment, offset, what: what.into() }
    }
}

/// Why a batch was not acknowledged. The sequence did not advance: the next batch has its number.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The disk is under its reserve. Nothing was written; try again once there is room.
    #[error(
        "cannot write: {free} bytes are free and {reserve} are kept in reserve; make room on \
         the log's disk"
    )]
    NoRoom {
        /// Bytes free.
        free: u64,
        /// Bytes that must stay free.
        reserve: u64,
    },
    /// The batch breaks a limit. Nothing was written; the same batch will never fit.
    #[error(transparent)]
    Invalid(#[from] EncodeError),
    /// The batch's number or first sequence number is not the next one. Nothing was written.
    #[error(
        "cannot append batch {number} from seq {first_seq}: the log's next is batch \
         {next_batch} from seq {next_seq}"
    )]
    OutOfOrder {
        /// The batch's.
        number: u64,
        /// The batch's.
        first_seq: u64,
        /// The log's.
        next_batch: u64,
        /// The log's.
        next_seq: u64,
    },
    /// A write or sync failed. The batch may show after a crash that comes before the next
    /// append or look; once one succeeds, it did not happen.
    #[error("failed to write the log, the outcome is unknown: {0}")]
    Unknown(#[source] io::Error),
}
