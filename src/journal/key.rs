//! `DIR/key`: the secret under which what must be found again, but not read, is hashed
//! (idempotency keys, bodies, callers' numbers). Made once, before the first segment; a log
//! without its key is refused. Passwords and tokens are not hashed with it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::disk::Disk;
use super::log::LOG_FOLDER;
use super::manifest::MANIFEST_FILE;
use super::segment::numbers;
use super::unfinished::{self, Unfinished, is_there};

/// The key's file in the data folder.
pub const KEY_FILE: &str = "key";
/// Where the key is written before it gets its name, so that the name always has a whole one.
pub const KEY_FILE_NEW: &str = "key.new";
const KEY_BYTES: usize = 32;

/// The key of this data folder's hashes. Its bytes are shown to nobody.
#[derive(Clone)]
pub struct Key([u8; KEY_BYTES]);

/// Why there is no key to start with.
#[derive(Debug, Error)]
pub enum KeyError {
    /// There is a log, but not the key that it was written with.
    #[error(
        "cannot start: the log has segments but {} is missing; restore it from a backup",
        path.display()
    )]
    Missing {
        /// Where it belongs.
        path: PathBuf,
    },
    /// The file is not a key.
    #[error(
        "cannot start: {} has {size} bytes, a key has {KEY_BYTES}; restore it from a backup",
        path.display()
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// A backup or a restore into the folder did not end.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// The folder is a backup: who wrote into it would fork the log under one epoch.
    #[error(
        "cannot start on {}: it is a backup; restore it to another folder with `atalaya restore \
         {} --data DIR`",
        path.display(), path.display()
    )]
    Backup {
        /// The folder.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("cannot make a key: {0}")]
    Random(getrandom::Error),
    /// The disk refused.
    #[error("cannot read or make the key {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl Key {
    /// The key of the data folder `dir`; made, and durable with its name, where there is neither
    /// a key nor a segment.
    pub fn open(dir: &Path, disk: &dyn Disk) -> Result<Self, KeyError> {
        let path = dir.join(KEY_FILE);
        if is_there(disk, &dir.join(MANIFEST_FILE)).map_err(io_at(&path))? {
            return Err(KeyError::Backup { path: dir.to_path_buf() });
        }
        match Self::read(dir, disk) {
            Err(KeyError::Missing { path }) => {
                let segments = numbers(disk, &dir.join(LOG_FOLDER)).map_err(io_at(&path))?;
                if !segments.is_empty() {
                    return Err(KeyError::Missing { path });
                }
                let mut bytes = [0; KEY_BYTES];
                getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
                write(dir, disk, &bytes).map_err(io_at(&path))?;
                Ok(Self(bytes))
            }
            Ok(key) => {
                // The name may be known to the page cache only.
                disk.sync_folder(dir).map_err(io_at(&path))?;
                Ok(key)
            }
            other => other,
        }
    }

    /// The key that is there, for those who only read. A folder that a backup or a restore has not
    /// ended is refused here, since nobody reads a log without its key.
    pub fn read(dir: &Path, disk: &dyn Disk) -> Result<Self, KeyError> {
        unfinished::refuse(dir, disk)?;
        Self::read_half_made(dir, disk)
    }

    /// The same, for those who are making the folder.
    pub(super) fn read_half_made(dir: &Path, disk: &dyn Disk) -> Result<Self, KeyError> {
        let path = dir.join(KEY_FILE);
        let file = match disk.open_read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Missing { path });
            }
            other => other.map_err(io_at(&path))?,
        };
        let size = file.size().map_err(io_at(&path))?;
        let mut bytes = [0; KEY_BYTES];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, read as u64).map_err(io_at(&path))? {
                0 => break,
                more => read += more,
            }
        }
        if size != KEY_BYTES as u64 || read != KEY_BYTES {
            return Err(KeyError::NotAKey { path, size });
        }
        Ok(Self(bytes))
    }

    /// Puts the key into another folder, durable with its name.
    pub(super) fn copy_to(&self, dir: &Path, disk: &dyn Disk) -> Result<(), KeyError> {
        write(dir, disk, &self.0).map_err(io_at(&dir.join(KEY_FILE)))
    }

    /// What each segment's header says of the key: the first 16 bytes of its SHA-256.
    pub fn fingerprint(&self) -> [u8; 16] {
        first_16(Sha256::digest(self.0).into())
    }

    /// HMAC-SHA-256 of the bytes, its first 16.
    pub fn keyed_hash(&self, bytes: &[u8]) -> [u8; 16] {
        // A key of any size is good to HMAC; this one, shorter than its block, is padded.
        let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block_of(&self.0).into());
        mac.update(bytes);
        first_16(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// HMAC pads a key to SHA-256's block of 64 bytes with zeros.
fn block_of(key: &[u8; KEY_BYTES]) -> [u8; 64] {
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    block
}

fn first_16(hash: [u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    for (place, byte) in first.iter_mut().zip(hash) {
        *place = byte;
    }
    first
}

fn write(dir: &Path, disk: &dyn Disk, bytes: &[u8]) -> io::Result<()> {
    let new = dir.join(KEY_FILE_NEW);
    match disk.remove(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = disk.create(&new)?;
    file.write_all_at(bytes, 0)?;
    file.sync_data()?;
    disk.rename(&new, &dir.join(KEY_FILE))?;
    disk.sync_folder(dir)
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_path_buf();
    move |source| KeyError::Io { path, source }
}
