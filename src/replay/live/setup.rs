//! The day's queues and agents on the server, and a token for every agent.

use std::sync::Arc;

use atalaya_domain::agent::{Agent, Facts};
use atalaya_domain::ids::Slug;
use atalaya_domain::queue::Queue;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::LiveError;
use crate::client::Client;
use crate::simulation::scenario::{Scenario, ScenarioAgent};
use crate::views::{agent_json, queue_json};

/// Requests that are under way at once.
const AT_ONCE: usize = 16;
/// What the answer to a queue has and its PUT does not take.
const NOT_OF_A_QUEUE: [&str; 3] = ["id", "state", "version"];
/// What a PUT of an agent takes besides the name.
const OF_AN_AGENT: [&str; 6] = ["team", "level", "skills", "languages", "capacity", "queues"];
/// Whose team all are: a scenario names none.
const TEAM: &str = "all";

/// An agent's own token.
pub(super) struct Token {
    /// By which it is ended.
    pub(super) id: String,
    /// What opens the socket.
    pub(super) secret: String,
}

/// Puts queues and agents, and makes a token for each agent, in the scenario's order.
pub(super) async fn set_up(client: &Client, scenario: &Scenario) -> Result<Vec<Token>, LiveError> {
    for (id, rules) in &scenario.queues {
        let queue = Queue { rules: Some(Arc::new(rules.clone())), ..Queue::default() };
        let body = queue_json(id, &queue, None);
        let taken = |key: &str| !NOT_OF_A_QUEUE.contains(&key);
        client.put(&format!("/api/v1/queues/{id}"), &members(&body, taken)).await?;
    }
    let mut made =
        stream::iter(&scenario.agents).map(|agent| make(client, agent)).buffered(AT_ONCE);
    let mut tokens = Vec::new();
    while let Some(token) = made.next().await {
        tokens.push(token?);
    }
    Ok(tokens)
}

async fn make(client: &Client, agent: &ScenarioAgent) -> Result<Token, LiveError> {
    let (id, profile) = (&agent.id, agent.profile.clone());
    let facts = Slug::new(TEAM).ok().map(|team| Arc::new(Facts { team, profile }));
    let shown = agent_json(id, &Agent { facts, ..Agent::default() }, id.as_str());
    let mut body = members(&shown, |key| OF_AN_AGENT.contains(&key));
    body["name"] = id.as_str().into();
    client.put(&format!("/api/v1/agents/{id}"), &body).await?;
    let grant = json!({"role": "agent", "agent": id.as_str()});
    let made = client.post_without_key("/api/v1/tokens", &grant).await?;
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    Ok(Token { id: text("id"), secret: text("token") })
}

/// The members that have a value and are `taken`.
fn members(of: &Value, taken: impl Fn(&str) -> bool) -> Value {
    let members = of.as_object().into_iter().flatten();
    members
        .filter(|(key, value)| !value.is_null() && taken(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Ends the tokens; one that cannot be ended is told.
pub(super) async fn clear(client: &Client, tokens: &[Token]) {
    let ended = stream::iter(tokens).map(|token| {
        let path = format!("/api/v1/tokens/{}", token.id);
        async move { client.delete(&path).await }
    });
    let mut ended = ended.buffered(AT_ONCE);
    while let Some(done) = ended.next().await {
        if let Err(error) = done {
            tracing::warn!(%error, "an agent's token is left");
            return;
        }
    }
}
