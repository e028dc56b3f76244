//! A centre whose clock goes where it is told, with traps for its actors and machines.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use atalaya::actors::centre::{Asked, Centre, Options};
use atalaya::actors::clock::{Clock, wall_now};
use atalaya::actors::guardian::Faults;
use atalaya::actors::shell::Failure;
use atalaya::journal::commit::{Memory, Sealed};
use atalaya::journal::recorder::Recorder;
use atalaya_domain::agent::{self, Agent, Facts, Wish};
use atalaya_domain::contact::{self, Arrival, Contact, Who};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, ContactId, EntityId, OfferId, PersonId, QueueId, Slug};
use atalaya_domain::machine::{Command, State};
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::{self, OnReject, Rules};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Span, Timestamp, Written};
use serde_json::Value;
use uuid::Uuid;

use super::support::wait_for_async;

/// Where the clock stands at first: 2026-03-02, 08:00.
pub(crate) const START: Timestamp = Timestamp(1_772_438_400_000_000);
/// How long an offer stands.
pub(crate) const OFFER: Span = Span::seconds(20);

/// What panics: lanes by entity, so many times; machines by entity and event, always.
#[derive(Default)]
pub(crate) struct Traps {
    lanes: Mutex<BTreeMap<EntityId, usize>>,
    machines: Mutex<BTreeMap<EntityId, &'static str>>,
    leads: Mutex<BTreeMap<EntityId, usize>>,
}

impl Traps {
    /// The lane of `id` dies of its next `times` commands.
    pub(crate) fn lane(&self, id: EntityId, times: usize) {
        self.lanes.lock().unwrap().insert(id, times);
    }

    /// The machine of `id` cannot apply events of this name.
    pub(crate) fn machine(&self, id: EntityId, event: &'static str) {
        self.machines.lock().unwrap().insert(id, event);
    }

    /// Commands that the lane of `id` was given so far.
    pub(crate) fn leads(&self, id: &EntityId) -> usize {
        self.leads.lock().unwrap().get(id).copied().unwrap_or(0)
    }
}

impl Faults for Traps {
    fn before_lead(&self, to: &EntityId, _command: &Command) {
        *self.leads.lock().unwrap().entry(to.clone()).or_default() += 1;
        let dies = match self.lanes.lock().unwrap().get_mut(to) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        };
        assert!(!dies, "a trap: the lane of {to} dies");
    }

    fn before_apply(&self, recorded: &Recorded) {
        let machines = self.machines.lock().unwrap();
        let fails = machines.get(&recorded.entity) == Some(&recorded.event.name());
        drop(machines);
        assert!(!fails, "a trap: {} cannot apply {}", recorded.entity, recorded.event.name());
    }
}

pub(crate) struct House {
    pub(crate) centre: Arc<Centre>,
    pub(crate) traps: Arc<Traps>,
    writer: JoinHandle<()>,
}

impl House {
    /// Nothing on disk.
    pub(crate) fn new() -> Self {
        let options = options(Box::new(Memory::default()), vec![], START);
        let traps = Arc::new(Traps::default());
        let (centre, writer) = Centre::start_with(options, Some(traps.clone())).unwrap();
        Self { centre, traps, writer }
    }

    /// On the log in `dir`, with these traps from the first event on.
    pub(crate) fn on(dir: &Path, traps: Arc<Traps>) -> Self {
        let mut history: Vec<Sealed> = Vec::new();
        let recorder = Recorder::open(dir, wall_now, &mut |sealed| history.push(sealed)).unwrap();
        let now = history.last().map_or(START, |sealed| sealed.now);
        let options = options(Box::new(recorder), history, now);
        let (centre, writer) = Centre::start_with(options, Some(traps.clone())).unwrap();
        Self { centre, traps, writer }
    }

    /// As a kill would, but for the thread that must let the folder go.
    pub(crate) fn stop(self) {
        self.centre.close();
        self.writer.join().unwrap();
    }

    /// The clock goes on to so many microseconds from its start, and what is due is looked at.
    pub(crate) fn advance_to(&self, at: Timestamp) {
        self.centre.clock().advance_to(at);
        self.centre.wake_timekeeper();
    }

    pub(crate) async fn tell(&self, to: EntityId, command: Command) -> Result<(), Failure> {
        self.centre.tell(Asked::by_system(to, command)).await.map(|_| ())
    }

    pub(crate) async fn tell_agent(&self, name: &str, it: agent::Command) -> Result<(), Failure> {
        self.tell(agent(name), Command::Agent(it)).await
    }

    pub(crate) async fn tell_contact(
        &self,
        number: u128,
        it: contact::Command,
    ) -> Result<(), Failure> {
        self.tell(contact(number), Command::Contact(it)).await
    }

    /// Queue `q` for anyone, queue `ca` for those who speak Catalan; no wrap-up.
    pub(crate) async fn furnish(&self) {
        for (id, language) in [("q", None), ("ca", Some(slug("ca")))] {
            let rules = Rules {
                name: id.into(),
                short_name: id.into(),
                requirement: Requirement { language, ..Requirement::default() },
                service_level: None,
                max_waiting: None,
                wrap_up: Some(Written::from(Span::ZERO)),
                offer_timeout: Written::from(OFFER),
                on_reject: OnReject::NotReady,
                max_misses: 1,
                short_abandon: Written::from(Span::seconds(5)),
                thresholds: atalaya_domain::queue::Thresholds::default(),
            };
            let command = queue::Command::Configure { rules: Box::new(rules), text_hash: [0; 16] };
            self.tell(queue(id), Command::Queue(command)).await.unwrap();
        }
    }

    /// Configured and ready, for one call at a time.
    pub(crate) async fn has_agent(&self, name: &str) {
        let languages = ["es", "ca"].into_iter().map(slug).collect();
        let profile = Profile { level: 1, voice: 1, languages, ..Profile::default() };
        let facts = Arc::new(Facts { team: slug("mornings"), profile });
        let configure = agent::Command::Configure { facts, text_hash: [0; 16] };
        self.tell_agent(name, configure).await.unwrap();
        self.tell_agent(name, wish(Wish::Ready)).await.unwrap();
    }

    pub(crate) async fn arrives(&self, number: u128, queue: &str) {
        self.comes(number, queue).await.unwrap();
    }

    pub(crate) async fn comes(&self, number: u128, queue: &str) -> Result<(), Failure> {
        let arrival = Arrival {
            queue: QueueId::new(queue).unwrap(),
            priority: slug("normal"),
            credit: Credit::HeadStart(Span::ZERO),
            language: None,
            skills: None,
            levels: None,
            external_id: None,
            person: PersonId(Uuid::from_u128(number)),
            full: false,
        };
        self.tell_contact(number, contact::Command::Arrive(Box::new(arrival))).await
    }

    /// The offer of the contact that is out, once there is one.
    pub(crate) async fn offer(&self, number: u128) -> (OfferId, AgentId, Timestamp) {
        let what = format!("an offer of contact {number}");
        wait_for_async(&what, async || match self.contact(number).state {
            contact::State::Offered { offer, agent, expires_at, .. } => {
                Some((offer, agent, expires_at))
            }
            _ => None,
        })
        .await
    }

    /// Accepted by whom it is offered to, once it is.
    pub(crate) async fn accepted(&self, number: u128) -> AgentId {
        let (offer, agent, _) = self.offer(number).await;
        let accept = contact::Command::Accept { offer, agent: agent.clone() };
        self.tell_contact(number, accept).await.unwrap();
        agent
    }

    pub(crate) async fn completed(&self, number: u128, by: &AgentId) {
        self.tell_contact(number, complete(by)).await.unwrap();
    }

    pub(crate) fn contact(&self, number: u128) -> Contact {
        match &self.centre.slots.read(&contact(number)).state {
            State::Contact(contact) => contact.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn agent(&self, name: &str) -> Agent {
        match &self.centre.slots.read(&agent(name)).state {
            State::Agent(agent) => agent.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The agent as the roster shows them.
    pub(crate) fn shown(&self, name: &str) -> String {
        let (_, roster) = self.centre.roster(atalaya::views::Scope::All);
        roster["agents"][name]["state"].as_str().unwrap().to_owned()
    }

    pub(crate) fn alerts(&self) -> Vec<String> {
        let (_, board) = self.centre.wallboard(atalaya::views::Scope::All);
        let id = |alert: &Value| alert["id"].as_str().unwrap().to_owned();
        board["alerts"].as_array().unwrap().iter().map(id).collect()
    }

    /// `ENTITY NAME` of every event so far.
    pub(crate) fn events(&self) -> Vec<String> {
        let told = |recorded: &Recorded| format!("{} {}", recorded.entity, recorded.event.name());
        self.centre.events().unwrap().iter().map(|event| told(&event.recorded)).collect()
    }

    /// To whom each offer of the contact went.
    pub(crate) fn offers_of(&self, number: u128) -> Vec<String> {
        let id = contact(number);
        let events = self.centre.events().unwrap().into_iter().filter(|e| e.recorded.entity == id);
        let agent = |event: atalaya::journal::commit::Numbered| match event.recorded.event {
            atalaya_domain::Event::Contact(contact::Event::Offered { agent, .. }) => {
                Some(agent.to_string())
            }
            _ => None,
        };
        events.filter_map(agent).collect()
    }

    pub(crate) async fn is_quarantined(&self, id: &EntityId) {
        wait_for_async("quarantine", async || self.centre.slots.read(id).quarantined).await;
    }
}

fn options(
    commit: Box<dyn atalaya::journal::commit::Commit>,
    history: Vec<Sealed>,
    now: Timestamp,
) -> Options {
    let (arbiters, time_zone) = (vec![actix::Arbiter::current()], jiff::tz::TimeZone::UTC);
    Options { commit, history, arbiters, clock: Clock::new(now, 0.0), driver: None, time_zone }
}

pub(crate) fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

pub(crate) fn agent(name: &str) -> EntityId {
    EntityId::Agent(AgentId::new(name).unwrap())
}

pub(crate) fn agent_id(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

pub(crate) fn queue(name: &str) -> EntityId {
    EntityId::Queue(QueueId::new(name).unwrap())
}

pub(crate) fn contact(number: u128) -> EntityId {
    EntityId::Contact(ContactId(Uuid::from_u128(number)))
}

pub(crate) fn wish(wish: Wish) -> agent::Command {
    agent::Command::Presence { wish, after: false, start: 0 }
}

pub(crate) fn lunch() -> Wish {
    Wish::NotReady(slug("lunch"))
}

pub(crate) fn complete(by: &AgentId) -> contact::Command {
    contact::Command::Complete { by: Who::Agent(by.clone()) }
}
