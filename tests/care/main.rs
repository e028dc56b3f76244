//! Care of an installation through the real program: backup beside a server under load, restore
//! elsewhere, verify, export; and the trail of one call through log lines, events and history.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod export;
mod fold;
mod house;
#[path = "../kills/ledger.rs"]
#[expect(dead_code, reason = "only its clients are of use here")]
mod ledger;
mod load;
mod messages;
mod restored;
#[path = "../support/socket.rs"]
mod socket;
#[path = "../support/mod.rs"]
mod support;
mod trail;
#[path = "../kills/wire.rs"]
#[expect(dead_code, reason = "not all that it tells is asked for here")]
mod wire;
