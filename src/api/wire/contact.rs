//! A contact as JSON; whom its caller's number is shown to.

use atalaya_domain::contact::{Contact, State};
use atalaya_domain::ids::ContactId;
use serde_json::{Value, json};

use super::{extend, instant, instant_or_null, requirement, text_or_null};
use crate::api::call::Call;
use crate::api::roles::Role;

/// The contact as the caller may see it; none that has not come. `position`: where it waits.
pub fn json(
    call: &Call,
    id: ContactId,
    contact: &Contact,
    position: Option<usize>,
) -> Option<Value> {
    let entered = contact.entered.as_ref()?;
    let personal = call.api.personal.contact(id);
    let open = shows_personal(call, contact);
    let from = personal.from.map(|from| if open { from } else { masked(&from) });
    let subject = if open { personal.subject } else { String::new() };
    let mut json = json!({
        "id": id.to_string(),
        "channel": "voice",
        "queue": entered.queue.as_str(),
        "state": contact.state.name(),
        "priority": text_or_null(contact.priority.as_ref()),
    });
    extend(&mut json, requirement(&entered.requirement));
    let (offer, reason) = match &contact.state {
        State::Offered { offer, agent, expires_at, .. } => {
            let expires_at = instant(*expires_at);
            let agent = agent.as_str();
            let offer = json!({
                "id": offer.to_string(), "agent": agent, "expires_at": expires_at,
            });
            (offer, None)
        }
        State::Refused { reason } => (Value::Null, Some(reason)),
        _ => (Value::Null, None),
    };
    // A contact that was not admitted has that one event.
    let queued = reason.is_none() || contact.version > 1;
    let members = [
        ("citizen", Value::Null),
        ("from", json!(from)),
        ("arrived_at", instant(contact.arrived_at)),
        ("queued_at", instant_or_null(queued.then_some(contact.arrived_at))),
        ("offered_at", instant_or_null(contact.offered_at)),
        ("answered_at", instant_or_null(contact.answered_at)),
        ("ended_at", instant_or_null(contact.ended_at)),
        ("agent", text_or_null(contact.agent())),
        ("offer", offer),
        ("consulted", Value::Null),
        ("position", json!(position)),
        ("expected_wait_s", Value::Null),
        ("subject", subject.into()),
        ("external_id", json!(entered.external_id)),
        ("preferred_agent", Value::Null),
        ("callback_of", Value::Null),
        ("reason", text_or_null(reason)),
        ("outcome", json!(contact.outcome)),
        ("topic", json!(contact.topic)),
        ("version", contact.version.into()),
    ];
    extend(&mut json, members);
    Some(json)
}

/// The agent who has it and the supervisor see the other side; a screen on a wall and a program
/// do not.
fn shows_personal(call: &Call, contact: &Contact) -> bool {
    let Ok(caller) = call.caller() else { return false };
    match caller.role {
        Role::Agent => caller.agent.is_some() && caller.agent.as_ref() == contact.agent(),
        Role::Supervisor => !caller.reads_only,
        Role::Coordinator
        | Role::Integrator
        | Role::Administrator
        | Role::Auditor
        | Role::Citizen => false,
    }
}

/// The last three characters, the rest as dots.
fn masked(from: &str) -> String {
    let count = from.chars().count();
    let last: String = from.chars().skip(count.saturating_sub(3).max(1)).collect();
    format!("··· ··· {last}")
}
