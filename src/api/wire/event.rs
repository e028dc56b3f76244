//! Events as JSON: what `/events` says of each. Nothing in them is personal.

use atalaya_domain::agent::{self, OfferResult};
use atalaya_domain::contact::{self, Entered, Who};
use atalaya_domain::ids::{AgentId, OfferId, Slug};
use atalaya_domain::machine::Event;
use atalaya_domain::{credential, queue, system};
use serde_json::{Value, json};

use super::{agent::wish, extend, instant, instant_or_null, requirement, text_or_null};
use crate::api::secrets::hex;
use crate::journal::commit::Numbered;

/// The event, with its number; `by` is left out where it is not known.
pub fn json(numbered: &Numbered, by: Option<&str>) -> Value {
    let recorded = &numbered.recorded;
    let mut json = json!({
        "seq": numbered.seq,
        "at": instant(recorded.at),
        "entity": recorded.entity.to_string(),
        "event": recorded.event.name(),
    });
    let by = by.map(|by| ("by", by.into()));
    extend(&mut json, by.into_iter().chain([("data", data(&recorded.event))]));
    json
}

fn data(event: &Event) -> Value {
    match event {
        Event::Agent(event) => of_agent(event),
        Event::Contact(event) => of_contact(event),
        Event::Queue(event) => of_queue(event),
        Event::Credential(event) => of_credential(event),
        Event::System(event) => of_system(event),
    }
}

fn of_agent(event: &agent::Event) -> Value {
    use agent::Event as E;
    match event {
        E::Changed { text_hash, .. } => json!({ "hash": hex(text_hash) }),
        E::SignedIn { start } | E::Heard { start } => json!({ "start": start }),
        E::SignedOut | E::Lost => json!({}),
        E::IntentChanged { not_ready } => {
            let state = if not_ready.is_some() { "not_ready" } else { "ready" };
            json!({ "state": state, "reason": text_or_null(not_ready.as_ref()) })
        }
        E::PendingChanged { pending } => {
            pending.as_ref().map_or_else(|| json!({ "state": null, "reason": null }), wish)
        }
        E::Reserved { offer, contact, until } => json!({
            "offer": offer.to_string(), "contact": contact.to_string(), "until": instant(*until),
        }),
        E::Released { offer, contact, result } => {
            let result = match result {
                OfferResult::Accepted => "accepted",
                OfferResult::Rejected => "rejected",
                OfferResult::Missed => "missed",
                OfferResult::Recalled => "recalled",
            };
            json!({
                "offer": offer.to_string(), "contact": contact.to_string(), "result": result,
            })
        }
        E::LegStarted { contact } | E::LegEnded { contact } => {
            json!({ "contact": contact.to_string() })
        }
        E::LegWrapping { contact, until } => {
            json!({ "contact": contact.to_string(), "until": instant_or_null(*until) })
        }
        E::PresenceChanged { state, reason, since } => json!({
            "state": state.name(),
            "reason": text_or_null(reason.as_ref()),
            "since": instant(*since),
        }),
    }
}

fn entered(entered: &Entered) -> Value {
    let mut json = json!({
        "queue": entered.queue.as_str(),
        "channel": "voice",
        "priority": entered.priority.as_str(),
        "order_key": entered.order_key.to_string(),
    });
    extend(&mut json, requirement(&entered.requirement));
    let external_id = json!(entered.external_id);
    let members = [("external_id", external_id), ("person", entered.person.to_string().into())];
    extend(&mut json, members);
    json
}

/// Who did it, in a word.
fn who(who: &Who) -> Value {
    match who {
        Who::Agent(agent) => format!("agent:{agent}").into(),
        Who::Supervisor => "supervisor".into(),
        Who::Citizen => "citizen".into(),
        Who::System => "system".into(),
    }
}

fn of_contact(event: &contact::Event) -> Value {
    use contact::Event as E;
    let offer_of = |offer: &OfferId, agent: &AgentId, reason: Option<&Slug>| {
        let (offer, agent) = (offer.to_string(), agent.as_str());
        json!({ "offer": offer, "agent": agent, "reason": text_or_null(reason) })
    };
    match event {
        E::Queued(came) => entered(came),
        E::Refused { entered: came, reason } => {
            let mut json = came.as_ref().map_or_else(|| json!({}), |came| entered(came));
            extend(&mut json, [("reason", reason.to_string().into())]);
            json
        }
        E::Offered { offer, agent, expires_at, choice } => json!({
            "offer": offer.to_string(),
            "agent": agent.as_str(),
            "expires_at": instant(*expires_at),
            "decision": {
                "candidates": choice.candidates,
                "idle_since": instant(choice.idle_since),
                "next": choice.next.iter().map(ToString::to_string).collect::<Vec<_>>(),
            },
        }),
        E::OfferAccepted { offer, agent } => {
            json!({ "offer": offer.to_string(), "agent": agent.as_str() })
        }
        E::Answered { agent } | E::BackOffEnded { agent } => json!({ "agent": agent.as_str() }),
        E::OfferRejected { offer, agent, reason, .. }
        | E::OfferRecalled { offer, agent, reason } => offer_of(offer, agent, Some(reason)),
        E::OfferMissed { offer, agent } => offer_of(offer, agent, None),
        E::Abandoned | E::Held | E::Resumed => json!({}),
        E::Completed { agent, by, wrap_up_until } => json!({
            "agent": agent.as_str(),
            "by": who(by),
            "wrap_up_until": instant_or_null(*wrap_up_until),
        }),
        E::WrapUpExtended { by, until } => json!({ "by": who(by), "until": instant(*until) }),
        E::WrapUpEnded { by, outcome, topic } => {
            json!({ "by": who(by), "outcome": outcome, "topic": topic })
        }
        E::OutcomeGiven { outcome, topic } => json!({ "outcome": outcome, "topic": topic }),
        E::PriorityChanged { from, to, order_key } => json!({
            "from": from.as_str(), "to": to.as_str(), "order_key": order_key.to_string(),
        }),
    }
}

fn of_queue(event: &queue::Event) -> Value {
    use queue::Event as E;
    match event {
        E::Changed { text_hash, .. } => json!({ "hash": hex(text_hash) }),
        E::Opened { reason } => json!({ "reason": text_or_null(reason.as_ref()) }),
        E::Closed { emergency, reason } => {
            json!({ "emergency": emergency, "reason": text_or_null(reason.as_ref()) })
        }
    }
}

/// The hash is not told: it is the way to the credential.
fn of_credential(event: &credential::Event) -> Value {
    match event {
        credential::Event::Made(grant) => json!({
            "role": grant.role.as_str(),
            "agent": text_or_null(grant.agent.as_ref()),
            "scope": text_or_null(grant.scope.as_ref()),
            "token": text_or_null(grant.token.as_ref()),
        }),
        credential::Event::Ended => json!({}),
    }
}

fn of_system(event: &system::Event) -> Value {
    use system::Event as E;
    match event {
        E::Started { number, rate } => json!({ "number": number, "rate": rate }),
        E::ClockSet { to } => json!({ "to": instant(*to) }),
        E::Configured { hash } => json!({ "hash": hex(hash) }),
        E::Quarantined { entity, cause } => {
            json!({ "entity": entity.to_string(), "cause": cause })
        }
    }
}
