//! A backup: key and log of a data folder copied to another place, beside a running server.
//!
//! ```text
//! 1  the source is read and judged whole; its end is the last whole batch
//! 2  that end is synced here, so that no batch is copied which the source may yet lose by a crash
//! 3  DEST gets the mark `unfinished`, the key, the segments up to that end   unfinished
//! 4  the copy is read and judged whole, and must end with the same hash
//! 5  the manifest is written, the mark taken away                            manifest
//! ```
//!
//! The source's lock is not needed and nothing in it is written. The batch in flight is left out:
//! it is not whole. One that is whole and that the server has not answered for yet may be in: its
//! caller was told nothing, or that the outcome is unknown. Personal sections travel with their
//! batches; `admin.token`, the state and the configuration do not.
//!
//! A backup is laid out as a data folder, so that it is verified and read as one; a server does not
//! start on it. How it becomes a data folder again is [`super::restore`]'s.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::disk::Disk;
use super::error::LogError;
use super::key::{Key, KeyError};
use super::log::LOG_FOLDER;
use super::manifest::{Manifest, Unread};
use super::recover::{Scan, Source, nothing_erased, refuse_unsound, scan};
use super::segment::path_of;
use super::unfinished::{Making, mark, unmark};
use super::verify::settle_end;

/// Bytes copied at once.
const CHUNK_BYTES: usize = 1024 * 1024;
/// Bytes of a copy besides its segments, generously.
const BESIDES_BYTES: u64 = 64 * 1024;

/// Why there is no backup, or none to restore.
#[derive(Debug, Error)]
pub enum CareError {
    /// There is nothing to copy.
    #[error("cannot read {}: there is no log in it; name a data folder", dir.display())]
    NoLog {
        /// The folder.
        dir: PathBuf,
    },
    /// Something is there already.
    #[error(
        "cannot write into {}: it is not empty ({found} is in it); name a new or an empty folder",
        dir.display()
    )]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
        /// A name in it.
        found: String,
    },
    /// It would not fit.
    #[error(
        "cannot write into {}: {needed} bytes are needed and {free} are free; make room, or name a \
         folder on another disk",
        dir.display()
    )]
    NoRoom {
        /// The folder.
        dir: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// There is no manifest.
    #[error(
        "cannot use {}: it is no backup; make one with `atalaya backup {} --data DIR`",
        dir.display(), dir.display()
    )]
    NoBackup {
        /// The folder.
        dir: PathBuf,
    },
    /// Its manifest is not what was written.
    #[error("cannot use the backup {}: its manifest is damaged ({what}); use another backup",
        dir.display())]
    Manifest {
        /// The folder.
        dir: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Its log is not what was written.
    #[error(
        "cannot use the backup {}: segment {segment} is damaged at byte {offset} ({what}); use \
         another backup",
        dir.display()
    )]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// Number of the segment.
        segment: u64,
        /// Byte in its file.
        offset: u64,
        /// What was found there.
        what: String,
    },
    /// A copy is not what was copied.
    #[error(
        "failed to copy the log to {}: what was written is not what was read ({what}); look at \
         that disk, then try again",
        dir.display()
    )]
    Differs {
        /// The folder.
        dir: PathBuf,
        /// What was found in it.
        what: String,
    },
    /// The key is missing, or a folder is not to be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source's log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
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

pub(super) fn io(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> CareError {
    let path = path.into();
    move |source| CareError::Io { doing, path, source }
}

/// Copies key and log of `from` to `to`, which must be new or empty, and verifies the copy.
///
/// # Errors
/// Where anything is refused nothing of `from` was changed; what was written to `to` stays marked
/// as unfinished.
pub fn backup(from: &Path, to: &Path, disk: &dyn Disk) -> Result<Manifest, CareError> {
    let key = Key::read(from, disk)?;
    let found = judge(from, disk, &key)?;
    let manifest = Manifest::of(&found);
    let manifest = manifest.ok_or_else(|| CareError::NoLog { dir: from.to_path_buf() })?;
    settle_end(from, disk, &found)?;
    if let Some(found) = names(to, disk)?.into_iter().next() {
        return Err(CareError::NotEmpty { dir: to.to_path_buf(), found });
    }
    make_folder(to, disk)?;
    room_for(to, disk, &found)?;
    mark(to, disk, Making::Backup).map_err(io("mark", to))?;
    copy(from, to, disk, &key, &found)?;
    compare(to, disk, &key, &manifest)?;
    manifest.write(to, disk).map_err(io("write the manifest in", to))?;
    unmark(to, disk).map_err(io("take the mark from", to))?;
    Ok(manifest)
}

/// Reads the backup `dir` whole and holds it against its manifest.
///
/// # Errors
/// Where it is no backup, is unfinished, or is not what was written: by segment and offset.
pub fn verify_backup(dir: &Path, disk: &dyn Disk) -> Result<Manifest, CareError> {
    let (_, _, manifest) = open(dir, disk)?;
    Ok(manifest)
}

/// The key, the log and the manifest of a backup that is as it was written.
pub(super) fn open(dir: &Path, disk: &dyn Disk) -> Result<(Key, Scan, Manifest), CareError> {
    super::unfinished::refuse(dir, disk).map_err(KeyError::from)?;
    let at = || dir.to_path_buf();
    let manifest = Manifest::read(dir, disk).map_err(|error| match error {
        Unread::Missing => CareError::NoBackup { dir: at() },
        Unread::Wrong(what) => CareError::Manifest { dir: at(), what },
        Unread::Io(source) => CareError::Io { doing: "read the manifest in", path: at(), source },
    })?;
    let key = Key::read(dir, disk)?;
    let damaged = |segment, offset, what| CareError::Damaged { dir: at(), segment, offset, what };
    let found = judge(dir, disk, &key).map_err(|error| match error {
        CareError::Log(LogError::Damage { segment, offset, what }) => {
            damaged(segment, offset, what)
        }
        other => other,
    })?;
    let last = found.segments.last().map_or(1, |segment| segment.number);
    if let Some(torn) = found.torn {
        let what = "a batch that does not fit its CRC, or its end is missing";
        return Err(damaged(torn.segment, torn.offset, what.to_owned()));
    }
    if Manifest::of(&found).as_ref() != Some(&manifest) {
        let (has, says) = (found.next_batch.saturating_sub(1), manifest.batches);
        let what = format!("it ends with batch {has}, and the manifest says {says}");
        return Err(damaged(last, found.end, what));
    }
    Ok((key, found, manifest))
}

/// Reads a whole log, and refuses what a start refuses.
pub(super) fn judge(dir: &Path, disk: &dyn Disk, key: &Key) -> Result<Scan, CareError> {
    let folder = dir.join(LOG_FOLDER);
    let source = Source { disk, folder: &folder, key_fingerprint: key.fingerprint() };
    let found = scan(&source, &mut |_| Ok(()))?;
    refuse_unsound(&found.unsound, nothing_erased)?;
    Ok(found)
}

/// The names in a folder; none where it is missing.
pub(super) fn names(dir: &Path, disk: &dyn Disk) -> Result<Vec<String>, CareError> {
    match disk.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(io("list", dir)),
    }
}

/// Makes a folder, durable with its name.
pub(super) fn make_folder(dir: &Path, disk: &dyn Disk) -> Result<(), CareError> {
    disk.create_folder(dir).map_err(io("make the folder", dir))?;
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    disk.sync_folder(above).map_err(io("sync the folder", above))
}

pub(super) fn room_for(to: &Path, disk: &dyn Disk, found: &Scan) -> Result<(), CareError> {
    let sizes = found.segments.iter().map(|segment| segment.end.unwrap_or(found.end));
    let needed = sizes.fold(BESIDES_BYTES, u64::saturating_add);
    let free = disk.free_space(to).map_err(io("learn the free space of", to))?;
    if free < needed {
        return Err(CareError::NoRoom { dir: to.to_path_buf(), free, needed });
    }
    Ok(())
}

/// Copies the key, and the segments up to the end that was found; each is synced.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    disk: &dyn Disk,
    key: &Key,
    found: &Scan,
) -> Result<(), CareError> {
    key.copy_to(to, disk)?;
    let (old, new) = (from.join(LOG_FOLDER), to.join(LOG_FOLDER));
    make_folder(&new, disk)?;
    for segment in &found.segments {
        let (old, new) = (path_of(&old, segment.number), path_of(&new, segment.number));
        let end = segment.end.unwrap_or(found.end);
        let read = disk.open_read(&old).map_err(io("open", &old))?;
        let mut written = disk.create(&new).map_err(io("make", &new))?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut at = 0;
        while at < end {
            let left = usize::try_from(end.saturating_sub(at)).unwrap_or(CHUNK_BYTES);
            let into = chunk.get_mut(..left.min(CHUNK_BYTES)).unwrap_or_default();
            let size = match read.read_at(into, at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other.map_err(io("read", &old))?,
            };
            if size == 0 {
                let what = "it ends before its last batch does";
                return Err(LogError::damage(segment.number, at, what).into());
            }
            let bytes = into.get(..size).unwrap_or_default();
            written.write_all_at(bytes, at).map_err(io("write", &new))?;
            at = at.saturating_add(size as u64);
        }
        written.sync_data().map_err(io("sync", &new))?;
    }
    disk.sync_folder(&new).map_err(io("sync the folder", new))
}

/// Reads the copy in `to` whole: it must be what `manifest` says, to the last hash.
pub(super) fn compare(
    to: &Path,
    disk: &dyn Disk,
    key: &Key,
    manifest: &Manifest,
) -> Result<(), CareError> {
    let differs = |what: String| CareError::Differs { dir: to.to_path_buf(), what };
    let copied = Key::read_half_made(to, disk)?;
    if copied.fingerprint() != key.fingerprint() {
        return Err(differs("the key is another".to_owned()));
    }
    let found = judge(to, disk, &copied).map_err(|error| differs(error.to_string()))?;
    if found.torn.is_some() || Manifest::of(&found).as_ref() != Some(manifest) {
        return Err(differs(format!("it ends after batch {}", found.next_batch.saturating_sub(1))));
    }
    Ok(())
}
