//! Metrics, log lines, and the clock that stands still: what they show and never show.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod clock;
#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/house.rs"]
mod house;
mod scrape;
#[path = "../support/mod.rs"]
mod support;

#[path = "../push/house.rs"]
mod live;
mod logs;
mod names;
mod process;
mod process_counts;
#[allow(dead_code, clippy::expect_used, reason = "shared with the tests of push")]
#[path = "../support/socket.rs"]
mod socket;
mod sums;
