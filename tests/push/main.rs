//! What is pushed: a real server, real sockets, and the promises of the topics.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/socket.rs"]
mod socket;

mod agents;
mod channel;
mod house;
mod sockets;
mod topics;
