//! The configuration as the server lives with it: read at the start, applied, read again at SIGHUP.
//!
//! What an entity's text asks for is applied as a PUT by `system:config` when that text is another
//! than the one applied last; all of a file goes into one entry of the log, so that a reload
//! happens whole or not at all. What is read, and which mistakes there are, is `config`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atalaya_domain::agent::{self, Agent};
use atalaya_domain::ids::{AgentId, EntityId, QueueId};
use atalaya_domain::machine::Command;
use atalaya_domain::queue::{self, Queue, Rules};
use atalaya_domain::system;
use serde_json::{Map, Value};

use crate::actors::centre::Asked;
use crate::actors::shell::Failure;
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::api::{Api, agents, personal, queues};
use crate::config::{self, Config, Fault, Mistake, Mistakes, Person, Rulebook};
use crate::journal::commit::{Cause, Said};
use crate::views::{agent_json, queue_json};

/// Who applies a configuration, as the log names it.
pub const BY: &str = "system:config";
/// What the hash of a configured text is for.
pub const TEXT_HASH: &str = "config";
/// Times that a configuration is tried again because those whom it changes moved first.
const TRIES_MAX: usize = 20;

/// Which file is meant.
#[derive(Debug, Clone, Default)]
pub enum Source {
    /// None: what holds without a file.
    #[default]
    Nothing,
    /// The usual one, if it is there.
    Usual(PathBuf),
    /// This one, which must be there.
    Named(PathBuf),
    /// No file: this.
    Given(Box<Config>),
}

impl Source {
    /// The file that was named, or the usual one.
    pub fn of(named: Option<PathBuf>) -> Self {
        named.map_or_else(|| Self::Usual(config::DEFAULT_PATH.into()), Self::Named)
    }

    /// What it says now.
    pub fn read(&self) -> Result<Config, Mistakes> {
        match self {
            Self::Nothing => Ok(Config::default()),
            Self::Given(config) => Ok((**config).clone()),
            Self::Usual(path) if !path.exists() => {
                tracing::info!(file = %path.display(), "no configuration file: the defaults hold");
                Ok(Config::default())
            }
            Self::Usual(path) | Self::Named(path) => read(path),
        }
    }
}

/// Reads a file by the rules of the API.
pub fn read(path: &Path) -> Result<Config, Mistakes> {
    config::read(path, &Rulings)
}

/// The rules of a PUT, for a file.
#[derive(Debug, Clone, Copy)]
pub struct Rulings;

impl Rulebook for Rulings {
    fn queue(&self, id: &str, body: Map<String, Value>) -> Result<(QueueId, Rules), Fault> {
        queues::read(id, Body::of(body)).map_err(|problem| fault(&problem))
    }

    fn agent(&self, id: &str, body: Map<String, Value>) -> Result<(AgentId, Person), Fault> {
        let (id, name, facts) =
            agents::read(id, Body::of(body)).map_err(|problem| fault(&problem))?;
        Ok((id, Person { name, facts }))
    }
}

fn fault(problem: &Problem) -> Fault {
    let json = problem.to_json();
    let field = json["field"].as_str().map(str::to_owned);
    Fault { field, what: problem.to_string() }
}

/// What one entity becomes.
struct Change {
    to: EntityId,
    command: Command,
    /// What its text replaces, in words for the log: nothing personal.
    replaces: String,
}

/// Applies what is new in `config`; says how many entities changed.
pub async fn apply(api: &Api, config: &Config) -> Result<usize, Failure> {
    let (changes, said) = changes(api, config);
    if changes.is_empty() {
        return Ok(0);
    }
    let hash = api.secrets.hash(TEXT_HASH, &config.text());
    let commands = changes.iter().map(|change| (change.to.clone(), change.command.clone()));
    let command = system::Command::Configure { hash, changes: commands.collect() };
    let cause = Cause { said, ..Cause::of(BY.into(), None) };
    for turn in 1.. {
        let command = Command::System(command.clone());
        match api.core.tell(Asked::new(EntityId::System, command, cause.clone())).await {
            Err(Failure::Contended) if turn < TRIES_MAX => (),
            Err(failure) => return Err(failure),
            Ok(_) => break,
        }
    }
    for change in &changes {
        tracing::info!(entity = %change.to, replaces = change.replaces, "configured");
    }
    Ok(changes.len())
}

/// Everything whose text is another than the one applied last, and the names that go with it.
fn changes(api: &Api, config: &Config) -> (Vec<Change>, Vec<Said>) {
    let (mut changes, mut said) = (Vec::new(), Vec::new());
    for entity in &config.queues {
        let text_hash = api.secrets.hash(TEXT_HASH, &entity.text);
        let stands = api.core.queue(&entity.id).map(|(queue, _)| queue);
        if stands.as_ref().is_some_and(|queue| queue.text_hash == text_hash) {
            continue;
        }
        let rules = Box::new(entity.what.clone());
        changes.push(Change {
            to: EntityId::Queue(entity.id.clone()),
            replaces: queue_before(&entity.id, stands, &entity.what),
            command: Command::Queue(queue::Command::Configure { rules, text_hash }),
        });
    }
    for entity in &config.agents {
        let text_hash = api.secrets.hash(TEXT_HASH, &entity.text);
        let stands = api.core.agent(&entity.id).map(|(agent, _)| agent);
        if stands.as_ref().is_some_and(|agent| agent.text_hash == text_hash) {
            continue;
        }
        let facts = Arc::new(entity.what.facts.clone());
        said.push(personal::of_agent(&entity.id, "name", entity.what.name.clone()));
        changes.push(Change {
            to: EntityId::Agent(entity.id.clone()),
            replaces: agent_before(&entity.id, stands, &facts),
            command: Command::Agent(agent::Command::Configure { facts, text_hash }),
        });
    }
    (changes, said)
}

fn queue_before(id: &QueueId, stands: Option<Queue>, rules: &Rules) -> String {
    let Some(queue) = stands else { return "nothing".to_owned() };
    let before = queue_json(id, &queue, None);
    let queue = Queue { rules: Some(Arc::new(rules.clone())), ..queue };
    difference(&before, &queue_json(id, &queue, None))
}

/// Names are personal: of a name nothing is said.
fn agent_before(id: &AgentId, stands: Option<Agent>, facts: &Arc<agent::Facts>) -> String {
    let Some(agent) = stands else { return "nothing".to_owned() };
    let before = agent_json(id, &agent, "");
    let agent = Agent { facts: Some(facts.clone()), ..agent };
    difference(&before, &agent_json(id, &agent, ""))
}

/// `wrap_up "30s", levels null`: what was there and is another now.
fn difference(before: &Value, after: &Value) -> String {
    let before = before.as_object().into_iter().flatten();
    let other = before.filter(|(key, value)| after.get(key.as_str()) != Some(*value));
    let words: Vec<_> = other.map(|(key, value)| format!("{key} {value}")).collect();
    if words.is_empty() { "the same, of another text".to_owned() } else { words.join(", ") }
}

/// What was read last, and from where.
#[derive(Debug)]
pub struct Running {
    source: Source,
    config: Config,
}

impl Running {
    /// The configuration that the server started with.
    pub const fn new(source: Source, config: Config) -> Self {
        Self { source, config }
    }

    /// Reads the file again and applies what is new; a mistake leaves all as it was.
    pub async fn reload(&mut self, api: &Api) {
        let config = match self.source.read() {
            Ok(config) => config,
            Err(Mistakes(mistakes)) => {
                for Mistake { file, line, key, what } in &mistakes {
                    tracing::error!(file, line, key, what, "a mistake in the configuration");
                }
                let count = mistakes.len();
                tracing::error!(count, "not reloaded: the configuration stays as it was");
                return;
            }
        };
        match apply(api, &config).await {
            Err(failure) => {
                tracing::error!(%failure, "not reloaded: the configuration stays as it was");
            }
            Ok(changed) => {
                api.set_priorities(config.priorities.clone());
                if self.needs_a_start(&config) {
                    tracing::warn!("[server], [centre], [limits] hold from the next start on");
                }
                self.config = config;
                tracing::info!(changed, "reloaded");
            }
        }
    }

    fn needs_a_start(&self, new: &Config) -> bool {
        let zone = |config: &Config| config.centre.time_zone.iana_name().map(str::to_owned);
        self.config.server != new.server
            || self.config.limits != new.limits
            || self.config.centre.name != new.centre.name
            || zone(&self.config) != zone(new)
    }
}
