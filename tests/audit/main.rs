//! `audit-live` against real processes: a clean run finds nothing, and a proxy that lies between
//! server and auditor is caught at each of its lies.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod demo;
mod lies;
mod proxy;
mod usage;
