//! The log open for writing: recovery at the start, append, rotation, condemnation, erasure.
//!
//! An append is one write and one `fdatasync`; after it the batch's number is published, and only
//! then do readers see it. After any error of a write or sync the segment takes nothing more: the
//! next append opens a new one whose header says where the old one ends. Not here: what a batch
//! means, the lock on the data folder, the key (the caller brings its fingerprint).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::batch::{Batch, Decoded, Hash, SECTION_CRC_BYTES, Section, chain_hash, encode};
use super::disk::{Disk, DiskFile};
use super::error::{AppendError, FoldError, LogError};
use super::reader::{LogReader, Shared};
use super::recover::{
    Cut, Erased, Scan, SegmentMeta, Source, UnsoundSection, headers, nothing_erased,
    refuse_unsound, scan,
};
use super::segment::{Cursor, Found, HEADER_END, Header, make, path_of};

/// The log's folder in the data folder.
pub const LOG_FOLDER: &str = "log";
/// A segment is closed before a batch that would make it larger than this, in bytes.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// Bytes that stay free on the log's disk: under it writes are refused.
pub const RESERVE_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;

/// How a log is written.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Size at which a new segment is opened; one batch always fits.
    pub segment_bytes: u64,
    /// Bytes that stay free on the disk.
    pub reserve_bytes: u64,
    /// Of the key that the hashes are made with; held against every header.
    pub key_fingerprint: [u8; 16],
    /// The epoch of a log that has no segment yet; `None` makes one.
    pub epoch: Option<Uuid>,
    /// A batch that the log is known to have had: one that ends before it is refused, unchanged.
    pub known_batch: Option<u64>,
    /// Which sections need not be intact; one that is neither intact nor erased is damage.
    pub erased: Erased,
}

impl LogOptions {
    /// The defaults, under this key: nothing was erased.
    pub const fn new(key_fingerprint: [u8; 16]) -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            reserve_bytes: RESERVE_BYTES_DEFAULT,
            key_fingerprint,
            epoch: None,
            known_batch: None,
            erased: nothing_erased,
        }
    }
}

/// What a start found.
#[derive(Debug)]
pub struct Recovered {
    /// The sequence number of the next event.
    pub next_seq: u64,
    /// The number of the next batch.
    pub next_batch: u64,
    /// The log's epoch.
    pub epoch: Uuid,
    /// How many segments there are.
    pub segments: usize,
    /// A torn end, cut whole.
    pub cut: Option<Cut>,
    /// Personal sections that are not intact: all of them were erased.
    pub unsound: Vec<UnsoundSection>,
}

/// The segment that takes the batches.
#[derive(Debug)]
struct Tail {
    /// 0 before the first segment.
    number: u64,
    /// Where the last acknowledged batch ends.
    end: u64,
    /// Whether a write or sync failed behind `end`.
    condemned: bool,
    /// `None` once it takes no more, whatever becomes of the next one.
    file: Option<Box<dyn DiskFile>>,
}

/// The log, open for writing. One process has it: the caller holds the data folder's lock.
#[derive(Debug)]
pub struct Log {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    options: LogOptions,
    epoch: Uuid,
    tail: Tail,
    next_batch: u64,
    next_seq: u64,
    chain: Hash,
    shared: Arc<Shared>,
}

impl Log {
    /// Opens the log under the data folder `dir`, reads all of it, and gives the batches after
    /// `applied` (the number that the state says it has; all where `None`) to `on_batch`.
    ///
    /// Damage, in a personal section too, refuses and changes nothing; a torn end is cut, a
    /// headerless last file removed. The last batch is surely durable only once this returns:
    /// until then nothing that `on_batch` made of it may be stored or shown.
    pub fn open(
        dir: &Path,
        disk: Arc<dyn Disk>,
        options: LogOptions,
        applied: Option<u64>,
        on_batch: &mut dyn FnMut(Decoded) -> Result<(), FoldError>,
    ) -> Result<(Self, Recovered), LogError> {
        let folder = dir.join(LOG_FOLDER);
        disk.create_folder(&folder).map_err(LogError::io("make the folder", &folder))?;
        disk.sync_folder(dir).map_err(LogError::io("sync the folder", dir))?;
        let key_fingerprint = options.key_fingerprint;
        let source = Source { disk: &*disk, folder: &folder, key_fingerprint };
        let behind = applied.unwrap_or(0);
        let found = scan(&source, &mut |decoded| {
            if decoded.batch.number <= behind { Ok(()) } else { on_batch(decoded) }
        })?;
        refuse_unsound(&found.unsound, options.erased)?;
        let last = found.next_batch.saturating_sub(1);
        let known = options.known_batch.unwrap_or(0).max(behind);
        if last < known {
            return Err(LogError::BehindState {
                applied: known,
                last,
                segment: found.segments.last().map_or(1, |segment| segment.number),
                offset: found.end,
            });
        }
        let file = settle(&source, &found)?;
        let epoch = found.epoch.or(options.epoch).unwrap_or_else(Uuid::now_v7);
        let number = found.segments.last().map_or(0, |segment| segment.number);
        let mut log = Self {
            folder,
            options,
            epoch,
            tail: Tail { number, end: found.end, condemned: false, file },
            next_batch: found.next_batch,
            next_seq: found.next_seq,
            chain: found.chain,
            shared: Arc::new(Shared::new(found.segments, last)),
            disk,
        };
        if number == 0 {
            let path = path_of(&log.folder, 1);
            log.next_segment().map_err(LogError::io("make the first segment", path))?;
        }
        let recovered = Recovered {
            next_seq: log.next_seq,
            next_batch: log.next_batch,
            epoch,
            segments: log.shared.segments().len(),
            cut: found.torn,
            unsound: found.unsound,
        };
        Ok((log, recovered))
    }

    /// The epoch of the log under the data folder `dir`, which is not opened; `None`: it has no
    /// segment yet.
    pub fn epoch_of(
        dir: &Path,
        disk: &dyn Disk,
        key_fingerprint: [u8; 16],
    ) -> Result<Option<Uuid>, LogError> {
        let folder = dir.join(LOG_FOLDER);
        disk.create_folder(&folder).map_err(LogError::io("make the folder", &folder))?;
        let (headers, _) = headers(&Source { disk, folder: &folder, key_fingerprint })?;
        Ok(headers.last().map(|header| header.epoch))
    }

    /// Writes a batch and makes it durable: `Ok` means acknowledged, and readers see it.
    pub fn append(&mut self, batch: &Batch) -> Result<(), AppendError> {
        if (batch.number, batch.first_seq) != (self.next_batch, self.next_seq) {
            return Err(AppendError::OutOfOrder {
                number: batch.number,
                first_seq: batch.first_seq,
                next_batch: self.next_batch,
                next_seq: self.next_seq,
            });
        }
        let frame = encode(batch, &self.chain)?;
        let size = frame.len() as u64;
        self.room_for(size)?;
        let full = self.options.segment_bytes < self.tail.end.saturating_add(size)
            && HEADER_END < self.tail.end;
        if full || self.tail.file.is_none() {
            self.next_segment().map_err(AppendError::Unknown)?;
        }
        let chain = match (self.write(&frame), chain_hash(&frame)) {
            (Ok(()), Ok(chain)) => chain,
            (Err(error), _) => return Err(self.condemn(error)),
            (Ok(()), Err(error)) => return Err(self.condemn(io::Error::other(error))),
        };
        self.tail.end = self.tail.end.saturating_add(size);
        self.chain = chain;
        self.next_batch = self.next_batch.saturating_add(1);
        self.next_seq = batch.next_seq();
        self.shared.publish(batch.number);
        Ok(())
    }

    /// Looks whether a batch could be written, without one: whether there is room above the
    /// reserve, and, where the last segment takes no more, whether the next can be opened, which
    /// also settles that an append of unknown outcome did not happen.
    pub fn probe(&mut self) -> Result<(), AppendError> {
        self.room_for(0)?;
        if self.tail.file.is_none() {
            self.next_segment().map_err(AppendError::Unknown)?;
        }
        Ok(())
    }

    /// Overwrites the sections of a batch that `wanted` picks with blanks of the same length and
    /// syncs; gives how many. Done again it does no harm, so after an error or a crash it is
    /// simply repeated. The caller has committed the `erased` event before.
    pub fn blank(
        &mut self,
        batch: u64,
        wanted: &mut dyn FnMut(&Section) -> bool,
    ) -> Result<usize, LogError> {
        let missing = || LogError::damage(0, 0, format!("batch {batch} is not in the log"));
        if batch == 0 || self.next_batch <= batch {
            return Err(missing());
        }
        if batch + 1 == self.next_batch {
            // In the last place a batch with blanks would be taken for a torn one.
            let path = path_of(&self.folder, self.tail.number.saturating_add(1));
            self.next_segment().map_err(LogError::io("make the segment", path))?;
        }
        let segments = self.shared.segments();
        let holder = segments.iter().rev().find(|segment| segment.first_batch <= batch);
        let segment = holder.ok_or_else(missing)?;
        let path = path_of(&self.folder, segment.number);
        let io = |doing| LogError::io(doing, &path);
        let file = self.disk.open_read(&path).map_err(io("open the segment"))?;
        let mut cursor = Cursor::new(file);
        let end = segment.end.unwrap_or(self.tail.end);
        let (offset, frame) =
            find(&mut cursor, batch, end).map_err(io("read the segment"))?.ok_or_else(missing)?;
        let blanks = blanks_of(&frame, offset, wanted)
            .map_err(|error| LogError::damage(segment.number, offset, error.to_string()))?;
        let mut file = self.disk.open(&path).map_err(io("open the segment"))?;
        for (at, size) in &blanks {
            file.write_all_at(&vec![0; *size], *at).map_err(io("blank a section in"))?;
        }
        file.sync_data().map_err(io("sync the segment"))?;
        Ok(blanks.len())
    }

    /// Readers of this log; they see what is published and no more.
    pub fn reader(&self) -> LogReader {
        LogReader::inside(self.disk.clone(), self.folder.clone(), self.shared.clone())
    }

    /// The log's epoch.
    pub const fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// The number of the next batch.
    pub const fn next_batch(&self) -> u64 {
        self.next_batch
    }

    /// The sequence number of the next event.
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    fn room_for(&self, frame: u64) -> Result<(), AppendError> {
        let free = self.disk.free_space(&self.folder).map_err(AppendError::Unknown)?;
        let reserve = self.options.reserve_bytes;
        let needed = frame.saturating_add(HEADER_END);
        if free < reserve.saturating_add(needed) {
            return Err(AppendError::NoRoom { free, reserve });
        }
        Ok(())
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        let end = self.tail.end;
        let file = self.tail.file.as_mut().ok_or_else(|| io::Error::other("no open segment"))?;
        file.write_all_at(frame, end)?;
        file.sync_data()
    }

    /// The sync is not tried again: the page cache may call clean what never reached the disk.
    fn condemn(&mut self, error: io::Error) -> AppendError {
        self.tail.condemned = true;
        self.tail.file = None;
        AppendError::Unknown(error)
    }

    /// Opens the next segment. The old one takes nothing more from here on even where this fails:
    /// a header that names its end may be on the disk already.
    fn next_segment(&mut self) -> io::Result<()> {
        self.tail.file = None;
        let number = self.tail.number.saturating_add(1);
        let header = Header {
            epoch: self.epoch,
            key_fingerprint: self.options.key_fingerprint,
            number,
            first_batch: self.next_batch,
            first_seq: self.next_seq,
            chain: self.chain,
            previous: self.tail.number,
            previous_end: self.tail.end,
            condemned: self.tail.condemned,
            restored: false,
        };
        let file = make(&*self.disk, &self.folder, &header)?;
        let meta = SegmentMeta {
            number,
            first_batch: self.next_batch,
            first_seq: self.next_seq,
            end: None,
        };
        self.shared.close_and_add(self.tail.end, meta);
        self.tail = Tail { number, end: HEADER_END, condemned: false, file: Some(file) };
        Ok(())
    }
}

/// Does what the scan found due: cuts a torn end, removes a headerless last file, and makes sure
/// of what stays. The last batch may be known to the page cache only, and clean there after a
/// failed sync, so a sync alone would not write it: it is written once more, in place and the same.
fn settle(source: &Source<'_>, found: &Scan) -> Result<Option<Box<dyn DiskFile>>, LogError> {
    let mut file = None;
    if let Some(last) = found.segments.last() {
        let path = path_of(source.folder, last.number);
        let io = |doing| LogError::io(doing, &path);
        let mut last = source.disk.open(&path).map_err(io("open the segment"))?;
        if let Some(cut) = found.torn {
            last.set_len(cut.offset).map_err(io("cut the torn end of"))?;
        }
        let reading = source.disk.open_read(&path).map_err(io("open the segment"))?;
        let size = usize::try_from(found.end.saturating_sub(found.last_from)).unwrap_or(0);
        let mut cursor = Cursor::new(reading);
        let bytes = cursor.bytes(found.last_from, size).map_err(io("read the segment"))?;
        last.write_all_at(bytes, found.last_from).map_err(io("write the last batch of"))?;
        last.sync_data().map_err(io("sync the segment"))?;
        file = Some(last);
    }
    if let Some(number) = found.headerless {
        let path = path_of(source.folder, number);
        source.disk.remove(&path).map_err(LogError::io("remove the headerless segment", path))?;
    }
    let folder = source.folder;
    source.disk.sync_folder(folder).map_err(LogError::io("sync the folder", folder))?;
    Ok(file)
}

/// The frame of a batch in a segment, and where it begins.
fn find(cursor: &mut Cursor, batch: u64, end: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    let mut offset = HEADER_END;
    while offset < end {
        match cursor.frame(offset, end)? {
            Found::Frame(head, frame) if head.number == batch => {
                return Ok(Some((offset, frame.to_vec())));
            }
            Found::Frame(head, _) => offset = offset.saturating_add(head.length as u64),
            Found::Flaw(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// Offset and length of what is to be blanked: each wanted section's CRC and bytes. The CRC goes
/// too, for it tells a short datum.
fn blanks_of(
    frame: &[u8],
    offset: u64,
    wanted: &mut dyn FnMut(&Section) -> bool,
) -> Result<Vec<(u64, usize)>, super::bytes::DecodeError> {
    let sections = super::batch::decode(frame)?.batch.sections;
    let sizes: usize = sections.iter().map(|section| SECTION_CRC_BYTES + section.bytes.len()).sum();
    let mut at = offset.saturating_add(frame.len().saturating_sub(sizes) as u64);
    let mut blanks = Vec::new();
    for section in &sections {
        let size = SECTION_CRC_BYTES + section.bytes.len();
        if wanted(section) {
            blanks.push((at, size));
        }
        at = at.saturating_add(size as u64);
    }
    Ok(blanks)
}
