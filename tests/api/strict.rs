//! What could be read in two ways, or not at all, is refused and never passed over.

use actix_web::http::header::HeaderValue;
use atalaya_domain::ids::AgentId;
use serde_json::json;

use crate::house::{House, house};

/// A header's bytes that are no text.
fn no_text() -> HeaderValue {
    HeaderValue::from_bytes(b"\xe9").unwrap()
}

#[actix_web::test]
async fn a_member_that_is_there_twice_is_refused_by_name() {
    let house = house().await;
    house.staffed(&[]).await;
    let before = house.centre.last_seq();
    let bodies = [
        r#"{"channel":"voice","queue":"nope","queue":"pensions"}"#,
        r#"{"channel":"voice","queue":"pensions","requires":{"queue":1,"queue":7}}"#,
        r#"{"channel":"voice","queue":"pensions","levels":[{"queue":1,"queue":7}]}"#,
    ];
    for body in bodies {
        let request = House::plain("POST", "/api/v1/contacts", &house.admin)
            .insert_header(("Content-Type", "application/json"))
            .set_payload(body);
        let reply = house.send(request).await;
        assert_eq!((reply.status, reply.problem()), (400, "malformed"), "{body}");
        let detail = reply.json["detail"].as_str().unwrap();
        assert!(detail.contains("the member `queue` is there twice"), "{detail}");
    }
    let arrived = house.centre.events().unwrap();
    let arrived = arrived.iter().filter(|event| event.seq > before);
    assert_eq!(arrived.filter(|event| event.recorded.event.name() == "queued").count(), 0);
}

/// Passed over, it would be a write without the condition that its caller made.
#[actix_web::test]
async fn a_condition_that_is_no_text_holds_for_nothing() {
    let house = house().await;
    house.staffed(&[]).await;
    let path = "/api/v1/queues/pensions";
    let before = house.get(path, &house.admin).await.json["version"].clone();
    let request = House::request("PUT", path, &house.admin)
        .insert_header(("If-Match", no_text()))
        .set_json(json!({"name": "Other"}));
    assert_eq!(house.send(request).await.status, 412);
    assert_eq!(house.get(path, &house.admin).await.json["version"], before);
}

/// Passed over, a retry would be a second contact.
#[actix_web::test]
async fn a_key_that_is_no_text_is_refused() {
    let house = house().await;
    house.staffed(&[]).await;
    let request = House::request("POST", "/api/v1/contacts", &house.admin)
        .insert_header(("Idempotency-Key", no_text()))
        .set_json(json!({"channel": "voice", "queue": "pensions"}));
    let reply = house.send(request).await;
    assert_eq!((reply.status, reply.problem()), (422, "invalid"));
    assert_eq!(reply.json["field"], "Idempotency-Key");
}

/// Else names that a caller makes up would fill the register for ever.
#[actix_web::test]
async fn who_is_not_configured_has_no_lease() {
    let house = house().await;
    let ghost = AgentId::new("ghost").unwrap();
    house.api.core.open(&ghost);
    assert!(!house.centre.register.has_socket(&ghost));
    let agents = house.staffed(&["ana"]).await;
    assert_eq!(agents.len(), 1);
    let ana = AgentId::new("ana").unwrap();
    house.api.core.open(&ana);
    assert!(house.centre.register.has_socket(&ana));
}
