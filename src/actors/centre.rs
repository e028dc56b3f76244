//! The centre: writer, projector, lanes and gate, put together and started.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use actix::ArbiterHandle;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::{Command, State};
use atalaya_domain::quarantine::{Standing, farewell};
use atalaya_domain::system;
use atalaya_domain::time::{Now, Timestamp};
use jiff::tz::TimeZone;
use tokio::sync::{
    Notify, RwLock as Turns, RwLockReadGuard, RwLockWriteGuard, mpsc, oneshot, watch,
};

use super::admission::{self, TooMany};
use super::brain::{Brain, Flight, Origin};
use super::checker::{self, Checker};
use super::clock::Clock;
use super::cold::Cold;
use super::directory::Directory;
use super::following::{Following, follow};
use super::found::Found;
use super::gate::{Flights, Token};
use super::guardian::{BUDGET_SPENT, Faults, Guardian, Verdict};
use super::leaving::Leaving;
use super::projector::{fold, project};
use super::pulse::Pulse;
use super::receipts::Receipts;
use super::register::{self, Register};
use super::shell::{Done, Failure, Landing, Lead, Order, Terms};
use super::slots::Slots;
use super::spoken::Spoken;
use super::stream::Stream;
use super::timekeeper::{keep, settle};
use super::writer::{self, BATCHES_MAX, WriterHandle};
use crate::journal::commit::{Cause, Commit, Numbered, PastError, Sealed, Whose};
use crate::journal::opening::Told;
use crate::simulation::driver::Driver;
use crate::views::Wallboard;

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

    /// Starts writer and projector, and the timekeeper when live, on the caller's arbiter.
    pub fn start(options: Options) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        Self::start_with(options, None)
    }

    /// The same, with what makes a test's centre panic.
    pub fn start_with(
        mut options: Options,
        faults: Option<Arc<dyn Faults>>,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let history = std::mem::take(&mut options.history);
        Self::start_on(options, Found::told(history), Following::default(), faults)
    }

    /// The same, on what `found` holds instead of the options' history; the picture follows.
    pub fn start_on(
        options: Options,
        mut found: Found,
        following: Following,
        faults: Option<Arc<dyn Faults>>,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let Options { commit, history: _, arbiters, clock, driver, time_zone } = options;
        let cold = Cold::of(following.picture());
        let (batches, received) = mpsc::channel(BATCHES_MAX);
        let (pulse, past) = (Arc::new(Pulse::default()), commit.past());
        let (writer, thread) =
            { writer::start(commit, &found, cold.clone(), batches, pulse.clone())? };
        let lockstep = driver.is_some();
        let centre = Arc::new(Self {
            slots: Slots::new(faults.clone(), cold.clone()),
            spoken: Spoken::new(cold),
            leaving: Leaving::default(),
            register: if clock.rate() > 0.0 {
                Register::default()
            } else {
                Register::standing(Instant::now())
            },
            receipts: Arc::default(),
            pulse,
            board: Mutex::new(found.board.take().unwrap_or_else(|| Wallboard::new(time_zone))),
            brain: Mutex::new(Brain::new(driver, clock.now())),
            writer: Mutex::new(Some(writer)),
            directory: Directory::new(arbiters),
            guardian: Guardian::default(),
            checker: Checker::default(),
            faults,
            gate: Arc::new(Notify::new()),
            flights: Arc::default(),
            moves: Turns::default(),
            deadlines: Notify::new(),
            clock,
            lockstep,
            closed: AtomicBool::new(false),
            stream: Stream::new(past, found.last_seq()),
            following,
            seq: watch::Sender::new(0),
        });
        centre.restore(&mut found);
        for told in &found.tail {
            centre.catch_up(told)?;
        }
        centre.following.start()?;
        actix::spawn(project(centre.clone(), received));
        if !lockstep {
            actix::spawn(keep(centre.clone()));
            actix::spawn(follow(centre.clone()));
            actix::spawn(checker::watch(centre.clone()));
            if centre.clock.rate() > 0.0 {
                actix::spawn(register::watch(centre.clone()));
            }
        }
        Ok((centre, thread))
    }

    /// Publishes what the picture has.
    fn restore(&self, found: &mut Found) {
        let mut brain = self.brain();
        for (id, kept) in found.states.drain(..) {
            self.slots.restore(&id, kept);
            let published = self.slots.read(&id);
            brain.restore(&id, &published);
            self.may_leave(&id, &published);
        }
        if let State::System(system) = &self.slots.read(&EntityId::System).state {
            for entity in system.quarantined.keys() {
                self.guardian.quarantined(entity);
            }
        }
        drop(brain);
        self.spoken.restore(found.said.drain(..));
        for receipt in found.receipts.drain(..) {
            self.receipts.restore(receipt);
        }
        self.seq.send_replace(found.last_seq());
    }

    /// Folds a batch that the picture lacks.
    fn catch_up(&self, told: &Told) -> std::io::Result<()> {
        self.following
            .make_room(&self.slots, &mut self.board())
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        for entry in &told.entries {
            fold(self, entry);
        }
        self.following.folded(told.batch, &told.entries, &self.slots);
        Ok(())
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

    /// Says that the server has started: whoever was signed in is lost until heard.
    pub async fn announce_start(self: &Arc<Self>) -> Result<u64, Failure> {
        let here = |id: EntityId| match (&id, &self.slots.read(&id).state) {
            (EntityId::Agent(agent), State::Agent(state)) if state.signed_in.is_some() => {
                Some(agent.clone())
            }
            _ => None,
        };
        let mut agents: Vec<_> = self.slots.ids().into_iter().filter_map(here).collect();
        agents.sort_unstable();
        let start = system::Command::Start { rate: self.clock.rate(), agents };
        let done =
            self.tell(EntityId::System, Command::System(start), None, Cause::system()).await?;
        Ok(match &done.entity.state {
            State::System(system) => system.start,
            State::Agent(_) | State::Contact(_) | State::Queue(_) | State::Credential(_) => 0,
        })
    }

    /// The number of the last start.
    pub fn start_number(&self) -> u64 {
        match &self.slots.read(&EntityId::System).state {
            State::System(system) => system.start,
            State::Agent(_) | State::Contact(_) | State::Queue(_) | State::Credential(_) => 0,
        }
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

    /// Sends what the centre itself originates to its lane.
    pub fn pass(self: &Arc<Self>, origin: Origin, token: Token) {
        let Origin { now, to, command, flight } = origin;
        let (now, landing) = (Some(now), Landing::new(self.clone(), flight));
        let (cause, terms) = (Cause::system(), Terms::default());
        let order = Order { to, command, now, cause, terms, landing, token };
        let to = order.to.clone();
        if let Err(mut back) = self.directory.send(self, &to, Lead { order, reply: None }) {
            back.order.landing.end(true);
        }
    }

    /// Carries out a command and waits for its end; where the clock stands still, also until
    /// nothing that follows from it at that instant is in flight.
    pub async fn tell(
        self: &Arc<Self>,
        to: EntityId,
        command: Command,
        now: Option<Now>,
        cause: Cause,
    ) -> Result<Done, Failure> {
        self.tell_on(Terms::default(), to, command, now, cause).await
    }

    /// The same, on the caller's terms.
    pub async fn tell_on(
        self: &Arc<Self>,
        terms: Terms,
        to: EntityId,
        command: Command,
        now: Option<Now>,
        cause: Cause,
    ) -> Result<Done, Failure> {
        if !self.stands_still() {
            return self.carry_out_on(terms, to, command, now, cause).await;
        }
        let _unmoved = self.unmoved().await;
        let done = self.carry_out_on(terms, to, command, now, cause).await;
        settle(self).await;
        done
    }

    /// Carries out a command and waits for its end, and for nothing that follows from it.
    pub async fn carry_out(
        self: &Arc<Self>,
        to: EntityId,
        command: Command,
        now: Option<Now>,
        cause: Cause,
    ) -> Result<Done, Failure> {
        self.carry_out_on(Terms::default(), to, command, now, cause).await
    }

    /// The same, on the caller's terms.
    pub async fn carry_out_on(
        self: &Arc<Self>,
        terms: Terms,
        to: EntityId,
        command: Command,
        now: Option<Now>,
        cause: Cause,
    ) -> Result<Done, Failure> {
        let landing = Landing::new(self.clone(), Flight::Nothing);
        let (reply, answer) = oneshot::channel();
        let token = self.token();
        let order = Order { to: to.clone(), command, now, cause, terms, landing, token };
        let lead = Lead { order, reply: Some(reply) };
        self.directory.send(self, &to, lead).map_err(|_| Failure::Overloaded)?;
        answer.await.unwrap_or_else(|_| Err(Failure::Unknown("the lane died".into())))
    }
}
