//! Little-endian bytes: what the frame and the segment header are put together from and taken
//! apart with. Knows lengths and limits, not what the bytes mean.

use thiserror::Error;

/// Why a batch cannot be written. Nothing was written; the caller built it wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A part is over its named limit.
    #[error("cannot encode the batch: {what} has {size}, at most {max} fit: split or refuse it")]
    TooLarge {
        /// Which part.
        what: &'static str,
        /// Its size, in bytes or pieces.
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
    /// A section names an entry that the batch has not got.
    #[error("cannot encode the batch: section {section} names entry {entry} of {entries}")]
    NoSuchEntry {
        /// Index of the section in the batch.
        section: usize,
        /// The entry it names.
        entry: u32,
        /// How many entries there are.
        entries: usize,
    },
    /// The sequence numbers would run past `u64::MAX`.
    #[error("cannot encode the batch: its sequence numbers overflow")]
    SequenceOverflow,
}

/// Why bytes are not a batch. With a CRC that fits, this is damage or a newer program's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cannot decode the frame: {what} at its byte {at}")]
pub struct DecodeError {
    /// Offset in the frame.
    pub at: usize,
    /// What was wrong there.
    pub what: &'static str,
}

/// Refuses a part over its limit and gives its size in the width that is written.
pub(super) fn bounded<T: TryFrom<usize>>(
    what: &'static str,
    size: usize,
    max: usize,
) -> Result<T, EncodeError> {
    let too_large = EncodeError::TooLarge { what, size, max };
    if max < size {
        return Err(too_large);
    }
    T::try_from(size).map_err(|_| too_large)
}

/// A position in bytes that are not trusted.
pub(super) struct Take<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Take<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn wrong(&self, what: &'static str) -> DecodeError {
        DecodeError { at: self.at, what }
    }

    pub(super) fn slice(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(size).ok_or(self.wrong("a length without end"))?;
        let slice = self.bytes.get(self.at..end).ok_or(self.wrong("an early end"))?;
        self.at = end;
        Ok(slice)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// One byte that is 0 or 1; anything else would not encode to the same bytes again.
    pub(super) fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong("a flag that is neither 0 nor 1")),
        }
    }

    /// A count or length that was read, held against its limit before anything is allocated.
    pub(super) fn within(
        &self,
        size: impl TryInto<usize>,
        max: usize,
    ) -> Result<usize, DecodeError> {
        match size.try_into() {
            Ok(size) if size <= max => Ok(size),
            _ => Err(self.wrong("a length over its limit")),
        }
    }

    pub(super) fn text(&mut self, size: usize) -> Result<String, DecodeError> {
        let wrong = self.wrong("text that is not UTF-8");
        String::from_utf8(self.slice(size)?.to_vec()).map_err(|_| wrong)
    }
}
