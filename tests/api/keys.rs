//! Idempotency keys, and the table of failures.

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use atalaya::actors::shell::Failure;
use atalaya::api::idempotency::{Begin, InMemory, KEYS_MAX, Outcome, Outcomes};
use atalaya::api::problem::Problem;
use atalaya::api::roles::Role;
use atalaya_domain::decision::Rejection;
use atalaya_domain::ids::{CredentialId, EntityId};
use serde_json::{Value, json};

use crate::house::{House, house};

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

#[test]
fn a_key_in_flight_is_not_begun_again() {
    let table = InMemory::default();
    let key = (CredentialId(uuid::Uuid::nil()), "k".to_owned());
    assert_eq!(table.begin(&key, [1; 32]), Begin::Fresh);
    assert_eq!(table.begin(&key, [1; 32]), Begin::InFlight);
    assert_eq!(table.begin(&key, [2; 32]), Begin::Reused);
    table.free(&key);
    assert_eq!(table.begin(&key, [2; 32]), Begin::Fresh, "a refusal frees it");
    let (status, entity) = (StatusCode::CREATED, EntityId::System);
    let outcome = Outcome { status, location: None, entity, seq: 1 };
    table.keep(&key, outcome.clone());
    assert_eq!(table.begin(&key, [2; 32]), Begin::Done(outcome));
}

#[test]
fn keys_that_are_not_remembered_are_turned_away() {
    let table = InMemory::default();
    let token = CredentialId(uuid::Uuid::nil());
    for number in 0..KEYS_MAX {
        assert_eq!(table.begin(&(token, number.to_string()), [0; 32]), Begin::Fresh);
    }
    let more = (token, "more".to_owned());
    assert_eq!(table.begin(&more, [0; 32]), Begin::Full);
    table.free(&(token, "7".to_owned()));
    assert_eq!(table.begin(&more, [0; 32]), Begin::Fresh);
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
