//! Every shape on the wire, as text: a changed key shows here before anybody's program breaks.

use atalaya::views::{Personal, Scope, agent_json, contact_json, queue_json, rfc3339};
use atalaya_domain::agent::{self, Wish};
use atalaya_domain::contact::{self, Who};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::ContactId;
use atalaya_domain::time::{Span, Timestamp};
use atalaya_domain::{Command, EntityId, Event, State, system};
use expect_test::{Expect, expect, expect_file};
use serde_json::Value;

use crate::life::{Life, START, agent_id, queue_id, slug};

fn check(value: &Value, expect: &Expect) {
    expect.assert_eq(&format!("{value:#}\n"));
}

/// One waits, one is in conversation, one was abandoned; an agent on a break, one lost.
fn centre() -> (Life, ContactId) {
    let mut life = Life::new();
    life.board.set_name(&agent_id("ana"), "Ana García");
    life.presence("ana", Wish::Ready);
    life.presence("bea", Wish::NotReady(slug("break")));
    life.presence("carla", Wish::Ready);
    life.presence("dora", Wish::Ready);
    life.agent("dora", agent::Command::Lost);
    life.wait(10);
    let talked = life.arrive("general", false);
    life.wait(12);
    life.answer(talked, "ana");
    let gone = life.arrive("pensions", false);
    life.wait(3);
    life.contact(gone, contact::Command::Abandon);
    let helped = life.arrive("pensions", false);
    life.answer(helped, "carla");
    life.wait(60);
    life.contact(helped, contact::Command::Complete { by: Who::Citizen });
    life.arrive("pensions", false);
    (life, talked)
}

fn agent_of<'l>(life: &'l Life, id: &str) -> &'l agent::Agent {
    match &life.states[&EntityId::Agent(agent_id(id))] {
        State::Agent(agent) => agent,
        other => panic!("no agent: {other:?}"),
    }
}

fn contact_of(life: &Life, id: ContactId) -> &contact::Contact {
    match &life.states[&EntityId::Contact(id)] {
        State::Contact(contact) => contact,
        other => panic!("no contact: {other:?}"),
    }
}

#[test]
fn wallboard() {
    let (life, _) = centre();
    let text = format!("{:#}\n", life.board.data(Scope::All));
    expect_file!["wallboard.json"].assert_eq(&text);
}

#[test]
fn a_wall_shows_initials() {
    let (life, _) = centre();
    let wall = life.board.data(Scope::Wall);
    assert_eq!(wall["agents"]["ana"]["name"], "AG");
    assert!(!wall.to_string().contains("García"), "{wall}");
    assert!(!life.board.roster().data(Scope::Wall).to_string().contains("García"));
    assert_eq!(life.board.roster().data(Scope::All)["agents"]["ana"]["name"], "Ana García");
}

/// Out of service: alerted, an agent shown lost, and its events change nothing any more.
#[test]
fn quarantine() {
    let (mut life, talked) = centre();
    for entity in [agent_id("ana").into(), EntityId::Contact(talked)] {
        let command =
            system::Command::Quarantine { entity, cause: "it panicked".to_owned(), others: vec![] };
        life.tell(&EntityId::System, &Command::System(command));
    }
    let data = life.board.data(Scope::All);
    assert_eq!(data["agents"]["ana"]["state"], "lost");
    assert_eq!(data["totals"]["lost"], 2);
    assert_eq!(life.board.roster().data(Scope::All)["agents"]["ana"]["state"], "lost");
    // A frozen entity: the log goes on, the state does not.
    let frozen = life.states[&EntityId::Contact(talked)].clone();
    let at = life.now;
    let event = Event::Contact(contact::Event::Abandoned);
    let recorded = Recorded { entity: talked.into(), version: 9, at, event };
    life.board.fold(life.board.seq() + 1, &recorded, &frozen, &frozen);
    assert_eq!(life.board.data(Scope::All), data);
    check(
        &data["alerts"],
        &expect![[r#"
        [
          {
            "id": "quarantined:agent:ana",
            "severity": "critical",
            "rule": "quarantined",
            "text": "agent:ana is out of service: it panicked",
            "subject": {
              "entity": "agent:ana"
            },
            "at": "2026-03-02T08:01:25Z"
          },
          {
            "id": "quarantined:contact:00000000-0000-0000-0000-000000000001",
            "severity": "critical",
            "rule": "quarantined",
            "text": "contact:00000000-0000-0000-0000-000000000001 is out of service: it panicked",
            "subject": {
              "entity": "contact:00000000-0000-0000-0000-000000000001"
            },
            "at": "2026-03-02T08:01:25Z"
          }
        ]
    "#]],
    );
}

#[test]
fn agents() {
    let (life, _) = centre();
    check(
        &agent_json(&agent_id("ana"), agent_of(&life, "ana"), "Ana García"),
        &expect![[r#"
        {
          "id": "ana",
          "name": "Ana García",
          "team": "morning-1",
          "level": 1,
          "skills": {
            "pensions": 3
          },
          "languages": [
            "es"
          ],
          "capacity": {
            "voice": 1
          },
          "queues": null,
          "state": "busy",
          "reason": null,
          "since": "2026-03-02T08:00:22Z",
          "pending": null,
          "work": [
            {
              "contact": "00000000-0000-0000-0000-000000000001",
              "state": "active",
              "since": "2026-03-02T08:00:22Z"
            }
          ],
          "room": {
            "voice": 0
          },
          "version": 9
        }
    "#]],
    );
    let lost = agent_json(&agent_id("dora"), agent_of(&life, "dora"), "Dora");
    assert_eq!((&lost["state"], &lost["was"]), (&"lost".into(), &"ready".into()));
    assert_eq!(lost["was_since"], rfc3339(START));
    let away = agent_json(&agent_id("bea"), agent_of(&life, "bea"), "Bea");
    assert_eq!((&away["state"], &away["reason"]), (&"not_ready".into(), &"break".into()));
    let never = agent_json(&agent_id("eva"), &agent::Agent::default(), "Eva");
    assert_eq!((&never["state"], &never["since"]), (&"signed_out".into(), &Value::Null));
}

#[test]
fn contacts() {
    let (mut life, talked) = centre();
    let subject = "my pension".to_owned();
    let personal = Personal { from: Some("+34 600 000 142".to_owned()), subject };
    let waiting = life.arrive("pensions", false);
    let offer = {
        life.presence("bea", Wish::Ready);
        life.offer(waiting, "bea")
    };
    let shown = contact_json(waiting, contact_of(&life, waiting), &personal, Some(2), false);
    assert_eq!(shown["offer"]["id"], offer.to_string());
    check(
        &shown,
        &expect![[r#"
        {
          "id": "00000000-0000-0000-0000-000000000007",
          "channel": "voice",
          "queue": "pensions",
          "state": "offered",
          "priority": "normal",
          "language": null,
          "requires": {
            "pensions": 5
          },
          "citizen": null,
          "from": "+34 600 000 142",
          "arrived_at": "2026-03-02T08:01:25Z",
          "queued_at": "2026-03-02T08:01:25Z",
          "offered_at": "2026-03-02T08:01:25Z",
          "answered_at": null,
          "ended_at": null,
          "agent": "bea",
          "offer": {
            "id": "00000000-0000-0000-0000-000000000008",
            "agent": "bea",
            "expires_at": "2026-03-02T08:01:45Z"
          },
          "consulted": null,
          "position": 2,
          "expected_wait_s": null,
          "levels": null,
          "subject": "my pension",
          "external_id": null,
          "preferred_agent": null,
          "callback_of": null,
          "outcome": null,
          "topic": null,
          "version": 2
        }
    "#]],
    );
    let masked = contact_json(talked, contact_of(&life, talked), &personal, Some(2), true);
    assert_eq!(masked["from"], "··· ··· 142");
    assert_eq!((&masked["subject"], &masked["position"]), (&"".into(), &Value::Null));
    for from in ["142", "ana.1985@example.org", ""] {
        let short = Personal { from: Some(from.to_owned()), ..Personal::default() };
        let masked = contact_json(talked, contact_of(&life, talked), &short, None, true);
        assert_eq!(masked["from"], "··· ··· ···", "{from}");
    }
    let refused = life.arrive("pensions", true);
    let refused = contact_json(refused, contact_of(&life, refused), &personal, None, false);
    assert_eq!((&refused["state"], &refused["reason"]), (&"refused".into(), &"full".into()));
    assert_eq!(refused["queued_at"], Value::Null);
}

#[test]
fn queues() {
    let (life, _) = centre();
    let id = queue_id("pensions");
    let State::Queue(queue) = &life.states[&EntityId::Queue(id.clone())] else { panic!() };
    let figures = life.board.figures(&id);
    check(
        &queue_json(&id, queue, figures.as_ref()),
        &expect![[r#"
            {
              "id": "pensions",
              "name": "PENSIONS",
              "short_name": "PENSIONS",
              "channel": "voice",
              "requires": {
                "pensions": 5
              },
              "language": null,
              "levels": null,
              "service_level": {
                "share": 0.8,
                "within": "20s"
              },
              "max_waiting": null,
              "wrap_up": "30s",
              "offer_timeout": "20s",
              "on_reject": "not_ready",
              "max_misses": 1,
              "short_abandon": "5s",
              "thresholds": {},
              "strategy": {
                "agent": "longest_idle",
                "contact": "oldest_first"
              },
              "state": "open",
              "waiting": 1,
              "longest_wait_since": "2026-03-02T08:01:25Z",
              "active": 0,
              "ready": 0,
              "offered_today": 3,
              "answered_today": 1,
              "abandoned_today": 1,
              "short_abandoned_today": 1,
              "refused_today": 0,
              "overflowed_out_today": 0,
              "transferred_out_today": 0,
              "callbacks_today": 0,
              "carried_over_today": 0,
              "service_level_today": 1.0,
              "offered_15m": 3,
              "answered_15m": 1,
              "abandoned_15m": 1,
              "short_abandoned_15m": 1,
              "service_level_15m": 1.0,
              "offered_1h": 3,
              "answered_1h": 1,
              "abandoned_1h": 1,
              "short_abandoned_1h": 1,
              "service_level_1h": 1.0,
              "asa_today_s": 0.0,
              "aht_today_s": null,
              "expected_wait_s": null,
              "version": 1
            }
        "#]],
    );
    assert_eq!(figures.as_ref(), life.board.data(Scope::All)["queues"].get("pensions"));
}

#[test]
fn instants() {
    let texts = [START, START.plus(Span::millis(1_500)), START.plus(Span(1)), Timestamp(-1)];
    let texts: Vec<_> = texts.into_iter().map(rfc3339).collect();
    assert_eq!(
        texts,
        [
            "2026-03-02T08:00:00Z",
            "2026-03-02T08:00:01.5Z",
            "2026-03-02T08:00:00.000001Z",
            "1969-12-31T23:59:59.999999Z"
        ]
    );
    assert!(rfc3339(Timestamp(i64::MAX)).starts_with("9999"));
}
