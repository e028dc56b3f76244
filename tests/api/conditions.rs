//! A condition on the version holds when the write is decided, not only when it came in.

use actix_web::test::TestRequest;
use atalaya_domain::contact;
use atalaya_domain::ids::{AgentId, ContactId, EntityId};
use atalaya_domain::machine::Event;
use atalaya_domain::time::Span;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::house::{House, Reply, START, house};

/// Enough that one way of interleaving is not all.
const ROUNDS: usize = 40;

fn conditional(method: &str, path: &str, token: &str, etag: &str, body: Value) -> TestRequest {
    House::request(method, path, token).insert_header(("If-Match", etag.to_owned())).set_json(body)
}

fn version_of(reply: &Reply) -> u64 {
    reply.json["version"].as_u64().unwrap()
}

#[actix_web::test]
async fn of_writes_on_the_same_version_exactly_one_is_done() {
    let house = house().await;
    house.staffed(&[]).await;
    let path = "/api/v1/queues/pensions";
    for round in 0..ROUNDS {
        let before = house.get(path, &house.admin).await;
        let etag = before.header("etag").unwrap();
        let write = |name: &str| {
            let name = format!("Pensions {round} {name}");
            house.send(conditional("PUT", path, &house.admin, etag, json!({"name": name})))
        };
        let replies = join_all(["a", "b", "c"].map(write)).await;
        let done: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(done.len(), 1, "round {round}: {replies:?}");
        assert_eq!(version_of(done[0]), version_of(&before) + 1);
        for refused in replies.iter().filter(|reply| reply.status != 200) {
            assert_eq!((refused.status, refused.problem()), (412, "version-mismatch"));
            assert_eq!(refused.json["version"], done[0].json["version"]);
        }
        assert_eq!(house.get(path, &house.admin).await.json["name"], done[0].json["name"]);
    }
}

/// The other writer is another lane: a contact whose offer reserves the agent.
#[actix_web::test]
async fn a_write_that_another_lane_overtook_is_412() {
    let house = house().await;
    let path = "/api/v1/agents/ana";
    let ana = &house.staffed(&["ana"]).await[0];
    house.ready("ana", ana).await;
    let id = EntityId::Agent(AgentId::new("ana").unwrap());
    let (mut done, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let before = version_of(&house.get(path, &house.admin).await);
        let profile = json!({"name": "Ana", "team": format!("team-{round}"), "level": 1,
            "skills": {"pensions": 7}, "languages": ["es"], "capacity": {"voice": 1}});
        let etag = format!("\"{before}\"");
        let write = house.send(conditional("PUT", path, &house.admin, &etag, profile));
        // The offer comes after the answer to the call: sooner or later than the write.
        let late = async {
            for _ in 0..(round % 10) * 4 {
                tokio::task::yield_now().await;
            }
            write.await
        };
        let (contact, reply) = join(house.call(), late).await;
        let contact = contact.parse().map(ContactId).unwrap();
        match reply.status {
            200 => {
                let is_change = |event: &&atalaya::journal::commit::Numbered| {
                    event.recorded.entity == id && event.recorded.event.name() == "changed"
                };
                let events = house.centre.events().unwrap();
                let change = events.iter().rfind(is_change).unwrap();
                assert_eq!(change.recorded.version, before + 1, "round {round}");
                done += 1;
            }
            status => {
                assert_eq!((status, reply.problem()), (412, "version-mismatch"), "{reply:?}");
                refused += 1;
            }
        }
        house.until(&contact.0.to_string(), "offered").await;
        let gone = format!("/api/v1/contacts/{}/abandon", contact.0);
        assert_eq!(house.ask("POST", &gone, &house.admin, json!({})).await.status, 200);
    }
    println!("{done} done, {refused} refused");
}

#[actix_web::test]
async fn what_had_fallen_due_is_a_newer_version() {
    let house = house().await;
    let ana = &house.staffed(&["ana"]).await[0];
    house.ready("ana", ana).await;
    let contact = house.call().await;
    let offered = house.until(&contact, "offered").await;
    house.centre.clock().advance_to(START.plus(Span::seconds(20)));
    let path = format!("/api/v1/contacts/{contact}");
    let version = offered["version"].as_u64().unwrap();
    let body = json!({"priority": "high"});
    let etag = format!("\"{version}\"");
    let reply = house.send(conditional("PATCH", &path, &house.admin, &etag, body.clone())).await;
    assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"), "{reply:?}");
    let events = house.centre.events().unwrap();
    let is_missed =
        |event: &Event| matches!(event, Event::Contact(contact::Event::OfferMissed { .. }));
    assert!(events.iter().any(|event| is_missed(&event.recorded.event)), "the lapse stands");
    let etag = format!("\"{}\"", reply.json["version"]);
    let reply = house.send(conditional("PATCH", &path, &house.admin, &etag, body)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for (tag, status) in [("*", 200), ("\"0\"", 412), ("W/\"1\"", 412), ("nonsense", 412)] {
        let body = json!({"priority": "normal"});
        let reply = house.send(conditional("PATCH", &path, &house.admin, tag, body)).await;
        assert_eq!(reply.status, status, "{tag}: {reply:?}");
    }
}
