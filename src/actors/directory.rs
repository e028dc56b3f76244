//! The directory: one lane for each entity, made when it is first spoken to.
//!
//! Only the directory stops a lane: it counts what it sends, sends a [`Flush`] that holds the count
//! last, and lets the lane go when the lane has come to it and nothing was sent since. Sending,
//! counting and letting go are under one lock, so a message is either before the flush, and led,
//! or keeps the lane, or finds that there is none and makes one.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::prelude::*;
use atalaya_domain::ids::EntityId;

use super::centre::Centre;
use super::depth::Depths;
use super::shell::{Flush, Lead, Shell};

/// All lanes.
pub struct Directory {
    arbiters: Vec<ArbiterHandle>,
    lanes: Mutex<Lanes>,
    depths: Depths,
}

#[derive(Default)]
struct Lanes {
    map: HashMap<EntityId, Lane>,
    /// Lanes that were ever made.
    made: u64,
}

struct Lane {
    to: Addr<Shell>,
    /// Which of all that were ever made.
    number: u64,
    /// What was sent to it.
    sent: u64,
    /// Whether a flush is under way: there is one at most, so that flushes never fill a lane.
    flushed: bool,
}

impl Lanes {
    fn insert(&mut self, id: &EntityId, to: Addr<Shell>) -> &mut Lane {
        self.made += 1;
        let lane = Lane { to, number: self.made, sent: 0, flushed: false };
        self.map.entry(id.clone()).insert_entry(lane).into_mut()
    }
}

impl Directory {
    /// Lanes will live on `arbiters`, spread by id.
    pub fn new(arbiters: Vec<ArbiterHandle>) -> Self {
        Self { arbiters, lanes: Mutex::default(), depths: Depths::default() }
    }

    /// Sends `lead` to the lane of `to`; gives it back when the lane is full.
    pub fn send(
        &self,
        centre: &Arc<Centre>,
        to: &EntityId,
        mut lead: Lead,
    ) -> Result<(), Box<Lead>> {
        let mut lanes = self.lanes();
        let lane = match lanes.map.get(to).filter(|lane| lane.to.connected()) {
            Some(_) => lanes.map.get_mut(to),
            None => Some(lanes.insert(to, self.start(centre, to))),
        };
        let Some(lane) = lane else { return Err(Box::new(lead)) };
        lane.sent += 1;
        lead.lies = Some(self.depths.lay(to.kind()));
        lane.to.try_send(lead).map_err(|error| Box::new(error.into_inner()))
    }

    /// Asks the lane of `id` to end once it has done what was sent to it.
    pub fn flush(&self, id: &EntityId) {
        if let Some(lane) = self.lanes().map.get_mut(id).filter(|lane| !lane.flushed) {
            let flush = Flush { number: lane.number, sent: lane.sent };
            // A full one is not idle: it is asked another time.
            lane.flushed = lane.to.try_send(flush).is_ok();
        }
    }

    /// The lane of `id` has come to `flush`; says whether it ends: nothing was sent since.
    pub fn flushed(&self, id: &EntityId, flush: Flush) -> bool {
        let mut lanes = self.lanes();
        let is_idle = |lane: &Lane| (lane.number, lane.sent) == (flush.number, flush.sent);
        let ends = lanes.map.get(id).is_some_and(is_idle);
        if ends {
            lanes.map.remove(id);
        } else if let Some(lane) = lanes.map.get_mut(id).filter(|l| l.number == flush.number) {
            lane.flushed = false;
        }
        ends
    }

    /// Whose lanes there are, in no order.
    pub fn ids(&self) -> Vec<EntityId> {
        self.lanes().map.keys().cloned().collect()
    }

    /// Lanes by the kind of their entity, and what lies in their mailboxes.
    pub fn census(&self) -> (BTreeMap<&'static str, u64>, BTreeMap<&'static str, u64>) {
        let mut lanes = BTreeMap::new();
        for id in self.lanes().map.keys() {
            *lanes.entry(id.kind()).or_default() += 1;
        }
        (lanes, self.depths.counts())
    }

    /// How many lanes were ever made.
    pub fn made(&self) -> u64 {
        self.lanes().made
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `id` has a lane that lives, without making one.
    pub fn lives(&self, id: &EntityId) -> bool {
        self.lanes().map.get(id).is_some_and(|lane| lane.to.connected())
    }

    /// Lets every lane go; each ends once its mailbox is empty.
    pub fn clear(&self) {
        self.lanes().map.clear();
    }

    /// The lane of `id` has died: another takes its place, whatever the old one's mailbox says.
    pub fn renew(&self, centre: &Arc<Centre>, id: &EntityId) {
        let lane = self.start(centre, id);
        self.lanes().insert(id, lane);
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
