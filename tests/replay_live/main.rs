//! `atalaya replay` as people start it: through a server of its own, through a running one, and
//! read back by `atalaya serve` from the folder that a lockstep replay has left.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/days.rs"]
mod days;
mod house;
mod live;
mod read_back;
#[path = "../support/mod.rs"]
mod support;
