//! The machines from the outside: the matrices, the named cases, scars, random lives.
//!
//! One program, so that `world` and `rules` are built once. Inside knowledge of the machines is not
//! here: everything goes through `entry::compose` and what it commits.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop there")]

mod calendar;
mod cases;
mod explain;
mod lives;
mod matching;
mod matrix;
mod requests;
mod rules;
mod scars;
mod world;
