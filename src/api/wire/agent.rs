//! An agent as the caller may see it.

use atalaya_domain::agent::Agent;
use atalaya_domain::ids::AgentId;
use serde_json::Value;

use crate::api::call::Call;
use crate::api::personal;
use crate::views::{agent_json, show_lost};

/// The agent, by initials on a wall; none that is not configured.
pub fn json(call: &Call, id: &AgentId, agent: &Agent) -> Option<Value> {
    agent.facts.as_ref()?;
    let name = personal::name(&call.api.core, id);
    let wall = call.caller().is_ok_and(|caller| caller.reads_only);
    let name = if wall { initials(&name) } else { name };
    let mut value = agent_json(id, agent, &name);
    if let Some(since) = call.api.core.out_of_service(id) {
        show_lost(&mut value, since);
    }
    Some(value)
}

fn initials(name: &str) -> String {
    let initials = name.split_whitespace().filter_map(|word| word.chars().next());
    initials.flat_map(|initial| [initial, '.']).collect()
}
