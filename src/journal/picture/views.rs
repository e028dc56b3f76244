//! The views of a change, in a file of their own beside the store, named by the change's batch.
//!
//! A view is large and other each time, and the store does not give back what it wrote before: it
//! would grow by the view's size with every change. So the views lie in `state/views/BATCH`,
//! durable before the mark of their batch is written, and the mark holds the file's sum: what is
//! read is as of the mark, or nothing. Files of older batches go once a newer mark is durable.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Applied, PictureError, open};
use crate::journal::bytes::Take;
use crate::journal::disk::{Disk as _, RealDisk};

/// The folder of the views in the picture's.
const VIEWS_FOLDER: &str = "views";

/// Where views lie.
#[derive(Debug)]
pub(super) struct Views(PathBuf);

impl Views {
    /// Those of the picture in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.join(VIEWS_FOLDER))
    }

    fn file(&self, batch: u64) -> PathBuf {
        self.0.join(format!("{batch:020}"))
    }

    /// Writes the views of `batch`, durable, and gives the file's sum.
    pub(super) fn write(
        &self,
        batch: u64,
        views: &BTreeMap<String, Vec<u8>>,
    ) -> Result<u32, PictureError> {
        let mut bytes = Vec::new();
        for (name, view) in views {
            for part in [name.as_bytes(), view] {
                bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
                bytes.extend_from_slice(part);
            }
        }
        let written = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(self.file(batch))?;
            file.write_all(&bytes)?;
            file.sync_data()?;
            RealDisk.sync_folder(&self.0)
        };
        written().map_err(open::refused("write the views of"))?;
        Ok(crc32fast::hash(&bytes))
    }

    /// A view of `applied`; `None` where it has none, or its file is not what was written.
    pub(super) fn read(&self, applied: &Applied, sum: u32, name: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.file(applied.batch)).ok()?;
        if crc32fast::hash(&bytes) != sum {
            return None;
        }
        let mut take = Take::new(&bytes, 0);
        while take.at() < bytes.len() {
            let mut part = || {
                let size = usize::try_from(take.u64().ok()?).ok()?;
                take.slice(size).ok()
            };
            let (found, view) = (part()?, part()?);
            if found == name.as_bytes() {
                return Some(view.to_vec());
            }
        }
        None
    }

    /// Removes the files of batches that `gone` says. What cannot be removed stays, and costs
    /// room only.
    pub(super) fn remove(&self, gone: impl Fn(u64) -> bool) {
        for name in RealDisk.list(&self.0).unwrap_or_default() {
            if name.parse().is_ok_and(&gone) {
                let _ = fs::remove_file(self.0.join(name));
            }
        }
    }
}
