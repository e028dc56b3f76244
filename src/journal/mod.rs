//! The log: what was acknowledged, in files, and nothing else knows of files.
//!
//! ```text
//! DIR/lock     taken first, with the pid                          lock
//! DIR/key      secret of the hashes, before the first segment      key
//! DIR/log/     00000000000000000001.log, …  append-only segments   segment, log
//!                header, then frames: one batch, one sync each     batch
//! DIR/state/   the picture, made anew from the log where it is lost  picture
//! ```
//!
//! A start takes the [`Lock`], opens the [`Key`], then the [`Log`], which reads every batch,
//! tells a torn end (cut whole) from damage (refused), and hands the batches to the fold. The
//! writer then calls [`Log::append`]; [`LogReader`]s follow behind on any thread. So does the
//! [`picture`] in `DIR/state`, written by its [`follower`]: with it a start ([`opening`]) folds
//! only what the log has more.
//!
//! [`backup`](fn@backup) copies key and log beside a server, [`restore`](fn@restore) makes a data
//! folder of the copy under a new epoch; `DIR/unfinished` marks both while they are at it.
//!
//! Absent here: domain types. Entities and events are bytes; which sections were erased, what a
//! receipt answers and what a batch means is known above.

mod backup;
mod batch;
mod bytes;
pub mod commit;
mod disk;
mod error;
pub mod follower;
mod key;
mod lock;
mod log;
mod manifest;
pub mod opening;
mod pages;
pub mod picture;
mod reader;
pub mod recorder;
pub mod records;
mod recover;
mod restore;
mod segment;
pub mod states;
pub mod timed;
mod unfinished;
mod verify;

pub use backup::{CareError, backup, verify_backup};
pub use batch::{
    BY_BYTES_MAX, Batch, CHAIN_START, Decoded, ENTITY_ID_BYTES_MAX, ENTRIES_PER_FRAME_MAX,
    EVENTS_PER_ENTRY_MAX, EntityKey, Entry, EventRecord, FIELD_BYTES_MAX, FRAME_BYTES_MAX,
    FRAME_HEAD_BYTES, Hash, OWNER_SLUG_BYTES_MAX, Owner, PAYLOAD_BYTES_MAX, Receipt,
    SECTION_BYTES_MAX, SECTIONS_PER_BATCH_MAX, Section, SectionState, chain_hash, decode, encode,
};
pub use bytes::{DecodeError, EncodeError};
pub use disk::{Disk, DiskFile, RealDisk};
pub use error::{AppendError, FoldError, LogError};
pub use key::{KEY_FILE, KEY_FILE_NEW, Key, KeyError};
pub use lock::{LOCK_FILE, Lock, LockError};
pub use log::{
    LOG_FOLDER, Log, LogOptions, RESERVE_BYTES_DEFAULT, Recovered, SEGMENT_BYTES_DEFAULT,
};
pub use manifest::{MANIFEST_FILE, Manifest, hex};
pub use reader::{BatchReader, LogReader};
pub use recover::{Cut, Epoch, Erased, SegmentMeta, UNSOUND_SECTIONS_MAX, UnsoundSection};
pub use restore::{Restored, refuse_full, restore};
pub use segment::{FORMAT_VERSION, HEADER_BYTES, Header, is_segment, path_of};
pub use unfinished::{UNFINISHED_FILE, Unfinished, refuse as refuse_unfinished};
pub use verify::{Report, is_whole_now, settled_end, verify};
