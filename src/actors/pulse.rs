//! The writer's pulse: whether commits go through, how long they take, and how far the fold is.
//!
//! The writer's thread tells, readiness and the projector look. Absent here: what is committed.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::journal::commit::CommitError;

/// A commit that takes longer, in wall time, is slow: its callers are answered that it is unknown,
/// and the server is not ready until it is done.
pub const COMMIT_SLOW: Duration = Duration::from_secs(2);
/// Where commits take longer in the mean, the writer waits for the offers that a fold makes.
pub const LINGER_FROM: Duration = Duration::from_millis(2);
/// How long it waits after a fold.
pub const LINGER: Duration = Duration::from_micros(200);
/// How long it waits for the fold itself: one that takes longer is not waited for.
pub const FOLD_WAIT_MAX: Duration = Duration::from_millis(1);
/// The moving mean takes in one part in so many of each commit's time.
const MEAN_OVER: u32 = 8;

#[derive(Debug, Default)]
struct State {
    /// Since when a commit is under way, and of how many entries.
    begun: Option<(Instant, usize)>,
    /// Why the last one failed.
    failed: Option<CommitError>,
    mean: Duration,
    /// Batches that the projector has folded.
    folded: u64,
    /// Number of the last event that is on disk.
    committed: u64,
}

/// What the writer's thread is doing.
#[derive(Debug, Default)]
pub struct Pulse {
    state: Mutex<State>,
    fold: Condvar,
}

impl Pulse {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A commit of so many entries begins.
    pub fn begin(&self, entries: usize) {
        self.with(|state| state.begun = Some((Instant::now(), entries)));
    }

    /// It has ended.
    pub fn end(&self, outcome: &Result<(), CommitError>) {
        self.with(|state| {
            if let Some((since, _)) = state.begun.take() {
                state.mean = moving(state.mean, since.elapsed());
            }
        });
        self.probed(outcome.clone());
    }

    /// What a commit, or a look without one, found.
    pub fn probed(&self, outcome: Result<(), CommitError>) {
        let before = self.with(|state| std::mem::replace(&mut state.failed, outcome.clone().err()));
        match (before, outcome) {
            (None, Err(error)) => tracing::error!(%error, "the log takes no work"),
            (Some(_), Ok(())) => tracing::info!("the log takes work again"),
            (None, Ok(())) | (Some(_), Err(_)) => (),
        }
    }

    /// Why no work should be sent just now, each with what to do; empty: it may be.
    pub fn reasons(&self, now: Instant) -> Vec<String> {
        self.with(|state| {
            let slow = state.begun.and_then(|(since, entries)| {
                let taken = now.saturating_duration_since(since);
                (COMMIT_SLOW <= taken).then(|| {
                    let seconds = taken.as_secs();
                    format!(
                        "slow commit: a batch of {entries} has been on its way to the disk for \
                         {seconds} s; look at the log's disk, work goes on by itself once it is \
                         there"
                    )
                })
            });
            let failed = state.failed.as_ref().map(|error| {
                format!("the log takes no work: {error}; work goes on by itself once it can")
            });
            slow.into_iter().chain(failed).collect()
        })
    }

    /// Whether commits take so long that the offers of a fold are waited for.
    pub fn lingers(&self) -> bool {
        self.with(|state| LINGER_FROM < state.mean)
    }

    /// The log has all events up to this number.
    pub fn committed(&self, seq: u64) {
        self.with(|state| state.committed = seq);
    }

    /// Number of the last event that this process has committed; 0: none yet.
    pub fn committed_seq(&self) -> u64 {
        self.with(|state| state.committed)
    }

    /// How long the commit under way has taken by `now`; none: 0.
    pub fn commit_age(&self, now: Instant) -> Duration {
        let age = |(since, _)| now.saturating_duration_since(since);
        self.with(|state| state.begun.map_or(Duration::ZERO, age))
    }

    /// Whether the last commit, or the last look without one, found a log that takes work.
    pub fn takes_work(&self) -> bool {
        self.with(|state| state.failed.is_none())
    }

    /// One more batch has been folded, and what it leads to is on its way.
    pub fn folded(&self) {
        self.with(|state| state.folded += 1);
        self.fold.notify_one();
    }

    /// Waits until so many batches are folded, at most [`FOLD_WAIT_MAX`].
    pub fn wait_folded(&self, batches: u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = |state: &mut State| state.folded < batches;
        let waited = self.fold.wait_timeout_while(state, FOLD_WAIT_MAX, behind);
        drop(waited);
    }
}

fn moving(mean: Duration, taken: Duration) -> Duration {
    (mean * (MEAN_OVER - 1) + taken) / MEAN_OVER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_that_take_long_in_the_mean_are_lingered_for() {
        let (short, long) = (Duration::from_micros(300), Duration::from_millis(5));
        let mean = (0..100).fold(Duration::ZERO, |mean, _| moving(mean, short));
        assert!(mean <= short, "{mean:?}");
        assert!(moving(mean, long) < LINGER_FROM, "one slow commit is no slow disk");
        let mean = (0..8).fold(mean, |mean, _| moving(mean, long));
        assert!(LINGER_FROM < mean, "{mean:?}");
        let pulse = Pulse::default();
        assert!(!pulse.lingers());
        pulse.with(|state| state.mean = mean);
        assert!(pulse.lingers());
    }

    #[test]
    fn a_slow_commit_is_a_reason_until_it_is_done() {
        let pulse = Pulse::default();
        pulse.begin(3);
        let now = Instant::now();
        assert_eq!(pulse.reasons(now), [""; 0]);
        let reasons = pulse.reasons(now + COMMIT_SLOW);
        assert!(reasons[0].starts_with("slow commit: a batch of 3 "), "{reasons:?}");
        pulse.end(&Ok(()));
        assert_eq!(pulse.reasons(now + COMMIT_SLOW), [""; 0]);
    }

    #[test]
    fn a_failed_commit_is_a_reason_until_one_is_done() {
        let pulse = Pulse::default();
        let now = Instant::now();
        pulse.begin(1);
        pulse.end(&Err(CommitError::Refused("no room".into())));
        let reasons = pulse.reasons(now);
        assert!(reasons[0].contains("no room"), "{reasons:?}");
        pulse.probed(Ok(()));
        assert_eq!(pulse.reasons(now), [""; 0]);
    }
}
