//! The promise that what was acknowledged is never lost, and what was not is never half there.
//! Below the journal's byte layer nothing is tested here: the system's disk is believed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "durability/care.rs"]
mod care;
#[path = "durability/codec.rs"]
mod codec;
#[path = "durability/crashes.rs"]
mod crashes;
#[path = "durability/damage.rs"]
mod damage;
#[path = "support/fault_disk.rs"]
mod fault_disk;
#[path = "durability/house.rs"]
mod house;
#[path = "durability/readers.rs"]
mod readers;
#[path = "durability/support.rs"]
mod support;
