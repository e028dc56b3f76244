//! Idempotency keys.

use atalaya::api::roles::Role;
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
