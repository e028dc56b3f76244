//! Metrics, log lines, and the clock that stands still: what they show and never show.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod clock;
#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/house.rs"]
mod house;
#[path = "../support/lines.rs"]
mod lines;
mod scrape;
#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "shared with the tests of push")]
#[path = "../push/house.rs"]
mod live;
mod logs;
mod names;
mod process;
mod process_counts;
#[path = "../support/socket.rs"]
mod socket;
mod sums;
