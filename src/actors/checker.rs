//! The checker: looks for what cannot be, names it, counts it, alerts, and mends nothing.
//!
//! A look is one pure function over the states and the intake as they are between two entries. A
//! thing counts once it was found at every look for five seconds and at two sequence numbers: what
//! is only on its way is gone by then. An entity out of service is let go by all rules, so nothing
//! is said of it. Its counts must stay 0; the one that a person can make is `over_capacity`, by
//! lowering a capacity below what the agent has in hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atalaya_domain::agent::{Agent, Work};
use atalaya_domain::contact::{Contact, State as Place};
use atalaya_domain::ids::{AgentId, ContactId, EntityId, OfferId, QueueId};
use atalaya_domain::machine::State;
use atalaya_domain::matching::Intake;
use atalaya_domain::quarantine::Standing;
use atalaya_domain::skills::Requirement;
use atalaya_domain::time::Timestamp;

use super::centre::Centre;
use super::slots::Published;

/// Wall time between two looks.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a thing must have been found before it counts.
pub const IMPOSSIBLE_AFTER: Duration = Duration::from_secs(5);
/// Most things that are followed at one time; what comes past it is not looked at.
pub const FOLLOWED_MAX: usize = 1_000;

/// What cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two agents have a leg of one contact.
    TwoAgents,
    /// An agent has more in hand than they may.
    OverCapacity,
    /// A contact is offered to an agent who has no such reservation.
    OfferWithoutReservation,
    /// An agent is reserved for an offer that is not out.
    ReservationWithoutOffer,
    /// An agent is at work on a contact that is not theirs.
    LegWithoutContact,
    /// A contact is in the hands of an agent who is not at work on it.
    ContactWithoutLeg,
    /// A free agent beside a waiting contact that they may take.
    FreeBesideWaiting,
    /// A deadline that has passed and has not lapsed.
    DeadlinePassed,
    /// A waiting contact that the dispatcher does not know.
    NotInIntake,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::TwoAgents,
        Self::OverCapacity,
        Self::OfferWithoutReservation,
        Self::ReservationWithoutOffer,
        Self::LegWithoutContact,
        Self::ContactWithoutLeg,
        Self::FreeBesideWaiting,
        Self::DeadlinePassed,
        Self::NotInIntake,
    ];

    /// The label of `atalaya_impossible_total{kind}`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoAgents => "two_agents",
            Self::OverCapacity => "over_capacity",
            Self::OfferWithoutReservation => "offer_without_reservation",
            Self::ReservationWithoutOffer => "reservation_without_offer",
            Self::LegWithoutContact => "leg_without_contact",
            Self::ContactWithoutLeg => "contact_without_leg",
            Self::FreeBesideWaiting => "free_beside_waiting",
            Self::DeadlinePassed => "deadline_passed",
            Self::NotInIntake => "not_in_intake",
        }
    }
}

/// One thing that cannot be; the same thing at two looks is equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// Which rule it breaks.
    pub kind: Kind,
    /// Whose.
    pub entity: EntityId,
    /// With whom or what: completes "… of ENTITY".
    pub what: String,
}

/// What the looks so far have found.
#[derive(Debug, Default)]
pub struct Checker(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    followed: BTreeMap<Finding, Followed>,
    counts: BTreeMap<Kind, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Followed {
    since: Instant,
    seq: u64,
    counted: bool,
}

impl Checker {
    /// A look at `now`, with the log at `seq`, has `found` these: those that count from now on.
    pub fn follow(&self, found: Vec<Finding>, now: Instant, seq: u64) -> Vec<Finding> {
        let mut all = self.found();
        let mut before = std::mem::take(&mut all.followed);
        let mut told = Vec::new();
        for finding in found.into_iter().take(FOLLOWED_MAX) {
            let first = Followed { since: now, seq, counted: false };
            let mut followed = before.remove(&finding).unwrap_or(first);
            let long = now.saturating_duration_since(followed.since) >= IMPOSSIBLE_AFTER;
            if long && seq != followed.seq && !followed.counted {
                followed.counted = true;
                *all.counts.entry(finding.kind).or_default() += 1;
                told.push(finding.clone());
            }
            all.followed.insert(finding, followed);
        }
        told
    }

    /// How often each kind was found since the start, those never found included.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let found = self.found();
        let count = |kind: Kind| (kind.name(), found.counts.get(&kind).copied().unwrap_or(0));
        Kind::ALL.into_iter().map(count).collect()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for as long as the centre is open.
pub async fn watch(centre: Arc<Centre>) {
    while !centre.is_closed() {
        tokio::time::sleep(LOOK_EVERY).await;
        look(&centre, Instant::now());
    }
}

/// One look at `now`, between two entries: tells what counts from now on.
pub fn look(centre: &Centre, now: Instant) {
    // The fold holds the brain for each entry whole.
    let brain = centre.brain();
    let (states, seq) = (centre.slots.all(), centre.last_seq());
    let at = centre.now().at;
    let states = states.iter().map(|(id, published)| (id, &**published));
    let found = impossible(states, &brain.intake, at);
    drop(brain);
    for Finding { kind, entity, what } in centre.checker().follow(found, now, seq) {
        let kind = kind.name();
        tracing::error!(kind, %entity, what, seq, "what cannot be: please report it");
        centre.board().impossible(kind, &format!("{what} of {entity}"), at);
    }
}

/// Everything of `states` that cannot be at `now`, in order, once nothing is on its way.
pub fn impossible<'a>(
    states: impl Iterator<Item = (&'a EntityId, &'a Published)>,
    intake: &Intake,
    now: Timestamp,
) -> Vec<Finding> {
    let mut all = All { contacts: BTreeMap::new(), agents: BTreeMap::new(), found: Vec::new() };
    for (id, published) in states {
        let sound = published.standing() == Standing::InService;
        match (id, &published.state) {
            (EntityId::Agent(id), State::Agent(agent)) => {
                all.agents.insert(id, sound.then_some(agent));
            }
            (EntityId::Contact(id), State::Contact(contact)) => {
                all.contacts.insert(*id, sound.then_some(contact));
            }
            _ => (),
        }
    }
    all.contacts_alone(intake, now);
    all.contacts_with_agents();
    all.agents_with_contacts();
    all.free_beside_waiting();
    all.found.sort_unstable();
    all.found
}

/// One instant's states by id; `None`: out of service.
struct All<'a> {
    contacts: BTreeMap<ContactId, Option<&'a Contact>>,
    agents: BTreeMap<&'a AgentId, Option<&'a Agent>>,
    found: Vec<Finding>,
}

/// What an agent of another standing, or none, says of a contact.
enum Other<'a, T> {
    LetGo,
    Is(Option<&'a T>),
}

impl<'a> All<'a> {
    fn find(&mut self, kind: Kind, entity: EntityId, what: String) {
        self.found.push(Finding { kind, entity, what });
    }

    fn contacts_alone(&mut self, intake: &Intake, now: Timestamp) {
        for (id, contact) in self.contacts.clone() {
            let Some(contact) = contact else { continue };
            if contact.is_waiting() && !intake.knows(id) {
                self.find(Kind::NotInIntake, id.into(), "a wait without a place".into());
            }
            if let Some((due, _)) = contact.deadline().filter(|(due, _)| *due <= now) {
                self.find(Kind::DeadlinePassed, id.into(), format!("the deadline at {}", due.0));
            }
        }
    }

    fn agent(&self, id: &AgentId) -> Other<'a, Agent> {
        match self.agents.get(id) {
            Some(None) => Other::LetGo,
            Some(Some(agent)) => Other::Is(Some(agent)),
            None => Other::Is(None),
        }
    }

    fn contact(&self, id: ContactId) -> Other<'a, Contact> {
        match self.contacts.get(&id) {
            Some(None) => Other::LetGo,
            Some(Some(contact)) => Other::Is(Some(contact)),
            None => Other::Is(None),
        }
    }

    fn contacts_with_agents(&mut self) {
        for (id, contact) in self.contacts.clone() {
            let Some((agent, state)) = contact.and_then(|c| c.agent().zip(Some(&c.state))) else {
                continue;
            };
            let Other::Is(holder) = self.agent(agent) else { continue };
            let work = holder.and_then(|holder| holder.work.get(&id));
            match state {
                Place::Offered { offer, .. } if !is_reserved(work, *offer) => {
                    let what = format!("offer {offer} to {agent}");
                    self.find(Kind::OfferWithoutReservation, id.into(), what);
                }
                Place::Active { .. } | Place::Held { .. }
                    if !matches!(work, Some(Work::Active { .. })) =>
                {
                    let what = format!("a conversation with {agent}");
                    self.find(Kind::ContactWithoutLeg, id.into(), what);
                }
                Place::WrapUp { .. } if !matches!(work, Some(Work::WrapUp { .. })) => {
                    self.find(Kind::ContactWithoutLeg, id.into(), format!("wrap-up of {agent}"));
                }
                _ => (),
            }
        }
    }

    fn agents_with_contacts(&mut self) {
        let mut legs: BTreeMap<ContactId, Vec<&AgentId>> = BTreeMap::new();
        for (id, agent) in self.agents.clone() {
            let Some(agent) = agent else { continue };
            let most = agent.facts.as_ref().map_or(0, |facts| usize::from(facts.profile.voice));
            if agent.work.len() > most {
                let what = format!("{} contacts, of {most} at most,", agent.work.len());
                self.find(Kind::OverCapacity, id.clone().into(), what);
            }
            for (contact_id, work) in &agent.work {
                if !matches!(work, Work::Offered { .. }) {
                    legs.entry(*contact_id).or_default().push(id);
                }
                let Other::Is(contact) = self.contact(*contact_id) else { continue };
                let state = contact.filter(|c| c.agent() == Some(id)).map(|c| &c.state);
                match (work, state) {
                    (Work::Offered { offer, .. }, Some(Place::Offered { offer: out, .. }))
                        if offer == out => {}
                    (Work::Active { .. }, Some(Place::Active { .. } | Place::Held { .. }))
                    | (Work::WrapUp { .. }, Some(Place::WrapUp { .. })) => (),
                    (Work::Offered { offer, .. }, _) => {
                        let what = format!("reservation {offer}");
                        self.find(Kind::ReservationWithoutOffer, id.clone().into(), what);
                    }
                    (Work::Active { .. } | Work::WrapUp { .. }, _) => {
                        let what = format!("a leg on {contact_id}");
                        self.find(Kind::LegWithoutContact, id.clone().into(), what);
                    }
                }
            }
        }
        for (contact, agents) in legs.into_iter().filter(|(_, agents)| agents.len() > 1) {
            let what = format!("legs by {agents:?}");
            self.find(Kind::TwoAgents, contact.into(), what);
        }
    }

    /// The first of each class stands for all of it; one that spares an agent is passed over.
    fn free_beside_waiting(&mut self) {
        let mut classes: BTreeMap<(&QueueId, &Requirement), (ContactId, &Contact)> =
            BTreeMap::new();
        for (id, contact) in &self.contacts {
            let Some(contact) = contact else { continue };
            let Some(entered) = contact.entered.as_deref() else { continue };
            if contact.state != Place::Queued || !contact.back_off.is_empty() {
                continue;
            }
            let first = classes.entry((&entered.queue, &entered.requirement));
            let first = first.or_insert((*id, contact));
            if contact.order_key < first.1.order_key {
                *first = (*id, contact);
            }
        }
        let free = self.agents.iter().filter_map(|(id, agent)| {
            let agent = agent.filter(|agent| agent.is_available())?;
            Some((*id, &agent.facts.as_ref()?.profile))
        });
        let mut found = Vec::new();
        for (id, profile) in free {
            let fits = |((queue, requirement), _): &(&(&QueueId, &Requirement), _)| {
                requirement.unfit(queue, profile).is_none()
            };
            if let Some((_, (contact, _))) = classes.iter().find(fits) {
                found.push((*contact, format!("a wait beside {id}, who is free,")));
            }
        }
        for (contact, what) in found {
            self.find(Kind::FreeBesideWaiting, contact.into(), what);
        }
    }
}

fn is_reserved(work: Option<&Work>, wanted: OfferId) -> bool {
    matches!(work, Some(Work::Offered { offer, .. }) if *offer == wanted)
}
