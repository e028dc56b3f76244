//! The centre: writer, projector, lanes and gate, put together and started.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use actix::ArbiterHandle;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::{Command, State};
use atalaya_domain::time::Now;
use atalaya_domain::{contact, system};
use jiff::tz::TimeZone;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::brain::{Brain, Next, Origin};
use super::clock::Clock;
use super::directory::Directory;
use super::gate::Token;
use super::projector::{fold, project};
use super::pulse::Pulse;
use super::receipts::Receipts;
use super::register::{self, Register};
use super::shell::{Done, Failure, Lead, Order, Terms};
use super::slots::Slots;
use super::stream::Stream;
use super::timekeeper::keep;
use super::writer::{self, BATCHES_MAX, WriterHandle};
use crate::journal::commit::{Cause, Commit, Numbered, PastError, Sealed, Whose};
use crate::simulation::driver::Driver;
use crate::simulation::pure::setup;
use crate::simulation::scenario::Scenario;
use crate::views::{Scope, Wallboard};

/// Void turns in a row after which a run in lockstep is given up as one that does not end.
const TURNS_MAX: u64 = 100_000_000;

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
    said: RwLock<BTreeMap<Whose, BTreeMap<String, String>>>,
    board: Mutex<Wallboard>,
    writer: Mutex<Option<WriterHandle>>,
    directory: Directory,
    gate: Arc<Notify>,
    deadlines: Notify,
    clock: Clock,
    lockstep: bool,
    closed: AtomicBool,
    stream: Stream,
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

    /// What the wallboard holds, and the number of the last event in it: of one instant.
    pub fn wallboard(&self, scope: Scope) -> (u64, serde_json::Value) {
        let mut board = self.board();
        board.roll_to(self.clock.now());
        (self.last_seq(), board.data(scope))
    }

    /// What the roster holds, likewise.
    pub fn roster(&self, scope: Scope) -> (u64, serde_json::Value) {
        let mut board = self.board();
        board.roll_to(self.clock.now());
        (self.last_seq(), board.roster().data(scope))
    }

    /// Tells whoever waits for it when more is published: the number of the last event.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }

    /// Where entries go; `None` once the centre is closed.
    pub fn writer(&self) -> Option<WriterHandle> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts writer and projector, and the timekeeper when live, on the caller's arbiter.
    pub fn start(options: Options) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let Options { commit, history, arbiters, clock, driver, time_zone } = options;
        let (batches, received) = mpsc::channel(BATCHES_MAX);
        let (pulse, past) = (Arc::new(Pulse::default()), commit.past());
        let (writer, thread) = writer::start(commit, &history, batches, pulse.clone())?;
        let lockstep = driver.is_some();
        let centre = Arc::new(Self {
            slots: Slots::default(),
            said: RwLock::new(BTreeMap::new()),
            register: Register::default(),
            receipts: Arc::default(),
            pulse,
            board: Mutex::new(Wallboard::new(time_zone)),
            brain: Mutex::new(Brain::new(driver, clock.now())),
            writer: Mutex::new(Some(writer)),
            directory: Directory::new(arbiters),
            gate: Arc::new(Notify::new()),
            deadlines: Notify::new(),
            clock,
            lockstep,
            closed: AtomicBool::new(false),
            stream: Stream::new(past),
            seq: watch::Sender::new(0),
        });
        for sealed in &history {
            fold(&centre, sealed);
        }
        actix::spawn(project(centre.clone(), received));
        if !lockstep {
            actix::spawn(keep(centre.clone()));
            if centre.clock.rate() > 0.0 {
                actix::spawn(register::watch(centre.clone()));
            }
        }
        Ok((centre, thread))
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
        let said = self.said.read().unwrap_or_else(PoisonError::into_inner);
        said.get(of)?.get(field).cloned()
    }

    /// Keeps the personal data of an entry that was committed.
    pub fn keep_said(&self, entry: &Sealed) {
        let mut kept = self.said.write().unwrap_or_else(PoisonError::into_inner);
        for said in &entry.cause.said {
            kept.entry(said.of.clone()).or_default().insert(said.field.clone(), said.text.clone());
        }
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

    /// An arrival goes with admission's verdict.
    pub fn admitted(&self, command: &Command) -> Command {
        let mut command = command.clone();
        if let Command::Contact(contact::Command::Arrive(arrival)) = &mut command {
            let queue = self.slots.read(&EntityId::Queue(arrival.queue.clone()));
            if let State::Queue(state) = &queue.state
                && let Some(most) = state.rules.as_ref().and_then(|rules| rules.max_waiting)
            {
                let waiting = self.brain().intake.waiting_in(&arrival.queue);
                arrival.full = waiting >= usize::try_from(most).unwrap_or(usize::MAX);
            }
        }
        command
    }

    /// Sends what the centre itself originates to its lane.
    pub fn pass(self: &Arc<Self>, origin: Origin, token: Token) {
        let Origin { now, to, command, flight } = origin;
        let now = Some(now);
        let (cause, terms) = (Cause::system(), Terms::default());
        let order = Order { to, command, now, cause, terms, flight, token };
        let to = order.to.clone();
        if let Err(back) = self.directory.send(self, &to, Lead { order, reply: None }) {
            self.brain().land(&back.order.flight, true);
        }
    }

    /// Carries out a command and waits for its end.
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
        let flight = super::brain::Flight::Nothing;
        let (reply, answer) = oneshot::channel();
        let token = Token::live();
        let order = Order { to: to.clone(), command, now, cause, terms, flight, token };
        let lead = Lead { order, reply: Some(reply) };
        self.directory.send(self, &to, lead).map_err(|_| Failure::Overloaded)?;
        answer.await.unwrap_or_else(|_| Err(Failure::Unknown("the lane died".into())))
    }
}

/// Plays `scenario` through the actors in lockstep to its end: the centre as it is then.
///
/// Lanes live on `arbiters`; projector and gate on the caller's.
pub async fn play(
    scenario: &Scenario,
    commit: Box<dyn Commit>,
    arbiters: Vec<ArbiterHandle>,
) -> Result<(Arc<Centre>, JoinHandle<()>), Failure> {
    let driver = Some(Driver::new(scenario));
    let clock = Clock::new(scenario.start, 0.0);
    let (centre, thread) = Centre::start(Options {
        commit,
        history: Vec::new(),
        arbiters,
        clock,
        driver,
        time_zone: TimeZone::UTC,
    })
    .map_err(|error| Failure::NotCommitted(error.to_string()))?;
    let start = Some(Now::live(scenario.start));
    for (to, command) in setup(scenario) {
        centre.tell(to, command, start, Cause::system()).await?;
    }
    for _ in 0..TURNS_MAX {
        let next = centre.brain().next(&centre.slots);
        match next {
            Next::Done => return Ok((centre, thread)),
            Next::Void => (),
            Next::Pass(origin) => {
                centre.clock.advance_to(origin.now.at);
                centre.pass(*origin, Token::pass(&centre.gate));
                centre.gate.notified().await;
            }
        }
    }
    Err(Failure::Contended)
}
