//! The HTTP API: who may, what is refused and how, and the life of a call.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests may panic, and show tables")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod admission;
mod calls;
mod conditions;
mod explain;
mod forms;
#[allow(dead_code, reason = "shared with the tests of the description and of the metrics")]
mod house;
mod keys;
mod service;
mod slow;
mod stream;
mod strict;
mod table;
mod wires;
