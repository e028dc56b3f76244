//! The centre: what writer, projector, lanes and gate share.

mod starting;
mod telling;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use actix::ArbiterHandle;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Command;
use atalaya_domain::quarantine::{Standing, farewell};
use atalaya_domain::system;
use atalaya_domain::time::{Now, Timestamp};
use jiff::tz::TimeZone;
use tokio::sync::{Notify, RwLock as Turns, RwLockReadGuard, RwLockWriteGuard, watch};

use super::admission::{self, TooMany};
use super::brain::Brain;
use super::checker::Checker;
use super::clock::Clock;
use super::directory::Directory;
use super::following::Following;
use super::gate::{Flights, Token};
use super::guardian::{BUDGET_SPENT, Faults, Guardian, Verdict};
use super::leaving::Leaving;
use super::pulse::Pulse;
use super::receipts::Receipts;
use super::register::Register;
use super::slots::Slots;
use super::spoken::Spoken;
use super::stream::Stream;
use super::writer::WriterHandle;
use crate::journal::commit::{Commit, Numbered, PastError, Sealed, Whose};
use crate::simulation::driver::Driver;
use crate::views::Wallboard;

pub use telling::Asked;

/// Everything that one running centre shares.
pub struct Centre {
    /// Published states.
    pub slots: Slots,
    /// Who was heard of lately.
    pub register: Register,
    /// Whether commits go through.
    pub pulse: Arc<Pulse>,
    /// What became of requests with keys.
    pub receipts: Arc<Receipts>,
    brain: Mutex<Brain>,
    pub(super) spoken: Spoken,
    pub(super) leaving: Leaving,
    board: Mutex<Wallboard>,
    writer: Mutex<Option<WriterHandle>>,
    pub(super) directory: Directory,
    guardian: Guardian,
    checker: Checker,
    faults: Option<Arc<dyn Faults>>,
    gate: Arc<Notify>,
    flights: Arc<Flights>,
    /// Held for writing while a clock that stands still is moved.
    moves: Turns<()>,
    deadlines: Notify,
    clock: Clock,
    lockstep: bool,
    closed: AtomicBool,
    stream: Stream,
    pub(super) following: Following,
    seq: watch::Sender<u64>,
}

/// How a centre is started.
pub struct Options {
    /// Where entries are committed.
    pub commit: Box<dyn Commit>,
    /// What the log holds already, in order.
    pub history: Vec<Sealed>,
    /// Where the lanes live; at least one.
    pub arbiters: Vec<ArbiterHandle>,
    /// The centre's clock.
    pub clock: Clock,
    /// The people of a scenario: lockstep. `None`: live.
    pub driver: Option<Driver>,
    /// Whose midnight turns the day's counters.
    pub time_zone: TimeZone,
}

impl Centre {
    /// The brain, for as long as the guard is held; never across an await.
    pub fn brain(&self) -> MutexGuard<'_, Brain> {
        self.brain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wallboard, as of the last published event; never across an await.
    pub fn board(&self) -> MutexGuard<'_, Wallboard> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commands in flight.
    pub fn in_flight(&self) -> usize {
        self.flights.count()
    }

    /// Tells whoever waits for it when more is published: the number of the last event.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }

    /// Counts of restarts and quarantines.
    pub const fn guardian(&self) -> &Guardian {
        &self.guardian
    }

    /// Counts of what cannot be.
    pub const fn checker(&self) -> &Checker {
        &self.checker
    }

    /// What a test makes panic.
    pub fn faults(&self) -> Option<&dyn Faults> {
        self.faults.as_deref()
    }

    /// Whether the actor of `id` lives; one that was never spoken to has none.
    pub fn is_alive(&self, id: &EntityId) -> bool {
        self.directory.lives(id)
    }

    /// The lane of `id` has died by a panic: another starts at once, or it has died too often.
    pub fn lane_died(self: &Arc<Self>, id: &EntityId) {
        if self.is_closed() {
            return;
        }
        tracing::error!(entity = %id, "an actor died by a panic");
        match self.guardian.died(id, Instant::now()) {
            Verdict::Restart => self.directory.renew(self, id),
            Verdict::Quarantine => {
                let published = self.slots.read(id);
                if published.standing() == Standing::InService {
                    self.brain().quarantine(id, BUDGET_SPENT, Standing::OutOfService);
                }
                self.wake_timekeeper();
            }
        }
    }

    /// Where entries go; `None` once the centre is closed.
    pub fn writer(&self) -> Option<WriterHandle> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A batch is folded whole: the picture will follow.
    pub(super) fn pictured(&self, number: u64, entries: &[Sealed]) {
        self.following.folded(number, entries, &self.slots);
        self.hand_over();
    }

    /// Hands what has gathered to the picture, if it is due.
    pub(super) fn hand_over(&self) {
        self.following.hand_over(&self.slots, &mut self.board());
    }

    /// Writes what the picture lacks, once nothing comes any more.
    pub fn let_go(&self) {
        self.following.stop(&self.slots, &mut self.board());
        self.slots.cold().let_go();
    }

    /// Whether commands pass one at a time.
    pub const fn is_lockstep(&self) -> bool {
        self.lockstep
    }

    /// Whether the clock moves only when it is told to, and commands pass as they come.
    pub fn stands_still(&self) -> bool {
        !self.lockstep && self.clock.rate() <= 0.0
    }

    /// Keeps a clock that stands still from being moved meanwhile.
    pub async fn unmoved(&self) -> RwLockReadGuard<'_, ()> {
        self.moves.read().await
    }

    /// Keeps everybody else from writing while a clock that stands still is moved.
    pub async fn moving(&self) -> RwLockWriteGuard<'_, ()> {
        self.moves.write().await
    }

    /// A token for what is passed now: it is in flight until the last clone is dropped.
    pub fn token(&self) -> Token {
        self.flights.launch()
    }

    /// Waits until nothing of what is in flight now is any more.
    pub async fn landed(&self) {
        self.flights.landed().await;
    }

    /// The gate of lockstep: told when what it passed has ended.
    pub(super) const fn gate(&self) -> &Arc<Notify> {
        &self.gate
    }

    /// The centre's clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The present: live, the phase is the last of its instant.
    pub fn now(&self) -> Now {
        Now::live(self.clock.now())
    }

    /// Ends what the centre does by itself, lets its lanes go, and takes no entry any more: the
    /// writer's thread ends, and with it whatever holds the data folder.
    pub fn close(&self) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.directory.clear();
        self.closed.store(true, Ordering::Release);
        self.deadlines.notify_one();
        self.seq.send_modify(|_| ());
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Something is to be tried again, or due earlier.
    pub fn wake_timekeeper(&self) {
        self.deadlines.notify_one();
    }

    /// Waits until the first deadline may be another.
    pub async fn deadlines_changed(&self) {
        self.deadlines.notified().await;
    }

    /// The published events.
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Seq of the last published event.
    pub fn last_seq(&self) -> u64 {
        self.stream.last_seq()
    }

    /// The last that was said of `field` of somebody, as of the last published entry.
    pub fn said(&self, of: &Whose, field: &str) -> Option<String> {
        self.spoken.get(of, field)
    }

    /// Keeps what was published, for whoever reads the stream.
    pub fn published(&self, entry: &Sealed) {
        self.stream.publish(entry);
        if let Some(last) = entry.events.last() {
            self.seq.send_replace(last.seq);
        }
        self.deadlines.notify_one();
    }

    /// Every event published so far, also from the log: for tests, which are short.
    pub fn events(&self) -> Result<Vec<Numbered>, PastError> {
        let first = self.stream.first_seq().saturating_sub(1);
        let events = self.stream.after(first, usize::MAX)?;
        Ok(events.into_iter().map(|told| told.numbered).collect())
    }

    /// What a command goes with, as of now: an arrival with admission's verdict, a quarantine with
    /// what others are told.
    pub fn admitted(
        &self,
        to: &EntityId,
        command: &Command,
        now: Timestamp,
    ) -> Result<Command, TooMany> {
        let mut command = command.clone();
        admission::admit(self, to, &mut command)?;
        if let Command::System(system::Command::Quarantine { entity, others, .. }) = &mut command {
            let all = self.slots.all();
            let sound = all.iter().filter(|(id, published)| !published.frozen || id == entity);
            let states = sound.map(|(id, published)| (id, &published.state));
            *others = farewell(entity, self.slots.read(entity).standing(), now, states);
            others.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
        Ok(command)
    }
}
