//! Backup and restore below the command line: what they leave when they die at each call, and what
//! they say of a copy that is not what was written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atalaya::journal::{
    Batch, CareError, Disk, HEADER_BYTES, KEY_FILE, Key, KeyError, LOG_FOLDER, Log, LogError,
    LogOptions, MANIFEST_FILE, Manifest, Unfinished, backup, path_of, restore, verify,
    verify_backup,
};

use crate::fault_disk::{Fault, FaultDisk, Unsynced};
use crate::support::{SEGMENT_BYTES, dir, following, frame_offsets};

const CRASHES: [Unsynced; 4] = [Unsynced::Lost, Unsynced::Kept, Unsynced::Torn, Unsynced::Zeroed];
/// Batches of the log that is copied: three segments.
const BATCHES: u64 = 12;

fn copy() -> &'static Path {
    Path::new("/copy")
}

fn other() -> &'static Path {
    Path::new("/other")
}

fn segment_of(dir: &Path, number: u64) -> PathBuf {
    path_of(&dir.join(LOG_FOLDER), number)
}

fn open(dir: &Path, disk: &FaultDisk) -> Result<(Log, Vec<Batch>), String> {
    let key = Key::open(dir, disk).map_err(|error| error.to_string())?;
    let mut options = LogOptions::new(key.fingerprint());
    (options.segment_bytes, options.reserve_bytes) = (SEGMENT_BYTES, 0);
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut seen = Vec::new();
    let opened = Log::open(dir, disk, options, None, &mut |decoded| {
        seen.push(decoded.batch);
        Ok(())
    });
    Ok((opened.map_err(|error| error.to_string())?.0, seen))
}

/// A data folder with a log, and its batches.
fn written() -> (FaultDisk, Vec<Batch>) {
    let disk = FaultDisk::new();
    let (mut log, mut batches) = open(dir(), &disk).unwrap();
    for _ in 0..BATCHES {
        batches.push(following(&log, 1));
        log.append(batches.last().unwrap()).unwrap();
    }
    (disk, batches)
}

fn backed_up() -> (FaultDisk, Vec<Batch>, Manifest) {
    let (disk, batches) = written();
    let manifest = backup(dir(), copy(), &disk).unwrap();
    (disk, batches, manifest)
}

fn files_of(disk: &FaultDisk, dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = disk.files().into_iter().filter(|path| path.starts_with(dir));
    files.map(|path| (path.clone(), disk.bytes(&path))).collect()
}

fn is_unfinished(error: &CareError) -> bool {
    matches!(error, CareError::Key(KeyError::Unfinished(_)))
}

#[test]
fn a_backup_and_its_restore_hold_what_the_log_held_under_a_new_epoch() {
    let (disk, batches, manifest) = backed_up();
    assert_eq!((manifest.batches, manifest.next_seq), (BATCHES, 1 + 2 * BATCHES));
    for number in 1..=3 {
        let (old, new) = (segment_of(dir(), number), segment_of(copy(), number));
        assert_eq!(disk.bytes(&old), disk.bytes(&new), "segment {number}");
    }
    assert_eq!(verify_backup(copy(), &disk).unwrap(), manifest);
    let refused = open(copy(), &disk).map(|_| ()).expect_err("a start on a backup");
    assert!(refused.contains("it is a backup; restore it"), "{refused}");

    let restored = restore(copy(), other(), &disk).unwrap();
    assert_ne!(restored.epoch, manifest.epoch);
    let (mut log, seen) = open(other(), &disk).unwrap();
    assert_eq!((log.epoch(), &seen), (restored.epoch, &batches));
    for _ in 0..BATCHES {
        log.append(&following(&log, 2)).unwrap();
    }
    // It goes on, is copied and restored as any other, and every epoch is told with its place.
    let again = Path::new("/again");
    let second = backup(other(), again, &disk).unwrap();
    assert_eq!((second.epoch, second.batches), (restored.epoch, 2 * BATCHES));
    let third = restore(again, Path::new("/third"), &disk).unwrap();
    let key = Key::read(Path::new("/third"), &disk).unwrap();
    let report = verify(Path::new("/third"), &disk, key.fingerprint()).unwrap();
    let epochs: Vec<_> = report.epochs.iter().map(|one| (one.epoch, one.first_batch)).collect();
    let places =
        [(manifest.epoch, 1), (restored.epoch, BATCHES + 1), (third.epoch, 2 * BATCHES + 1)];
    assert_eq!((epochs, report.epoch), (places.to_vec(), Some(third.epoch)));
    assert_eq!(open(Path::new("/third"), &disk).unwrap().1.len() as u64, 2 * BATCHES);
}

/// The source's last segment has half a batch behind its end, as beside a server that is writing.
#[test]
fn a_batch_that_is_being_written_is_left_out() {
    let (disk, _) = written();
    let path = segment_of(dir(), 3);
    let whole = disk.bytes(&path);
    for cut in [1, 40, 200] {
        let disk = disk.crashed(Unsynced::Kept);
        disk.set_bytes(&path, &whole[..whole.len() - cut]);
        let manifest = backup(dir(), copy(), &disk).unwrap();
        assert_eq!(manifest.batches, BATCHES - 1);
        let offsets = frame_offsets(&whole);
        let end = offsets[offsets.len() - 2];
        assert_eq!(disk.bytes(&segment_of(copy(), 3)), whole[..end]);
        assert_eq!(disk.bytes(&path), whole[..whole.len() - cut], "the source was changed");
        restore(copy(), other(), &disk).unwrap();
        assert_eq!(open(other(), &disk).unwrap().1.len() as u64, BATCHES - 1);
    }
}

#[test]
fn a_backup_that_dies_at_any_call_is_whole_or_refused_by_name() {
    let (disk, _) = written();
    let (before, log) = (disk.calls(), files_of(&disk, dir()));
    backup(dir(), copy(), &disk).unwrap();
    let calls = disk.calls() - before;
    let (mut whole, mut unfinished, mut nothing) = (0, 0, 0);
    for call in 0..=calls {
        let (disk, _) = written();
        disk.fail_at(disk.calls() + call, Fault::Dies);
        let told = backup(dir(), copy(), &disk).is_ok();
        for unsynced in CRASHES {
            let at = format!("died at {call}, {unsynced:?}");
            let disk = disk.crashed(unsynced);
            let source = files_of(&disk, dir());
            assert!(source.len() == log.len(), "{at}: the source has other files");
            match verify_backup(copy(), &disk) {
                Ok(_) => {
                    restore(copy(), other(), &disk).unwrap_or_else(|error| panic!("{at}: {error}"));
                    whole += 1;
                }
                Err(error) => {
                    assert!(!told, "{at}: it was said to be done: {error}");
                    let is_nothing = files_of(&disk, copy()).is_empty();
                    let is_no_backup = matches!(error, CareError::NoBackup { .. });
                    assert!(is_unfinished(&error) || (is_nothing && is_no_backup), "{at}: {error}");
                    restore(copy(), other(), &disk).map(|_| ()).expect_err(&at);
                    assert!(files_of(&disk, other()).is_empty(), "{at}: a restore began");
                    if is_nothing { nothing += 1 } else { unfinished += 1 }
                }
            }
        }
    }
    eprintln!("{calls} calls: {whole} whole, {unfinished} refused, {nothing} nothing");
    assert!(0 < nothing && nothing < unfinished && 0 < whole, "{whole} {unfinished} {nothing}");
}

#[test]
fn a_restore_that_dies_at_any_call_is_nothing_refused_or_whole_and_the_next_one_ends() {
    let (disk, batches, _) = backed_up();
    let before = disk.calls();
    restore(copy(), other(), &disk).unwrap();
    let calls = disk.calls() - before;
    let (mut whole, mut refused, mut nothing) = (0, 0, 0);
    for call in 0..=calls {
        let (disk, ..) = backed_up();
        disk.fail_at(disk.calls() + call, Fault::Dies);
        let told = restore(copy(), other(), &disk).is_ok();
        for unsynced in CRASHES {
            let at = format!("died at {call}, {unsynced:?}");
            let crashed = disk.crashed(unsynced);
            let left = files_of(&crashed, other());
            // A start makes a new log where there is nothing, so it looks at a copy of its own.
            let begun = open(other(), &crashed.crashed(Unsynced::Kept));
            match &begun {
                Ok((_, seen)) if left.is_empty() => {
                    assert!(seen.is_empty() && !told, "{at}");
                    nothing += 1;
                }
                Ok((_, seen)) => {
                    assert_eq!(seen, &batches, "{at}: half a log was taken for a whole one");
                    whole += 1;
                }
                Err(error) => {
                    assert!(error.contains("a restore into it did not end"), "{at}: {error}");
                    assert!(!told, "{at}: it was said to be done");
                    refused += 1;
                }
            }
            match restore(copy(), other(), &crashed) {
                Ok(_) => assert_eq!(open(other(), &crashed).unwrap().1, batches, "{at}"),
                Err(CareError::NotEmpty { .. }) => assert!(begun.is_ok(), "{at}"),
                Err(error) => panic!("{at}: the second restore: {error}"),
            }
        }
    }
    eprintln!("{calls} calls: {whole} whole, {refused} refused, {nothing} nothing");
    assert!(0 < nothing && nothing < refused && 0 < whole, "{whole} {refused} {nothing}");
}

/// Every byte of a middle batch, one in seven of the rest.
#[test]
fn a_flipped_byte_of_a_backup_is_named_by_segment_and_offset() {
    let (disk, ..) = backed_up();
    let mut flips = 0;
    for number in 1..=3 {
        let path = segment_of(copy(), number);
        let bytes = disk.bytes(&path);
        let offsets = frame_offsets(&bytes);
        let is_middle = |at: usize| number == 2 && (offsets[1]..offsets[2]).contains(&at);
        for at in (0..bytes.len()).filter(|at| at % 7 == 0 || is_middle(*at)) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            disk.set_bytes(&path, &flipped);
            let error = verify_backup(copy(), &disk).expect_err("a flipped byte");
            let place = match error {
                CareError::Damaged { segment, offset, .. } => Some((segment, offset)),
                // The last header: then there is no such segment, and the log ends before it.
                _ => None,
            };
            let from = offsets.iter().rev().find(|from| **from <= at).copied().unwrap_or(0);
            let (segment, offset) = place.unwrap_or_else(|| panic!("{number} {at}: not named"));
            assert_eq!(segment, number, "flip at {at}: {offset}");
            let offset = usize::try_from(offset).unwrap();
            assert!(offset == from || at < HEADER_BYTES, "flip at {at}: named at {offset}");
            flips += 1;
            if flips % 50 == 0 {
                restore(copy(), other(), &disk).map(|_| ()).expect_err("a restore of damage");
                assert!(files_of(&disk, other()).is_empty(), "a restore of damage began");
            }
        }
        disk.set_bytes(&path, &bytes);
    }
    eprintln!("{flips} flips");
    verify_backup(copy(), &disk).unwrap();
}

#[test]
fn a_backup_without_a_part_or_with_another_key_is_refused_by_name() {
    let refused = |spoil: &dyn Fn(&FaultDisk)| {
        let (disk, ..) = backed_up();
        spoil(&disk);
        let error = verify_backup(copy(), &disk).expect_err("a spoilt backup").to_string();
        let again = restore(copy(), other(), &disk).map(|_| ()).expect_err("a spoilt backup");
        assert_eq!(again.to_string(), error);
        assert!(files_of(&disk, other()).is_empty(), "{error}: a restore began");
        error
    };
    let remove = |path: PathBuf| move |disk: &FaultDisk| disk.remove(&path).unwrap();
    let says = |error: String, what: &str| assert!(error.contains(what), "{error}");
    says(refused(&remove(copy().join(MANIFEST_FILE))), "it is no backup");
    says(refused(&remove(copy().join(KEY_FILE))), "key is missing");
    says(refused(&remove(segment_of(copy(), 2))), "segment 2 is damaged at byte 0");
    says(refused(&remove(segment_of(copy(), 3))), "segment 2 is damaged");
    says(
        refused(&|disk| disk.set_bytes(&copy().join(KEY_FILE), &[3; 32])),
        "segment 1 was written with another key",
    );
    let manifest = copy().join(MANIFEST_FILE);
    for at in [0, 20, 60, 150] {
        let flip = |disk: &FaultDisk| {
            let mut bytes = disk.bytes(&manifest);
            bytes[at] ^= 1;
            disk.set_bytes(&manifest, &bytes);
        };
        says(refused(&flip), "its manifest is damaged");
    }
}

#[test]
fn what_is_not_empty_or_has_no_room_is_refused_and_left_alone() {
    let (disk, ..) = backed_up();
    let before = files_of(&disk, copy());
    for target in [copy(), dir()] {
        let error = backup(dir(), target, &disk).expect_err("it is full");
        assert!(matches!(error, CareError::NotEmpty { .. }), "{error}");
    }
    let error = restore(copy(), dir(), &disk).map(|_| ()).expect_err("it is full");
    assert!(matches!(error, CareError::NotEmpty { .. }), "{error}");
    assert!(files_of(&disk, copy()) == before, "the backup was changed");
    disk.set_free(10_000);
    let error = backup(dir(), other(), &disk).expect_err("no room");
    assert!(matches!(error, CareError::NoRoom { free: 10_000, .. }), "{error}");
    assert!(files_of(&disk, other()).is_empty());
}

#[test]
fn a_damaged_source_is_not_copied() {
    let (disk, _) = written();
    let path = segment_of(dir(), 2);
    let mut bytes = disk.bytes(&path);
    bytes[HEADER_BYTES + 30] ^= 1;
    disk.set_bytes(&path, &bytes);
    let error = backup(dir(), copy(), &disk).expect_err("damage");
    assert!(matches!(error, CareError::Log(LogError::Damage { segment: 2, .. })), "{error}");
    assert!(files_of(&disk, copy()).is_empty());
    let marked = Unfinished::Backup { dir: copy().to_path_buf() };
    assert!(marked.to_string().contains("take the folder away"), "{marked}");
}

/// A segment of another epoch is another log's, unless a restore began it.
#[test]
fn an_epoch_changes_by_a_restore_only() {
    let (disk, ..) = backed_up();
    let restored = restore(copy(), other(), &disk).unwrap();
    let path = segment_of(other(), 4);
    let good = disk.bytes(&path);
    let key = Key::read(other(), &disk).unwrap().fingerprint();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        let crc = crc32fast::hash(&bytes[..HEADER_BYTES - 4]).to_le_bytes();
        bytes[HEADER_BYTES - 4..].copy_from_slice(&crc);
        disk.set_bytes(&path, &bytes);
        verify(other(), &disk, key).map(|report| report.epoch)
    };
    assert_eq!(with(&|_| ()).unwrap(), Some(restored.epoch));
    let plain = with(&|bytes| (bytes[8], bytes[117]) = (1, 0)).expect_err("an epoch by itself");
    assert!(plain.to_string().contains("another log's epoch"), "{plain}");
    let old = disk.bytes(&segment_of(other(), 3))[12..28].to_vec();
    let same = with(&|bytes| bytes[12..28].copy_from_slice(&old)).expect_err("the old epoch");
    assert!(same.to_string().contains("another log's epoch"), "{same}");
    let other_past = with(&|bytes| bytes[70] ^= 1).expect_err("another past");
    assert!(other_past.to_string().contains("does not follow"), "{other_past}");
}
