//! The agent's desk: what topic `agent` shows, and offers and recalls, which wait for no tick.
//!
//! It follows the committed events by number, so it says what happened and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use actix_web::web::Data;
use atalaya_domain::agent::Work;
use atalaya_domain::contact::Event as ContactEvent;
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, EntityId, OfferId};
use atalaya_domain::machine::Event;
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::frames;
use super::topics::{Reading, Topic};
use crate::api::Api;
use crate::api::call::{Call, Caller};
use crate::api::roles::Role;
use crate::api::wire;
use crate::journal::commit::Numbered;
use crate::views::Scope;
use crate::views::rfc3339;

/// Events that are read at once.
const EVENTS_MAX: usize = 512;

/// The API as `agent` sees it.
fn call_of(api: &Arc<Api>, agent: &AgentId) -> Call {
    let caller = Caller {
        role: Role::Agent,
        agent: Some(agent.clone()),
        reads_only: false,
        acts_as: false,
        token: CredentialId(Uuid::nil()),
        session: None,
    };
    Call::inside(api.clone(), caller, Vec::new())
}

/// What the desk of `id` holds.
pub fn read(api: &Arc<Api>, id: &AgentId) -> Reading {
    let call = call_of(api, id);
    let at = api.core.now();
    api.core.at_one_instant(|seq| {
        let found = api.core.agent(id).map(|(agent, _)| agent);
        let work = || found.iter().flat_map(|agent| &agent.work);
        let offers = work().filter_map(|(contact, work)| match work {
            Work::Offered { offer, until, .. } => Some(offer_json(&call, *offer, *contact, *until)),
            Work::Active { .. } | Work::WrapUp { .. } => None,
        });
        let contacts = work().filter_map(|(contact, work)| match work {
            Work::Offered { .. } => None,
            Work::Active { .. } | Work::WrapUp { .. } => Some(contact_json(&call, *contact)),
        });
        let data = json!({
            "agent": found.as_ref().and_then(|agent| wire::agent::json(&call, id, agent)),
            "offers": offers.collect::<Value>(),
            "contacts": contacts.collect::<Value>(),
        });
        Reading { seq, at, data }
    })
}

fn contact_json(call: &Call, id: ContactId) -> Value {
    let found = call.api.core.contact(id);
    found.and_then(|(contact, _)| wire::contact::json(call, id, &contact, None)).into()
}

fn offer_json(call: &Call, offer: OfferId, contact: ContactId, expires_at: Timestamp) -> Value {
    json!({
        "offer": offer.to_string(),
        "contact": contact_json(call, contact),
        "expires_at": rfc3339(expires_at),
        // Nothing is known of the citizen yet.
        "screen": {},
    })
}

/// Follows the events for as long as the centre is open.
pub async fn follow(api: Data<Api>) {
    let api = api.into_inner();
    let mut news = api.core.follow();
    let mut had = api.core.last_seq();
    while !api.core.is_closed() && news.changed().await.is_ok() {
        loop {
            let events = match api.core.events_after(Some(had), EVENTS_MAX).await {
                Ok(events) => events,
                Err(error) => {
                    // So far behind, and the log cannot be read: each desk is right again at its
                    // next event.
                    tracing::error!(%error, had, "failed to follow the events");
                    had = api.core.last_seq();
                    break;
                }
            };
            let Some(last) = events.last() else { break };
            had = last.numbered.seq;
            let mut touched = BTreeSet::new();
            for event in &events {
                tell(&api, &event.numbered, &mut touched);
            }
            for agent in touched {
                let channel = api.push.watched(&Topic::Agent(agent.clone()), Scope::All);
                if let Some(channel) = channel {
                    channel.show(read(&api, &agent), Instant::now());
                }
            }
        }
    }
}

/// Tells the agent of an offer at once, and notes whose desk an event is about.
fn tell(api: &Arc<Api>, event: &Numbered, touched: &mut BTreeSet<AgentId>) {
    let recorded = &event.recorded;
    if let EntityId::Agent(agent) = &recorded.entity {
        touched.insert(agent.clone());
    }
    let (EntityId::Contact(id), Event::Contact(event)) = (&recorded.entity, &recorded.event) else {
        return;
    };
    if let Some((contact, _)) = api.core.contact(*id)
        && let Some(agent) = contact.agent()
    {
        touched.insert(agent.clone());
    }
    match event {
        ContactEvent::Offered { offer, agent, expires_at, .. } if api.push.has(agent) => {
            let mut frame = json!({ "type": "offer" });
            if let (Some(frame), Value::Object(members)) =
                (frame.as_object_mut(), offer_json(&call_of(api, agent), *offer, *id, *expires_at))
            {
                frame.extend(members);
            }
            api.push.say(agent, &frames::text(&frame));
        }
        ContactEvent::OfferRecalled { offer, agent, reason } => {
            api.push.say(agent, &recall(*offer, reason.as_str()));
        }
        ContactEvent::OfferMissed { offer, agent } => {
            api.push.say(agent, &recall(*offer, "missed"));
        }
        _ => (),
    }
}

fn recall(offer: OfferId, reason: &str) -> bytestring::ByteString {
    frames::text(&json!({ "type": "recall", "offer": offer.to_string(), "reason": reason }))
}
