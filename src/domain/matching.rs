//! Who gets which contact: waiting contacts by requirement class, free agents by profile.
//!
//! [`Intake`] is fed with states after each entry and asked for the next pair. A decision costs
//! with the number of classes and profiles, never with the number waiting. The invariant: when
//! nothing is in flight there is no pair of a free agent and a waiting contact it may take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agent::Agent;
use crate::contact::{CHOICE_NEXT_MAX, Choice, Contact, State};
use crate::ids::{AgentId, ContactId, QueueId};
use crate::priority::OrderKey;
use crate::queue::{Queue, Status};
use crate::skills::{Profile, Requirement};
use crate::time::Timestamp;

/// Requirement classes that those who wait may be of; past it an arrival that would make another
/// is not taken.
pub const CLASSES_MAX: usize = 2_000;
/// Profiles that agents may have; past it one that is new is not taken.
pub const PROFILES_MAX: usize = 2_000;

/// What makes two waiting contacts the same to every agent.
pub type Class = (QueueId, Requirement);
/// Place in the order of service; the number is that of the `queued` event.
type Place = (OrderKey, u64);
/// Place among free agents: fewest contacts in hand, then longest idle, then id.
type Idle = (usize, Timestamp, AgentId);

/// One offer to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is offered.
    pub contact: ContactId,
    /// To whom.
    pub agent: AgentId,
    /// Why.
    pub choice: Choice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    class: Class,
    place: Place,
    /// Queued, not offered: may be put to somebody.
    open: bool,
    /// Agents who are spared it.
    back_off: BTreeSet<AgentId>,
}

/// What the matching knows of an agent besides their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Plain,
    /// In a pair that is on its way.
    SpokenFor,
    /// Takes no offers any more.
    OutOfService,
}

/// Whether the agent is there to be offered work, now or when the work in hand has ended.
pub(crate) fn is_present(agent: &Agent) -> bool {
    agent.signed_in.is_some()
        && agent.presence().state != crate::agent::Kind::Lost
        && agent.not_ready.is_none()
}

/// Who waits, who is free, and what is in flight.
#[derive(Debug, Default, Clone)]
pub struct Intake {
    waiting: BTreeMap<ContactId, Waiting>,
    classes: BTreeMap<Class, BTreeMap<Place, ContactId>>,
    profiles: BTreeMap<Arc<Profile>, BTreeSet<Idle>>,
    free: BTreeMap<AgentId, (Arc<Profile>, Idle)>,
    present: BTreeMap<AgentId, Arc<Profile>>,
    /// Every agent that is configured.
    known: BTreeMap<AgentId, Arc<Profile>>,
    /// How many of them have each profile.
    profile_counts: BTreeMap<Arc<Profile>, usize>,
    /// How many wait of each class, offered ones included.
    class_counts: BTreeMap<Class, usize>,
    emergency: BTreeSet<QueueId>,
    /// All who wait in a queue, offered ones included.
    queues: BTreeMap<QueueId, BTreeMap<Place, ContactId>>,
    in_flight: BTreeSet<ContactId>,
    busy: BTreeSet<AgentId>,
    blocked: BTreeSet<(ContactId, AgentId)>,
    quarantined: BTreeSet<AgentId>,
    frozen: BTreeSet<ContactId>,
}

/// One less; counts of nothing are let go.
fn uncount<T: Ord>(counts: &mut BTreeMap<T, usize>, of: &T) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

impl Intake {
    /// Takes in an agent's state after an entry that touched it.
    pub fn agent(&mut self, id: &AgentId, agent: &Agent) {
        self.remove_free(id);
        self.present.remove(id);
        self.blocked.retain(|(_, blocked)| blocked != id);
        let Some(facts) = &agent.facts else { return };
        let profile = Arc::new(facts.profile.clone());
        self.configured(id, &profile);
        if self.quarantined.contains(id) {
            return;
        }
        if is_present(agent) {
            self.present.insert(id.clone(), profile.clone());
        }
        if agent.is_available() {
            let idle = (agent.work.len(), agent.idle_since, id.clone());
            self.profiles.entry(profile.clone()).or_default().insert(idle.clone());
            self.free.insert(id.clone(), (profile, idle));
        }
    }

    fn configured(&mut self, id: &AgentId, profile: &Arc<Profile>) {
        let before = self.known.insert(id.clone(), profile.clone());
        if before.as_ref() == Some(profile) {
            return;
        }
        *self.profile_counts.entry(profile.clone()).or_default() += 1;
        if let Some(before) = before {
            uncount(&mut self.profile_counts, &before);
        }
    }

    fn remove_free(&mut self, id: &AgentId) {
        if let Some((profile, idle)) = self.free.remove(id)
            && let Some(idles) = self.profiles.get_mut(&profile)
        {
            idles.remove(&idle);
            if idles.is_empty() {
                self.profiles.remove(&profile);
            }
        }
    }

    /// Takes in a contact's state; `seq` is that of its `queued` event, and counts only the first
    /// time.
    pub fn contact(&mut self, id: ContactId, contact: &Contact, seq: u64) {
        let queued_seq = self.waiting.get(&id).map_or(seq, |waiting| waiting.place.1);
        self.remove_waiting(id);
        self.blocked.retain(|(blocked, _)| *blocked != id);
        let Some(entered) = &contact.entered else { return };
        if !contact.is_waiting() || self.frozen.contains(&id) {
            return;
        }
        let open = contact.state == State::Queued;
        let class = (entered.queue.clone(), entered.requirement.clone());
        let place = (contact.order_key, queued_seq);
        if open {
            self.classes.entry(class.clone()).or_default().insert(place, id);
        }
        let back_off = contact.back_off.keys().cloned().collect();
        self.queues.entry(class.0.clone()).or_default().insert(place, id);
        *self.class_counts.entry(class.clone()).or_default() += 1;
        self.waiting.insert(id, Waiting { class, place, open, back_off });
    }

    fn remove_waiting(&mut self, id: ContactId) {
        let Some(waiting) = self.waiting.remove(&id) else { return };
        if let Some(places) = self.queues.get_mut(&waiting.class.0) {
            places.remove(&waiting.place);
        }
        uncount(&mut self.class_counts, &waiting.class);
        if waiting.open
            && let Some(places) = self.classes.get_mut(&waiting.class)
        {
            places.remove(&waiting.place);
            if places.is_empty() {
                self.classes.remove(&waiting.class);
            }
        }
    }

    /// Takes in a queue's state.
    pub fn queue(&mut self, id: &QueueId, queue: &Queue) {
        if queue.status == Status::EmergencyClosed {
            self.emergency.insert(id.clone());
        } else {
            self.emergency.remove(id);
        }
    }

    /// Contacts waiting in `queue`, offered ones included.
    pub fn waiting_in(&self, queue: &QueueId) -> usize {
        self.queues.get(queue).map_or(0, BTreeMap::len)
    }

    /// Classes of those who wait, offered ones included: an offer that ends makes no new one.
    pub fn class_count(&self) -> usize {
        self.class_counts.len()
    }

    /// Whether somebody of `class` waits.
    pub fn has_class(&self, class: &Class) -> bool {
        self.class_counts.contains_key(class)
    }

    /// Profiles of the agents that are configured: any of them may be free one day.
    pub fn profiles(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profile_counts.keys()
    }

    /// How many there are.
    pub fn profile_count(&self) -> usize {
        self.profile_counts.len()
    }

    /// Agents of this profile.
    pub fn agents_with(&self, profile: &Arc<Profile>) -> usize {
        self.profile_counts.get(profile).copied().unwrap_or(0)
    }

    /// The profile of an agent that is configured.
    pub fn profile_of(&self, agent: &AgentId) -> Option<&Arc<Profile>> {
        self.known.get(agent)
    }

    /// Whether the contact has its place among those who wait.
    pub fn knows(&self, contact: ContactId) -> bool {
        self.waiting.contains_key(&contact)
    }

    /// The agent takes no offers any more.
    pub fn quarantine_agent(&mut self, id: &AgentId) {
        self.remove_free(id);
        self.present.remove(id);
        self.quarantined.insert(id.clone());
    }

    /// The contact has no place any more, whatever it becomes.
    pub fn quarantine_contact(&mut self, id: ContactId) {
        self.remove_waiting(id);
        self.frozen.insert(id);
    }

    /// A pair is being offered: neither is put into another.
    pub fn launch(&mut self, pair: &Pair) {
        self.in_flight.insert(pair.contact);
        self.busy.insert(pair.agent.clone());
    }

    /// The offer's outcome is in; `refused` without an event: not tried again before one of the
    /// two has changed, or [`Intake::retry_refused`].
    pub fn land(&mut self, contact: ContactId, agent: &AgentId, refused: bool) {
        self.in_flight.remove(&contact);
        self.busy.remove(agent);
        if refused {
            self.blocked.insert((contact, agent.clone()));
        }
    }

    /// Pairs that were refused without an event may be tried again.
    pub fn retry_refused(&mut self) {
        self.blocked.clear();
    }

    /// Whether a pair waits for [`Intake::retry_refused`].
    pub fn has_refused(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// The first contact to send away because its queue is closed by an emergency.
    pub fn next_refusal(&self) -> Option<ContactId> {
        let first = self
            .classes
            .iter()
            .filter(|((queue, _), _)| self.emergency.contains(queue))
            .filter_map(|(_, places)| places.iter().find(|(_, id)| !self.in_flight.contains(*id)))
            .min()?;
        Some(*first.1)
    }

    /// A contact is being sent away.
    pub fn launch_refusal(&mut self, contact: ContactId) {
        self.in_flight.insert(contact);
    }

    /// It was, or not.
    pub fn land_refusal(&mut self, contact: ContactId) {
        self.in_flight.remove(&contact);
    }

    /// The next offer: the first waiting contact in the order of service that somebody free may
    /// take, to the one whom its queue's strategy picks.
    pub fn next_pair(&self) -> Option<Pair> {
        let mut best: Option<(Place, Pair)> = None;
        for (class, places) in &self.classes {
            let eligible: Vec<_> = self.idles_for(class).collect();
            if eligible.is_empty() {
                continue;
            }
            for (place, id) in places {
                if best.as_ref().is_some_and(|(found, _)| found < place) {
                    break;
                }
                if let Some(pair) = self.pick(*id, class, &eligible) {
                    best = Some((*place, pair));
                    break;
                }
            }
        }
        best.map(|(_, pair)| pair)
    }

    /// Free agents that may take a contact of `class`, by profile.
    fn idles_for(&self, class: &Class) -> impl Iterator<Item = &BTreeSet<Idle>> {
        self.profiles.iter().filter_map(|(profile, idles)| {
            class.1.unfit(&class.0, profile).is_none().then_some(idles)
        })
    }

    fn pick(&self, id: ContactId, class: &Class, eligible: &[&BTreeSet<Idle>]) -> Option<Pair> {
        if self.in_flight.contains(&id) {
            return None;
        }
        let waiting = self.waiting.get(&id)?;
        let free = |idle: &&Idle| {
            !self.busy.contains(&idle.2)
                && !self.blocked.contains(&(id, idle.2.clone()))
                && (!waiting.back_off.contains(&idle.2) || !self.another_could(id, class, &idle.2))
        };
        let mut firsts: Vec<&Idle> = eligible
            .iter()
            .flat_map(|idles| idles.iter().filter(free).take(CHOICE_NEXT_MAX + 1))
            .collect();
        firsts.sort_unstable();
        let picked = firsts.first()?;
        let candidates: usize = eligible.iter().map(|idles| idles.len()).sum();
        let choice = Choice {
            candidates: u32::try_from(candidates).unwrap_or(u32::MAX),
            idle_since: picked.1,
            next: firsts.iter().skip(1).take(CHOICE_NEXT_MAX).map(|idle| idle.2.clone()).collect(),
        };
        Some(Pair { contact: id, agent: picked.2.clone(), choice })
    }

    /// Whether somebody else who is present, and is not spared it too, could take the contact.
    fn another_could(&self, id: ContactId, class: &Class, agent: &AgentId) -> bool {
        let spared = self.waiting.get(&id).map(|waiting| &waiting.back_off);
        self.present.iter().any(|(other, profile)| {
            other != agent
                && spared.is_none_or(|spared| !spared.contains(other))
                && class.1.unfit(&class.0, profile).is_none()
        })
    }

    /// Every agent that is configured, by id.
    pub fn agents(&self) -> impl Iterator<Item = (&AgentId, Standing)> {
        self.known.keys().map(|id| {
            let standing = if self.quarantined.contains(id) {
                Standing::OutOfService
            } else if self.busy.contains(id) {
                Standing::SpokenFor
            } else {
                Standing::Plain
            };
            (id, standing)
        })
    }

    /// Waiting contacts of `queue` in the order of service, offered ones included.
    pub fn order(&self, queue: &QueueId) -> Vec<ContactId> {
        self.queues.get(queue).into_iter().flat_map(BTreeMap::values).copied().collect()
    }

    /// The place of a waiting contact in its queue's order of service, from 1.
    pub fn position(&self, id: ContactId) -> Option<usize> {
        let waiting = self.waiting.get(&id)?;
        let places = self.queues.get(&waiting.class.0)?;
        Some(places.range(..=waiting.place).count())
    }
}
