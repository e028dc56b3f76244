//! One event of every variant, each field with something in it. A golden file holds them: add
//! to them, change none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya_domain::ids::{AgentId, ContactId, CredentialId, OfferId, PersonId, QueueId, Slug};
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::{OnReject, Rules, ServiceLevel};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Span, Timestamp, Written};
use atalaya_domain::{Event, agent, contact, credential, queue, system};
use uuid::Uuid;

pub(crate) const AT: Timestamp = Timestamp(1_767_225_600_123_456);

pub(crate) fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

pub(crate) fn ana() -> AgentId {
    AgentId::new("ana.garcia").unwrap()
}

pub(crate) fn uuid(last: u8) -> Uuid {
    let mut bytes = *b"\x01\x99\x00\x00\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x00";
    bytes[15] = last;
    Uuid::from_bytes(bytes)
}

pub(crate) fn offer() -> OfferId {
    OfferId(uuid(1))
}

pub(crate) fn contact_id() -> ContactId {
    ContactId(uuid(2))
}

fn requirement() -> Requirement {
    Requirement {
        skills: BTreeMap::from([(slug("pensions"), 5), (slug("tax"), 1)]),
        language: Some(slug("es")),
        levels: Some(BTreeSet::from([1, 2])),
    }
}

fn entered() -> Box<contact::Entered> {
    Box::new(contact::Entered {
        queue: QueueId::new("pensions").unwrap(),
        priority: slug("normal"),
        order_key: OrderKey { rank: 1, at: AT },
        requirement: requirement(),
        external_id: Some("PBX-17".into()),
        person: PersonId(uuid(3)),
        terms: contact::Terms {
            offer_timeout: Span::seconds(20),
            wrap_up: Some(Span::seconds(30)),
            on_reject: OnReject::Ready,
            max_misses: 3,
            within: Some(Span::seconds(20)),
            short_abandon: Span::millis(5_500),
        },
    })
}

pub(crate) fn rules() -> Box<Rules> {
    Box::new(Rules {
        name: "Pensiones y jubilación".into(),
        short_name: "Pensiones".into(),
        requirement: requirement(),
        service_level: Some(ServiceLevel { share: 0.8, within: written("20s") }),
        max_waiting: Some(300),
        wrap_up: Some(written("1.5m")),
        offer_timeout: written("20s"),
        on_reject: OnReject::NotReady,
        max_misses: 2,
        short_abandon: written("5s"),
        thresholds: atalaya_domain::queue::Thresholds::default(),
    })
}

fn facts() -> Arc<agent::Facts> {
    let profile = Profile {
        level: 2,
        skills: requirement().skills,
        languages: BTreeSet::from([slug("ca"), slug("es")]),
        voice: 1,
        queues: Some(BTreeSet::from([QueueId::new("pensions").unwrap()])),
    };
    Arc::new(agent::Facts { team: slug("team-a"), profile })
}

fn written(text: &str) -> Written {
    Written::parse(text).unwrap()
}

/// One of every variant, each field with something in it.
pub(crate) fn samples() -> Vec<Event> {
    let mut all: Vec<Event> = agents().into_iter().map(Event::Agent).collect();
    all.extend(contacts().into_iter().map(Event::Contact));
    all.extend(
        [
            queue::Event::Changed { rules: rules(), text_hash: [7; 16] },
            queue::Event::Opened { reason: Some(slug("morning")) },
            queue::Event::Closed { emergency: true, reason: Some(slug("fire")) },
        ]
        .map(Event::Queue),
    );
    let grant = credential::Grant {
        hash: [9; 16],
        role: slug("agent"),
        agent: Some(ana()),
        scope: Some(slug("read")),
        token: Some(CredentialId(uuid(4))),
        expires_at: Some(AT),
    };
    all.extend([credential::Event::Made(grant), credential::Event::Ended].map(Event::Credential));
    all.extend(
        [
            system::Event::Started { number: 3, rate: 1.5 },
            system::Event::ClockSet { to: AT },
            system::Event::Configured { hash: [1; 16] },
            system::Event::Quarantined { entity: contact_id().into(), cause: "no fit".into() },
        ]
        .map(Event::System),
    );
    all
}

fn agents() -> Vec<agent::Event> {
    use agent::Event as E;
    let (offer, contact) = (offer(), contact_id());
    vec![
        E::Changed { facts: facts(), text_hash: [7; 16] },
        E::SignedIn { start: 300 },
        E::SignedOut,
        E::IntentChanged { not_ready: Some(slug("lunch")) },
        E::PendingChanged { pending: Some(agent::Wish::NotReady(slug("lunch"))) },
        E::Reserved { offer, contact, until: AT },
        E::Released { offer, contact, result: agent::OfferResult::Missed },
        E::LegStarted { contact },
        E::LegWrapping { contact, until: Some(AT) },
        E::LegEnded { contact },
        E::Lost,
        E::Heard { start: 4 },
        E::PresenceChanged { state: agent::Kind::NotReady, reason: Some(slug("lunch")), since: AT },
    ]
}

fn contacts() -> Vec<contact::Event> {
    use contact::{Event as E, Who};
    let (offer, agent) = (offer(), ana());
    let choice = contact::Choice {
        candidates: 4,
        idle_since: AT,
        next: vec![AgentId::new("luis").unwrap(), AgentId::new("eva").unwrap()],
    };
    let (outcome, topic) = (Some("resolved".to_owned()), Some("pensión".to_owned()));
    vec![
        E::Queued(entered()),
        E::Refused { entered: Some(entered()), reason: slug("full") },
        E::Offered { offer, agent: agent.clone(), expires_at: AT, choice },
        E::OfferAccepted { offer, agent: agent.clone() },
        E::Answered { agent: agent.clone() },
        E::OfferRejected { offer, agent: agent.clone(), reason: slug("busy"), back_off: Some(AT) },
        E::OfferMissed { offer, agent: agent.clone() },
        E::OfferRecalled { offer, agent: agent.clone(), reason: slug("abandoned") },
        E::BackOffEnded { agent: agent.clone() },
        E::Abandoned,
        E::Held,
        E::Resumed,
        E::Completed { agent: agent.clone(), by: Who::Citizen, wrap_up_until: Some(AT) },
        E::WrapUpExtended { by: Who::Agent(agent), until: AT },
        E::WrapUpEnded { by: Who::Supervisor, outcome: outcome.clone(), topic: topic.clone() },
        E::OutcomeGiven { outcome, topic },
        E::PriorityChanged {
            from: slug("normal"),
            to: slug("urgent"),
            order_key: OrderKey { rank: 0, at: Timestamp(-5) },
        },
    ]
}
