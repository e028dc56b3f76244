//! The writer holds what it does not know against the picture, and forgets only what stands as seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use atalaya::actors::cold::Cold;
use atalaya::actors::found::Found;
use atalaya::actors::gate::Token;
use atalaya::actors::leaving::Leave;
use atalaya::actors::pulse::Pulse;
use atalaya::actors::writer::{Batch, Outcome, Submission, WriterHandle, start};
use atalaya::journal::commit::{Cause, Memory};
use atalaya::journal::picture::{Applied, Change, Kept, Picture};
use atalaya_domain::contact;
use atalaya_domain::entry::{Entry, Recorded};
use atalaya_domain::ids::{ContactId, EntityId};
use atalaya_domain::machine::{Event, State};
use atalaya_domain::time::Timestamp;
use tempfile::tempdir;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

fn contact() -> EntityId {
    ContactId(Uuid::from_u128(5)).into()
}

/// A picture of a log that ended with number 20, the contact at version 4 by number 9.
fn picture(dir: &std::path::Path) -> Arc<Picture> {
    let (picture, _) = Picture::open(dir, Uuid::from_u128(7), [9; 16]).unwrap();
    let state = State::Contact(contact::Contact { version: 4, ..Default::default() });
    let kept = Kept { state, version: 4, first_seq: 2, seq: 9, frozen: false, quarantined: None };
    let applied = Some(Applied { batch: 3, seq: 20, now: Timestamp(0) });
    let states = BTreeMap::from([(contact(), kept)]);
    picture.apply(&Change { states, applied, ..Change::default() }).unwrap();
    Arc::new(picture)
}

fn submit(writer: &WriterHandle, version: u64, changes: bool) -> oneshot::Receiver<Outcome> {
    let (now, versions) = (Timestamp(0), BTreeMap::from([(contact(), version)]));
    let event = Event::Contact(contact::Event::Abandoned);
    let recorded = Recorded { entity: contact(), version: version + 1, at: now, event };
    let events = if changes { vec![recorded] } else { vec![] };
    let entry = Entry { leader: contact(), now, events, versions, verdict: Ok(()) };
    let (outcome, told) = oneshot::channel();
    let token = Token::pass(&Arc::default());
    writer.submit(Submission { entry, cause: Cause::system(), outcome, token }).unwrap();
    told
}

/// The batch in which something was told, with its outcomes and what had left before it.
fn next(batches: &mut mpsc::Receiver<Batch>) -> (Vec<Outcome>, Vec<Leave>, Vec<(u64, u64)>) {
    let batch = batches.blocking_recv().unwrap();
    let events = batch.entries.iter().flat_map(|sealed| &sealed.events);
    let events = events.map(|numbered| (numbered.seq, numbered.previous)).collect();
    (batch.releases.into_iter().map(|release| release.outcome).collect(), batch.left, events)
}

#[test]
fn an_entity_that_left_memory_is_written_on_as_the_picture_has_it() {
    let home = tempdir().unwrap();
    let found = Found {
        applied: Some(Applied { batch: 3, seq: 20, now: Timestamp(0) }),
        ..Found::default()
    };
    let (sender, mut batches) = mpsc::channel(8);
    let cold = Cold::of(Some(picture(home.path())));
    let commit = Box::new(Memory::default());
    let (writer, thread) = start(commit, &found, cold, sender, Arc::new(Pulse::default())).unwrap();
    let leave = |version, seq| Leave { id: contact(), version, seq };
    // Composed before others came, committed and left again; or never to have been there.
    for stale in [3, 0] {
        let _told = submit(&writer, stale, true);
        assert_eq!(next(&mut batches), (vec![Outcome::Stale], vec![], vec![]));
    }
    let _told = submit(&writer, 4, true);
    let committed = |seq| vec![Outcome::Committed { seq }];
    assert_eq!(next(&mut batches), (committed(21), vec![], vec![(21, 9)]));
    // It is known now: what the picture has of it is old.
    let _told = submit(&writer, 4, true);
    assert_eq!(next(&mut batches), (vec![Outcome::Stale], vec![], vec![]));
    // Seen before that event: it stays known.
    writer.forget(vec![leave(4, 9)]);
    let _told = submit(&writer, 5, true);
    assert_eq!(next(&mut batches), (committed(22), vec![], vec![(22, 21)]));
    // Seen as it stands; nothing else happens, and it is told all the same.
    writer.forget(vec![leave(6, 22)]);
    assert_eq!(next(&mut batches), (vec![], vec![leave(6, 22)], vec![]));
    // This picture has not followed, so now it would be wrong: which shows that it is asked.
    let _told = submit(&writer, 6, false);
    assert_eq!(next(&mut batches), (vec![Outcome::Stale], vec![], vec![]));
    drop(writer);
    thread.join().unwrap();
}
