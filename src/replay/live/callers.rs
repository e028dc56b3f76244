//! Those who call: each comes at its time, and leaves when its patience is over.
//!
//! Queues that open and close, and contacts that get another priority, are here too: nobody's desk
//! does that. Who answers is not here (`desk`).

use std::sync::Arc;

use atalaya_domain::ids::Slug;
use atalaya_domain::priority::OrderKey;
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::LiveError;
use super::world::{World, instant};
use crate::client::ClientError;
use crate::simulation::scenario::{ActionKind, QueueDoes};

/// Events that are looked through for the one that a contact came with.
const EVENTS_MAX: u64 = 500;

/// Lets everybody come; ends when the last has, and gives those who may still leave.
pub(super) async fn arrive(world: Arc<World>, first_seq: u64, checks: bool) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    for (number, contact) in world.scenario.contacts.iter().enumerate() {
        world.clock.until(world.clock.on_server(contact.at)).await;
        while calls.try_join_next().is_some() {}
        if world.notes().fault.is_some() {
            break;
        }
        calls.spawn(call(world.clone(), number, checks.then_some(first_seq)));
    }
    calls
}

async fn call(world: Arc<World>, number: usize, check_from: Option<u64>) {
    let Some(contact) = world.scenario.contacts.get(number) else { return };
    let mut body = json!({
        "channel": "voice",
        "queue": contact.queue.as_str(),
        "priority": contact.priority.as_str(),
        "external_id": contact.id,
    });
    if let Some(language) = &contact.language {
        body["language"] = language.as_str().into();
    }
    if let Some(requires) = &contact.requires {
        let skills = requires.iter().map(|(skill, level)| (skill.to_string(), json!(level)));
        body["requires"] = skills.collect::<Value>();
    }
    let sent = Instant::now();
    let made = match world.client.post("/api/v1/contacts", &body).await {
        Ok(made) => made,
        Err(error) => return world.refused("an arrival", &error),
    };
    world.hop(sent);
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let refused = made["state"] == "refused";
    let is_new = {
        let mut notes = world.notes();
        notes.ids.insert(id.clone(), number);
        if refused {
            notes.ended.insert(number);
        }
        notes.classes.insert(contact.priority.clone())
    };
    let Some(arrived) = instant(&made["arrived_at"]).filter(|_| !refused) else { return };
    if let Some(from) = check_from.filter(|_| is_new)
        && let Err(fault) = check_class(&world, &id, &contact.priority, arrived, from).await
    {
        world.notes().fault.get_or_insert(fault);
        return;
    }
    let patience = contact.patience.map(|patience| arrived.plus(patience));
    let hangs_up = contact.hangs_up_at.map(|at| world.clock.on_server(at));
    if let Some(leaves) = patience.into_iter().chain(hangs_up).min() {
        leave(&world, number, &id, leaves).await;
    }
}

async fn leave(world: &World, number: usize, id: &str, at: Timestamp) {
    world.clock.until(at).await;
    if world.notes().answered.contains(&number) {
        return;
    }
    let sent = Instant::now();
    match world.client.post(&format!("/api/v1/contacts/{id}/abandon"), &json!({})).await {
        Ok(_) => {
            world.hop(sent);
            let mut notes = world.notes();
            notes.ended.insert(number);
            notes.abandoned += 1;
        }
        // Answered before, or sent away: nothing to leave.
        Err(error) if error.is_conflict() => (),
        Err(error) => world.refused("an abandoning", &error),
    }
}

/// Whether the server gives a class the head start that the day gives it: the key of the first
/// contact of the class tells.
async fn check_class(
    world: &World,
    id: &str,
    class: &Slug,
    arrived: Timestamp,
    mut from: u64,
) -> Result<(), LiveError> {
    let wanted = world.credit(class).map(|credit| credit.order_key(arrived));
    let wanted = wanted.as_ref().map(OrderKey::to_string);
    let entity = format!("contact:{id}");
    loop {
        let path = format!("/api/v1/events?after={from}&limit={EVENTS_MAX}");
        let page = world.client.get(&path).await?;
        let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
        let came = items.iter().find(|item| item["entity"] == *entity && item["event"] == "queued");
        if let Some(came) = came {
            let key = came["data"]["order_key"].as_str();
            if key == wanted.as_deref() {
                return Ok(());
            }
            return Err(LiveError::Priority(class.clone()));
        }
        match page["next_cursor"].as_str().and_then(|seq| seq.parse().ok()) {
            Some(next) => from = next,
            None => return Ok(()),
        }
    }
}

/// Does what is nobody's desk's to do, each at its time.
pub(super) async fn act(world: Arc<World>) {
    for action in &world.scenario.actions {
        let done = match &action.what {
            ActionKind::Agent(..) => continue,
            ActionKind::Queue(queue, does) => {
                world.clock.until(world.clock.on_server(action.at)).await;
                let (verb, body) = match does {
                    QueueDoes::Open => ("open", json!({})),
                    QueueDoes::Close { emergency } => ("close", json!({"emergency": emergency})),
                };
                world.client.post(&format!("/api/v1/queues/{queue}/{verb}"), &body).await
            }
            ActionKind::Priority(name, class) => {
                world.clock.until(world.clock.on_server(action.at)).await;
                prioritise(&world, name, class).await
            }
        };
        match done {
            Ok(_) => (),
            Err(error) if error.is_conflict() => {
                world.leave_out("an action: it did not apply any more");
            }
            Err(error) => world.refused("an action", &error),
        }
    }
}

async fn prioritise(world: &World, name: &str, class: &Slug) -> Result<Value, ClientError> {
    let number = world.number(&json!({"external_id": name}));
    let id = {
        let notes = world.notes();
        notes.ids.iter().find(|(_, other)| Some(**other) == number).map(|(id, _)| id.clone())
    };
    match id {
        None => Ok(Value::Null),
        Some(id) => {
            let body = json!({"priority": class.as_str()});
            world.client.patch(&format!("/api/v1/contacts/{id}"), &body).await
        }
    }
}
