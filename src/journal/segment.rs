//! A segment: its file's name, its header, and finding frames in its bytes. What the frames say
//! together, and when segments are made, is not here.
//!
//! ```text
//! magic  version  length  epoch  key  number  first batch  first seq  chain
//!   8       2       2      16     16    8         8           8        32
//! previous  its end  condemned  restored  spare  CRC
//!    8         8         1         1        2     4
//! ```
//!
//! The header names the segment before it, the end of its last acknowledged batch, and whether it
//! was condemned: what lies past that end in a condemned segment did not happen, in any other it is
//! damage.
//!
//! Format 2 is format 1 with `restored` set: the segment begins a new *epoch*. Nothing before it is
//! rewritten: where the old epoch ends is what the header says anyway (first batch, first seq, the
//! chain's hash, the end of the segment before), and the hash binds it to just this past, so that
//! another log's segment is still told. Every other segment, a restored log's later ones too, has
//! format 1 and the epoch of the segment before it; so a log that was never restored stays readable
//! by older programs, and one that was is refused by them by name.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::batch::{FRAME_HEAD_BYTES, FRAME_MARKER, FrameHead, Hash, check};
use super::bytes::{DecodeError, Take};
use super::disk::{Disk, DiskFile};

/// The newest format of header and frames that this program reads and writes.
pub const FORMAT_VERSION: u16 = 2;
/// The format of a segment that goes on in the epoch of the one before it.
const FORMAT_PLAIN: u16 = 1;
/// Bytes of a header of this format.
pub const HEADER_BYTES: usize = 124;
/// [`HEADER_BYTES`] as an offset.
pub(super) const HEADER_END: u64 = HEADER_BYTES as u64;
/// Most bytes of a header of any format to come: what an older program needs to say "newer".
const HEADER_BYTES_MAX: usize = 4096;
const MAGIC: [u8; 8] = *b"atalaya\n";
const CRC_BYTES: usize = 4;
/// Digits of a segment's number in its name: all of a `u64`, so that names sort.
const NAME_DIGITS: usize = 20;
const NAME_END: &str = ".log";
/// Bytes read at once; more only for a frame that is larger.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The first bytes of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Made by the first header; only a restore makes a new one.
    pub epoch: Uuid,
    /// Of the key that the hashes were made with.
    pub key_fingerprint: [u8; 16],
    /// The segment's running number, from 1.
    pub number: u64,
    /// Number of the batch that comes first in it.
    pub first_batch: u64,
    /// Sequence number that comes first in it.
    pub first_seq: u64,
    /// Hash of the last batch before it.
    pub chain: Hash,
    /// Number of the segment before it, 0 where there is none.
    pub previous: u64,
    /// Where the last acknowledged batch of that one ends.
    pub previous_end: u64,
    /// Whether that one was condemned after a failed write or sync.
    pub condemned: bool,
    /// Whether a restore made it: then its epoch begins here.
    pub restored: bool,
}

/// What the first bytes of a file are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderFound {
    Good(Header),
    Newer(u16),
    Bad(DecodeError),
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        let format = if self.restored { FORMAT_VERSION } else { FORMAT_PLAIN };
        out.extend_from_slice(&format.to_le_bytes());
        out.extend_from_slice(&HEADER_LENGTH.to_le_bytes());
        out.extend_from_slice(self.epoch.as_bytes());
        out.extend_from_slice(&self.key_fingerprint);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.first_batch.to_le_bytes());
        out.extend_from_slice(&self.first_seq.to_le_bytes());
        out.extend_from_slice(&self.chain);
        out.extend_from_slice(&self.previous.to_le_bytes());
        out.extend_from_slice(&self.previous_end.to_le_bytes());
        out.extend_from_slice(&[u8::from(self.condemned), u8::from(self.restored), 0, 0]);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header in these bytes; `None`: there is none that this program reads.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        match Self::decode(bytes) {
            HeaderFound::Good(header) => Some(header),
            HeaderFound::Newer(_) | HeaderFound::Bad(_) => None,
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> HeaderFound {
        match Self::take(bytes) {
            Ok(found) => found,
            Err(error) => HeaderFound::Bad(error),
        }
    }

    /// Magic, version, length and the CRC at the end stay where they are in every format, so a
    /// newer header is told from a damaged one.
    fn take(bytes: &[u8]) -> Result<HeaderFound, DecodeError> {
        let mut take = Take::new(bytes, 0);
        if take.array::<8>()? != MAGIC {
            return Err(DecodeError { at: 0, what: "no segment's magic" });
        }
        let version = take.u16()?;
        let length = take.u16()?;
        let length = take.within(length, HEADER_BYTES_MAX)?;
        let covered = length.checked_sub(CRC_BYTES).ok_or(take.wrong("a header too short"))?;
        let mut end = Take::new(bytes, covered);
        let crc = end.u32()?;
        if crc32fast::hash(bytes.get(..covered).unwrap_or_default()) != crc {
            return Err(DecodeError { at: covered, what: "a header's CRC that does not fit" });
        }
        if FORMAT_VERSION < version {
            return Ok(HeaderFound::Newer(version));
        }
        let header = Self {
            epoch: Uuid::from_bytes(take.array()?),
            key_fingerprint: take.array()?,
            number: take.u64()?,
            first_batch: take.u64()?,
            first_seq: take.u64()?,
            chain: take.array()?,
            previous: take.u64()?,
            previous_end: take.u64()?,
            condemned: take.flag()?,
            restored: take.flag()?,
        };
        let format = if header.restored { FORMAT_VERSION } else { FORMAT_PLAIN };
        if take.array::<2>()? != [0; 2] || take.at() != covered || version != format {
            return Err(take.wrong("a header of no known shape"));
        }
        Ok(HeaderFound::Good(header))
    }
}

const HEADER_LENGTH: u16 = 124;
const _: () = assert!(HEADER_LENGTH as usize == HEADER_BYTES, "both name the same length");

/// The file of a segment in the log's folder.
pub fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}{NAME_END}"))
}

/// Whether a file of this name is a segment, in the log's folder.
pub fn is_segment(name: &str) -> bool {
    number_in(name).is_some()
}

/// The number in a segment's name; none for a name of another shape.
pub(super) fn number_in(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(NAME_END)?;
    let plain = digits.len() == NAME_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok().filter(|number| *number != 0) } else { None }
}

/// The numbers of the segments in a folder, ascending; none where there is no folder.
pub(super) fn numbers(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<u64>> {
    let names = match disk.list(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_in(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a segment's file with its header, durable with its name. On an error the file is removed
/// as well as can be: it holds nothing, and the next try removes it first.
pub(super) fn make(
    disk: &dyn Disk,
    folder: &Path,
    header: &Header,
) -> io::Result<Box<dyn DiskFile>> {
    let path = path_of(folder, header.number);
    match disk.remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let write = || {
        let mut file = disk.create(&path)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        disk.sync_folder(folder)?;
        Ok(file)
    };
    write().inspect_err(|_: &io::Error| {
        // A failure here leaves a file without a batch: the next try or start removes it.
        drop(disk.remove(&path));
    })
}

/// A window on a file's bytes, moved forward as frames are read.
#[derive(Debug)]
pub(super) struct Cursor {
    file: Box<dyn DiskFile>,
    window: Vec<u8>,
    from: u64,
}

/// What lies at an offset.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Frame(FrameHead, &'a [u8]),
    Flaw(DecodeError),
}

impl Cursor {
    pub(super) const fn new(file: Box<dyn DiskFile>) -> Self {
        Self { file, window: Vec::new(), from: 0 }
    }

    pub(super) fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    /// Forgets what was read: the bytes may have been written meanwhile.
    pub(super) fn forget(&mut self) {
        self.window.clear();
    }

    /// The bytes from an offset, fewer than asked for only at the file's end.
    pub(super) fn bytes(&mut self, offset: u64, size: usize) -> io::Result<&[u8]> {
        let inside = offset.checked_sub(self.from).and_then(|at| usize::try_from(at).ok());
        let inside =
            inside.filter(|at| at.checked_add(size).is_some_and(|end| end <= self.window.len()));
        let at = if let Some(at) = inside {
            at
        } else {
            self.load(offset, size.max(CHUNK_BYTES))?;
            0
        };
        let end = at.saturating_add(size).min(self.window.len());
        Ok(self.window.get(at..end).unwrap_or_default())
    }

    fn load(&mut self, offset: u64, size: usize) -> io::Result<()> {
        let left = self.file.size()?.saturating_sub(offset);
        let size = usize::try_from(left).map_or(size, |left| left.min(size));
        self.window.clear();
        self.window.resize(size, 0);
        self.from = offset;
        let mut filled = 0;
        while let Some(rest) = self.window.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.window.clear();
                    return Err(error);
                }
            }
        }
        self.window.truncate(filled);
        Ok(())
    }

    /// The file's header.
    pub(super) fn header(&mut self) -> io::Result<HeaderFound> {
        Ok(Header::decode(self.bytes(0, HEADER_BYTES_MAX)?))
    }

    /// The frame at an offset, which must end at or before `limit`; its CRC has been checked.
    pub(super) fn frame(&mut self, offset: u64, limit: u64) -> io::Result<Found<'_>> {
        let head = match FrameHead::parse(self.bytes(offset, FRAME_HEAD_BYTES)?) {
            Ok(head) => head,
            Err(flaw) => return Ok(Found::Flaw(flaw)),
        };
        if limit < offset.saturating_add(head.length as u64) {
            return Ok(Found::Flaw(DecodeError { at: 8, what: "a length past the end" }));
        }
        let bytes = self.bytes(offset, head.length)?;
        Ok(match check(bytes) {
            Ok(head) => Found::Frame(head, bytes),
            Err(flaw) => Found::Flaw(flaw),
        })
    }

    /// The first offset from `offset` on at which an intact frame lies that could follow the
    /// batches before `number`: then what lies before it is damage, not a torn end.
    pub(super) fn intact_behind(
        &mut self,
        mut offset: u64,
        limit: u64,
        number: u64,
    ) -> io::Result<Option<u64>> {
        while offset < limit {
            let chunk = self.bytes(offset, CHUNK_BYTES)?;
            let hit = chunk.windows(FRAME_MARKER.len()).position(|four| four == FRAME_MARKER);
            let read = chunk.len();
            let Some(hit) = hit else {
                if read < CHUNK_BYTES {
                    return Ok(None);
                }
                // A marker may lie across the chunk's end.
                offset = offset.saturating_add((read - (FRAME_MARKER.len() - 1)) as u64);
                continue;
            };
            offset = offset.saturating_add(hit as u64);
            if let Found::Frame(head, _) = self.frame(offset, limit)?
                && number <= head.number
            {
                return Ok(Some(offset));
            }
            offset = offset.saturating_add(1);
        }
        Ok(None)
    }
}
