//! Virtual time: recorded days and random scenarios, by the pure loop and by the server's actors.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod actors;
mod checker;
#[path = "../support/days.rs"]
mod days;
mod faults;
mod order;
mod random;
mod replay;
#[path = "../support/mod.rs"]
mod support;
