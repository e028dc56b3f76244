//! The HTTP API: who may, what is refused and how, and the life of a call.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests may panic, and show tables")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod calls;
mod forms;
mod house;
mod keys;
mod service;
mod table;
mod wires;
