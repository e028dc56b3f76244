//! Who may: the one table of the API, method by path by role, checked in one place (`guard`).
//!
//! What is not here is refused. A finer rule (whose agent, whose contact) is the handler's.

use std::fmt;

/// What a token makes its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Answers.
    Agent,
    /// Leads agents.
    Supervisor,
    /// Follows requests.
    Coordinator,
    /// Another system.
    Integrator,
    /// Runs the installation.
    Administrator,
    /// Checks what was done.
    Auditor,
    /// The public.
    Citizen,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Agent,
        Self::Supervisor,
        Self::Coordinator,
        Self::Integrator,
        Self::Administrator,
        Self::Auditor,
        Self::Citizen,
    ];

    /// The word in tokens and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Coordinator => "coordinator",
            Self::Integrator => "integrator",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Citizen => "citizen",
        }
    }

    /// The role called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everyone, without a token.
    Open,
    /// These roles.
    Roles(&'static [Role]),
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The method.
    pub method: &'static str,
    /// The path; `{name}` stands for any one segment.
    pub path: &'static str,
    /// Who may.
    pub who: Who,
}

const fn line(method: &'static str, path: &'static str, who: Who) -> Line {
    Line { method, path, who }
}

use Role::{Administrator as Admin, Agent, Auditor, Coordinator, Integrator, Supervisor};

const ALL: Who = Who::Roles(&Role::ALL);
const ADMIN: Who = Who::Roles(&[Admin]);
const LEADS: Who = Who::Roles(&[Supervisor, Admin]);
const FLOOR: Who = Who::Roles(&[Agent, Supervisor, Admin]);
const OWN: Who = Who::Roles(&[Agent]);
const CONTACTS: Who = Who::Roles(&[Agent, Supervisor, Integrator, Admin]);
/// Inbound; an agent's own, outbound and callback, are not in this version.
const COMES: Who = Who::Roles(&[Supervisor, Integrator, Admin]);
const BOARD: Who = Who::Roles(&[Supervisor, Coordinator, Admin]);
const SOCKET: Who = Who::Roles(&[Agent, Supervisor, Coordinator, Admin]);
const SYSTEMS: Who = Who::Roles(&[Integrator, Admin]);
const HISTORY: Who = Who::Roles(&[Supervisor, Auditor, Admin]);
const STREAM: Who = Who::Roles(&[Integrator, Auditor, Admin]);

/// The table.
pub const TABLE: &[Line] = &[
    line("GET", "/health/live", Who::Open),
    line("GET", "/health/ready", Who::Open),
    line("GET", "/metrics", ADMIN),
    line("GET", "/api/openapi.json", ALL),
    line("GET", "/api/docs", ALL),
    line("GET", "/ws", SOCKET),
    line("GET", "/api/v1/wallboard", BOARD),
    line("GET", "/api/v1/reports/intervals", BOARD),
    line("GET", "/api/v1/agents", FLOOR),
    line("GET", "/api/v1/agents/{id}", FLOOR),
    line("PUT", "/api/v1/agents/{id}", ADMIN),
    line("POST", "/api/v1/agents/{id}/presence", FLOOR),
    line("POST", "/api/v1/agents/{id}/offers/{offer}/accept", OWN),
    line("POST", "/api/v1/agents/{id}/offers/{offer}/reject", OWN),
    line("GET", "/api/v1/queues", FLOOR),
    line("GET", "/api/v1/queues/{id}", FLOOR),
    line("PUT", "/api/v1/queues/{id}", ADMIN),
    line("POST", "/api/v1/queues/{id}/open", LEADS),
    line("POST", "/api/v1/queues/{id}/close", LEADS),
    line("GET", "/api/v1/queues/{id}/waiting", FLOOR),
    line("GET", "/api/v1/contacts", CONTACTS),
    line("POST", "/api/v1/contacts", COMES),
    line("GET", "/api/v1/contacts/{id}", CONTACTS),
    line("PATCH", "/api/v1/contacts/{id}", FLOOR),
    line("POST", "/api/v1/contacts/{id}/abandon", COMES),
    line("POST", "/api/v1/contacts/{id}/hold", OWN),
    line("POST", "/api/v1/contacts/{id}/resume", OWN),
    line("POST", "/api/v1/contacts/{id}/complete", FLOOR),
    line("POST", "/api/v1/contacts/{id}/end", SYSTEMS),
    line("POST", "/api/v1/contacts/{id}/wrap_up", OWN),
    line("POST", "/api/v1/contacts/{id}/extend_wrap_up", FLOOR),
    line("GET", "/api/v1/contacts/{id}/history", HISTORY),
    line("GET", "/api/v1/contacts/{id}/explain", LEADS),
    line("GET", "/api/v1/events", STREAM),
    line("POST", "/api/v1/clock", ADMIN),
    line("GET", "/api/v1/tokens", ADMIN),
    line("POST", "/api/v1/tokens", ADMIN),
    line("DELETE", "/api/v1/tokens/{id}", ADMIN),
    line("GET", "/enter", Who::Open),
    line("POST", "/api/v1/sessions", Who::Open),
    line("DELETE", "/api/v1/sessions/current", ALL),
];

/// What the table says of a method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// This line.
    Line(&'static Line),
    /// The path is there, with these methods.
    OtherMethods(String),
    /// Nothing.
    NoPath,
}

/// Looks a request up.
pub fn look_up(method: &str, path: &str) -> Look {
    let of_path: Vec<_> = TABLE.iter().filter(|line| matches(line.path, path)).collect();
    match of_path.iter().find(|line| line.method == method) {
        Some(line) => Look::Line(line),
        None if of_path.is_empty() => Look::NoPath,
        None => {
            let methods: Vec<_> = of_path.iter().map(|line| line.method).collect();
            Look::OtherMethods(methods.join(", "))
        }
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|wanted| {
        segments.next().is_some_and(|segment| {
            if wanted.starts_with('{') { !segment.is_empty() } else { wanted == segment }
        })
    }) && segments.next().is_none()
}
