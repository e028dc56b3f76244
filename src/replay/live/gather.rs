//! What came of the day, read from the server: its contacts, and when their wrap-ups ended.

use std::collections::{BTreeMap, HashMap};

use atalaya_domain::time::Timestamp;
use serde_json::Value;

use super::LiveError;
use super::world::{World, instant};
use crate::replay::report::Outcome;

/// Items of one page.
const PAGE: usize = 500;
/// Contacts that are read one by one at once; the others are read later.
const READ_MAX: usize = 200;

/// Reads `open` contacts and notes those that have ended; says whether all others only wait.
pub(super) async fn read(world: &World, open: &[String]) -> Result<bool, LiveError> {
    let mut only_wait = open.len() <= READ_MAX;
    for id in open.iter().take(READ_MAX) {
        let contact = world.client.get(&format!("/api/v1/contacts/{id}")).await?;
        if contact["ended_at"].is_string() {
            if let Some(number) = world.number(&contact) {
                world.notes().ended.insert(number);
            }
        } else if contact["state"] != "queued" {
            only_wait = false;
        }
    }
    Ok(only_wait)
}

/// What came of the day.
pub(super) struct Gathered {
    /// What became of every contact.
    pub(super) outcomes: Vec<Outcome>,
    /// Events in the log since the day began.
    pub(super) events: u64,
    /// The wallboard's figures of its day.
    pub(super) wallboard: BTreeMap<String, u64>,
}

/// Reads all that came of the day, whose first event comes after `first_seq`.
pub(super) async fn gather(world: &World, first_seq: u64) -> Result<Gathered, LiveError> {
    let board = world.client.get("/api/v1/wallboard").await?;
    let totals = board["data"]["totals"].as_object().into_iter().flatten();
    let wallboard = totals.filter(|(name, _)| name.ends_with("_today"));
    let wallboard = wallboard.filter_map(|(name, figure)| Some((name.clone(), figure.as_u64()?)));
    let wallboard = wallboard.collect();
    let last_seq = board["seq"].as_u64().unwrap_or_default();
    let events = last_seq.saturating_sub(first_seq);
    let closed = closed(world, first_seq, last_seq).await?;
    let mut outcomes = Vec::new();
    let ids = world.notes().ids.clone();
    // Ids grow with time: the list begins right before the day's first.
    let before = ids.first_key_value().and_then(|(id, _)| {
        let id = uuid::Uuid::try_parse(id).ok()?.as_u128();
        Some(uuid::Uuid::from_u128(id.saturating_sub(1)).to_string())
    });
    let Some(mut cursor) = before else {
        return Ok(Gathered { outcomes, events, wallboard });
    };
    loop {
        let path = format!("/api/v1/contacts?limit={PAGE}&cursor={cursor}");
        let page = world.client.get(&path).await?;
        for contact in items(&page) {
            let id = contact["id"].as_str().unwrap_or_default();
            if let Some(number) = ids.get(id) {
                outcomes.extend(outcome(world, *number, contact, closed.get(id).copied()));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let lost = ids.len() - outcomes.len();
    for _ in 0..lost {
        world.leave_out("a contact: the server does not show it any more");
    }
    Ok(Gathered { outcomes, events, wallboard })
}

/// When the contacts' wrap-ups ended.
async fn closed(
    world: &World,
    first_seq: u64,
    last_seq: u64,
) -> Result<HashMap<String, Timestamp>, LiveError> {
    let mut closed = HashMap::new();
    let mut after = first_seq;
    while after < last_seq {
        let path = format!("/api/v1/events?after={after}&limit={PAGE}");
        let page = world.client.get(&path).await?;
        for event in items(&page).iter().filter(|event| event["event"] == "wrap_up_ended") {
            let contact = event["entity"].as_str().and_then(|id| id.strip_prefix("contact:"));
            if let (Some(contact), Some(at)) = (contact, instant(&event["at"])) {
                closed.entry(contact.to_owned()).or_insert(at);
            }
        }
        match page["next_cursor"].as_str().and_then(|seq| seq.parse().ok()) {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(closed)
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}

/// One contact as the report has it, in the day's own time.
fn outcome(
    world: &World,
    number: usize,
    contact: &Value,
    closed: Option<Timestamp>,
) -> Option<Outcome> {
    let planned = world.scenario.contacts.get(number)?;
    let start = world.scenario.start;
    let since = |at: Timestamp| world.clock.in_day(at).since(start);
    let rules = world.scenario.queues.iter().find(|(id, _)| contact["queue"] == id.as_str());
    let rules = rules.map(|(_, rules)| rules);
    let arrived = instant(&contact["arrived_at"])?;
    let answered = instant(&contact["answered_at"]);
    let ended = instant(&contact["ended_at"]);
    let outcome = match (answered, contact["state"].as_str()) {
        (Some(_), _) => "answered",
        (None, Some("abandoned")) => "abandoned",
        (None, Some("refused")) => "refused",
        (None, _) => "waiting",
    };
    let short = rules
        .zip(ended)
        .is_some_and(|(rules, ended)| ended.since(arrived) <= rules.short_abandon.span);
    let text = |key: &str| contact[key].as_str().map(str::to_owned);
    Some(Outcome {
        contact: planned.id.clone(),
        queue: text("queue").unwrap_or_default(),
        priority: text("priority").unwrap_or_default(),
        arrived: since(arrived),
        answered: answered.map(since),
        ended: ended.map(since),
        agent: answered.and_then(|_| text("agent")),
        outcome,
        closed: closed.map(since),
        within: rules.and_then(|rules| rules.service_level.as_ref()).map(|level| level.within.span),
        short,
    })
}
