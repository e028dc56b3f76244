//! Memory stays small, and nobody can tell: whoever is over leaves it and is found all the same.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/house.rs"]
mod house;
mod lanes;
mod life;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod walk;
mod writer;
