//! The directory: one lane for each entity, made when it is first spoken to.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use actix::prelude::*;
use atalaya_domain::ids::EntityId;

use super::centre::Centre;
use super::shell::{Lead, Shell};

/// All lanes.
pub struct Directory {
    arbiters: Vec<ArbiterHandle>,
    lanes: Mutex<HashMap<EntityId, Addr<Shell>>>,
}

impl Directory {
    /// Lanes will live on `arbiters`, spread by id.
    pub fn new(arbiters: Vec<ArbiterHandle>) -> Self {
        Self { arbiters, lanes: Mutex::new(HashMap::new()) }
    }

    /// Sends `lead` to the lane of `to`; gives it back when the lane is full.
    pub fn send(&self, centre: &Arc<Centre>, to: &EntityId, lead: Lead) -> Result<(), Box<Lead>> {
        let lane = self.lane(centre, to);
        lane.try_send(lead).map_err(|error| Box::new(error.into_inner()))
    }

    /// Whether `id` has a lane that lives, without making one.
    pub fn lives(&self, id: &EntityId) -> bool {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.get(id).is_some_and(Addr::connected)
    }

    /// Lets every lane go; each ends once its mailbox is empty.
    pub fn clear(&self) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The lane of `id` has died: another takes its place, whatever the old one's mailbox says.
    pub fn renew(&self, centre: &Arc<Centre>, id: &EntityId) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.insert(id.clone(), self.start(centre, id));
    }

    fn lane(&self, centre: &Arc<Centre>, to: &EntityId) -> Addr<Shell> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(to).filter(|lane| lane.connected()) {
            return lane.clone();
        }
        let lane = self.start(centre, to);
        lanes.insert(to.clone(), lane.clone());
        lane
    }

    fn start(&self, centre: &Arc<Centre>, id: &EntityId) -> Addr<Shell> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let most = u64::try_from(self.arbiters.len()).unwrap_or(1).max(1);
        let place = usize::try_from(hasher.finish() % most).unwrap_or(0);
        let (centre, id) = (centre.clone(), id.clone());
        // Made where it lives: an arbiter that is gone drops this, and no lane has died by it.
        Shell::start_in_arbiter(&self.arbiters[place], |_| Shell::new(centre, id))
    }
}
