//! The data folder opened for writing: the log, the picture, and what a start finds in both.

use std::path::Path;

use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::{Event, State};
use atalaya_domain::system;
use atalaya_domain::time::Span;
use jiff::tz::TimeZone;

use super::serve::{ServeError, io};
use crate::actors::clock::wall_now;
use crate::actors::following::Following;
use crate::actors::found::Found;
use crate::actors::receipts::KEPT_FOR;
use crate::journal::LockError;
use crate::journal::opening::{From, Opening};
use crate::journal::recorder::{OpenError, Recorder, Sizes};

/// A data folder that is ours, and all that it holds.
#[derive(Debug)]
pub struct Store {
    /// Where entries go.
    pub recorder: Recorder,
    /// What a start begins with.
    pub found: Found,
    /// What follows the log from then on.
    pub following: Following,
}

impl Store {
    /// Opens `dir`, which is made when it is missing; days turn at the midnights of `time_zone`.
    /// Without one the picture is left alone.
    pub fn open(
        dir: &Path,
        sizes: Sizes,
        time_zone: Option<&TimeZone>,
    ) -> Result<Self, ServeError> {
        std::fs::create_dir_all(dir).map_err(io(format!("make {}", dir.display())))?;
        let mut opening = match Opening::begin(dir) {
            Ok(opening) => opening.limits(sizes.segment_bytes, sizes.reserve_bytes),
            Err(OpenError::Lock(LockError::Held { pid, .. })) => {
                return Err(ServeError::held(dir, pid));
            }
            Err(error) => return Err(error.into()),
        };
        let since = wall_now().plus(Span(-KEPT_FOR.0));
        let mut found = match time_zone {
            Some(zone) => Found::of(opening.picture(), zone, since).map_err(OpenError::from)?,
            None => Found::default(),
        };
        let is_of_use = found.applied.is_some() || opening.picture().applied().is_none();
        if time_zone.is_some() && !is_of_use {
            let why = "its view is of another time zone or version, or a state in it is frozen";
            tracing::warn!(why, "the state is set aside, and made anew from the whole log");
            opening = opening.anew(why)?;
        }
        let from = if found.applied.is_some() { From::Mark } else { From::Beginning };
        let tail = &mut found.tail;
        let (recorder, picture) = opening.read(wall_now, from, &mut |told| tail.push(told))?;
        let (states, behind) = (found.states.len(), found.tail.len());
        tracing::info!(states, behind, "the state was read, and the batches behind it");
        Ok(Self { recorder, found, following: Following::new(picture, dir.to_path_buf()) })
    }

    /// Whether a token was ever made.
    pub fn has_token(&self) -> bool {
        let is_token = |id: &EntityId| matches!(id, EntityId::Token(_));
        let mut events = self.found.entries().flat_map(|sealed| &sealed.events);
        self.found.states.iter().any(|(id, _)| is_token(id))
            || events.any(|numbered| is_token(&numbered.recorded.entity))
    }

    /// The rate of the centre's clock at its last start; `None`: it was never started.
    pub fn rate(&self) -> Option<f64> {
        let started = |event: &Event| match event {
            Event::System(system::Event::Started { rate, .. }) => Some(*rate),
            _ => None,
        };
        let events = self.found.entries().flat_map(|sealed| &sealed.events);
        let told: Vec<_> = events.filter_map(|told| started(&told.recorded.event)).collect();
        let kept = match self.found.state(&EntityId::System) {
            Some(State::System(system)) if system.start > 0 => Some(system.rate),
            _ => None,
        };
        told.last().copied().or(kept)
    }
}
