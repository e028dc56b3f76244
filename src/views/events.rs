//! Committed events as `/events` and `/history` show them: the API's table, in code.
//!
//! Nothing personal is in an event, so nothing is masked here.

use std::fmt::Write as _;

use atalaya_domain::agent::{self, OfferResult};
use atalaya_domain::contact::{self, Choice, Entered, Who};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, OfferId, Slug};
use atalaya_domain::time::Timestamp;
use atalaya_domain::{Event, credential, queue, system};
use serde_json::{Map, Value, json};

use super::json::{language, levels, rfc3339, skills_json, wish_json};

/// One event; `observed_at`: when it was done, if later than it fell due.
pub fn event_json(
    seq: u64,
    by: &str,
    recorded: &Recorded,
    observed_at: Option<Timestamp>,
) -> Value {
    let mut value = Map::new();
    value.insert("seq".to_owned(), json!(seq));
    value.insert("at".to_owned(), json!(rfc3339(recorded.at)));
    if let Some(observed_at) = observed_at.filter(|observed_at| *observed_at > recorded.at) {
        value.insert("observed_at".to_owned(), json!(rfc3339(observed_at)));
    }
    value.insert("entity".to_owned(), json!(recorded.entity.to_string()));
    value.insert("event".to_owned(), json!(recorded.event.name()));
    value.insert("by".to_owned(), json!(by));
    value.insert("data".to_owned(), data(recorded.at, &recorded.event));
    Value::Object(value)
}

fn data(at: Timestamp, event: &Event) -> Value {
    match event {
        Event::Agent(event) => of_agent(event),
        Event::Contact(event) => of_contact(at, event),
        Event::Queue(event) => of_queue(event),
        Event::Credential(event) => of_credential(event),
        Event::System(event) => of_system(event),
    }
}

fn of_contact(at: Timestamp, event: &contact::Event) -> Value {
    use contact::Event as E;
    match event {
        E::Queued(entered) => Value::Object(entered_json(entered)),
        E::Refused { entered, reason } => {
            let mut data = entered.as_deref().map(entered_json).unwrap_or_default();
            data.insert("reason".to_owned(), json!(reason.as_str()));
            Value::Object(data)
        }
        E::Offered { offer, agent, expires_at, choice } => json!({
            "offer": offer.to_string(),
            "agent": agent.as_str(),
            "expires_at": rfc3339(*expires_at),
            "decision": decision_json(at, agent, choice),
        }),
        E::OfferAccepted { offer, agent } => {
            json!({ "offer": offer.to_string(), "agent": agent.as_str() })
        }
        E::Answered { agent } | E::BackOffEnded { agent } => json!({ "agent": agent.as_str() }),
        E::OfferRejected { offer, agent, reason, .. }
        | E::OfferRecalled { offer, agent, reason } => gone(*offer, agent, reason.as_str()),
        E::OfferMissed { offer, agent } => gone(*offer, agent, agent::MISSED_OFFER),
        E::Abandoned | E::Held | E::Resumed => json!({}),
        E::Completed { agent, by, wrap_up_until } => json!({
            "agent": agent.as_str(),
            "by": who(by),
            "wrap_up_until": wrap_up_until.map(rfc3339),
        }),
        E::WrapUpExtended { until, .. } => json!({ "until": rfc3339(*until) }),
        E::WrapUpEnded { by, outcome, topic } => {
            json!({ "by": who(by), "outcome": outcome, "topic": topic })
        }
        E::OutcomeGiven { outcome, topic } => json!({ "outcome": outcome, "topic": topic }),
        E::PriorityChanged { from, to, order_key } => json!({
            "from": from.as_str(),
            "to": to.as_str(),
            "order_key": order_key.to_string(),
        }),
    }
}

fn entered_json(entered: &Entered) -> Map<String, Value> {
    let members = [
        ("queue", json!(entered.queue.as_str())),
        ("channel", json!("voice")),
        ("priority", json!(entered.priority.as_str())),
        ("order_key", json!(entered.order_key.to_string())),
        ("language", json!(language(&entered.requirement))),
        ("requires", skills_json(&entered.requirement.skills)),
        ("levels", json!(levels(&entered.requirement))),
        ("external_id", json!(entered.external_id)),
        ("person", json!(entered.person.to_string())),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Why this agent, as it was recorded when the offer was made: also `decision` of an explanation.
pub fn decision_json(at: Timestamp, agent: &AgentId, choice: &Choice) -> Value {
    json!({
        "at": rfc3339(at),
        "agent": agent.as_str(),
        "candidates": choice.candidates,
        "strategy": "longest_idle",
        "why": format!("idle since {}", rfc3339(choice.idle_since)),
        "next": choice.next.iter().map(AgentId::as_str).collect::<Vec<_>>(),
    })
}

fn gone(offer: OfferId, agent: &AgentId, reason: &str) -> Value {
    json!({ "offer": offer.to_string(), "agent": agent.as_str(), "reason": reason })
}

fn who(who: &Who) -> String {
    match who {
        Who::Agent(agent) => format!("agent:{agent}"),
        Who::Supervisor => "supervisor".to_owned(),
        Who::Citizen => "citizen".to_owned(),
        Who::System => "system".to_owned(),
    }
}

fn of_agent(event: &agent::Event) -> Value {
    use agent::Event as E;
    match event {
        E::Changed { text_hash, .. } => json!({ "hash": text_hash_json(text_hash) }),
        E::SignedIn { start } | E::Heard { start } => json!({ "start": start }),
        E::SignedOut | E::Lost => json!({}),
        E::IntentChanged { not_ready } => {
            let state = if not_ready.is_some() { "not_ready" } else { "ready" };
            json!({ "state": state, "reason": not_ready.as_ref().map(Slug::as_str) })
        }
        E::PendingChanged { pending } => match pending {
            Some(wish) => wish_json(wish),
            None => json!({ "state": null, "reason": null }),
        },
        E::Reserved { offer, contact, .. } => {
            json!({ "offer": offer.to_string(), "contact": contact.to_string() })
        }
        E::Released { offer, result, .. } => {
            let result = match result {
                OfferResult::Accepted => "accepted",
                OfferResult::Rejected => "rejected",
                OfferResult::Missed => "missed",
                OfferResult::Recalled => "recalled",
            };
            json!({ "offer": offer.to_string(), "result": result })
        }
        E::LegStarted { contact } | E::LegEnded { contact } => {
            json!({ "contact": contact.to_string() })
        }
        E::LegWrapping { contact, until } => {
            json!({ "contact": contact.to_string(), "until": until.map(rfc3339) })
        }
        E::PresenceChanged { state, reason, since } => json!({
            "state": state.name(),
            "reason": reason.as_ref().map(Slug::as_str),
            "since": rfc3339(*since),
        }),
    }
}

fn of_queue(event: &queue::Event) -> Value {
    match event {
        queue::Event::Changed { text_hash, .. } => json!({ "hash": text_hash_json(text_hash) }),
        queue::Event::Opened { .. } => json!({}),
        queue::Event::Closed { emergency, .. } => json!({ "emergency": emergency }),
    }
}

/// The hash of the secret stays inside.
fn of_credential(event: &credential::Event) -> Value {
    match event {
        credential::Event::Made(grant) => json!({
            "role": grant.role.as_str(),
            "agent": grant.agent.as_ref().map(AgentId::as_str),
            "scope": grant.scope.as_ref().map(Slug::as_str),
        }),
        credential::Event::Ended => json!({}),
    }
}

fn of_system(event: &system::Event) -> Value {
    match event {
        system::Event::Started { number, rate } => json!({ "number": number, "rate": rate }),
        system::Event::ClockSet { to } => json!({ "to": rfc3339(*to) }),
        system::Event::Configured { hash } => json!({ "hash": hex(hash) }),
        system::Event::Quarantined { entity, cause } => {
            json!({ "entity": entity.to_string(), "cause": cause })
        }
    }
}

/// Null until a configured text was applied.
fn text_hash_json(hash: &[u8; 16]) -> Value {
    if *hash == [0; 16] { Value::Null } else { hex(hash).into() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
