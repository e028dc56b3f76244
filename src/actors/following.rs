//! The picture follows the fold: what each batch touched is gathered, and handed over each second.
//! Whoever it has, and who is over, leaves memory then.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::centre::Centre;
use super::found::BOARD;
use crate::journal::commit::Sealed;
use crate::journal::follower::{Dirty, Follower, SEND_EVERY};
use crate::journal::picture::{Applied, Picture, PictureError, Receipt};
use crate::views::{CellKey, Wallboard};
use atalaya_domain::time::Timestamp;
use atalaya_domain::{Event, system};

use super::slots::Slots;

/// How long a stop waits for the picture to be written; what it lacks the next start folds.
pub const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two tries to hand over at a stop.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// Where the picture is kept. Without it nothing follows: tests, and runs without a folder.
#[derive(Debug, Default)]
pub struct Following(Mutex<Option<Inner>>);

#[derive(Debug)]
struct Inner {
    dirty: Dirty,
    /// Number of the last event up to the last batch.
    seq: u64,
    picture: Arc<Picture>,
    dir: PathBuf,
    /// `None` until the log's tail is folded.
    follower: Option<Follower>,
    /// Done cells that were handed over, and the number up to which the picture must be for it to
    /// have them. One lot is on its way at a time.
    cells: Option<(u64, Vec<CellKey>)>,
}

impl Following {
    /// Follows with `picture` in the data folder `dir`.
    pub fn new(picture: Arc<Picture>, dir: PathBuf) -> Self {
        let dirty = Dirty::default();
        let seq = picture.applied().map_or(0, |applied| applied.seq);
        Self(Mutex::new(Some(Inner { dirty, seq, picture, dir, follower: None, cells: None })))
    }

    fn inner(&self) -> MutexGuard<'_, Option<Inner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A batch is folded whole.
    pub(super) fn folded(&self, number: u64, entries: &[Sealed], slots: &Slots) {
        if let (Some(inner), true) = (&mut *self.inner(), number > 0) {
            inner.gather(number, entries, slots);
        }
    }

    /// At a start, before anybody asks: what has gathered is written at once, so that it does not
    /// grow with the log.
    pub(super) fn make_room(
        &self,
        slots: &Slots,
        board: &mut Wallboard,
    ) -> Result<(), PictureError> {
        if let Some(inner) = &mut *self.inner()
            && inner.dirty.is_due()
        {
            inner.pass_cells(board);
            let change = inner.dirty.take(|id, _| slots.read(id).kept(), || views(board));
            inner.picture.apply(&change)?;
            inner.drop_cells(inner.seq, board);
        }
        Ok(())
    }

    /// From now on a thread of its own writes.
    pub(super) fn start(&self) -> std::io::Result<()> {
        if let Some(inner) = &mut *self.inner() {
            inner.follower = Some(Follower::start(inner.picture.clone(), inner.dir.clone())?);
        }
        Ok(())
    }

    /// Hands over what has gathered, if it is due.
    pub(super) fn hand_over(&self, slots: &Slots, board: &mut Wallboard) {
        if let Some(inner) = &mut *self.inner()
            && inner.dirty.is_due()
        {
            inner.send(slots, board);
        }
    }

    /// Receipts from before this wall instant are of no use any more.
    pub(super) fn forget_receipts(&self, before_wall: Timestamp) {
        if let Some(follower) = self.inner().as_ref().and_then(|inner| inner.follower.as_ref()) {
            follower.forget_receipts(before_wall);
        }
    }

    /// The picture that is followed.
    pub(super) fn picture(&self) -> Option<Arc<Picture>> {
        self.inner().as_ref().map(|inner| inner.picture.clone())
    }

    /// Number of the last event that can be read back from the picture.
    pub fn applied_seq(&self) -> u64 {
        let inner = self.inner();
        let follower = inner.as_ref().and_then(|inner| inner.follower.as_ref());
        follower.map_or(0, Follower::applied_seq)
    }

    /// Writes the rest and ends.
    pub(super) fn stop(&self, slots: &Slots, board: &mut Wallboard) {
        let Some(mut inner) = self.inner().take() else { return };
        let until = Instant::now() + STOP_PATIENCE;
        while !inner.dirty.is_empty() && Instant::now() < until {
            if !inner.send(slots, board) {
                std::thread::sleep(TRY_EVERY);
            }
        }
        if let Some(follower) = inner.follower {
            follower.stop(until.saturating_duration_since(Instant::now()));
        }
    }
}

impl Inner {
    fn gather(&mut self, number: u64, entries: &[Sealed], slots: &Slots) {
        for entry in entries {
            let last = entry.events.last().map_or(0, |numbered| numbered.seq);
            for numbered in &entry.events {
                self.dirty.touch(&numbered.recorded.entity, numbered.seq);
                // It is out of service without an event of its own.
                if let Event::System(system::Event::Quarantined { entity, .. }) =
                    &numbered.recorded.event
                {
                    self.dirty.touch(entity, slots.read(entity).seq);
                }
            }
            for said in &entry.cause.said {
                self.dirty.say(said);
            }
            if let Some(receipt) = &entry.cause.receipt {
                let crate::journal::commit::Receipt { token, key, request, status, entity, wall } =
                    receipt.clone();
                self.dirty.receipt(Receipt {
                    token,
                    key,
                    request,
                    status,
                    entity,
                    wall,
                    seq: last,
                });
            }
        }
        if let Some(last) = entries.last() {
            // A batch may hold a receipt alone: numbers stay where they stood.
            let numbers = entries.iter().flat_map(|entry| &entry.events).map(|event| event.seq);
            self.seq = numbers.fold(self.seq, u64::max);
            self.dirty.mark(Applied { batch: number, seq: self.seq, now: last.now });
        }
    }

    /// Cells that are done go into the next change, once those before are in the picture.
    fn pass_cells(&mut self, board: &Wallboard) {
        if self.cells.is_none() {
            let done = board.done_cells();
            if !done.is_empty() {
                self.cells = Some((self.seq, done.keys().cloned().collect()));
                self.dirty.cells(done);
            }
        }
    }

    /// The picture is up to `applied`: cells that it has leave memory.
    fn drop_cells(&mut self, applied: u64, board: &mut Wallboard) {
        if let Some((_, cells)) = self.cells.take_if(|(seq, _)| *seq <= applied) {
            board.drop_cells(&cells);
        }
    }

    fn send(&mut self, slots: &Slots, board: &mut Wallboard) -> bool {
        let applied = self.follower.as_ref().map_or(0, Follower::applied_seq);
        self.drop_cells(applied, board);
        self.pass_cells(board);
        let Some(follower) = &self.follower else { return false };
        self.dirty.send(follower, |id, _| slots.read(id).kept(), || views(board))
    }
}

fn views(board: &Wallboard) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([(BOARD.to_owned(), board.keep())])
}

/// Each second: hands over what has gathered, and lets those leave who may.
pub(super) async fn follow(centre: Arc<Centre>) {
    while !centre.is_closed() {
        tokio::time::sleep(SEND_EVERY).await;
        centre.hand_over();
        centre.sweep();
        centre.forget();
    }
}
