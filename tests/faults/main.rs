//! A crash of one is not a crash of all: actors that die, machines that cannot apply, and the
//! checker that looks for what cannot be.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod checker;
mod house;
mod lanes;
#[path = "../support/lines.rs"]
mod lines;
mod machines;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod whole;
