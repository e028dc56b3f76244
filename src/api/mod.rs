//! The HTTP API: routes on one screen, one file a resource, one problem type, one table of roles.
//!
//! A request goes `guard` (who, may they) → handler (strict body → command) → the core → `answer`
//! (the entity after the commit). Wire forms are in `wire`; the domain's types never are. What is
//! pushed goes by `ws`. Not here: decisions, which are the domain's.

pub mod agents;
pub mod answer;
pub mod assets;
pub mod body;
pub mod call;
pub mod clock;
mod contact_list;
pub mod contacts;
pub mod core;
pub mod docs;
pub mod events;
pub mod explain;
pub mod guard;
pub mod health;
pub mod history;
pub mod idempotency;
pub mod metrics;
pub mod openapi;
pub mod page;
pub mod personal;
pub mod problem;
pub mod queues;
pub mod reports;
pub mod roles;
pub mod routes;
pub mod secrets;
pub mod sessions;
pub mod strict;
pub mod tokens;
pub mod wallboard;
pub mod wire;
pub mod ws;

use std::sync::{Arc, PoisonError, RwLock};

use atalaya_domain::priority::Priorities;

use self::core::Core;
use crate::actors::centre::Centre;
use crate::telemetry::Meters;

/// What all requests share.
pub struct Api {
    /// The centre.
    pub core: Core,
    /// Ways from secrets to credentials.
    pub secrets: secrets::Secrets,
    /// Links that enter once.
    pub tickets: sessions::Tickets,
    /// The classes of priority; a reload of the configuration replaces them.
    pub priorities: RwLock<Arc<Priorities>>,
    /// Whether `/metrics` is open to all; else it takes an administrator's token.
    pub open_metrics: bool,
    /// What callers may ask of the server at most.
    pub limits: Limits,
    /// The log's.
    pub epoch: String,
    /// What sockets are told.
    pub push: ws::Push,
    /// What the process counts of itself.
    pub meters: Arc<Meters>,
}

/// Named limits that an installation may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a request's body; past it 413.
    pub body_bytes: usize,
    /// Most sockets; one past it is refused (503).
    pub sockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: body::BODY_BYTES_MAX, sockets: ws::SOCKETS_MAX }
    }
}

impl Api {
    /// The classes of priority, as they are now.
    pub fn priorities(&self) -> Arc<Priorities> {
        self.priorities.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other classes, for those who come after.
    pub fn set_priorities(&self, priorities: Priorities) {
        *self.priorities.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(priorities);
    }

    /// The API of `centre`; secrets are hashed with `key`.
    pub fn new(centre: Arc<Centre>, key: [u8; 32], epoch: String) -> Self {
        let core = Core::new(centre);
        let meters = Arc::new(Meters::default());
        meters.expect_routes(metrics::routes());
        Self {
            secrets: secrets::Secrets::new(key, &core),
            core,
            tickets: sessions::Tickets::default(),
            priorities: RwLock::default(),
            open_metrics: false,
            limits: Limits::default(),
            epoch,
            push: ws::Push::default(),
            meters,
        }
    }

    /// The same API that counts in `meters`, which are the journal's too.
    #[must_use]
    pub fn counting_in(mut self, meters: Arc<Meters>) -> Self {
        meters.expect_routes(metrics::routes());
        self.meters = meters;
        self
    }
}
