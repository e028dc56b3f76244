//! Admission: who is on its way into the intake, so that arrivals at once take no more places than
//! there are, and make no more classes and profiles than the matching holds.
//!
//! A verdict and the place that it gives are of one instant, under the brain's lock; the place is
//! held until the intake has the contact or its order has ended, however long the commit takes.
//! Not here: what follows from a verdict; that is the contact's machine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya_domain::ids::{AgentId, ContactId, EntityId, QueueId};
use atalaya_domain::machine::{Command, State};
use atalaya_domain::matching::{CLASSES_MAX, Class, Intake, PROFILES_MAX};
use atalaya_domain::queue::Status;
use atalaya_domain::skills::Profile;
use atalaya_domain::{agent, contact, system};

use super::brain::Brain;
use super::centre::Centre;

/// More kinds of work or of agents than the matching holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// See [`CLASSES_MAX`].
    #[error(
        "cannot take the contact: those who wait are of {CLASSES_MAX} requirement classes; ask \
         for what one of them asks for, or leave `requires`, `language` and `levels` out"
    )]
    Classes,
    /// See [`PROFILES_MAX`].
    #[error(
        "cannot take the profile: agents have {PROFILES_MAX} of them; give this one the level, \
         skills, languages, capacity and queues of another agent"
    )]
    Profiles,
}

/// See the module. Bounded by the commands in flight, and so by what the writer takes.
#[derive(Debug, Default)]
pub struct Admission {
    /// Admitted, and not in the intake yet.
    arriving: BTreeMap<ContactId, Class>,
    queues: BTreeMap<QueueId, usize>,
    classes: BTreeMap<Class, usize>,
    /// What a configuration in flight makes of profiles, by its leader.
    changing: BTreeMap<EntityId, Profiles>,
}

#[derive(Debug, Default)]
struct Profiles {
    taken: BTreeSet<Arc<Profile>>,
    /// In whose stead one of `taken` is: nobody has them afterwards.
    left: BTreeSet<Arc<Profile>>,
}

impl Admission {
    /// The intake has the contact now, or will never have it.
    pub fn leave(&mut self, id: ContactId) {
        if let Some(class) = self.arriving.remove(&id) {
            uncount(&mut self.queues, &class.0);
            uncount(&mut self.classes, &class);
        }
    }

    /// The order to `to` has ended, or is decided anew.
    fn end(&mut self, to: &EntityId) {
        match to {
            EntityId::Contact(id) => self.leave(*id),
            _ => drop(self.changing.remove(to)),
        }
    }

    /// Contacts that wait in `queue`, or are on their way there.
    fn places_taken(&self, intake: &Intake, queue: &QueueId) -> usize {
        intake.waiting_in(queue) + self.queues.get(queue).copied().unwrap_or(0)
    }

    fn fits(&self, intake: &Intake, class: &Class) -> bool {
        let most = intake.class_count() + self.classes.len();
        let is_new = |arriving: &&Class| !intake.has_class(arriving);
        most < CLASSES_MAX
            || intake.has_class(class)
            || self.classes.contains_key(class)
            || intake.class_count() + self.classes.keys().filter(is_new).count() < CLASSES_MAX
    }

    fn arrive(&mut self, id: ContactId, class: Class) {
        *self.queues.entry(class.0.clone()).or_default() += 1;
        *self.classes.entry(class.clone()).or_default() += 1;
        self.arriving.insert(id, class);
    }

    /// Takes what `changes` needs, or says that it is too much. Who has the only agent of a profile
    /// may change it for another also where there are as many as there may be.
    fn change(
        &mut self,
        intake: &Intake,
        to: &EntityId,
        changes: &[(&AgentId, Arc<Profile>)],
    ) -> Result<(), TooMany> {
        let flying = || self.changing.values();
        let taken: BTreeSet<_> = changes.iter().map(|(_, profile)| profile.clone()).collect();
        let on_their_way: usize = flying().map(|it| it.taken.len()).sum();
        if intake.profile_count() + on_their_way + taken.len() <= PROFILES_MAX {
            self.changing.insert(to.clone(), Profiles { taken, left: BTreeSet::new() });
            return Ok(());
        }
        let leaving: BTreeSet<_> = flying().flat_map(|it| &it.left).collect();
        let mut stands: BTreeSet<_> = intake.profiles().collect();
        stands.retain(|profile| !leaving.contains(profile));
        stands.extend(flying().flat_map(|it| &it.taken));
        let added = taken.iter().filter(|profile| !stands.contains(profile)).count();
        let mut left = BTreeSet::new();
        if added > 0 && PROFILES_MAX < stands.len() + added {
            let mut users: BTreeMap<&Arc<Profile>, usize> = BTreeMap::new();
            for before in changes.iter().filter_map(|(id, _)| intake.profile_of(id)) {
                *users.entry(before).or_default() += 1;
            }
            let all = users.into_iter().filter(|(profile, count)| {
                let held = flying().any(|it| it.taken.contains(*profile));
                *count == intake.agents_with(profile) && !held && !taken.contains(*profile)
            });
            left = all.map(|(profile, _)| profile.clone()).collect();
            left.retain(|profile| !leaving.contains(profile));
            if left.len() < added {
                return Err(TooMany::Profiles);
            }
        }
        self.changing.insert(to.clone(), Profiles { taken, left });
        Ok(())
    }
}

fn uncount<T: Ord>(counts: &mut BTreeMap<T, usize>, of: &T) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

/// Gives an arrival admission's verdict, and a command the place that it needs until [`Place`] is
/// dropped.
pub fn admit(centre: &Centre, to: &EntityId, command: &mut Command) -> Result<(), TooMany> {
    match command {
        Command::Contact(contact::Command::Arrive(arrival)) => arrives(centre, to, arrival),
        Command::Agent(agent::Command::Configure { facts, .. }) => {
            let EntityId::Agent(id) = to else { return Ok(()) };
            changes(centre, to, &[(id, Arc::new(facts.profile.clone()))])
        }
        Command::System(system::Command::Configure { changes: all, .. }) => {
            let profiles = all.iter().filter_map(|(id, command)| match (id, command) {
                (EntityId::Agent(id), Command::Agent(agent::Command::Configure { facts, .. })) => {
                    Some((id, Arc::new(facts.profile.clone())))
                }
                _ => None,
            });
            changes(centre, to, &profiles.collect::<Vec<_>>())
        }
        _ => Ok(()),
    }
}

fn arrives(centre: &Centre, to: &EntityId, arrival: &mut contact::Arrival) -> Result<(), TooMany> {
    let EntityId::Contact(id) = to else { return Ok(()) };
    let mut brain = centre.brain();
    let Brain { intake, admission, .. } = &mut *brain;
    admission.end(to);
    // What waits is not admitted again, and its place is counted.
    let published = centre.slots.read(&EntityId::Queue(arrival.queue.clone()));
    let State::Queue(queue) = &published.state else { return Ok(()) };
    let Some(rules) = queue.rules.as_ref().filter(|_| !intake.knows(*id)) else { return Ok(()) };
    let most = rules.max_waiting.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    let taken = admission.places_taken(intake, &arrival.queue);
    arrival.full = most.is_some_and(|most| most <= taken);
    if arrival.full || queue.status != Status::Open {
        return Ok(());
    }
    let class = (arrival.queue.clone(), arrival.requirement(&rules.requirement));
    // In lockstep a scenario is played as it is.
    if !centre.is_lockstep() && !admission.fits(intake, &class) {
        return Err(TooMany::Classes);
    }
    admission.arrive(*id, class);
    Ok(())
}

fn changes(
    centre: &Centre,
    to: &EntityId,
    changes: &[(&AgentId, Arc<Profile>)],
) -> Result<(), TooMany> {
    if centre.is_lockstep() {
        return Ok(());
    }
    let mut brain = centre.brain();
    let Brain { intake, admission, .. } = &mut *brain;
    admission.end(to);
    admission.change(intake, to, changes)
}

/// Holds what an order was given by [`admit`], until it has ended, in whatever way.
pub struct Place<'a> {
    centre: &'a Centre,
    to: &'a EntityId,
}

impl<'a> Place<'a> {
    /// Of an order to `to`; `None` where none of its attempts takes a place.
    pub const fn of(centre: &'a Centre, to: &'a EntityId, command: &Command) -> Option<Self> {
        match command {
            Command::Contact(contact::Command::Arrive(_))
            | Command::Agent(agent::Command::Configure { .. })
            | Command::System(system::Command::Configure { .. }) => Some(Self { centre, to }),
            _ => None,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.centre.brain().admission.end(self.to);
    }
}
