//! Torn ends are cut whole, damage refuses the start by segment and offset and changes nothing.

use std::sync::Arc;

use atalaya::journal::{
    Cut, Disk, Erased, FORMAT_VERSION, HEADER_BYTES, Log, LogError, Owner, Recovered, SectionState,
    UnsoundSection, verify,
};

use crate::fault_disk::FaultDisk;
use crate::support::{
    FINGERPRINT, batch, dir, following, frame_offsets, open, open_with, options, segment_path,
    written,
};

/// Opens where sections of these were erased.
fn open_erased(disk: &FaultDisk, erased: Erased) -> Result<(Log, Recovered), LogError> {
    let (mut options, disk): (_, Arc<dyn Disk>) = (options(), Arc::new(disk.clone()));
    options.erased = erased;
    Log::open(dir(), disk, options, None, &mut |_| Ok(()))
}

fn of_persons(section: &UnsoundSection) -> bool {
    matches!(section.owner, Owner::Person(_))
}

fn of_agents(section: &UnsoundSection) -> bool {
    matches!(section.owner, Owner::Agent(_))
}

/// The damage that a start names, and `verify` too; the disk must be as it was.
fn refused(disk: &FaultDisk) -> (u64, u64, String) {
    let before: Vec<_> = disk.files().iter().map(|path| disk.bytes(path)).collect();
    let error = open(disk).map(|_| ()).expect_err("a start on damage");
    let after: Vec<_> = disk.files().iter().map(|path| disk.bytes(path)).collect();
    assert!(before == after, "a refused start changed the log");
    let verified = verify(dir(), disk, FINGERPRINT).expect_err("verify on damage");
    assert_eq!(verified.to_string(), error.to_string(), "verify says something else");
    match error {
        LogError::Damage { segment, offset, what } => (segment, offset, what),
        other => panic!("refused, but not as damage: {other}"),
    }
}

#[test]
fn cut_at_every_byte_of_the_last_three_batches() {
    let (disk, batches) = written(4);
    let path = segment_path(1);
    let bytes = disk.bytes(&path);
    let offsets = frame_offsets(&bytes);
    for end in offsets[1]..=bytes.len() {
        disk.set_bytes(&path, &bytes[..end]);
        let whole = offsets.iter().filter(|offset| **offset <= end).count() - 1;
        let (mut log, recovered, seen) = open(&disk).unwrap();
        assert_eq!(seen, batches[..whole], "cut at {end}");
        let left = end - offsets[whole];
        let cut = Cut { segment: 1, offset: offsets[whole] as u64, bytes: left as u64 };
        assert_eq!(recovered.cut, (left != 0).then_some(cut), "cut at {end}");
        assert_eq!(disk.bytes(&path).len(), offsets[whole], "the torn end stayed");
        let next = following(&log, 2);
        log.append(&next).unwrap();
        assert_eq!(open(&disk).unwrap().2.last(), Some(&next));
    }
}

#[test]
fn a_torn_end_of_zeros_or_rubbish_is_cut_whole() {
    let (disk, batches) = written(3);
    let path = segment_path(1);
    let bytes = disk.bytes(&path);
    let last = frame_offsets(&bytes)[2];
    for from in (last..bytes.len()).step_by(7) {
        for filler in [0x00, 0xFF] {
            let mut torn = bytes.clone();
            torn[from..].fill(filler);
            disk.set_bytes(&path, &torn);
            let (_, recovered, seen) = open(&disk).unwrap();
            assert_eq!(seen, batches[..2], "filled from {from}");
            assert_eq!(recovered.cut.unwrap().offset, last as u64);
        }
    }
}

/// Every byte, hence every field, of a middle batch up to its sections' bytes.
#[test]
fn a_flip_in_any_covered_byte_of_a_middle_batch_refuses() {
    let (disk, _) = written(3);
    let path = segment_path(1);
    let bytes = disk.bytes(&path);
    let middle = frame_offsets(&bytes)[1];
    let covered = u32::from_le_bytes(bytes[middle + 12..middle + 16].try_into().unwrap()) as usize;
    for at in middle..middle + covered {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        disk.set_bytes(&path, &flipped);
        let (segment, offset, _) = refused(&disk);
        assert_eq!((segment, offset), (1, middle as u64), "flip at byte {}", at - middle);
    }
}

#[test]
fn a_flip_in_a_middle_section_is_damage_unless_erased() {
    let (disk, _) = written(3);
    let path = segment_path(1);
    let bytes = disk.bytes(&path);
    let offsets = frame_offsets(&bytes);
    // Each with its CRC: a person's, then an agent's.
    let (person, agent) = (4 + 12, 4 + 23);
    for at in offsets[2] - person - agent..offsets[2] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        disk.set_bytes(&path, &flipped);
        let (segment, offset, what) = refused(&disk);
        assert_eq!((segment, offset), (1, offsets[1] as u64), "flip at {at}: {what}");
        for mark in [1, 2, 3] {
            let error = open_with(&disk, Some(mark)).map(|_| ()).expect_err("behind the mark");
            assert!(matches!(error, LogError::Damage { segment: 1, .. }), "{error}");
        }
        let is_persons = at < offsets[2] - agent;
        let (its_own, others): (Erased, Erased) =
            if is_persons { (of_persons, of_agents) } else { (of_agents, of_persons) };
        open_erased(&disk, others).map(|_| ()).expect_err("another was erased");
        let (_, recovered) = open_erased(&disk, its_own).unwrap();
        assert_eq!(recovered.unsound.len(), 1, "flip at {at}");
    }
}

/// The end is torn and would be cut: not before all of the log is known to be sound.
#[test]
fn nothing_is_cut_of_a_log_with_a_damaged_section() {
    let (disk, _) = written(4);
    let path = segment_path(1);
    let mut bytes = disk.bytes(&path);
    let offsets = frame_offsets(&bytes);
    bytes.truncate(bytes.len() - 1);
    bytes[offsets[2] - 1] ^= 1;
    disk.set_bytes(&path, &bytes);
    let (segment, offset, what) = refused(&disk);
    assert_eq!((segment, offset), (1, offsets[1] as u64));
    assert!(what.contains("section 1 (why) of batch 2"), "{what}");
}

#[test]
fn a_flip_in_the_last_batch_is_found_where_the_state_has_it() {
    let (disk, _) = written(3);
    let path = segment_path(1);
    let bytes = disk.bytes(&path);
    for at in [bytes.len() - 1, frame_offsets(&bytes)[2] + 20] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        disk.set_bytes(&path, &flipped);
        let error = open_with(&disk, Some(3)).map(|_| ()).expect_err("batch 3 was acknowledged");
        assert!(
            matches!(error, LogError::BehindState { applied: 3, last: 2, segment: 1, .. }),
            "{error}"
        );
        assert_eq!(disk.bytes(&path), flipped, "a refused start changed the log");
    }
    disk.set_bytes(&path, &bytes);
    assert_eq!(open_with(&disk, Some(2)).unwrap().2.len(), 1, "the fold gets what is after 2");
}

#[test]
fn nothing_but_the_last_segment_may_be_torn() {
    let (disk, _) = written(12);
    let first = disk.bytes(&segment_path(1));
    let end = first.len() as u64;
    disk.set_bytes(&segment_path(1), &first[..first.len() - 1]);
    assert_eq!(refused(&disk).0, 1);
    let mut longer = first.clone();
    longer.push(0);
    disk.set_bytes(&segment_path(1), &longer);
    assert_eq!(refused(&disk), (1, end, "bytes behind its last batch".to_owned()));
    disk.set_bytes(&segment_path(1), &first);
    open(&disk).unwrap();
}

#[test]
fn a_flip_in_any_byte_of_any_header_refuses() {
    let (disk, _) = written(12);
    for number in 1..=3 {
        let path = segment_path(number);
        let bytes = disk.bytes(&path);
        for at in 0..HEADER_BYTES {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            disk.set_bytes(&path, &flipped);
            assert_eq!(refused(&disk).0, number, "flip at {at}");
        }
        disk.set_bytes(&path, &bytes);
    }
}

/// Who alters a batch and mends its CRC has the next one against them.
#[test]
fn an_altered_batch_with_a_fitting_crc_breaks_the_chain() {
    let (disk, _) = written(3);
    let path = segment_path(1);
    let mut bytes = disk.bytes(&path);
    let offsets = frame_offsets(&bytes);
    let frame = &mut bytes[offsets[0]..offsets[1]];
    let covered = u32::from_le_bytes(frame[12..16].try_into().unwrap()) as usize;
    frame[24] ^= 1; // the wall instant
    let crc = crc32fast::hash(&frame[8..covered]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    disk.set_bytes(&path, &bytes);
    let (segment, offset, what) = refused(&disk);
    assert_eq!((segment, offset), (1, offsets[1] as u64));
    assert!(what.contains("the hash of the one before"), "{what}");
}

#[test]
fn a_missing_segment_and_a_foreign_one_refuse() {
    let (disk, _) = written(12);
    let second = disk.bytes(&segment_path(2));
    let fresh = written(12).0;
    disk.set_bytes(&segment_path(2), &fresh.bytes(&segment_path(2)));
    assert_eq!(refused(&disk).0, 2, "another log's segment");
    disk.set_bytes(&segment_path(2), &second);
    atalaya::journal::Disk::remove(&disk, &segment_path(2)).unwrap();
    assert_eq!(refused(&disk), (2, 0, "its file is missing".to_owned()));
}

#[test]
fn a_last_segment_with_a_short_header_is_removed_unless_a_batch_lies_in_it() {
    let (disk, batches) = written(12);
    let third = disk.bytes(&segment_path(3));
    let kept = batches.len() - (frame_offsets(&third).len() - 1);
    for size in [0, 1, HEADER_BYTES - 1] {
        disk.set_bytes(&segment_path(3), &third[..size]);
        let (mut log, _, seen) = open(&disk).unwrap();
        assert_eq!(seen, batches[..kept]);
        assert!(!disk.files().contains(&segment_path(3)));
        log.append(&following(&log, 2)).unwrap();
    }
    let mut headless = third.clone();
    headless[HEADER_BYTES - 1] ^= 1;
    disk.set_bytes(&segment_path(3), &headless);
    let (segment, _, what) = refused(&disk);
    assert!(segment == 3 && what.contains("an intact batch lies at byte 124"), "{what}");
}

#[test]
fn a_newer_format_and_another_key_are_refused_by_name() {
    let (disk, _) = written(1);
    let path = segment_path(1);
    let bytes = disk.bytes(&path);
    let mut newer = bytes.clone();
    newer[8] = 3;
    let crc = crc32fast::hash(&newer[..HEADER_BYTES - 4]);
    newer[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
    disk.set_bytes(&path, &newer);
    let error = open(&disk).map(|_| ()).expect_err("a newer format");
    assert!(matches!(error, LogError::NewerFormat { segment: 1, found: 3, known: FORMAT_VERSION }));
    let mut other = bytes.clone();
    other[28] ^= 1;
    let crc = crc32fast::hash(&other[..HEADER_BYTES - 4]);
    other[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
    disk.set_bytes(&path, &other);
    let error = open(&disk).map(|_| ()).expect_err("another key");
    assert!(matches!(error, LogError::OtherKey { segment: 1 }));
}

#[test]
fn erasing_blanks_in_place_and_the_log_stays_whole() {
    let (disk, batches) = written(8);
    let (mut log, _, _) = open(&disk).unwrap();
    // The last batch too: then a new segment follows, or it would look torn.
    for number in [2, 8] {
        let mut person =
            |section: &atalaya::journal::Section| matches!(section.owner, Owner::Person(_));
        assert_eq!(log.blank(number, &mut person).unwrap(), 1);
        assert_eq!(log.blank(number, &mut |_| false).unwrap(), 0);
    }
    for path in disk.files() {
        let bytes = disk.bytes(&path);
        let found = bytes.windows(12).filter(|twelve| twelve == b"+34600111222").count();
        let batches = frame_offsets(&bytes).len() - 1;
        assert!(batches == 0 || found == batches - 1, "{found} of {batches} are left");
    }
    // Blanks that no event names are damage as any other.
    assert_eq!(refused(&disk).0, 1);
    let before = open_erased(&disk, of_persons).unwrap().1.next_batch - 1;
    assert_eq!(before, batches.len() as u64, "a blanked last batch was taken for a torn one");
    let next = following(&log, 2);
    log.append(&next).unwrap();
    let mut seen = Vec::new();
    let mut erased = options();
    erased.erased = of_persons;
    let (_, recovered) = Log::open(dir(), Arc::new(disk.clone()), erased, None, &mut |decoded| {
        seen.push(decoded);
        Ok(())
    })
    .unwrap();
    assert_eq!(seen.len(), batches.len() + 1);
    assert_eq!(seen[1].states, [SectionState::Blank, SectionState::Intact]);
    let unsound: Vec<_> = recovered.unsound.iter().map(|one| (one.batch, one.index)).collect();
    assert_eq!(unsound, [(2, 0), (8, 0)]);
    assert!(log.blank(99, &mut |_| true).is_err());
    assert_eq!(seen[8].batch, batch(9, 17, 2));
}
