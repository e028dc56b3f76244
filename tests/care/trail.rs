//! The trail of one call: with its id alone a person finds each step of its life in the log lines,
//! in the events and in its history, under the same numbers; and nobody's data in any line.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::house::{Place, Server};
use crate::support;
use crate::wire::Wire;

/// As an operator writes it who wants to follow calls.
const CONFIG: &str =
    "[server]\nlog_level = \"info,atalaya::entries=debug\"\nlog_format = \"json\"\n";
/// What is personal in what is said below: of the caller, of the agents, and why something is done.
const PERSONAL: [&str; 7] = ["600000142", "Matilde", "hija", "García", "Ana G", "Luis", "Remedios"];

async fn furnish(wire: &mut Wire) {
    let rules = json!({"name": "Pensiones", "requires": {}, "wrap_up": "5m",
        "offer_timeout": "60m"});
    wire.put("/api/v1/queues/pensions", &rules).await.unwrap().good();
    for (id, name) in [("ana", "Ana García"), ("luis", "Luis Ortega")] {
        let profile = json!({"name": name, "team": "morning", "level": 1, "skills": {},
            "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
        wire.put(&format!("/api/v1/agents/{id}"), &profile).await.unwrap().good();
    }
}

/// Waits until the contact is out to an agent: who, and which offer.
async fn offered(wire: &mut Wire, path: &str, not: &str) -> (String, String) {
    support::wait_for_async("the offer", async || {
        let contact = wire.get(path).await.unwrap().good();
        let offer = contact["offer"]["id"].as_str()?.to_owned();
        let agent = contact["offer"]["agent"].as_str()?.to_owned();
        (agent != not).then_some((agent, offer))
    })
    .await
}

/// A call through its life: rejected by one agent, taken by the other, held, resumed, ended, written
/// up; and a command that is refused. Its id.
async fn one_call(wire: &mut Wire) -> String {
    for agent in ["ana", "luis"] {
        let path = format!("/api/v1/agents/{agent}/presence");
        wire.acting(agent).post(&path, &json!({"state": "ready"})).await.unwrap().good();
    }
    let call = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142",
        "subject": "llama su hija Matilde", "external_id": "pbx-77"});
    let came = wire.post("/api/v1/contacts", &call).await.unwrap().good();
    let id = came["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/contacts/{id}");
    let (first, offer) = offered(wire, &path, "").await;
    let answer = |agent: &str, offer: &str, verb: &str| {
        format!("/api/v1/agents/{agent}/offers/{offer}/{verb}")
    };
    let reject = json!({"reason": "break"});
    let mut desk = wire.acting(&first);
    desk.post(&answer(&first, &offer, "reject"), &reject).await.unwrap().good();
    let (second, offer) = offered(wire, &path, &first).await;
    let mut desk = wire.acting(&second);
    for (path, body) in [
        (answer(&second, &offer, "accept"), json!({})),
        (format!("{path}/hold"), json!({})),
        (format!("{path}/resume"), json!({})),
        (format!("{path}/complete"), json!({})),
        (format!("{path}/extend_wrap_up"), json!({"by": "30s"})),
        (format!("{path}/wrap_up"), json!({"outcome": "solved", "topic": "pension"})),
    ] {
        desk.post(&path, &body).await.unwrap().good();
    }
    let late = wire.post(&format!("{path}/abandon"), &json!({})).await.unwrap();
    assert!((400..500).contains(&late.status), "{late:?}");
    let force = json!({"state": "not_ready", "reason": "break", "force": true,
        "why": "lo pidió Remedios"});
    wire.post(&format!("/api/v1/agents/{second}/presence"), &force).await.unwrap().good();
    id
}

/// What happened, by number.
fn steps<'a>(told: impl IntoIterator<Item = &'a Value>) -> BTreeMap<u64, String> {
    let step = |told: &Value| {
        let by = told["by"].as_str().unwrap();
        (told["seq"].as_u64().unwrap(), format!("{} {by}", told["event"].as_str().unwrap()))
    };
    told.into_iter().map(step).collect()
}

#[actix_web::test]
async fn each_step_is_in_lines_events_and_history_under_the_same_number() {
    let place = Place::new(CONFIG);
    let server = place.serve("data", &[]);
    let mut wire = server.wire(&place.token());
    furnish(&mut wire).await;
    let id = one_call(&mut wire).await;
    let entity = format!("contact:{id}");
    let history = wire.get(&format!("/api/v1/contacts/{id}/history")).await.unwrap().good();
    let events = wire.all("/api/v1/events").await;
    let filtered = wire.get(&format!("/api/v1/events?entity={entity}")).await.unwrap().good();

    let history = steps(history["items"].as_array().unwrap());
    let names: Vec<_> = history.values().map(|step| step.split(' ').next().unwrap()).collect();
    let life = [
        "queued",
        "offered",
        "offer_rejected",
        "offered",
        "offer_accepted",
        "answered",
        "held",
        "resumed",
        "completed",
        "wrap_up_extended",
        "wrap_up_ended",
    ];
    assert_eq!(names, life);
    assert_eq!(steps(events.iter().filter(|event| event["entity"] == entity)), history);
    assert_eq!(steps(filtered["items"].as_array().unwrap()), history);
    // As a person does: one grep.
    let text = all_lines(&server, events.len());
    let found: Vec<Value> = text
        .lines()
        .filter(|line| line.contains(&id))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let committed = found.iter().filter(|line| line["message"] == "committed");
    assert_eq!(steps(committed), history);
    let refused: Vec<_> = found.iter().filter(|line| line["message"] == "refused").collect();
    assert_eq!(refused.len(), 1, "the refused command is told too: {refused:?}");
    assert_eq!(refused[0]["why"], "cannot abandon while closed");
    for line in &found {
        assert!(line["entity"].is_string() && line["seq"].is_u64(), "{line}");
        assert_eq!(line["entity"], entity, "{line}");
    }
    // What else happened in the same decision is found by the entry's number.
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = found.iter().find(|line| line["event"] == "answered").unwrap();
    let same = |line: &&Value| line["entry"] == answered["entry"];
    assert!(all.iter().filter(same).any(|line| line["event"] == "leg_started"), "{answered}");
    for word in PERSONAL {
        assert!(!text.contains(word), "`{word}` stands in a line:\n{text}");
    }
    server.stop();
}

/// The lines, once the last event that is known has its own.
fn all_lines(server: &Server, events: usize) -> String {
    support::wait_for("the lines", || {
        let lines = server.lines();
        lines.contains(&format!("\"seq\":{events},")).then_some(lines)
    })
}

/// The configuration says how lines are written, and the command line goes before it.
#[actix_web::test]
async fn level_and_form_are_the_configurations_unless_the_command_line_says_them() {
    let place = Place::new(CONFIG);
    let first = |words: &[&str]| {
        let server = place.serve("data", words);
        let lines = support::wait_for("a line", || {
            let lines = server.lines();
            lines.contains("started").then_some(lines)
        });
        server.stop();
        lines
    };
    let configured = first(&[]);
    assert!(configured.contains("\"message\":\"committed\""), "{configured}");
    assert!(configured.lines().all(|line| line.starts_with('{')), "{configured}");
    let level = first(&["--log-level", "info"]);
    assert!(level.starts_with('{') && !level.contains("committed"), "{level}");
    let form = first(&["--log-format", "text"]);
    assert!(!form.starts_with('{') && form.contains("committed"), "{form}");
    std::fs::write(place.path("c.toml"), "").unwrap();
    let neither = first(&[]);
    assert!(!neither.starts_with('{') && !neither.contains("committed"), "{neither}");
}
