//! The published states: what the log says of each entity, readable by everyone without a message.
//!
//! A slot that has left memory is read from the picture; see [`super::leaving`].

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{ContactId, EntityId};
use atalaya_domain::machine::State;
use atalaya_domain::quarantine::{Seen, Standing};
use atalaya_domain::time::Timestamp;

use super::cold::Cold;
use super::guardian::Faults;
use super::leaving::Leave;
use crate::journal::commit::Numbered;
use crate::journal::picture::Kept;

/// A state and the version that the log has of its entity.
#[derive(Debug, Clone)]
pub struct Published {
    /// The log's version; past the state's own once the entity is frozen.
    pub version: u64,
    /// The last good state.
    pub state: State,
    /// Number of the entity's first event; 0: it has none.
    pub first_seq: u64,
    /// Number of its last event.
    pub seq: u64,
    /// Whether an event could not be applied: no later one is.
    pub frozen: bool,
    /// Out of service since, by the log.
    pub quarantined: Option<Timestamp>,
}

impl Published {
    /// How far it can be relied on. Frozen holds from the event that could not be applied on, a
    /// little before the log says so.
    pub const fn standing(&self) -> Standing {
        match (self.frozen, self.quarantined) {
            (true, _) => Standing::Frozen,
            (false, Some(_)) => Standing::OutOfService,
            (false, None) => Standing::InService,
        }
    }

    /// Nothing has happened to `id`.
    fn blank(id: &EntityId) -> Self {
        let (version, first_seq, seq) = (0, 0, 0);
        let (state, frozen, quarantined) = (State::blank(id), false, None);
        Self { version, state, first_seq, seq, frozen, quarantined }
    }

    /// As the picture keeps it.
    pub fn kept(&self) -> Kept {
        let Self { version, ref state, first_seq, seq, frozen, quarantined } = *self;
        Kept { state: state.clone(), version, first_seq, seq, frozen, quarantined }
    }

    /// As a command is composed on it.
    pub fn seen(&self) -> Seen {
        Seen { state: self.state.clone(), standing: self.standing() }
    }
}

impl From<Kept> for Published {
    fn from(kept: Kept) -> Self {
        let Kept { state, version, first_seq, seq, frozen, quarantined } = kept;
        Self { version, state, first_seq, seq, frozen, quarantined }
    }
}

type Slot = RwLock<Arc<Published>>;

/// All slots. Only the projector writes.
#[derive(Default)]
pub struct Slots {
    map: RwLock<HashMap<EntityId, Arc<Slot>>>,
    faults: Option<Arc<dyn Faults>>,
    cold: Cold,
}

/// What applying one event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The state is what the event says.
    Done,
    /// The machine panicked: the entity is frozen from now on.
    Panicked,
    /// It was frozen before; only the version moved.
    Frozen,
}

impl Slots {
    /// No slots yet; what leaves them is read from `cold`. A test's `faults` may panic before an
    /// event is applied.
    pub fn new(faults: Option<Arc<dyn Faults>>, cold: Cold) -> Self {
        Self { map: RwLock::default(), faults, cold }
    }

    /// What is published of `id`, in memory or out of it; blank when nothing is.
    pub fn read(&self, id: &EntityId) -> Arc<Published> {
        self.here(id).unwrap_or_else(|| Arc::new(self.away(id)))
    }

    /// What is published of `id` and in memory.
    pub fn here(&self, id: &EntityId) -> Option<Arc<Published>> {
        let slot = self.map.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()?;
        let published = slot.read().unwrap_or_else(PoisonError::into_inner).clone();
        Some(published)
    }

    /// What has left memory. One that cannot be read back is frozen: nothing is decided on it.
    fn away(&self, id: &EntityId) -> Published {
        match self.cold.state(id) {
            Ok(Some(kept)) => kept.into(),
            Ok(None) => Published::blank(id),
            Err(error) => {
                tracing::error!(entity = %id, %error, "cannot read back what has left memory");
                Published { frozen: true, ..Published::blank(id) }
            }
        }
    }

    /// What `recorded` is applied to; the first event of an entity needs no look into the picture.
    pub fn before(&self, recorded: &Recorded) -> Arc<Published> {
        let id = &recorded.entity;
        self.here(id).unwrap_or_else(|| {
            let is_first = recorded.version <= 1;
            Arc::new(if is_first { Published::blank(id) } else { self.away(id) })
        })
    }

    /// Where those are who have left memory.
    pub const fn cold(&self) -> &Cold {
        &self.cold
    }

    /// How many are in memory.
    pub fn count(&self) -> usize {
        self.map.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Contacts in memory behind `after`, in order.
    pub fn contacts_after(&self, after: Option<ContactId>) -> Vec<ContactId> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = |id: &EntityId| match id {
            EntityId::Contact(id) if after.is_none_or(|after| after < *id) => Some(*id),
            _ => None,
        };
        let mut ids: Vec<_> = map.keys().filter_map(wanted).collect();
        drop(map);
        ids.sort_unstable();
        ids
    }

    /// Takes the slot out that stands as `leave` says; the picture has it.
    pub fn remove(&self, leave: &Leave) -> Option<Arc<Published>> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let slot = map.get(&leave.id)?;
        let published = slot.read().unwrap_or_else(PoisonError::into_inner).clone();
        let stands = (published.version, published.seq) == (leave.version, leave.seq);
        if !stands || published.standing() != Standing::InService {
            return None;
        }
        map.remove(&leave.id);
        Some(published)
    }

    /// Every id, in no order.
    pub fn ids(&self) -> Vec<EntityId> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Everything published, in no order: of one instant for whoever keeps the fold away.
    pub fn all(&self) -> Vec<(EntityId, Arc<Published>)> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let read = |(id, slot): (&EntityId, &Arc<Slot>)| {
            (id.clone(), slot.read().unwrap_or_else(PoisonError::into_inner).clone())
        };
        map.iter().map(read).collect()
    }

    /// Applies a committed event and publishes the state.
    pub fn apply(&self, numbered: &Numbered) -> Applied {
        let recorded = &numbered.recorded;
        let id = &recorded.entity;
        let mut published = (*self.before(recorded)).clone();
        published.version = recorded.version;
        published.seq = numbered.seq;
        if published.first_seq == 0 {
            published.first_seq = numbered.seq;
        }
        if published.frozen {
            self.publish(id, published);
            return Applied::Frozen;
        }
        let mut state = published.state.clone();
        let applied = catch_unwind(AssertUnwindSafe(|| {
            if let Some(faults) = &self.faults {
                faults.before_apply(recorded);
            }
            state.apply(recorded.at, &recorded.event);
        }));
        match applied {
            Ok(()) => published.state = state,
            Err(_) => published.frozen = true,
        }
        self.publish(id, published);
        if applied.is_ok() { Applied::Done } else { Applied::Panicked }
    }

    /// The log says that `id` is out of service since `at`. Its sound machine goes on applying what
    /// comes; so a program that can apply what an older one could not catches up at its start.
    pub fn retire(&self, id: &EntityId, at: Timestamp) {
        let mut published = (*self.read(id)).clone();
        published.quarantined.get_or_insert(at);
        self.publish(id, published);
    }

    /// Publishes what was kept of `id`, as it was.
    pub fn restore(&self, id: &EntityId, kept: Kept) {
        self.publish(id, kept.into());
    }

    fn publish(&self, id: &EntityId, published: Published) {
        let published = Arc::new(published);
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = map.get(id) {
            *slot.write().unwrap_or_else(PoisonError::into_inner) = published;
            return;
        }
        drop(map);
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        map.insert(id.clone(), Arc::new(RwLock::new(published)));
    }
}
