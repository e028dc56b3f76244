//! Reading a whole log to say whether it is sound, beside a running server or without one. Takes
//! no lock and changes nothing.

use std::path::Path;

use uuid::Uuid;

use super::disk::Disk;
use super::error::LogError;
use super::log::LOG_FOLDER;
use super::recover::{Cut, Source, nothing_erased, refuse_unsound, scan};

/// What a sound log holds. Damage is an error instead.
#[derive(Debug)]
pub struct Report {
    /// The log's epoch; none where there is no segment yet.
    pub epoch: Option<Uuid>,
    /// How many segments.
    pub segments: usize,
    /// How many batches.
    pub batches: u64,
    /// How many events.
    pub events: u64,
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
        segments: found.segments.len(),
        batches: found.next_batch.saturating_sub(1),
        events: found.next_seq.saturating_sub(1),
        torn: found.torn,
    })
}
