//! The same log gives the same bytes, however often it is folded: of every entity's state, and of
//! the wallboard. What a picture makes of them is not here.

use std::collections::BTreeMap;
use std::path::Path;

use atalaya::journal::commit::{Commit as _, Sealed};
use atalaya::journal::recorder::Recorder;
use atalaya::journal::states::encode_state;
use atalaya::views::Wallboard;
use atalaya_domain::time::Timestamp;
use atalaya_domain::{EntityId, State};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::life::{AGENTS, QUEUES, madrid};
use crate::start::batches;
use crate::wait::long;

/// Random lives of the short form, and of the long one.
const LIVES: u32 = 24;
const LIVES_LONG: u32 = 1_000;

fn wall() -> Timestamp {
    Timestamp(77)
}

/// What entries make of a blank centre.
struct Folded {
    states: BTreeMap<EntityId, State>,
    board: Wallboard,
}

impl Folded {
    fn blank() -> Self {
        Self { states: BTreeMap::new(), board: Wallboard::new(madrid()) }
    }

    fn fold(&mut self, entry: &Sealed) {
        for numbered in &entry.events {
            let recorded = &numbered.recorded;
            let id = &recorded.entity;
            let state = self.states.entry(id.clone()).or_insert_with(|| State::blank(id));
            let before = state.clone();
            state.apply(recorded.at, &recorded.event);
            self.board.fold(numbered.seq, recorded, &before, state);
        }
    }

    /// As bytes; those of the board come last.
    fn bytes(&self) -> Vec<(String, Vec<u8>)> {
        let states = self.states.iter();
        let states = states.map(|(id, state)| (id.to_string(), encode_state(state).unwrap()));
        let board = self.board.keep();
        assert!(!board.is_empty(), "the board cannot be kept");
        states.chain([("wallboard".to_owned(), board)]).collect()
    }
}

/// Reads the whole log of a folder.
fn folded(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut folded = Folded::blank();
    Recorder::open(dir, wall, &mut |entry| folded.fold(&entry)).unwrap();
    folded.bytes()
}

fn config() -> ProptestConfig {
    let cases = if long() { LIVES_LONG } else { LIVES };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_log_folded_twice_gives_the_same_bytes(
        steps in prop::collection::vec(any::<(u8, u8, u8)>(), 1..160),
        per_batch in 1_usize..20,
    ) {
        let home = tempdir().unwrap();
        let mut recorder = Recorder::open(home.path(), wall, &mut |_| ()).unwrap();
        let mut lived = Folded::blank();
        for entries in batches(&steps, per_batch) {
            recorder.commit(&entries).unwrap();
            for entry in &entries {
                lived.fold(entry);
            }
        }
        drop(recorder);
        let (once, again) = (folded(home.path()), folded(home.path()));
        let configured = QUEUES.len() + AGENTS.len();
        prop_assert!(configured < once.len(), "queues and agents are not all there");
        for ((id, once), (same, again)) in once.iter().zip(&again) {
            prop_assert_eq!((id, once), (same, again), "one log, two folds");
        }
        prop_assert_eq!(once.len(), again.len());
        prop_assert_eq!(again, lived.bytes(), "the log says something else than was lived");
    }
}
