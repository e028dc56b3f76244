//! A centre that lives at random: every entry comes from `compose`, and is folded whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya::views::Wallboard;
use atalaya_domain::agent::{self, Facts, Wish};
use atalaya_domain::contact::{self, Arrival, Choice, Contact, State as Place, Who};
use atalaya_domain::entry::{Recorded, compose};
use atalaya_domain::ids::{AgentId, ContactId, OfferId, PersonId, QueueId, Slug};
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::{self, OnReject, Rules, ServiceLevel};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Now, Span, Timestamp, Written};
use atalaya_domain::{Command, EntityId, State, system};
use uuid::Uuid;

/// 2026-03-02T08:00:00Z.
pub(crate) const START: Timestamp = Timestamp(1_772_438_400_000_000);
pub(crate) const QUEUES: [&str; 3] = ["general", "late", "pensions"];
pub(crate) const AGENTS: [&str; 4] = ["ana", "bea", "carla", "dora"];

/// What may pass between two steps, in seconds.
const WAITS: [i64; 8] = [0, 1, 5, 20, 21, 40, 400, 9 * 3_600];

pub(crate) struct Folded {
    pub(crate) seq: u64,
    pub(crate) recorded: Recorded,
    pub(crate) before: State,
    pub(crate) after: State,
}

pub(crate) struct Life {
    pub(crate) now: Timestamp,
    pub(crate) states: BTreeMap<EntityId, State>,
    pub(crate) log: Vec<Folded>,
    pub(crate) board: Wallboard,
    made: u128,
}

pub(crate) fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

pub(crate) fn agent_id(text: &str) -> AgentId {
    AgentId::new(text).unwrap()
}

pub(crate) fn queue_id(text: &str) -> QueueId {
    QueueId::new(text).unwrap()
}

pub(crate) fn madrid() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Europe/Madrid").unwrap()
}

pub(crate) fn rules(name: &str) -> Rules {
    let pensions = name == "pensions";
    let skills = if pensions { [(slug("pensions"), 5)].into() } else { BTreeMap::new() };
    let within = Written::parse("20s").unwrap();
    Rules {
        name: name.to_uppercase(),
        short_name: name.to_uppercase(),
        requirement: Requirement { skills, language: None, levels: None },
        service_level: (name != "general").then_some(ServiceLevel { share: 0.8, within }),
        max_waiting: None,
        wrap_up: match name {
            "general" => Some(Span::ZERO.into()),
            "late" => None,
            _ => Some(Span::seconds(30).into()),
        },
        offer_timeout: Span::seconds(20).into(),
        on_reject: if pensions { OnReject::NotReady } else { OnReject::Ready },
        max_misses: 1,
        short_abandon: Span::seconds(5).into(),
        thresholds: atalaya_domain::queue::Thresholds::default(),
    }
}

impl Life {
    /// Queues and agents are configured; nobody is signed in.
    pub(crate) fn new() -> Self {
        let mut life = Self {
            now: START,
            states: BTreeMap::new(),
            log: Vec::new(),
            board: Wallboard::new(madrid()),
            made: 0,
        };
        for queue in QUEUES {
            let rules = Box::new(rules(queue));
            let command = queue::Command::Configure { rules, text_hash: [0; 16] };
            life.tell(&queue_id(queue).into(), &Command::Queue(command));
        }
        for (place, agent) in (0_u8..).zip(AGENTS) {
            let profile = Profile {
                level: 1 + place % 2,
                skills: [(slug("pensions"), 3 + 2 * place)].into(),
                languages: [slug("es")].into(),
                voice: if agent == "dora" { 2 } else { 1 },
                queues: (agent == "bea").then(|| BTreeSet::from([queue_id("pensions")])),
            };
            let facts = Arc::new(Facts { team: slug("morning-1"), profile });
            life.agent(agent, agent::Command::Configure { facts, text_hash: [0; 16] });
        }
        life
    }

    pub(crate) fn id(&mut self) -> Uuid {
        self.made += 1;
        Uuid::from_u128(self.made)
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus(Span::seconds(seconds));
    }

    /// Composes, applies and folds; a refusal may leave lapses, which are folded too.
    pub(crate) fn tell(&mut self, to: &EntityId, command: &Command) {
        let read = |id: &EntityId| self.states.get(id).cloned().unwrap_or_else(|| State::blank(id));
        let entry = compose(&read, Now::live(self.now), to, command);
        for recorded in entry.events {
            let id = recorded.entity.clone();
            let state = self.states.entry(id.clone()).or_insert_with(|| State::blank(&id));
            let before = state.clone();
            state.apply(recorded.at, &recorded.event);
            let seq = self.log.len() as u64 + 1;
            self.board.fold(seq, &recorded, &before, state);
            self.log.push(Folded { seq, recorded, before, after: state.clone() });
        }
    }

    pub(crate) fn agent(&mut self, agent: &str, command: agent::Command) {
        self.tell(&agent_id(agent).into(), &Command::Agent(command));
    }

    pub(crate) fn contact(&mut self, contact: ContactId, command: contact::Command) {
        self.tell(&contact.into(), &Command::Contact(command));
    }

    pub(crate) fn presence(&mut self, agent: &str, wish: Wish) {
        self.agent(agent, agent::Command::Presence { wish, after: false, start: 1 });
    }

    pub(crate) fn arrive(&mut self, queue: &str, full: bool) -> ContactId {
        let (id, person) = (ContactId(self.id()), PersonId(Uuid::from_u128(9)));
        let arrival = Arrival {
            queue: queue_id(queue),
            priority: slug("normal"),
            credit: Credit::HeadStart(Span::ZERO),
            language: None,
            skills: None,
            levels: None,
            external_id: None,
            person,
            full,
        };
        self.contact(id, contact::Command::Arrive(Box::new(arrival)));
        id
    }

    pub(crate) fn offer(&mut self, contact: ContactId, agent: &str) -> OfferId {
        let offer = OfferId(self.id());
        let choice = Choice { candidates: 1, idle_since: START, next: vec![] };
        let agent = agent_id(agent);
        self.contact(contact, contact::Command::Offer { offer, agent, choice });
        offer
    }

    /// Offers and accepts.
    pub(crate) fn answer(&mut self, contact: ContactId, agent: &str) {
        let offer = self.offer(contact, agent);
        self.contact(contact, contact::Command::Accept { offer, agent: agent_id(agent) });
    }

    pub(crate) fn contacts(&self) -> impl Iterator<Item = (ContactId, &Contact)> {
        self.states.iter().filter_map(|(id, state)| match (id, state) {
            (EntityId::Contact(id), State::Contact(contact)) => Some((*id, contact)),
            _ => None,
        })
    }

    /// One step: what is done, to whom, after how long.
    pub(crate) fn step(&mut self, (what, whom, wait): (u8, u8, u8)) {
        self.wait(WAITS[usize::from(wait) % WAITS.len()]);
        let agent = AGENTS[usize::from(whom) % AGENTS.len()];
        match what % 20 {
            0..=3 => {
                self.arrive(QUEUES[usize::from(whom) % QUEUES.len()], whom % 16 == 15);
            }
            4 | 5 => self.presence(agent, Wish::Ready),
            6 => self.presence(agent, Wish::NotReady(slug("break"))),
            7 if whom >= 128 => self.presence(agent, Wish::SignedOut),
            7 => self.agent(agent, agent::Command::Lost),
            8 => self.agent(agent, agent::Command::Heard { start: 1 }),
            9 => {
                let wish = Wish::NotReady(slug("meeting"));
                self.agent(agent, agent::Command::Force { wish, session: true });
            }
            10 => self.door(whom),
            what => self.touch(what, whom, agent),
        }
    }

    fn door(&mut self, whom: u8) {
        let queue = queue_id(QUEUES[usize::from(whom) % QUEUES.len()]);
        let command = match whom % 4 {
            0 => queue::Command::Close { emergency: whom >= 128, reason: None },
            _ => queue::Command::Open { reason: None },
        };
        self.tell(&queue.into(), &Command::Queue(command));
        if whom % 64 == 63 {
            let agents = AGENTS.map(agent_id).to_vec();
            let start = system::Command::Start { rate: 1.0, agents };
            self.tell(&EntityId::System, &Command::System(start));
        }
    }

    /// Something is done to one of the contacts that are not over.
    fn touch(&mut self, what: u8, whom: u8, agent: &str) {
        let alive: Vec<_> = self.contacts().filter(|(_, contact)| !contact.is_over()).collect();
        let Some((id, contact)) = alive.get(usize::from(whom) % alive.len().max(1)) else { return };
        let (id, place) = (*id, contact.state.clone());
        let by = Who::System;
        let command = match (what, place) {
            (11..=15, Place::Queued) => {
                self.offer(id, agent);
                return;
            }
            (11..=13, Place::Offered { offer, agent, .. }) => {
                contact::Command::Accept { offer, agent }
            }
            (14, Place::Offered { offer, agent, .. }) => {
                contact::Command::Reject { offer, agent, reason: None }
            }
            (11 | 12, Place::Active { .. }) => contact::Command::Hold { by },
            (11 | 12, Place::Held { .. }) => contact::Command::Resume { by },
            (13..=15, Place::Active { .. } | Place::Held { .. }) => {
                contact::Command::Complete { by }
            }
            (11..=13, Place::WrapUp { .. }) => {
                contact::Command::EndWrapUp { by, outcome: None, topic: None }
            }
            (16, Place::WrapUp { .. }) => {
                contact::Command::ExtendWrapUp { by, span: Span::seconds(30) }
            }
            (16 | 17, _) => contact::Command::Abandon,
            (18, _) => contact::Command::Refuse { reason: slug("emergency") },
            _ => contact::Command::Tick,
        };
        self.contact(id, command);
    }
}
