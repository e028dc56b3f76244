//! The pure loop: a scenario through `compose`, with no actor, log or thread.
//!
//! It is the reference for the server in lockstep, which must give the same events, and the core
//! of the simulator to come. One thing at a time: the least of what is due, then everybody who can
//! be matched. A scenario's people are a [`Driver`]; others may take their place ([`play`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya_domain::agent::{self, Facts};
use atalaya_domain::contact::{self, Contact};
use atalaya_domain::decision::Rejection;
use atalaya_domain::entry::{Recorded, compose};
use atalaya_domain::ids::{AgentId, ContactId, EntityId, OfferId, Slug};
use atalaya_domain::machine::{Command, Event, State};
use atalaya_domain::matching::Intake;
use atalaya_domain::time::{Now, Timestamp};
use atalaya_domain::{queue, system};

use super::driver::{Driver, Due, Place};
use super::ids::Ids;
use super::order::{Deadline, Order, deadline_first};
use super::scenario::Scenario;

/// Most entries of one run; past it the scenario is refused as one that does not end.
pub const ENTRIES_MAX: usize = 20_000_000;

/// The centre at the end of a run, and how it got there.
#[derive(Debug)]
pub struct Run {
    /// Every event, in order.
    pub events: Vec<Recorded>,
    /// Every state.
    pub states: BTreeMap<EntityId, State>,
}

/// How a run failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// States that do not fit together: a broken invariant of the domain.
    #[error("failed to run the scenario: {0} at {1:?}")]
    Unfit(Rejection, Timestamp),
    /// See [`ENTRIES_MAX`].
    #[error("failed to run the scenario: more than {ENTRIES_MAX} entries")]
    Endless,
}

/// Those who do something, each at its place among all that is due.
pub trait People {
    /// Where the next command stands.
    fn next(&self) -> Option<&Place>;
    /// The name by which a contact takes its turn.
    fn name_of(&self, id: ContactId) -> Option<&str>;
    /// Takes the next command; `None` in `Some` place: it turned out void.
    fn take(
        &mut self,
        look: &dyn Fn(&EntityId) -> State,
        ids: &mut Ids,
    ) -> Option<(Place, Option<Due>)>;
    /// Hears what was committed.
    fn hear(&mut self, events: &[Recorded]);
    /// Hears that a command was refused.
    fn refused(&mut self, due: &Due);
}

impl People for Driver {
    fn next(&self) -> Option<&Place> {
        Self::next(self)
    }

    fn name_of(&self, id: ContactId) -> Option<&str> {
        Self::name_of(self, id)
    }

    fn take(
        &mut self,
        look: &dyn Fn(&EntityId) -> State,
        ids: &mut Ids,
    ) -> Option<(Place, Option<Due>)> {
        Self::take(self, look, ids)
    }

    fn hear(&mut self, events: &[Recorded]) {
        Self::hear(self, events);
    }

    fn refused(&mut self, _due: &Due) {}
}

/// What hears each entry: to whom the command went, the command, when, and its events.
pub type Hears<'a> = &'a mut dyn FnMut(&EntityId, &Command, Timestamp, &[Recorded]);

struct World<'a, P> {
    run: Run,
    intake: Intake,
    deadlines: BTreeSet<Deadline>,
    armed: BTreeMap<ContactId, Deadline>,
    ids: Ids,
    people: P,
    entries: usize,
    order: Order,
    until: Timestamp,
    hears: Hears<'a>,
}

/// Runs `scenario` to its end: nothing is due any more.
pub fn run(scenario: &Scenario) -> Result<Run, RunError> {
    run_in_order(scenario, Order::default())
}

/// The same, where one instant has another order.
pub fn run_in_order(scenario: &Scenario, order: Order) -> Result<Run, RunError> {
    let driver = Driver::in_order(scenario, order);
    let mut hears = |_: &EntityId, _: &Command, _, _: &[Recorded]| ();
    let mut world = World::new(driver, order, Timestamp(i64::MAX), &mut hears);
    world.run_all(setup(scenario), scenario.start)?;
    Ok(world.run)
}

/// Lets `people` live in a centre that `setup` makes, from `start` to before `until`; gives them
/// back as they are then, and every entry to `hears`.
pub fn play<P: People>(
    people: P,
    setup: Vec<(EntityId, Command)>,
    start: Timestamp,
    until: Timestamp,
    hears: Hears<'_>,
) -> Result<P, RunError> {
    let mut world = World::new(people, Order::default(), until, hears);
    world.run_all(setup, start)?;
    Ok(world.people)
}

/// What makes the scenario's centre, before anybody comes.
pub fn setup(scenario: &Scenario) -> Vec<(EntityId, Command)> {
    let start = system::Command::Start { rate: 0.0, agents: vec![] };
    let mut all = vec![(EntityId::System, Command::System(start))];
    for (id, rules) in &scenario.queues {
        let rules = Box::new(rules.clone());
        let command = queue::Command::Configure { rules, text_hash: [0; 16] };
        all.push((EntityId::Queue(id.clone()), Command::Queue(command)));
    }
    for agent in &scenario.agents {
        let team = Slug::new("all").ok();
        let facts = team.map(|team| Facts { team, profile: agent.profile.clone() });
        if let Some(facts) = facts {
            let command = agent::Command::Configure { facts: Arc::new(facts), text_hash: [0; 16] };
            all.push((EntityId::Agent(agent.id.clone()), Command::Agent(command)));
        }
    }
    all
}

impl<'a, P: People> World<'a, P> {
    fn new(people: P, order: Order, until: Timestamp, hears: Hears<'a>) -> Self {
        Self {
            run: Run { events: Vec::new(), states: BTreeMap::new() },
            intake: Intake::default(),
            deadlines: BTreeSet::new(),
            armed: BTreeMap::new(),
            ids: Ids::default(),
            people,
            entries: 0,
            order,
            until,
            hears,
        }
    }

    fn run_all(
        &mut self,
        setup: Vec<(EntityId, Command)>,
        start: Timestamp,
    ) -> Result<(), RunError> {
        for (to, command) in setup {
            self.tell(Now::live(start), &to, &command)?;
        }
        while let Some(now) = self.step()? {
            self.match_all(now)?;
        }
        Ok(())
    }

    /// Carries out the least of what is due; `None`: nothing is.
    fn step(&mut self) -> Result<Option<Now>, RunError> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(RunError::Endless);
        }
        let planned = self.people.next().map(|place| place.0);
        let first = self.deadlines.first().map(|due| due.0).into_iter().chain(planned).min();
        if first.is_none_or(|first| self.until <= first) {
            return Ok(None);
        }
        let due = self.deadlines.first();
        if let Some((at, place, _, contact)) =
            due.filter(|due| deadline_first(Some(due), self.people.next()))
        {
            let (now, contact) = (Now { at: *at, phase: self.order.place(*place) }, *contact);
            let tick = Command::Contact(contact::Command::Tick);
            self.tell(now, &EntityId::Contact(contact), &tick)?;
            return Ok(Some(now));
        }
        let states = &self.run.states;
        let look = |id: &EntityId| read(states, id);
        let Some((place, due)) = self.people.take(&look, &mut self.ids) else { return Ok(None) };
        let now = Now { at: place.0, phase: self.order.decided_at(place.1) };
        if let Some(mut due) = due {
            due.command = self.admitted(due.command);
            if !self.tell(now, &due.to, &due.command)? {
                self.people.refused(&due);
            }
        }
        Ok(Some(now))
    }

    /// Admission's verdict goes with an arrival.
    fn admitted(&self, mut command: Command) -> Command {
        if let Command::Contact(contact::Command::Arrive(arrival)) = &mut command {
            let queue = EntityId::Queue(arrival.queue.clone());
            if let Some(State::Queue(state)) = self.run.states.get(&queue)
                && let Some(most) = state.rules.as_ref().and_then(|rules| rules.max_waiting)
            {
                let waiting = self.intake.waiting_in(&arrival.queue);
                arrival.full = waiting >= usize::try_from(most).unwrap_or(usize::MAX);
            }
        }
        command
    }

    fn match_all(&mut self, now: Now) -> Result<(), RunError> {
        loop {
            if let Some(contact) = self.intake.next_refusal() {
                let Ok(reason) = Slug::new("emergency") else { return Ok(()) };
                let refuse = Command::Contact(contact::Command::Refuse { reason });
                self.tell(now, &EntityId::Contact(contact), &refuse)?;
            } else if let Some(pair) = self.intake.next_pair() {
                let offer = OfferId(self.ids.make(now.at));
                let (agent, choice) = (pair.agent.clone(), pair.choice);
                let command = Command::Contact(contact::Command::Offer { offer, agent, choice });
                if !self.tell(now, &EntityId::Contact(pair.contact), &command)? {
                    self.intake.land(pair.contact, &pair.agent, true);
                }
            } else {
                return Ok(());
            }
        }
    }

    /// Commits one command; says whether it was taken.
    fn tell(&mut self, now: Now, to: &EntityId, command: &Command) -> Result<bool, RunError> {
        let states = &self.run.states;
        let entry = compose(&|id| read(states, id), now, to, command);
        let taken = entry.verdict.is_ok();
        if let Err(unfit @ Rejection::Unfit { .. }) = entry.verdict {
            return Err(RunError::Unfit(unfit, now.at));
        }
        for recorded in &entry.events {
            let id = &recorded.entity;
            let state = self.run.states.entry(id.clone()).or_insert_with(|| State::blank(id));
            state.apply(recorded.at, &recorded.event);
        }
        let first = self.run.events.len() as u64 + 1;
        for (seq, recorded) in (first..).zip(&entry.events) {
            self.take_in(seq, recorded);
        }
        (self.hears)(to, command, entry.now, &entry.events);
        self.people.hear(&entry.events);
        self.run.events.extend(entry.events);
        Ok(taken)
    }

    fn take_in(&mut self, seq: u64, recorded: &Recorded) {
        match (&recorded.entity, self.run.states.get(&recorded.entity)) {
            (EntityId::Agent(id), Some(State::Agent(agent))) => self.intake.agent(id, agent),
            (EntityId::Queue(id), Some(State::Queue(queue))) => self.intake.queue(id, queue),
            (EntityId::Contact(id), Some(State::Contact(contact))) => {
                self.intake.contact(*id, contact, seq);
                if let Some(armed) = self.armed.remove(id) {
                    self.deadlines.remove(&armed);
                }
                if let Some((at, phase)) = contact.deadline() {
                    let name = self.people.name_of(*id).unwrap_or_default().to_owned();
                    let armed = (at, self.order.place(phase), name, *id);
                    self.deadlines.insert(armed.clone());
                    self.armed.insert(*id, armed);
                }
            }
            _ => (),
        }
    }
}

fn read(states: &BTreeMap<EntityId, State>, id: &EntityId) -> State {
    states.get(id).cloned().unwrap_or_else(|| State::blank(id))
}

/// One row a contact, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The scenario's name for it.
    pub contact: String,
    /// `answered`, `abandoned`, `refused` or `waiting`.
    pub outcome: &'static str,
    /// To the first answer, abandoning or refusal.
    pub wait_us: Option<i64>,
    /// Only if answered.
    pub agent: Option<AgentId>,
}

/// What became of a contact.
pub fn row(contact: &Contact) -> Row {
    let entered = contact.entered.as_ref();
    let outcome = match (&contact.answered_at, &contact.state) {
        (Some(_), _) => "answered",
        (None, contact::State::Abandoned) => "abandoned",
        (None, contact::State::Refused { .. }) => "refused",
        (None, _) => "waiting",
    };
    let until = contact.answered_at.or(contact.ended_at);
    Row {
        contact: entered.and_then(|e| e.external_id.clone()).unwrap_or_default(),
        outcome,
        wait_us: until.map(|until| until.since(contact.arrived_at).0),
        agent: contact.answered_at.and_then(|_| contact.agent().cloned()),
    }
}

impl Run {
    /// What became of every contact, by the scenario's name.
    pub fn rows(&self) -> Vec<Row> {
        let contacts = self.states.values().filter_map(|state| match state {
            State::Contact(contact) => Some(row(contact)),
            State::Agent(_) | State::Queue(_) | State::Credential(_) | State::System(_) => None,
        });
        contacts.collect()
    }

    /// How many events have this name.
    pub fn count(&self, name: &str) -> usize {
        self.events.iter().filter(|recorded| Event::name(&recorded.event) == name).count()
    }
}
