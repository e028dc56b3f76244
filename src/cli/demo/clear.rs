//! What `--fresh` takes away: what a demo has left in its folder, and nothing else.
//!
//! A folder is a demo's when its log begins with the hours that a demo has behind it. A centre's
//! own log, a backup, and files that merely have the names of a data folder's are left as they
//! are, with a word why. The lock is held meanwhile: no folder goes under a server that lives in
//! it. The lock's file stays, as it always does.
//!
//! The log is moved to `DIR/making` before it goes: a removal that was cut off looks like a making
//! that was, and the next start begins anew.

use std::fs::{create_dir_all, read_dir, remove_dir_all, remove_file, rename};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::behind::{BY_CALLERS, LOG, MAKING};
use super::{RunError, lock};
use crate::cli::serve::io;
use crate::journal::{
    KEY_FILE, KEY_FILE_NEW, Key, LOCK_FILE, LogReader, MANIFEST_FILE, RealDisk, UNFINISHED_FILE,
    is_segment,
};

const STATE: &str = "state";
const TOKEN: &str = "admin.token";
/// Batches in which a demo's first caller has come: each has some hundred entries.
const BATCHES_READ_MAX: usize = 4;

/// What there is to be taken away.
enum Left {
    Nothing,
    /// Of a demo, or of a making or a removal that was cut off.
    Demo,
    /// Why it is not a demo's.
    Foreign(&'static str),
}

/// Takes away what a demo has left in `dir`; refuses what is not a demo's.
pub(super) fn clear(dir: &Path) -> Result<(), RunError> {
    let what = || format!("empty {}", dir.display());
    match left(dir).map_err(io(what()))? {
        Left::Nothing => return Ok(()),
        Left::Foreign(why) => return Err(RunError::Foreign { dir: dir.to_path_buf(), why }),
        Left::Demo => (),
    }
    let _lock = lock(dir)?;
    remove(dir).map_err(io(what()))?;
    Ok(())
}

fn remove(dir: &Path) -> io::Result<()> {
    let (log, making) = (dir.join(LOG), dir.join(MAKING));
    missing_is_well(remove_dir_all(dir.join(STATE)))?;
    if log.try_exists()? {
        missing_is_well(remove_dir_all(&making))?;
        create_dir_all(&making)?;
        rename(log, making.join(LOG))?;
    }
    for name in [TOKEN, KEY_FILE] {
        missing_is_well(remove_file(dir.join(name)))?;
    }
    missing_is_well(remove_dir_all(making))
}

fn missing_is_well(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn left(dir: &Path) -> io::Result<Left> {
    let making = dir.join(MAKING);
    let log = names(&dir.join(LOG))?;
    if log.is_empty() && !making.join(LOG).try_exists()? {
        return Ok(Left::Nothing);
    }
    for name in [MANIFEST_FILE, UNFINISHED_FILE] {
        if dir.join(name).try_exists()? {
            return Ok(Left::Foreign("it is a backup, or a restore that did not end"));
        }
    }
    if !is_making(&making)? {
        return Ok(Left::Foreign("`making` in it holds what no demo has put there"));
    }
    if !log.iter().all(|name| is_segment(name)) {
        return Ok(Left::Foreign("`log` in it holds what no demo has put there"));
    }
    if log.is_empty() || begins_as_demo(dir) {
        return Ok(Left::Demo);
    }
    Ok(Left::Foreign("its log does not begin as a demo's does"))
}

/// Whether the folder `making`, if it is there, holds nothing but what a making puts there.
pub(super) fn is_making(making: &Path) -> io::Result<bool> {
    let known = |name: &String| [KEY_FILE, KEY_FILE_NEW, LOCK_FILE, LOG].contains(&name.as_str());
    let log = names(&making.join(LOG))?;
    Ok(names(making)?.iter().all(known) && log.iter().all(|name| is_segment(name)))
}

/// Whether somebody called in the hours that only a demo has behind it.
fn begins_as_demo(dir: &Path) -> bool {
    let begins = || {
        let key = Key::read(dir, &RealDisk).ok()?;
        let log = LogReader::outside(dir, Arc::new(RealDisk), key.fingerprint());
        let mut batches = log.from_batch(1).ok()?;
        for _ in 0..BATCHES_READ_MAX {
            let batch = batches.next_batch().ok()??.batch;
            if batch.entries.iter().any(|entry| entry.by == BY_CALLERS) {
                return Some(());
            }
        }
        None
    };
    begins().is_some()
}

/// The names in a folder; none where it is missing.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let found = match read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    found.map(|name| Ok(name?.file_name().to_string_lossy().into_owned())).collect()
}
