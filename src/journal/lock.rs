//! `DIR/lock`: one server has a data folder. Taken before anything else of it is opened; the
//! system gives it back when the process ends, however it ends. Readers of the log need no lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The lock's file in the data folder; it stays, what counts is the lock on it.
pub const LOCK_FILE: &str = "lock";
/// Bytes read of the holder's pid: more than any has digits.
const PID_BYTES_MAX: u64 = 20;

/// Why the data folder is not ours.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it.
    #[error("cannot lock {}: {} has it", path.display(), holder(*pid))]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// Who has it, where it had time to say so.
        pid: Option<u32>,
    },
    /// The disk refused.
    #[error("cannot lock {}: {source}", path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("a server (pid {pid})"))
}

/// The data folder is ours as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the data folder `dir`, which exists, and writes our pid into it.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK_FILE);
        match Self::try_take(&path) {
            Ok(Ok(lock)) => Ok(lock),
            Ok(Err(pid)) => Err(LockError::Held { path, pid }),
            Err(source) => Err(LockError::Io { path, source }),
        }
    }

    fn try_take(path: &Path) -> io::Result<Result<Self, Option<u32>>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The holder may be writing it just now: then it is held by one without a name.
                let read = file.take(PID_BYTES_MAX).read_to_string(&mut text);
                return Ok(Err(read.ok().and_then(|_| text.trim().parse().ok())));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
        Ok(Ok(Self { _file: file }))
    }
}
