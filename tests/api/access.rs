//! Sessions, CSRF, and acting as an agent.

use atalaya::api::Api;
use atalaya::api::roles::Role;
use atalaya::journal::commit::Whose;
use atalaya_domain::ids::AgentId;
use serde_json::json;

use crate::house::{House, house, house_in};

#[actix_web::test]
async fn a_session_needs_its_csrf_token_and_ends_with_its_token() {
    let house = house().await;
    let made =
        house.ask("POST", "/api/v1/tokens", &house.admin, json!({"role": "supervisor"})).await;
    let token = made.json["token"].as_str().unwrap();
    let list = house.get("/api/v1/tokens", &house.admin).await;
    assert!(list.json["items"].as_array().unwrap().iter().all(|item| item["token"].is_null()));
    let signed_in = house.ask("POST", "/api/v1/sessions", "", json!({"token": token})).await;
    assert_eq!(signed_in.status, 201, "{signed_in:?}");
    let cookies = signed_in.headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<_> = cookies.map(|(_, value)| value.split(';').next().unwrap()).collect();
    let csrf = cookies[1].strip_prefix("__Host-atalaya-csrf=").unwrap().to_owned();
    let cookies = cookies.join("; ");
    let with = |method: &str, path: &str, csrf: &str| {
        let request = House::request(method, path, "").insert_header(("Cookie", cookies.clone()));
        let request = request.insert_header(("Atalaya-Csrf", csrf.to_owned()));
        if method == "GET" { request } else { request.set_json(json!({})) }
    };
    assert_eq!(house.send(with("GET", "/api/v1/agents", "")).await.status, 200);
    let close = "/api/v1/queues/nowhere/close";
    let refused = house.send(with("POST", close, "0")).await;
    assert_eq!((refused.status, refused.problem()), (403, "csrf"));
    assert_eq!(house.send(with("POST", close, &csrf)).await.status, 404);
    let other = house.ask("POST", "/api/v1/sessions", "", json!({"token": token})).await;
    let other = other.headers.iter().find(|(name, _)| name == "set-cookie").unwrap().1.clone();
    let cookie = other.split(';').next().unwrap();
    let read = || House::request("GET", "/api/v1/agents", "").insert_header(("Cookie", cookie));
    assert_eq!(house.send(read()).await.status, 200);
    let out = house.send(with("DELETE", "/api/v1/sessions/current", &csrf)).await;
    assert_eq!(out.status, 204);
    assert_eq!(house.send(with("GET", "/api/v1/agents", "")).await.status, 401, "signed out");
    let path = format!("/api/v1/tokens/{}", made.json["id"].as_str().unwrap());
    assert_eq!(house.ask("DELETE", &path, &house.admin, json!({})).await.status, 200);
    assert_eq!(house.send(read()).await.status, 401, "the other session ended with it");
}

#[actix_web::test]
async fn acting_as_an_agent_takes_the_scope_and_gives_no_more() {
    let house = house().await;
    house.staffed(&["ana"]).await;
    let presence = |token: &str| {
        let request = House::request("POST", "/api/v1/agents/ana/presence", token);
        let request = request.insert_header(("Atalaya-Agent", "ana"));
        request.set_json(json!({"state": "not_ready", "reason": "break"}))
    };
    let plain = house.token(Role::Administrator, None).await;
    assert_eq!(house.send(presence(&plain)).await.status, 403);
    let acted = house.send(presence(&house.admin)).await;
    assert_eq!((acted.status, &acted.json["reason"]), (200, &json!("break")), "{acted:?}");
    let tokens = House::request("GET", "/api/v1/tokens", &house.admin);
    let tokens = house.send(tokens.insert_header(("Atalaya-Agent", "ana"))).await;
    assert_eq!(tokens.status, 403, "an agent's rights, not the administrator's");
    let supervisor = house.token(Role::Supervisor, None).await;
    let path = "/api/v1/agents/ana/presence";
    let unforced = house.ask("POST", path, &supervisor, json!({"state": "ready"})).await;
    assert_eq!((unforced.status, &unforced.json["field"]), (422, &json!("force")));
    let why = json!({"state": "signed_out", "force": true, "why": "the shift is over"});
    let forced = house.ask("POST", path, &supervisor, why).await;
    assert_eq!((forced.status, &forced.json["state"]), (200, &json!("signed_out")));
}

#[actix_web::test]
async fn tokens_are_found_again_by_their_hash_and_only_with_the_key() {
    let house = house().await;
    let find = |key: [u8; 32]| {
        let again = Api::new(house.centre.clone(), key, "e1".into());
        again.secrets.find("token", &house.admin)
    };
    assert!(find([7; 32]).is_some());
    assert!(find([8; 32]).is_none());
    let session = house.api.secrets.find("session", &house.admin);
    assert!(session.is_none(), "a token is no session");
}

#[actix_web::test]
async fn a_link_enters_once_and_on_this_machine_only() {
    let house = house().await;
    let enter = |ticket: &str, peer: &str| {
        House::plain("GET", &format!("/enter?ticket={ticket}"), "").peer_addr(peer.parse().unwrap())
    };
    let ticket = house.api.tickets.make(&house.admin).unwrap();
    assert_eq!(house.send(enter(&ticket, "192.0.2.7:4000")).await.status, 401, "from elsewhere");
    let first = house.send(enter(&ticket, "127.0.0.1:4000")).await;
    assert_eq!((first.status, first.header("location")), (303, Some("/wallboard")));
    assert!(first.header("set-cookie").is_some_and(|cookie| cookie.starts_with("__Host-atalaya=")));
    assert_eq!(house.send(enter(&ticket, "127.0.0.1:4000")).await.status, 401, "a second time");
}

#[actix_web::test]
async fn the_session_of_a_token_that_reads_only_reads_only() {
    let house = house().await;
    let wall = json!({"role": "supervisor", "scope": "read"});
    let made = house.ask("POST", "/api/v1/tokens", &house.admin, wall).await;
    let token = json!({"token": made.json["token"]});
    let signed_in = house.ask("POST", "/api/v1/sessions", "", token).await;
    let cookies = signed_in.headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<_> = cookies.map(|(_, value)| value.split(';').next().unwrap()).collect();
    let csrf = cookies[1].strip_prefix("__Host-atalaya-csrf=").unwrap().to_owned();
    let request = House::request("POST", "/api/v1/queues/nowhere/close", "")
        .insert_header(("Cookie", cookies.join("; ")))
        .insert_header(("Atalaya-Csrf", csrf))
        .set_json(json!({}));
    let refused = house.send(request).await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden"), "{refused:?}");
}

/// A supervisor's reason: personal, and nowhere in what all may read.
const WHY: &str = "lo pidió Remedios por teléfono";

#[actix_web::test]
async fn the_why_of_a_forced_presence_is_kept_beside_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let (house, _) = house_in(dir.path()).await;
    let ana = &house.staffed(&["ana"]).await[0];
    house.ready("ana", ana).await;
    let supervisor = house.token(Role::Supervisor, None).await;
    let force = json!({"state": "not_ready", "reason": "break", "force": true, "why": WHY});
    let path = "/api/v1/agents/ana/presence";
    let forced = house.ask("POST", path, &supervisor, force).await;
    assert_eq!(forced.status, 200, "{forced:?}");
    let events = house.get("/api/v1/events?limit=500", &house.admin).await.json.to_string();
    assert!(events.contains("intent_changed") && !events.contains("Remedios"), "{events}");
    house.stop();

    let (house, history) = house_in(dir.path()).await;
    let has_why = |entry: &&_| {
        let entry: &atalaya::journal::commit::Sealed = entry;
        entry.cause.said.iter().any(|said| said.field == "why")
    };
    let entries: Vec<_> = history.iter().filter(has_why).collect();
    assert_eq!(entries.len(), 1, "one entry says why");
    let said = &entries[0].cause.said[0];
    let ana = Whose::Agent(AgentId::new("ana").unwrap());
    assert_eq!((&said.of, said.text.as_str()), (&ana, WHY));
    assert!(entries[0].cause.by.starts_with("token:"), "{:?}", entries[0].cause);
    let events = format!("{:?}", entries[0].events);
    assert!(events.contains("IntentChanged") && !events.contains("Remedios"), "{events}");
    assert_eq!(house.centre.said(&ana, "why").as_deref(), Some(WHY), "a start reads it too");
    house.stop();
}
