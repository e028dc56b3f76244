//! The writer: the only place of order.
//!
//! A thread takes what is waiting, refuses what was decided on versions that have moved on, numbers
//! the rest, commits it as one batch, and hands batch and refusals to the projector: a refusal
//! travels the road of commits, so that its leader decides anew on states that hold what refused
//! it.
//!
//! Where commits take long it waits a little after each fold, so that the offers which the fold
//! made are in the next batch and not in the one after. While nothing is asked it looks whether a
//! batch could be committed, so that readiness is told of a disk that fills up or comes back.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use atalaya_domain::entry::Entry;
use atalaya_domain::ids::EntityId;
use tokio::sync::{mpsc, oneshot};

use super::cold::Cold;
use super::found::Found;
use super::gate::Token;
use super::leaving::Leave;
use super::pulse::{LINGER, Pulse};
use crate::journal::commit::{Cause, Commit, CommitError, Numbered, Sealed};

/// Submissions that may wait for the writer; past it the caller is refused as overloaded.
pub const SUBMISSIONS_MAX: usize = 4_096;
/// Entries of one batch; what is over waits for the next.
pub const ENTRIES_PER_BATCH_MAX: usize = 256;
/// Batches that may wait for the projector; past it the writer waits.
pub const BATCHES_MAX: usize = 64;
/// How often the writer looks, while nothing is asked, whether it could commit.
pub const PROBE_EVERY: Duration = Duration::from_secs(1);

/// An entry that asks to be committed.
#[derive(Debug)]
pub struct Submission {
    /// What.
    pub entry: Entry,
    /// By whom.
    pub cause: Cause,
    /// Where the outcome goes, by way of the projector.
    pub outcome: oneshot::Sender<Outcome>,
    /// Alive until the outcome is released.
    pub token: Token,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log up to this number.
    Committed { seq: u64 },
    /// One of its entities has moved on: decide anew.
    Stale,
    /// All versions were current, and yet it did not fit: a broken invariant.
    Unfit,
    /// Nothing was written.
    Refused(String),
    /// It may be there, or not.
    Unknown(String),
}

/// An outcome on its way.
#[derive(Debug)]
pub struct Release {
    /// Where it goes.
    pub to: oneshot::Sender<Outcome>,
    /// What it is.
    pub outcome: Outcome,
    /// Dropped once it is there.
    pub token: Token,
}

/// What the projector takes whole.
#[derive(Debug, Default)]
pub struct Batch {
    /// Its number in the log; 0 where nothing was committed.
    pub number: u64,
    /// Forgotten before what follows: their slots may go.
    pub left: Vec<Leave>,
    /// Committed, in order.
    pub entries: Vec<Sealed>,
    /// Released after the fold.
    pub releases: Vec<Release>,
}

/// Where submissions go in.
#[derive(Debug, Clone)]
pub struct WriterHandle {
    submissions: SyncSender<Submission>,
    leaving: Arc<Mutex<Vec<Leave>>>,
}

impl WriterHandle {
    /// Puts a submission in; gives it back when the writer is full or gone.
    pub fn submit(&self, submission: Submission) -> Result<(), Box<Submission>> {
        self.submissions.try_send(submission).map_err(|error| match error {
            TrySendError::Full(back) | TrySendError::Disconnected(back) => Box::new(back),
        })
    }
}

impl WriterHandle {
    /// These may leave memory; asked again before it was done, the last word counts.
    pub fn forget(&self, leaving: Vec<Leave>) {
        *self.leaving.lock().unwrap_or_else(PoisonError::into_inner) = leaving;
    }
}

/// What the writer knows of an entity: its version, and the number of its last event.
type Known = HashMap<EntityId, (u64, u64)>;

struct Writer {
    commit: Box<dyn Commit>,
    known: Known,
    cold: Cold,
    leaving: Arc<Mutex<Vec<Leave>>>,
    next_seq: u64,
    pulse: Arc<Pulse>,
}

/// Starts the thread; it ends when every handle is gone.
///
/// The thread goes on behind what was found; whom it does not know it looks for in `cold`.
pub fn start(
    commit: Box<dyn Commit>,
    found: &Found,
    cold: Cold,
    batches: mpsc::Sender<Batch>,
    pulse: Arc<Pulse>,
) -> std::io::Result<(WriterHandle, JoinHandle<()>)> {
    let (submissions, receiver) = sync_channel(SUBMISSIONS_MAX);
    let leaving: Arc<Mutex<Vec<Leave>>> = Arc::default();
    let mut writer = Writer {
        commit,
        known: HashMap::new(),
        cold,
        leaving: leaving.clone(),
        next_seq: 1,
        pulse,
    };
    let states = found.states.iter();
    writer.known.extend(states.map(|(id, kept)| (id.clone(), (kept.version, kept.seq))));
    writer.next_seq = found.last_seq() + 1;
    for numbered in found.entries().flat_map(|sealed| &sealed.events) {
        let recorded = &numbered.recorded;
        writer.known.insert(recorded.entity.clone(), (recorded.version, numbered.seq));
        writer.next_seq = numbered.seq + 1;
    }
    let thread = std::thread::Builder::new()
        .name("atalaya-writer".into())
        .spawn(move || writer.run(&receiver, &batches))?;
    Ok((WriterHandle { submissions, leaving }, thread))
}

impl Writer {
    fn run(&mut self, submissions: &Receiver<Submission>, batches: &mpsc::Sender<Batch>) {
        let mut handed_on = 0;
        let mut caught = Vec::new();
        loop {
            if caught.is_empty() {
                match submissions.recv_timeout(PROBE_EVERY) {
                    Ok(first) => caught.push(first),
                    Err(RecvTimeoutError::Timeout) => {
                        self.pulse.probed(self.commit.probe());
                        let left = self.forget();
                        if left.is_empty() {
                            continue;
                        }
                        if batches.blocking_send(Batch { left, ..Batch::default() }).is_err() {
                            return;
                        }
                        handed_on += 1;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            caught.extend(submissions.try_iter().take(ENTRIES_PER_BATCH_MAX - caught.len()));
            let batch = self.batch(caught.drain(..));
            let folds = !batch.entries.is_empty();
            if batches.blocking_send(batch).is_err() {
                return;
            }
            handed_on += 1;
            if folds && self.pulse.lingers() {
                self.pulse.wait_folded(handed_on);
                catch(submissions, &mut caught);
            }
        }
    }

    fn batch(&mut self, submissions: impl Iterator<Item = Submission>) -> Batch {
        let mut ahead = Known::new();
        let mut next_seq = self.next_seq;
        let mut batch = Batch { left: self.forget(), ..Batch::default() };
        let mut committed = Vec::new();
        for Submission { entry, cause, outcome: to, token } in submissions {
            let (fresh, returned) = match self.look(&entry, &ahead) {
                Ok(found) => found,
                Err(why) => {
                    let outcome = Outcome::Refused(why);
                    batch.releases.push(Release { to, outcome, token });
                    continue;
                }
            };
            let outcome = match (fresh, entry.is_unfit()) {
                (false, _) => Outcome::Stale,
                (true, true) => Outcome::Unfit,
                (true, false) => {
                    let stands = |id: &EntityId| self.known.get(id).or_else(|| returned.get(id));
                    let sealed = seal(entry, cause, &mut next_seq, &mut ahead, stands);
                    batch.entries.push(sealed);
                    let seq = next_seq - 1;
                    committed.push((to, Outcome::Committed { seq }, token));
                    continue;
                }
            };
            batch.releases.push(Release { to, outcome, token });
        }
        let failed = match self.commit(&batch.entries) {
            Ok(()) => {
                self.known.extend(ahead);
                batch.number = self.commit.last_batch();
                self.next_seq = next_seq;
                self.pulse.committed(next_seq - 1);
                None
            }
            Err(CommitError::Refused(why)) => Some(Outcome::Refused(why)),
            Err(CommitError::Unknown(why)) => Some(Outcome::Unknown(why)),
        };
        if failed.is_some() {
            batch.entries.clear();
        }
        batch.releases.extend(committed.into_iter().map(|(to, outcome, token)| {
            let outcome = failed.clone().unwrap_or(outcome);
            Release { to, outcome, token }
        }));
        batch
    }

    /// Whether the entities of `entry` stand as it was decided on, and those of them that had left
    /// memory, from where they are.
    fn look(&self, entry: &Entry, ahead: &Known) -> Result<(bool, Known), String> {
        let mut returned = Known::new();
        for (id, version) in &entry.versions {
            let known = ahead.get(id).or_else(|| self.known.get(id)).copied();
            let stands = match known {
                Some((version, _)) => version,
                None => match self.cold.state(id).map_err(|error| error.to_string())? {
                    Some(kept) => {
                        returned.insert(id.clone(), (kept.version, kept.seq));
                        kept.version
                    }
                    None => 0,
                },
            };
            if stands != *version {
                return Ok((false, returned));
            }
        }
        Ok((true, returned))
    }

    /// Forgets those who may leave and stand as was seen: they are told with the next batch.
    fn forget(&mut self) -> Vec<Leave> {
        let mut leaving =
            std::mem::take(&mut *self.leaving.lock().unwrap_or_else(PoisonError::into_inner));
        leaving.retain(|Leave { id, version, seq }| {
            self.known.get(id).is_none_or(|known| *known == (*version, *seq))
        });
        for leave in &leaving {
            self.known.remove(&leave.id);
        }
        leaving
    }

    fn commit(&mut self, entries: &[Sealed]) -> Result<(), CommitError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.pulse.begin(entries.len());
        let outcome = self.commit.commit(entries);
        self.pulse.end(&outcome);
        outcome
    }
}

/// Takes what comes within [`LINGER`], as much as a batch holds.
fn catch(submissions: &Receiver<Submission>, caught: &mut Vec<Submission>) {
    let until = Instant::now() + LINGER;
    while caught.len() < ENTRIES_PER_BATCH_MAX
        && let Ok(next) = submissions.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        caught.push(next);
    }
}

/// Numbers an entry's events and remembers, for this batch, where its entities stand.
fn seal<'a>(
    entry: Entry,
    cause: Cause,
    next_seq: &mut u64,
    ahead: &mut Known,
    known: impl Fn(&EntityId) -> Option<&'a (u64, u64)>,
) -> Sealed {
    let events = entry.events.into_iter().map(|recorded| {
        let id = &recorded.entity;
        let previous = ahead.get(id).or_else(|| known(id)).map_or(0, |known| known.1);
        let seq = *next_seq;
        *next_seq += 1;
        ahead.insert(id.clone(), (recorded.version, seq));
        Numbered { seq, previous, recorded }
    });
    Sealed { cause, now: entry.now, events: events.collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use atalaya_domain::time::Timestamp;

    use super::*;
    use crate::journal::commit::{Memory, Past};

    /// Submissions that a fold led to, of which it is counted how many are in the next batch.
    const ROUNDS: usize = 40;
    /// Long enough that a writer which does not wait has taken what is there.
    const FOLD_TAKES: Duration = Duration::from_micros(150);

    /// Says when a commit has begun, and ends it so long after it is told to.
    struct Disk(SyncSender<()>, Receiver<Duration>);

    impl Commit for Disk {
        fn commit(&mut self, _batch: &[Sealed]) -> Result<(), CommitError> {
            self.0.send(()).unwrap();
            let until = Instant::now() + self.1.recv().unwrap();
            while Instant::now() < until {
                std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
            }
            Ok(())
        }

        fn past(&self) -> Arc<dyn Past> {
            Memory::default().past()
        }
    }

    fn submission() -> Submission {
        let (leader, now) = (EntityId::System, Timestamp(0));
        let (events, versions) = (Vec::new(), BTreeMap::new());
        let entry = Entry { leader, now, events, versions, verdict: Ok(()) };
        let (outcome, _) = oneshot::channel();
        Submission { entry, cause: Cause::system(), outcome, token: Token::pass(&Arc::default()) }
    }

    /// How many were in the batch after the fold that led to them, though another waited already.
    fn caught(takes: Duration) -> usize {
        let (begun, begins) = sync_channel(1);
        let (go, told) = sync_channel(1);
        let (batches, mut folds) = mpsc::channel(BATCHES_MAX);
        let pulse = Arc::new(Pulse::default());
        let disk = Box::new(Disk(begun, told));
        let (writer, thread) =
            start(disk, &Found::default(), Cold::default(), batches, pulse.clone()).unwrap();
        let mut caught = 0;
        for _ in 0..ROUNDS {
            writer.submit(submission()).unwrap();
            // Under way: what comes now waits for the next batch.
            begins.recv().unwrap();
            writer.submit(submission()).unwrap();
            go.send(takes).unwrap();
            folds.blocking_recv().unwrap();
            let folding = Instant::now();
            while folding.elapsed() < FOLD_TAKES {
                std::hint::spin_loop();
            }
            writer.submit(submission()).unwrap();
            pulse.folded();
            begins.recv().unwrap();
            go.send(takes).unwrap();
            let next = folds.blocking_recv().unwrap().entries.len();
            caught += next - 1;
            if next == 1 {
                begins.recv().unwrap();
                go.send(takes).unwrap();
                folds.blocking_recv().unwrap();
                pulse.folded();
            }
            pulse.folded();
        }
        drop(writer);
        thread.join().unwrap();
        caught
    }

    #[test]
    fn on_a_slow_disk_what_a_fold_leads_to_is_in_the_next_batch() {
        let (fast, slow) = (caught(Duration::ZERO), caught(Duration::from_millis(5)));
        eprintln!("of {ROUNDS}: {fast} on a fast disk, {slow} on a slow one");
        assert!(
            fast < slow && ROUNDS / 2 < slow,
            "of {ROUNDS}: {fast} on a fast disk, {slow} on a slow one"
        );
    }
}
