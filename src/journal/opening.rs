//! A start: lock and key, then the picture, then what the log has more than it.
//!
//! ```text
//! Opening::begin   lock, key, the log's epoch, the picture (or an empty one in its place)
//!                  … the caller takes states, receipts and views from the picture …
//! Opening::read    the whole log is verified; the batches after the mark are told
//! ```
//!
//! A caller who cannot use the picture (a view of another version) has the whole log told, with
//! the same checks. Absent here: what the caller makes of it, and who follows afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atalaya_domain::time::Timestamp;
use uuid::Uuid;

use super::batch::Decoded;
use super::commit::Sealed;
use super::disk::{Disk, RealDisk};
use super::error::FoldError;
use super::key::Key;
use super::lock::Lock;
use super::log::{Log, LogOptions};
use super::picture::{Picture, PictureError, Standing};
use super::recorder::{OpenError, Recorder, entries};

/// A batch of the log, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its number.
    pub batch: u64,
    /// Wall instant of the commit.
    pub wall: Timestamp,
    /// In order.
    pub entries: Vec<Sealed>,
}

/// From where on the log is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// From its first batch.
    Beginning,
    /// After what the picture has.
    Mark,
}

/// A data folder that is being opened.
#[derive(Debug)]
pub struct Opening {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    key: Key,
    options: LogOptions,
    picture: Arc<Picture>,
    standing: Standing,
    lock: Lock,
}

impl Opening {
    /// Locks `dir` and opens its key and its picture; the log is not read yet.
    pub fn begin(dir: &Path) -> Result<Self, OpenError> {
        let lock = Lock::take(dir)?;
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let key = Key::open(dir, disk.as_ref())?;
        let fingerprint = key.fingerprint();
        let found = Log::epoch_of(dir, disk.as_ref(), fingerprint)?;
        if found.is_none()
            && let Some(applied) = Picture::last_batch(dir, fingerprint).filter(|batch| *batch > 0)
        {
            // Without this a folder whose log was lost would start as an empty centre.
            return Err(PictureError::Ahead { applied, last: 0 }.into());
        }
        let epoch = found.unwrap_or_else(Uuid::now_v7);
        let (picture, standing) = Picture::open(dir, epoch, fingerprint)?;
        let mut options = LogOptions::new(fingerprint);
        options.epoch = Some(epoch);
        options.known_batch = picture.applied().map(|applied| applied.batch);
        let (dir, picture) = (dir.to_path_buf(), Arc::new(picture));
        Ok(Self { dir, disk, key, options, picture, standing, lock })
    }

    /// Other limits than the log's own.
    #[must_use]
    pub const fn limits(mut self, segment_bytes: Option<u64>, reserve_bytes: Option<u64>) -> Self {
        if let Some(bytes) = segment_bytes {
            self.options.segment_bytes = bytes;
        }
        if let Some(bytes) = reserve_bytes {
            self.options.reserve_bytes = bytes;
        }
        self
    }

    /// The same with an empty picture: what was found is of no use to the caller, who says `why`. A
    /// log that ends before its mark is refused all the same.
    pub fn anew(self, why: &str) -> Result<Self, OpenError> {
        let Self { dir, disk, key, options, picture, standing: _, lock } = self;
        drop(picture);
        let to = Picture::set_aside(&dir)?;
        let epoch = options.epoch.unwrap_or_else(Uuid::now_v7);
        let (picture, _) = Picture::open(&dir, epoch, key.fingerprint())?;
        let standing = Standing::SetAside { to, why: why.to_owned() };
        Ok(Self { dir, disk, key, options, picture: Arc::new(picture), standing, lock })
    }

    /// The picture: what it has is durable, and no more than the log has, once [`Self::read`] has
    /// returned.
    pub const fn picture(&self) -> &Arc<Picture> {
        &self.picture
    }

    /// What was found of the picture.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Reads and verifies the whole log, and tells the batches `from` there on, in order. A log
    /// that ends before the picture's mark is refused, and nothing of it was changed.
    pub fn read(
        self,
        wall: fn() -> Timestamp,
        from: From,
        fold: &mut dyn FnMut(Told),
    ) -> Result<(Recorder, Arc<Picture>), OpenError> {
        let Self { dir, disk, key, options, picture, standing: _, lock } = self;
        let applied = match from {
            From::Beginning => None,
            From::Mark => options.known_batch,
        };
        let mut on_batch = |decoded: Decoded| -> Result<(), FoldError> {
            let (batch, wall) = (decoded.batch.number, Timestamp(decoded.batch.wall));
            fold(Told { batch, wall, entries: entries(decoded.batch)? });
            Ok(())
        };
        let (log, found) = Log::open(&dir, disk, options, applied, &mut on_batch)?;
        Ok((Recorder::of(log, &found, &key, lock, wall), picture))
    }
}
