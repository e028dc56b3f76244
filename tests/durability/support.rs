//! Batches and logs for the durability tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atalaya::journal::{
    Batch, Decoded, Disk, EntityKey, Entry, EventRecord, LOG_FOLDER, Log, LogError, LogOptions,
    Owner, Receipt, Recovered, Section, path_of,
};

use crate::fault_disk::FaultDisk;

pub(crate) const FINGERPRINT: [u8; 16] = [7; 16];
/// Bytes of a segment in these tests: five batches of [`batch`].
pub(crate) const SEGMENT_BYTES: u64 = 4096;

pub(crate) fn dir() -> &'static Path {
    Path::new("/data")
}

pub(crate) fn segment_path(number: u64) -> PathBuf {
    path_of(&dir().join(LOG_FOLDER), number)
}

pub(crate) fn options() -> LogOptions {
    let mut options = LogOptions::new(FINGERPRINT);
    (options.segment_bytes, options.reserve_bytes) = (SEGMENT_BYTES, 0);
    options
}

fn entity(kind: u8, id: &[u8]) -> EntityKey {
    EntityKey { kind, id: id.to_vec() }
}

/// A batch with every kind of part; `salt` tells one try of it from another.
pub(crate) fn batch(number: u64, first_seq: u64, salt: u8) -> Batch {
    let event = |kind: u16, at: Option<i64>, size: usize| EventRecord {
        kind,
        version: 1,
        entity: entity(2, b"ana.garcia"),
        entity_version: number,
        previous: first_seq - 1,
        at,
        payload: vec![salt; size],
    };
    let receipt = Receipt {
        token: [1; 16],
        key: [2; 16],
        body: [salt; 16],
        status: 201,
        entity: entity(3, &[9; 16]),
    };
    let person = Owner::Person([5; 16]);
    let agent = Owner::Agent("ana.garcia".to_owned());
    let section = |entry, owner, field: &str, bytes: &[u8]| Section {
        entry,
        owner,
        field: field.to_owned(),
        bytes: bytes.to_vec(),
    };
    let entry = |by: &str, session, receipt, events| Entry {
        by: by.to_owned(),
        session,
        now: 1_700_000_000_000_000 + i64::try_from(number).unwrap(),
        receipt,
        events,
    };
    Batch {
        number,
        wall: 1_700_000_000_000_000 + i64::try_from(number).unwrap(),
        first_seq,
        entries: vec![
            entry(
                "supervisor:eva",
                Some([4; 16]),
                Some(receipt),
                vec![event(17, None, 200), event(18, Some(-5), 90)],
            ),
            entry("auditor:luis", None, None, vec![]),
        ],
        sections: vec![
            section(0, person, "from", b"+34600111222"),
            section(1, agent, "why", b"a reason of some length"),
        ],
    }
}

pub(crate) fn following(log: &Log, salt: u8) -> Batch {
    batch(log.next_batch(), log.next_seq(), salt)
}

/// Opens, and gives what was handed to the fold.
pub(crate) fn open_with(
    disk: &FaultDisk,
    applied: Option<u64>,
) -> Result<(Log, Recovered, Vec<Decoded>), LogError> {
    let mut seen = Vec::new();
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (log, recovered) = Log::open(dir(), disk, options(), applied, &mut |decoded| {
        seen.push(decoded);
        Ok(())
    })?;
    Ok((log, recovered, seen))
}

pub(crate) fn open(disk: &FaultDisk) -> Result<(Log, Recovered, Vec<Batch>), LogError> {
    let (log, recovered, seen) = open_with(disk, None)?;
    Ok((log, recovered, seen.into_iter().map(|decoded| decoded.batch).collect()))
}

/// A log of `count` batches, closed.
pub(crate) fn written(count: u64) -> (FaultDisk, Vec<Batch>) {
    let disk = FaultDisk::new();
    let (mut log, _, _) = open(&disk).unwrap();
    let mut batches = Vec::new();
    for _ in 0..count {
        let batch = following(&log, 1);
        log.append(&batch).unwrap();
        batches.push(batch);
    }
    (disk, batches)
}

/// Where each frame of a segment begins, and the end.
pub(crate) fn frame_offsets(bytes: &[u8]) -> Vec<usize> {
    let mut at = atalaya::journal::HEADER_BYTES;
    let mut offsets = vec![at];
    while at < bytes.len() {
        at += u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        offsets.push(at);
    }
    offsets
}
