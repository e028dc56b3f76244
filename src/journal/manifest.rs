//! `backup`, the manifest of a backup: which log it holds and where that ends. A copied log alone
//! cannot say that its last batch is missing or flipped, which would look like a torn end; with
//! the manifest nothing may be torn. Written last and put in its name whole.
//!
//! ```text
//! atalaya backup 1
//! epoch 0199…          segments 3        batches 12       next_seq 25
//! end 2345             chain 7f…         crc 1a2b3c4d     (each on a line of its own)
//! ```

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use uuid::Uuid;

use super::batch::Hash;
use super::disk::Disk;
use super::recover::Scan;

/// The manifest's file in a backup.
pub const MANIFEST_FILE: &str = "backup";
/// Where it is written before it gets its name.
const MANIFEST_FILE_NEW: &str = "backup.new";
/// Most bytes of it; a longer file is no manifest.
const BYTES_MAX: usize = 4096;
const TITLE: &str = "atalaya backup 1";

/// Where the log of a backup ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The epoch of its last batch.
    pub epoch: Uuid,
    /// How many segments.
    pub segments: u64,
    /// How many batches.
    pub batches: u64,
    /// The sequence number after its last event.
    pub next_seq: u64,
    /// Where the last segment ends.
    pub end: u64,
    /// Hash of the last batch.
    pub chain: Hash,
}

/// Why a manifest cannot be read.
#[derive(Debug)]
pub(super) enum Unread {
    Missing,
    Wrong(&'static str),
    Io(io::Error),
}

impl Manifest {
    /// What a scan found; `None`: there is no segment.
    pub(super) fn of(scan: &Scan) -> Option<Self> {
        Some(Self {
            epoch: scan.epoch?,
            segments: scan.segments.len() as u64,
            batches: scan.next_batch.saturating_sub(1),
            next_seq: scan.next_seq,
            end: scan.end,
            chain: scan.chain,
        })
    }

    fn text(&self) -> String {
        let Self { epoch, segments, batches, next_seq, end, chain } = self;
        let mut text = format!(
            "{TITLE}\nepoch {epoch}\nsegments {segments}\nbatches {batches}\nnext_seq {next_seq}\n\
             end {end}\nchain {}\n",
            hex(chain)
        );
        let crc = crc32fast::hash(text.as_bytes());
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "crc {crc:08x}");
        text
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(sum_at) = text.rfind("crc ") else { return Err("it has no sum") };
        let (covered, sum) = text.split_at(sum_at);
        if sum != format!("crc {:08x}\n", crc32fast::hash(covered.as_bytes())) {
            return Err("its sum does not fit");
        }
        // From here on it is as it was written.
        let mut lines = covered.lines();
        if lines.next() != Some(TITLE) {
            return Err("it is of another version; use the program that made it");
        }
        let mut word = |name: &str| {
            let (key, value) = lines.next()?.split_once(' ')?;
            (key == name).then_some(value)
        };
        let mut read = || {
            let epoch = word("epoch")?.parse().ok()?;
            let (segments, batches) = (word("segments")?.parse().ok()?, word("batches")?.parse());
            let (next_seq, end) = (word("next_seq")?.parse().ok()?, word("end")?.parse().ok()?);
            let chain = unhex(word("chain")?)?;
            Some(Self { epoch, segments, batches: batches.ok()?, next_seq, end, chain })
        };
        read().ok_or("a line of it is missing")
    }

    pub(super) fn read(dir: &Path, disk: &dyn Disk) -> Result<Self, Unread> {
        let file = match disk.open_read(&dir.join(MANIFEST_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unread::Missing),
            other => other.map_err(Unread::Io)?,
        };
        let mut bytes = vec![0; BYTES_MAX];
        let mut size = 0;
        while let Some(rest) = bytes.get_mut(size..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, size as u64).map_err(Unread::Io)? {
                0 => break,
                more => size = size.saturating_add(more),
            }
        }
        bytes.truncate(size);
        let text = String::from_utf8(bytes).map_err(|_| Unread::Wrong("it is no text"))?;
        Self::parse(&text).map_err(Unread::Wrong)
    }

    pub(super) fn write(&self, dir: &Path, disk: &dyn Disk) -> io::Result<()> {
        let new = dir.join(MANIFEST_FILE_NEW);
        let mut file = disk.create(&new)?;
        file.write_all_at(self.text().as_bytes(), 0)?;
        file.sync_data()?;
        disk.rename(&new, &dir.join(MANIFEST_FILE))?;
        disk.sync_folder(dir)
    }
}

/// The hash, to be shown.
pub fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(hash)
}
