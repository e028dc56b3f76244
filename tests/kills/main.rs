//! A real server is killed: under load, and at each sync and write of its log.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod keys;
mod load;
mod server;
mod steps;
#[path = "../support/mod.rs"]
mod support;
