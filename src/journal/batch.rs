//! A batch: the atom of the log, its types and its bytes.
//!
//! ```text
//! marker  crc  length  covered  number  wall  first seq  count  entries  sections  SHA-256 before
//!   4      4     4        4       8      8       8         4       4        4           32
//! then the entries, then the sections' descriptions (entry, owner, field, length): `covered` ends;
//! then each section's CRC and bytes.
//! ```
//!
//! The CRC and the chain's hash take in the bytes from `length` to the end of the covered part, so
//! a section's CRC and bytes can be overwritten with blanks and both still hold. Encoding is
//! canonical: what decodes, encodes to the same bytes. What an event or an entity *is*, and which
//! sections were erased, is not known here.

use sha2::{Digest, Sha256};

use super::bytes::{DecodeError, EncodeError, Take, bounded};

/// Most bytes of one frame: what a reader may have to hold in memory.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most entries in a batch; the writer leaves what is over for the next one.
pub const ENTRIES_PER_FRAME_MAX: usize = 65_536;
/// Most events in an entry.
pub const EVENTS_PER_ENTRY_MAX: usize = 65_536;
/// Most personal sections in a batch.
pub const SECTIONS_PER_BATCH_MAX: usize = 65_536;
/// Most bytes of one event's payload.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of one personal section.
pub const SECTION_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of an entry's `by`.
pub const BY_BYTES_MAX: usize = 256;
/// Most bytes of an entity's id.
pub const ENTITY_ID_BYTES_MAX: usize = 64;
/// Most bytes of an agent's slug as a section's owner.
pub const OWNER_SLUG_BYTES_MAX: usize = 64;
/// Most bytes of a section's field name.
pub const FIELD_BYTES_MAX: usize = 64;

/// Bytes of a frame before its entries.
pub const FRAME_HEAD_BYTES: usize = 84;
/// Where the covered part starts: behind marker and CRC.
const COVERED_FROM: usize = 8;
/// Begins every frame, so that an intact one can be found behind a damaged one.
pub(super) const FRAME_MARKER: [u8; 4] = *b"\xA7BTC";
/// Bytes of a section's CRC, before its bytes.
pub(super) const SECTION_CRC_BYTES: usize = 4;
const OWNER_PERSON: u8 = 1;
const OWNER_AGENT: u8 = 2;

/// SHA-256 of a batch's covered part: the link of the chain.
pub type Hash = [u8; 32];
/// What the first batch names as the one before it.
pub const CHAIN_START: Hash = [0; 32];

/// The entries of one sync. The hash of the batch before is the log's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Running number, from 1, without a gap.
    pub number: u64,
    /// Wall instant of the commit, µs since the Unix epoch.
    pub wall: i64,
    /// Sequence number of its first event, or that of the next event where it has none.
    pub first_seq: u64,
    /// In the order of their events' sequence numbers.
    pub entries: Vec<Entry>,
    /// Personal data of the entries, apart so that it can be erased.
    pub sections: Vec<Section>,
}

/// What one command commits. Without events: a receipt alone, or an audited read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who caused it.
    pub by: String,
    /// Under which session, where there was one.
    pub session: Option<[u8; 16]>,
    /// Centre time of the decision, µs.
    pub now: i64,
    /// The answer to be given again, where the caller gave a key.
    pub receipt: Option<Receipt>,
    /// What happened.
    pub events: Vec<EventRecord>,
}

/// What a repeated call is answered with. Key and body are keyed hashes, made above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose call it was.
    pub token: [u8; 16],
    /// Hash of the idempotency key.
    pub key: [u8; 16],
    /// Hash of the body.
    pub body: [u8; 16],
    /// HTTP status of the answer.
    pub status: u16,
    /// What the answer shows.
    pub entity: EntityKey,
}

/// Names an entity in bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey {
    /// Kind of machine.
    pub kind: u8,
    /// At most [`ENTITY_ID_BYTES_MAX`] bytes.
    pub id: Vec<u8>,
}

/// One event as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Kind of event.
    pub kind: u16,
    /// Version of that kind's payload.
    pub version: u8,
    /// Whose event it is.
    pub entity: EntityKey,
    /// That entity's version with this event applied.
    pub entity_version: u64,
    /// Sequence number of that entity's previous event, 0 where there is none.
    pub previous: u64,
    /// Its instant, µs, where it differs from the entry's `now`.
    pub at: Option<i64>,
    /// The record's bytes.
    pub payload: Vec<u8>,
}

/// A piece of personal data. On disk it has a CRC of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Index of its entry in the batch.
    pub entry: u32,
    /// Whose data it is.
    pub owner: Owner,
    /// Which datum.
    pub field: String,
    /// The datum.
    pub bytes: Vec<u8>,
}

/// Whose personal data a section holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A citizen, by `UUIDv7`.
    Person([u8; 16]),
    /// An agent, by slug.
    Agent(String),
}

/// What a section's own CRC says of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionState {
    /// The CRC fits.
    Intact,
    /// CRC and bytes are blanks: erased, or a page was lost.
    Blank,
    /// The CRC does not fit: half erased, or damaged.
    Broken,
}

/// A batch as it was read. Which sections may be other than intact, the caller knows: those that
/// an `erased` event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The batch; a section that is not intact holds the bytes as they lie there.
    pub batch: Batch,
    /// One state for each of `batch.sections`.
    pub states: Vec<SectionState>,
}

/// The fixed fields before a frame's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) crc: u32,
    pub(super) length: usize,
    pub(super) covered: usize,
    pub(super) number: u64,
    pub(super) wall: i64,
    pub(super) first_seq: u64,
    pub(super) count: u32,
    pub(super) entries: usize,
    pub(super) sections: usize,
    pub(super) previous: Hash,
}

impl Batch {
    /// How many events it holds.
    pub fn count(&self) -> u64 {
        self.entries.iter().map(|entry| entry.events.len() as u64).sum()
    }

    /// The sequence number after its last event.
    pub fn next_seq(&self) -> u64 {
        self.first_seq.saturating_add(self.count())
    }
}

impl FrameHead {
    /// Reads the fixed fields and holds every length against its limit; the CRC is [`check`]'s.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut take = Take::new(bytes, 0);
        if take.array::<4>()? != FRAME_MARKER {
            return Err(DecodeError { at: 0, what: "no frame's marker" });
        }
        let crc = take.u32()?;
        let length = take.u32()?;
        let length = take.within(length, FRAME_BYTES_MAX)?;
        let covered = take.u32()?;
        let covered = take.within(covered, length)?;
        if covered < FRAME_HEAD_BYTES {
            return Err(take.wrong("a covered part shorter than the head"));
        }
        let (number, wall, first_seq, count) = (take.u64()?, take.i64()?, take.u64()?, take.u32()?);
        let entries = take.u32()?;
        let entries = take.within(entries, ENTRIES_PER_FRAME_MAX)?;
        let sections = take.u32()?;
        let sections = take.within(sections, SECTIONS_PER_BATCH_MAX)?;
        if first_seq.checked_add(u64::from(count)).is_none() {
            return Err(take.wrong("sequence numbers that overflow"));
        }
        let previous = take.array()?;
        Ok(Self {
            crc,
            length,
            covered,
            number,
            wall,
            first_seq,
            count,
            entries,
            sections,
            previous,
        })
    }
}

/// The frame of a batch that follows the one with the hash `previous`.
pub fn encode(batch: &Batch, previous: &Hash) -> Result<Vec<u8>, EncodeError> {
    let entries: u32 = bounded("the batch's entries", batch.entries.len(), ENTRIES_PER_FRAME_MAX)?;
    let sections: u32 =
        bounded("the batch's sections", batch.sections.len(), SECTIONS_PER_BATCH_MAX)?;
    let count = u32::try_from(batch.count()).map_err(|_| EncodeError::SequenceOverflow)?;
    batch.first_seq.checked_add(u64::from(count)).ok_or(EncodeError::SequenceOverflow)?;

    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(&FRAME_MARKER);
    out.extend_from_slice(&[0; 12]); // CRC, length and covered length, known at the end
    out.extend_from_slice(&batch.number.to_le_bytes());
    out.extend_from_slice(&batch.wall.to_le_bytes());
    out.extend_from_slice(&batch.first_seq.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&entries.to_le_bytes());
    out.extend_from_slice(&sections.to_le_bytes());
    out.extend_from_slice(previous);
    for entry in &batch.entries {
        put_entry(&mut out, entry)?;
    }
    for (index, section) in batch.sections.iter().enumerate() {
        if entries <= section.entry {
            return Err(EncodeError::NoSuchEntry {
                section: index,
                entry: section.entry,
                entries: batch.entries.len(),
            });
        }
        put_description(&mut out, section)?;
    }
    let covered: u32 = bounded("the frame", out.len(), FRAME_BYTES_MAX)?;
    for section in &batch.sections {
        out.extend_from_slice(&crc32fast::hash(&section.bytes).to_le_bytes());
        out.extend_from_slice(&section.bytes);
    }
    let length: u32 = bounded("the frame", out.len(), FRAME_BYTES_MAX)?;
    let fill = |out: &mut Vec<u8>, at: usize, value: u32| {
        for (place, byte) in out.iter_mut().skip(at).zip(value.to_le_bytes()) {
            *place = byte;
        }
    };
    fill(&mut out, 8, length);
    fill(&mut out, 12, covered);
    let crc = crc32fast::hash(covered_part(&out, covered as usize));
    fill(&mut out, 4, crc);
    Ok(out)
}

/// Holds a frame of the head's length against its CRC.
pub(super) fn check(frame: &[u8]) -> Result<FrameHead, DecodeError> {
    let head = FrameHead::parse(frame)?;
    if frame.len() != head.length {
        return Err(DecodeError { at: COVERED_FROM, what: "a length that is not the frame's" });
    }
    if crc32fast::hash(covered_part(frame, head.covered)) != head.crc {
        return Err(DecodeError { at: 4, what: "a CRC that does not fit" });
    }
    Ok(head)
}

/// What the batch after this frame names as the one before it.
pub fn chain_hash(frame: &[u8]) -> Result<Hash, DecodeError> {
    let head = FrameHead::parse(frame)?;
    Ok(Sha256::digest(covered_part(frame, head.covered)).into())
}

/// Takes a whole frame apart. Never panics, allocates no more than the frame holds.
pub fn decode(frame: &[u8]) -> Result<Decoded, DecodeError> {
    let head = check(frame)?;
    let covered = frame.get(..head.covered).unwrap_or_default();
    let mut take = Take::new(covered, FRAME_HEAD_BYTES);
    let mut entries = Vec::new();
    for _ in 0..head.entries {
        entries.push(take_entry(&mut take)?);
    }
    let mut described = Vec::new();
    for _ in 0..head.sections {
        described.push(take_description(&mut take, head.entries)?);
    }
    if take.at() != head.covered {
        return Err(take.wrong("bytes behind the last section's description"));
    }
    let mut take = Take::new(frame, head.covered);
    let (mut sections, mut states) = (Vec::new(), Vec::new());
    for (mut section, size) in described {
        let crc = take.u32()?;
        section.bytes = take.slice(size)?.to_vec();
        states.push(state_of(crc, &section.bytes));
        sections.push(section);
    }
    if take.at() != frame.len() {
        return Err(take.wrong("bytes behind the last section"));
    }
    let (number, wall, first_seq) = (head.number, head.wall, head.first_seq);
    let batch = Batch { number, wall, first_seq, entries, sections };
    if batch.count() != u64::from(head.count) {
        return Err(DecodeError { at: 40, what: "a count that is not the entries'" });
    }
    Ok(Decoded { batch, states })
}

fn covered_part(frame: &[u8], covered: usize) -> &[u8] {
    frame.get(COVERED_FROM..covered).unwrap_or_default()
}

fn state_of(crc: u32, bytes: &[u8]) -> SectionState {
    if crc32fast::hash(bytes) == crc {
        SectionState::Intact
    } else if crc == 0 && bytes.iter().all(|byte| *byte == 0) {
        SectionState::Blank
    } else {
        SectionState::Broken
    }
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) -> Result<(), EncodeError> {
    let by: u16 = bounded("an entry's by", entry.by.len(), BY_BYTES_MAX)?;
    out.extend_from_slice(&by.to_le_bytes());
    out.extend_from_slice(entry.by.as_bytes());
    out.push(u8::from(entry.session.is_some()));
    out.extend_from_slice(entry.session.as_ref().map_or(&[], |session| session));
    out.extend_from_slice(&entry.now.to_le_bytes());
    out.push(u8::from(entry.receipt.is_some()));
    if let Some(receipt) = &entry.receipt {
        out.extend_from_slice(&receipt.token);
        out.extend_from_slice(&receipt.key);
        out.extend_from_slice(&receipt.body);
        out.extend_from_slice(&receipt.status.to_le_bytes());
        put_entity(out, &receipt.entity)?;
    }
    let events: u32 = bounded("an entry's events", entry.events.len(), EVENTS_PER_ENTRY_MAX)?;
    out.extend_from_slice(&events.to_le_bytes());
    for event in &entry.events {
        out.extend_from_slice(&event.kind.to_le_bytes());
        out.push(event.version);
        put_entity(out, &event.entity)?;
        out.extend_from_slice(&event.entity_version.to_le_bytes());
        out.extend_from_slice(&event.previous.to_le_bytes());
        out.push(u8::from(event.at.is_some()));
        out.extend_from_slice(event.at.map(i64::to_le_bytes).as_ref().map_or(&[], |at| at));
        let size: u32 = bounded("an event's payload", event.payload.len(), PAYLOAD_BYTES_MAX)?;
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&event.payload);
    }
    Ok(())
}

fn take_entry(take: &mut Take<'_>) -> Result<Entry, DecodeError> {
    let size = take.u16()?;
    let size = take.within(size, BY_BYTES_MAX)?;
    let by = take.text(size)?;
    let session = if take.flag()? { Some(take.array()?) } else { None };
    let now = take.i64()?;
    let receipt = if take.flag()? {
        let (token, key, body, status) = (take.array()?, take.array()?, take.array()?, take.u16()?);
        Some(Receipt { token, key, body, status, entity: take_entity(take)? })
    } else {
        None
    };
    let count = take.u32()?;
    let count = take.within(count, EVENTS_PER_ENTRY_MAX)?;
    let mut events = Vec::new();
    for _ in 0..count {
        let (kind, version, entity) = (take.u16()?, take.u8()?, take_entity(take)?);
        let (entity_version, previous) = (take.u64()?, take.u64()?);
        let at = if take.flag()? { Some(take.i64()?) } else { None };
        let size = take.u32()?;
        let size = take.within(size, PAYLOAD_BYTES_MAX)?;
        let payload = take.slice(size)?.to_vec();
        events.push(EventRecord { kind, version, entity, entity_version, previous, at, payload });
    }
    Ok(Entry { by, session, now, receipt, events })
}

fn put_entity(out: &mut Vec<u8>, entity: &EntityKey) -> Result<(), EncodeError> {
    let size: u8 = bounded("an entity's id", entity.id.len(), ENTITY_ID_BYTES_MAX)?;
    out.extend_from_slice(&[entity.kind, size]);
    out.extend_from_slice(&entity.id);
    Ok(())
}

fn take_entity(take: &mut Take<'_>) -> Result<EntityKey, DecodeError> {
    let (kind, size) = (take.u8()?, take.u8()?);
    let size = take.within(size, ENTITY_ID_BYTES_MAX)?;
    Ok(EntityKey { kind, id: take.slice(size)?.to_vec() })
}

fn put_description(out: &mut Vec<u8>, section: &Section) -> Result<(), EncodeError> {
    out.extend_from_slice(&section.entry.to_le_bytes());
    match &section.owner {
        Owner::Person(id) => {
            out.push(OWNER_PERSON);
            out.extend_from_slice(id);
        }
        Owner::Agent(slug) => {
            let size: u8 = bounded("an owner's slug", slug.len(), OWNER_SLUG_BYTES_MAX)?;
            out.extend_from_slice(&[OWNER_AGENT, size]);
            out.extend_from_slice(slug.as_bytes());
        }
    }
    let field: u8 = bounded("a section's field", section.field.len(), FIELD_BYTES_MAX)?;
    out.push(field);
    out.extend_from_slice(section.field.as_bytes());
    let size: u32 = bounded("a section", section.bytes.len(), SECTION_BYTES_MAX)?;
    out.extend_from_slice(&size.to_le_bytes());
    Ok(())
}

/// A section without its bytes yet, and how many they are.
fn take_description(take: &mut Take<'_>, entries: usize) -> Result<(Section, usize), DecodeError> {
    let entry = take.u32()?;
    if usize::try_from(entry).map_or(true, |entry| entries <= entry) {
        return Err(take.wrong("a section of an entry that is not there"));
    }
    let owner = match take.u8()? {
        OWNER_PERSON => Owner::Person(take.array()?),
        OWNER_AGENT => {
            let size = take.u8()?;
            let size = take.within(size, OWNER_SLUG_BYTES_MAX)?;
            Owner::Agent(take.text(size)?)
        }
        _ => return Err(take.wrong("a kind of owner that is not known")),
    };
    let size = take.u8()?;
    let size = take.within(size, FIELD_BYTES_MAX)?;
    let field = take.text(size)?;
    let size = take.u32()?;
    let size = take.within(size, SECTION_BYTES_MAX)?;
    Ok((Section { entry, owner, field, bytes: Vec::new() }, size))
}
