//! `DIR/unfinished`: stands in a folder from before the first byte of a backup or a restore until
//! all of it was verified. Whoever reads a folder's key is refused while it is there, so that half
//! a log is never taken for a whole one, wherever its making was cut off. Not here: what is made.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::disk::Disk;

/// The mark's file.
pub const UNFINISHED_FILE: &str = "unfinished";
/// Most bytes read of it.
const BYTES_MAX: usize = 64;

/// What did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Making {
    /// A backup into the folder.
    Backup,
    /// A restore into it.
    Restore,
}

/// Why a folder is not read.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// A backup into it did not end.
    #[error(
        "cannot use {}: a backup into it did not end; take the folder away and make another",
        dir.display()
    )]
    Backup {
        /// The folder.
        dir: PathBuf,
    },
    /// A restore into it did not end.
    #[error(
        "cannot use {}: a restore into it did not end; run `atalaya restore` with the same words \
         again, it begins anew",
        dir.display()
    )]
    Restore {
        /// The folder.
        dir: PathBuf,
    },
    /// The disk refused.
    #[error("cannot look for {}: {source}", path.display())]
    Io {
        /// The mark.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl Making {
    const fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup\n",
            Self::Restore => "restore\n",
        }
    }
}

/// What the mark in `dir` says; `None`: there is none. One that never got its word was made, and
/// nothing behind it: it is a restore's, which can be run again.
pub(super) fn of(dir: &Path, disk: &dyn Disk) -> io::Result<Option<Making>> {
    let file = match disk.open_read(&dir.join(UNFINISHED_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = [0; BYTES_MAX];
    let read = file.read_at(&mut bytes, 0)?;
    let text = bytes.get(..read).unwrap_or_default();
    let is_backup = text == Making::Backup.word().as_bytes();
    Ok(Some(if is_backup { Making::Backup } else { Making::Restore }))
}

/// Refuses a folder that is marked.
pub fn refuse(dir: &Path, disk: &dyn Disk) -> Result<(), Unfinished> {
    let path = dir.join(UNFINISHED_FILE);
    let dir = dir.to_path_buf();
    match of(&dir, disk).map_err(|source| Unfinished::Io { path, source })? {
        None => Ok(()),
        Some(Making::Backup) => Err(Unfinished::Backup { dir }),
        Some(Making::Restore) => Err(Unfinished::Restore { dir }),
    }
}

/// Marks `dir`, durable with the mark's name, before anything else is in it.
pub(super) fn mark(dir: &Path, disk: &dyn Disk, making: Making) -> io::Result<()> {
    let path = dir.join(UNFINISHED_FILE);
    if !is_there(disk, &path)? {
        let mut file = disk.create(&path)?;
        file.write_all_at(making.word().as_bytes(), 0)?;
        file.sync_data()?;
    }
    disk.sync_folder(dir)
}

/// Takes the mark away, durably: what is in `dir` is whole.
pub(super) fn unmark(dir: &Path, disk: &dyn Disk) -> io::Result<()> {
    disk.remove(&dir.join(UNFINISHED_FILE))?;
    disk.sync_folder(dir)
}

/// Whether there is such a file.
pub(super) fn is_there(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    match disk.open_read(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
