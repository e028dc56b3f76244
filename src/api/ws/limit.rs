//! Refuses a frame by its head: the codec looks at a frame's size only when it has all of it, and
//! until then would keep whatever a client sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};

/// In the second byte of a head: what follows is masked.
const MASKED: u8 = 0x80;
/// Bytes of a mask.
const MASK_BYTES: usize = 4;

/// Follows a stream of bytes from frame to frame.
#[derive(Debug, Default)]
struct Frames {
    /// Of the frame that begins, as far as it has come; at most 14 bytes.
    head: Vec<u8>,
    /// Bytes of the payload that are still to come.
    left: u64,
}

impl Frames {
    /// Whether no head in `bytes` announces more than `most` bytes.
    fn take(&mut self, mut bytes: &[u8], most: u64) -> bool {
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left = self.left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
                bytes = &bytes[here..];
                continue;
            }
            bytes = rest;
            self.head.push(*first);
            if let Some(length) = length(&self.head) {
                if length > most {
                    return false;
                }
                self.left = length;
                self.head.clear();
            }
        }
        true
    }
}

/// The payload's length, once the head is whole (RFC 6455, section 5.2).
fn length(head: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = head else { return None };
    let short = second & !MASKED;
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & MASKED == 0 { 0 } else { MASK_BYTES };
    if rest.len() < extended + mask {
        return None;
    }
    if extended == 0 {
        return Some(short.into());
    }
    Some(rest[..extended].iter().fold(0, |length, byte| (length << 8) | u64::from(*byte)))
}

/// `payload`, ended by an error before a frame of more than `most` bytes; `over` says that it was.
pub fn frames(
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
    most: usize,
    over: Arc<AtomicBool>,
) -> impl Stream<Item = Result<Bytes, PayloadError>> + 'static {
    let (mut frames, most) = (Frames::default(), u64::try_from(most).unwrap_or(u64::MAX));
    payload.map(move |chunk| {
        let chunk = chunk?;
        if frames.take(&chunk, most) {
            return Ok(chunk);
        }
        over.store(true, Ordering::Release);
        Err(PayloadError::Overflow)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two short frames, one of 126 and one of 200 bytes, masked.
    fn stream() -> Vec<u8> {
        let mut bytes = vec![0x81, 0x82, 0, 0, 0, 0, b'{', b'}', 0x8a, 0x80, 0, 0, 0, 0];
        for length in [126_u8, 200] {
            bytes.extend([0x81, 0xfe, 0, length, 0, 0, 0, 0]);
            bytes.extend(vec![0xff; length.into()]);
        }
        bytes
    }

    #[test]
    fn heads_are_found_however_the_bytes_are_cut() {
        for cut in 1..=stream().len() {
            let mut frames = Frames::default();
            assert!(stream().chunks(cut).all(|chunk| frames.take(chunk, 200)), "cut by {cut}");
            assert_eq!((frames.head.len(), frames.left), (0, 0));
            let mut frames = Frames::default();
            assert!(!stream().chunks(cut).all(|chunk| frames.take(chunk, 199)), "cut by {cut}");
        }
    }

    #[test]
    fn the_longest_length_is_read() {
        let mut frames = Frames::default();
        let head = [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        assert!(!frames.take(&head, u64::MAX >> 2));
    }
}
