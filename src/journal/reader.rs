//! Reading batches from a number or a sequence number on, on any thread beside the writer, or from
//! another process beside a running server. Never past what is published; the outside reader, to
//! whom nothing is published, stops at the last intact frame. Judging a damaged log is recovery's.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::batch::{Decoded, SectionState, decode};
use super::disk::Disk;
use super::error::LogError;
use super::log::LOG_FOLDER;
use super::recover::{SegmentMeta, Source, headers};
use super::segment::{Cursor, Found, HEADER_END, path_of};

/// What the writer tells its readers.
#[derive(Debug)]
pub(super) struct Shared {
    /// Number of the last durable batch: what is read may never be past it.
    durable: AtomicU64,
    segments: RwLock<Vec<SegmentMeta>>,
}

impl Shared {
    pub(super) const fn new(segments: Vec<SegmentMeta>, durable: u64) -> Self {
        Self { durable: AtomicU64::new(durable), segments: RwLock::new(segments) }
    }

    pub(super) fn publish(&self, batch: u64) {
        self.durable.store(batch, Ordering::Release);
    }

    /// Says where the open segment ends and which one follows; before its first batch.
    pub(super) fn close_and_add(&self, end: u64, next: SegmentMeta) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = segments.last_mut() {
            last.end = Some(end);
        }
        segments.push(next);
    }

    pub(super) fn segments(&self) -> Vec<SegmentMeta> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes readers of a log; cheap to clone.
#[derive(Debug, Clone)]
pub struct LogReader {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    view: View,
}

#[derive(Debug, Clone)]
enum View {
    Inside(Arc<Shared>),
    Outside([u8; 16]),
}

impl LogReader {
    pub(super) const fn inside(disk: Arc<dyn Disk>, folder: PathBuf, shared: Arc<Shared>) -> Self {
        Self { disk, folder, view: View::Inside(shared) }
    }

    /// Reads the log under the data folder `dir` without its lock, beside a server or without.
    pub fn outside(dir: &Path, disk: Arc<dyn Disk>, key_fingerprint: [u8; 16]) -> Self {
        Self { disk, folder: dir.join(LOG_FOLDER), view: View::Outside(key_fingerprint) }
    }

    /// Batches from this number on.
    pub fn from_batch(&self, number: u64) -> Result<BatchReader, LogError> {
        self.start(|segment| segment.first_batch <= number, Skip::BeforeBatch(number))
    }

    /// Batches from the one that holds this event on. Those before it without events are left out.
    pub fn from_seq(&self, seq: u64) -> Result<BatchReader, LogError> {
        self.start(|segment| segment.first_seq <= seq, Skip::BeforeSeq(seq))
    }

    /// The sequence number that the first segment begins with.
    pub fn first_seq(&self) -> Result<u64, LogError> {
        Ok(self.segments()?.first().map_or(1, |segment| segment.first_seq))
    }

    /// The number of the last durable batch; for an outside reader there is no telling.
    pub fn durable_batch(&self) -> Option<u64> {
        match &self.view {
            View::Inside(shared) => Some(shared.durable.load(Ordering::Acquire)),
            View::Outside(_) => None,
        }
    }

    fn segments(&self) -> Result<Vec<SegmentMeta>, LogError> {
        let key_fingerprint = match &self.view {
            View::Inside(shared) => return Ok(shared.segments()),
            View::Outside(key_fingerprint) => *key_fingerprint,
        };
        let source = Source { disk: &*self.disk, folder: &self.folder, key_fingerprint };
        let (headers, _) = headers(&source)?;
        let ends = headers.iter().skip(1).map(|after| Some(after.previous_end)).chain([None]);
        let segments = headers.iter().zip(ends).map(|(header, end)| SegmentMeta {
            number: header.number,
            first_batch: header.first_batch,
            first_seq: header.first_seq,
            end,
        });
        Ok(segments.collect())
    }

    fn start(
        &self,
        begins_before: impl Fn(&SegmentMeta) -> bool,
        skip: Skip,
    ) -> Result<BatchReader, LogError> {
        let segments = self.segments()?;
        let index = segments.iter().rposition(begins_before).unwrap_or(0);
        let next = segments.get(index).map_or(1, |segment| segment.first_batch);
        let reader = self.clone();
        Ok(BatchReader { reader, segments, index, open: None, offset: HEADER_END, next, skip })
    }
}

#[derive(Debug, Clone, Copy)]
enum Skip {
    BeforeBatch(u64),
    BeforeSeq(u64),
}

/// A position in the log. At the end [`BatchReader::next_batch`] gives `None`, and later more.
#[derive(Debug)]
pub struct BatchReader {
    reader: LogReader,
    segments: Vec<SegmentMeta>,
    index: usize,
    open: Option<Cursor>,
    offset: u64,
    next: u64,
    skip: Skip,
}

impl BatchReader {
    /// The next batch, or `None` where there is none yet.
    pub fn next_batch(&mut self) -> Result<Option<Decoded>, LogError> {
        loop {
            let Some(decoded) = self.step()? else {
                return Ok(None);
            };
            let batch = &decoded.batch;
            let skipped = match self.skip {
                Skip::BeforeBatch(number) => batch.number < number,
                Skip::BeforeSeq(seq) => batch.next_seq() <= seq,
            };
            if !skipped {
                self.skip = Skip::BeforeBatch(0);
                return Ok(Some(decoded));
            }
        }
    }

    fn step(&mut self) -> Result<Option<Decoded>, LogError> {
        let durable = self.reader.durable_batch();
        if durable.is_some_and(|durable| durable < self.next) {
            return Ok(None);
        }
        // Looked at after `durable`: a batch of a new segment is published after its segment.
        self.segments = match durable {
            Some(_) => self.reader.segments()?,
            None if self.segments.is_empty() => self.reader.segments()?,
            None => std::mem::take(&mut self.segments),
        };
        let mut refreshed = durable.is_some();
        loop {
            let Some(segment) = self.segments.get(self.index).copied() else {
                return Ok(None);
            };
            match segment.end {
                Some(end) if end < self.offset => {
                    let what = "it was condemned and ends before what was read; read it anew";
                    return Err(LogError::damage(segment.number, end, what));
                }
                Some(end) if end == self.offset => {
                    (self.index, self.open, self.offset) = (self.index + 1, None, HEADER_END);
                }
                end => match self.read(segment.number, end)? {
                    Ok(decoded) => return Ok(Some(decoded)),
                    Err(_) if !refreshed && segment.end.is_none() => {
                        self.segments = self.reader.segments()?;
                        refreshed = true;
                    }
                    Err(_) if durable.is_none() && segment.end.is_none() => return Ok(None),
                    Err(what) => {
                        return Err(LogError::damage(segment.number, self.offset, what));
                    }
                },
            }
        }
    }

    /// The batch at the offset. Bytes of the window may be older than the batch: what does not fit
    /// is read once more.
    fn read(
        &mut self,
        number: u64,
        end: Option<u64>,
    ) -> Result<Result<Decoded, &'static str>, LogError> {
        let path = path_of(&self.reader.folder, number);
        let cursor = match &mut self.open {
            Some(cursor) => cursor,
            none => {
                let file = self.reader.disk.open_read(&path);
                none.insert(Cursor::new(file.map_err(LogError::io("open the segment", &path))?))
            }
        };
        let mut outcome = Err("no frame");
        for _ in 0..2 {
            let reading = || LogError::io("read the segment", &path);
            let limit = match end {
                Some(end) => end,
                None => cursor.size().map_err(reading())?,
            };
            outcome = match cursor.frame(self.offset, limit).map_err(reading())? {
                Found::Flaw(flaw) => Err(flaw.what),
                Found::Frame(head, _) if head.number != self.next => Err("a batch out of order"),
                Found::Frame(head, frame) => decode(frame)
                    .map(|decoded| (decoded, head.length as u64))
                    .map_err(|error| error.what),
            };
            if let Ok((decoded, _)) = &outcome
                && decoded.states.iter().all(|state| *state == SectionState::Intact)
            {
                break;
            }
            cursor.forget();
        }
        Ok(outcome.map(|(decoded, length)| {
            self.offset = self.offset.saturating_add(length);
            self.next = self.next.saturating_add(1);
            decoded
        }))
    }
}
