//! Idempotency keys, and the table of failures.

use std::sync::{Arc, Mutex};

use actix_web::ResponseError;
use actix_web::test::TestRequest;
use atalaya::actors::admission::TooMany;
use atalaya::actors::receipts::{self, Begin, KEPT_FOR, KEYS_MAX, Receipts};
use atalaya::actors::shell::Failure;
use atalaya::api::problem::Problem;
use atalaya::api::roles::Role;
use atalaya::journal::commit::{Cause, Commit, CommitError, Memory, Past, Receipt, Sealed};
use atalaya_domain::decision::Rejection;
use atalaya_domain::ids::{CredentialId, EntityId};
use atalaya_domain::time::{Span, Timestamp};
use serde_json::{Value, json};

use crate::house::{House, START, house, house_in, house_with};

#[actix_web::test]
async fn a_key_gives_the_first_outcome_again() {
    let house = house().await;
    house.staffed(&[]).await;
    let keyed = |body: Value| {
        let request = House::request("POST", "/api/v1/contacts", &house.admin);
        request.insert_header(("Idempotency-Key", "k1")).set_json(body)
    };
    let nowhere = json!({"channel": "voice", "queue": "nowhere"});
    assert_eq!(house.send(keyed(nowhere)).await.status, 422, "a refusal frees the key");
    let call = json!({"channel": "voice", "queue": "pensions"});
    let first = house.send(keyed(call.clone())).await;
    let again = house.send(keyed(call.clone())).await;
    assert_eq!((first.status, again.status), (201, 201), "{again:?}");
    assert_eq!(first.json["id"], again.json["id"]);
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    assert_eq!(first.header("idempotent-replay"), None);
    let other = json!({"channel": "voice", "queue": "pensions", "subject": "other"});
    let other = house.send(keyed(other)).await;
    assert_eq!((other.status, other.problem()), (422, "key-reused"));
    let all = house.get("/api/v1/contacts?queue=pensions", &house.admin).await.json;
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    let integrator = house.token(Role::Integrator, None).await;
    let request = House::request("POST", "/api/v1/contacts", &integrator);
    let request = request.insert_header(("Idempotency-Key", "k1")).set_json(call);
    assert_ne!(house.send(request).await.json["id"], first.json["id"], "keys are per token");
}

fn keyed(key: &str, path: &str, token: &str, body: Value) -> TestRequest {
    House::request("POST", path, token).insert_header(("Idempotency-Key", key)).set_json(body)
}

const CONTACTS: &str = "/api/v1/contacts";

#[actix_web::test]
async fn the_first_outcome_outlives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let (house, _) = house_in(dir.path()).await;
    house.staffed(&[]).await;
    let call = json!({"channel": "voice", "queue": "pensions"});
    let first = house.send(keyed("k1", CONTACTS, &house.admin, call.clone())).await;
    assert_eq!(first.status, 201, "{first:?}");
    let close = "/api/v1/queues/pensions/close";
    let open = "/api/v1/queues/pensions/open";
    let opened = house.send(keyed("k2", open, &house.admin, json!({}))).await;
    assert_eq!(opened.status, 200, "it was open: nothing changes, and it is a success");
    let token = json!({"role": "auditor"});
    let made = house.send(keyed("k3", "/api/v1/tokens", &house.admin, token.clone())).await;
    assert!(made.json["token"].is_string(), "{made:?}");
    let nothing = json!({"channel": "voice", "queue": "nowhere"});
    assert_eq!(house.send(keyed("k4", CONTACTS, &house.admin, nothing)).await.status, 422);
    assert_eq!(house.ask("POST", close, &house.admin, json!({})).await.status, 200);
    let admin = house.admin.clone();
    house.stop();

    let (house, history) = house_in(dir.path()).await;
    let again = house.send(keyed("k1", CONTACTS, &admin, call.clone())).await;
    assert_eq!((again.status, again.header("idempotent-replay")), (201, Some("true")));
    assert_eq!(
        (&again.json["id"], again.json["state"].as_str()),
        (&first.json["id"], Some("queued"))
    );
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("atalaya-seq"), first.header("atalaya-seq"));
    let other = json!({"channel": "voice", "queue": "pensions", "subject": "other"});
    let other = house.send(keyed("k1", CONTACTS, &admin, other)).await;
    assert_eq!((other.status, other.problem()), (422, "key-reused"));
    let opened = house.send(keyed("k2", open, &admin, json!({}))).await;
    assert_eq!(opened.header("idempotent-replay"), Some("true"), "{opened:?}");
    assert_eq!(opened.json["state"], "closed", "the entity as it is now");
    let known = house.send(keyed("k3", "/api/v1/tokens", &admin, token)).await;
    assert_eq!((known.status, &known.json["id"]), (201, &made.json["id"]));
    assert!(known.json["token"].is_null(), "a secret is not kept");
    let fresh = house.send(keyed("k4", "/api/v1/tokens", &admin, json!({"role": "auditor"}))).await;
    assert_eq!(fresh.header("idempotent-replay"), None, "a refusal left nothing");
    let all = house.get("/api/v1/contacts?queue=pensions", &admin).await.json;
    assert_eq!(all["items"].as_array().unwrap().len(), 1);

    let receipts = history.iter().filter(|sealed| sealed.cause.receipt.is_some());
    let names = |sealed: &Sealed| {
        let events = sealed.events.iter().map(|numbered| numbered.recorded.event.name());
        (sealed.cause.receipt.as_ref().unwrap().status, events.collect::<Vec<_>>())
    };
    let found: Vec<_> = receipts.map(names).collect();
    let wanted = [(201, vec!["queued"]), (200, vec![]), (201, vec!["made"])];
    assert_eq!(found, wanted, "each receipt in the entry of what it is about");
    house.stop();
}

/// A log that loses what it is told once, and says so or not.
struct Flaky {
    log: Memory,
    /// The next entry of this event is answered as unknown; whether it is there all the same.
    loses: Arc<Mutex<Option<bool>>>,
}

impl Commit for Flaky {
    fn past(&self) -> Arc<dyn Past> {
        self.log.past()
    }

    fn commit(&mut self, batch: &[Sealed]) -> Result<(), CommitError> {
        let arrives = |sealed: &Sealed| sealed.cause.receipt.is_some();
        match self.loses.lock().unwrap().take_if(|_| batch.iter().any(arrives)) {
            None => self.log.commit(batch),
            Some(false) => Err(CommitError::Unknown("the disk is gone".into())),
            Some(true) => {
                self.log.commit(batch)?;
                Err(CommitError::Unknown("the disk is gone".into()))
            }
        }
    }
}

#[actix_web::test]
async fn after_an_unknown_commit_a_retry_runs_anew_unless_the_receipt_is_found() {
    let (log, loses) = (Memory::default(), Arc::new(Mutex::new(None)));
    let flaky = Flaky { log: log.clone(), loses: loses.clone() };
    let house = house_with(Box::new(flaky), Vec::new(), [7; 32]).await;
    house.staffed(&[]).await;
    let call = json!({"channel": "voice", "queue": "pensions"});
    let ask = |key: &str| keyed(key, CONTACTS, &house.admin, call.clone());
    *loses.lock().unwrap() = Some(false);
    let lost = house.send(ask("k1")).await;
    assert_eq!((lost.status, lost.problem()), (503, "commit-unknown"));
    assert!(lost.header("retry-after").is_some());
    let anew = house.send(ask("k1")).await;
    assert_eq!((anew.status, anew.header("idempotent-replay")), (201, None), "{anew:?}");
    *loses.lock().unwrap() = Some(true);
    assert_eq!(house.send(ask("k2")).await.problem(), "commit-unknown");
    let admin = house.admin.clone();
    house.stop();

    let house = house_with(Box::new(Memory::default()), log.entries(), [7; 32]).await;
    let found = house.send(keyed("k2", CONTACTS, &admin, call)).await;
    assert_eq!((found.status, found.header("idempotent-replay")), (201, Some("true")), "{found:?}");
    house.stop();
}

const KEY: receipts::Key = (CredentialId(uuid::Uuid::nil()), [0; 16]);

fn receipt(key: receipts::Key, wall: Timestamp) -> Sealed {
    let (token, key) = key;
    let entity = EntityId::System;
    let receipt = Receipt { token, key, request: [2; 16], status: 201, entity, wall };
    let cause = Cause { receipt: Some(receipt), ..Cause::system() };
    Sealed { cause, now: wall, events: Vec::new() }
}

#[test]
fn a_key_in_flight_is_not_begun_again_and_a_kept_one_is_over_after_a_day() {
    let table = Arc::new(Receipts::default());
    let held = match table.begin(KEY, [1; 16], START) {
        Begin::Fresh(held) => held,
        other => panic!("{other:?}"),
    };
    let long = START.plus(Span::seconds(3 * 24 * 3_600));
    assert!(
        matches!(table.begin(KEY, [1; 16], long), Begin::InFlight),
        "it never lapses in flight"
    );
    assert!(matches!(table.begin(KEY, [2; 16], START), Begin::Reused));
    let lane = held.clone();
    drop(held);
    assert!(matches!(table.begin(KEY, [1; 16], START), Begin::InFlight), "the lane holds it");
    drop(lane);
    let held = table.begin(KEY, [2; 16], START);
    assert!(matches!(held, Begin::Fresh(_)), "a refusal frees it");
    table.fold(&receipt(KEY, START), || START);
    drop(held);
    let outcome = receipts::Outcome { status: 201, entity: EntityId::System, seq: 0 };
    let before = START.plus(KEPT_FOR).plus(Span(-1));
    match table.begin(KEY, [2; 16], before) {
        Begin::Done(kept) => assert_eq!(kept, outcome),
        other => panic!("{other:?}"),
    }
    assert!(matches!(table.begin(KEY, [2; 16], START.plus(KEPT_FOR)), Begin::Fresh(_)));
    table.fold(&receipt(KEY, START), || START.plus(KEPT_FOR));
    assert!(matches!(table.begin(KEY, [9; 16], START.plus(KEPT_FOR)), Begin::Fresh(_)), "too old");
}

#[test]
fn keys_that_are_not_remembered_are_turned_away_and_a_start_forgets_the_oldest() {
    let table = Arc::new(Receipts::default());
    let key = |number: usize| {
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&number.to_le_bytes());
        (KEY.0, hash)
    };
    let mut held: Vec<_> =
        (0..KEYS_MAX).map(|number| table.begin(key(number), [0; 16], START)).collect();
    assert!(held.iter().all(|begun| matches!(begun, Begin::Fresh(_))));
    assert!(matches!(table.begin(key(KEYS_MAX), [0; 16], START), Begin::Full));
    drop(held.pop());
    assert!(matches!(table.begin(key(KEYS_MAX), [0; 16], START), Begin::Fresh(_)));
    drop(held);
    for number in 0..=KEYS_MAX {
        let wall = START.plus(Span(i64::try_from(number).unwrap()));
        table.fold(&receipt(key(number), wall), || wall);
    }
    assert!(matches!(table.begin(key(1), [2; 16], START), Begin::Done(_)));
    assert!(matches!(table.begin(key(0), [2; 16], START), Begin::Full), "the oldest is forgotten");
}

#[test]
fn every_failure_has_its_status_and_says_when_to_come_again() {
    let entity = EntityId::System;
    let unknown = |entity| Failure::Rejected(Rejection::Unknown { entity });
    for (failure, status, code, again) in [
        (Failure::Overloaded, 503, "overloaded", true),
        (Failure::NotCommitted("x".into()), 503, "not-committed", true),
        (Failure::Unknown("x".into()), 503, "commit-unknown", true),
        (Failure::Contended, 503, "contended", true),
        (Failure::TooMany(TooMany::Classes), 422, "too-many-classes", false),
        (Failure::TooMany(TooMany::Profiles), 422, "too-many-profiles", false),
        (Failure::Internal, 500, "internal", false),
        (Failure::Rejected(Rejection::Unfit { what: "x" }), 500, "internal", false),
        (unknown("agent"), 404, "not-found", false),
        (Failure::Rejected(Rejection::Quarantined { entity }), 409, "quarantined", false),
        (Failure::Rejected(Rejection::ExtendedAlready), 409, "extended-already", false),
    ] {
        let problem = Problem::from(failure);
        let response = problem.error_response();
        assert_eq!(response.status().as_u16(), status, "{problem}");
        assert_eq!(problem.to_json()["type"], format!("urn:atalaya:problem:{code}"));
        assert_eq!(response.headers().contains_key("Retry-After"), again, "{problem}");
    }
}
