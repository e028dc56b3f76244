//! The HTTP API: who may, what is refused and how, and the life of a call.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::Method;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Data};
use atalaya::actors::centre::{Centre, Options};
use atalaya::actors::clock::Clock;
use atalaya::api::body::BODY_BYTES_MAX;
use atalaya::api::roles::{Line, Role, TABLE, Who};
use atalaya::api::{Api, routes, tokens};
use atalaya::journal::commit::{Cause, Memory};
use atalaya_domain::ids::AgentId;
use atalaya_domain::time::{Span, Timestamp};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

/// Where the centre's clock stands at first: 2026-03-02, 08:00.
const START: Timestamp = Timestamp(1_772_438_400_000_000);
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

type Send = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, HttpResponse>>;

struct House {
    service: Send,
    api: Data<Api>,
    centre: Arc<Centre>,
    admin: String,
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    json: Value,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The last part of the problem's URN.
    fn problem(&self) -> &str {
        self.json["type"].as_str().and_then(|urn| urn.rsplit(':').next()).unwrap_or("")
    }
}

async fn house() -> House {
    let clock = Clock::new(START, 0.0);
    let arbiters = vec![actix::Arbiter::current()];
    let commit = Box::new(Memory::default());
    let options = Options {
        commit,
        arbiters,
        clock,
        driver: None,
        history: vec![],
        time_zone: jiff::tz::TimeZone::UTC,
    };
    let (centre, _) = Centre::start(options).unwrap();
    let api = Data::new(Api::new(centre.clone(), [7; 32], "e1".into()));
    let grant = tokens::grant("administrator", None, Some("act_as")).unwrap();
    let (_, admin, _) = tokens::make(&api, grant, Cause::system()).await.unwrap();
    let app = routes::app(api.clone()).route("/boom", web::get().to(boom));
    let service = Rc::new(init_service(app).await);
    let service = Box::new(move |request: TestRequest| {
        let service = service.clone();
        let answer = async move {
            match service.call(request.to_request()).await {
                Ok(response) => response.into_parts().1,
                Err(error) => error.error_response(),
            }
        };
        Box::pin(answer) as LocalBoxFuture<'static, HttpResponse>
    });
    House { service, api, centre, admin }
}

async fn boom() -> HttpResponse {
    panic!("on purpose")
}

impl House {
    async fn send(&self, request: TestRequest) -> Reply {
        let response = (self.service)(request).await;
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let body = to_bytes(response.into_body()).await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Reply { status, headers, json }
    }

    fn request(method: &str, path: &str, token: &str) -> TestRequest {
        let method: Method = method.parse().unwrap();
        let request = TestRequest::default().method(method).uri(path);
        if token.is_empty() {
            return request;
        }
        request.insert_header(("Authorization", format!("Bearer {token}")))
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Reply {
        self.send(Self::request(method, path, token).set_json(body)).await
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(Self::request("GET", path, token)).await
    }

    async fn token(&self, role: Role, agent: Option<&str>) -> String {
        let agent = agent.map(|agent| AgentId::new(agent).unwrap());
        let mut grant = tokens::grant("agent", Some(AgentId::new("x").unwrap()), None).unwrap();
        (grant.role, grant.agent) = (atalaya_domain::ids::Slug::new(role.name()).unwrap(), agent);
        tokens::make(&self.api, grant, Cause::system()).await.unwrap().1
    }

    /// A queue and agents who may serve it; the agents' tokens.
    async fn staffed(&self, agents: &[&str]) -> Vec<String> {
        let queue = json!({"name": "Pensiones", "requires": {"pensions": 5},
            "service_level": {"share": 0.8, "within": "20s"}});
        let made = self.ask("PUT", "/api/v1/queues/pensions", &self.admin, queue).await;
        assert_eq!(made.status, 201, "{made:?}");
        let mut tokens = vec![];
        for agent in agents {
            let profile = json!({"name": "Ana García", "team": "morning-1", "level": 1,
                "skills": {"pensions": 7}, "languages": ["es"], "capacity": {"voice": 1}});
            let path = format!("/api/v1/agents/{agent}");
            let made = self.ask("PUT", &path, &self.admin, profile).await;
            assert_eq!((made.status, made.header("location")), (201, Some(path.as_str())));
            tokens.push(self.token(Role::Agent, Some(agent)).await);
        }
        tokens
    }

    async fn ready(&self, agent: &str, token: &str) {
        let path = format!("/api/v1/agents/{agent}/presence");
        let ready = self.ask("POST", &path, token, json!({"state": "ready"})).await;
        assert_eq!(ready.status, 200, "{ready:?}");
    }

    async fn call(&self) -> String {
        let call = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142",
            "subject": "pension", "external_id": "c-1"});
        let came = self.ask("POST", "/api/v1/contacts", &self.admin, call).await;
        assert_eq!(came.status, 201, "{came:?}");
        came.json["id"].as_str().unwrap().to_owned()
    }

    /// The contact, once it is in `state`.
    async fn until(&self, contact: &str, state: &str) -> Value {
        let path = format!("/api/v1/contacts/{contact}");
        let look = async || {
            let reply = self.get(&path, &self.admin).await;
            (reply.json["state"] == state).then_some(reply.json)
        };
        support::wait_for_async(&format!("{contact} {state}"), look).await
    }
}

/// A body that the route takes.
fn body_of(line: &Line) -> Value {
    match (line.method, line.path.rsplit('/').next().unwrap()) {
        ("PUT", _) if line.path.contains("agents") => json!({"name": "N", "team": "t"}),
        ("PUT", _) => json!({"name": "N"}),
        (_, "presence") => json!({"state": "ready"}),
        (_, "contacts") => json!({"channel": "voice", "queue": "nowhere"}),
        ("PATCH", _) => json!({"priority": "high"}),
        (_, "end") => json!({"by": "citizen"}),
        (_, "extend_wrap_up") => json!({"by": "30s"}),
        (_, "tokens") => json!({"role": "auditor"}),
        (_, "sessions") => json!({"token": "nonsense"}),
        _ => json!({}),
    }
}

/// What a permitted role gets for an id that nobody has (or, without one, for a fair request).
fn wanted(line: &Line, role: Role) -> u16 {
    match (line.method, line.path) {
        ("PUT", _) | ("POST", "/api/v1/tokens") => 201,
        // No socket without the handshake.
        (_, "/ws") => 400,
        // A contact cannot come to a queue that is not there: the body is at fault.
        ("POST", "/api/v1/contacts") => 422,
        ("POST", "/api/v1/sessions") => 401,
        ("DELETE", "/api/v1/sessions/current") => 404,
        ("PATCH", _) | ("GET", "/api/v1/queues/{id}/waiting") if role == Role::Agent => 403,
        (_, path) if path.contains('{') => 404,
        _ => 200,
    }
}

#[actix_web::test]
async fn the_table_of_roles_holds_on_every_route() {
    let house = house().await;
    let mut tokens = vec![];
    for role in Role::ALL {
        let agent = (role == Role::Agent).then_some("ghost");
        tokens.push((role, house.token(role, agent).await));
    }
    let mut wrong = vec![];
    eprintln!("{:6} {:46} who    401 403 id  400 413 415 405", "", "");
    for line in TABLE {
        let path = line.path.replace("agents/{id}", "agents/ghost");
        let path = path.replace("queues/{id}", "queues/nowhere");
        let path = path.replace("{id}", NOBODY).replace("{offer}", NOBODY);
        let open = line.who == Who::Open;
        let mut check = |what: &str, role: &str, got: u16, wanted: u16| {
            if got != wanted {
                wrong.push(format!("{} {path} {role} {what}: {got}, wanted {wanted}", line.method));
            }
            got
        };
        let ask = async |token: &str, body: Value| house.ask(line.method, &path, token, body).await;
        let mut shown = vec![];
        if !open {
            let nobody = ask("", json!({"nonsense": 1})).await;
            shown.push(check("no token", "", nobody.status, 401).to_string());
        }
        for (role, token) in &tokens {
            let may = match line.who {
                Who::Open => true,
                Who::Roles(roles) => roles.contains(role),
            };
            if !may {
                let refused = ask(token, json!({"nonsense": 1})).await;
                shown.push(check("wrong role", role.name(), refused.status, 403).to_string());
                continue;
            }
            let mut body = body_of(line);
            if path.ends_with("presence") && *role != Role::Agent {
                body = json!({"state": "ready", "force": true, "why": "a test"});
            }
            let mut wanted = wanted(line, *role);
            if line.method == "PUT" {
                // Asked for last, so that the id is unknown until then.
                wanted = 400;
                body = json!({"nonsense": 1});
            }
            let got = if line.method == "GET" {
                house.get(&path, token).await.status
            } else {
                ask(token, body).await.status
            };
            shown.push(check("unknown id", role.name(), got, wanted).to_string());
            if line.method == "GET" {
                continue;
            }
            if line.method == "DELETE" {
                continue;
            }
            let unknown = ask(token, json!({"nonsense": 1})).await;
            check("unknown field", role.name(), unknown.status, 400);
            let named = u16::from(unknown.json["field"] == "nonsense");
            check("field named", role.name(), named, 1);
            let big = json!({"nonsense": "x".repeat(BODY_BYTES_MAX)});
            check("oversize", role.name(), ask(token, big).await.status, 413);
            let text = House::plain(line.method, &path, token);
            check("no JSON", role.name(), house.send(text).await.status, 415);
        }
        let other = house.ask("OPTIONS", &path, &house.admin, json!({})).await;
        check("another method", "", other.status, 405);
        let allowed = other.header("allow").unwrap_or("").contains(line.method);
        check("named by Allow", "", u16::from(allowed), 1);
        eprintln!("{:6} {:46} {}", line.method, line.path, shown.join(" "));
    }
    for line in TABLE.iter().filter(|line| line.method == "PUT") {
        let path = line.path.replace("{id}", "fresh");
        let made = house.ask("PUT", &path, &house.admin, body_of(line)).await;
        assert_eq!(made.status, 201, "{path}: {made:?}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

impl House {
    fn plain(method: &str, path: &str, token: &str) -> TestRequest {
        TestRequest::default()
            .method(method.parse().unwrap())
            .uri(path)
            .insert_header(("Authorization", format!("Bearer {token}")))
            .insert_header(("Content-Type", "text/plain"))
            .set_payload("{}")
    }
}

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
        eprintln!("{method} {path} → {status} {}: {}", reply.problem(), reply.json["detail"]);
    }
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(house.get(path, "").await.status, 200);
    }
}

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
    eprintln!("{names:?}");
    assert!(names.contains(&&json!("held")) && names.contains(&&json!("wrap_up_ended")));
    assert!(!events.to_string().contains("600000142"), "nothing personal in events");
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
    let path = format!("/api/v1/tokens/{}", made.json["id"].as_str().unwrap());
    assert_eq!(house.ask("DELETE", &path, &house.admin, json!({})).await.status, 200);
    assert_eq!(house.send(with("GET", "/api/v1/agents", "")).await.status, 401, "ended with it");
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
