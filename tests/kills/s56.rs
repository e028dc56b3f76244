//! S56: the core is killed and started again with a centre at work in it, in its exact numbers.

use serde_json::{Value, json};

use super::server::Server;
use super::support;
use super::wire::Wire;

/// The centre's clock: no midnight comes, which would turn the day's figures.
const CLOCK: [&str; 4] = ["--clock-rate", "1", "--clock-start", "2026-03-02T09:00:00Z"];
const SERVING: usize = 8;
const READY: usize = 7;
const REASONS: [&str; 4] = ["lunch", "break", "training", "meeting"];
/// Answered and closed before the eight that are in hand.
const CLOSED: usize = 110;
const ABANDONED: usize = 9;
/// Of the eight, those whose conversation has ended.
const WRAPPING: usize = 3;
/// Who waits, in the order in which they come.
const WAITING: [&str; 12] = [
    "normal",
    "low",
    "normal",
    "high",
    "emergency",
    "normal",
    "high",
    "low",
    "normal",
    "normal",
    "emergency",
    "normal",
];

fn all_agents() -> impl Iterator<Item = String> {
    let serving = (0..SERVING).map(|number| format!("serving-{number}"));
    let ready = (0..READY).map(|number| format!("ready-{number}"));
    serving.chain(ready).chain(REASONS.map(|reason| format!("away-{reason}")))
}

/// What the wallboard says, in this order.
const FIGURES: [&str; 11] = [
    "waiting",
    "active",
    "wrap_up",
    "ready",
    "not_ready",
    "lost",
    "busy",
    "signed_in",
    "offered_today",
    "answered_today",
    "abandoned_today",
];

async fn signed_in(admin: &mut Wire, agent: &str, skills: &Value, presence: &Value) {
    let profile = json!({"name": "Ana García", "team": "morning", "level": 1, "skills": skills,
        "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
    let path = format!("/api/v1/agents/{agent}");
    admin.put(&path, &profile).await.unwrap().good();
    let presence = admin.acting(agent).post(&format!("{path}/presence"), presence).await;
    presence.unwrap().good();
}

async fn call(admin: &mut Wire, priority: &str) -> String {
    let call = json!({"channel": "voice", "queue": "pensions", "priority": priority});
    let came = admin.post("/api/v1/contacts", &call).await.unwrap().good();
    format!("/api/v1/contacts/{}", came["id"].as_str().unwrap())
}

/// A call that is answered by whoever it is offered to: its path, and the agent's connection.
async fn answered(admin: &mut Wire) -> (String, Wire) {
    let path = call(admin, "normal").await;
    let offer = support::wait_for_async("an offer", async || {
        let contact = admin.get(&path).await.unwrap().good();
        contact["offer"].is_object().then(|| contact["offer"].clone())
    })
    .await;
    let (id, agent) = (offer["id"].as_str().unwrap(), offer["agent"].as_str().unwrap());
    let mut desk = admin.acting(agent);
    let accept = format!("/api/v1/agents/{agent}/offers/{id}/accept");
    desk.post(&accept, &json!({})).await.unwrap().good();
    (path, desk)
}

/// The centre before the kill.
async fn work(admin: &mut Wire) {
    let rules = json!({"name": "Pensiones", "requires": {"pensions": 5}, "wrap_up": "none",
        "short_abandon": "0s", "service_level": {"share": 0.8, "within": "20s"}});
    admin.put("/api/v1/queues/pensions", &rules).await.unwrap().good();
    let (able, ready) = (json!({"pensions": 7}), json!({"state": "ready"}));
    for agent in all_agents() {
        let skills = if agent.starts_with("ready") { &json!({}) } else { &able };
        let reason = agent.strip_prefix("away-");
        let away = json!({"state": "not_ready", "reason": reason});
        signed_in(admin, &agent, skills, if reason.is_some() { &away } else { &ready }).await;
    }
    for number in 0..CLOSED + SERVING {
        let (path, mut desk) = answered(admin).await;
        if number < CLOSED + WRAPPING {
            desk.post(&format!("{path}/complete"), &json!({})).await.unwrap().good();
        }
        if number < CLOSED {
            let outcome = json!({"outcome": "done"});
            desk.post(&format!("{path}/wrap_up"), &outcome).await.unwrap().good();
        }
    }
    for _ in 0..ABANDONED {
        let path = call(admin, "normal").await;
        admin.post(&format!("{path}/abandon"), &json!({})).await.unwrap().good();
    }
    for priority in WAITING {
        call(admin, priority).await;
    }
}

/// What must be the same before and after.
#[derive(Debug, PartialEq)]
struct Kept {
    /// In the order of service, with all that is shown of them.
    waiting: Vec<Value>,
    contacts: Vec<Value>,
    /// Contact and order key, as they were recorded.
    order_keys: Vec<(Value, Value)>,
    /// The queue's figures but for `ready`, which follows the agents.
    queue: Value,
}

impl Kept {
    async fn of(admin: &mut Wire) -> Self {
        let queued = |event: &Value| {
            let is_it = event["event"] == "queued";
            is_it.then(|| (event["entity"].clone(), event["data"]["order_key"].clone()))
        };
        let mut board = admin.get("/api/v1/wallboard").await.unwrap().good();
        let mut queue = board["data"]["queues"]["pensions"].take();
        queue["ready"] = Value::Null;
        Self {
            waiting: admin.all("/api/v1/queues/pensions/waiting").await,
            contacts: admin.all("/api/v1/contacts").await,
            order_keys: admin.all("/api/v1/events").await.iter().filter_map(queued).collect(),
            queue,
        }
    }
}

async fn figures(admin: &mut Wire) -> [u64; 11] {
    let board = admin.get("/api/v1/wallboard").await.unwrap().good();
    FIGURES.map(|figure| board["data"]["totals"][figure].as_u64().unwrap())
}

#[actix_web::test]
async fn s56_cold_restart_in_its_exact_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &CLOCK);
    let mut admin = server.wire();
    let heard = server.keep_heard(all_agents().collect());
    work(&mut admin).await;
    assert_eq!(figures(&mut admin).await, [12, 5, 3, 7, 4, 0, 5, 19, 139, 118, 9]);
    let kept = Kept::of(&mut admin).await;
    assert_eq!(kept.order_keys.len(), 139);
    let served: Vec<_> = kept.waiting.iter().map(|contact| contact["priority"].clone()).collect();
    assert_eq!(served[..4], ["emergency", "emergency", "high", "high"], "by their order keys");
    let agents = admin.all("/api/v1/agents").await;
    drop(heard);
    server.kill();

    let server = Server::start_with(dir.path(), &CLOCK[..2]);
    let mut admin = server.wire();
    let unheard = admin.all("/api/v1/agents").await;
    // Nobody is ready merely because the process started.
    assert_eq!(figures(&mut admin).await, [12, 5, 0, 0, 0, 19, 0, 19, 139, 118, 9]);
    assert_eq!(Kept::of(&mut admin).await, kept);
    for (before, after) in agents.iter().zip(&unheard) {
        assert_eq!(after["state"], "lost");
        assert_eq!((&after["was"], &after["was_since"]), (&before["state"], &before["since"]));
        assert_eq!(after["work"], before["work"]);
    }
    for before in agents {
        let id = before["id"].as_str().unwrap();
        let heard = admin.acting(id).get(&format!("/api/v1/agents/{id}")).await.unwrap().good();
        for kept in ["state", "reason", "since", "work", "room", "pending"] {
            assert_eq!(heard[kept], before[kept], "{kept} of {id}");
        }
    }
    assert_eq!(figures(&mut admin).await, [12, 5, 3, 7, 4, 0, 5, 19, 139, 118, 9]);
    assert_eq!(Kept::of(&mut admin).await, kept);
    server.kill();
}
