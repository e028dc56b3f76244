//! What readers see is what happened: sums, days, deltas and shapes of the views.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod checks;
mod days;
mod events;
mod intervals;
mod kept;
mod life;
mod shapes;
#[path = "../support/mod.rs"]
mod support;
