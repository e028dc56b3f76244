//! The wallboard of a data folder at any sequence number: a fold of its log, from key and log alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use atalaya::journal::commit::{Sealed, Whose};
use atalaya::journal::recorder::entries;
use atalaya::journal::{Key, LogReader, RealDisk};
use atalaya::views::{Scope, Wallboard};
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::State;
use atalaya_domain::time::Timestamp;
use serde_json::Value;

/// All entries of a log.
pub(crate) fn entries_of(dir: &Path) -> Vec<Sealed> {
    let key = Key::read(dir, &RealDisk).unwrap().fingerprint();
    let mut reader = LogReader::outside(dir, Arc::new(RealDisk), key).from_batch(1).unwrap();
    let mut all = Vec::new();
    while let Some(decoded) = reader.next_batch().unwrap() {
        all.extend(entries(decoded.batch).unwrap());
    }
    all
}

/// The number of the last event.
pub(crate) fn last_seq(entries: &[Sealed]) -> u64 {
    entries.iter().rev().find_map(|entry| entry.events.last()).map_or(0, |event| event.seq)
}

/// Holds a wallboard that a server showed against the fold up to its number.
///
/// The server shows it as it was when it was last rolled, between its last event and the instant
/// that it tells: so one of the two must be equal, whole.
pub(crate) fn holds(entries: &[Sealed], shown: &Value) {
    let seq = shown["seq"].as_u64().unwrap();
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    let mut board = Wallboard::new(zone);
    let mut states: BTreeMap<EntityId, State> = BTreeMap::new();
    for entry in entries {
        if entry.events.first().is_some_and(|event| seq < event.seq) {
            break;
        }
        for numbered in &entry.events {
            let recorded = &numbered.recorded;
            let state = states.entry(recorded.entity.clone());
            let state = state.or_insert_with(|| State::blank(&recorded.entity));
            let before = state.clone();
            state.apply(recorded.at, &recorded.event);
            board.fold(numbered.seq, recorded, &before, state);
        }
        for said in &entry.cause.said {
            if let (Whose::Agent(agent), "name") = (&said.of, said.field.as_str()) {
                board.set_name(agent, &said.text);
            }
        }
    }
    let at: jiff::Timestamp = shown["at"].as_str().unwrap().parse().unwrap();
    let then = as_read(&board);
    board.roll_to(Timestamp(at.as_microsecond()));
    let now = as_read(&board);
    if then != shown["data"] {
        assert_eq!(now, shown["data"], "the fold up to {seq} is not what was shown");
    }
}

/// As a reader gets it: a number that is written and read may come back another in its last digit.
fn as_read(board: &Wallboard) -> Value {
    serde_json::from_str(&board.data(Scope::All).to_string()).unwrap()
}
