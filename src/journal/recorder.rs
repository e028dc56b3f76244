//! Commits to the log on disk, and reads it back: entries ↔ batches of bytes.

use std::path::Path;
use std::sync::Arc;

use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, CredentialId, PersonId};
use atalaya_domain::time::Timestamp;
use uuid::Uuid;

use super::commit::{Cause, Commit, CommitError, Numbered, Past, Receipt, Said, Sealed, Whose};
use super::pages::Pages;
use super::records::{self, RecordError};
use super::{
    AppendError, Batch, Decoded, Disk, EntityKey, Entry, EventRecord, FoldError, Key, KeyError,
    Lock, LockError, Log, LogError, LogOptions, LogReader, Owner, RealDisk, Recovered, Section,
};

/// The log of one data folder, open for writing: nobody else has it.
#[derive(Debug)]
pub struct Recorder {
    log: Log,
    next_batch: u64,
    next_seq: u64,
    wall: fn() -> Timestamp,
    secret: [u8; 32],
    _lock: Lock,
}

/// Sizes of a log; `None` leaves its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sizes {
    /// Bytes at which a segment is closed.
    pub segment_bytes: Option<u64>,
    /// Bytes that stay free on the disk.
    pub reserve_bytes: Option<u64>,
}

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The key is missing or unreadable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The log is.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The picture of the log could neither be opened nor made anew.
    #[error(transparent)]
    Picture(#[from] super::picture::PictureError),
}

impl Recorder {
    /// Opens `dir` for writing, with the log's own limits; see [`Self::open_with`].
    pub fn open(
        dir: &Path,
        wall: fn() -> Timestamp,
        fold: &mut dyn FnMut(Sealed),
    ) -> Result<Self, OpenError> {
        Self::open_with(dir, wall, Sizes::default(), fold)
    }

    /// Opens `dir` for writing and gives every entry in it to `fold`, in order.
    pub fn open_with(
        dir: &Path,
        wall: fn() -> Timestamp,
        sizes: Sizes,
        fold: &mut dyn FnMut(Sealed),
    ) -> Result<Self, OpenError> {
        let lock = Lock::take(dir)?;
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let key = Key::open(dir, disk.as_ref())?;
        let mut options = LogOptions::new(key.fingerprint());
        options.segment_bytes = sizes.segment_bytes.unwrap_or(options.segment_bytes);
        options.reserve_bytes = sizes.reserve_bytes.unwrap_or(options.reserve_bytes);
        let mut on_batch = |decoded: Decoded| -> Result<(), FoldError> {
            for sealed in entries(decoded.batch)? {
                fold(sealed);
            }
            Ok(())
        };
        let (log, found) = Log::open(dir, disk, options, None, &mut on_batch)?;
        Ok(Self::of(log, &found, &key, lock, wall))
    }

    /// A secret of this folder, derived from its key: what tokens are hashed with.
    pub const fn secret(&self) -> [u8; 32] {
        self.secret
    }

    /// The log's epoch, made once.
    pub fn epoch(&self) -> String {
        self.log.epoch().to_string()
    }

    /// The number of the next event.
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Readers of this log, for threads beside the writer: they see what is durable.
    pub fn reader(&self) -> LogReader {
        self.log.reader()
    }

    /// The number of the next batch: each commit that succeeds takes one.
    pub const fn next_batch(&self) -> u64 {
        self.next_batch
    }

    /// Of a log that was opened.
    pub(super) fn of(
        log: Log,
        found: &Recovered,
        key: &Key,
        lock: Lock,
        wall: fn() -> Timestamp,
    ) -> Self {
        let (next_batch, next_seq) = (found.next_batch, found.next_seq);
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(&key.keyed_hash(b"secrets of the api, 1"));
        secret[16..].copy_from_slice(&key.keyed_hash(b"secrets of the api, 2"));
        Self { log, next_batch, next_seq, wall, secret, _lock: lock }
    }
}

impl Commit for Recorder {
    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError> {
        let refused = |error: RecordError| CommitError::Refused(error.to_string());
        let entries = batch.iter().map(entry).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let events: u64 = entries.iter().map(|entry| entry.events.len() as u64).sum();
        let batch = Batch {
            number: self.next_batch,
            wall: (self.wall)().0,
            first_seq: self.next_seq,
            entries,
            sections: sections(batch),
        };
        match self.log.append(&batch) {
            Ok(()) => {
                self.next_batch += 1;
                self.next_seq += events;
                Ok(())
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn past(&self) -> Arc<dyn Past> {
        Arc::new(Pages::new(self.log.reader()))
    }

    fn last_batch(&self) -> u64 {
        self.next_batch - 1
    }

    fn probe(&mut self) -> Result<(), CommitError> {
        self.log.probe().map_err(|error| failed(&error))
    }
}

fn failed(error: &AppendError) -> CommitError {
    let why = error.to_string();
    match error {
        AppendError::Unknown(_) => CommitError::Unknown(why),
        AppendError::NoRoom { .. } | AppendError::Invalid(_) | AppendError::OutOfOrder { .. } => {
            CommitError::Refused(why)
        }
    }
}

/// The personal data of all entries, each with the number of its entry.
fn sections(batch: &[Sealed]) -> Vec<Section> {
    let section = |(entry, said): (u32, &Said)| Section {
        entry,
        owner: match &said.of {
            Whose::Person(id) => Owner::Person(*id.0.as_bytes()),
            Whose::Agent(id) => Owner::Agent(id.to_string()),
        },
        field: said.field.clone(),
        bytes: said.text.clone().into_bytes(),
    };
    let numbered = (0..).zip(batch);
    let all =
        numbered.flat_map(|(entry, sealed)| sealed.cause.said.iter().map(move |s| (entry, s)));
    all.map(section).collect()
}

fn said_in(section: Section) -> Result<(u32, Said), RecordError> {
    let of = match section.owner {
        Owner::Person(id) => Whose::Person(PersonId(Uuid::from_bytes(id))),
        Owner::Agent(slug) => Whose::Agent(
            AgentId::new(&slug)
                .map_err(|error| RecordError::Entity { kind: 0, cause: error.to_string() })?,
        ),
    };
    let text = String::from_utf8_lossy(&section.bytes).into_owned();
    Ok((section.entry, Said { of, field: section.field, text }))
}

fn entry(sealed: &Sealed) -> Result<Entry, RecordError> {
    let event = |numbered: &Numbered| {
        let Recorded { entity, version: entity_version, at, event } = &numbered.recorded;
        let (kind, version, payload) = records::encode(event)?;
        let (entity_kind, id) = records::entity_key(entity);
        Ok(EventRecord {
            kind,
            version,
            entity: EntityKey { kind: entity_kind, id },
            entity_version: *entity_version,
            previous: numbered.previous,
            at: (*at != sealed.now).then_some(at.0),
            payload,
        })
    };
    Ok(Entry {
        by: sealed.cause.by.clone(),
        session: sealed.cause.session,
        now: sealed.now.0,
        receipt: sealed.cause.receipt.as_ref().map(receipt),
        events: sealed.events.iter().map(event).collect::<Result<_, _>>()?,
    })
}

fn receipt(receipt: &Receipt) -> super::Receipt {
    let (kind, id) = records::entity_key(&receipt.entity);
    super::Receipt {
        token: *receipt.token.0.as_bytes(),
        key: receipt.key,
        body: receipt.request,
        status: receipt.status,
        entity: EntityKey { kind, id },
    }
}

fn receipt_of(receipt: super::Receipt, wall: Timestamp) -> Result<Receipt, RecordError> {
    let super::Receipt { token, key, body, status, entity } = receipt;
    let token = CredentialId(Uuid::from_bytes(token));
    let entity = records::entity_of(entity.kind, &entity.id)?;
    Ok(Receipt { token, key, request: body, status, entity, wall })
}

/// The entries of a batch that was read.
pub fn entries(batch: Batch) -> Result<Vec<Sealed>, RecordError> {
    let (mut seq, wall) = (batch.first_seq, Timestamp(batch.wall));
    let mut said = batch.sections.into_iter().map(said_in).collect::<Result<Vec<_>, _>>()?;
    let mut sealed = Vec::with_capacity(batch.entries.len());
    for entry in batch.entries {
        let now = Timestamp(entry.now);
        let mut events = Vec::with_capacity(entry.events.len());
        for record in entry.events {
            let entity = records::entity_of(record.entity.kind, &record.entity.id)?;
            let event = records::decode(record.kind, record.version, &record.payload)?;
            let at = record.at.map_or(now, Timestamp);
            let recorded = Recorded { entity, version: record.entity_version, at, event };
            events.push(Numbered { seq, previous: record.previous, recorded });
            seq += 1;
        }
        let mine = said.extract_if(.., |(of, _)| usize::try_from(*of) == Ok(sealed.len()));
        let mine = mine.map(|(_, said)| said).collect();
        let receipt = entry.receipt.map(|receipt| receipt_of(receipt, wall)).transpose()?;
        let cause = Cause { by: entry.by, session: entry.session, said: mine, receipt };
        sealed.push(Sealed { cause, now, events });
    }
    Ok(sealed)
}
