//! The centre: writer, projector, lanes and gate, put together and started.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use actix::ArbiterHandle;
use atalaya_domain::contact;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::{Command, State};
use atalaya_domain::time::Now;
use tokio::sync::{Notify, mpsc, oneshot};

use super::brain::{Brain, Next, Origin};
use super::clock::Clock;
use super::directory::Directory;
use super::gate::Token;
use super::projector::project;
use super::shell::{Done, Failure, Lead, Order};
use super::slots::Slots;
use super::timekeeper::keep;
use super::writer::{self, BATCHES_MAX, WriterHandle};
use crate::journal::commit::{Cause, Commit, Numbered};
use crate::simulation::driver::Driver;
use crate::simulation::pure::setup;
use crate::simulation::scenario::Scenario;

/// Void turns in a row after which a run in lockstep is given up as one that does not end.
const TURNS_MAX: u64 = 100_000_000;

/// Everything that one running centre shares.
pub struct Centre {
    /// Published states.
    pub slots: Slots,
    brain: Mutex<Brain>,
    writer: OnceLock<WriterHandle>,
    directory: Directory,
    gate: Arc<Notify>,
    deadlines: Notify,
    clock: Clock,
    lockstep: bool,
    closed: AtomicBool,
    events: Mutex<Vec<Numbered>>,
}

/// How a centre is started.
pub struct Options {
    /// Where entries are committed.
    pub commit: Box<dyn Commit>,
    /// Where the lanes live; at least one.
    pub arbiters: Vec<ArbiterHandle>,
    /// The centre's clock.
    pub clock: Clock,
    /// The people of a scenario: lockstep. `None`: live.
    pub driver: Option<Driver>,
}

impl Centre {
    /// The brain, for as long as the guard is held; never across an await.
    pub fn brain(&self) -> MutexGuard<'_, Brain> {
        self.brain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where entries go.
    pub fn writer(&self) -> WriterHandle {
        self.writer.get().cloned().unwrap_or_else(WriterHandle::closed)
    }

    /// Starts writer and projector, and the timekeeper when live, on the caller's arbiter.
    pub fn start(options: Options) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let Options { commit, arbiters, clock, driver } = options;
        let (batches, received) = mpsc::channel(BATCHES_MAX);
        let (writer, thread) = writer::start(commit, batches)?;
        let lockstep = driver.is_some();
        let centre = Arc::new(Self {
            slots: Slots::default(),
            brain: Mutex::new(Brain::new(driver, clock.now())),
            writer: OnceLock::from(writer),
            directory: Directory::new(arbiters),
            gate: Arc::new(Notify::new()),
            deadlines: Notify::new(),
            clock,
            lockstep,
            closed: AtomicBool::new(false),
            events: Mutex::new(Vec::new()),
        });
        actix::spawn(project(centre.clone(), received));
        if !lockstep {
            actix::spawn(keep(centre.clone()));
        }
        Ok((centre, thread))
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

    /// Ends what the centre does by itself.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.deadlines.notify_one();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until the first deadline may be another.
    pub async fn deadlines_changed(&self) {
        self.deadlines.notified().await;
    }

    /// Seq of the last published event.
    pub fn last_seq(&self) -> u64 {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.last().map_or(0, |event| event.seq)
    }

    /// At most `limit` published events after `seq`, in order.
    pub fn events_after(&self, seq: u64, limit: usize) -> Vec<Numbered> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let from = usize::try_from(seq).unwrap_or(usize::MAX).min(events.len());
        events[from..].iter().take(limit).cloned().collect()
    }

    /// Keeps what was published, for whoever reads the stream.
    pub fn published(&self, events: &[Numbered]) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(events);
        self.deadlines.notify_one();
    }

    /// Every event published so far.
    pub fn events(&self) -> Vec<Numbered> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        let order = Order { to, command, now, cause: Cause::system(), flight, token };
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
        let flight = super::brain::Flight::Nothing;
        let (reply, answer) = oneshot::channel();
        let order = Order { to: to.clone(), command, now, cause, flight, token: Token::live() };
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
    let (centre, thread) = Centre::start(Options { commit, arbiters, clock, driver })
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
