//! Why a contact has its agent, or why it still waits, as the API shows it.

use atalaya_domain::contact::{Contact, State};
use atalaya_domain::explain::{Explanation, Near, Order, Step, Stopped};
use atalaya_domain::ids::ContactId;
use atalaya_domain::skills::Requirement;
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};

use super::events::decision_json;
use super::json::{language, levels, rfc3339, skills_json};

/// The explanation of a contact that has come, as of the event `seq`.
pub fn explain_json(
    id: ContactId,
    contact: &Contact,
    explanation: &Explanation,
    at: Timestamp,
    seq: u64,
) -> Value {
    let requirement = contact.entered.as_ref().map(|entered| &entered.requirement);
    json!({
        "contact": id.to_string(),
        "at": rfc3339(at),
        "seq": seq,
        "state": contact.state.name(),
        "requirement": requirement.map(requirement_json),
        "order": explanation.order.as_ref().map(order_json),
        "steps": explanation.steps.iter().map(step_json).collect::<Vec<_>>(),
        "rules": explanation.rules.iter().map(stopped_json).collect::<Vec<_>>(),
        "nearest": explanation.nearest.iter().map(near_json).collect::<Vec<_>>(),
        "decision": recorded(contact),
    })
}

fn requirement_json(requirement: &Requirement) -> Value {
    json!({
        "requires": skills_json(&requirement.skills),
        "language": language(requirement),
        "levels": levels(requirement),
    })
}

fn order_json(order: &Order) -> Value {
    json!({
        "position": order.position,
        "of": order.of,
        "key": order.key.to_string(),
        "ahead": order.ahead.iter().map(ContactId::to_string).collect::<Vec<_>>(),
    })
}

fn step_json(step: &Step) -> Value {
    json!({
        "at": rfc3339(step.at),
        "requires": skills_json(&step.requirement.skills),
        "language": language(&step.requirement),
        "levels": levels(&step.requirement),
        "free_agents": step.free_agents,
    })
}

fn stopped_json(stopped: &Stopped) -> Value {
    json!({ "rule": stopped.rule.name(), "stops": stopped.stops, "left": stopped.left })
}

fn near_json(near: &Near) -> Value {
    json!({
        "agent": near.agent.as_str(),
        "rule": near.rule.name(),
        "detail": near.detail,
        "able_at": near.able_at.map(rfc3339),
    })
}

/// The choice of the agent who has it or is offered it; one whose offer came to nothing is over.
fn recorded(contact: &Contact) -> Value {
    match (&contact.state, &contact.choice) {
        (
            State::Offered { .. }
            | State::Active { .. }
            | State::Held { .. }
            | State::WrapUp { .. }
            | State::Closed { .. },
            Some((at, agent, choice)),
        ) => decision_json(*at, agent, choice),
        (
            State::Unborn | State::Queued | State::Abandoned | State::Refused { .. },
            Some(_) | None,
        )
        | (_, None) => Value::Null,
    }
}
