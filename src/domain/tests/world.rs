//! A centre in one thread: states, an intake and a clock that is told where to go.
//!
//! Time goes on only by [`World::run_until`], which lapses deadlines in the order of (instant,
//! phase, id) and matches after each entry. Actors, a writer and a log on disk are not here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya_domain::agent::{self, Agent, Facts, Wish};
use atalaya_domain::contact::{self, Arrival, Contact, Who};
use atalaya_domain::decision::Rejection;
use atalaya_domain::entry::{Entry, Recorded, compose};
use atalaya_domain::ids::{AgentId, ContactId, OfferId, PersonId, QueueId, Slug};
use atalaya_domain::matching::Intake;
use atalaya_domain::priority::{Credit, OrderKey};
use atalaya_domain::queue::{self, OnReject, Queue, Rules};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Now, Span, Timestamp};
use atalaya_domain::{Command, EntityId, State};
use uuid::Uuid;

use crate::rules;

/// Most offers and refusals that one entry may set off: past it the matcher goes in circles.
const MATCHES_MAX: usize = 1_000;

/// The centre.
#[derive(Clone)]
pub(crate) struct World {
    /// Applied.
    pub(crate) states: BTreeMap<EntityId, State>,
    /// Fed after each entry.
    pub(crate) intake: Intake,
    /// Everything committed.
    pub(crate) log: Vec<Recorded>,
    /// The instant, and its phase while deadlines lapse.
    pub(crate) now: Now,
    /// Whether offers are made, and the rules looked at, after each entry.
    pub(crate) whole: bool,
    offers: u128,
}

pub(crate) fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

pub(crate) fn agent_id(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

pub(crate) fn queue_id(name: &str) -> QueueId {
    QueueId::new(name).unwrap()
}

pub(crate) fn contact_id(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(number))
}

pub(crate) fn offer_id(number: u128) -> OfferId {
    OfferId(Uuid::from_u128(number))
}

/// So many seconds from the start of the centre's time.
pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::default().plus(Span::seconds(seconds))
}

/// The default rules: 20 s to answer, 30 s of wrap-up, one miss is enough.
pub(crate) fn rules() -> Rules {
    Rules {
        name: "Pensiones".into(),
        short_name: "Pensiones".into(),
        requirement: Requirement::default(),
        service_level: None,
        max_waiting: None,
        wrap_up: Some(queue::WRAP_UP.into()),
        offer_timeout: queue::OFFER_TIMEOUT.into(),
        on_reject: OnReject::NotReady,
        max_misses: 1,
        short_abandon: queue::SHORT_ABANDON.into(),
        thresholds: queue::Thresholds::default(),
    }
}

/// An agent for one call at a time.
pub(crate) fn profile() -> Profile {
    Profile { level: 1, voice: 1, ..Profile::default() }
}

pub(crate) fn configured(profile: Profile) -> agent::Command {
    let facts = Arc::new(Facts { team: slug("mornings"), profile });
    agent::Command::Configure { facts, text_hash: [0; 16] }
}

pub(crate) fn wishes(wish: Wish) -> agent::Command {
    agent::Command::Presence { wish, after: false, start: 1 }
}

pub(crate) fn away(reason: &str) -> Wish {
    Wish::NotReady(slug(reason))
}

pub(crate) fn arrival(queue: &str, credit: Credit, number: u128) -> contact::Command {
    contact::Command::Arrive(Box::new(Arrival {
        queue: queue_id(queue),
        priority: slug("normal"),
        credit,
        language: None,
        skills: None,
        levels: None,
        external_id: None,
        person: PersonId(Uuid::from_u128(number)),
        full: false,
    }))
}

/// Queue `q` with these rules, and nobody yet, 100 s before 0.
pub(crate) fn centre(change: impl FnOnce(&mut Rules)) -> World {
    let mut world = World::new();
    let mut rules = rules();
    change(&mut rules);
    world.at(-100);
    world.has_queue("q", rules);
    world
}

pub(crate) fn wrap(seconds: i64) -> impl FnOnce(&mut Rules) {
    move |rules| rules.wrap_up = Some(Span::seconds(seconds).into())
}

/// A millisecond before so many seconds.
pub(crate) fn just_before(seconds: i64) -> Timestamp {
    second(seconds).minus(Span::millis(1))
}

/// State, and the reason of `not_ready`.
pub(crate) fn presence(world: &World, name: &str) -> String {
    let presence = world.agent(name).presence();
    let reason = presence.reason.map(|reason| format!("({reason})"));
    format!("{}{}", presence.state.name(), reason.unwrap_or_default())
}

pub(crate) fn state(world: &World, number: u128) -> &'static str {
    world.contact(number).state.name()
}

pub(crate) fn offered_to(world: &World, number: u128) -> String {
    world.offer(number).1.to_string()
}

pub(crate) fn key(seconds: i64) -> OrderKey {
    OrderKey { rank: 1, at: second(seconds) }
}

/// The agent turns down the offer that is out.
pub(crate) fn rejects(world: &mut World, number: u128) {
    let (offer, agent) = world.offer(number);
    world.tell_contact(number, contact::Command::Reject { offer, agent, reason: None }).unwrap();
}

impl World {
    /// An empty centre, 1,000 s before the start of its time.
    pub(crate) fn new() -> Self {
        Self {
            states: BTreeMap::new(),
            intake: Intake::default(),
            log: Vec::new(),
            now: Now::live(second(-1_000)),
            whole: true,
            offers: 0,
        }
    }

    pub(crate) fn read(&self, id: &EntityId) -> State {
        self.states.get(id).cloned().unwrap_or_else(|| State::blank(id))
    }

    pub(crate) fn agent(&self, name: &str) -> Agent {
        match self.read(&agent_id(name).into()) {
            State::Agent(agent) => agent,
            other => panic!("{name} is {other:?}"),
        }
    }

    pub(crate) fn contact(&self, number: u128) -> Contact {
        match self.read(&contact_id(number).into()) {
            State::Contact(contact) => contact,
            other => panic!("{number} is {other:?}"),
        }
    }

    pub(crate) fn queue(&self, name: &str) -> Queue {
        match self.read(&queue_id(name).into()) {
            State::Queue(queue) => queue,
            other => panic!("{name} is {other:?}"),
        }
    }

    pub(crate) fn tell_agent(&mut self, name: &str, it: agent::Command) -> Result<(), Rejection> {
        self.tell(&agent_id(name).into(), &Command::Agent(it))
    }

    pub(crate) fn tell_contact(
        &mut self,
        number: u128,
        it: contact::Command,
    ) -> Result<(), Rejection> {
        self.tell(&contact_id(number).into(), &Command::Contact(it))
    }

    pub(crate) fn tell_queue(&mut self, name: &str, it: queue::Command) -> Result<(), Rejection> {
        self.tell(&queue_id(name).into(), &Command::Queue(it))
    }

    pub(crate) fn has_queue(&mut self, name: &str, rules: Rules) {
        let command = queue::Command::Configure { rules: Box::new(rules), text_hash: [0; 16] };
        self.tell_queue(name, command).unwrap();
    }

    /// Configured and ready, now.
    pub(crate) fn has_agent(&mut self, name: &str, profile: Profile) {
        self.tell_agent(name, configured(profile)).unwrap();
        self.tell_agent(name, wishes(Wish::Ready)).unwrap();
    }

    /// A normal contact comes, now.
    pub(crate) fn arrives(&mut self, number: u128, queue: &str) {
        let credit = Credit::HeadStart(Span::ZERO);
        self.tell_contact(number, arrival(queue, credit, number)).unwrap();
    }

    /// The offer of the contact that is out.
    pub(crate) fn offer(&self, number: u128) -> (OfferId, AgentId) {
        match self.contact(number).state {
            contact::State::Offered { offer, agent, .. } => (offer, agent),
            other => panic!("contact {number} is {}", other.name()),
        }
    }

    /// Its agent accepts, now.
    pub(crate) fn accepts(&mut self, number: u128) {
        let (offer, agent) = self.offer(number);
        self.tell_contact(number, contact::Command::Accept { offer, agent }).unwrap();
    }

    /// The conversation ends, now.
    pub(crate) fn completes(&mut self, number: u128) {
        self.tell_contact(number, contact::Command::Complete { by: Who::Citizen }).unwrap();
    }

    /// One command, and the offers that it makes possible.
    pub(crate) fn tell(&mut self, to: &EntityId, command: &Command) -> Result<(), Rejection> {
        let verdict = self.submit(to, command).verdict;
        self.match_all();
        verdict
    }

    /// One entry, applied.
    pub(crate) fn submit(&mut self, to: &EntityId, command: &Command) -> Entry {
        let entry = compose(&|id| self.read(id), self.now, to, command);
        let before = self.states.clone();
        for Recorded { entity, at, event, .. } in &entry.events {
            let blank = || State::blank(entity);
            self.states.entry(entity.clone()).or_insert_with(blank).apply(*at, event);
        }
        self.log.extend(entry.events.iter().cloned());
        let seq = u64::try_from(self.log.len()).unwrap();
        let touched: BTreeSet<_> = entry.events.iter().map(|told| &told.entity).collect();
        for id in touched {
            match (id, &self.states[id]) {
                (EntityId::Agent(id), State::Agent(agent)) => self.intake.agent(id, agent),
                (EntityId::Contact(id), State::Contact(contact)) => {
                    self.intake.contact(*id, contact, seq);
                }
                (EntityId::Queue(id), State::Queue(queue)) => self.intake.queue(id, queue),
                (EntityId::System | EntityId::Token(_) | EntityId::Session(_), _) => (),
                (id, _) => panic!("nothing takes in {id}"),
            }
        }
        if self.whole {
            rules::check(&before, &entry, self.now, &self.states);
        }
        entry
    }

    /// Refusals and offers until nobody free can be given anything.
    pub(crate) fn match_all(&mut self) {
        for _ in 0..MATCHES_MAX {
            if !self.whole {
                return;
            }
            if !self.match_one() {
                return rules::check_quiet(self);
            }
        }
        panic!("the matcher goes in circles at {:?}", self.now);
    }

    fn match_one(&mut self) -> bool {
        if let Some(contact) = self.intake.next_refusal() {
            self.intake.launch_refusal(contact);
            let refuse = contact::Command::Refuse { reason: slug("emergency") };
            self.submit(&contact.into(), &Command::Contact(refuse)).verdict.unwrap();
            self.intake.land_refusal(contact);
            return true;
        }
        let Some(pair) = self.intake.next_pair() else { return false };
        rules::check_pair(&self.states, &pair);
        self.intake.launch(&pair);
        self.offers += 1;
        let (offer, agent) = (offer_id(self.offers), pair.agent.clone());
        let command = contact::Command::Offer { offer, agent, choice: pair.choice.clone() };
        let entry = self.submit(&pair.contact.into(), &Command::Contact(command));
        self.intake.land(pair.contact, &pair.agent, entry.verdict.is_err());
        true
    }

    /// Deadlines up to this instant lapse, then it is now.
    pub(crate) fn run_until(&mut self, until: Timestamp) {
        while let Some((at, phase, id)) = self.next_deadline().filter(|next| next.0 <= until) {
            if at >= self.now.at {
                self.now = Now { at, phase };
            }
            let tick = Command::Contact(contact::Command::Tick);
            self.tell(&id, &tick).unwrap();
        }
        self.now = Now::live(until);
    }

    /// The same, in seconds.
    pub(crate) fn at(&mut self, seconds: i64) {
        self.run_until(second(seconds));
    }

    fn next_deadline(&self) -> Option<(Timestamp, atalaya_domain::time::Phase, EntityId)> {
        let due = |(id, state): (&EntityId, &State)| {
            state.deadline().map(|(at, phase)| (at, phase, id.clone()))
        };
        self.states.iter().filter_map(due).min()
    }
}
