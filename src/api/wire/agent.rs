//! An agent as JSON.

use atalaya_domain::agent::{Agent, Kind, Wish, Work};
use atalaya_domain::ids::AgentId;
use serde_json::{Map, Value, json};

use super::{extend, instant, text_or_null};
use crate::api::call::Call;

/// The agent as the caller may see it; none that is not configured.
pub fn json(call: &Call, id: &AgentId, agent: &Agent) -> Option<Value> {
    let facts = agent.facts.as_ref()?;
    let profile = &facts.profile;
    let presence = agent.presence();
    let languages: Vec<_> = profile.languages.iter().map(ToString::to_string).collect();
    let queues = profile.queues.as_ref();
    let queues = queues.map(|queues| queues.iter().map(ToString::to_string).collect::<Vec<_>>());
    let skills = profile.skills.iter().map(|(skill, level)| (skill.to_string(), json!(level)));
    let work = agent.work.iter().map(|(contact, work)| {
        let (state, since) = match work {
            Work::Offered { since, .. } => ("offered", since),
            Work::Active { since } => ("active", since),
            Work::WrapUp { since, .. } => ("wrap_up", since),
        };
        json!({ "contact": contact.to_string(), "state": state, "since": instant(*since) })
    });
    let name = call.api.personal.name(id);
    let wall = call.caller().is_ok_and(|caller| caller.reads_only);
    let name = name.map(|name| if wall { initials(&name) } else { name });
    let mut json = json!({
        "id": id.as_str(),
        "name": name,
        "team": facts.team.as_str(),
        "level": profile.level,
        "skills": skills.collect::<Map<_, _>>(),
        "languages": languages,
        "capacity": { "voice": profile.voice },
        "queues": queues,
        "state": presence.state.name(),
        "reason": text_or_null(presence.reason.as_ref()),
        "since": instant(presence.since),
        "pending": agent.pending.as_ref().map(wish),
        "work": work.collect::<Vec<_>>(),
        "room": { "voice": agent.room() },
        "version": agent.version,
    });
    if presence.state == Kind::Lost {
        let was = agent.presence_when_heard();
        let members = [("was", was.state.name().into()), ("was_since", instant(was.since))];
        extend(&mut json, members);
    }
    Some(json)
}

/// What an agent wants to be, as a state and a reason.
pub fn wish(wish: &Wish) -> Value {
    let (state, reason) = match wish {
        Wish::Ready => ("ready", None),
        Wish::NotReady(reason) => ("not_ready", Some(reason)),
        Wish::SignedOut => ("signed_out", None),
    };
    json!({ "state": state, "reason": text_or_null(reason) })
}

fn initials(name: &str) -> String {
    let initials = name.split_whitespace().filter_map(|word| word.chars().next());
    initials.flat_map(|initial| [initial, '.']).collect()
}
