//! Agents, contacts and queues as the API shows them.
//!
//! Who may see what is decided by the caller, who says `masked`; what is personal is an argument.

use atalaya_domain::agent::{Agent, Kind, Wish, Work};
use atalaya_domain::contact::{Contact, State};
use atalaya_domain::ids::{AgentId, ContactId, QueueId, Slug};
use atalaya_domain::queue::{Bound, OnReject, Queue, Rules, Thresholds};
use atalaya_domain::skills::{Requirement, Skills};
use atalaya_domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// Digits of a telephone number that stay readable when it is masked.
const MASK_SHOWS: usize = 3;

/// What of a contact is personal, and lies beside the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// Where it came from.
    pub from: Option<String>,
    /// What it is about, in free text.
    pub subject: String,
}

/// UTC with `Z`, with as many of six decimals as are needed.
pub fn rfc3339(at: Timestamp) -> String {
    let outside = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.0).unwrap_or(outside).to_string()
}

/// An agent, with presence derived; `was` and `was_since` while lost.
pub fn agent_json(id: &AgentId, agent: &Agent, name: &str) -> Value {
    let presence = agent.presence();
    let facts = agent.facts.as_deref();
    let profile = facts.map(|facts| &facts.profile);
    // An agent that has never signed in has no such instant.
    let since = agent.was_idle.then(|| rfc3339(presence.since));
    let mut value = json!({
        "id": id.as_str(),
        "name": name,
        "team": facts.map(|facts| facts.team.as_str()),
        "level": profile.map(|profile| profile.level),
        "skills": profile.map_or_else(|| json!({}), |profile| skills_json(&profile.skills)),
        "languages": profile.map_or_else(|| json!([]), |profile| slugs(&profile.languages)),
        "capacity": { "voice": profile.map_or(0, |profile| profile.voice) },
        "queues": profile.and_then(|profile| profile.queues.as_ref()).map(|queues| {
            queues.iter().map(|queue| json!(queue.as_str())).collect::<Value>()
        }),
        "state": presence.state.name(),
        "reason": presence.reason.as_ref().map(Slug::as_str),
        "since": since,
        "pending": agent.pending.as_ref().map(wish_json),
        "work": agent.work.iter().map(|(id, work)| work_json(*id, work)).collect::<Value>(),
        "room": { "voice": agent.room() },
        "version": agent.version,
    });
    if let (Kind::Lost, Some(object)) = (presence.state, value.as_object_mut()) {
        let was = agent.presence_when_heard();
        object.insert("was".to_owned(), json!(was.state.name()));
        object.insert("was_since".to_owned(), json!(rfc3339(was.since)));
    }
    value
}

/// Out of service since: whatever the agent's state says, they are shown lost.
pub fn show_lost(value: &mut Value, since: Timestamp) {
    if let Some(object) = value.as_object_mut() {
        object.insert("state".to_owned(), json!(Kind::Lost.name()));
        object.insert("reason".to_owned(), Value::Null);
        object.insert("since".to_owned(), json!(rfc3339(since)));
    }
}

/// What an agent wants, as `{state, reason}`.
pub(super) fn wish_json(wish: &Wish) -> Value {
    match wish {
        Wish::Ready => json!({ "state": "ready", "reason": null }),
        Wish::NotReady(reason) => json!({ "state": "not_ready", "reason": reason.as_str() }),
        Wish::SignedOut => json!({ "state": "signed_out", "reason": null }),
    }
}

fn work_json(contact: ContactId, work: &Work) -> Value {
    let (state, since) = match work {
        Work::Offered { since, .. } => ("offered", since),
        Work::Active { since } => ("active", since),
        Work::WrapUp { since, .. } => ("wrap_up", since),
    };
    json!({ "contact": contact.to_string(), "state": state, "since": rfc3339(*since) })
}

/// A contact; `position`: its place in the order of service while it waits, from 1.
pub fn contact_json(
    id: ContactId,
    contact: &Contact,
    personal: &Personal,
    position: Option<usize>,
    masked: bool,
) -> Value {
    let entered = contact.entered.as_deref();
    let refused_at_entry = contact.version == 1 && matches!(contact.state, State::Refused { .. });
    let queued_at = entered.filter(|_| !refused_at_entry).map(|_| contact.arrived_at);
    let instant = |at: Option<Timestamp>| at.map(rfc3339);
    let from = personal.from.as_deref().map(|from| if masked { mask(from) } else { from.into() });
    let mut value = json!({
        "id": id.to_string(),
        "channel": "voice",
        "queue": entered.map(|entered| entered.queue.as_str()),
        "state": contact.state.name(),
        "priority": contact.priority.as_ref().map(Slug::as_str),
        "language": entered.and_then(|entered| language(&entered.requirement)),
        "requires": entered.map(|entered| skills_json(&entered.requirement.skills)),
        "citizen": null,
        "from": from,
        "arrived_at": instant(entered.map(|_| contact.arrived_at)),
        "queued_at": instant(queued_at),
        "offered_at": instant(contact.offered_at),
        "answered_at": instant(contact.answered_at),
        "ended_at": instant(contact.ended_at),
        "agent": contact.agent().map(AgentId::as_str),
        "offer": offer_json(contact),
        "consulted": null,
        "position": position.filter(|_| contact.is_waiting()),
        "expected_wait_s": null,
        "levels": entered.and_then(|entered| levels(&entered.requirement)),
        "subject": if masked { "" } else { &personal.subject },
        "external_id": entered.and_then(|entered| entered.external_id.as_deref()),
        "preferred_agent": null,
        "callback_of": null,
        "outcome": contact.outcome.as_deref(),
        "topic": contact.topic.as_deref(),
        "version": contact.version,
    });
    if let Some(object) = value.as_object_mut() {
        match &contact.state {
            State::Refused { reason } => {
                object.insert("reason".to_owned(), json!(reason.as_str()));
            }
            State::WrapUp { until, .. } => {
                object.insert("wrap_up_until".to_owned(), json!(instant(*until)));
            }
            _ => (),
        }
    }
    value
}

fn offer_json(contact: &Contact) -> Value {
    match &contact.state {
        State::Offered { offer, agent, expires_at, .. } => json!({
            "id": offer.to_string(),
            "agent": agent.as_str(),
            "expires_at": rfc3339(*expires_at),
        }),
        _ => Value::Null,
    }
}

/// `··· ··· 142`: only the last digits of a telephone number that has more, and nothing of
/// anything else.
fn mask(from: &str) -> String {
    let is_number = from.chars().all(|char| char.is_ascii_digit() || " +-().".contains(char));
    let digits: Vec<char> = from.chars().filter(char::is_ascii_digit).collect();
    match digits.len().checked_sub(MASK_SHOWS) {
        Some(hidden) if is_number && hidden > 0 => {
            format!("··· ··· {}", digits[hidden..].iter().collect::<String>())
        }
        Some(_) | None => "··· ··· ···".to_owned(),
    }
}

/// A queue: its configuration as `PUT` takes it, `state`, and the live `figures` of the wallboard.
pub fn queue_json(id: &QueueId, queue: &Queue, figures: Option<&Value>) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(id.as_str()));
    if let Some(rules) = queue.rules.as_deref() {
        rules_json(rules, &mut object);
        // The one that the matching carries out.
        let strategy = json!({ "agent": "longest_idle", "contact": "oldest_first" });
        object.insert("strategy".to_owned(), strategy);
    }
    object.insert("state".to_owned(), json!(queue.status.name()));
    for (key, value) in figures.and_then(Value::as_object).into_iter().flatten() {
        if !object.contains_key(key) && key != "target" {
            object.insert(key.clone(), value.clone());
        }
    }
    object.insert("version".to_owned(), json!(queue.version));
    Value::Object(object)
}

fn rules_json(rules: &Rules, object: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("name", json!(rules.name));
    put("short_name", json!(rules.short_name));
    put("channel", json!("voice"));
    put("requires", skills_json(&rules.requirement.skills));
    put("language", json!(language(&rules.requirement)));
    put("levels", json!(levels(&rules.requirement)));
    put("service_level", target_json(rules));
    put("max_waiting", json!(rules.max_waiting));
    put("wrap_up", json!(rules.wrap_up.as_ref().map_or("none", |limit| limit.as_str())));
    put("offer_timeout", json!(rules.offer_timeout.as_str()));
    let on_reject = match rules.on_reject {
        OnReject::NotReady => "not_ready",
        OnReject::Ready => "ready",
    };
    put("on_reject", json!(on_reject));
    put("max_misses", json!(rules.max_misses));
    put("short_abandon", json!(rules.short_abandon.as_str()));
    put("thresholds", thresholds_json(&rules.thresholds));
}

/// As configured: what is left out is not there.
pub(super) fn thresholds_json(thresholds: &Thresholds) -> Value {
    fn bound<T>(bound: &Bound<T>, show: impl Fn(&T) -> Value) -> Option<Value> {
        let both = [("warning", &bound.warning), ("critical", &bound.critical)];
        let both = both
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| (name.to_owned(), show(value))));
        (!bound.is_empty()).then(|| Value::Object(both.collect()))
    }
    let Thresholds { longest_wait, waiting, service_level } = thresholds;
    let parts = [
        ("longest_wait", bound(longest_wait, |wait| json!(wait.as_str()))),
        ("waiting", bound(waiting, |waiting| json!(waiting))),
        ("service_level", bound(service_level, |share| json!(share))),
    ];
    parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?))).collect()
}

/// `{share, within}`, or null.
pub(super) fn target_json(rules: &Rules) -> Value {
    rules.service_level.as_ref().map_or(
        Value::Null,
        |level| json!({ "share": level.share, "within": level.within.as_str() }),
    )
}

pub(super) fn language(requirement: &Requirement) -> Option<&str> {
    requirement.language.as_ref().map(Slug::as_str)
}

pub(super) fn levels(requirement: &Requirement) -> Option<Vec<u8>> {
    requirement.levels.as_ref().map(|levels| levels.iter().copied().collect())
}

pub(super) fn skills_json(skills: &Skills) -> Value {
    skills.iter().map(|(skill, level)| (skill.to_string(), json!(level))).collect()
}

fn slugs(slugs: &std::collections::BTreeSet<Slug>) -> Value {
    slugs.iter().map(|slug| json!(slug.as_str())).collect()
}
