//! The bytes of a batch: there and back, the kept golden file, bytes of any kind.

use std::fs;
use std::path::Path;

use atalaya::journal::{
    CHAIN_START, EncodeError, FRAME_HEAD_BYTES, Header, PAYLOAD_BYTES_MAX, SectionState,
    chain_hash, decode, encode,
};
use proptest::prelude::*;

use crate::support::batch;

#[test]
fn what_is_encoded_decodes_to_the_same() {
    for empty in [false, true] {
        let mut batch = batch(3, 8, 1);
        if empty {
            batch.entries.iter_mut().for_each(|entry| entry.events.clear());
        }
        let frame = encode(&batch, &[9; 32]).unwrap();
        let decoded = decode(&frame).unwrap();
        assert_eq!(decoded.batch, batch);
        assert_eq!(decoded.states, [SectionState::Intact; 2]);
        assert_eq!(encode(&decoded.batch, &[9; 32]).unwrap(), frame);
    }
}

/// Set `UPDATE_GOLDEN=1` to write the file anew; a released format's file is never changed.
#[test]
fn the_golden_batch_reads_and_writes_as_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/batch.v1.bin");
    let ours = batch(1, 1, 1);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, encode(&ours, &CHAIN_START).unwrap()).unwrap();
    }
    let golden = fs::read(&path).unwrap();
    let decoded = decode(&golden).unwrap();
    assert_eq!(decoded.batch, ours);
    assert_eq!(encode(&decoded.batch, &CHAIN_START).unwrap(), golden, "the frame's bytes changed");
    let hash = chain_hash(&golden).unwrap();
    expect_test::expect!["8045def46fc738bc10d199e9b0452be899ce578703e037ae320b46556cbf7487"]
        .assert_eq(&hash.map(|byte| format!("{byte:02x}")).concat());
}

#[test]
fn blanked_sections_leave_crc_and_chain() {
    let frame = encode(&batch(1, 1, 1), &CHAIN_START).unwrap();
    let mut blanked = frame.clone();
    let first = frame.len() - (4 + 12) - (4 + 23);
    blanked[first..first + 16].fill(0);
    let decoded = decode(&blanked).unwrap();
    assert_eq!(decoded.states, [SectionState::Blank, SectionState::Intact]);
    assert_eq!(decoded.batch.sections[0].bytes, [0; 12]);
    assert_eq!(chain_hash(&blanked), chain_hash(&frame));
    blanked[first + 8] = 1;
    assert_eq!(decode(&blanked).unwrap().states[0], SectionState::Broken);
}

#[test]
fn what_would_not_be_read_is_not_written() {
    let mut large = batch(1, 1, 1);
    large.entries[0].events[0].payload = vec![0; PAYLOAD_BYTES_MAX + 1];
    assert!(matches!(encode(&large, &CHAIN_START), Err(EncodeError::TooLarge { .. })));
    let mut stray = batch(1, 1, 1);
    stray.sections[0].entry = 2;
    assert!(matches!(encode(&stray, &CHAIN_START), Err(EncodeError::NoSuchEntry { .. })));
    let past = batch(1, u64::MAX, 1);
    assert_eq!(encode(&past, &CHAIN_START), Err(EncodeError::SequenceOverflow));
}

/// Puts a fitting CRC on a frame, so that what lies behind the CRC is reached.
fn with_fitting_crc(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.len() < FRAME_HEAD_BYTES {
        return frame;
    }
    let length = u32::try_from(frame.len()).unwrap();
    frame[8..12].copy_from_slice(&length.to_le_bytes());
    let covered = u32::from_le_bytes(frame[12..16].try_into().unwrap()) as usize;
    if let Some(part) = frame.get(8..covered) {
        let crc = crc32fast::hash(part);
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
    }
    frame
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(decode(&bytes).is_err());
        let _ = chain_hash(&bytes);
    }

    #[test]
    fn any_change_under_a_fitting_crc_decodes_canonically_or_not_at_all(
        changes in prop::collection::vec((16usize..900, any::<u8>()), 1..6),
        cut in 0usize..40,
    ) {
        let mut frame = encode(&batch(2, 3, 1), &CHAIN_START).unwrap();
        frame.truncate(frame.len() - cut);
        for (at, byte) in changes {
            let at = at % frame.len();
            if 16 <= at {
                frame[at] = byte;
            }
        }
        let frame = with_fitting_crc(frame);
        if let Ok(decoded) = decode(&frame) {
            let whole = decoded.states.iter().all(|state| *state == SectionState::Intact);
            let previous: [u8; 32] = frame[52..84].try_into().unwrap();
            let again = encode(&decoded.batch, &previous).unwrap();
            prop_assert!(!whole || again == frame);
        }
    }
}

/// Set `UPDATE_GOLDEN=1` to write the files anew; a released format's file is never changed.
#[test]
fn the_golden_headers_read_and_write_as_ever() {
    let plain = Header {
        epoch: uuid::Uuid::from_u128(0x0199),
        key_fingerprint: [7; 16],
        number: 3,
        first_batch: 12,
        first_seq: 25,
        chain: [5; 32],
        previous: 2,
        previous_end: 2345,
        condemned: true,
        restored: false,
    };
    let restored = Header { condemned: false, restored: true, ..plain.clone() };
    for (name, header) in [("segment.v1.bin", plain), ("segment.v2.bin", restored)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, header.encode()).unwrap();
        }
        let golden = fs::read(&path).unwrap();
        assert_eq!(golden.len(), atalaya::journal::HEADER_BYTES);
        assert_eq!(header.encode(), golden, "{name}: the header's bytes changed");
        assert_eq!(u16::from_le_bytes([golden[8], golden[9]]), 1 + u16::from(header.restored));
        assert_eq!(Header::read(&golden), Some(header), "{name} reads as another header");
        // Neither format takes the other's flag.
        let mut other = golden.clone();
        other[8] = 3 - other[8];
        let crc = crc32fast::hash(&other[..other.len() - 4]).to_le_bytes();
        let end = other.len() - 4;
        other[end..].copy_from_slice(&crc);
        assert_eq!(Header::read(&other), None, "{name} with the other format's number");
    }
}
