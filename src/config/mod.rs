//! Configuration: what an operator writes in a file, read whole or refused whole.
//!
//! [`read`] takes a file, [`parse`] a text; both give a [`Config`], or every [`Mistake`] of the
//! file with its line and key. What a queue or an agent may be is said once, where a PUT reads it:
//! the caller brings that as a [`Rulebook`]. Applying what was read is not here.

mod entities;
mod mistake;
mod settings;
mod tree;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use atalaya_domain::agent::Facts;
use atalaya_domain::ids::{AgentId, QueueId};
use atalaya_domain::priority::Priorities;
use atalaya_domain::queue::Rules;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use mistake::Findings;
pub use mistake::{Mistake, Mistakes};
pub use settings::is_level;
use tree::Part;

/// Where the file is looked for when nobody names one.
pub const DEFAULT_PATH: &str = "config/atalaya.toml";
/// Most bytes of a file; a longer one is refused.
pub const CONFIG_BYTES_MAX: usize = 4 << 20;
/// Most queues of a file; more are refused.
pub const QUEUES_MAX: usize = 1_000;
/// Most agents of a file: all of them change in one entry of the log.
pub const AGENTS_MAX: usize = 10_000;
/// Where the server listens unless told otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Whose midnight turns the day's counters, unless configured.
pub const TIME_ZONE: &str = "Europe/Madrid";

/// Tables of later work.
const LATER: [&str; 8] =
    ["calendar", "request_type", "channel", "alert", "webhook", "user", "citizens", "office"];

/// What a file says.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[centre]`.
    pub centre: Centre,
    /// `[limits]`.
    pub limits: Limits,
    /// The four classes, and what `[priorities]` replaces or adds.
    pub priorities: Priorities,
    /// `[[queue]]`, in file order.
    pub queues: Vec<Entity<QueueId, Rules>>,
    /// `[[agents]]`, in file order, groups by their numbers.
    pub agents: Vec<Entity<AgentId, Person>>,
}

/// How the server stands in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where to listen, if the file says so; the command line goes before.
    pub listen: Option<SocketAddr>,
    /// Plain HTTP may be spoken off this machine.
    pub insecure_http: bool,
    /// `/metrics` takes no token.
    pub metrics_open: bool,
    /// Which log lines are written, if the file says so; the command line goes before.
    pub log_level: Option<String>,
    /// How they are written, likewise.
    pub log_format: Option<LogFormat>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the centre is.
#[derive(Debug, Clone)]
pub struct Centre {
    /// Told when the server starts.
    pub name: String,
    /// Whose midnight turns the day's counters.
    pub time_zone: TimeZone,
}

/// Named limits; `None` leaves the program's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that stay free on the log's disk.
    pub disk_reserve: Option<u64>,
    /// Bytes at which a segment of the log is closed.
    pub log_segment: Option<u64>,
    /// Bytes of a request's body.
    pub max_body: Option<u64>,
    /// Sockets of the server.
    pub max_sockets: Option<u64>,
}

/// Something that is configured under an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity<I, T> {
    /// Which.
    pub id: I,
    /// What the file says of it, in one form whatever its layout: two texts are equal when they
    /// ask for the same. An agent's has personal data.
    pub text: String,
    /// What it is.
    pub what: T,
}

/// An agent of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Personal.
    pub name: String,
    /// The profile.
    pub facts: Facts,
}

/// Why a rulebook refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, if it is about one.
    pub field: Option<String>,
    /// What is wrong with it.
    pub what: String,
}

/// What may be written of a queue and of an agent: the rules of their PUT.
pub trait Rulebook {
    /// Reads a queue; the body has no id.
    fn queue(&self, id: &str, body: Map<String, Value>) -> Result<(QueueId, Rules), Fault>;
    /// Reads an agent.
    fn agent(&self, id: &str, body: Map<String, Value>) -> Result<(AgentId, Person), Fault>;
}

impl Default for Config {
    /// What holds without a file.
    fn default() -> Self {
        Self {
            server: Server {
                listen: None,
                insecure_http: false,
                metrics_open: false,
                log_level: None,
                log_format: None,
            },
            centre: Centre {
                name: "Atalaya".to_owned(),
                time_zone: TimeZone::get(TIME_ZONE).unwrap_or(TimeZone::UTC),
            },
            limits: Limits::default(),
            priorities: Priorities::default(),
            queues: Vec::new(),
            agents: Vec::new(),
        }
    }
}

impl Config {
    /// All of it in one form, whatever the file's layout; it has personal data.
    pub fn text(&self) -> String {
        let queues = self.queues.iter().map(|queue| format!("{} {}", queue.id, queue.text));
        let agents = self.agents.iter().map(|agent| format!("{} {}", agent.id, agent.text));
        let rest = format!("{:?} {:?} {:?}", self.server, self.limits, self.priorities);
        let zone = self.centre.time_zone.iana_name().unwrap_or_default();
        let centre = format!("{} {zone}", self.centre.name);
        queues.chain(agents).chain([rest, centre]).collect::<Vec<_>>().join("\n")
    }
}

/// Reads a file.
pub fn read(path: &Path, rules: &dyn Rulebook) -> Result<Config, Mistakes> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &file, rules),
        Err(error) => {
            let what = format!("cannot be read: {error}; name a file of UTF-8 text");
            Err(Mistakes(vec![Mistake { file, line: None, key: None, what }]))
        }
    }
}

/// Reads a text; mistakes name `file`.
pub fn parse(text: &str, file: &str, rules: &dyn Rulebook) -> Result<Config, Mistakes> {
    let mut findings = Findings::new(file);
    let mut config = Config::default();
    if text.len() > CONFIG_BYTES_MAX {
        findings.add(None, None, &format!("has more than {CONFIG_BYTES_MAX} bytes; shorten it"));
        return Err(findings.into_mistakes());
    }
    let document = tree::parse(text, &mut findings);
    let mut written = entities::Written::default();
    for (name, line, part) in document {
        match (name.as_str(), part) {
            ("server", Part::Table(table)) => settings::server(&table, &mut config, &mut findings),
            ("centre", Part::Table(table)) => settings::centre(&table, &mut config, &mut findings),
            ("limits", Part::Table(table)) => settings::limits(&table, &mut config, &mut findings),
            ("priorities", Part::Table(table)) => {
                settings::priorities(&table, &mut config, &mut findings);
            }
            ("strategy", Part::Table(table)) => written.strategy = Some(table),
            ("queue", Part::Tables(tables)) => written.queues = tables,
            ("agents", Part::Tables(tables)) => written.agents = tables,
            ("server" | "centre" | "limits" | "priorities" | "strategy", _) => {
                let what = format!("is no table; write `[{name}]` and its keys below it");
                findings.add(Some(line), Some(&name), &what);
            }
            ("queue" | "agents", _) => {
                let what = format!("is no list of tables; write `[[{name}]]` before each");
                findings.add(Some(line), Some(&name), &what);
            }
            (later, _) if LATER.contains(&later) => {
                let what = "cannot be carried out by this version; take it out";
                findings.add(Some(line), Some(&name), what);
            }
            _ => {
                let known = "server, centre, limits, strategy, priorities, queue, agents";
                let what = format!("is not known; the tables known here are {known}");
                findings.add(Some(line), Some(&name), &what);
            }
        }
    }
    entities::read(&written, rules, &mut config, &mut findings);
    if findings.is_empty() { Ok(config) } else { Err(findings.into_mistakes()) }
}
