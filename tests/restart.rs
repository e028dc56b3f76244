//! A centre that stops and starts on its log finds everything as it was, and nobody is ready merely
//! because it started.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use atalaya::actors::centre::{Asked, Centre, Options};
use atalaya::actors::clock::{Clock, wall_now};
use atalaya::actors::shell::Failure;
use atalaya::journal::commit::{Cause, Commit, CommitError, Memory, Past, Said, Sealed, Whose};
use atalaya::journal::recorder::Recorder;
use atalaya::views::Scope;
use atalaya_domain::agent::{self, Facts, Kind, Wish};
use atalaya_domain::contact::{self, Arrival, Who};
use atalaya_domain::decision::Rejection;
use atalaya_domain::ids::{AgentId, ContactId, EntityId, PersonId, QueueId, Slug};
use atalaya_domain::machine::{Command, State};
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::{self, OnReject, Rules};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Span, Written};
use uuid::Uuid;

fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

fn agent(name: &str) -> EntityId {
    EntityId::Agent(AgentId::new(name).unwrap())
}

fn contact(number: u128) -> EntityId {
    EntityId::Contact(ContactId(Uuid::from_u128(number)))
}

struct Running {
    centre: Arc<Centre>,
    writer: std::thread::JoinHandle<()>,
}

impl Running {
    async fn start(dir: &Path) -> Self {
        let mut history = Vec::new();
        let recorder = Recorder::open(dir, wall_now, &mut |sealed| history.push(sealed)).unwrap();
        let latest = history.last().map_or_else(wall_now, |sealed| sealed.now);
        let clock = Clock::new(latest.max(wall_now()), 1.0);
        let arbiters = vec![actix::Arbiter::current()];
        let commit = Box::new(recorder);
        let options = Options {
            commit,
            history,
            arbiters,
            clock,
            driver: None,
            time_zone: jiff::tz::TimeZone::UTC,
        };
        let (centre, writer) = Centre::start(options).unwrap();
        centre.announce_start().await.unwrap();
        Self { centre, writer }
    }

    /// Without a word to anybody, as a kill would, but for the thread that must let the folder go.
    fn stop(self) {
        self.centre.close();
        self.writer.join().unwrap();
    }

    /// Nothing on disk: entries go to `commit`.
    fn on(commit: Box<dyn Commit>) -> Self {
        let (history, time_zone) = (vec![], jiff::tz::TimeZone::UTC);
        let arbiters = vec![actix::Arbiter::current()];
        let clock = Clock::new(wall_now(), 1.0);
        let options = Options { commit, history, arbiters, clock, driver: None, time_zone };
        let (centre, writer) = Centre::start(options).unwrap();
        Self { centre, writer }
    }

    async fn tell(&self, to: EntityId, command: Command) -> Result<(), Failure> {
        self.centre.tell(Asked::by_system(to, command)).await.map(|_| ())
    }

    async fn arrive(&self, number: u128) {
        let arrival = Arrival {
            queue: QueueId::new("pensions").unwrap(),
            priority: slug("normal"),
            credit: Credit::HeadStart(Span::ZERO),
            language: None,
            skills: None,
            levels: None,
            external_id: None,
            person: PersonId(Uuid::from_u128(number)),
            full: false,
        };
        let command = contact::Command::Arrive(Box::new(arrival));
        self.tell(contact(number), Command::Contact(command)).await.unwrap();
    }

    fn contact(&self, number: u128) -> contact::Contact {
        match &self.centre.slots.read(&contact(number)).state {
            State::Contact(contact) => contact.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn states(&self) -> BTreeMap<EntityId, State> {
        let read = |id: EntityId| (id.clone(), self.centre.slots.read(&id).state.clone());
        self.centre.slots.ids().into_iter().map(read).collect()
    }
}

fn facts(team: &str) -> Arc<Facts> {
    let profile = Profile { level: 1, voice: 1, ..Profile::default() };
    Arc::new(Facts { team: slug(team), profile })
}

async fn furnish(running: &Running) {
    let rules = Rules {
        name: "Pensions".into(),
        short_name: "Pensions".into(),
        requirement: Requirement::default(),
        service_level: None,
        max_waiting: None,
        wrap_up: None,
        offer_timeout: Written::from(Span::seconds(20)),
        on_reject: OnReject::NotReady,
        max_misses: 1,
        short_abandon: Written::from(Span::seconds(5)),
        thresholds: atalaya_domain::queue::Thresholds::default(),
    };
    let rules = queue::Command::Configure { rules: Box::new(rules), text_hash: [0; 16] };
    let queue = EntityId::Queue(QueueId::new("pensions").unwrap());
    running.tell(queue, Command::Queue(rules)).await.unwrap();
    for name in ["ana", "luis"] {
        let configure = agent::Command::Configure { facts: facts("morning"), text_hash: [0; 16] };
        running.tell(agent(name), Command::Agent(configure)).await.unwrap();
    }
    let ready = agent::Command::Presence { wish: Wish::Ready, after: false, start: 1 };
    running.tell(agent("ana"), Command::Agent(ready)).await.unwrap();
    let lunch = Wish::NotReady(slug("lunch"));
    let lunch = agent::Command::Presence { wish: lunch, after: false, start: 1 };
    running.tell(agent("luis"), Command::Agent(lunch)).await.unwrap();
}

/// A log that has no room for the first offer.
#[derive(Default)]
struct Full(Memory, bool);

impl Commit for Full {
    fn past(&self) -> Arc<dyn Past> {
        self.0.past()
    }

    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError> {
        let mut events = batch.iter().flat_map(|sealed| &sealed.events);
        if !self.1 && events.any(|event| event.recorded.event.name() == "offered") {
            self.1 = true;
            return Err(CommitError::Refused("full".into()));
        }
        self.0.commit(batch)
    }
}

#[actix::test]
async fn an_offer_that_found_no_room_is_made_again_though_nothing_else_happens() {
    let running = Running::on(Box::new(Full::default()));
    furnish(&running).await;
    running.arrive(1).await;
    support::wait_for_async("the offer", async || {
        matches!(running.contact(1).state, contact::State::Offered { .. }).then_some(())
    })
    .await;
    running.stop();
}

fn presence(states: &BTreeMap<EntityId, State>, name: &str) -> (Kind, Kind) {
    match &states[&agent(name)] {
        State::Agent(agent) => (agent.presence().state, agent.presence_when_heard().state),
        other => panic!("{other:?}"),
    }
}

#[actix::test]
async fn s56_cold_restart_of_the_core() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    furnish(&running).await;
    running.arrive(1).await;
    let offered = loop {
        if let contact::State::Offered { offer, .. } = running.contact(1).state {
            break offer;
        }
        tokio::task::yield_now().await;
    };
    let ana = AgentId::new("ana").unwrap();
    let luis = AgentId::new("luis").unwrap();
    let wrong = contact::Command::Accept { offer: offered, agent: luis };
    let refused = running.tell(contact(1), Command::Contact(wrong)).await.unwrap_err();
    assert!(matches!(refused, Failure::Rejected(Rejection::NotYours { .. })), "S52: {refused}");
    let accept = contact::Command::Accept { offer: offered, agent: ana.clone() };
    running.tell(contact(1), Command::Contact(accept)).await.unwrap();
    running.arrive(2).await;
    let why =
        Said { of: Whose::Agent(ana.clone()), field: "name".into(), text: "Ana García".into() };
    let renamed = agent::Command::Configure { facts: facts("evening"), text_hash: [1; 16] };
    let cause = Cause { said: vec![why.clone()], ..Cause::system() };
    running.centre.tell(Asked::new(agent("ana"), Command::Agent(renamed), cause)).await.unwrap();
    let (before, seq) = (running.states(), running.centre.last_seq());
    running.stop();

    let running = Running::start(dir.path()).await;
    let after = running.states();
    for (id, state) in &before {
        match (id, state, &after[id]) {
            (EntityId::Agent(_) | EntityId::System, ..) => (),
            (_, before, after) => assert_eq!(before, after, "{id}"),
        }
    }
    assert_eq!(presence(&after, "ana"), (Kind::Lost, Kind::Busy), "nobody is heard by a start");
    assert_eq!(presence(&after, "luis"), (Kind::Lost, Kind::NotReady));
    assert!(running.centre.last_seq() > seq, "the start is in the log, behind what was there");
    assert_eq!(running.centre.said(&why.of, "name"), Some(why.text), "personal data come back");
    let board = running.centre.board().data(Scope::All);
    assert_eq!(board["agents"]["ana"]["name"], "Ana García");
    let complete = contact::Command::Complete { by: Who::Agent(ana) };
    running.tell(contact(1), Command::Contact(complete)).await.unwrap();
    let heard = agent::Command::Heard { start: 2 };
    running.tell(agent("ana"), Command::Agent(heard)).await.unwrap();
    assert_eq!(presence(&running.states(), "ana"), (Kind::WrapUp, Kind::WrapUp));
    assert_eq!(running.contact(2).state, contact::State::Queued, "who waited still waits");
    running.stop();
}
