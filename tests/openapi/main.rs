//! The description and the server agree: routes, fields, limits, statuses and answers.
//!
//! What is not tried here: frames of sockets (`tests/push`), and whether the prose is good.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests may panic, and show tables")]

#[path = "../support/mod.rs"]
mod support;

mod check;
mod fields;
#[allow(dead_code, reason = "each test program uses another part of it")]
#[path = "../api/house.rs"]
mod house;
mod life;
mod refusals;
mod routes;
