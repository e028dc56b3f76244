//! Reading a whole log to say whether it is sound, beside a running server or without one. Takes
//! no lock and changes nothing.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::batch::Hash;
use super::disk::Disk;
use super::error::LogError;
use super::log::LOG_FOLDER;
use super::reader::LogReader;
use super::recover::{Cut, Epoch, Scan, Source, nothing_erased, refuse_unsound, scan};
use super::segment::path_of;

/// What a sound log holds. Damage is an error instead.
#[derive(Debug)]
pub struct Report {
    /// The log's epoch, its last; none where there is no segment yet.
    pub epoch: Option<Uuid>,
    /// All its epochs, the first first: each restore began another.
    pub epochs: Vec<Epoch>,
    /// How many segments.
    pub segments: usize,
    /// How many batches.
    pub batches: u64,
    /// How many events.
    pub events: u64,
    /// Hash of the last batch: the head of the chain.
    pub chain: Hash,
    /// A torn end, or a batch that a server is writing just now.
    pub torn: Option<Cut>,
}

/// Reads every byte of the log under the data folder `dir`, and refuses what a start refuses.
pub fn verify(dir: &Path, disk: &dyn Disk, key_fingerprint: [u8; 16]) -> Result<Report, LogError> {
    let folder = dir.join(LOG_FOLDER);
    let found = scan(&Source { disk, folder: &folder, key_fingerprint }, &mut |_| Ok(()))?;
    refuse_unsound(&found.unsound, nothing_erased)?;
    Ok(Report {
        epoch: found.epoch,
        epochs: found.epochs,
        segments: found.segments.len(),
        batches: found.next_batch.saturating_sub(1),
        events: found.next_seq.saturating_sub(1),
        chain: found.chain,
        torn: found.torn,
    })
}

/// Whether a batch that was not whole when the log was read is whole by now: then a server was
/// writing it.
pub fn is_whole_now(
    dir: &Path,
    disk: Arc<dyn Disk>,
    key_fingerprint: [u8; 16],
    batch: u64,
) -> Result<bool, LogError> {
    let mut reader = LogReader::outside(dir, disk, key_fingerprint).from_batch(batch)?;
    Ok(reader.next_batch()?.is_some())
}

/// Number of the last batch of the log in `dir`, which is durable from now on: it had been read
/// from the page cache, perhaps, and its server has not synced it yet.
pub fn settled_end(
    dir: &Path,
    disk: &dyn Disk,
    key_fingerprint: [u8; 16],
) -> Result<u64, LogError> {
    let folder = dir.join(LOG_FOLDER);
    let found = scan(&Source { disk, folder: &folder, key_fingerprint }, &mut |_| Ok(()))?;
    refuse_unsound(&found.unsound, nothing_erased)?;
    settle_end(dir, disk, &found)?;
    Ok(found.next_batch.saturating_sub(1))
}

/// Makes durable what was read of a log's end.
pub(super) fn settle_end(dir: &Path, disk: &dyn Disk, found: &Scan) -> Result<(), LogError> {
    let Some(last) = found.segments.last() else { return Ok(()) };
    let path = path_of(&dir.join(LOG_FOLDER), last.number);
    let mut file = disk.open_read(&path).map_err(LogError::io("open the segment", &path))?;
    file.sync_data().map_err(LogError::io("sync the segment", path))
}
