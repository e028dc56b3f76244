//! Commits that are timed and counted, whatever commits them.

use std::sync::Arc;
use std::time::Instant;

use super::commit::{Commit, CommitError, Past, Sealed};
use crate::telemetry::{Ended, Meters};

/// See the module.
pub struct Timed {
    inner: Box<dyn Commit>,
    meters: Arc<Meters>,
}

impl Timed {
    /// Commits by `inner`, counted in `meters`.
    pub const fn new(inner: Box<dyn Commit>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

impl Commit for Timed {
    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError> {
        let begun = Instant::now();
        let done = self.inner.commit(batch);
        let ended = match &done {
            Ok(()) => Ended::Committed,
            Err(CommitError::Refused(_)) => Ended::Refused,
            Err(CommitError::Unknown(_)) => Ended::Unknown,
        };
        let events = batch.iter().map(|entry| entry.events.len()).sum();
        self.meters.commit(begun.elapsed(), batch.len(), events, ended);
        done
    }

    fn past(&self) -> Arc<dyn Past> {
        self.inner.past()
    }

    fn last_batch(&self) -> u64 {
        self.inner.last_batch()
    }

    fn probe(&mut self) -> Result<(), CommitError> {
        self.inner.probe()
    }
}
