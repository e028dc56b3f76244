//! What originates commands by itself: deadlines, matching, refusals, and a driver in lockstep.
//!
//! The projector feeds it after each batch; the gate asks it for what comes next. It is the one
//! place where the order of one instant (`Phase`) is kept.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::ids::{AgentId, ContactId, EntityId, OfferId, Slug};
use atalaya_domain::machine::{Command, State};
use atalaya_domain::matching::Intake;
use atalaya_domain::quarantine::Standing;
use atalaya_domain::time::{Now, Timestamp};
use atalaya_domain::{contact, system};

use super::arriving::Arriving;
use super::slots::{Published, Slots};
use crate::journal::commit::Numbered;
use crate::simulation::driver::Driver;
use crate::simulation::ids::Ids;
use crate::simulation::order::{Deadline, deadline_first};

/// What the gate passes, with what must be told when it has ended.
#[derive(Debug)]
pub struct Origin {
    /// When.
    pub now: Now,
    /// To whom.
    pub to: EntityId,
    /// What.
    pub command: Command,
    /// What is in flight until it has ended.
    pub flight: Flight,
}

/// What is in flight because of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flight {
    /// Nothing.
    Nothing,
    /// A pair.
    Offer(ContactId, AgentId),
    /// A contact being sent away.
    Refusal(ContactId),
    /// The log being told that something is out of service.
    Quarantine(EntityId),
}

/// What comes next, in lockstep.
#[derive(Debug)]
pub enum Next {
    /// This.
    Pass(Box<Origin>),
    /// Something planned turned out void; ask again.
    Void,
    /// Nothing is due any more.
    Done,
}

/// See the module.
#[derive(Debug)]
pub struct Brain {
    /// Who waits and who is free.
    pub intake: Intake,
    /// Who will wait, once the log has them.
    pub arriving: Arriving,
    deadlines: BTreeSet<Deadline>,
    armed: BTreeMap<ContactId, Deadline>,
    driver: Option<Driver>,
    /// Out of service, and the log does not say so yet.
    unannounced: BTreeMap<EntityId, News>,
    ids: IdPort,
    now: Now,
}

/// What the log is to be told of an entity: a level, tried until it is there.
#[derive(Debug)]
struct News {
    cause: &'static str,
    way: Way,
}

/// Where the word of a quarantine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To be sent.
    Open,
    /// Sent.
    InFlight,
    /// Refused without an event: not sent before [`Brain::retry`].
    Refused,
}

/// Where the ids of offers and contacts come from.
#[derive(Debug)]
enum IdPort {
    Lockstep(Ids),
    Live,
}

impl IdPort {
    fn offer(&mut self, at: Timestamp) -> OfferId {
        OfferId(match self {
            Self::Lockstep(ids) => ids.make(at),
            Self::Live => uuid::Uuid::now_v7(),
        })
    }
}

impl Brain {
    /// A brain that knows nothing yet.
    pub fn new(driver: Option<Driver>, start: Timestamp) -> Self {
        Self {
            intake: Intake::default(),
            arriving: Arriving::default(),
            deadlines: BTreeSet::new(),
            armed: BTreeMap::new(),
            ids: match driver {
                Some(_) => IdPort::Lockstep(Ids::default()),
                None => IdPort::Live,
            },
            driver,
            unannounced: BTreeMap::new(),
            now: Now::live(start),
        }
    }

    /// Folds one committed event, whose state is published.
    pub fn fold(&mut self, numbered: &Numbered, slots: &Slots) {
        let id = &numbered.recorded.entity;
        let published = slots.read(id);
        match (id, &published.state) {
            (EntityId::Agent(id), State::Agent(agent)) => self.intake.agent(id, agent),
            (EntityId::Queue(id), State::Queue(queue)) => self.intake.queue(id, queue),
            (EntityId::Contact(id), State::Contact(contact)) => {
                self.arriving.leave(*id);
                self.intake.contact(*id, contact, numbered.seq);
                self.arm(*id, contact);
            }
            _ => (),
        }
    }

    /// Takes in what a start finds of `id`.
    pub fn restore(&mut self, id: &EntityId, published: &Published) {
        match (id, &published.state) {
            (EntityId::Agent(id), State::Agent(agent)) => self.intake.agent(id, agent),
            (EntityId::Queue(id), State::Queue(queue)) => self.intake.queue(id, queue),
            (EntityId::Contact(id), State::Contact(contact)) => {
                self.intake.contact(*id, contact, published.first_seq);
                self.arm(*id, contact);
            }
            _ => (),
        }
        if published.quarantined.is_some() {
            self.retire(id, published.standing());
        }
    }

    fn arm(&mut self, id: ContactId, contact: &contact::Contact) {
        if let Some(armed) = self.armed.remove(&id) {
            self.deadlines.remove(&armed);
        }
        if let Some((at, phase)) = contact.deadline() {
            let entered = contact.entered.as_ref();
            let name = entered.and_then(|e| e.external_id.clone()).unwrap_or_default();
            let armed = (at, phase, name, id);
            self.deadlines.insert(armed.clone());
            self.armed.insert(id, armed);
        }
    }

    /// `id` has failed: it is out of dispatch from now on, and the log will be told. The centre
    /// itself cannot be: there would be nobody to tell it.
    pub fn quarantine(&mut self, id: &EntityId, cause: &'static str, standing: Standing) {
        self.retire(id, standing);
        if *id != EntityId::System {
            self.unannounced.insert(id.clone(), News { cause, way: Way::Open });
        }
    }

    /// The log says that `id` is out of service. A sound contact's deadlines still lapse.
    pub fn retire(&mut self, id: &EntityId, standing: Standing) {
        self.unannounced.remove(id);
        match id {
            EntityId::Agent(id) => self.intake.quarantine_agent(id),
            EntityId::Contact(id) => {
                self.intake.quarantine_contact(*id);
                if standing == Standing::Frozen
                    && let Some(armed) = self.armed.remove(id)
                {
                    self.deadlines.remove(&armed);
                }
            }
            EntityId::System | EntityId::Queue(_) | EntityId::Token(_) | EntityId::Session(_) => (),
        }
    }

    /// Whether something was refused without an event and waits for [`Brain::retry`].
    pub fn has_refused(&self) -> bool {
        let waits = |news: &News| news.way != Way::InFlight;
        self.intake.has_refused() || self.unannounced.values().any(waits)
    }

    /// What was refused may be tried again.
    pub fn retry(&mut self) {
        self.intake.retry_refused();
        for news in self.unannounced.values_mut().filter(|news| news.way == Way::Refused) {
            news.way = Way::Open;
        }
    }

    /// Tells the driver what an entry committed.
    pub fn hear(&mut self, events: &[Numbered]) {
        if let Some(driver) = &mut self.driver {
            let events: Vec<_> = events.iter().map(|event| event.recorded.clone()).collect();
            driver.hear(&events);
        }
    }

    /// What was in flight has ended; `refused`: without an event.
    pub fn land(&mut self, flight: &Flight, refused: bool) {
        match flight {
            Flight::Nothing => (),
            Flight::Offer(contact, agent) => self.intake.land(*contact, agent, refused),
            Flight::Refusal(contact) => self.intake.land_refusal(*contact),
            Flight::Quarantine(id) => {
                // Once it is in the log it is not here any more; else its lane has died.
                if let Some(news) = self.unannounced.get_mut(id) {
                    news.way = if refused { Way::Refused } else { Way::Open };
                }
            }
        }
    }

    /// What the centre does by itself now: whatever has failed is told first, then refusals and
    /// offers in matching order.
    pub fn next_match(&mut self, now: Now) -> Option<Origin> {
        let news = self.unannounced.iter_mut().find(|(_, news)| news.way == Way::Open);
        if let Some((entity, News { cause, way })) = news {
            *way = Way::InFlight;
            let (entity, cause, others) = (entity.clone(), (*cause).to_owned(), vec![]);
            let flight = Flight::Quarantine(entity.clone());
            let command = system::Command::Quarantine { entity, cause, others };
            let (to, command) = (EntityId::System, Command::System(command));
            return Some(Origin { now, to, command, flight });
        }
        if let Some(contact) = self.intake.next_refusal() {
            let reason = Slug::new("emergency").ok()?;
            self.intake.launch_refusal(contact);
            let command = Command::Contact(contact::Command::Refuse { reason });
            let (to, flight) = (contact.into(), Flight::Refusal(contact));
            return Some(Origin { now, to, command, flight });
        }
        let pair = self.intake.next_pair()?;
        self.intake.launch(&pair);
        let offer = self.ids.offer(now.at);
        let (agent, choice) = (pair.agent.clone(), pair.choice);
        let command = Command::Contact(contact::Command::Offer { offer, agent, choice });
        let flight = Flight::Offer(pair.contact, pair.agent);
        Some(Origin { now, to: pair.contact.into(), command, flight })
    }

    /// The first instant at which something falls due.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, ..)| *at)
    }

    /// A tick for each contact with a deadline at or before `now`, in their order.
    pub fn due(&self, now: Now) -> Vec<Origin> {
        let due = self
            .deadlines
            .iter()
            .take_while(|(at, phase, ..)| (*at, *phase) <= (now.at, now.phase));
        let tick = |(_, _, _, contact): &Deadline| Origin {
            now,
            to: (*contact).into(),
            command: Command::Contact(contact::Command::Tick),
            flight: Flight::Nothing,
        };
        due.map(tick).collect()
    }

    /// A tick for the first of them.
    pub fn first_due(&self, now: Now) -> Option<Origin> {
        let (at, phase, _, contact) = self.deadlines.first()?;
        let command = Command::Contact(contact::Command::Tick);
        let (to, flight) = ((*contact).into(), Flight::Nothing);
        ((*at, *phase) <= (now.at, now.phase)).then_some(Origin { now, to, command, flight })
    }

    /// What comes next in lockstep, when nothing is in flight.
    pub fn next(&mut self, slots: &Slots) -> Next {
        if let Some(origin) = self.next_match(self.now) {
            return Next::Pass(Box::new(origin));
        }
        let planned = self.driver.as_ref().and_then(Driver::next);
        let due = self.deadlines.first().filter(|due| deadline_first(Some(due), planned));
        if let Some((at, phase, _, contact)) = due {
            let contact = *contact;
            self.now = Now { at: *at, phase: *phase };
            let command = Command::Contact(contact::Command::Tick);
            let (now, flight) = (self.now, Flight::Nothing);
            return Next::Pass(Box::new(Origin { now, to: contact.into(), command, flight }));
        }
        let look = |id: &EntityId| slots.read(id).state.clone();
        let (Some(driver), IdPort::Lockstep(ids)) = (&mut self.driver, &mut self.ids) else {
            return Next::Done;
        };
        let Some((place, due)) = driver.take(&look, ids) else { return Next::Done };
        self.now = Now { at: place.0, phase: place.1 };
        let Some(due) = due else { return Next::Void };
        let (now, flight) = (self.now, Flight::Nothing);
        Next::Pass(Box::new(Origin { now, to: due.to, command: due.command, flight }))
    }
}
