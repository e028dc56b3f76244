//! Why a contact waits or has its agent, and all that happened to it.

use atalaya::api::roles::Role;
use serde_json::{Value, json};

use crate::house::{House, house};

async fn explain(house: &House, contact: &str) -> Value {
    let path = format!("/api/v1/contacts/{contact}/explain");
    let told = house.get(&path, &house.admin).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(told.header("atalaya-seq"), Some(told.json["seq"].to_string().as_str()));
    told.json
}

fn stops(explanation: &Value, rule: &str) -> (u64, u64) {
    let rules = explanation["rules"].as_array().unwrap();
    let found = rules.iter().find(|it| it["rule"] == rule).unwrap();
    (found["stops"].as_u64().unwrap(), found["left"].as_u64().unwrap())
}

#[actix_web::test]
async fn a_waiting_contact_says_who_is_stopped_and_where_it_stands() {
    let house = house().await;
    let tokens = house.staffed(&["ana", "eva"]).await;
    let low = json!({"name": "Luz", "team": "t", "skills": {"pensions": 4}});
    house.ask("PUT", "/api/v1/agents/luz", &house.admin, low).await;
    let luz = house.token(Role::Agent, Some("luz")).await;
    house.ready("luz", &luz).await;
    let lunch = json!({"state": "not_ready", "reason": "lunch"});
    house.ask("POST", "/api/v1/agents/ana/presence", &tokens[0], lunch).await;
    let (first, second) = (house.call().await, house.call().await);
    let told = explain(&house, &second).await;
    let members: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "contact",
            "at",
            "seq",
            "state",
            "requirement",
            "order",
            "steps",
            "rules",
            "nearest",
            "decision"
        ]
    );
    assert_eq!((&told["contact"], &told["state"]), (&json!(second), &json!("queued")));
    let requirement = json!({"requires": {"pensions": 5}, "language": null, "levels": null});
    assert_eq!(told["requirement"], requirement);
    assert_eq!((&told["order"]["position"], &told["order"]["of"]), (&json!(2), &json!(2)));
    assert_eq!(told["order"]["ahead"], json!([first]));
    assert_eq!(told["order"]["key"], "1:1772438400000000");
    assert_eq!(told["steps"][0]["free_agents"], 0);
    assert_eq!(told["steps"][0]["at"], "2026-03-02T08:00:00Z");
    assert_eq!(stops(&told, "signed_out"), (1, 2));
    assert_eq!(stops(&told, "not_ready"), (1, 1));
    assert_eq!(stops(&told, "skill"), (1, 0));
    let near = json!([
        {"agent": "ana", "rule": "not_ready", "detail": "not ready: lunch", "able_at": null},
        {"agent": "luz", "rule": "skill", "detail": "pensions 4, needs 5", "able_at": null},
        {"agent": "eva", "rule": "signed_out", "detail": "not signed in", "able_at": null},
    ]);
    assert_eq!(told["nearest"], near);
    assert_eq!(told["decision"], Value::Null);
    let waiting = house.get("/api/v1/queues/pensions/waiting", &house.admin).await.json;
    for item in waiting["items"].as_array().unwrap() {
        let told = explain(&house, item["id"].as_str().unwrap()).await;
        assert_eq!(told["order"]["position"], item["position"]);
    }
}

#[actix_web::test]
async fn a_decision_is_told_as_it_was_recorded() {
    let house = house().await;
    let tokens = house.staffed(&["ana", "eva"]).await;
    house.ready("ana", &tokens[0]).await;
    house.ready("eva", &tokens[1]).await;
    let contact = house.call().await;
    house.until(&contact, "offered").await;
    let offered = explain(&house, &contact).await;
    assert_eq!(offered["order"]["position"], 1);
    let decision = json!({"at": "2026-03-02T08:00:00Z", "agent": "ana", "candidates": 2,
        "strategy": "longest_idle", "why": "idle since 2026-03-02T08:00:00Z", "next": ["eva"]});
    assert_eq!(offered["decision"], decision);
    // Who is free now is another matter than who was free then.
    let away = json!({"state": "signed_out"});
    house.ask("POST", "/api/v1/agents/eva/presence", &tokens[1], away).await;
    let offer = house.until(&contact, "offered").await["offer"]["id"].clone();
    let path = format!("/api/v1/agents/ana/offers/{}/accept", offer.as_str().unwrap());
    house.ask("POST", &path, &tokens[0], json!({})).await;
    let answered = explain(&house, &contact).await;
    assert_eq!((&answered["state"], &answered["decision"]), (&json!("active"), &decision));
    assert_eq!((&answered["order"], &answered["rules"]), (&Value::Null, &json!([])));
    let auditor = house.token(Role::Auditor, None).await;
    let path = format!("/api/v1/contacts/{contact}/history");
    let history = house.get(&path, &auditor).await.json;
    let told = history["items"].as_array().unwrap();
    let names: Vec<_> = told.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["queued", "offered", "offer_accepted", "answered"]);
    assert!(told.iter().all(|event| event["entity"] == format!("contact:{contact}")));
    assert_eq!((&told[1]["by"], &told[2]["by"]), (&json!("system"), &json!("agent:ana")));
    assert_eq!(told[1]["data"]["decision"], decision);
    assert!(!history.to_string().contains("600000142"), "nothing personal in a history");
    let events = house.get("/api/v1/events?limit=500", &auditor).await.json;
    let same = |event: &&Value| event["entity"] == format!("contact:{contact}");
    let same: Vec<_> = events["items"].as_array().unwrap().iter().filter(same).collect();
    assert_eq!(same, told.iter().collect::<Vec<_>>(), "the stream says the same");
    let page = house.get(&format!("{path}?limit=3"), &auditor).await.json;
    let rest = format!("{path}?cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = house.get(&rest, &auditor).await.json;
    assert_eq!((&rest["items"][0], &rest["next_cursor"]), (&told[3], &Value::Null));
}

/// Older than what the search from the end of the stream looks at in one go.
#[actix_web::test]
async fn a_history_is_found_behind_many_events_of_others() {
    let house = house().await;
    house.staffed(&[]).await;
    let contact = house.call().await;
    let path = format!("/api/v1/contacts/{contact}");
    house.ask("PATCH", &path, &house.admin, json!({"priority": "low"})).await;
    for _ in 0..600 {
        for verb in ["close", "open"] {
            let queue = format!("/api/v1/queues/pensions/{verb}");
            house.ask("POST", &queue, &house.admin, json!({})).await;
        }
    }
    house.ask("PATCH", &path, &house.admin, json!({"priority": "high"})).await;
    for _ in 0..600 {
        for verb in ["close", "open"] {
            let queue = format!("/api/v1/queues/pensions/{verb}");
            house.ask("POST", &queue, &house.admin, json!({})).await;
        }
    }
    assert!(house.api.core.last_seq() > 2_400);
    let history = house.get(&format!("{path}/history"), &house.admin).await.json;
    let told = history["items"].as_array().unwrap();
    let names: Vec<_> = told.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["queued", "priority_changed", "priority_changed"]);
    let seqs: Vec<_> = told.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted() && seqs[2] - seqs[1] > 1_200, "{seqs:?}");
}
