//! The domain of Atalaya: decisions without I/O, told the time, the same live and in simulation.
//!
//! Five machines (agent, contact, queue, credential, system) are functions `decide` and `apply`
//! with a `deadline`; [`entry::compose`] is the only caller of `decide`, and gives the entry that
//! stands or falls as a whole. `matching` says who gets which contact. A sixth machine, the service
//! request, stands by itself yet (`calendar`, `promise`, `request`): nothing composes it. Not here:
//! actors, sockets, disk, clocks, chance, wire forms.

pub mod agent;
pub mod calendar;
pub mod contact;
pub mod credential;
pub mod decision;
pub mod entry;
pub mod explain;
pub mod ids;
pub mod kpi;
pub mod machine;
pub mod matching;
mod presence;
pub mod priority;
pub mod promise;
pub mod quarantine;
pub mod queue;
pub mod request;
pub mod skills;
pub mod system;
pub mod time;

pub use ids::EntityId;
pub use machine::{Command, Event, State};
