//! The picture in sled: what is read back is what was folded, whatever is lost or broken on the way.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod damage;
mod follower;
#[allow(dead_code, reason = "each test program uses another part of it")]
#[path = "../views/life.rs"]
mod life;
#[allow(dead_code, reason = "each test program uses another part of it")]
#[path = "../records/samples.rs"]
mod samples;
mod start;
mod states;
mod store;
mod support;
mod twice;
#[path = "../support/mod.rs"]
mod wait;
