//! A real server is killed and started again: under load, and at each sync and write of its log;
//! one whose syncs are slow shows nothing before them; and none starts on a log with a flipped bit.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod copies;
mod flips;
mod keys;
mod ledger;
mod load;
mod places;
mod s56;
mod script;
mod server;
mod slow;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use std::time::Duration;

/// How many a second, whole.
fn per_second(count: usize, took: Duration) -> u128 {
    count as u128 * 1000 / took.as_millis().max(1)
}
