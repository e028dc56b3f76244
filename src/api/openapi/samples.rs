//! What the server's own builders make of a short life: the schemas of answers are read off it.
//!
//! Events are applied one by one, and after each everything is built as a handler builds it. So a
//! member that a builder gains or loses is gained or lost by the description in the same moment;
//! what this life never shows would be missing, which the test of agreement finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use atalaya_domain::agent::{Event as ToAgent, Facts, Kind, OfferResult, Wish};
use atalaya_domain::contact::{Choice, Contact, Entered, Event as ToContact, Terms, Who};
use atalaya_domain::credential::{Event as ToCredential, Grant};
use atalaya_domain::entry::Recorded;
use atalaya_domain::explain::{Seen, explain};
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, EntityId, OfferId, PersonId, QueueId};
use atalaya_domain::ids::{Slug, SlugError};
use atalaya_domain::matching::Intake;
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::{Bound, Event as ToQueue, OnReject, Rules, ServiceLevel, Thresholds};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::system::Event as ToSystem;
use atalaya_domain::time::{Span, Timestamp, Written};
use atalaya_domain::{Event, State};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{reports, wire};
use crate::views::{By, Personal, Plan, Scope, Wallboard};
use crate::views::{agent_json, contact_json, event_json, explain_json, queue_json, rfc3339};

/// Where the life begins: 2026-03-02, 08:00 UTC.
const START: Timestamp = Timestamp(1_772_438_400_000_000);

/// What an epoch looks like.
const EPOCH: &str = "5f0c2d1e";

/// By the name of the schema.
pub(super) type Samples = BTreeMap<&'static str, Vec<Value>>;

/// Everything that was built.
pub(super) fn samples() -> Result<Samples, SlugError> {
    let mut life = Life {
        states: BTreeMap::new(),
        intake: Intake::default(),
        board: Wallboard::new(jiff::tz::TimeZone::UTC),
        samples: Samples::new(),
        seq: 0,
        at: START,
    };
    life.configured()?;
    life.present()?;
    life.answered()?;
    life.unanswered()?;
    life.told_of_itself()?;
    Ok(life.samples)
}

struct Life {
    states: BTreeMap<EntityId, State>,
    intake: Intake,
    board: Wallboard,
    samples: Samples,
    seq: u64,
    at: Timestamp,
}

fn agent(name: &str) -> Result<AgentId, SlugError> {
    AgentId::new(name)
}

const fn contact(number: u128) -> ContactId {
    ContactId(uuid_of(number))
}

const fn offer(number: u128) -> OfferId {
    OfferId(uuid_of(0x0f00 + number))
}

/// A UUIDv7 of the life's first instant.
const fn uuid_of(number: u128) -> Uuid {
    Uuid::from_u128(0x019c_acb6_0000_7000_8000_0000_0000_0000 + number)
}

impl Life {
    fn push(&mut self, schema: &'static str, value: Value) {
        self.samples.entry(schema).or_default().push(value);
    }

    /// One event, a second after the last.
    fn tell(&mut self, entity: impl Into<EntityId>, event: Event) {
        let entity = entity.into();
        self.at = self.at.plus(Span::seconds(1));
        self.seq += 1;
        let state = self.states.entry(entity.clone()).or_insert_with(|| State::blank(&entity));
        let before = state.clone();
        state.apply(self.at, &event);
        let after = state.clone();
        let version = after.version();
        let recorded = Recorded { entity, version, at: self.at, event };
        self.board.fold(self.seq, &recorded, &before, &after);
        let late = self.seq.is_multiple_of(2).then(|| self.at.plus(Span::seconds(1)));
        self.push("Event", event_json(self.seq, "agent:ana.garcia", &recorded, late));
        match (&recorded.entity, &after) {
            (EntityId::Agent(id), State::Agent(agent)) => {
                self.intake.agent(id, agent);
                self.push("Agent", agent_json(id, agent, "Ana García"));
            }
            (EntityId::Contact(id), State::Contact(contact)) => {
                self.intake.contact(*id, contact, self.seq);
                self.contact(*id, contact);
            }
            (EntityId::Token(id) | EntityId::Session(id), State::Credential(token)) => {
                if let Some(json) = wire::token::json(*id, token) {
                    self.push("Token", json);
                }
            }
            _ => (),
        }
        // Figures move with every contact, not only with their queue's own events.
        let queues = self.states.iter().filter_map(|(id, state)| match (id, state) {
            (EntityId::Queue(id), State::Queue(queue)) => {
                Some(queue_json(id, queue, self.board.figures(id).as_ref()))
            }
            _ => None,
        });
        let queues: Vec<_> = queues.collect();
        self.samples.entry("Queue").or_default().extend(queues);
        let (at, data) = (rfc3339(self.at), self.board.data(Scope::All));
        let board = json!({ "epoch": EPOCH, "seq": self.seq, "at": at, "data": data });
        self.push("Wallboard", board);
        self.report();
    }

    fn report(&mut self) {
        let by = By::Quarter;
        let zone = jiff::tz::TimeZone::UTC;
        let Ok(plan) = Plan::new(START, self.at, by, zone) else { return };
        let (from, to) = plan.quarters();
        let cells = self.board.cells_at(from, to, None);
        if let Ok(report) = plan.report(&cells) {
            let made = reports::json(EPOCH, by, "UTC", &cells, &report);
            self.push("Report", made);
        }
    }

    fn contact(&mut self, id: ContactId, contact: &Contact) {
        let waiting = contact.entered.as_ref().map(|entered| self.intake.order(&entered.queue));
        let waiting = waiting.unwrap_or_default();
        let position = waiting.iter().position(|other| *other == id).map(|ahead| ahead + 1);
        let personal = Personal { from: Some("+34600000142".into()), subject: "pensión".into() };
        self.push("Contact", contact_json(id, contact, &personal, position, false));
        let unknown = Personal::default();
        self.push("Contact", contact_json(id, contact, &unknown, position, true));
        let seen = self.intake.agents().filter_map(|(id, standing)| {
            match self.states.get(&EntityId::Agent(id.clone())) {
                Some(State::Agent(agent)) => Some(Seen { id, agent, standing }),
                _ => None,
            }
        });
        let explanation = explain(id, contact, &waiting, &seen.collect::<Vec<_>>());
        self.push("Explanation", explain_json(id, contact, &explanation, self.at, self.seq));
    }

    fn configured(&mut self) -> Result<(), SlugError> {
        let rules = Rules {
            name: "General".into(),
            short_name: "General".into(),
            requirement: Requirement::default(),
            service_level: None,
            max_waiting: None,
            wrap_up: None,
            offer_timeout: Span::seconds(20).into(),
            on_reject: OnReject::NotReady,
            max_misses: 1,
            short_abandon: Span::seconds(5).into(),
            thresholds: Thresholds::default(),
        };
        let within: Written = Span::seconds(20).into();
        let full = Rules {
            name: "Pensiones".into(),
            short_name: "Pensiones".into(),
            requirement: requirement()?,
            service_level: Some(ServiceLevel { share: 0.8, within }),
            max_waiting: Some(50),
            wrap_up: Some(Span::seconds(30).into()),
            on_reject: OnReject::Ready,
            thresholds: thresholds(),
            ..rules.clone()
        };
        // No text of a configuration stands behind what was put: its hash is shown as null.
        for (id, rules, text_hash) in [("general", rules, [0; 16]), ("pensions", full, [7; 16])] {
            let changed = ToQueue::Changed { rules: Box::new(rules), text_hash };
            self.tell(QueueId::new(id)?, Event::Queue(changed));
        }
        let profile = Profile {
            level: 1,
            skills: [(Slug::new("pensions")?, 7)].into(),
            languages: [Slug::new("es")?, Slug::new("ca")?].into(),
            voice: 1,
            queues: Some([QueueId::new("general")?, QueueId::new("pensions")?].into()),
        };
        let plain = Profile { queues: None, ..profile.clone() };
        let low = Profile { skills: [(Slug::new("pensions")?, 4)].into(), ..plain.clone() };
        let hashes = [[7; 16], [0; 16], [7; 16]];
        let agents = [("ana.garcia", profile), ("eva", plain), ("luz", low)];
        for ((name, profile), text_hash) in agents.into_iter().zip(hashes) {
            let facts = Arc::new(Facts { team: Slug::new("morning-1")?, profile });
            let changed = ToAgent::Changed { facts, text_hash };
            self.tell(agent(name)?, Event::Agent(changed));
        }
        Ok(())
    }

    fn present(&mut self) -> Result<(), SlugError> {
        let lunch = Slug::new("lunch")?;
        let (ana, eva, luz) = (agent("ana.garcia")?, agent("eva")?, agent("luz")?);
        for (id, not_ready) in [(&ana, None), (&eva, Some(lunch.clone())), (&luz, None)] {
            self.tell(id.clone(), Event::Agent(ToAgent::SignedIn { start: 1 }));
            self.tell(id.clone(), Event::Agent(ToAgent::IntentChanged { not_ready }));
        }
        for pending in [Wish::SignedOut, Wish::Ready, Wish::NotReady(lunch.clone())] {
            let pending = Some(pending);
            self.tell(ana.clone(), Event::Agent(ToAgent::PendingChanged { pending }));
        }
        self.tell(ana.clone(), Event::Agent(ToAgent::PendingChanged { pending: None }));
        self.tell(eva.clone(), Event::Agent(ToAgent::Lost));
        self.tell(eva.clone(), Event::Agent(ToAgent::Heard { start: 1 }));
        let (state, since) = (Kind::NotReady, self.at);
        for reason in [Some(lunch), None] {
            let changed = ToAgent::PresenceChanged { state, reason, since };
            self.tell(eva.clone(), Event::Agent(changed));
        }
        Ok(())
    }

    /// One call that is answered, in the hands of Ana.
    fn answered(&mut self) -> Result<(), SlugError> {
        let (id, offer, ana) = (contact(1), offer(1), agent("ana.garcia")?);
        let by = || Who::Agent(ana.clone());
        self.tell(id, Event::Contact(ToContact::Queued(Box::new(entered(1, true)?))));
        self.offered(id, offer)?;
        let result = OfferResult::Accepted;
        let accepted = ToContact::OfferAccepted { offer, agent: ana.clone() };
        self.tell(id, Event::Contact(accepted));
        self.tell(id, Event::Contact(ToContact::Answered { agent: ana.clone() }));
        let released = ToAgent::Released { offer, contact: id, result };
        self.tell(ana.clone(), Event::Agent(released));
        self.tell(ana.clone(), Event::Agent(ToAgent::LegStarted { contact: id }));
        self.tell(id, Event::Contact(ToContact::Held));
        self.tell(id, Event::Contact(ToContact::Resumed));
        // Who comes now is told that she is in conversation.
        self.tell(contact(2), Event::Contact(ToContact::Queued(Box::new(entered(2, false)?))));
        for until in [None, Some(self.at.plus(Span::seconds(30)))] {
            let wrapping = ToAgent::LegWrapping { contact: id, until };
            self.tell(ana.clone(), Event::Agent(wrapping));
            let (agent, wrap_up_until) = (ana.clone(), until);
            let completed = ToContact::Completed { agent, by: by(), wrap_up_until };
            self.tell(id, Event::Contact(completed));
            // … and now when her wrap-up ends.
            let changed = self.priority_changed()?;
            self.tell(contact(2), changed);
        }
        let until = self.at.plus(Span::seconds(60));
        self.tell(id, Event::Contact(ToContact::WrapUpExtended { by: by(), until }));
        let ended = ToContact::WrapUpEnded { by: by(), outcome: None, topic: None };
        self.tell(id, Event::Contact(ended));
        let (outcome, topic) = (Some("solved".to_owned()), Some("pension".to_owned()));
        let ended = ToContact::WrapUpEnded { by: by(), outcome, topic };
        self.tell(id, Event::Contact(ended));
        self.tell(ana, Event::Agent(ToAgent::LegEnded { contact: id }));
        let given = ToContact::OutcomeGiven { outcome: Some("solved".to_owned()), topic: None };
        self.tell(id, Event::Contact(given));
        Ok(())
    }

    fn priority_changed(&self) -> Result<Event, SlugError> {
        let order_key = OrderKey { rank: 1, at: self.at };
        let (from, to) = (Slug::new("normal")?, Slug::new("high")?);
        Ok(Event::Contact(ToContact::PriorityChanged { from, to, order_key }))
    }

    fn offered(&mut self, id: ContactId, offer: OfferId) -> Result<(), SlugError> {
        let (ana, expires_at) = (agent("ana.garcia")?, self.at.plus(Span::seconds(20)));
        let next = vec![agent("eva")?];
        let choice = Choice { candidates: 2, idle_since: self.at, next };
        let offered = ToContact::Offered { offer, agent: ana.clone(), expires_at, choice };
        self.tell(id, Event::Contact(offered));
        let reserved = ToAgent::Reserved { offer, contact: id, until: expires_at };
        self.tell(ana, Event::Agent(reserved));
        Ok(())
    }

    /// Calls that nobody answers.
    fn unanswered(&mut self) -> Result<(), SlugError> {
        let (id, ana) = (contact(2), agent("ana.garcia")?);
        for number in 2..=4 {
            let offer = offer(number);
            self.offered(id, offer)?;
            let (agent, reason) = (ana.clone(), Slug::new("rejected_offer")?);
            let back_off = Some(self.at.plus(Span::seconds(60)));
            let (result, ended) = match number {
                2 => (
                    OfferResult::Rejected,
                    ToContact::OfferRejected { offer, agent, reason, back_off },
                ),
                3 => (OfferResult::Missed, ToContact::OfferMissed { offer, agent }),
                _ => (OfferResult::Recalled, ToContact::OfferRecalled { offer, agent, reason }),
            };
            self.tell(id, Event::Contact(ended));
            let released = ToAgent::Released { offer, contact: id, result };
            self.tell(ana.clone(), Event::Agent(released));
        }
        self.tell(id, Event::Contact(ToContact::BackOffEnded { agent: ana.clone() }));
        self.tell(contact(3), Event::Contact(ToContact::Queued(Box::new(entered(3, true)?))));
        self.tell(contact(4), Event::Contact(ToContact::Queued(Box::new(entered(4, true)?))));
        self.tell(contact(3), Event::Contact(ToContact::Abandoned));
        let reason = Slug::new("emergency")?;
        let refused = ToContact::Refused { entered: None, reason: reason.clone() };
        self.tell(contact(4), Event::Contact(refused));
        let entered = Some(Box::new(entered(5, true)?));
        let refused = ToContact::Refused { entered, reason };
        self.tell(contact(5), Event::Contact(refused));
        self.tell(ana, Event::Agent(ToAgent::SignedOut));
        Ok(())
    }

    fn told_of_itself(&mut self) -> Result<(), SlugError> {
        for event in
            [ToQueue::Closed { emergency: true, reason: None }, ToQueue::Opened { reason: None }]
        {
            self.tell(QueueId::new("pensions")?, Event::Queue(event));
        }
        let entity = EntityId::Agent(agent("luz")?);
        let started = ToSystem::Started { number: 1, rate: 1.0 };
        let quarantined = ToSystem::Quarantined { entity, cause: "its machine panicked".into() };
        let set = ToSystem::ClockSet { to: self.at };
        for event in [started, set, ToSystem::Configured { hash: [7; 16] }, quarantined] {
            self.tell(EntityId::System, Event::System(event));
        }
        let role = |name| Slug::new(name);
        let plain = Grant {
            hash: [0; 16],
            role: role("administrator")?,
            agent: None,
            scope: None,
            token: None,
            expires_at: None,
        };
        let full = Grant {
            role: role("agent")?,
            agent: Some(agent("ana.garcia")?),
            scope: Some(Slug::new("read")?),
            expires_at: Some(self.at),
            ..plain.clone()
        };
        for (number, grant) in [(1, plain), (2, full)] {
            let id = EntityId::Token(CredentialId(uuid_of(0x70ce + number)));
            self.tell(id.clone(), Event::Credential(ToCredential::Made(grant)));
            self.tell(id, Event::Credential(ToCredential::Ended));
        }
        Ok(())
    }
}

fn thresholds() -> Thresholds {
    let spans = [Span::seconds(120), Span::seconds(240)].map(|span| Some(span.into()));
    let [warning, critical] = spans;
    Thresholds {
        longest_wait: Bound { warning, critical },
        waiting: Bound { warning: Some(10), critical: Some(20) },
        service_level: Bound { warning: Some(0.8), critical: Some(0.7) },
    }
}

fn requirement() -> Result<Requirement, SlugError> {
    Ok(Requirement {
        skills: [(Slug::new("pensions")?, 7)].into(),
        language: Some(Slug::new("ca")?),
        levels: Some([1, 2].into()),
    })
}

fn entered(number: u128, full: bool) -> Result<Entered, SlugError> {
    Ok(Entered {
        queue: QueueId::new(if full { "pensions" } else { "general" })?,
        priority: Slug::new("normal")?,
        order_key: OrderKey { rank: 1, at: START },
        requirement: if full { requirement()? } else { Requirement::default() },
        external_id: full.then(|| format!("c-{number}")),
        person: PersonId(uuid_of(0x9e00 + number)),
        terms: Terms {
            offer_timeout: Span::seconds(20),
            wrap_up: Some(Span::seconds(30)),
            on_reject: OnReject::NotReady,
            max_misses: 1,
            within: Some(Span::seconds(20)),
            short_abandon: Span::seconds(5),
        },
    })
}
