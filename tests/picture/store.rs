//! What was applied is read back, after any crash, as of one change.

use std::collections::BTreeMap;
use std::path::Path;

use atalaya::journal::commit::Whose;
use atalaya::journal::picture::{Applied, Change, PictureError, Receipt, STATE_FOLDER, Standing};
use atalaya_domain::EntityId;
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, PersonId};
use atalaya_domain::time::Timestamp;
use tempfile::tempdir;
use uuid::Uuid;

use crate::samples::ana;
use crate::support::{States, contact_called, copy, history, open, receipt, states_of, steps};

fn mark(batch: u64) -> Applied {
    Applied { batch, seq: 10 * batch, now: Timestamp(5) }
}

#[test]
fn what_is_applied_comes_back() {
    let home = tempdir().unwrap();
    let history = history(&steps(400), 10);
    let (picture, standing) = open(home.path());
    assert_eq!(standing, Standing::New);
    assert!(picture.fits(0).is_ok());
    for (change, states) in &history {
        picture.apply(change).unwrap();
        assert_eq!(picture.applied(), change.applied);
        assert_eq!(states_of(&picture), *states);
    }
    picture.flush().unwrap();
    drop(picture);
    let (picture, standing) = open(home.path());
    let (last, states) = history.last().unwrap();
    assert_eq!(standing, Standing::Known(last.applied.unwrap()));
    assert_eq!(states_of(&picture), *states);
    for (id, kept) in states {
        assert_eq!(picture.state(id).unwrap().as_ref(), Some(kept));
    }
    assert_eq!(picture.state(&AgentId::new("nobody").unwrap().into()).unwrap(), None);
    let said = picture.said(&Whose::Agent(ana())).unwrap();
    assert_eq!(said, BTreeMap::from([("name".to_owned(), format!("Ana {}", history.len()))]));
    assert_eq!(picture.view("board"), last.views.get("board").cloned());
    let contacts = states.iter().filter_map(|(id, kept)| match id {
        EntityId::Contact(id) => Some((*id, kept.clone())),
        _ => None,
    });
    let contacts: Vec<_> = contacts.collect();
    assert!(7 < contacts.len(), "a life without contacts");
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = picture.contacts_after(after, 3).unwrap();
        let Some((last, _)) = page.last() else { break };
        assert!(page.len() <= 3);
        after = Some(*last);
        read.extend(page);
    }
    assert_eq!(read, contacts);
}

/// Each copy is what a crash leaves at that moment, flushed or not: it opens as of one change.
#[test]
fn a_crash_between_any_two_changes_leaves_the_picture_of_one() {
    let home = tempdir().unwrap();
    let history = history(&steps(150), 5);
    let (picture, _) = open(home.path());
    let mut marks = Vec::new();
    for (index, (change, _)) in history.iter().enumerate() {
        picture.apply(change).unwrap();
        let crashed = tempdir().unwrap();
        copy(&home.path().join(STATE_FOLDER), &crashed.path().join(STATE_FOLDER));
        marks.push(opens_as_of_one(crashed.path(), &history[..=index], Views::Kept));
        if index % 3 == 0 {
            picture.flush().unwrap();
            let crashed = tempdir().unwrap();
            copy(&home.path().join(STATE_FOLDER), &crashed.path().join(STATE_FOLDER));
            let batch = opens_as_of_one(crashed.path(), &history[..=index], Views::Kept);
            assert_eq!(batch, change.applied.unwrap().batch, "what was flushed is gone");
        }
    }
    assert!(marks.windows(2).all(|two| two[0] <= two[1]), "{marks:?}");
}

/// Whether the views must be there, or may be lost.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Views {
    Kept,
    MayBeLost,
}

/// The batch that the picture is of, which has the states that it had then.
pub(crate) fn opens_as_of_one(dir: &Path, history: &[(Change, States)], views: Views) -> u64 {
    let (picture, standing) = open(dir);
    let Standing::Known(applied) = standing else {
        assert_eq!(standing, Standing::New);
        assert_eq!(states_of(&picture), States::new());
        return 0;
    };
    let of = |(change, _): &&(Change, States)| change.applied == Some(applied);
    let (change, states) = history.iter().find(of).unwrap();
    assert_eq!(states_of(&picture), *states);
    if views == Views::Kept {
        assert_eq!(picture.view("board"), change.views.get("board").cloned());
    } else if let Some(view) = picture.view("board") {
        assert_eq!(view, change.views["board"]);
    }
    applied.batch
}

#[test]
fn a_mark_beyond_the_log_is_refused() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    picture.apply(&Change { applied: Some(mark(4)), ..Change::default() }).unwrap();
    assert_eq!(picture.fits(4), Ok(()));
    assert_eq!(picture.fits(5), Ok(()));
    assert_eq!(picture.fits(3), Err(PictureError::Ahead { applied: 4, last: 3 }));
    let old = picture.apply(&Change { applied: Some(mark(3)), ..Change::default() });
    assert_eq!(old, Err(PictureError::Old { batch: 4, change: 3 }));
}

#[test]
fn receipts_are_found_by_call_and_forgotten_by_age() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let receipts: Vec<_> = [(1, -5), (2, 0), (3, 7), (4, 7), (5, 900)]
        .into_iter()
        .map(|(number, wall)| receipt(number, wall))
        .collect();
    let by_call = |receipts: &[_]| receipts.iter().cloned().map(named).collect::<BTreeMap<_, _>>();
    let change =
        Change { receipts: by_call(&receipts), applied: Some(mark(1)), ..Change::default() };
    picture.apply(&change).unwrap();
    let since = |wall| picture.receipts(Timestamp(wall)).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(since(i64::MIN), receipts);
    assert_eq!(since(7), receipts[2..]);
    assert_eq!(since(901), []);
    assert_eq!(picture.receipt(token(1), &[3; 16]).unwrap().as_ref(), Some(&receipts[2]));
    assert_eq!(picture.receipt(token(2), &[3; 16]).unwrap(), None);
    // The key of the first is used again, after its time.
    let again = receipt(1, 1_000);
    let change = Change {
        receipts: by_call(std::slice::from_ref(&again)),
        applied: Some(mark(2)),
        ..Change::default()
    };
    picture.apply(&change).unwrap();
    assert_eq!(picture.forget_receipts(Timestamp(900), 2).unwrap(), 2);
    assert_eq!(since(i64::MIN), [receipts[3].clone(), receipts[4].clone(), again.clone()]);
    assert_eq!(picture.forget_receipts(Timestamp(900), 2).unwrap(), 1);
    assert_eq!(picture.forget_receipts(Timestamp(900), 2).unwrap(), 0);
    assert_eq!(picture.receipt(token(1), &[3; 16]).unwrap(), None);
    picture.flush().unwrap();
    drop(picture);
    let (picture, standing) = open(home.path());
    assert_eq!(standing, Standing::Known(mark(2)));
    let left: Vec<_> = picture.receipts(Timestamp(0)).map(Result::unwrap).collect();
    assert_eq!(left, [receipts[4].clone(), again]);
}

fn named(receipt: Receipt) -> ((CredentialId, [u8; 16]), Receipt) {
    ((receipt.token, receipt.key), receipt)
}

fn token(number: u128) -> CredentialId {
    CredentialId(Uuid::from_u128(number))
}

#[test]
fn contacts_are_found_by_the_name_that_another_system_gave() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let id = |number: u128| ContactId(Uuid::from_u128(number));
    let called = [(3, "PBX-1"), (2, "PBX-1"), (1, "PBX-10"), (4, "")];
    let states = called.map(|(number, name)| (id(number).into(), contact_called(name)));
    let change = Change { states: states.into(), applied: Some(mark(1)), ..Change::default() };
    picture.apply(&change).unwrap();
    let found = |name: &str| picture.by_external_id(name).unwrap();
    assert_eq!(found("PBX-1"), [id(2), id(3)]);
    assert_eq!(found("PBX-10"), [id(1)]);
    assert_eq!(found(""), [id(4)]);
    assert_eq!(found("PBX"), []);
}

#[test]
fn personal_data_of_one_are_not_another_s() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let agent = |name: &str| Whose::Agent(AgentId::new(name).unwrap());
    let person = Whose::Person(PersonId(Uuid::from_u128(1)));
    let said = [
        ((agent("an"), "name"), "An"),
        ((agent("ana"), "name"), "Ana"),
        ((agent("ana"), "name.short"), ""),
        ((person.clone(), "from"), "+34600111222"),
    ];
    let said = said.map(|((of, field), text)| ((of, field.to_owned()), text.to_owned()));
    let change = Change { said: said.into(), applied: Some(mark(1)), ..Change::default() };
    picture.apply(&change).unwrap();
    let of = |owner: &Whose| picture.said(owner).unwrap().into_iter().collect::<Vec<_>>();
    let pair = |field: &str, text: &str| (field.to_owned(), text.to_owned());
    assert_eq!(of(&agent("an")), [pair("name", "An")]);
    assert_eq!(of(&agent("ana")), [pair("name", "Ana"), pair("name.short", "")]);
    assert_eq!(of(&person), [pair("from", "+34600111222")]);
    assert_eq!(of(&agent("a")), []);
    let all: Vec<_> = picture.all_said().map(Result::unwrap).collect();
    assert_eq!(all.len(), change.said.len());
    for (owner, field, text) in all {
        assert_eq!(change.said.get(&(owner, field)), Some(&text));
    }
}

#[test]
fn a_view_is_given_only_as_of_the_mark() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let with = |batch, bytes: Option<Vec<u8>>| Change {
        views: bytes.map(|bytes| ("board".to_owned(), bytes)).into_iter().collect(),
        applied: Some(mark(batch)),
        ..Change::default()
    };
    for bytes in [vec![7; 50_000], vec![8; 16 * 1024], vec![], vec![9; 100_000]] {
        let batch = picture.applied().map_or(1, |applied| applied.batch + 1);
        picture.apply(&with(batch, Some(bytes.clone()))).unwrap();
        assert_eq!(picture.view("board"), Some(bytes));
        assert_eq!(picture.view("boar"), None);
    }
    picture.apply(&with(9, None)).unwrap();
    assert_eq!(picture.view("board"), None);
}

#[test]
fn ten_thousand_states_at_once() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    let kept = contact_called("PBX");
    let states: States = (0..10_000)
        .map(|number| (ContactId(Uuid::from_u128(number)).into(), kept.clone()))
        .collect();
    let change = Change { states: states.clone(), applied: Some(mark(1)), ..Change::default() };
    picture.apply(&change).unwrap();
    picture.flush().unwrap();
    drop(picture);
    let (picture, standing) = open(home.path());
    assert_eq!(standing, Standing::Known(mark(1)));
    assert_eq!(states_of(&picture), states);
    assert_eq!(picture.by_external_id("PBX").unwrap().len(), 1_000);
}

/// A hundred views of 300 kB were written, and one is there.
#[test]
fn views_that_change_do_not_make_the_picture_grow() {
    let home = tempdir().unwrap();
    let (picture, _) = open(home.path());
    for batch in 1..=100_u8 {
        let views = BTreeMap::from([("board".to_owned(), vec![batch; 300_000])]);
        let applied = Some(mark(batch.into()));
        picture.apply(&Change { views, applied, ..Change::default() }).unwrap();
        picture.flush().unwrap();
    }
    let size = size_of(home.path());
    assert!((300_000..3_000_000).contains(&size), "{size} bytes");
}

fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let size = |entry: std::fs::DirEntry| match entry.metadata().unwrap() {
        data if data.is_dir() => size_of(&entry.path()),
        data => data.len(),
    };
    entries.map(size).sum()
}
