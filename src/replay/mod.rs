//! Recorded days through the server's actors, in lockstep: exact, as fast as the log allows.
//!
//! The day's people are announced at the gate, every entry goes through the writer to the log of a
//! data folder (or is kept in memory), and the report is read from the published states. Replay
//! over HTTP and sockets, with the true waits, is [`live`]; a log of calls as it was kept becomes a
//! day in [`raw`].

pub mod live;
pub mod raw;
pub mod report;

use std::path::{Path, PathBuf};

use atalaya_domain::machine::State;
use atalaya_domain::time::Timestamp;

use crate::actors::centre::Centre;
use crate::actors::clock::wall_now;
use crate::actors::lockstep::play;
use crate::actors::shell::Failure;
use crate::journal::commit::{Commit, Memory};
use crate::journal::recorder::{OpenError, Recorder};
use crate::simulation::scenario::{self, Scenario, ScenarioError};
use crate::views::CONTACTS;
use report::{Outcome, Report};

/// How far the day is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The present, in the day.
    pub at: Timestamp,
    /// Contacts that have arrived.
    pub arrived: u64,
    /// Contacts of the whole day.
    pub of: usize,
    /// Those that were answered.
    pub answered: u64,
    /// Those that were abandoned.
    pub abandoned: u64,
}

impl Progress {
    fn of(centre: &Centre, of: usize) -> Self {
        let (_, measures, _) = centre.measures();
        let sum = |named: &str| {
            let place = CONTACTS.iter().position(|(name, _)| *name == named);
            let counts = measures.queues.values().map(|queue| queue.counted.contacts);
            place.map_or(0, |place| counts.filter_map(|counts| counts.get(place).copied()).sum())
        };
        let [arrived, answered, abandoned] = ["offered", "answered", "abandoned"].map(sum);
        Self { at: centre.now().at, arrived, of, answered, abandoned }
    }
}

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The scenario cannot be read.
    #[error("failed to read the scenario: {0}")]
    Scenario(#[from] ScenarioError),
    /// The log of calls cannot be replayed.
    #[error(transparent)]
    Raw(#[from] raw::RawError),
    /// The data folder cannot be opened.
    #[error("failed to open the data folder: {0}")]
    Open(#[from] OpenError),
    /// The folder holds something else.
    #[error(
        "cannot replay into {}: it holds {events} events already; name an empty folder",
        dir.display()
    )]
    Used {
        /// The folder.
        dir: PathBuf,
        /// Events in its log.
        events: u64,
    },
    /// A command of the day failed.
    #[error("failed to replay: {0}")]
    Failed(#[from] Failure),
    /// Something of the machine failed.
    #[error("failed to replay: {0}")]
    Io(#[from] std::io::Error),
}

/// Replays `file` at speed 0 to its end; with `data`, into the log of that folder. From time to
/// time, and at the end, `tell` hears how far it is.
pub fn run(
    file: &Path,
    data: Option<&Path>,
    tell: &dyn Fn(&Progress),
) -> Result<Report, ReplayError> {
    run_day(&scenario::read(file)?, data, tell)
}

/// Replays a day that has been read, as [`run`] does.
pub fn run_day(
    scenario: &Scenario,
    data: Option<&Path>,
    tell: &dyn Fn(&Progress),
) -> Result<Report, ReplayError> {
    let commit: Box<dyn Commit> = match data {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            let recorder = Recorder::open(dir, wall_now, &mut |_| ())?;
            if recorder.next_seq() > 1 {
                let (dir, events) = (dir.to_owned(), recorder.next_seq() - 1);
                return Err(ReplayError::Used { dir, events });
            }
            Box::new(recorder)
        }
        None => Box::new(Memory::default()),
    };
    actix::System::new().block_on(day(scenario, commit, tell))
}

async fn day(
    scenario: &Scenario,
    commit: Box<dyn Commit>,
    tell: &dyn Fn(&Progress),
) -> Result<Report, ReplayError> {
    let here = actix::Arbiter::current();
    let of = scenario.contacts.len();
    let tell = |centre: &Centre| tell(&Progress::of(centre, of));
    let (centre, writer) = play(scenario, commit, vec![here], &tell).await?;
    let outcomes =
        centre.slots.ids().into_iter().filter_map(|id| match &centre.slots.read(&id).state {
            State::Contact(contact) => Some(Outcome::of(contact, scenario.start)),
            State::Agent(_) | State::Queue(_) | State::Credential(_) | State::System(_) => None,
        });
    let report = Report::new(scenario.name.clone(), outcomes.collect(), centre.last_seq());
    centre.close();
    writer.join().map_err(|_| std::io::Error::other("the writer panicked"))?;
    Ok(report)
}

/// The contacts of a data folder's log, read back from the disk.
pub fn read_back(dir: &Path) -> Result<Vec<Outcome>, ReplayError> {
    let mut states = std::collections::BTreeMap::new();
    let mut start = None;
    Recorder::open(dir, wall_now, &mut |sealed| {
        start.get_or_insert(sealed.now);
        for event in sealed.events {
            let recorded = event.recorded;
            let id = recorded.entity;
            let state = states.entry(id.clone()).or_insert_with(|| State::blank(&id));
            state.apply(recorded.at, &recorded.event);
        }
    })?;
    let start = start.unwrap_or_default();
    let mut outcomes: Vec<_> = states
        .values()
        .filter_map(|state| match state {
            State::Contact(contact) => Some(Outcome::of(contact, start)),
            State::Agent(_) | State::Queue(_) | State::Credential(_) | State::System(_) => None,
        })
        .collect();
    outcomes.sort_by(Outcome::by_arrival);
    Ok(outcomes)
}
