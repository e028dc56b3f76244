//! Configuration: every mistake of a file by its line and key, and what a start and a reload make of
//! a file, in process and with the real program.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod applied;
mod installation;
mod mistakes;
mod program;
mod reading;
mod reload;
#[path = "../support/mod.rs"]
mod support;
