//! `/events` far behind what is in memory: in order, without a gap, beside the writer.

use atalaya::actors::clock::wall_now;
use atalaya::actors::stream::EVENTS_KEPT;
use atalaya::journal::commit::{Cause, Commit, Memory, Numbered, Sealed};
use atalaya::journal::recorder::Recorder;
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{EntityId, QueueId};
use atalaya_domain::machine::Event;
use atalaya_domain::queue;
use serde_json::json;

use crate::house::{House, START, house_in, house_with};

/// Events that are in the log only.
const BEHIND: usize = 2_000;

/// A queue that opens and closes in entries of one to three events: one entry, then the next.
fn history(events: usize) -> Vec<Sealed> {
    let entity = EntityId::Queue(QueueId::new("old").unwrap());
    let numbered = |seq: u64| {
        let event = if seq.is_multiple_of(2) {
            queue::Event::Opened { reason: None }
        } else {
            queue::Event::Closed { emergency: false, reason: None }
        };
        let (at, event, entity) = (START, Event::Queue(event), entity.clone());
        let recorded = Recorded { entity, version: seq, at, event };
        Numbered { seq, previous: seq - 1, recorded }
    };
    let mut seqs = 1..=u64::try_from(events).unwrap();
    let mut entries = Vec::new();
    loop {
        let events: Vec<_> = seqs.by_ref().take(entries.len() % 3 + 1).map(numbered).collect();
        if events.is_empty() {
            return entries;
        }
        entries.push(Sealed { cause: Cause::system(), now: START, events });
    }
}

/// The numbers from `after` on, by pages, until there are no more or so many pages.
async fn pages(house: &House, after: u64, limit: usize, most: usize) -> Vec<u64> {
    let (mut seqs, mut cursor) = (Vec::new(), after.to_string());
    for _ in 0..most {
        let path = format!("/api/v1/events?limit={limit}&cursor={cursor}");
        let page = house.get(&path, &house.admin).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.json["items"].as_array().unwrap();
        seqs.extend(items.iter().map(|item| item["seq"].as_u64().unwrap()));
        match page.json["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    seqs
}

#[actix_web::test]
async fn what_left_memory_is_read_from_the_log_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::open(dir.path(), wall_now, &mut |_| ()).unwrap();
    for batch in history(EVENTS_KEPT + BEHIND).chunks(250) {
        recorder.commit(batch).unwrap();
    }
    drop(recorder);
    let (house, _) = house_in(dir.path()).await;
    house.staffed(&[]).await;
    let last = house.centre.last_seq();
    assert!(house.centre.stream().recent_after(0, 1).is_none(), "memory has forgotten the first");
    let path = "/api/v1/queues/pensions/close";
    // Two readers and a writer at one time.
    let (all, few, closed) = tokio::join!(
        pages(&house, 0, 500, usize::MAX),
        pages(&house, 1, 7, 60),
        house.ask("POST", path, &house.admin, json!({})),
    );
    assert_eq!(closed.status, 200);
    let wanted: Vec<_> = (1..=*all.last().unwrap()).collect();
    assert!(all == wanted && last <= *all.last().unwrap(), "{} to {last}", all.len());
    assert_eq!(few, (2..=7 * 60 + 1).collect::<Vec<_>>(), "pages that end inside an entry");
    let behind = u64::try_from(BEHIND).unwrap();
    let across = pages(&house, behind - 20, 11, 6).await;
    assert_eq!(across, (behind - 19..=behind + 46).collect::<Vec<_>>(), "from log to memory");
    let events = house.centre.events().unwrap();
    assert_eq!(events.len(), usize::try_from(house.centre.last_seq()).unwrap());
    house.stop();
}

#[actix_web::test]
async fn what_is_kept_no_more_is_410_and_says_from_where_it_is() {
    let history = history(EVENTS_KEPT + BEHIND);
    let kept: Vec<_> =
        history.iter().filter(|entry| entry.events[0].seq > 1_000).cloned().collect();
    let first = kept[0].events[0].seq;
    let house = house_with(Box::new(Memory::of(kept)), history, [7; 32]).await;
    let old = house.get("/api/v1/events?after=5", &house.admin).await;
    assert_eq!((old.status, old.problem()), (410, "cursor-too-old"), "{old:?}");
    assert_eq!(old.json["first_seq"], first);
    for path in ["/api/v1/events".to_owned(), format!("/api/v1/events?after={}", first - 1)] {
        let page = house.get(&path, &house.admin).await;
        assert_eq!((page.status, &page.json["items"][0]["seq"]), (200, &json!(first)), "{path}");
    }
    let other = house.get("/api/v1/events?epoch=another", &house.admin).await;
    assert_eq!((other.status, other.problem()), (410, "epoch-changed"));
}
