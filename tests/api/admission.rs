//! Admission of arrivals that come at once: a queue has as many places as its rules say, however
//! long a commit takes.

use atalaya::journal::commit::CommitError;
use atalaya_domain::matching::{CLASSES_MAX, PROFILES_MAX};
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::house::{House, Reply, house_with};
use crate::slow::Held;
use crate::support::wait_for_async;

/// Arrivals at once.
const AT_ONCE: usize = 64;

async fn limited(house: &House, max_waiting: usize) {
    let rules = json!({"name": "Pensions", "requires": {}, "max_waiting": max_waiting});
    let put = house.ask("PUT", "/api/v1/queues/pensions", &house.admin, rules).await;
    assert!(put.status < 300, "{put:?}");
}

/// So many arrive while the log is at one commit, which then ends so.
async fn arrive(
    house: &House,
    held: &Held,
    count: usize,
    end: Result<(), CommitError>,
) -> Vec<Reply> {
    let call = json!({"channel": "voice", "queue": "pensions"});
    let go = held.hold();
    let all = join_all(
        (0..count).map(|_| house.ask("POST", "/api/v1/contacts", &house.admin, call.clone())),
    );
    let ends = async {
        let under_way = async || (house.centre.in_flight() >= count).then_some(());
        wait_for_async("all of them", under_way).await;
        go.send(end).unwrap();
    };
    join(all, ends).await.0
}

/// How many of them wait; the others were refused, because there is no place.
async fn queued(house: &House, held: &Held, count: usize) -> usize {
    let replies = arrive(house, held, count, Ok(())).await;
    let is_queued = |reply: &&Reply| {
        assert_eq!(reply.status, 201, "{reply:?}");
        let refused =
            (&reply.json["state"], &reply.json["reason"]) == (&json!("refused"), &json!("full"));
        assert!(refused || reply.json["state"] == "queued", "{reply:?}");
        !refused
    };
    replies.iter().filter(is_queued).count()
}

#[actix_web::test]
async fn arrivals_at_once_take_no_more_places_than_there_are() {
    let held = Held::default();
    let house = house_with(Box::new(held.clone()), Vec::new(), [7; 32]).await;
    limited(&house, 3).await;
    let refused = CommitError::Refused("cannot write: the disk is full; make room".into());
    for reply in arrive(&house, &held, 3, Err(refused)).await {
        println!("{} {}", reply.status, reply.problem());
    }
    let waiting = house.get("/api/v1/queues/pensions/waiting", &house.admin).await.json;
    let before = waiting["items"].as_array().unwrap().len();
    assert_eq!(before + queued(&house, &held, AT_ONCE).await, 3, "a refused commit keeps no place");
    assert_eq!(queued(&house, &held, AT_ONCE).await, 0, "all places are taken");

    let waiting = house.get("/api/v1/queues/pensions/waiting", &house.admin).await.json;
    let first = waiting["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/contacts/{first}/abandon");
    let left = house.ask("POST", &path, &house.admin, json!({})).await;
    assert_eq!(left.json["state"], "abandoned");
    assert_eq!(queued(&house, &held, AT_ONCE).await, 1, "one has left");

    limited(&house, 5).await;
    assert_eq!(queued(&house, &held, AT_ONCE).await, 2, "the rules give two more");
    limited(&house, 1).await;
    assert_eq!(queued(&house, &held, AT_ONCE).await, 0, "the rules give fewer than there are");
    let waiting = house.get("/api/v1/queues/pensions/waiting", &house.admin).await.json;
    assert_eq!(waiting["items"].as_array().unwrap().len(), 5, "who waits stays");
}

/// A call that needs a skill of its own: another class than every other.
fn special(number: usize) -> serde_json::Value {
    json!({"channel": "voice", "queue": "pensions", "requires": {format!("s{number}"): 5}})
}

#[actix_web::test]
async fn a_class_past_the_limit_is_refused_until_one_has_gone() {
    let held = Held::default();
    let house = house_with(Box::new(held.clone()), Vec::new(), [7; 32]).await;
    let rules = json!({"name": "Pensions", "requires": {}});
    house.ask("PUT", "/api/v1/queues/pensions", &house.admin, rules).await;
    let arrive =
        async |number| house.ask("POST", "/api/v1/contacts", &house.admin, special(number)).await;
    let mut first = String::new();
    for number in 0..CLASSES_MAX - 2 {
        let came = arrive(number).await;
        assert_eq!(came.json["state"], "queued", "{came:?}");
        if number == 0 {
            came.json["id"].as_str().unwrap().clone_into(&mut first);
        }
    }
    // Two are left, and eight come while the log is at one commit.
    let go = held.hold();
    let eight = join_all((CLASSES_MAX..CLASSES_MAX + 8).map(arrive));
    let ends = async {
        let under_way = async || (house.centre.in_flight() >= 2).then_some(());
        wait_for_async("them", under_way).await;
        go.send(Ok(())).unwrap();
    };
    let replies = join(eight, ends).await.0;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 422).collect();
    assert_eq!(refused.len(), 6, "{replies:?}");
    for reply in refused {
        assert_eq!((reply.problem(), &reply.json["limit"]), ("too-many-classes", &json!(2_000)));
    }
    let more = arrive(0).await;
    assert_eq!(more.status, 201, "a class that is there takes more");
    let second = more.json["id"].as_str().unwrap().to_owned();
    let call = json!({"channel": "voice", "queue": "pensions"});
    let plain = house.ask("POST", "/api/v1/contacts", &house.admin, call.clone()).await;
    assert_eq!(plain.problem(), "too-many-classes", "the queue's own is a class too");
    for (id, was_last) in [(first, false), (second, true)] {
        let path = format!("/api/v1/contacts/{id}/abandon");
        assert_eq!(house.ask("POST", &path, &house.admin, json!({})).await.status, 200);
        let plain = house.ask("POST", "/api/v1/contacts", &house.admin, call.clone()).await;
        assert_eq!(plain.status == 201, was_last, "a class is there while one of it waits");
    }
    assert_eq!(arrive(0).await.status, 422, "the plain one has its place");
    house.ask("POST", "/api/v1/queues/pensions/close", &house.admin, json!({})).await;
    let closed = arrive(CLASSES_MAX).await;
    assert_eq!(closed.json["reason"], "closed", "who is refused makes no class: {closed:?}");
}

fn profile(number: usize) -> serde_json::Value {
    json!({"name": "Ana", "team": "t", "skills": {format!("s{number}"): 5}})
}

#[actix_web::test]
async fn a_profile_past_the_limit_is_refused_but_not_a_change_of_ones_own() {
    let house = crate::house::house().await;
    let put = async |agent: usize, number: usize| {
        let path = format!("/api/v1/agents/a{agent}");
        house.ask("PUT", &path, &house.admin, profile(number)).await
    };
    for number in 0..PROFILES_MAX - 1 {
        let made = put(number, number).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let last = PROFILES_MAX - 1;
    let at_once = join_all((last..last + 8).map(|number| put(number, number))).await;
    let made: Vec<_> = at_once.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(made.len(), 1, "one is left: {at_once:?}");
    let over = put(9_000, 9_000).await;
    let found = (over.status, over.problem(), &over.json["limit"]);
    assert_eq!(found, (422, "too-many-profiles", &json!(2_000)), "{over:?}");
    assert_eq!(put(9_000, 3).await.status, 201, "one that another has");
    assert_eq!(put(3, 9_001).await.status, 422, "it is another's too");
    assert_eq!(put(4, 9_001).await.status, 200, "it was the only one of its own");
    assert_eq!(put(9_001, 4).await.status, 422, "there are as many as before");
    assert_eq!(put(9_000, 5).await.status, 200);
    assert_eq!(put(3, 9_002).await.status, 200, "it is the only one again");
}

#[actix_web::test]
async fn a_queue_that_is_not_there_gets_no_lane() {
    let house = crate::house::house().await;
    for verb in ["open", "close"] {
        let path = format!("/api/v1/queues/nowhere/{verb}");
        let reply = house.ask("POST", &path, &house.admin, json!({})).await;
        assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{reply:?}");
    }
    let nowhere = atalaya_domain::ids::QueueId::new("nowhere").unwrap();
    assert!(!house.centre.is_alive(&nowhere.into()), "nobody was spoken to");
}
