//! The people of a scenario: who arrives, answers, talks, leaves and acts, and when.
//!
//! A driver announces commands with their place in the order of instants and hears what was
//! committed; whoever runs it (the pure loop, the server in lockstep) carries them out. It holds
//! no state of the centre: it looks at the published one when a command is taken.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::agent::{self, Wish, Work};
use atalaya_domain::contact::{self, Arrival, Who};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, ContactId, EntityId, OfferId, PersonId, Slug};
use atalaya_domain::machine::{Command, Event, State};
use atalaya_domain::priority::{Credit, Priorities};
use atalaya_domain::queue;
use atalaya_domain::time::{Phase, Span, Timestamp};

use super::ids::Ids;
use super::order::Order;
use super::scenario::{Action, ActionKind, Does, QueueDoes, Scenario, ScenarioContact};

/// A desktop that is silent for so long makes its agent lost.
pub const LEASE: Span = Span::seconds(15);

/// Place of a command among all: instant, phase, id, then the order in which it was announced.
pub type Place = (Timestamp, Phase, String, u64);

/// A command that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its place.
    pub place: Place,
    /// To whom.
    pub to: EntityId,
    /// What.
    pub command: Command,
}

#[derive(Debug, Clone)]
enum Todo {
    Arrive(usize),
    Leave(ContactId),
    Accept(ContactId, OfferId, AgentId),
    EndService(ContactId, AgentId),
    ShiftStart(AgentId),
    ShiftEnd(AgentId),
    Lease(AgentId),
    Act(usize),
}

/// See the module.
#[derive(Debug)]
pub struct Driver {
    contacts: Vec<ScenarioContact>,
    actions: Vec<Action>,
    priorities: Priorities,
    delays: BTreeMap<AgentId, Span>,
    manual: BTreeSet<AgentId>,
    silent: BTreeMap<AgentId, Timestamp>,
    owed: BTreeMap<AgentId, (ContactId, OfferId)>,
    ids: BTreeMap<String, ContactId>,
    numbers: BTreeMap<ContactId, usize>,
    plan: BTreeMap<Place, Todo>,
    announced: u64,
    order: Order,
}

impl Driver {
    /// A driver at the start of `scenario`.
    pub fn new(scenario: &Scenario) -> Self {
        Self::in_order(scenario, Order::default())
    }

    /// The same, where one instant has another order.
    pub fn in_order(scenario: &Scenario, order: Order) -> Self {
        let manual = scenario.agents.iter().filter(|agent| agent.manual);
        let mut driver = Self {
            contacts: scenario.contacts.clone(),
            actions: scenario.actions.clone(),
            priorities: scenario.priorities.clone(),
            delays: scenario.agents.iter().map(|a| (a.id.clone(), a.answer_delay)).collect(),
            manual: manual.map(|agent| agent.id.clone()).collect(),
            silent: BTreeMap::new(),
            owed: BTreeMap::new(),
            ids: BTreeMap::new(),
            numbers: BTreeMap::new(),
            plan: BTreeMap::new(),
            announced: 0,
            order,
        };
        for agent in &scenario.agents {
            let (id, name) = (agent.id.clone(), agent.id.to_string());
            let from = agent.shift.map_or(scenario.start, |shift| shift.0);
            driver.announce(from, Phase::ShiftStart, name.clone(), Todo::ShiftStart(id.clone()));
            if let Some((_, to)) = agent.shift {
                driver.announce(to, Phase::ShiftEnd, name, Todo::ShiftEnd(id));
            }
        }
        for index in 0..driver.actions.len() {
            let at = driver.actions[index].at;
            driver.announce(at, Phase::Action, String::new(), Todo::Act(index));
        }
        for index in 0..driver.contacts.len() {
            let at = driver.contacts[index].at;
            driver.announce(at, Phase::Arrival, String::new(), Todo::Arrive(index));
        }
        driver
    }

    fn announce(&mut self, at: Timestamp, phase: Phase, id: String, todo: Todo) {
        self.announced += 1;
        self.plan.insert((at, self.order.place(phase), id, self.announced), todo);
    }

    /// Where the next command stands.
    pub fn next(&self) -> Option<&Place> {
        self.plan.first_key_value().map(|(place, _)| place)
    }

    /// The name by which a contact takes its turn.
    pub fn name_of(&self, id: ContactId) -> Option<&str> {
        self.numbers.get(&id).map(|number| self.contacts[*number].id.as_str())
    }

    /// Takes the next command; `None` in `Some` place: it turned out void.
    pub fn take(
        &mut self,
        look: &dyn Fn(&EntityId) -> State,
        ids: &mut Ids,
    ) -> Option<(Place, Option<Due>)> {
        let (place, todo) = self.plan.pop_first()?;
        let command = self.command(&place, todo, look, ids);
        let due = command.map(|(to, command)| Due { place: place.clone(), to, command });
        Some((place, due))
    }

    fn command(
        &mut self,
        place: &Place,
        todo: Todo,
        look: &dyn Fn(&EntityId) -> State,
        ids: &mut Ids,
    ) -> Option<(EntityId, Command)> {
        let to_contact =
            |id: ContactId, command| Some((EntityId::Contact(id), Command::Contact(command)));
        let presence = |id: AgentId, wish, after| {
            let command = agent::Command::Presence { wish, after, start: 0 };
            Some((EntityId::Agent(id), Command::Agent(command)))
        };
        match todo {
            Todo::Arrive(index) => self.arrive(place.0, index, ids),
            Todo::Leave(id) => match look(&EntityId::Contact(id)) {
                State::Contact(contact) if contact.is_waiting() => {
                    to_contact(id, contact::Command::Abandon)
                }
                _ => None,
            },
            Todo::Accept(id, offer, agent) => {
                if self.silent.contains_key(&agent) {
                    self.owed.insert(agent, (id, offer));
                    return None;
                }
                to_contact(id, contact::Command::Accept { offer, agent })
            }
            Todo::EndService(id, agent) => {
                to_contact(id, contact::Command::Complete { by: Who::Agent(agent) })
            }
            Todo::ShiftStart(id) => presence(id, Wish::Ready, false),
            Todo::ShiftEnd(id) => {
                self.silent.remove(&id);
                presence(id, Wish::SignedOut, true)
            }
            Todo::Lease(id) => {
                let over = self.silent.get(&id).is_some_and(|since| since.plus(LEASE) == place.0);
                over.then_some((EntityId::Agent(id), Command::Agent(agent::Command::Lost)))
            }
            Todo::Act(index) => self.act(place.0, index, look),
        }
    }

    fn arrive(
        &mut self,
        at: Timestamp,
        index: usize,
        ids: &mut Ids,
    ) -> Option<(EntityId, Command)> {
        let contact = self.contacts[index].clone();
        let id = ContactId(ids.make(at));
        self.ids.insert(contact.id.clone(), id);
        self.numbers.insert(id, index);
        let patience = contact.patience.map(|patience| at.plus(patience));
        for leaves in patience.into_iter().chain(contact.hangs_up_at) {
            self.announce(leaves, Phase::Patience, contact.id.clone(), Todo::Leave(id));
        }
        let arrival = Arrival {
            credit: self.credit(&contact.priority)?,
            queue: contact.queue,
            priority: contact.priority,
            language: contact.language,
            skills: contact.requires,
            levels: None,
            external_id: Some(contact.id),
            person: PersonId(ids.make(at)),
            full: false,
        };
        let command = contact::Command::Arrive(Box::new(arrival));
        Some((EntityId::Contact(id), Command::Contact(command)))
    }

    fn credit(&self, priority: &Slug) -> Option<Credit> {
        self.priorities.0.get(priority).copied()
    }

    fn act(
        &mut self,
        at: Timestamp,
        index: usize,
        look: &dyn Fn(&EntityId) -> State,
    ) -> Option<(EntityId, Command)> {
        match self.actions[index].what.clone() {
            ActionKind::Queue(id, does) => {
                let command = match does {
                    QueueDoes::Open => queue::Command::Open { reason: None },
                    QueueDoes::Close { emergency } => {
                        queue::Command::Close { emergency, reason: None }
                    }
                };
                Some((EntityId::Queue(id), Command::Queue(command)))
            }
            ActionKind::Priority(contact, priority) => {
                let credit = self.credit(&priority)?;
                let id = *self.ids.get(&contact)?;
                let command = contact::Command::Reprioritise { priority, credit };
                Some((EntityId::Contact(id), Command::Contact(command)))
            }
            ActionKind::Agent(id, does) => {
                let State::Agent(state) = look(&EntityId::Agent(id.clone())) else { return None };
                self.agent_does(at, id, &does, &state)
            }
        }
    }

    fn agent_does(
        &mut self,
        at: Timestamp,
        id: AgentId,
        does: &Does,
        state: &agent::Agent,
    ) -> Option<(EntityId, Command)> {
        let here = state.signed_in.is_some();
        if self.silent.contains_key(&id) && !matches!(does, Does::Reconnect) {
            return None;
        }
        let presence = |wish| {
            let command = agent::Command::Presence { wish, after: false, start: 0 };
            Some((EntityId::Agent(id.clone()), Command::Agent(command)))
        };
        let by = Who::Agent(id.clone());
        let first = |wanted: fn(&Work) -> Option<Timestamp>| {
            let mut found: Vec<_> =
                state.work.iter().filter_map(|(id, work)| Some((wanted(work)?, *id))).collect();
            found.sort_unstable();
            found.first().map(|(_, id)| *id)
        };
        let active = || {
            first(|work| match work {
                Work::Active { since } => Some(*since),
                Work::Offered { .. } | Work::WrapUp { .. } => None,
            })
        };
        let offered = || {
            state.work.iter().find_map(|(id, work)| match work {
                Work::Offered { offer, .. } => Some((*id, *offer)),
                Work::Active { .. } | Work::WrapUp { .. } => None,
            })
        };
        let (contact, command) = match does {
            Does::Ready => return presence(Wish::Ready),
            Does::NotReady { reason } => return presence(Wish::NotReady(reason.clone())),
            _ if !here => return None,
            Does::SignOut => return presence(Wish::SignedOut),
            Does::Disconnect => {
                self.silent.insert(id.clone(), at);
                let name = id.to_string();
                self.announce(at.plus(LEASE), Phase::Lease, name, Todo::Lease(id));
                return None;
            }
            Does::Reconnect => return self.reconnect(at, id, state),
            Does::Accept => {
                let (contact, offer) = offered()?;
                (contact, contact::Command::Accept { offer, agent: id })
            }
            Does::Reject => {
                let (contact, offer) = offered()?;
                (contact, contact::Command::Reject { offer, agent: id, reason: None })
            }
            Does::Hold => (active()?, contact::Command::Hold { by }),
            Does::Resume => (active()?, contact::Command::Resume { by }),
            Does::Complete => (active()?, contact::Command::Complete { by }),
            Does::WrapUpDone => {
                let wrapping = first(|work| match work {
                    Work::WrapUp { since, .. } => Some(*since),
                    Work::Offered { .. } | Work::Active { .. } => None,
                });
                (wrapping?, contact::Command::EndWrapUp { by, outcome: None, topic: None })
            }
        };
        Some((EntityId::Contact(contact), Command::Contact(command)))
    }

    /// Back: it is heard, and accepts what it should have accepted if the offer stands.
    fn reconnect(
        &mut self,
        at: Timestamp,
        id: AgentId,
        state: &agent::Agent,
    ) -> Option<(EntityId, Command)> {
        self.silent.remove(&id)?;
        if let Some((contact, offer)) = self.owed.remove(&id) {
            let name = self.name_of(contact).unwrap_or_default().to_owned();
            self.announce(at, Phase::Accept, name, Todo::Accept(contact, offer, id.clone()));
        }
        let heard = Command::Agent(agent::Command::Heard { start: 0 });
        state.lost.is_some().then_some((EntityId::Agent(id), heard))
    }

    /// Hears what was committed, and plans what follows from it.
    pub fn hear(&mut self, events: &[Recorded]) {
        for recorded in events {
            let (EntityId::Contact(id), Event::Contact(event)) =
                (&recorded.entity, &recorded.event)
            else {
                continue;
            };
            let Some(number) = self.numbers.get(id).copied() else { continue };
            let name = self.contacts[number].id.clone();
            match event {
                contact::Event::Offered { offer, agent, .. } if !self.manual.contains(agent) => {
                    let delay = self.delays.get(agent).copied().unwrap_or_default();
                    let todo = Todo::Accept(*id, *offer, agent.clone());
                    self.announce(recorded.at.plus(delay), Phase::Accept, name, todo);
                }
                contact::Event::Answered { agent } => {
                    let ends = recorded.at.plus(self.contacts[number].service);
                    let todo = Todo::EndService(*id, agent.clone());
                    self.announce(ends, Phase::ServiceEnd, name, todo);
                }
                _ => (),
            }
        }
    }
}
