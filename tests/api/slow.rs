//! Commits that take long or fail: what callers are told, and when the server is ready.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use actix_web::test::TestRequest;
use atalaya::journal::commit::{Commit, CommitError, Memory, Past, Sealed};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::house::{House, Reply, house_with};
use crate::support::wait_for_async;

/// What becomes of the next commit.
#[derive(Debug)]
enum Next {
    /// It is under way until it is let go, and ends so.
    Held(Receiver<Result<(), CommitError>>),
    /// It fails, and so does every look, until this is taken away.
    Failing(CommitError),
}

/// A log whose disk the test holds in its hand.
#[derive(Default, Clone)]
pub(crate) struct Held {
    log: Memory,
    next: Arc<Mutex<Option<Next>>>,
}

impl Held {
    /// Holds the next commit, until something is sent.
    pub(crate) fn hold(&self) -> SyncSender<Result<(), CommitError>> {
        let (go, held) = sync_channel(1);
        *self.next.lock().unwrap() = Some(Next::Held(held));
        go
    }
}

impl Commit for Held {
    fn past(&self) -> Arc<dyn Past> {
        self.log.past()
    }

    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError> {
        self.probe()?;
        let held = self.next.lock().unwrap().take();
        if let Some(Next::Held(held)) = held {
            held.recv().unwrap()?;
        }
        self.log.commit(batch)
    }

    fn probe(&mut self) -> Result<(), CommitError> {
        match &*self.next.lock().unwrap() {
            Some(Next::Failing(error)) => Err(error.clone()),
            Some(Next::Held(_)) | None => Ok(()),
        }
    }
}

async fn house() -> (House, Held) {
    let held = Held::default();
    let house = house_with(Box::new(held.clone()), Vec::new(), [7; 32]).await;
    house.staffed(&[]).await;
    (house, held)
}

fn keyed(house: &House, key: &str, path: &str) -> TestRequest {
    let request = House::request("POST", path, &house.admin);
    let call = json!({"channel": "voice", "queue": "pensions"});
    let body = if path.ends_with("contacts") { call } else { json!({}) };
    request.insert_header(("Idempotency-Key", key.to_owned())).set_json(body)
}

/// The answer once the server is, or is not, ready.
async fn ready(house: &House, wanted: bool) -> Reply {
    wait_for_async("readiness", async || {
        let reply = house.get("/health/ready", "").await;
        ((reply.status == 200) == wanted).then_some(reply)
    })
    .await
}

#[actix_web::test]
async fn a_slow_commit_is_answered_unknown_and_its_lane_stays_sound() {
    let (house, held) = house().await;
    let (close, open) = ("/api/v1/queues/pensions/close", "/api/v1/queues/pensions/open");
    let go = held.hold();
    // The second waits in the lane behind the first.
    let asked = (house.send(keyed(&house, "k1", close)), house.send(keyed(&house, "k2", open)));
    for reply in <[Reply; 2]>::from(join(asked.0, asked.1).await) {
        assert_eq!((reply.status, reply.problem()), (503, "commit-unknown"), "{reply:?}");
        assert!(reply.header("retry-after").is_some());
    }
    let not_ready = ready(&house, false).await;
    let reason = not_ready.json["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("slow commit: a batch of 1 "), "{reason}");
    assert_eq!(not_ready.status, 503);
    let again = house.send(keyed(&house, "k1", close)).await;
    assert_eq!((again.status, again.problem()), (409, "key-in-flight"), "not known yet");
    let queue = house.get("/api/v1/queues/pensions", &house.admin).await;
    assert_eq!(queue.json["state"], "open", "what is not on disk is not shown");

    go.send(Ok(())).unwrap();
    ready(&house, true).await;
    for key in ["k1", "k2"] {
        let path = if key == "k1" { close } else { open };
        let found = wait_for_async("the receipt", async || {
            let found = house.send(keyed(&house, key, path)).await;
            (found.problem() != "key-in-flight").then_some(found)
        })
        .await;
        assert_eq!((found.status, found.header("idempotent-replay")), (200, Some("true")), "{key}");
    }
    let events = held.log.entries().into_iter().flat_map(|entry| entry.events);
    let names: Vec<_> = events.map(|numbered| numbered.recorded.event.name()).collect();
    assert_eq!(names[names.len() - 2..], ["closed", "opened"], "each once, in order: {names:?}");
}

#[actix_web::test]
async fn a_slow_commit_that_fails_frees_the_key() {
    let (house, held) = house().await;
    let go = held.hold();
    let unknown = house.send(keyed(&house, "k1", "/api/v1/contacts")).await;
    assert_eq!(unknown.problem(), "commit-unknown", "{unknown:?}");
    go.send(Err(CommitError::Unknown("the disk is gone".into()))).unwrap();
    let made = wait_for_async("the key", async || {
        let made = house.send(keyed(&house, "k1", "/api/v1/contacts")).await;
        (made.problem() != "key-in-flight").then_some(made)
    })
    .await;
    assert_eq!((made.status, made.header("idempotent-replay")), (201, None), "it runs anew");
    let all = house.get("/api/v1/contacts", &house.admin).await.json;
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_log_that_takes_no_work_makes_the_server_not_ready_until_it_does() {
    let (house, held) = house().await;
    let full = "cannot write: 5 bytes are free and 9 are kept in reserve; make room";
    for (error, code) in [
        (CommitError::Refused(full.into()), "not-committed"),
        (CommitError::Unknown("input/output error".into()), "commit-unknown"),
    ] {
        *held.next.lock().unwrap() = Some(Next::Failing(error.clone()));
        let refused = house.ask("POST", "/api/v1/queues/pensions/close", &house.admin, json!({}));
        let refused = refused.await;
        assert_eq!((refused.status, refused.problem()), (503, code), "{refused:?}");
        let reply = house.get("/health/ready", "").await;
        let reason = reply.json["reasons"][0].as_str().unwrap().to_owned();
        assert!(reply.status == 503 && reason.contains(&error.to_string()), "{reason}");
        *held.next.lock().unwrap() = None;
        let reply = ready(&house, true).await;
        assert_eq!(reply.json["reasons"], json!([]), "without a write, since nobody sends any");
    }
    *held.next.lock().unwrap() = Some(Next::Failing(CommitError::Refused(full.into())));
    let reply = ready(&house, false).await;
    assert!(reply.json["reasons"] != Value::Null, "a disk that fills up is told without a write");
}
