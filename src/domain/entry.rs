//! `compose`: one command and all that stands or falls with it become one entry of the log.
//!
//! The leader and everyone it draws in are decided on working copies; what comes out carries the
//! version of all that was touched or only read, so that the writer can refuse it when one of them
//! has moved on. Nothing else calls `decide`.

use std::collections::BTreeMap;

use crate::decision::{Act, Decision, Rejection};
use crate::ids::EntityId;
use crate::machine::{Command, Event, State};
use crate::quarantine::{self, Seen, Standing};
use crate::time::{Now, Phase, Timestamp};
use crate::{agent, contact};

/// Most commands that one entry may carry out, the leader's included: past it the entry is unfit.
pub const COMMANDS_PER_ENTRY_MAX: usize = 20_000;

/// One event, as it will be in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Whose it is.
    pub entity: EntityId,
    /// The entity's version once it is applied, from 1.
    pub version: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What one command commits.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who led it.
    pub leader: EntityId,
    /// The centre's instant at which it was decided.
    pub now: Timestamp,
    /// In order.
    pub events: Vec<Recorded>,
    /// The version that each touched or read entity had: what the writer checks.
    pub versions: BTreeMap<EntityId, u64>,
    /// The leader's answer; lapses stand even when it is a refusal.
    pub verdict: Result<(), Rejection>,
}

impl Entry {
    /// Whether the states that it was composed on do not fit together. It has no events and goes to
    /// the writer to be told which versions are current.
    pub const fn is_unfit(&self) -> bool {
        matches!(self.verdict, Err(Rejection::Unfit { .. }))
    }

    /// Whether `entity` has an event in it.
    pub fn touches(&self, entity: &EntityId) -> bool {
        self.events.iter().any(|recorded| recorded.entity == *entity)
    }
}

/// Decides `command` for `to` at `now`, on states that `read` gives; a plain state is in service.
pub fn compose<S: Into<Seen>>(
    read: &dyn Fn(&EntityId) -> S,
    now: Now,
    to: &EntityId,
    command: &Command,
) -> Entry {
    let mut desk = Desk {
        read: &|id| read(id).into(),
        now,
        copies: BTreeMap::new(),
        events: Vec::new(),
        left: COMMANDS_PER_ENTRY_MAX,
    };
    let verdict = desk.lead(to, command);
    if matches!(verdict, Err(Rejection::Unfit { .. })) {
        desk.events.clear();
    }
    desk.tell_presence();
    // A frozen state never changes, and its version is not the log's.
    let relied_on = desk.copies.iter().filter(|(_, copy)| copy.standing != Standing::Frozen);
    let versions = relied_on.map(|(id, copy)| (id.clone(), copy.before.version()));
    Entry {
        leader: to.clone(),
        now: now.at,
        versions: versions.collect(),
        events: desk.events,
        verdict,
    }
}

#[derive(Clone)]
struct Copy {
    before: State,
    state: State,
    standing: Standing,
}

/// The working copies of one composition.
struct Desk<'a> {
    read: &'a dyn Fn(&EntityId) -> Seen,
    now: Now,
    copies: BTreeMap<EntityId, Copy>,
    events: Vec<Recorded>,
    left: usize,
}

impl Desk<'_> {
    fn copy(&mut self, id: &EntityId) -> &mut Copy {
        let read = self.read;
        self.copies.entry(id.clone()).or_insert_with(|| {
            let Seen { state, standing } = read(id);
            Copy { before: state.clone(), state, standing }
        })
    }

    /// What had fallen due stands; the command stands or falls with all that it asks of others.
    fn lead(&mut self, to: &EntityId, command: &Command) -> Result<(), Rejection> {
        let standing = self.copy(to).standing;
        if standing != Standing::InService && !quarantine::gives_back(command) {
            return Err(Rejection::Quarantined { entity: to.clone() });
        }
        if standing == Standing::Frozen {
            return self.end_frozen(to, command);
        }
        self.settle_work_of(to)?;
        let Decision { lapses, act } = self.decide(to, command);
        for lapse in lapses {
            self.carry_out(to, lapse).map_err(fault)?;
        }
        let act = act?;
        let (copies, events) = (self.copies.clone(), self.events.len());
        let done = self.carry_out(to, act);
        if done.is_err() {
            // What was read still counts: its version is why the answer is no.
            let read = std::mem::replace(&mut self.copies, copies);
            for (id, Copy { before, standing, .. }) in read {
                let state = before.clone();
                self.copies.entry(id).or_insert(Copy { before, state, standing });
            }
            self.events.truncate(events);
        }
        done
    }

    /// A frozen contact cannot say what becomes of it; who has it is freed all the same.
    fn end_frozen(&mut self, to: &EntityId, command: &Command) -> Result<(), Rejection> {
        let refused = || Rejection::Quarantined { entity: to.clone() };
        let (EntityId::Contact(id), State::Contact(contact), Command::Contact(asked)) =
            (to, &self.copy(to).state, command)
        else {
            return Err(refused());
        };
        let holder = contact.agent().cloned().ok_or_else(refused)?;
        if let Some(agent) = quarantine::by_agent(asked).filter(|agent| **agent != holder) {
            return Err(Rejection::NotYours { command: asked.name(), agent: agent.clone() });
        }
        let holder = EntityId::Agent(holder);
        let State::Agent(agent) = &self.copy(&holder).state else { return Err(refused()) };
        let work = agent.work.get(id).ok_or_else(refused)?;
        let with = vec![(holder, Command::Agent(quarantine::freed(*id, work)))];
        self.carry_out(to, Act { at: self.now.at, events: vec![], with })
    }

    /// An agent leads on states in which what its contacts had due has lapsed.
    fn settle_work_of(&mut self, to: &EntityId) -> Result<(), Rejection> {
        let State::Agent(agent) = &self.copy(to).state else { return Ok(()) };
        let contacts: Vec<_> = agent.work.keys().map(|id| EntityId::Contact(*id)).collect();
        for contact in &contacts {
            self.copy(contact);
        }
        while let Some((at, phase, contact)) = self.first_due(&contacts) {
            let tick = Command::Contact(contact::Command::Tick);
            let lapses = self.decide_at(&contact, Now { at, phase }, &tick).lapses;
            if lapses.is_empty() {
                break; // Not in any life; a deadline that does not lapse must not hold the lane.
            }
            for lapse in lapses {
                self.carry_out(&contact, lapse).map_err(fault)?;
            }
        }
        Ok(())
    }

    /// The first deadline of `contacts` that has passed; each lapse takes one away.
    fn first_due(&self, contacts: &[EntityId]) -> Option<(Timestamp, Phase, EntityId)> {
        let due = |id: &EntityId| {
            let copy = self.copies.get(id).filter(|copy| copy.standing != Standing::Frozen)?;
            let (at, phase) = copy.state.deadline()?;
            ((at, phase) <= (self.now.at, self.now.phase)).then(|| (at, phase, id.clone()))
        };
        contacts.iter().filter_map(due).min()
    }

    fn carry_out(&mut self, id: &EntityId, act: Act) -> Result<(), Rejection> {
        for event in act.events {
            self.record(id, act.at, event);
        }
        for (other, command) in act.with {
            self.left = self.left.checked_sub(1).ok_or(Rejection::Unfit { what: "too much" })?;
            let standing = self.copy(&other).standing;
            if standing != Standing::InService && quarantine::takes(&command) {
                return Err(Rejection::Quarantined { entity: other });
            }
            if standing == Standing::Frozen {
                continue; // It is let go: nothing that it has of others outlives this entry.
            }
            let now = Now { at: act.at, phase: self.now.phase };
            let Decision { lapses, act: answer } = self.decide_at(&other, now, &command);
            if !lapses.is_empty() {
                return Err(Rejection::Unfit { what: "a deadline of another had passed" });
            }
            self.carry_out(&other, answer?)?;
        }
        Ok(())
    }

    fn record(&mut self, id: &EntityId, at: Timestamp, event: Event) {
        let copy = self.copy(id);
        copy.state.apply(at, &event);
        let version = copy.state.version();
        self.events.push(Recorded { entity: id.clone(), version, at, event });
    }

    fn decide(&mut self, id: &EntityId, command: &Command) -> Decision {
        self.decide_at(id, self.now, command)
    }

    /// Decides at `now`, which is earlier than the entry's when a lapse draws others in.
    fn decide_at(&mut self, id: &EntityId, now: Now, command: &Command) -> Decision {
        let queue = match (id, command) {
            (EntityId::Contact(_), Command::Contact(contact::Command::Arrive(arrival))) => {
                let queue = EntityId::Queue(arrival.queue.clone());
                Some(self.copy(&queue).state.clone())
            }
            _ => None,
        };
        let state = &self.copy(id).state;
        match (id, state, command) {
            (EntityId::Agent(id), State::Agent(agent), Command::Agent(command)) => {
                agent.decide(id, now, command)
            }
            (EntityId::Contact(id), State::Contact(contact), Command::Contact(command)) => {
                let queue = match &queue {
                    Some(State::Queue(queue)) => Some(queue),
                    _ => None,
                };
                contact.decide(*id, queue, now, command)
            }
            (EntityId::Queue(_), State::Queue(queue), Command::Queue(command)) => {
                queue.decide(now, command)
            }
            (
                EntityId::Token(_) | EntityId::Session(_),
                State::Credential(credential),
                Command::Credential(command),
            ) => credential.decide(now, command),
            (EntityId::System, State::System(system), Command::System(command)) => {
                system.decide(now, command)
            }
            _ => Decision::of(Err(Rejection::Unfit { what: "a command of another machine" })),
        }
    }

    /// Last of its agent: presence or reason left other than before.
    fn tell_presence(&mut self) {
        let changed: Vec<_> =
            self.copies.iter().filter_map(|(id, copy)| changed(id, copy)).collect();
        for (id, event) in changed {
            let told = |recorded: &&Recorded| recorded.entity == id;
            let last = self.events.iter().rfind(told);
            let Some(at) = last.map(|recorded| recorded.at) else { continue };
            if last.is_some_and(|recorded| recorded.event == event) {
                continue;
            }
            self.record(&id, at, event);
        }
    }
}

fn changed(id: &EntityId, copy: &Copy) -> Option<(EntityId, Event)> {
    let (State::Agent(before), State::Agent(after)) = (&copy.before, &copy.state) else {
        return None;
    };
    let (before, after) = (before.presence(), after.presence());
    let same = before.state == after.state && before.reason == after.reason;
    let (state, reason, since) = (after.state, after.reason, after.since);
    let event = Event::Agent(agent::Event::PresenceChanged { state, reason, since });
    (!same).then(|| (id.clone(), event))
}

/// A lapse that others refuse means that the states read are of different instants.
fn fault(_refused: Rejection) -> Rejection {
    Rejection::Unfit { what: "a lapse that another does not know of" }
}
