//! How a centre starts: put together on what was found, folded to the log's end, announced.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::{Command, State};
use atalaya_domain::system;
use tokio::sync::{Notify, RwLock as Turns, mpsc, watch};

use super::super::brain::Brain;
use super::super::checker::{self, Checker};
use super::super::cold::Cold;
use super::super::directory::Directory;
use super::super::following::{Following, follow};
use super::super::found::Found;
use super::super::guardian::{Faults, Guardian};
use super::super::leaving::Leaving;
use super::super::projector::{fold, project};
use super::super::pulse::Pulse;
use super::super::register::{self, Register};
use super::super::shell::Failure;
use super::super::slots::Slots;
use super::super::spoken::Spoken;
use super::super::stream::Stream;
use super::super::timekeeper::keep;
use super::super::writer::{self, BATCHES_MAX};
use super::{Asked, Centre, Options};
use crate::journal::opening::Told;
use crate::views::Wallboard;

impl Centre {
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
        let asked = Asked::by_system(EntityId::System, Command::System(start));
        let done = self.tell(asked).await?;
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
}
