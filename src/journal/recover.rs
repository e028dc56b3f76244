//! Reading a whole log: every header, every frame, the chain, and the judgement between a torn end
//! and damage. Changes nothing: what follows from it is done by the log that is being opened.
//!
//! Each batch is synced before the next is written, so an intact batch or segment behind a bad
//! frame means damage, and none means a torn end that nobody was promised. Only the last segment
//! may be torn. A torn batch is cut whole, and so is a last batch with a section that is not
//! intact: its bytes had not all arrived. (Sections of the last batch are never blanked: a new
//! segment is opened first.)

use std::io::ErrorKind;
use std::path::Path;

use uuid::Uuid;

use super::batch::{CHAIN_START, Decoded, Hash, Owner, SectionState, chain_hash, decode};
use super::bytes::DecodeError;
use super::disk::Disk;
use super::error::{FoldError, LogError};
use super::segment::{
    Cursor, FORMAT_VERSION, Found, HEADER_END, Header, HeaderFound, numbers, path_of,
};

/// Sections that are not intact, kept for the caller's judgement; a log with more is refused.
pub const UNSOUND_SECTIONS_MAX: usize = 1_000_000;

/// A segment as the log knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentMeta {
    /// Its running number.
    pub number: u64,
    /// Number of the batch that comes first in it.
    pub first_batch: u64,
    /// Sequence number that comes first in it.
    pub first_seq: u64,
    /// Where its last acknowledged batch ends, once it takes no more.
    pub end: Option<u64>,
}

/// A stretch of the log under one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Its name.
    pub epoch: Uuid,
    /// Number of the batch that comes first in it.
    pub first_batch: u64,
    /// Sequence number that comes first in it.
    pub first_seq: u64,
}

/// A torn end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Number of the segment.
    pub segment: u64,
    /// Where its last intact batch ends.
    pub offset: u64,
    /// How many bytes lie past that.
    pub bytes: u64,
}

/// A personal section that is not intact: erased, or damaged. Only an [`Erased`] can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsoundSection {
    /// Number of the segment.
    pub segment: u64,
    /// Where its batch begins.
    pub offset: u64,
    /// Number of the batch.
    pub batch: u64,
    /// Index of the section in the batch.
    pub index: usize,
    /// Whose data it held.
    pub owner: Owner,
    /// Which datum.
    pub field: String,
    /// Blank or broken.
    pub state: SectionState,
}

/// Says which sections were erased: those need no CRC.
pub type Erased = fn(&UnsoundSection) -> bool;

/// No event erases anything in this version: a section that is not intact is damaged.
pub(super) const fn nothing_erased(_: &UnsoundSection) -> bool {
    false
}

/// Refuses a log that has a section which is neither intact nor erased.
pub(super) fn refuse_unsound(sections: &[UnsoundSection], erased: Erased) -> Result<(), LogError> {
    match sections.iter().find(|section| !erased(section)) {
        None => Ok(()),
        Some(section) => Err(LogError::damage(
            section.segment,
            section.offset,
            format!(
                "section {} ({}) of batch {} does not fit its CRC and was not erased",
                section.index, section.field, section.batch
            ),
        )),
    }
}

/// What a whole log holds.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) epoch: Option<Uuid>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) segments: Vec<SegmentMeta>,
    pub(super) next_batch: u64,
    pub(super) next_seq: u64,
    pub(super) chain: Hash,
    /// Where the last segment's last intact batch ends.
    pub(super) end: u64,
    /// Where that batch begins; 0, the header, where the last segment has none.
    pub(super) last_from: u64,
    pub(super) torn: Option<Cut>,
    /// A last file whose header never got whole.
    pub(super) headerless: Option<u64>,
    pub(super) unsound: Vec<UnsoundSection>,
}

/// Where a scan reads, and what it expects there.
pub(super) struct Source<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) folder: &'a Path,
    pub(super) key_fingerprint: [u8; 16],
}

/// Reads the headers of all segments; the last one may have none yet.
pub(super) fn headers(source: &Source<'_>) -> Result<(Vec<Header>, Option<u64>), LogError> {
    let numbers = numbers(source.disk, source.folder)
        .map_err(LogError::io("list the log's folder", source.folder))?;
    let mut headers: Vec<Header> = Vec::new();
    for (index, number) in numbers.iter().copied().enumerate() {
        let due = index as u64 + 1;
        if number != due {
            return Err(LogError::damage(due, 0, "its file is missing"));
        }
        let last = index + 1 == numbers.len();
        let mut cursor = match cursor(source, number) {
            // A server that could not make it whole has removed it meanwhile.
            Err(error) if last && is_gone(&error) => return Ok((headers, Some(number))),
            other => other?,
        };
        let found = cursor.header().map_err(reading(source, number))?;
        let header = match found {
            HeaderFound::Good(header) => header,
            HeaderFound::Newer(found) => {
                let (segment, known) = (number, FORMAT_VERSION);
                return Err(LogError::NewerFormat { segment, found, known });
            }
            HeaderFound::Bad(flaw) if !last => {
                return Err(LogError::damage(number, flaw.at as u64, flaw.what));
            }
            HeaderFound::Bad(flaw) => match late_header(&mut cursor, source, number, &flaw)? {
                Some(header) => header,
                None => return Ok((headers, Some(number))),
            },
        };
        fits(source, number, &header, headers.last())?;
        headers.push(header);
    }
    Ok((headers, None))
}

/// Judges a last segment whose header was not whole: `None`: it holds nothing. With a batch behind
/// it is damage, unless a server was making it just then: then the header is whole by now.
fn late_header(
    cursor: &mut Cursor,
    source: &Source<'_>,
    number: u64,
    flaw: &DecodeError,
) -> Result<Option<Header>, LogError> {
    let size = cursor.size().map_err(reading(source, number))?;
    let behind = cursor.intact_behind(0, size, 0).map_err(reading(source, number))?;
    let Some(offset) = behind else { return Ok(None) };
    cursor.forget();
    match cursor.header().map_err(reading(source, number))? {
        HeaderFound::Good(header) => Ok(Some(header)),
        HeaderFound::Newer(_) | HeaderFound::Bad(_) => {
            let what = format!("{}, and an intact batch lies at byte {offset}", flaw.what);
            Err(LogError::damage(number, flaw.at as u64, what))
        }
    }
}

fn is_gone(error: &LogError) -> bool {
    matches!(error, LogError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

/// Holds a header against its name, the key and the header before it.
fn fits(
    source: &Source<'_>,
    number: u64,
    header: &Header,
    before: Option<&Header>,
) -> Result<(), LogError> {
    let wrong = |what: &str| Err(LogError::damage(number, 0, what));
    if header.number != number {
        return wrong("its header has another segment's number");
    }
    if header.key_fingerprint != source.key_fingerprint {
        return Err(LogError::OtherKey { segment: number });
    }
    let Some(before) = before else {
        let starts = (header.first_batch, header.first_seq, header.chain, header.previous);
        if starts != (1, 1, CHAIN_START, 0) || header.restored {
            return wrong("its header is not a first segment's");
        }
        return Ok(());
    };
    if header.restored == (header.epoch == before.epoch) {
        return wrong("its header has another log's epoch");
    }
    if header.previous != before.number || header.previous_end < HEADER_END {
        return wrong("its header does not name the segment before it");
    }
    Ok(())
}

/// The epochs of a log, the first first.
fn epochs(headers: &[Header]) -> Vec<Epoch> {
    let begins = |(index, header): &(usize, &Header)| *index == 0 || header.restored;
    let beginning = headers.iter().enumerate().filter(begins);
    let epoch = |(_, header): (usize, &Header)| {
        let Header { epoch, first_batch, first_seq, .. } = *header;
        Epoch { epoch, first_batch, first_seq }
    };
    beginning.map(epoch).collect()
}

/// Reads the whole log and gives each batch, in order, to `each`.
pub(super) fn scan(
    source: &Source<'_>,
    each: &mut dyn FnMut(Decoded) -> Result<(), FoldError>,
) -> Result<Scan, LogError> {
    let (headers, headerless) = headers(source)?;
    let mut scan = Scan {
        epoch: headers.last().map(|header| header.epoch),
        epochs: epochs(&headers),
        segments: Vec::new(),
        next_batch: 1,
        next_seq: 1,
        chain: CHAIN_START,
        end: 0,
        last_from: 0,
        torn: None,
        headerless,
        unsound: Vec::new(),
    };
    for (index, header) in headers.iter().enumerate() {
        if (header.first_batch, header.first_seq, header.chain)
            != (scan.next_batch, scan.next_seq, scan.chain)
        {
            let what = "its header does not follow on the segment before it";
            return Err(LogError::damage(header.number, 0, what));
        }
        let after = headers.get(index + 1);
        scan.segments.push(SegmentMeta {
            number: header.number,
            first_batch: header.first_batch,
            first_seq: header.first_seq,
            end: after.map(|after| after.previous_end),
        });
        segment(source, header.number, after, &mut scan, each)?;
    }
    Ok(scan)
}

/// Reads one segment's frames; `after` is the next one's header, which says where this one ends.
fn segment(
    source: &Source<'_>,
    number: u64,
    after: Option<&Header>,
    scan: &mut Scan,
    each: &mut dyn FnMut(Decoded) -> Result<(), FoldError>,
) -> Result<(), LogError> {
    let mut cursor = cursor(source, number)?;
    let size = cursor.size().map_err(reading(source, number))?;
    let limit = after.map_or(size, |after| after.previous_end);
    if size < limit {
        return Err(LogError::damage(number, size, "it ends before its last batch does"));
    }
    if after.is_some_and(|after| !after.condemned) && limit < size {
        return Err(LogError::damage(number, limit, "bytes behind its last batch"));
    }
    (scan.end, scan.last_from) = (HEADER_END, 0);
    while scan.end < limit {
        match next_batch(&mut cursor, source, number, limit, scan)? {
            Ok((decoded, length, chain)) => {
                note_unsound(number, &decoded, scan)?;
                scan.next_batch = scan.next_batch.saturating_add(1);
                scan.next_seq = decoded.batch.next_seq();
                scan.chain = chain;
                scan.last_from = scan.end;
                scan.end = scan.end.saturating_add(length);
                let batch = decoded.batch.number;
                each(decoded).map_err(|source| LogError::Fold { batch, source })?;
            }
            Err(what) if after.is_some() => return Err(LogError::damage(number, scan.end, what)),
            Err(what) => {
                let from = scan.end.saturating_add(1);
                let behind = cursor
                    .intact_behind(from, limit, scan.next_batch)
                    .map_err(reading(source, number))?;
                if let Some(offset) = behind {
                    let what = format!("{what}, and an intact batch lies at byte {offset}");
                    return Err(LogError::damage(number, scan.end, what));
                }
                let bytes = limit.saturating_sub(scan.end);
                scan.torn = Some(Cut { segment: number, offset: scan.end, bytes });
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The batch at the scan's end, with its length and hash; or what makes it a bad frame.
fn next_batch(
    cursor: &mut Cursor,
    source: &Source<'_>,
    number: u64,
    limit: u64,
    scan: &Scan,
) -> Result<Result<(Decoded, u64, Hash), String>, LogError> {
    let (head, frame) = match cursor.frame(scan.end, limit).map_err(reading(source, number))? {
        Found::Frame(head, frame) => (head, frame),
        Found::Flaw(flaw) => return Ok(Err(flaw.what.to_owned())),
    };
    // From here on the CRC fits: what is wrong was written so, or is another log's.
    let damage = |what: &str| LogError::damage(number, scan.end, what);
    if head.number != scan.next_batch {
        return Err(damage("a batch out of its order"));
    }
    if head.first_seq != scan.next_seq {
        return Err(damage("a batch whose first seq is not the next"));
    }
    if head.previous != scan.chain {
        return Err(damage("a batch that does not follow on the hash of the one before"));
    }
    let decoded = decode(frame).map_err(|error| damage(&error.to_string()))?;
    let hash = chain_hash(frame).map_err(|error| damage(&error.to_string()))?;
    let last = scan.end.saturating_add(head.length as u64) == limit;
    let open = scan.segments.last().is_some_and(|segment| segment.end.is_none());
    if last && open && decoded.states.iter().any(|state| *state != SectionState::Intact) {
        return Ok(Err("a last batch whose sections are not whole".to_owned()));
    }
    Ok(Ok((decoded, head.length as u64, hash)))
}

fn note_unsound(number: u64, decoded: &Decoded, scan: &mut Scan) -> Result<(), LogError> {
    let sections = decoded.batch.sections.iter().zip(&decoded.states).enumerate();
    for (index, (section, state)) in sections {
        if *state == SectionState::Intact {
            continue;
        }
        if UNSOUND_SECTIONS_MAX <= scan.unsound.len() {
            return Err(LogError::damage(number, scan.end, "too many sections do not fit"));
        }
        scan.unsound.push(UnsoundSection {
            segment: number,
            offset: scan.end,
            batch: decoded.batch.number,
            index,
            owner: section.owner.clone(),
            field: section.field.clone(),
            state: *state,
        });
    }
    Ok(())
}

fn cursor(source: &Source<'_>, number: u64) -> Result<Cursor, LogError> {
    let path = path_of(source.folder, number);
    let file = source.disk.open_read(&path).map_err(LogError::io("open the segment", path))?;
    Ok(Cursor::new(file))
}

fn reading(source: &Source<'_>, number: u64) -> impl FnOnce(std::io::Error) -> LogError {
    LogError::io("read the segment", path_of(source.folder, number))
}
