//! The log of a new demo's folder, with the hours behind its opening in it.
//!
//! It is made in a folder of its own, `DIR/making`, and moved to its place once all of it is on the
//! disk: the log last, so that a folder with a log is a whole one. A start that was killed before
//! leaves `making` behind, and the next one begins anew. While it is made `DIR/lock` is held, so
//! that nobody else makes another. What the people did is `demo::past`'s.

use std::collections::HashMap;
use std::fs::{File, create_dir_all, remove_dir_all, rename};
use std::path::Path;
use std::sync::Arc;

use atalaya_domain::agent;
use atalaya_domain::contact;
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Command;
use atalaya_domain::queue;
use atalaya_domain::system;
use atalaya_domain::time::Timestamp;

use super::clear::is_making;
use super::{RunError, lock};
use crate::actors::clock::wall_now;
use crate::api::personal;
use crate::api::secrets::Secrets;
use crate::cli::configure;
use crate::cli::serve::io;
use crate::config::Config;
use crate::demo::centre::Centre;
use crate::demo::past::{Past, speaker};
use crate::journal::KEY_FILE;
use crate::journal::commit::{Cause, Commit, Numbered, Said, Sealed};
use crate::journal::recorder::Recorder;
use crate::simulation::pure::play;

/// Where the log lies in a data folder, and where it is made.
pub(super) const LOG: &str = "log";
pub(super) const MAKING: &str = "making";
/// Entries of one batch: each batch is one sync.
const ENTRIES_PER_BATCH: usize = 512;
/// Whoever calls in these hours, in the log.
pub(super) const BY_CALLERS: &str = "system:demo";

/// What a making is given.
#[derive(Debug)]
pub(super) struct Making<'a> {
    /// The data folder.
    pub(super) dir: &'a Path,
    /// Who lives there.
    pub(super) centre: &'a Arc<Centre>,
    /// Their centre, as a configuration.
    pub(super) config: &'a Config,
    /// What the people's chance grows from.
    pub(super) seed: u64,
    /// The rate of the clock to come.
    pub(super) rate: f64,
    /// When the demo opens.
    pub(super) opens: Timestamp,
}

impl Making<'_> {
    /// Makes the log where there is none; says how many contacts lie behind the opening.
    pub(super) fn make(&self) -> Result<Option<usize>, RunError> {
        let dir = self.dir;
        create_dir_all(dir).map_err(io(format!("make {}", dir.display())))?;
        let making = dir.join(MAKING);
        if !is_making(&making).map_err(io(format!("look into {}", making.display())))? {
            let why = "`making` in it holds what no demo has put there";
            return Err(RunError::Foreign { dir: dir.to_path_buf(), why });
        }
        if dir.join(LOG).exists() {
            // What a kill after the last move left.
            if making.exists() {
                remove_dir_all(&making).map_err(io(format!("remove {}", making.display())))?;
            }
            return Ok(None);
        }
        let _lock = lock(dir)?;
        let what = || format!("make the day behind in {}", making.display());
        if making.exists() {
            tracing::warn!(folder = %making.display(), "an unfinished day is made anew");
            remove_dir_all(&making).map_err(io(what()))?;
        }
        create_dir_all(&making).map_err(io(what()))?;
        let recorder = Recorder::open(&making, wall_now, &mut |_| ()).map_err(RunError::Folder)?;
        let contacts = self.record(recorder)?;
        let place = |name: &str| rename(making.join(name), dir.join(name));
        let synced = |path: &Path| File::open(path).and_then(|folder| folder.sync_all());
        place(KEY_FILE).and_then(|()| synced(dir)).map_err(io(what()))?;
        place(LOG).and_then(|()| synced(dir)).map_err(io(what()))?;
        remove_dir_all(&making).map_err(io(what()))?;
        Ok(Some(contacts))
    }

    /// Plays the hours into the log.
    fn record(&self, mut recorder: Recorder) -> Result<usize, RunError> {
        let secrets = Arc::new(Secrets::bare(recorder.secret()));
        let whose = secrets.clone();
        let persons = Box::new(move |from: &str| whose.person(from));
        let (past, start) = Past::new(self.centre, self.seed, self.opens, persons);
        let (setup, names) = self.setup(&secrets);
        let mut told = Vec::new();
        let mut hears = |to: &EntityId, command: &Command, now, events: &[Recorded]| {
            if !events.is_empty() {
                told.push((to.clone(), command.clone(), now, events.to_vec()));
            }
        };
        let past = play(past, setup, start, self.opens, &mut hears).map_err(RunError::Past)?;
        let mut numbers = Numbers::default();
        let (mut batch, mut contacts) = (Vec::new(), 0);
        for (to, command, now, events) in told {
            let mut cause = cause(&past, &to, &command);
            if matches!(command, Command::System(system::Command::Configure { .. })) {
                cause.said.clone_from(&names);
            }
            contacts += usize::from(cause.by == BY_CALLERS && is_arrival(&command));
            batch.push(Sealed { cause, now, events: numbers.number(events) });
            if batch.len() == ENTRIES_PER_BATCH {
                recorder.commit(&batch).map_err(RunError::Commit)?;
                batch.clear();
            }
        }
        recorder.commit(&batch).map_err(RunError::Commit)?;
        Ok(contacts)
    }

    /// The start and the configuration, as a server would enter them; and the names.
    fn setup(&self, secrets: &Secrets) -> (Vec<(EntityId, Command)>, Vec<Said>) {
        let (mut changes, mut names) = (Vec::new(), Vec::new());
        for entity in &self.config.queues {
            let text_hash = secrets.hash(configure::TEXT_HASH, &entity.text);
            let rules = Box::new(entity.what.clone());
            let command = queue::Command::Configure { rules, text_hash };
            changes.push((EntityId::Queue(entity.id.clone()), Command::Queue(command)));
        }
        for entity in &self.config.agents {
            let text_hash = secrets.hash(configure::TEXT_HASH, &entity.text);
            let facts = Arc::new(entity.what.facts.clone());
            names.push(personal::of_agent(&entity.id, "name", entity.what.name.clone()));
            let command = agent::Command::Configure { facts, text_hash };
            changes.push((EntityId::Agent(entity.id.clone()), Command::Agent(command)));
        }
        let hash = secrets.hash(configure::TEXT_HASH, &self.config.text());
        let start = system::Command::Start { rate: self.rate, agents: vec![] };
        let configure = system::Command::Configure { hash, changes };
        let system = |command| (EntityId::System, Command::System(command));
        (vec![system(start), system(configure)], names)
    }
}

fn is_arrival(command: &Command) -> bool {
    matches!(command, Command::Contact(contact::Command::Arrive(_)))
}

/// Who causes it, and what is personal in it.
fn cause(past: &Past, to: &EntityId, command: &Command) -> Cause {
    if let Some(agent) = speaker(to, command) {
        return Cause::of(format!("agent:{agent}"), None);
    }
    match (to, command) {
        (_, Command::System(system::Command::Configure { .. })) => {
            Cause::of(configure::BY.into(), None)
        }
        (EntityId::Contact(id), Command::Contact(contact::Command::Arrive(arrival))) => {
            let name = arrival.external_id.as_deref().unwrap_or_default();
            let said = past.caller(name).map(|caller| {
                let (from, subject) = (caller.from.clone(), caller.subject.to_owned());
                personal::of_arrival(*id, arrival.person, Some(from), subject)
            });
            let said = said.unwrap_or_default();
            Cause { said, ..Cause::of(BY_CALLERS.into(), None) }
        }
        (
            _,
            Command::Contact(
                contact::Command::Abandon
                | contact::Command::Complete { by: contact::Who::Citizen },
            ),
        ) => Cause::of(BY_CALLERS.into(), None),
        _ => Cause::system(),
    }
}

/// Numbers events as the log wants them.
#[derive(Default)]
struct Numbers {
    last: u64,
    of: HashMap<EntityId, u64>,
}

impl Numbers {
    fn number(&mut self, events: Vec<Recorded>) -> Vec<Numbered> {
        let number = |recorded: Recorded| {
            self.last += 1;
            let seq = self.last;
            let previous = self.of.insert(recorded.entity.clone(), seq).unwrap_or(0);
            Numbered { seq, previous, recorded }
        };
        events.into_iter().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::configure::Rulings;
    use crate::config;
    use crate::demo::centre;

    /// 2026-03-03, 11:30 in Madrid.
    const OPENS: Timestamp = Timestamp(1_772_533_800_000_000);

    /// What lies behind an opening in a new folder: entity, version, instant, event, by whom.
    fn made(seed: u64, rate: f64) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let centre = Arc::new(Centre::part(4).unwrap());
        let config = config::parse(centre::TEXT, centre::FILE, &Rulings).unwrap();
        let dir = dir.path();
        let making = Making { dir, centre: &centre, config: &config, seed, rate, opens: OPENS };
        let contacts = making.make().unwrap();
        assert!(contacts > Some(200), "{contacts:?}");
        assert_eq!(making.make().unwrap(), None, "it is there");
        let mut events = Vec::new();
        let mut read = |sealed: Sealed| {
            for Numbered { recorded, .. } in sealed.events {
                let (at, by) = (recorded.at, &sealed.cause.by);
                let name = recorded.event.name();
                events.push(format!("{} {} {at:?} {name} {by}", recorded.entity, recorded.version));
            }
        };
        drop(Recorder::open(dir, wall_now, &mut read).unwrap());
        events
    }

    #[test]
    fn the_same_seed_has_the_same_day_behind_it_at_any_rate() {
        let day = made(1, 20.0);
        assert_eq!(day, made(1, 60.0));
        assert_ne!(day, made(2, 20.0));
        let by = |name: &str, whose: &str| {
            let of = day.iter().filter(|event| event.contains(&format!(" {name} ")));
            (of.clone().count(), of.filter(|event| event.contains(whose)).count())
        };
        // Everything that people do is done by them.
        for (name, whose) in [
            ("offer_accepted", "agent:"),
            ("signed_in", "agent:"),
            ("offer_rejected", "agent:"),
            ("queued", BY_CALLERS),
            ("abandoned", BY_CALLERS),
            ("lost", "system"),
        ] {
            let (all, theirs) = by(name, whose);
            assert!(0 < all && all == theirs, "{name}: {theirs} of {all} by {whose}");
        }
        let handled = by("wrap_up_ended", "").0;
        assert!(handled * 2 > by("queued", "").0, "{handled}");
    }
}
