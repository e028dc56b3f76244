//! The follower: the thread that writes the picture behind the log, and what gathers for it.
//!
//! The projector tells [`Dirty`] what each event touched, and after a batch hands over all that
//! has gathered ([`Dirty::send`]): many events become one write of each state. Where the follower
//! has no room, nothing waits: it goes on gathering. An error of the store ends the writing, not
//! the centre: the picture is behind then, and the next start folds what it lacks.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use atalaya_domain::EntityId;
use atalaya_domain::ids::QueueId;
use atalaya_domain::time::Timestamp;

use super::commit::Said;
use super::disk::{Disk, RealDisk};
use super::log::RESERVE_BYTES_DEFAULT;
use super::picture::{Applied, Change, Kept, Picture, PictureError, Receipt};

/// Changes that wait for the follower; past it the projector keeps them and goes on gathering.
pub const CHANGES_MAX: usize = 2;
/// How often what was applied is made durable.
pub const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How long changes gather before they are due to be handed over: a view is kept whole with each.
pub const SEND_EVERY: Duration = Duration::from_secs(1);
/// Entities that have changed after which all is due at once.
pub const GATHERED_MAX: usize = 20_000;
/// Receipts that are forgotten with one flush; the others are with the next.
pub const FORGOTTEN_PER_FLUSH_MAX: usize = 2_000;
/// Bytes that stay free on the picture's disk: under it the picture stays behind. It is less than
/// the log keeps free, so the log refuses first, and the store, which may never come back from a
/// full disk, does not meet one.
pub const ROOM_BYTES: u64 = RESERVE_BYTES_DEFAULT / 2;

/// Writes changes on a thread of its own, in order.
#[derive(Debug)]
pub struct Follower {
    changes: SyncSender<Change>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Handed over and not applied yet.
    waiting: AtomicUsize,
    applied_seq: AtomicU64,
    broken: AtomicBool,
    stopped: AtomicBool,
    /// Receipts from before this wall instant are of no use any more.
    forget_before: AtomicI64,
}

impl Follower {
    /// Follows with `picture`, whose folder lies in the data folder `dir`.
    pub fn start(picture: Arc<Picture>, dir: PathBuf) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let seq = picture.applied().map_or(0, |applied| applied.seq);
        shared.applied_seq.store(seq, Ordering::Release);
        let (changes, received) = sync_channel(CHANGES_MAX);
        let writing = Writing { picture, dir, shared: shared.clone(), unflushed: false };
        let thread = std::thread::Builder::new()
            .name("picture".to_owned())
            .spawn(move || writing.run(&received))?;
        Ok(Self { changes, shared, thread })
    }

    /// Hands a change over, or gives it back where there is no room; never waits.
    pub fn offer(&self, change: Change) -> Result<(), Box<Change>> {
        self.shared.waiting.fetch_add(1, Ordering::AcqRel);
        self.changes.try_send(change).map_err(|refused| {
            self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
            let (std::sync::mpsc::TrySendError::Full(change)
            | std::sync::mpsc::TrySendError::Disconnected(change)) = refused;
            Box::new(change)
        })
    }

    /// From now on receipts from before this wall instant are forgotten, some with each flush.
    pub fn forget_receipts(&self, before_wall: Timestamp) {
        self.shared.forget_before.store(before_wall.0, Ordering::Release);
    }

    /// Whether a change offered now would be taken.
    pub fn has_room(&self) -> bool {
        self.shared.waiting.load(Ordering::Acquire) < CHANGES_MAX && !self.is_broken()
    }

    /// Number of the last event that can be read back from the picture: a machine may leave
    /// memory once its own last event is not after it.
    pub fn applied_seq(&self) -> u64 {
        self.shared.applied_seq.load(Ordering::Acquire)
    }

    /// Whether an error of the store has ended the writing.
    pub fn is_broken(&self) -> bool {
        self.shared.broken.load(Ordering::Acquire)
    }

    /// Applies what was handed over, flushes, and ends; after `patience` it goes without: the
    /// store may never come back, and what it lacks the next start folds. Says whether all is
    /// durable.
    pub fn stop(self, patience: Duration) -> bool {
        let Self { changes, shared, thread } = self;
        drop(changes);
        let until = Instant::now() + patience;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::park_timeout(STOP_LOOK);
        }
        let ended = thread.is_finished() && thread.join().is_ok();
        if !ended {
            tracing::warn!("the state was not written to its end; the next start folds the rest");
        }
        ended && shared.stopped.load(Ordering::Acquire)
    }
}

/// Pause between two looks whether the thread has ended.
const STOP_LOOK: Duration = Duration::from_millis(2);

/// The thread's own.
struct Writing {
    picture: Arc<Picture>,
    dir: PathBuf,
    shared: Arc<Shared>,
    unflushed: bool,
}

impl Writing {
    fn run(mut self, changes: &Receiver<Change>) {
        let mut flushed = Instant::now();
        loop {
            let wait = FLUSH_EVERY.saturating_sub(flushed.elapsed());
            match changes.recv_timeout(wait) {
                Ok(change) => {
                    self.attempt(|picture| picture.apply(&change), "write");
                    self.unflushed = true;
                    self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if FLUSH_EVERY <= flushed.elapsed() {
                self.forget();
                self.flush();
                flushed = Instant::now();
            }
        }
        self.flush();
        self.shared.stopped.store(!self.shared.broken.load(Ordering::Acquire), Ordering::Release);
    }

    fn forget(&mut self) {
        let before = Timestamp(self.shared.forget_before.load(Ordering::Acquire));
        let forgotten = AtomicUsize::new(0);
        self.attempt(
            |picture| {
                let done = picture.forget_receipts(before, FORGOTTEN_PER_FLUSH_MAX)?;
                forgotten.store(done, Ordering::Release);
                Ok(())
            },
            "forget receipts in",
        );
        self.unflushed |= 0 < forgotten.into_inner();
    }

    fn flush(&mut self) {
        if std::mem::take(&mut self.unflushed) {
            self.attempt(Picture::flush, "flush");
        }
    }

    /// Does it unless something failed before, or there is no room on the disk.
    fn attempt(&self, act: impl Fn(&Picture) -> Result<(), PictureError>, doing: &'static str) {
        if self.shared.broken.load(Ordering::Acquire) {
            return;
        }
        let why = match RealDisk.free_space(&self.dir) {
            Ok(free) if free < ROOM_BYTES => format!("{free} bytes are free on its disk"),
            Err(error) => error.to_string(),
            Ok(_) => match catch_unwind(AssertUnwindSafe(|| act(&self.picture))) {
                Ok(Ok(())) => {
                    let seq = self.picture.applied().map_or(0, |applied| applied.seq);
                    self.shared.applied_seq.store(seq, Ordering::Release);
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the store panicked".to_owned(),
            },
        };
        self.shared.broken.store(true, Ordering::Release);
        tracing::error!(
            doing,
            why,
            "the state is not written any more and stays behind; the next start folds the rest"
        );
    }
}

/// What has changed since the follower last took something: which entities, not what they became,
/// so that many events are one write. It holds each entity, datum and receipt once at most.
#[derive(Debug, Default)]
pub struct Dirty {
    entities: BTreeMap<EntityId, u64>,
    rest: Change,
    sent: Option<Instant>,
}

impl Dirty {
    /// `entity` has another state, by the event with this number.
    pub fn touch(&mut self, entity: &EntityId, seq: u64) {
        match self.entities.get_mut(entity) {
            Some(last) => *last = seq,
            None => {
                self.entities.insert(entity.clone(), seq);
            }
        }
    }

    /// Something personal was said.
    pub fn say(&mut self, said: &Said) {
        self.rest.said.insert((said.of.clone(), said.field.clone()), said.text.clone());
    }

    /// A call was answered.
    pub fn receipt(&mut self, receipt: Receipt) {
        self.rest.receipts.insert((receipt.token, receipt.key), receipt);
    }

    /// A batch is folded whole.
    pub fn mark(&mut self, applied: Applied) {
        self.rest.applied = Some(applied);
    }

    /// Whether it is time to hand over what has gathered: [`SEND_EVERY`] after the last time, or
    /// earlier where it has become much ([`GATHERED_MAX`]).
    pub fn is_due(&self) -> bool {
        let late = self.sent.is_none_or(|sent| SEND_EVERY <= sent.elapsed());
        !self.is_empty() && (late || GATHERED_MAX <= self.entities.len())
    }

    /// Whether nothing has happened since.
    pub fn is_empty(&self) -> bool {
        self.rest.applied.is_none()
    }

    /// Sums that never change again.
    pub fn cells(&mut self, cells: BTreeMap<(i64, QueueId), Vec<u8>>) {
        self.rest.cells.extend(cells);
    }

    /// All of it as a change: `read` gives each entity's state, `views` the views, both as of the
    /// batch marked last.
    pub fn take(
        &mut self,
        read: impl Fn(&EntityId, u64) -> Kept,
        views: impl FnOnce() -> BTreeMap<String, Vec<u8>>,
    ) -> Change {
        self.sent = Some(Instant::now());
        let mut change = std::mem::take(&mut self.rest);
        let entities = std::mem::take(&mut self.entities);
        change.states.extend(entities.into_iter().map(|(id, seq)| {
            let kept = read(&id, seq);
            (id, kept)
        }));
        change.views = views();
        change
    }

    /// Hands all of it to the follower where there is room, between two batches; says whether it
    /// did. Once the follower is broken nothing is gathered any more.
    pub fn send(
        &mut self,
        follower: &Follower,
        read: impl Fn(&EntityId, u64) -> Kept,
        views: impl FnOnce() -> BTreeMap<String, Vec<u8>>,
    ) -> bool {
        if follower.is_broken() {
            *self = Self::default();
            return false;
        }
        if self.is_empty() || !follower.has_room() {
            return false;
        }
        let change = self.take(read, views);
        match follower.offer(change) {
            Ok(()) => true,
            Err(change) => {
                self.entities =
                    change.states.iter().map(|(id, kept)| (id.clone(), kept.seq)).collect();
                self.rest = Change { states: BTreeMap::new(), views: BTreeMap::new(), ..*change };
                false
            }
        }
    }
}
