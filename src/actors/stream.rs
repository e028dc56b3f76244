//! The stream of published events: the last ones in memory, older ones read from the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use atalaya_domain::time::Timestamp;

use crate::journal::commit::{Numbered, Past, PastError, Sealed};

/// Events that are kept in memory; past it the oldest is read from the log when it is asked for.
pub const EVENTS_KEPT: usize = 16_384;

/// A published event, with what its entry says of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event.
    pub numbered: Numbered,
    /// Who caused it.
    pub by: Arc<str>,
    /// When it was decided, which is later than it happened when it fell due unobserved.
    pub observed_at: Timestamp,
}

/// See the module.
pub struct Stream {
    recent: Mutex<VecDeque<Told>>,
    /// Number of the last event before the first that was published here.
    behind: u64,
    past: Arc<dyn Past>,
}

impl Stream {
    /// Nothing is published yet; events up to the number `behind` come from `past`.
    pub fn new(past: Arc<dyn Past>, behind: u64) -> Self {
        Self { recent: Mutex::default(), behind, past }
    }

    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<Told>) -> T) -> T {
        work(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what was published.
    pub fn publish(&self, entry: &Sealed) {
        self.with(|recent| {
            recent.extend(told(entry));
            let over = recent.len().saturating_sub(EVENTS_KEPT);
            recent.drain(..over);
        });
    }

    /// Seq of the last published event.
    pub fn last_seq(&self) -> u64 {
        self.with(|recent| recent.back().map_or(self.behind, |last| last.numbered.seq))
    }

    /// The first number that can still be read.
    pub fn first_seq(&self) -> u64 {
        self.past.first_seq()
    }

    /// At most `limit` events after `seq`, in order, if memory has them all; else `None`.
    pub fn recent_after(&self, seq: u64, limit: usize) -> Option<Vec<Told>> {
        self.with(|recent| {
            let first = recent.front().map_or(self.behind + 1, |first| first.numbered.seq);
            // Numbers have no gap, so the place in memory follows from the number.
            let from = seq.saturating_add(1).checked_sub(first)?;
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(recent.len());
            Some(recent.range(from..).take(limit).cloned().collect())
        })
    }

    /// The same, from the log where memory has not all. It may read files: not for an async task.
    pub fn after(&self, seq: u64, limit: usize) -> Result<Vec<Told>, PastError> {
        if let Some(recent) = self.recent_after(seq, limit) {
            return Ok(recent);
        }
        // What is in the log and not yet published is not shown.
        let last = self.last_seq();
        let entries = self.past.after(seq, limit)?;
        let wanted = |told: &Told| seq < told.numbered.seq && told.numbered.seq <= last;
        Ok(entries.iter().flat_map(told).filter(wanted).take(limit).collect())
    }
}

fn told(entry: &Sealed) -> impl Iterator<Item = Told> {
    let by: Arc<str> = entry.cause.by.as_str().into();
    entry.events.iter().map(move |numbered| Told {
        numbered: numbered.clone(),
        by: by.clone(),
        observed_at: entry.now,
    })
}
