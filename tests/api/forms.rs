//! What is not there, not readable or not valid is a problem that names it.

use serde_json::{Value, json};

use crate::house::{House, house};

#[actix_web::test]
async fn what_is_not_there_is_a_problem_too() {
    let house = house().await;
    for (method, path, token, status) in [
        ("GET", "/api/v1/nothing", "", 401),
        ("GET", "/api/v1/nothing", house.admin.as_str(), 404),
        ("GET", "/nothing", "", 404),
        ("GET", "/api/v1/agents/", house.admin.as_str(), 404),
        ("DELETE", "/health/live", "", 405),
        ("DELETE", "/api/v1/agents", house.admin.as_str(), 405),
        ("GET", "/api/v1/agents?colour=red", house.admin.as_str(), 400),
        ("GET", "/api/v1/agents?limit=0", house.admin.as_str(), 400),
        ("GET", "/api/v1/contacts/not-a-uuid", house.admin.as_str(), 404),
        ("GET", "/boom", "", 500),
    ] {
        let reply = house.send(House::request(method, path, token)).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
        assert_eq!(reply.json["status"], status, "{path}");
        println!("{method} {path} → {status} {}: {}", reply.problem(), reply.json["detail"]);
    }
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(house.get(path, "").await.status, 200);
    }
}

#[actix_web::test]
async fn what_is_not_valid_is_named() {
    let house = house().await;
    house.staffed(&["ana"]).await;
    let queue = "/api/v1/queues/q";
    for (path, body, status, field) in [
        (queue, json!({"name": "Q", "relax": []}), 422, "relax"),
        (queue, json!({"name": "Q", "channel": "chat"}), 422, "channel"),
        (queue, json!({"name": "Q", "strategy": {"agent": "most_skilled"}}), 422, "strategy.agent"),
        (queue, json!({"name": "Q", "wrap_up": "soon"}), 422, "wrap_up"),
        (queue, json!({"name": "Q", "max_waiting": "many"}), 400, "max_waiting"),
        (queue, json!({"name": "Q", "requires": {"x": 11}}), 422, "requires"),
        (queue, json!({"name": "Q", "service_level": {"part": 1}}), 400, "service_level.part"),
        ("/api/v1/queues/totals", json!({"name": "Q"}), 422, "id"),
        ("/api/v1/agents/a", json!({"name": "A"}), 422, "team"),
    ] {
        let reply = house.ask("PUT", path, &house.admin, body.clone()).await;
        assert_eq!((reply.status, &reply.json["field"]), (status, &json!(field)), "{body}");
    }
    for later in ["citizen", "preferred_agent"] {
        let mut call = json!({"channel": "voice", "queue": "pensions"});
        call[later] = json!({"id": "x"});
        let reply = house.ask("POST", "/api/v1/contacts", &house.admin, call.clone()).await;
        assert_eq!((reply.status, reply.problem()), (422, "not-in-this-version"));
        call[later] = Value::Null;
        assert_eq!(house.ask("POST", "/api/v1/contacts", &house.admin, call).await.status, 201);
    }
    let put = House::request("PUT", "/api/v1/queues/pensions", &house.admin);
    let put = put.insert_header(("If-Match", "\"9\"")).set_json(json!({"name": "P"}));
    let stale = house.send(put).await;
    assert_eq!((stale.status, &stale.json["version"]), (412, &json!(1)));
    let put = House::request("PUT", "/api/v1/queues/pensions", &house.admin);
    let put = put.insert_header(("If-Match", "\"1\"")).set_json(json!({"name": "P"}));
    let fresh = house.send(put).await;
    assert_eq!((fresh.status, fresh.header("etag")), (200, Some("\"2\"")));
    let shut = json!({"emergency": true, "reason": "fire"});
    let shut = house.ask("POST", "/api/v1/queues/pensions/close", &house.admin, shut).await;
    assert_eq!(shut.json["state"], "emergency_closed");
    let call = json!({"channel": "voice", "queue": "pensions"});
    let refused = house.ask("POST", "/api/v1/contacts", &house.admin, call).await;
    assert_eq!((refused.status, &refused.json["state"]), (201, &json!("refused")));
}
