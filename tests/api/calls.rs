//! The life of a call, and answers to offers that come late or from others.

use atalaya::api::roles::Role;
use atalaya_domain::time::Span;
use serde_json::{Value, json};

use crate::house::{START, house};

#[actix_web::test]
async fn a_call_lives_over_http() {
    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    let contact = house.call().await;
    let path = format!("/api/v1/contacts/{contact}");
    let waiting = house.get("/api/v1/queues/pensions/waiting", &house.admin).await;
    assert_eq!(waiting.json["items"][0]["id"], *contact);
    assert_eq!(waiting.json["items"][0]["position"], 1);
    assert_eq!(waiting.json["items"][0]["from"], "··· ··· 142", "masked for an administrator");
    assert_eq!(house.get(&path, ana).await.status, 404, "not hers yet");
    house.ready("ana.garcia", ana).await;
    let offered = house.until(&contact, "offered").await;
    assert_eq!(offered["agent"], "ana.garcia");
    assert_eq!(offered["offer"]["expires_at"], "2026-03-02T08:00:20Z");
    let offer = offered["offer"]["id"].as_str().unwrap();
    let accept = format!("/api/v1/agents/ana.garcia/offers/{offer}/accept");
    let accepted = house.ask("POST", &accept, ana, json!({})).await;
    assert_eq!((accepted.status, &accepted.json["state"]), (200, &json!("active")));
    assert_eq!(accepted.json["from"], "+34600000142", "shown to its agent");
    let version = accepted.json["version"].to_string();
    assert_eq!(accepted.header("etag"), Some(format!("\"{version}\"").as_str()));
    let seq: u64 = accepted.header("atalaya-seq").unwrap().parse().unwrap();
    let steps: [(&str, &str, Value, u16, &str); 8] = [
        ("POST", "hold", json!({}), 200, "held"),
        ("POST", "hold", json!({}), 409, "illegal-transition"),
        ("POST", "resume", json!({}), 200, "active"),
        ("POST", "complete", json!({}), 200, "wrap_up"),
        ("POST", "extend_wrap_up", json!({"by": "30s"}), 200, "wrap_up"),
        ("POST", "extend_wrap_up", json!({"by": "30s"}), 409, "extended-already"),
        ("POST", "wrap_up", json!({"outcome": "solved", "topic": "pension"}), 200, "closed"),
        ("POST", "complete", json!({}), 409, "illegal-transition"),
    ];
    for (method, verb, body, status, then) in steps {
        let done = house.ask(method, &format!("{path}/{verb}"), ana, body).await;
        let state = done.json["state"].as_str().unwrap_or("").to_owned();
        let got = if done.status == 200 { &state } else { done.problem() };
        assert_eq!((done.status, got), (status, then), "{verb}: {done:?}");
    }
    let closed = house.get(&path, &house.admin).await.json;
    assert_eq!((&closed["outcome"], &closed["topic"]), (&json!("solved"), &json!("pension")));
    let auditor = house.token(Role::Auditor, None).await;
    let events = house.get(&format!("/api/v1/events?after={}", seq - 2), &auditor).await.json;
    let names: Vec<_> = events["items"].as_array().unwrap().iter().map(|e| &e["event"]).collect();
    println!("{names:?}");
    assert!(names.contains(&&json!("held")) && names.contains(&&json!("wrap_up_ended")));
    assert!(!events.to_string().contains("600000142"), "nothing personal in events");
    let held = events["items"].as_array().unwrap().iter().find(|e| e["event"] == "held").unwrap();
    assert_eq!(held["by"], "agent:ana.garcia");
    let page = house.get("/api/v1/events?limit=2", &auditor).await.json;
    assert_eq!(page["next_cursor"], "2");
    let agent = house.get("/api/v1/agents?state=ready&queue=pensions", ana).await.json;
    assert_eq!(agent["items"][0]["name"], "Ana García");
    assert_eq!(agent["items"][0]["room"], json!({"voice": 1}));
}

#[actix_web::test]
async fn a_late_accept_is_409_and_says_why() {
    let house = house().await;
    let ana = &house.staffed(&["ana"]).await[0];
    let contact = house.call().await;
    house.ready("ana", ana).await;
    let offered = house.until(&contact, "offered").await;
    let offer = offered["offer"]["id"].as_str().unwrap();
    house.centre.clock().advance_to(START.plus(Span::seconds(20)));
    let path = format!("/api/v1/agents/ana/offers/{offer}/accept");
    let late = house.ask("POST", &path, ana, json!({})).await;
    assert_eq!((late.status, late.problem()), (409, "offer-gone"), "{late:?}");
    let agent = house.get("/api/v1/agents/ana", &house.admin).await.json;
    assert_eq!((&agent["state"], &agent["reason"]), (&json!("not_ready"), &json!("missed_offer")));
    let again = house.ask("POST", &path, ana, json!({})).await;
    assert_eq!((again.status, again.problem()), (409, "offer-gone"), "{again:?}");
}

#[actix_web::test]
async fn s52_an_accept_by_someone_else_leaves_the_offer_out() {
    let house = house().await;
    let tokens = house.staffed(&["a", "b"]).await;
    house.ready("a", &tokens[0]).await;
    let contact = house.call().await;
    let offered = house.until(&contact, "offered").await;
    let offer = offered["offer"]["id"].as_str().unwrap();
    for path in ["a", "b"].map(|agent| format!("/api/v1/agents/{agent}/offers/{offer}/accept")) {
        let other = house.ask("POST", &path, &tokens[1], json!({})).await;
        assert_eq!(other.status, 403, "{other:?}");
    }
    let still = house.until(&contact, "offered").await;
    assert_eq!(still["offer"]["id"], offered["offer"]["id"]);
    let path = format!("/api/v1/agents/a/offers/{offer}/accept");
    assert_eq!(house.ask("POST", &path, &tokens[0], json!({})).await.status, 200);
    let path = format!("/api/v1/contacts/{contact}/hold");
    let other = house.ask("POST", &path, &tokens[1], json!({})).await;
    assert_eq!((other.status, other.problem()), (403, "not-yours"));
}

#[actix_web::test]
async fn who_waits_is_in_order_of_service_and_shown_to_whom_it_may() {
    let house = house().await;
    let ana = &house.staffed(&["ana"]).await[0];
    let (first, second) = (house.call().await, house.call().await);
    let supervisor = house.token(Role::Supervisor, None).await;
    let order = async || {
        let waiting = house.get("/api/v1/queues/pensions/waiting", &supervisor).await.json;
        let items = waiting["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order().await, [first.clone(), second.clone()]);
    let path = format!("/api/v1/contacts/{second}");
    let raised = house.ask("PATCH", &path, &supervisor, json!({"priority": "emergency"})).await;
    assert_eq!((raised.status, &raised.json["position"]), (200, &json!(1)), "{raised:?}");
    assert_eq!(raised.json["from"], "+34600000142", "shown to a supervisor");
    assert_eq!(order().await, [second.clone(), first.clone()]);
    let hold = house.ask("POST", &format!("{path}/hold"), ana, json!({})).await;
    assert_eq!((hold.status, hold.problem()), (403, "not-yours"), "it has no agent yet");
    let own = house.get("/api/v1/queues/pensions/waiting?limit=1", ana).await.json;
    assert_eq!((&own["items"][0]["id"], &own["next_cursor"]), (&json!(second), &json!("1")));
    assert_eq!(own["items"][0]["from"], "··· ··· 142", "not hers");
    let rest = house.get("/api/v1/queues/pensions/waiting?cursor=1", ana).await.json;
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!(first), &Value::Null));
    let page = house.get("/api/v1/contacts?limit=1&external_id=c-1", &supervisor).await.json;
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(page["items"][0]["id"], *first);
    let path = format!("/api/v1/contacts?limit=1&cursor={cursor}");
    let page = house.get(&path, &supervisor).await.json;
    assert_eq!((&page["items"][0]["id"], &page["next_cursor"]), (&json!(second), &Value::Null));
    let none = house.get("/api/v1/contacts", ana).await.json;
    assert_eq!(none["items"], json!([]));
    let gone = format!("/api/v1/contacts/{first}/abandon");
    let integrator = house.token(Role::Integrator, None).await;
    assert_eq!(house.ask("POST", &gone, &integrator, json!({})).await.json["state"], "abandoned");
    assert_eq!(house.ask("POST", &gone, &integrator, json!({})).await.status, 409);
}

#[actix_web::test]
async fn the_wallboard_has_names_for_those_who_write_and_initials_for_a_wall() {
    let house = house().await;
    let ana = &house.staffed(&["ana"]).await[0];
    house.ready("ana", ana).await;
    let supervisor = house.token(Role::Supervisor, None).await;
    let board = house.get("/api/v1/wallboard", &supervisor).await;
    assert_eq!(board.header("atalaya-seq"), Some(board.json["seq"].to_string().as_str()));
    assert_eq!(board.json["data"]["agents"]["ana"]["name"], "Ana García");
    assert_eq!(board.json["data"]["totals"]["ready"], 1);
    let kiosk = json!({"role": "supervisor", "scope": "read"});
    let kiosk = house.ask("POST", "/api/v1/tokens", &house.admin, kiosk).await;
    let kiosk = kiosk.json["token"].as_str().unwrap();
    let wall = house.get("/api/v1/wallboard", kiosk).await.json.to_string();
    let roster = house.get("/api/v1/agents", kiosk).await.json.to_string();
    assert!(!wall.contains("García") && !roster.contains("García"), "{wall}\n{roster}");
    let close = house.ask("POST", "/api/v1/queues/pensions/close", kiosk, json!({})).await;
    assert_eq!(close.status, 403, "it only reads");
}
