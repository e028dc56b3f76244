//! A log whose disk fails or whose process dies at each call in turn, over three rotations.

use atalaya::journal::{AppendError, Batch, Key, Log, verify};

use crate::fault_disk::{Fault, FaultDisk, Unsynced};
use crate::support::{FINGERPRINT, dir, following, open, segment_path};

/// Batches of a script: enough for three rotations.
const SCRIPT_BATCHES: u64 = 20;
const CRASHES: [Unsynced; 4] = [Unsynced::Lost, Unsynced::Kept, Unsynced::Torn, Unsynced::Zeroed];

/// What a script knows when it ends.
#[derive(Default)]
struct Told {
    acknowledged: Vec<Batch>,
    /// The last try, where its outcome is unknown and nothing was acknowledged after it.
    unknown: Option<Batch>,
    /// Appends that failed.
    failures: usize,
}

/// Appends until the batches are in or `patience` failures in a row; each try is another batch.
fn run(log: &mut Log, told: &mut Told, patience: usize) {
    let (mut salt, mut in_a_row) = (1, 0);
    while (told.acknowledged.len() as u64) < SCRIPT_BATCHES && in_a_row < patience {
        let batch = following(log, salt);
        salt += 1;
        match log.append(&batch) {
            Ok(()) => {
                told.acknowledged.push(batch);
                (told.unknown, in_a_row) = (None, 0);
            }
            Err(AppendError::Unknown(_)) => {
                told.unknown = Some(batch);
                told.failures += 1;
                in_a_row += 1;
                // Every other time the log is looked at before it is tried again.
                if salt % 2 == 0 && log.probe().is_ok() {
                    told.unknown = None; // The next segment says that it did not happen.
                }
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn script(disk: &FaultDisk, patience: usize) -> Told {
    let mut told = Told::default();
    if let Ok((mut log, _, _)) = open(disk) {
        run(&mut log, &mut told, patience);
    }
    told
}

/// A start after a crash: all that was acknowledged, and at most the one batch in flight. Then
/// the log goes on, and a second start sees the same.
fn holds(disk: &FaultDisk, told: &Told, at: &str) {
    let (mut log, _, seen) = open(disk).unwrap_or_else(|error| panic!("{at}: {error}"));
    let (known, rest) = seen.split_at(told.acknowledged.len().min(seen.len()));
    assert!(known == told.acknowledged, "{at}: {} came back", seen.len());
    assert!(rest.is_empty() || rest.first() == told.unknown.as_ref(), "{at}: a batch of nobody");
    assert!(rest.len() <= 1, "{at}: {} batches too many", rest.len());
    let mut all = seen;
    for _ in 0..2 {
        let batch = following(&log, 200);
        log.append(&batch).unwrap_or_else(|error| panic!("{at}: {error}"));
        all.push(batch);
    }
    for unsynced in CRASHES {
        let again = disk.crashed(unsynced);
        let (_, recovered, seen) = open(&again).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert!(seen == all, "{at}: the second start saw something else");
        assert_eq!(recovered.cut, None, "{at}");
        let report = verify(dir(), &again, FINGERPRINT).unwrap();
        assert_eq!(report.batches, all.len() as u64, "{at}");
    }
}

/// Changing calls of the script without a fault.
fn calls() -> u64 {
    let disk = FaultDisk::new();
    assert_eq!(script(&disk, 1).acknowledged.len() as u64, SCRIPT_BATCHES);
    assert!(disk.files().contains(&segment_path(4)), "the script has three rotations");
    disk.calls()
}

#[test]
fn a_crash_at_every_call_loses_nothing_acknowledged() {
    for call in 0..=calls() {
        let disk = FaultDisk::new();
        disk.fail_at(call, Fault::Dies);
        let told = script(&disk, 1);
        for unsynced in CRASHES {
            holds(&disk.crashed(unsynced), &told, &format!("died at {call}, {unsynced:?}"));
        }
    }
}

#[test]
fn a_failure_at_every_call_heals_by_itself() {
    let mut failures = 0;
    for fault in [Fault::Fails, Fault::FailsLate] {
        for call in 0..calls() {
            let disk = FaultDisk::new();
            disk.fail_at(call, fault);
            let mut told = script(&disk, 3);
            if told.acknowledged.is_empty() {
                told = script(&disk, 3); // The start itself failed: it is simply tried again.
            }
            assert_eq!(told.acknowledged.len() as u64, SCRIPT_BATCHES, "{fault:?} at {call}");
            assert!(told.failures <= 1, "{fault:?} at {call}: {} failures", told.failures);
            failures += told.failures;
            for unsynced in CRASHES {
                let at = format!("{fault:?} at {call}, {unsynced:?}");
                holds(&disk.crashed(unsynced), &told, &at);
            }
        }
    }
    assert!(60 < failures, "only {failures} of the faults met an append");
}

/// The process is started again on the same page cache, and only then the power goes: what the
/// failed call left there must not be built upon.
#[test]
fn a_failure_at_every_call_a_restart_and_then_a_crash() {
    for fault in [Fault::Fails, Fault::FailsLate] {
        for call in 0..calls() {
            let disk = FaultDisk::new();
            disk.fail_at(call, fault);
            let first = script(&disk, 1);
            let (mut log, _, seen) = open(&disk).expect("a start after a failure");
            let known = first.acknowledged.len();
            assert!(seen[..known] == first.acknowledged, "{fault:?} at {call}");
            assert!(
                seen.len() <= known + 1
                    && seen.get(known).is_none_or(|one| { first.unknown.as_ref() == Some(one) })
            );
            let mut told = Told { acknowledged: seen, ..Told::default() };
            run(&mut log, &mut told, 1);
            for unsynced in CRASHES {
                let at = format!("{fault:?} at {call}, started again, {unsynced:?}");
                holds(&disk.crashed(unsynced), &told, &at);
            }
        }
    }
}

/// Each call of the healing after each fault; the short form takes every fifth fault.
fn faults_step() -> usize {
    if std::env::var_os("ATALAYA_LONG_TESTS").is_some() { 1 } else { 5 }
}

/// A fault, and the crash before, at or after the append that would heal it.
#[test]
fn a_failure_and_then_a_crash_at_each_call_of_the_healing() {
    for fault in [Fault::Fails, Fault::FailsLate] {
        for call in (0..calls()).step_by(faults_step()) {
            for later in 1..8 {
                let disk = FaultDisk::new();
                disk.fail_at(call, fault);
                let mut told = Told::default();
                let Ok((mut log, _, _)) = open(&disk) else { break };
                while told.failures == 0 && (told.acknowledged.len() as u64) < SCRIPT_BATCHES {
                    let batch = following(&log, 1);
                    if log.append(&batch).is_ok() {
                        told.acknowledged.push(batch);
                    } else {
                        (told.unknown, told.failures) = (Some(batch), 1);
                    }
                }
                disk.fail_at(disk.calls() + later - 1, Fault::Dies);
                // Two outcomes are open now, of the first try and of the healing one; only where
                // the healing one was not told can either show.
                let first = told.unknown.clone();
                run(&mut log, &mut told, 1);
                for unsynced in CRASHES {
                    let disk = disk.crashed(unsynced);
                    let at = format!("{fault:?} at {call}, died {later} later, {unsynced:?}");
                    let (_, _, seen) = open(&disk).unwrap_or_else(|error| panic!("{at}: {error}"));
                    if seen.get(told.acknowledged.len()) == first.as_ref() && first.is_some() {
                        told.unknown.clone_from(&first);
                    }
                    holds(&disk, &told, &at);
                }
            }
        }
    }
}

#[test]
fn a_condemned_segment_is_never_read_past_its_end() {
    let disk = FaultDisk::new();
    let (mut log, _, _) = open(&disk).unwrap();
    let first = following(&log, 1);
    log.append(&first).unwrap();
    // The sync fails: the batch lies there whole, and did not happen.
    disk.fail_at(disk.calls() + 1, Fault::FailsLate);
    let lost = following(&log, 2);
    assert!(matches!(log.append(&lost), Err(AppendError::Unknown(_))));
    let second = following(&log, 3);
    log.append(&second).unwrap();
    assert!(disk.files().contains(&segment_path(2)));
    let (_, recovered, seen) = open(&disk.crashed(Unsynced::Kept)).unwrap();
    assert_eq!((seen, recovered.cut), (vec![first, second], None));
}

/// A rotation fails when the new segment's name is on the disk already, and the next batch is small
/// enough for the old one: were it written there, the name that comes back would contradict it.
#[test]
fn a_segment_that_failed_and_comes_back_contradicts_nothing() {
    for restart in [false, true] {
        let disk = FaultDisk::new();
        let (mut log, _, _) = open(&disk).unwrap();
        let mut told = Told::default();
        while told.acknowledged.len() < 5 {
            let batch = following(&log, 1);
            log.append(&batch).unwrap();
            told.acknowledged.push(batch);
        }
        // Remove, create, write and sync, then the folder's sync.
        disk.fail_at(disk.calls() + 4, Fault::FailsLate);
        let full = following(&log, 2);
        assert!(matches!(log.append(&full), Err(AppendError::Unknown(_))));
        assert!(!disk.files().contains(&segment_path(2)), "a rotation was to fail");
        if restart {
            log = open(&disk).unwrap().0;
        }
        let mut small = following(&log, 3);
        small.entries.truncate(1);
        small.entries[0].events.clear();
        small.sections.clear();
        log.append(&small).unwrap();
        told.acknowledged.push(small);
        assert_eq!(disk.files().contains(&segment_path(2)), !restart);
        for unsynced in CRASHES {
            holds(&disk.crashed(unsynced), &told, &format!("restart {restart}, {unsynced:?}"));
        }
    }
}

#[test]
fn the_key_is_whole_or_not_there_at_every_crash() {
    let fresh = FaultDisk::new();
    let made = Key::open(dir(), &fresh).unwrap().fingerprint();
    assert_eq!(Key::open(dir(), &fresh).unwrap().fingerprint(), made);
    for call in 0..fresh.calls() {
        let disk = FaultDisk::new();
        disk.fail_at(call, Fault::Dies);
        let told = Key::open(dir(), &disk).map(|key| key.fingerprint()).ok();
        for unsynced in CRASHES {
            let key = Key::open(dir(), &disk.crashed(unsynced)).expect("a key after a crash");
            assert!(told.is_none_or(|told| told == key.fingerprint()), "another key at {call}");
        }
    }
}
