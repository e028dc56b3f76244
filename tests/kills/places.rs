//! A queue of three places and 64 who come at once, each by a connection of its own: also where a
//! sync takes so long that all of them wait for the same one.

use futures_util::future::join_all;
use serde_json::json;

use super::server::Server;
use super::support;
use super::wire::{Answer, Wire};

/// Places of the queue.
const PLACES: usize = 3;
/// Arrivals at once.
const AT_ONCE: usize = 64;
/// What a sync takes, where it is made slow: all who come meanwhile are decided before it ends.
const SYNC_MS: u64 = 300;

/// How many of them wait; the others were refused because there is no place.
async fn queued(wires: &mut [Wire]) -> usize {
    let call = json!({"channel": "voice", "queue": "pensions"});
    let answers = join_all(wires.iter_mut().map(|wire| wire.post("/api/v1/contacts", &call))).await;
    let is_queued = |answer: &Answer| {
        assert_eq!(answer.status, 201, "{answer:?}");
        let contact = &answer.json;
        let full = (&contact["state"], &contact["reason"]) == (&json!("refused"), &json!("full"));
        assert!(full || contact["state"] == "queued", "{contact}");
        !full
    };
    answers.into_iter().map(Result::unwrap).filter(is_queued).count()
}

#[actix_web::test]
async fn a_queue_has_as_many_places_as_its_rules_say() {
    let slow_too = support::has("a_queue_has_as_many_places_as_its_rules_say", "strace");
    for slow in [false, true].into_iter().filter(|slow| !slow || slow_too) {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(dir.path());
        let mut wire = server.wire();
        let rules = json!({"name": "Pensions", "requires": {}, "max_waiting": PLACES});
        wire.put("/api/v1/queues/pensions", &rules).await.unwrap().good();
        let fault = format!("slow-fsync:{SYNC_MS}");
        let log = dir.path().join("log/00000000000000000001.log");
        let tracer = slow.then(|| server.under(&fault, &log));
        let mut wires: Vec<_> = (0..AT_ONCE).map(|_| server.wire()).collect();
        assert_eq!(queued(&mut wires).await, PLACES, "slow: {slow}");
        assert_eq!(queued(&mut wires).await, 0, "slow: {slow}");
        let waiting = wire.get("/api/v1/queues/pensions/waiting").await.unwrap();
        let first = waiting.json["items"][0]["id"].as_str().unwrap();
        let path = format!("/api/v1/contacts/{first}/abandon");
        wire.post(&path, &json!({})).await.unwrap().good();
        assert_eq!(queued(&mut wires).await, 1, "one has left; slow: {slow}");
        server.kill();
        if let Some(tracer) = tracer {
            tracer.join();
        }
    }
}
