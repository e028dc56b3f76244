//! The telephone exchange of the demo: it follows the committed events and tells each caller what
//! has become of the call, so that hundreds of callers need not ask.
//!
//! What callers do with it is not here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{World, rota, told_to};
use crate::client::ClientError;

/// Pause between two looks, where the last one brought no whole page.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// Events of one look.
const PAGE: usize = 500;
/// A cursor that is not kept any more, or of another log.
const GONE: u16 = 410;

/// What has become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Call {
    /// When it was answered, in centre seconds.
    pub answered_s: Option<f64>,
    /// Whether nobody speaks or waits any more.
    pub is_over: bool,
}

impl Call {
    /// Takes in how the contact stands.
    fn look(&mut self, contact: &Value) {
        let state = contact["state"].as_str();
        self.answered_s = self.answered_s.or_else(|| seconds(&contact["answered_at"]));
        self.is_over |= !matches!(state, Some("queued" | "offered" | "active" | "held"));
    }
}

/// The lines that are open: one a caller, at most as many as there are callers.
#[derive(Debug, Default)]
pub struct Exchange {
    lines: Arc<Mutex<HashMap<String, watch::Sender<Call>>>>,
}

/// One line; it is closed by being dropped.
#[derive(Debug)]
pub struct Line<'a> {
    exchange: &'a Exchange,
    id: String,
    call: watch::Receiver<Call>,
}

impl Exchange {
    /// Opens the line of a contact.
    pub fn connect(&self, id: &str) -> Line<'_> {
        let (line, call) = watch::channel(Call::default());
        self.lines().insert(id.to_owned(), line);
        Line { exchange: self, id: id.to_owned(), call }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Call>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, id: &str, change: impl FnOnce(&mut Call)) {
        if let Some(line) = self.lines().get(id) {
            line.send_modify(change);
        }
    }

    /// An event of `/events`.
    fn read(&self, event: &Value) {
        let entity = event["entity"].as_str().unwrap_or_default();
        let Some(id) = entity.strip_prefix("contact:") else { return };
        match event["event"].as_str().unwrap_or_default() {
            "answered" => {
                let answered_s = seconds(&event["at"]);
                self.tell(id, |call| call.answered_s = call.answered_s.or(answered_s));
            }
            "completed" | "abandoned" | "refused" | "wrap_up_ended" => {
                self.tell(id, |call| call.is_over = true);
            }
            _ => (),
        }
    }
}

impl Line<'_> {
    /// What is known.
    pub fn call(&mut self) -> Call {
        *self.call.borrow_and_update()
    }

    /// Waits for news.
    pub async fn changed(&mut self) {
        // The exchange holds the other end as long as the line lives.
        let _ = self.call.changed().await;
    }

    /// Takes in how the contact stands.
    pub fn look(&self, contact: &Value) {
        self.exchange.tell(&self.id, |call| call.look(contact));
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.exchange.lines().remove(&self.id);
    }
}

fn seconds(at: &Value) -> Option<f64> {
    at.as_str()?.parse::<Timestamp>().ok().map(rota::seconds)
}

/// Follows the events until told to stop.
pub async fn follow(world: Arc<World>, mut stop: watch::Receiver<bool>) {
    let mut cursor: Option<Cursor> = None;
    loop {
        let looked = match cursor.clone() {
            Some((epoch, seq)) => look(&world, &epoch, seq).await,
            None => begin(&world).await.map(|begun| (begun, false)),
        };
        let has_more = match looked {
            Ok((at, has_more)) => {
                cursor = Some(at);
                has_more
            }
            Err(error) => {
                if error.status() == Some(GONE) {
                    cursor = None;
                } else {
                    world.tally.error("the exchange", &error);
                }
                false
            }
        };
        if has_more {
            continue;
        }
        tokio::select! {
            () = sleep(LOOK_EVERY) => (),
            () = told_to(&mut stop) => return,
        }
    }
}

type Cursor = (String, u64);

/// Where the log stands; those whose lines are open are looked at once.
async fn begin(world: &World) -> Result<Cursor, ClientError> {
    let board = world.client.get("/api/v1/wallboard").await?;
    let epoch = board["epoch"].as_str().unwrap_or_default().to_owned();
    let cursor = (epoch, board["seq"].as_u64().unwrap_or(0));
    let open: Vec<String> = world.exchange.lines().keys().cloned().collect();
    for id in open {
        match world.client.get(&format!("/api/v1/contacts/{id}")).await {
            Ok(contact) => {
                world.exchange.tell(&id, |call| call.look(&contact));
            }
            // Not of this log.
            Err(error) if error.is_conflict() => {
                world.exchange.tell(&id, |call| call.is_over = true);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(cursor)
}

/// One page; whether there is more.
async fn look(world: &World, epoch: &str, seq: u64) -> Result<(Cursor, bool), ClientError> {
    let path = format!("/api/v1/events?after={seq}&epoch={epoch}&limit={PAGE}");
    let page = world.client.get(&path).await?;
    let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
    for event in items {
        world.exchange.read(event);
    }
    let last = items.last().and_then(|event| event["seq"].as_u64()).unwrap_or(seq);
    Ok(((epoch.to_owned(), last), page["next_cursor"].is_string()))
}
