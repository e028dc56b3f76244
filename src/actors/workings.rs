//! What the machinery tells of itself: lanes, mailboxes, how far fold and picture are.
//!
//! Not here: what is a fold of the log, and commits' times, which the journal counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::centre::Centre;

/// See the module.
#[derive(Debug, Clone)]
pub struct Workings {
    /// Lanes that there are, by the kind of their entity.
    pub lanes: BTreeMap<&'static str, u64>,
    /// Commands that lie in their mailboxes, likewise.
    pub mailboxes: BTreeMap<&'static str, u64>,
    /// Events that are on disk and not yet folded.
    pub fold_lag: u64,
    /// Events that are folded and not yet in the picture.
    pub picture_lag: u64,
    /// How long the commit under way takes; none: 0.
    pub commit_age: Duration,
    /// Whether the log takes work.
    pub takes_work: bool,
    /// Whether work should be sent here, as readiness says.
    pub ready: bool,
    /// Which start of this store this is.
    pub starts: u64,
}

impl Centre {
    /// What it tells of itself at `now`.
    pub fn workings(&self, now: Instant) -> Workings {
        let (lanes, mailboxes) = self.directory.census();
        // Asked first: what is folded meanwhile makes the lag smaller, never negative.
        let committed = self.pulse.committed_seq();
        let published = self.last_seq();
        Workings {
            lanes,
            mailboxes,
            fold_lag: committed.saturating_sub(published),
            picture_lag: self.following.lag(published),
            commit_age: self.pulse.commit_age(now),
            takes_work: self.pulse.takes_work(),
            ready: self.pulse.reasons(now).is_empty(),
            starts: self.start_number(),
        }
    }
}
