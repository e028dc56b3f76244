//! Every event on the wire, as text: one line an event.

use std::sync::Arc;

use atalaya::views::event_json;
use atalaya_domain::agent::{self, Facts, OfferResult, Wish};
use atalaya_domain::contact::{self, Choice, Entered, Terms, Who};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{ContactId, CredentialId, OfferId, PersonId};
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::{self, OnReject};
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::Span;
use atalaya_domain::{EntityId, Event, credential, system};
use expect_test::expect;
use uuid::Uuid;

use crate::life::{START, agent_id, queue_id, rules, slug};

/// One line an event: its entity's kind, its name, its data.
fn lines(entity: &EntityId, events: Vec<Event>) -> String {
    let line = |event: Event| {
        let recorded = Recorded { entity: entity.clone(), version: 1, at: START, event };
        let value = event_json(812, "system", &recorded, None);
        format!("{} {} {}\n", entity.kind(), value["event"].as_str().unwrap(), value["data"])
    };
    events.into_iter().map(line).collect()
}

#[test]
fn an_event_done_late_says_so() {
    let event = Event::Contact(contact::Event::Abandoned);
    let entity = ContactId(Uuid::from_u128(1)).into();
    let recorded = Recorded { entity, version: 3, at: START, event };
    let late = event_json(812, "agent:ana", &recorded, Some(START.plus(Span::seconds(2))));
    expect![[r#"
        {
          "seq": 812,
          "at": "2026-03-02T08:00:00Z",
          "observed_at": "2026-03-02T08:00:02Z",
          "entity": "contact:00000000-0000-0000-0000-000000000001",
          "event": "abandoned",
          "by": "agent:ana",
          "data": {}
        }
    "#]]
    .assert_eq(&format!("{late:#}\n"));
    let punctual = event_json(812, "agent:ana", &recorded, Some(START));
    assert_eq!(punctual.get("observed_at"), None);
}

fn entered() -> Box<Entered> {
    Box::new(Entered {
        queue: queue_id("pensions"),
        priority: slug("normal"),
        order_key: OrderKey { rank: 1, at: START },
        requirement: Requirement {
            skills: [(slug("pensions"), 7)].into(),
            language: Some(slug("ca")),
            levels: Some([1, 2].into()),
        },
        external_id: Some("x1".to_owned()),
        person: PersonId(Uuid::from_u128(9)),
        terms: Terms {
            offer_timeout: Span::seconds(20),
            wrap_up: None,
            on_reject: OnReject::NotReady,
            max_misses: 1,
            within: None,
            short_abandon: Span::seconds(5),
        },
    })
}

#[test]
fn events_of_contacts() {
    use contact::Event as E;
    let (offer, agent) = (OfferId(Uuid::from_u128(2)), agent_id("ana"));
    let (by, until) = (Who::Agent(agent.clone()), START.plus(Span::seconds(20)));
    let next = vec![agent_id("bea")];
    let choice = Choice { candidates: 2, idle_since: START, next };
    let (outcome, topic) = (Some("solved".to_owned()), None);
    let reason = slug("busy");
    let events = vec![
        E::Queued(entered()),
        E::Refused { entered: Some(entered()), reason: slug("full") },
        E::Refused { entered: None, reason: slug("emergency") },
        E::Offered { offer, agent: agent.clone(), expires_at: until, choice },
        E::OfferAccepted { offer, agent: agent.clone() },
        E::Answered { agent: agent.clone() },
        E::OfferRejected { offer, agent: agent.clone(), reason: reason.clone(), back_off: None },
        E::OfferMissed { offer, agent: agent.clone() },
        E::OfferRecalled { offer, agent: agent.clone(), reason },
        E::BackOffEnded { agent: agent.clone() },
        E::Abandoned,
        E::Held,
        E::Resumed,
        E::Completed { agent: agent.clone(), by: Who::Citizen, wrap_up_until: Some(until) },
        E::Completed { agent, by: Who::Supervisor, wrap_up_until: None },
        E::WrapUpExtended { by: by.clone(), until },
        E::WrapUpEnded { by, outcome: outcome.clone(), topic: topic.clone() },
        E::OutcomeGiven { outcome, topic },
        E::PriorityChanged {
            from: slug("normal"),
            to: slug("high"),
            order_key: OrderKey { rank: 0, at: START },
        },
    ];
    let entity = ContactId(Uuid::from_u128(1)).into();
    let events = events.into_iter().map(Event::Contact).collect();
    expect![[r#"
        contact queued {"queue":"pensions","channel":"voice","priority":"normal","order_key":"1:1772438400000000","language":"ca","requires":{"pensions":7},"levels":[1,2],"external_id":"x1","person":"00000000-0000-0000-0000-000000000009"}
        contact refused {"queue":"pensions","channel":"voice","priority":"normal","order_key":"1:1772438400000000","language":"ca","requires":{"pensions":7},"levels":[1,2],"external_id":"x1","person":"00000000-0000-0000-0000-000000000009","reason":"full"}
        contact refused {"reason":"emergency"}
        contact offered {"offer":"00000000-0000-0000-0000-000000000002","agent":"ana","expires_at":"2026-03-02T08:00:20Z","decision":{"at":"2026-03-02T08:00:00Z","agent":"ana","candidates":2,"strategy":"longest_idle","why":"idle since 2026-03-02T08:00:00Z","next":["bea"]}}
        contact offer_accepted {"offer":"00000000-0000-0000-0000-000000000002","agent":"ana"}
        contact answered {"agent":"ana"}
        contact offer_rejected {"offer":"00000000-0000-0000-0000-000000000002","agent":"ana","reason":"busy"}
        contact offer_missed {"offer":"00000000-0000-0000-0000-000000000002","agent":"ana","reason":"missed_offer"}
        contact offer_recalled {"offer":"00000000-0000-0000-0000-000000000002","agent":"ana","reason":"busy"}
        contact back_off_ended {"agent":"ana"}
        contact abandoned {}
        contact held {}
        contact resumed {}
        contact completed {"agent":"ana","by":"citizen","wrap_up_until":"2026-03-02T08:00:20Z"}
        contact completed {"agent":"ana","by":"supervisor","wrap_up_until":null}
        contact wrap_up_extended {"until":"2026-03-02T08:00:20Z"}
        contact wrap_up_ended {"by":"agent:ana","outcome":"solved","topic":null}
        contact outcome_given {"outcome":"solved","topic":null}
        contact priority_changed {"from":"normal","to":"high","order_key":"0:1772438400000000"}
    "#]].assert_eq(&lines(&entity, events));
}

#[test]
fn events_of_agents() {
    use agent::Event as E;
    let (offer, contact) = (OfferId(Uuid::from_u128(2)), ContactId(Uuid::from_u128(1)));
    let until = START.plus(Span::seconds(20));
    let facts = Arc::new(Facts { team: slug("morning-1"), profile: Profile::default() });
    let released = |result| E::Released { offer, contact, result };
    let events = vec![
        E::Changed { facts, text_hash: [0xab; 16] },
        E::SignedIn { start: 2 },
        E::SignedOut,
        E::IntentChanged { not_ready: None },
        E::IntentChanged { not_ready: Some(slug("break")) },
        E::PendingChanged { pending: Some(Wish::NotReady(slug("break"))) },
        E::PendingChanged { pending: Some(Wish::SignedOut) },
        E::PendingChanged { pending: None },
        E::Reserved { offer, contact, until },
        released(OfferResult::Accepted),
        released(OfferResult::Rejected),
        released(OfferResult::Missed),
        released(OfferResult::Recalled),
        E::LegStarted { contact },
        E::LegWrapping { contact, until: Some(until) },
        E::LegWrapping { contact, until: None },
        E::LegEnded { contact },
        E::Lost,
        E::Heard { start: 2 },
        E::PresenceChanged {
            state: agent::Kind::NotReady,
            reason: Some(slug("break")),
            since: START,
        },
    ];
    let events = events.into_iter().map(Event::Agent).collect();
    expect![[r#"
        agent changed {"hash":"abababababababababababababababab"}
        agent signed_in {"start":2}
        agent signed_out {}
        agent intent_changed {"state":"ready","reason":null}
        agent intent_changed {"state":"not_ready","reason":"break"}
        agent pending_changed {"state":"not_ready","reason":"break"}
        agent pending_changed {"state":"signed_out","reason":null}
        agent pending_changed {"state":null,"reason":null}
        agent reserved {"offer":"00000000-0000-0000-0000-000000000002","contact":"00000000-0000-0000-0000-000000000001"}
        agent released {"offer":"00000000-0000-0000-0000-000000000002","result":"accepted"}
        agent released {"offer":"00000000-0000-0000-0000-000000000002","result":"rejected"}
        agent released {"offer":"00000000-0000-0000-0000-000000000002","result":"missed"}
        agent released {"offer":"00000000-0000-0000-0000-000000000002","result":"recalled"}
        agent leg_started {"contact":"00000000-0000-0000-0000-000000000001"}
        agent leg_wrapping {"contact":"00000000-0000-0000-0000-000000000001","until":"2026-03-02T08:00:20Z"}
        agent leg_wrapping {"contact":"00000000-0000-0000-0000-000000000001","until":null}
        agent leg_ended {"contact":"00000000-0000-0000-0000-000000000001"}
        agent lost {}
        agent heard {"start":2}
        agent presence_changed {"state":"not_ready","reason":"break","since":"2026-03-02T08:00:00Z"}
    "#]].assert_eq(&lines(&agent_id("ana").into(), events));
}

#[test]
fn events_of_the_rest() {
    let queues = vec![
        queue::Event::Changed { rules: Box::new(rules("pensions")), text_hash: [1; 16] },
        queue::Event::Opened { reason: None },
        queue::Event::Closed { emergency: true, reason: Some(slug("fire")) },
    ];
    let grant = credential::Grant {
        hash: [7; 16],
        role: slug("agent"),
        agent: Some(agent_id("ana")),
        scope: Some(slug("read")),
        token: None,
        expires_at: None,
    };
    let tokens = vec![credential::Event::Made(grant), credential::Event::Ended];
    let system = vec![
        system::Event::Started { number: 3, rate: 1.0 },
        system::Event::ClockSet { to: START },
        system::Event::Configured { hash: [2; 16] },
        system::Event::Quarantined { entity: agent_id("ana").into(), cause: "x".to_owned() },
    ];
    let token = EntityId::Token(CredentialId(Uuid::from_u128(5)));
    let text = [
        lines(&queue_id("pensions").into(), queues.into_iter().map(Event::Queue).collect()),
        lines(&token, tokens.into_iter().map(Event::Credential).collect()),
        lines(&EntityId::System, system.into_iter().map(Event::System).collect()),
    ];
    expect![[r#"
        queue changed {"hash":"01010101010101010101010101010101"}
        queue opened {}
        queue closed {"emergency":true}
        token made {"role":"agent","agent":"ana","scope":"read"}
        token ended {}
        system started {"number":3,"rate":1.0}
        system clock_set {"to":"2026-03-02T08:00:00Z"}
        system configured {"hash":"02020202020202020202020202020202"}
        system quarantined {"entity":"agent:ana","cause":"x"}
    "#]]
    .assert_eq(&text.concat());
}
