//! A restore: a backup becomes a data folder again, under a new epoch.
//!
//! ```text
//! 1  the backup is read and judged whole, against its manifest
//! 2  DIR, which is empty, gets the mark `unfinished`: no start on it from here on
//! 3  key and segments are copied, and the copy is read and judged whole
//! 4  a segment is added whose header begins the new epoch                 segment
//! 5  the whole is read once more, and the mark taken away
//! ```
//!
//! Cut off before 2 there is nothing; after it a start is refused by name, and a second restore
//! takes away what the first has left and begins anew.
//!
//! Why a new epoch: since the backup the numbers after its end were given to other events. Whoever
//! has read those would go on at a number that means something else now; under another epoch they
//! are told (410, or a snapshot on a socket). Tokens, sessions and receipts are in the log and come
//! back as they stood, hashed as they were: one that was ended after the backup holds again.
//!
//! Not here: the lock of DIR, which the caller holds, and `DIR/state`, which the first start makes
//! from the log.

use std::path::Path;

use uuid::Uuid;

use super::backup::{CareError, compare, copy, io, judge, make_folder, names, open, room_for};
use super::disk::Disk;
use super::key::{KEY_FILE, KEY_FILE_NEW, KeyError};
use super::lock::LOCK_FILE;
use super::log::LOG_FOLDER;
use super::manifest::Manifest;
use super::segment::{Header, make, numbers, path_of};
use super::unfinished::{self, Making, UNFINISHED_FILE, Unfinished, mark, unmark};

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Of the backup.
    pub manifest: Manifest,
    /// The epoch that begins behind it.
    pub epoch: Uuid,
}

/// Refuses a folder that has more in it than a lock and what an unfinished restore has left.
///
/// # Errors
/// Where it is not empty, or a backup into it did not end.
pub fn refuse_full(dir: &Path, disk: &dyn Disk) -> Result<(), CareError> {
    let marked = unfinished::of(dir, disk).map_err(io("look into", dir))?;
    let dir = dir.to_path_buf();
    match marked {
        Some(Making::Backup) => Err(KeyError::from(Unfinished::Backup { dir }).into()),
        Some(Making::Restore) => Ok(()),
        None => {
            let other = |name: &String| name != LOCK_FILE && name != UNFINISHED_FILE;
            match names(&dir, disk)?.into_iter().find(other) {
                None => Ok(()),
                Some(found) => Err(CareError::NotEmpty { dir, found }),
            }
        }
    }
}

/// Makes a data folder of the backup `from` in `to`, whose lock the caller holds.
///
/// # Errors
/// Where the backup is not as it was written, `to` is not empty, or the disk refuses; what was
/// written then stays marked as unfinished.
pub fn restore(from: &Path, to: &Path, disk: &dyn Disk) -> Result<Restored, CareError> {
    let (key, found, manifest) = open(from, disk)?;
    refuse_full(to, disk)?;
    make_folder(to, disk)?;
    mark(to, disk, Making::Restore).map_err(io("mark", to))?;
    clear(to, disk)?;
    room_for(to, disk, &found)?;
    copy(from, to, disk, &key, &found)?;
    compare(to, disk, &key, &manifest)?;
    let last = found.segments.last().map_or(0, |segment| segment.number);
    let header = Header {
        epoch: Uuid::now_v7(),
        key_fingerprint: key.fingerprint(),
        number: last.saturating_add(1),
        first_batch: found.next_batch,
        first_seq: found.next_seq,
        chain: found.chain,
        previous: last,
        previous_end: found.end,
        condemned: false,
        restored: true,
    };
    let folder = to.join(LOG_FOLDER);
    make(disk, &folder, &header).map_err(io("make the new epoch's segment in", &folder))?;
    let whole = judge(to, disk, &key)?;
    if (whole.epoch, whole.chain) != (Some(header.epoch), manifest.chain) {
        let what = "it does not end with the new epoch".to_owned();
        return Err(CareError::Differs { dir: to.to_path_buf(), what });
    }
    unmark(to, disk).map_err(io("take the mark from", to))?;
    Ok(Restored { manifest, epoch: header.epoch })
}

/// Takes away what a restore that was cut off has left.
fn clear(dir: &Path, disk: &dyn Disk) -> Result<(), CareError> {
    let folder = dir.join(LOG_FOLDER);
    let segments = numbers(disk, &folder).map_err(io("list", &folder))?;
    let segments = segments.into_iter().map(|number| path_of(&folder, number));
    for path in segments.chain([dir.join(KEY_FILE), dir.join(KEY_FILE_NEW)]) {
        match disk.remove(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("take away", path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
