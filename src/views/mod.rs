//! What readers see: wallboard, roster and reports, folded from the log, and every wire shape.
//!
//! A view is told each committed event with the state before and after it, takes an entry whole,
//! and is read between entries: so its sums hold at every sequence number. Not here: files,
//! actors, routes, sockets, clocks. The domain knows nothing of these shapes.

mod cells;
mod counted;
mod data;
mod delta;
mod events;
mod explain;
mod figures;
mod json;
mod kept;
mod meter;
mod report;
mod roster;
mod wallboard;

pub use cells::{Cell, CellKey, CellsAt};
pub use counted::{CountedIn, TRACES_MAX};
pub use delta::{Delta, apply_delta, delta};
pub use events::{decision_json, event_json};
pub use explain::explain_json;
pub use json::{Personal, agent_json, contact_json, queue_json, rfc3339, show_lost};
pub use meter::{CONTACTS, Measures, OfferEnd, QueueMeasures};
pub use report::{By, COLUMNS, Plan, PlanError, ROWS_MAX, Report};
pub use roster::Roster;
pub use wallboard::{Scope, Wallboard};
