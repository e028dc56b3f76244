//! `atalaya backup` and `atalaya restore`: copies of an installation, made beside a server and
//! brought back without one. What is copied, and how it is verified, is the journal's.

use std::fmt;
use std::path::Path;

use super::serve::ServeError;
use crate::journal::recorder::OpenError;
use crate::journal::{
    self, CareError, LOCK_FILE, Lock, LockError, MANIFEST_FILE, Manifest, RealDisk, Restored,
};

/// Why a backup or a restore was not made.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A server has the folder that is to be restored to.
    #[error(transparent)]
    Folder(#[from] ServeError),
    /// Anything else.
    #[error(transparent)]
    Care(#[from] CareError),
}

/// A backup that was made, in a line.
#[derive(Debug)]
pub struct Made {
    to: String,
    manifest: Manifest,
}

/// A backup that was brought back, in two.
#[derive(Debug)]
pub struct Back {
    to: String,
    restored: Restored,
}

struct Ends<'a>(&'a Manifest);

impl fmt::Display for Ends<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manifest { epoch, segments, batches, next_seq, chain, .. } = self.0;
        let (seq, chain) = (next_seq.saturating_sub(1), journal::hex(chain));
        write!(
            f,
            "{segments} segments, {batches} batches, last seq {seq}, epoch {epoch}, chain {chain}"
        )
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backed up to {}, and verified: {}", self.to, Ends(&self.manifest))
    }
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Restored { manifest, epoch } = &self.restored;
        writeln!(f, "restored to {}, and verified: {}", self.to, Ends(manifest))?;
        write!(
            f,
            "a new epoch begins behind it: {epoch}; tokens and sessions hold as they did at seq \
             {}, also those that were ended since",
            manifest.next_seq.saturating_sub(1)
        )
    }
}

/// Copies the data folder `data` to `to`, beside a server or without one.
pub fn backup(data: &Path, to: &Path) -> Result<Made, Failed> {
    journal::refuse_unfinished(data, &RealDisk).map_err(|error| CareError::Key(error.into()))?;
    if !data.join(journal::LOG_FOLDER).is_dir() {
        return Err(CareError::NoLog { dir: data.to_path_buf() }.into());
    }
    let manifest = journal::backup(data, to, &RealDisk)?;
    Ok(Made { to: to.display().to_string(), manifest })
}

/// Makes a data folder of the backup `from` in `data`, which no server has.
pub fn restore(from: &Path, data: &Path) -> Result<Back, Failed> {
    journal::refuse_unfinished(from, &RealDisk).map_err(|error| CareError::Key(error.into()))?;
    if !from.join(MANIFEST_FILE).is_file() {
        return Err(CareError::NoBackup { dir: from.to_path_buf() }.into());
    }
    // A folder of something else is left as it is, without a lock in it.
    if !data.join(LOCK_FILE).is_file() {
        journal::refuse_full(data, &RealDisk)?;
        let io =
            |source| CareError::Io { doing: "make the folder", path: data.to_path_buf(), source };
        journal::Disk::create_folder(&RealDisk, data).map_err(io)?;
    }
    let _lock = Lock::take(data).map_err(|error| match error {
        LockError::Held { pid, .. } => ServeError::held(data, pid),
        other @ LockError::Io { .. } => ServeError::Open(OpenError::Lock(other)),
    })?;
    let restored = journal::restore(from, data, &RealDisk)?;
    Ok(Back { to: data.display().to_string(), restored })
}
