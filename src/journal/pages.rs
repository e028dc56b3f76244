//! Pages of the log for those who read the stream of events from behind.
//!
//! A reader that goes on where its last page ended finds its place in the log again: the places of
//! the last [`PLACES_MAX`] pages are kept, so that a page costs what is on it. Absent here: who
//! reads, and what is shown.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::commit::{Past, PastError, Sealed};
use super::reader::{BatchReader, LogReader};
use super::recorder::entries;

/// Places that are kept; past it the one that was left longest is forgotten, and whoever comes
/// back to it reads its segment from the beginning.
pub(super) const PLACES_MAX: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Pages {
    reader: LogReader,
    places: Mutex<VecDeque<Place>>,
}

/// Where a page ended.
#[derive(Debug)]
struct Place {
    /// The last number on it.
    seq: u64,
    batches: BatchReader,
    /// Entries of the last batch that hold what comes next.
    rest: VecDeque<Sealed>,
}

impl Place {
    /// The next entry, or `None` at the end of what is durable.
    fn next(&mut self) -> Result<Option<Sealed>, PastError> {
        while self.rest.is_empty() {
            let Some(decoded) = self.batches.next_batch().map_err(unreadable)? else {
                return Ok(None);
            };
            self.rest = entries(decoded.batch).map_err(unreadable)?.into();
        }
        Ok(self.rest.pop_front())
    }
}

fn unreadable(error: impl std::error::Error) -> PastError {
    PastError::Unreadable(error.to_string())
}

impl Pages {
    /// Pages of the log that `reader` reads.
    pub(super) const fn new(reader: LogReader) -> Self {
        Self { reader, places: Mutex::new(VecDeque::new()) }
    }

    /// The place after `seq`, taken out: two who read the same do not wait for each other.
    fn place(&self, seq: u64) -> Result<Place, PastError> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = places.iter().position(|place| place.seq == seq);
        if let Some(place) = kept.and_then(|at| places.remove(at)) {
            return Ok(place);
        }
        drop(places);
        let batches = self.reader.from_seq(seq.saturating_add(1)).map_err(unreadable)?;
        Ok(Place { seq, batches, rest: VecDeque::new() })
    }

    fn keep(&self, place: Place) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() == PLACES_MAX {
            places.pop_front();
        }
        places.push_back(place);
    }
}

impl Past for Pages {
    fn first_seq(&self) -> u64 {
        self.reader.first_seq().unwrap_or(1)
    }

    fn after(&self, seq: u64, limit: usize) -> Result<Vec<Sealed>, PastError> {
        let first_seq = self.first_seq();
        if seq.saturating_add(1) < first_seq {
            return Err(PastError::TooOld { first_seq });
        }
        let mut place = self.place(seq)?;
        let (mut page, mut left) = (Vec::new(), limit);
        while left > 0
            && let Some(entry) = place.next()?
        {
            let events = entry.events.iter().filter(|event| seq < event.seq);
            let Some(last) = events.clone().take(left).last() else { continue };
            place.seq = last.seq;
            left = left.saturating_sub(events.count());
            if left == 0 {
                // The page may end inside it.
                place.rest.push_front(entry.clone());
            }
            page.push(entry);
        }
        self.keep(place);
        Ok(page)
    }
}
