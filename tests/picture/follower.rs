//! The follower takes what it has room for, never makes anybody wait, and ends when it must.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atalaya::journal::follower::{CHANGES_MAX, Dirty, Follower, GATHERED_MAX};
use atalaya::journal::picture::{Applied, Change, Kept, Picture, Standing};
use atalaya_domain::EntityId;
use atalaya_domain::ids::ContactId;
use atalaya_domain::time::Timestamp;
use tempfile::tempdir;
use uuid::Uuid;

use crate::support::{States, history, open, receipt, states_of, steps};
use crate::wait::wait_for;

/// Far over what ending takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whatever the follower takes and whenever, in the end the picture is that of the last batch.
#[test]
fn what_has_no_room_is_gathered_and_sent_later() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let picture = Arc::new(picture);
    let follower = Follower::start(picture.clone(), home.path().into()).unwrap();
    let history = history(&steps(600), 2);
    let mut dirty = Dirty::default();
    let mut sent = 0;
    for (change, states) in &history {
        for (id, kept) in &change.states {
            dirty.touch(id, kept.seq);
        }
        dirty.mark(change.applied.unwrap());
        sent += usize::from(dirty.send(&follower, from(states), || change.views.clone()));
    }
    let (last, states) = history.last().unwrap();
    wait_for("room for the rest", || {
        let views = || last.views.clone();
        (dirty.is_empty() || dirty.send(&follower, from(states), views)).then_some(())
    });
    let seq = last.applied.unwrap().seq;
    wait_for("the last event", || (follower.applied_seq() == seq).then_some(()));
    assert!(0 < sent && !follower.is_broken());
    assert!(follower.stop(PATIENCE));
    assert_eq!(states_of(&picture), *states);
    drop(picture);
    let (picture, standing) = open(home.path());
    assert_eq!(standing, Standing::Known(last.applied.unwrap()));
    assert_eq!(states_of(&picture), *states);
    assert_eq!(picture.view("board"), last.views.get("board").cloned());
}

fn from(states: &States) -> impl Fn(&EntityId, u64) -> Kept {
    |id, seq| {
        assert_eq!(states[id].seq, seq);
        states[id].clone()
    }
}

/// The first batch is due at once, the next with time or when many entities have changed.
#[test]
fn what_is_much_is_due_before_its_time() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let follower = Follower::start(Arc::new(picture), home.path().into()).unwrap();
    let mark = |batch| Applied { batch, seq: batch, now: Timestamp(0) };
    let mut dirty = Dirty::default();
    assert!(!dirty.is_due());
    dirty.mark(mark(1));
    assert!(dirty.is_due());
    assert!(dirty.send(&follower, |_, _| panic!("no state"), BTreeMap::new));
    assert!(!dirty.is_due());
    dirty.mark(mark(2));
    for number in 0..GATHERED_MAX {
        let id = ContactId(Uuid::from_u128(u128::try_from(number).unwrap()));
        dirty.touch(&id.into(), 2);
    }
    assert!(dirty.is_due());
    assert!(follower.stop(PATIENCE));
}

#[test]
fn a_full_follower_gives_back_what_it_cannot_take() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let follower = Follower::start(Arc::new(picture), home.path().into()).unwrap();
    let change = |batch| Change {
        views: BTreeMap::from([("v".to_owned(), vec![1; 2_000_000])]),
        applied: Some(Applied { batch, seq: batch, now: Timestamp(0) }),
        ..Change::default()
    };
    // One is written at most while the others are offered, and each takes longer than to offer it.
    let back = (1..1_000).find_map(|batch| follower.offer(change(batch)).err());
    let back = back.expect("it took everything");
    assert!(CHANGES_MAX < usize::try_from(back.applied.unwrap().batch).unwrap());
    assert_eq!(back.views["v"].len(), 2_000_000);
    assert!(!follower.has_room());
    wait_for("room", || follower.has_room().then_some(()));
    assert!(follower.offer(*back).is_ok());
    assert!(follower.stop(PATIENCE));
}

#[test]
fn an_error_ends_the_writing_and_nothing_else() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let at = |batch| Change {
        applied: Some(Applied { batch, seq: 10 * batch, now: Timestamp(0) }),
        ..Change::default()
    };
    picture.apply(&at(5)).unwrap();
    let picture: Arc<Picture> = Arc::new(picture);
    let follower = Follower::start(picture.clone(), home.path().into()).unwrap();
    assert_eq!(follower.applied_seq(), 50);
    follower.offer(at(6)).unwrap();
    wait_for("the change", || (follower.applied_seq() == 60).then_some(()));
    follower.offer(at(4)).unwrap();
    wait_for("the error", || follower.is_broken().then_some(()));
    assert!(!follower.has_room());
    let mut dirty = Dirty::default();
    dirty.mark(at(7).applied.unwrap());
    assert!(!dirty.send(&follower, |_, _| panic!("nothing is read"), BTreeMap::new));
    assert!(dirty.is_empty(), "nothing is gathered for a follower that writes no more");
    wait_for("that it is taken and dropped", || follower.offer(at(8)).ok());
    assert!(!follower.stop(PATIENCE));
    assert_eq!(picture.applied(), at(6).applied);
}

/// Receipts that are of no use go with the flushes, and those that are stay.
#[test]
fn old_receipts_are_forgotten() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let receipts = (1..=4).map(|number| receipt(number, i64::from(number) * 10));
    let receipts = receipts.map(|receipt| ((receipt.token, receipt.key), receipt)).collect();
    let mark = Applied { batch: 1, seq: 1, now: Timestamp(0) };
    let applied = Some(mark);
    picture.apply(&Change { receipts, applied, ..Change::default() }).unwrap();
    let picture = Arc::new(picture);
    let follower = Follower::start(picture.clone(), home.path().into()).unwrap();
    let walls = || -> Vec<i64> {
        let all = picture.receipts(Timestamp(i64::MIN)).map(Result::unwrap);
        all.map(|receipt| receipt.wall.0).collect()
    };
    assert_eq!(walls(), [10, 20, 30, 40]);
    follower.forget_receipts(Timestamp(30));
    wait_for("that the old ones are forgotten", || (walls() == [30, 40]).then_some(()));
    assert!(follower.stop(PATIENCE));
    drop(picture);
    let (picture, standing) = open(home.path());
    assert_eq!(standing, Standing::Known(mark));
    assert_eq!(picture.receipts(Timestamp(i64::MIN)).count(), 2);
}

/// What was just taken, at a start too, is not due again with the next batch: views are kept whole
/// with each, and a start that wrote one a batch took a minute where it needs a second.
#[test]
fn what_was_taken_is_not_due_at_once() {
    let mut dirty = Dirty::default();
    for batch in 1..3 {
        dirty.mark(Applied { batch, seq: batch, now: Timestamp(0) });
        assert_eq!(dirty.is_due(), batch == 1, "batch {batch}");
        dirty.take(|_, _| panic!("no state has changed"), BTreeMap::new);
    }
}
