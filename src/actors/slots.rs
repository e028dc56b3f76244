//! The published states: what the log says of each entity, readable by everyone without a message.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::State;

/// A state and the version that the log has of its entity.
#[derive(Debug, Clone)]
pub struct Published {
    /// The log's version; past the state's own once the entity is quarantined.
    pub version: u64,
    /// The last good state.
    pub state: State,
    /// Whether an event could not be applied: the state is frozen.
    pub quarantined: bool,
}

type Slot = RwLock<Arc<Published>>;

/// All slots. Only the projector writes.
#[derive(Debug, Default)]
pub struct Slots(RwLock<HashMap<EntityId, Arc<Slot>>>);

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
    /// What is published of `id`; blank when nothing is.
    pub fn read(&self, id: &EntityId) -> Arc<Published> {
        let slot = self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        slot.map_or_else(
            || Arc::new(Published { version: 0, state: State::blank(id), quarantined: false }),
            |slot| slot.read().unwrap_or_else(PoisonError::into_inner).clone(),
        )
    }

    /// Every id, in no order.
    pub fn ids(&self) -> Vec<EntityId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Applies a committed event and publishes the state.
    pub fn apply(&self, recorded: &Recorded) -> Applied {
        let before = self.read(&recorded.entity);
        let frozen = |quarantined_now| {
            let state = before.state.clone();
            self.publish(
                &recorded.entity,
                Published { version: recorded.version, state, quarantined: true },
            );
            if quarantined_now { Applied::Panicked } else { Applied::Frozen }
        };
        if before.quarantined {
            return frozen(false);
        }
        let mut state = before.state.clone();
        let applied = catch_unwind(AssertUnwindSafe(|| state.apply(recorded.at, &recorded.event)));
        if applied.is_err() {
            return frozen(true);
        }
        let version = recorded.version;
        self.publish(&recorded.entity, Published { version, state, quarantined: false });
        Applied::Done
    }

    fn publish(&self, id: &EntityId, published: Published) {
        let published = Arc::new(published);
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = map.get(id) {
            *slot.write().unwrap_or_else(PoisonError::into_inner) = published;
            return;
        }
        drop(map);
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.insert(id.clone(), Arc::new(RwLock::new(published)));
    }
}
