//! The cases of the product's case book that want more than a machine, each under its number: in
//! lockstep through the server's actors, and against the real process over HTTP and sockets.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../simulation/actors.rs"]
mod actors;
mod live;
mod lockstep;
mod process;
mod reports;
#[path = "../support/socket.rs"]
mod socket;
mod story;
#[path = "../support/mod.rs"]
mod support;
