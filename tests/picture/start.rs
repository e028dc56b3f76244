//! A start from picture and tail is the same as one from the whole log, whenever the last one
//! ended, and whatever became of the picture.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use atalaya::journal::commit::{Cause, Commit as _, Numbered, Said, Sealed, Whose};
use atalaya::journal::follower::{Dirty, Follower};
use atalaya::journal::opening::{From, Opening, Told};
use atalaya::journal::picture::{Applied, Kept, Picture, STATE_FOLDER, Standing};
use atalaya::views::Wallboard;
use atalaya_domain::time::Timestamp;
use atalaya_domain::{EntityId, State};
use tempfile::tempdir;

use crate::life::{Life, madrid};
use crate::samples::ana;
use crate::support::{States, copy, steps};

const BOARD: &str = "wallboard";
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

fn wall() -> Timestamp {
    Timestamp(77)
}

/// What a centre has in memory, as far as the log says it.
#[derive(Debug, PartialEq)]
struct Centre {
    states: States,
    said: BTreeMap<(Whose, String), String>,
    board: Wallboard,
    applied: Option<Applied>,
}

impl Centre {
    fn blank() -> Self {
        let board = Wallboard::new(madrid());
        Self { states: States::new(), said: BTreeMap::new(), board, applied: None }
    }

    /// What the picture has; `None` where the board is of no use.
    fn from(picture: &Picture) -> Option<Self> {
        let mut board = Wallboard::restore(&picture.view(BOARD)?, madrid())?;
        let states: States = picture.states().map(Result::unwrap).collect();
        for (id, kept) in &states {
            if let (EntityId::Contact(id), State::Contact(contact)) = (id, &kept.state) {
                board.found(*id, contact);
            }
        }
        let owner = Whose::Agent(ana());
        let said = picture.said(&owner).unwrap().into_iter();
        let said = said.map(|(field, text)| ((owner.clone(), field), text)).collect();
        Some(Self { states, said, board, applied: picture.applied() })
    }

    fn fold(&mut self, told: &Told, dirty: &mut Dirty) {
        for entry in &told.entries {
            for Numbered { seq, recorded, .. } in &entry.events {
                let id = recorded.entity.clone();
                let blank = || State::blank(&id);
                let before = self.states.get(&id).map_or_else(blank, |kept| kept.state.clone());
                let mut state = before.clone();
                state.apply(recorded.at, &recorded.event);
                self.board.fold(*seq, recorded, &before, &state);
                dirty.touch(&id, *seq);
                let (version, seq) = (recorded.version, *seq);
                let first_seq = self.states.get(&id).map_or(seq, |kept| kept.first_seq);
                let kept =
                    Kept { state, version, first_seq, seq, frozen: false, quarantined: None };
                self.states.insert(id, kept);
            }
            for said in &entry.cause.said {
                dirty.say(said);
                self.said.insert((said.of.clone(), said.field.clone()), said.text.clone());
            }
            let seq = entry.events.last().map(|event| event.seq);
            let seq = seq.or(self.applied.map(|applied| applied.seq)).unwrap_or(0);
            self.applied = Some(Applied { batch: told.batch, seq, now: entry.now });
        }
        dirty.mark(self.applied.unwrap());
    }

    fn send(&self, dirty: &mut Dirty, follower: &Follower) -> bool {
        let views = || BTreeMap::from([(BOARD.to_owned(), self.board.keep())]);
        dirty.send(follower, |id: &EntityId, _| self.states[id].clone(), views)
    }
}

/// A start: from the picture where it is of use, else from the whole log.
fn start(dir: &Path) -> (Centre, Standing, usize) {
    let opening = Opening::begin(dir).unwrap();
    let standing = opening.standing().clone();
    let (mut centre, from) = match Centre::from(opening.picture()) {
        Some(centre) => (centre, From::Mark),
        None => (Centre::blank(), From::Beginning),
    };
    let (mut dirty, mut told) = (Dirty::default(), 0);
    let read = opening.read(wall, from, &mut |batch| {
        centre.fold(&batch, &mut dirty);
        told += 1;
    });
    read.unwrap();
    (centre, standing, told)
}

/// The whole log and nothing else.
fn start_without(dir: &Path) -> Centre {
    let without = tempdir().unwrap();
    copy(dir, without.path());
    fs::remove_dir_all(without.path().join(STATE_FOLDER)).unwrap();
    start(without.path()).0
}

/// The entries of a life of these steps, a batch every few.
pub(crate) fn batches(steps: &[(u8, u8, u8)], per_batch: usize) -> Vec<Vec<Sealed>> {
    let mut life = Life::new();
    let mut previous: BTreeMap<EntityId, u64> = BTreeMap::new();
    let mut told = 0;
    let mut entries = Vec::new();
    for step in steps {
        life.step(*step);
        let events: Vec<Numbered> = life.log[told..]
            .iter()
            .map(|folded| {
                let recorded = folded.recorded.clone();
                let before = previous.insert(recorded.entity.clone(), folded.seq);
                Numbered { seq: folded.seq, previous: before.unwrap_or(0), recorded }
            })
            .collect();
        told = life.log.len();
        let mut cause = Cause::system();
        let text = format!("Ana {}", entries.len());
        cause.said = vec![Said { of: Whose::Agent(ana()), field: "name".into(), text }];
        entries.push(Sealed { cause, now: life.now, events });
    }
    entries.chunks(per_batch).map(<[Sealed]>::to_vec).collect()
}

/// The log is committed, folded and followed; after every few batches the process is killed.
#[test]
fn picture_and_tail_are_the_whole_log() {
    let home = tempdir().unwrap();
    let dir = home.path();
    let opening = Opening::begin(dir).unwrap();
    assert_eq!(*opening.standing(), Standing::New);
    let (mut recorder, picture) = opening.read(wall, From::Mark, &mut |_| panic!("new")).unwrap();
    let follower = Follower::start(picture, dir.into()).unwrap();
    let (mut centre, mut dirty) = (Centre::blank(), Dirty::default());
    let (mut short, mut number) = (0, 0);
    for (place, entries) in batches(&steps(240), 4).into_iter().enumerate() {
        number = recorder.next_batch();
        recorder.commit(&entries).unwrap();
        centre.fold(&Told { batch: number, wall: wall(), entries }, &mut dirty);
        centre.send(&mut dirty, &follower);
        if place % 6 == 5 {
            let killed = tempdir().unwrap();
            copy(dir, killed.path());
            let (again, standing, told) = start(killed.path());
            // What the copy caught of the store in the middle of a write may be of no use.
            let known = matches!(standing, Standing::Known(_));
            short += usize::from(known && told < place + 1);
            assert_eq!(again, centre, "{standing:?} and {told} batches of {number}");
            assert_eq!(start_without(killed.path()), centre);
        }
    }
    assert!(0 < short, "no start was ever shorter");
    crate::wait::wait_for("room", || {
        (dirty.is_empty() || centre.send(&mut dirty, &follower)).then_some(())
    });
    assert!(follower.stop(PATIENCE));
    drop(recorder);
    let (again, standing, told) = start(dir);
    assert_eq!((again.applied.unwrap().batch, told), (number, 0));
    assert_eq!(standing, Standing::Known(centre.applied.unwrap()));
    assert_eq!(again, centre);
    // Another time zone: the board is folded anew, and so is all.
    let picture = Opening::begin(dir).unwrap().picture().clone();
    let board = picture.view(BOARD).unwrap();
    assert!(Wallboard::restore(&board, jiff::tz::TimeZone::UTC).is_none());
    drop(picture);
    let mut batches = 0;
    let opening = Opening::begin(dir).unwrap();
    opening.read(wall, From::Beginning, &mut |_| batches += 1).unwrap();
    assert_eq!(batches, number);
}

/// The last batches of the log are gone, and the picture knows: nothing is cut, nothing started.
#[test]
fn a_log_that_ends_before_the_picture_is_refused_and_left_alone() {
    let home = tempdir().unwrap();
    let dir = home.path();
    let opening = Opening::begin(dir).unwrap();
    let (mut recorder, picture) = opening.read(wall, From::Mark, &mut |_| {}).unwrap();
    let (mut centre, mut dirty) = (Centre::blank(), Dirty::default());
    for (number, entries) in (1..).zip(batches(&steps(40), 4)) {
        recorder.commit(&entries).unwrap();
        centre.fold(&Told { batch: number, wall: wall(), entries }, &mut dirty);
    }
    let change = dirty.take(|id, _| centre.states[id].clone(), BTreeMap::new);
    picture.apply(&change).unwrap();
    picture.flush().unwrap();
    drop((recorder, picture));
    let segment = fs::read_dir(dir.join("log")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    for from in [From::Mark, From::Beginning] {
        let opening = Opening::begin(dir).unwrap();
        let error = opening.read(wall, from, &mut |_| {}).unwrap_err().to_string();
        let wanted = "cannot open the log: it ends with batch 9 ";
        assert!(error.starts_with(wanted) && error.contains("has applied batch 10"), "{error}");
        assert_eq!(fs::read(&segment).unwrap(), bytes, "the log was changed");
    }
    let picture = Arc::clone(Opening::begin(dir).unwrap().picture());
    assert!(picture.fits(9).is_err() && picture.fits(10).is_ok());
    drop(picture);
    // A log that is gone whole is not a new one either.
    fs::write(&segment, []).unwrap();
    let refused = || Opening::begin(dir).unwrap_err().to_string();
    let wanted = "cannot start: the log ends with batch 0, but the state has applied batch 10; ";
    assert!(refused().starts_with(wanted), "{}", refused());
    fs::remove_dir_all(dir.join("log")).unwrap();
    assert!(refused().starts_with(wanted), "{}", refused());
    assert!(dir.join(STATE_FOLDER).is_dir(), "the state was set aside");
    fs::remove_dir_all(dir.join(STATE_FOLDER)).unwrap();
    assert_eq!(*Opening::begin(dir).unwrap().standing(), Standing::New);
}
