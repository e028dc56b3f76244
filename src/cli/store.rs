//! The data folder opened for writing: the log, what it holds, and where its clock stands.

use std::path::Path;

use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Event;
use atalaya_domain::system;
use atalaya_domain::time::{Span, Timestamp};

use super::serve::{ServeError, io};
use crate::actors::clock::{Clock, wall_now};
use crate::journal::LockError;
use crate::journal::commit::Sealed;
use crate::journal::recorder::{OpenError, Recorder, Sizes};

/// How far the last record of a store may lie ahead of the wall at a start in real time.
pub const AHEAD_MAX: Span = Span::seconds(300);

/// A data folder that is ours, and all that its log holds.
#[derive(Debug)]
pub struct Store {
    /// Where entries go.
    pub recorder: Recorder,
    /// Every entry so far.
    pub history: Vec<Sealed>,
}

impl Store {
    /// Opens `dir`, which is made when it is missing.
    pub fn open(dir: &Path, sizes: Sizes) -> Result<Self, ServeError> {
        std::fs::create_dir_all(dir).map_err(io(format!("make {}", dir.display())))?;
        let mut history = Vec::new();
        let opened = Recorder::open_with(dir, wall_now, sizes, &mut |sealed| history.push(sealed));
        match opened {
            Ok(recorder) => Ok(Self { recorder, history }),
            Err(OpenError::Lock(LockError::Held { pid, .. })) => {
                let advice = "stop it first, or name another folder with --data";
                Err(ServeError::Held { dir: dir.display().to_string(), pid, advice })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a token was ever made.
    pub fn has_token(&self) -> bool {
        let mut events = self.history.iter().flat_map(|sealed| &sealed.events);
        events.any(|numbered| matches!(numbered.recorded.entity, EntityId::Token(_)))
    }

    /// Where the clock stands; `None`: nothing is written yet.
    pub fn last(&self) -> Option<Timestamp> {
        self.history.last().map(|sealed| sealed.now)
    }

    /// The rate of the last start; `None`: the centre has never been started.
    fn last_rate(&self) -> Option<f64> {
        let mut events = self.history.iter().flat_map(|sealed| &sealed.events).rev();
        events.find_map(|numbered| match &numbered.recorded.event {
            Event::System(system::Event::Started { rate, .. }) => Some(*rate),
            _ => None,
        })
    }

    /// The clock that goes on where the last record stands; a centre that was never started
    /// begins at `start`.
    pub fn clock(&self, rate: Option<f64>, start: Option<Timestamp>) -> Result<Clock, ServeError> {
        let (kept, last) = (self.last_rate(), self.last().unwrap_or_default());
        let simulated = kept.is_some_and(|rate| (rate - 1.0).abs() > f64::EPSILON);
        match (rate, kept) {
            (None, _) if simulated => Err(ServeError::Time(
                "the store was made at another rate than real time: name one with --clock-rate, \
                 or start on an empty folder"
                    .into(),
            )),
            (None, _) if last > wall_now().plus(AHEAD_MAX) => Err(ServeError::Time(
                "the last record lies more than 5 min ahead of the machine's clock: set the clock \
                 right, or wait until it is past"
                    .into(),
            )),
            (None, _) => Ok(Clock::new(last.max(wall_now()), 1.0)),
            (Some(rate), Some(_)) => Ok(Clock::new(last, rate)),
            (Some(rate), None) => Ok(Clock::new(start.unwrap_or_else(wall_now).max(last), rate)),
        }
    }
}
