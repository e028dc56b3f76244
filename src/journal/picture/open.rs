//! Opening: a picture of this log, or an empty one in its place.
//!
//! Everything is read once and held against its sum, so that a store which is damaged, or which
//! came back with too little or too much, is not believed. It may also panic over its files: that
//! is caught, and means the same.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use uuid::Uuid;

use super::views::Views;
use super::write::Head;
use super::{ASIDE_MAX, CACHE_BYTES, Picture, PictureError, STATE_FOLDER, Standing, keys};
use crate::journal::disk::{Disk, RealDisk};
use crate::journal::states::state_kind;

/// The format of keys and values. A state's own version is its own business.
const FORMAT: u16 = 1;
/// How often the lock of a store is tried before another process is said to have it.
const LOCK_TRIES: u32 = 200;
/// Pause between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// How the store says that its lock is held.
const LOCKED: &str = "could not acquire lock";

impl Picture {
    /// Opens the picture in the data folder `dir`, whose lock the caller holds, of the log with
    /// this epoch and key. What is there and cannot be used is set aside, loudly.
    ///
    /// # Errors
    /// Where another process has the store, or the disk takes no new one.
    pub fn open(
        dir: &Path,
        epoch: Uuid,
        key_fingerprint: [u8; 16],
    ) -> Result<(Self, Standing), PictureError> {
        let folder = dir.join(STATE_FOLDER);
        let passport = passport(epoch, key_fingerprint);
        let mut standing = Standing::New;
        if folder.try_exists().map_err(refused("look for"))? {
            match look(&folder, &passport) {
                Ok(Some(picture)) => {
                    let known = picture.applied().map_or(Standing::New, Standing::Known);
                    return Ok((picture, known));
                }
                Ok(None) => {}
                Err(busy @ PictureError::Busy { .. }) => return Err(busy),
                Err(error) => {
                    let why = error.to_string();
                    let to = Self::set_aside(dir)?;
                    tracing::warn!(
                        why, to = %to.display(),
                        "the state was set aside; it is made anew from the whole log"
                    );
                    standing = Standing::SetAside { to, why };
                }
            }
        }
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(&folder).map_err(refused("make"))?;
        RealDisk.sync_folder(dir).map_err(refused("make"))?;
        let tree = tree(&folder)?;
        let picture = Self { tree, head: Mutex::new(Head::default()), views: Views::new(&folder) };
        picture.write(&BTreeMap::from([(keys::PASSPORT.to_vec(), Some(passport))]), None)?;
        picture.flush()?;
        Ok((picture, standing))
    }
}

impl Picture {
    /// The last batch that a picture in `dir` has of any log of this key; `None` where there is no
    /// such picture, or none that can be read. It tells whether a log that is missing ever was.
    pub fn last_batch(dir: &Path, key_fingerprint: [u8; 16]) -> Option<u64> {
        let folder = dir.join(STATE_FOLDER);
        if !folder.is_dir() {
            return None;
        }
        let tree = tree(&folder).ok()?;
        let passport = guarded("read", || tree.get(keys::PASSPORT)).ok()??;
        if !passport.ends_with(&key_fingerprint) {
            return None;
        }
        let mark = guarded("read", || tree.get(keys::MARK)).ok()??;
        keys::mark_of(&mark).ok()?.0.map(|mark| mark.applied.batch)
    }

    /// Gives the folder of the picture in `dir`, which nobody has open, another name.
    pub fn set_aside(dir: &Path) -> Result<PathBuf, PictureError> {
        set_aside(dir, &dir.join(STATE_FOLDER)).map_err(refused("set aside"))
    }
}

/// Runs a call of the store, which may panic over what it finds.
pub(super) fn guarded<T>(
    doing: &'static str,
    call: impl FnOnce() -> sled::Result<T>,
) -> Result<T, PictureError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(failed(doing)),
        Err(_) => Err(PictureError::Store { doing, cause: "the store panicked".to_owned() }),
    }
}

pub(super) fn failed(doing: &'static str) -> impl FnOnce(sled::Error) -> PictureError {
    move |error| PictureError::Store { doing, cause: error.to_string() }
}

pub(super) fn refused(doing: &'static str) -> impl FnOnce(io::Error) -> PictureError {
    move |error| PictureError::Store { doing, cause: error.to_string() }
}

fn passport(epoch: Uuid, key_fingerprint: [u8; 16]) -> Vec<u8> {
    [&FORMAT.to_le_bytes()[..], epoch.as_bytes(), &key_fingerprint].concat()
}

/// The store in `folder`. Its lock may be held a moment longer than the store that was closed
/// lived, by a thread of its own that had not ended.
fn tree(folder: &Path) -> Result<sled::Db, PictureError> {
    let config = sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let mut tries = 1;
    loop {
        match guarded("open", || config.open()) {
            Err(PictureError::Store { cause, .. }) if cause.contains(LOCKED) => {
                if LOCK_TRIES <= tries {
                    return Err(PictureError::Busy { cause });
                }
                std::thread::sleep(LOCK_PAUSE);
                tries += 1;
            }
            other => return other,
        }
    }
}

/// The picture that is there, if it is whole and of this log; `None`: an empty store.
fn look(folder: &Path, passport: &[u8]) -> Result<Option<Picture>, PictureError> {
    let tree = tree(folder)?;
    let damaged = |what: &str| Err(PictureError::Damaged { what: what.to_owned() });
    let Some(found) = guarded("read", || tree.get(keys::PASSPORT))? else {
        return match guarded("read", || tree.iter().next().transpose())? {
            None => Ok(None),
            Some(_) => damaged("it does not say of which log it is"),
        };
    };
    if found.get(..2) != passport.get(..2) {
        return damaged("it has another format than this program's");
    }
    if *found != *passport {
        return damaged("it is of another log");
    }
    let Some(mark) = guarded("read", || tree.get(keys::MARK))? else {
        return damaged("it does not say how far it goes");
    };
    let (mark, sum) = keys::mark_of(&mark)?;
    if guarded("read", || sum_of(&tree))?? != sum {
        return damaged("its records are not those that were written");
    }
    let views = Views::new(folder);
    views.remove(|batch| mark.is_none_or(|mark| mark.applied.batch != batch));
    let head = Mutex::new(Head { mark, sum, broken: false });
    Ok(Some(Picture { tree, head, views }))
}

/// The sum of all records, whose states are of versions that can be read.
fn sum_of(tree: &sled::Db) -> sled::Result<Result<u64, PictureError>> {
    let mut sum: u64 = 0;
    for record in tree.iter() {
        let (key, value) = record?;
        if *key == *keys::MARK {
            continue;
        }
        if key.first() == Some(&keys::STATES)
            && let Err(error) = state_kind(keys::state_bytes(&value))
        {
            return Ok(Err(error.into()));
        }
        sum = sum.wrapping_add(keys::weight(&key, &value));
    }
    Ok(Ok(sum))
}

/// Gives the folder another name, and removes all but the newest of such.
fn set_aside(dir: &Path, folder: &Path) -> io::Result<PathBuf> {
    let prefix = format!("{STATE_FOLDER}.aside-");
    let names = RealDisk.list(dir)?;
    let number = |name: &String| name.strip_prefix(&prefix)?.parse::<u64>().ok();
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    let next = numbers.last().map_or(1, |last| last.saturating_add(1));
    numbers.push(next);
    let to = dir.join(format!("{prefix}{next}"));
    fs::rename(folder, &to)?;
    for old in numbers.iter().rev().skip(ASIDE_MAX) {
        // One that cannot be removed costs room, and no start.
        let _ = fs::remove_dir_all(dir.join(format!("{prefix}{old}")));
    }
    RealDisk.sync_folder(dir)?;
    Ok(to)
}
