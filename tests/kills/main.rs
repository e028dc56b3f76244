//! A real server is killed and started again: under load, and at each sync and write of its log;
//! and one whose syncs are slow shows nothing before them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod copies;
mod ledger;
mod load;
mod s56;
mod script;
mod server;
mod slow;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod wire;
