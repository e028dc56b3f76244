//! The data folder on a real disk: lock, key, room, and a log that is closed and opened.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use atalaya::journal::{
    AppendError, KEY_FILE, Key, KeyError, LOCK_FILE, Lock, LockError, Log, RealDisk, verify,
};

use crate::fault_disk::FaultDisk;
use crate::support::{dir, following, open, options};

#[test]
fn the_lock_names_its_holder_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::take(folder.path()).unwrap();
    let error = Lock::take(folder.path()).expect_err("it is held");
    let ours = std::process::id();
    assert!(matches!(error, LockError::Held { pid: Some(pid), .. } if pid == ours), "{error}");
    assert!(error.to_string().ends_with(&format!("a server (pid {ours}) has it")), "{error}");
    drop(lock);
    fs::write(folder.path().join(LOCK_FILE), "99999999999 is longer than any pid").unwrap();
    let _lock = Lock::take(folder.path()).unwrap();
    let text = fs::read_to_string(folder.path().join(LOCK_FILE)).unwrap();
    assert_eq!(text, format!("{ours}\n"));
}

#[test]
fn key_and_log_are_private_and_come_back() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let key = Key::open(dir, &RealDisk).unwrap();
    let mut options = options();
    options.key_fingerprint = key.fingerprint();
    let disk = Arc::new(RealDisk);
    let (mut log, first) =
        Log::open(dir, disk.clone(), options.clone(), None, &mut |_| Ok(())).unwrap();
    let mut batches = Vec::new();
    for _ in 0..12 {
        batches.push(following(&log, 1));
        log.append(batches.last().unwrap()).unwrap();
    }
    drop(log);
    let mut told = Vec::new();
    let (log, recovered) = Log::open(dir, disk, options, Some(4), &mut |decoded| {
        told.push(decoded.batch);
        Ok(())
    })
    .unwrap();
    assert_eq!(told, batches[4..]);
    assert_eq!((recovered.epoch, recovered.next_seq), (first.epoch, 25));
    let report = verify(dir, &RealDisk, Key::read(dir, &RealDisk).unwrap().fingerprint()).unwrap();
    assert_eq!((report.batches, report.events, report.epoch), (12, 24, Some(log.epoch())));
    assert_eq!((report.segments, recovered.segments), (3, 3));
    let mut found: Vec<_> = fs::read_dir(dir.join("log")).unwrap().collect();
    found.extend(fs::read_dir(dir).unwrap());
    for one in found.into_iter().map(Result::unwrap) {
        let mode = one.metadata().unwrap().permissions().mode() & 0o777;
        assert!(one.path().is_dir() || mode == 0o600, "{:?} has mode {mode:o}", one.path());
    }
}

#[test]
fn a_log_without_its_key_is_refused() {
    let disk = FaultDisk::new();
    let path = dir().join(KEY_FILE);
    Key::open(dir(), &disk).unwrap();
    open(&disk).unwrap();
    let bytes = disk.bytes(&path);
    atalaya::journal::Disk::remove(&disk, &path).unwrap();
    assert!(matches!(Key::open(dir(), &disk), Err(KeyError::Missing { .. })));
    disk.set_bytes(&path, &bytes[..31]);
    assert!(matches!(Key::open(dir(), &disk), Err(KeyError::NotAKey { size: 31, .. })));
    disk.set_bytes(&path, &bytes);
    Key::open(dir(), &disk).unwrap();
}

/// The figures are those of Python's `hmac` and `hashlib`.
#[test]
fn the_keyed_hash_is_hmac_sha_256() {
    let disk = FaultDisk::new();
    disk.set_bytes(&dir().join(KEY_FILE), &[0x0b; 32]);
    let key = Key::open(dir(), &disk).unwrap();
    let hex = |bytes: [u8; 16]| bytes.map(|byte| format!("{byte:02x}")).concat();
    expect_test::expect!["198a607eb44bfbc69903a0f1cf2bbdc5"]
        .assert_eq(&hex(key.keyed_hash(b"Hi There")));
    expect_test::expect!["f0e38b830ebd8a506615ecd154330ec0"].assert_eq(&hex(key.fingerprint()));
    assert_eq!(format!("{key:?}"), "Key(…)");
}

#[test]
fn without_room_nothing_is_written_and_room_heals() {
    let disk = FaultDisk::new();
    let (mut log, _, _) = open(&disk).unwrap();
    let next = following(&log, 1);
    let calls = disk.calls();
    disk.set_free(100);
    let error = log.append(&next).expect_err("no room");
    assert!(matches!(error, AppendError::NoRoom { free: 100, reserve: 0 }), "{error}");
    assert!(matches!(log.probe(), Err(AppendError::NoRoom { free: 100, .. })), "told unasked");
    assert_eq!(disk.calls(), calls, "something was written");
    disk.set_free(10_000);
    log.probe().unwrap();
    assert_eq!(disk.calls(), calls, "a look writes nothing where the segment is sound");
    log.append(&next).unwrap();
}

#[test]
fn batches_out_of_order_or_too_large_are_refused_and_the_log_goes_on() {
    let disk = FaultDisk::new();
    let (mut log, _, _) = open(&disk).unwrap();
    let next = following(&log, 1);
    let calls = disk.calls();
    let mut early = next.clone();
    early.number = 2;
    assert!(matches!(log.append(&early), Err(AppendError::OutOfOrder { .. })));
    let mut ahead = next.clone();
    ahead.first_seq = 2;
    assert!(matches!(log.append(&ahead), Err(AppendError::OutOfOrder { .. })));
    let mut large = next.clone();
    large.entries[0].by = "x".repeat(1000);
    assert!(matches!(log.append(&large), Err(AppendError::Invalid(_))));
    assert_eq!(disk.calls(), calls, "something was written");
    log.append(&next).unwrap();
}
