//! Readers beside the writer: all that is published, nothing that is not.

use std::sync::Arc;
use std::thread;

use atalaya::journal::{Batch, BatchReader, LogReader, SectionState};

use crate::fault_disk::{Fault, FaultDisk};
use crate::support::{FINGERPRINT, batch, dir, following, open, segment_path, written};

fn drain(reader: &mut BatchReader) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(decoded) = reader.next_batch().unwrap() {
        batches.push(decoded.batch);
    }
    batches
}

fn outside(disk: &FaultDisk) -> LogReader {
    LogReader::outside(dir(), Arc::new(disk.clone()), FINGERPRINT)
}

#[test]
fn from_any_number_and_any_seq_inside_and_outside() {
    let (disk, batches) = written(12);
    let (log, _, _) = open(&disk).unwrap();
    for reader in [log.reader(), outside(&disk)] {
        for index in 0..batches.len() {
            let from = &batches[index];
            let mut by_number = reader.from_batch(from.number).unwrap();
            assert_eq!(drain(&mut by_number), batches[index..]);
            for seq in from.first_seq..from.next_seq() {
                assert_eq!(drain(&mut reader.from_seq(seq).unwrap()), batches[index..]);
            }
        }
        assert_eq!(drain(&mut reader.from_batch(0).unwrap()), batches);
        assert_eq!(drain(&mut reader.from_batch(13).unwrap()), []);
    }
}

#[test]
fn a_reader_at_the_end_goes_on_when_there_is_more() {
    let disk = FaultDisk::new();
    let (mut log, _, _) = open(&disk).unwrap();
    let (mut inside, mut beside) =
        (log.reader().from_batch(1).unwrap(), outside(&disk).from_batch(1).unwrap());
    for _ in 0..15 {
        assert_eq!((drain(&mut inside), drain(&mut beside)), (vec![], vec![]));
        let next = following(&log, 1);
        log.append(&next).unwrap();
        assert_eq!((drain(&mut inside), drain(&mut beside)), (vec![next.clone()], vec![next]));
    }
}

#[test]
fn what_was_not_acknowledged_is_not_read_and_the_healed_log_is() {
    for late in 0..2 {
        let disk = FaultDisk::new();
        let (mut log, _, _) = open(&disk).unwrap();
        let mut reader = log.reader().from_batch(1).unwrap();
        let first = following(&log, 1);
        log.append(&first).unwrap();
        disk.fail_at(disk.calls() + late, Fault::FailsLate);
        log.append(&following(&log, 2)).expect_err("the fault");
        assert_eq!(drain(&mut reader), [first]);
        let healed = following(&log, 3);
        log.append(&healed).unwrap();
        assert_eq!(drain(&mut reader), [healed]);
    }
}

/// The window on the file was filled while the second batch was still being written.
#[test]
fn bytes_that_were_read_too_early_are_read_again() {
    let (disk, batches) = written(2);
    let path = segment_path(1);
    let whole = disk.bytes(&path);
    let mut early = whole.clone();
    let end = early.len();
    early[end - 10..].fill(0);
    disk.set_bytes(&path, &early);
    let mut reader = outside(&disk).from_batch(1).unwrap();
    reader.next_batch().unwrap().unwrap();
    disk.set_bytes(&path, &whole);
    let second = reader.next_batch().unwrap().unwrap();
    assert_eq!(second.batch, batches[1]);
    assert_eq!(second.states, [SectionState::Intact; 2]);
}

#[test]
fn a_reader_on_a_thread_sees_every_batch_once_in_order() {
    let disk = FaultDisk::new();
    let (mut log, _, _) = open(&disk).unwrap();
    let reader = log.reader();
    let follower = thread::spawn(move || {
        let mut reader = reader.from_batch(1).unwrap();
        let mut next_seq = 1;
        for number in 1..=200 {
            let decoded = loop {
                match reader.next_batch().unwrap() {
                    Some(decoded) => break decoded,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(decoded.batch, batch(number, next_seq, 1));
            next_seq = decoded.batch.next_seq();
        }
    });
    for _ in 1..=200 {
        log.append(&following(&log, 1)).unwrap();
    }
    follower.join().unwrap();
}
