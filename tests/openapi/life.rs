//! A life through every route, with its refusals: each answer is declared, and as it is declared.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use actix_web::test::TestRequest;
use atalaya::api::body::BODY_BYTES_MAX;
use atalaya::api::openapi::document;
use atalaya::api::roles::{Role, TABLE};
use atalaya::journal::commit::{Commit, CommitError, Sealed};
use serde_json::{Value, json};

use crate::check::{check, operation};
use crate::house::{House, NOBODY, Reply, house, house_with};

/// Asks the house and holds each answer against the description.
pub(crate) struct Walk<'a> {
    pub(crate) house: &'a House,
    pub(crate) seen: RefCell<BTreeSet<(String, u16)>>,
    pub(crate) wrong: RefCell<BTreeSet<String>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(house: &'a House) -> Self {
        Self { house, seen: RefCell::default(), wrong: RefCell::default() }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, request: TestRequest) -> Reply {
        let reply = self.house.send(request).await;
        self.look(method, path, &reply);
        reply
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Reply {
        let request = House::request(method, path, token);
        let bodyless = ["GET", "DELETE"].contains(&method);
        let request = if bodyless { request } else { request.set_json(body) };
        self.send(method, path, request).await
    }

    fn look(&self, method: &str, path: &str, reply: &Reply) {
        let (pattern, operation) = operation(method, path).unwrap();
        let what = format!("{method} {pattern}");
        let complain = |problem: String| {
            self.wrong.borrow_mut().insert(format!("{what} {}: {problem}", reply.status));
        };
        self.seen.borrow_mut().insert((what.clone(), reply.status));
        let response = &operation["responses"][reply.status.to_string()];
        if response.is_null() {
            return complain(format!("not declared: {}", reply.json));
        }
        let media = reply.header("content-type").unwrap_or("").split(';').next().unwrap();
        let content = &response["content"];
        match content.get(media) {
            Some(content) if media.ends_with("json") => {
                for complaint in check(&content["schema"], &reply.json) {
                    complain(complaint);
                }
            }
            Some(_) => (),
            None if media.is_empty() && content.is_null() => (),
            None => complain(format!("{media} is not declared")),
        }
        let declared = response["headers"].as_object();
        for name in ["etag", "atalaya-seq", "location", "retry-after", "idempotent-replay"] {
            let mut headers = declared.into_iter().flatten();
            let header = headers.find(|(known, _)| known.to_lowercase() == name);
            match (header, reply.header(name)) {
                (None, Some(_)) => complain(format!("header {name} is not declared")),
                (Some((_, header)), None) if header["required"] == true => {
                    complain(format!("header {name} is missing"));
                }
                _ => (),
            }
        }
        if reply.json["type"].as_str().is_some_and(|it| it.starts_with("urn:")) {
            let status = &reply.json["status"];
            if *status != reply.status {
                complain(format!("says {status}"));
            }
        }
    }

    async fn ok(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let reply = self.ask(method, path, token, body).await;
        assert!((200..300).contains(&reply.status), "{method} {path}: {reply:?}");
        reply.json
    }
}

/// A call that is offered to Ana.
async fn offered(walk: &Walk<'_>, admin: &str) -> (String, String) {
    let full = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142",
        "language": "es", "requires": {"pensions": 6}, "levels": [1], "priority": "high",
        "subject": "pensión", "external_id": "c-1"});
    let contact = walk.ok("POST", "/api/v1/contacts", admin, full).await;
    let contact = contact["id"].as_str().unwrap().to_owned();
    let offer = walk.house.until(&contact, "offered").await["offer"]["id"].clone();
    (contact, offer.as_str().unwrap().to_owned())
}

async fn look_around(walk: &Walk<'_>, admin: &str, contact: &str) {
    for path in [
        "/api/v1/agents",
        "/api/v1/agents/ana",
        "/api/v1/agents/luz",
        "/api/v1/queues",
        "/api/v1/queues/pensions",
        "/api/v1/queues/pensions/waiting",
        "/api/v1/queues/general/waiting",
        "/api/v1/contacts",
        "/api/v1/wallboard",
        "/api/v1/events?limit=500",
        "/api/v1/tokens",
        "/health/live",
        "/health/ready",
        "/api/openapi.json",
        "/api/docs",
    ] {
        walk.ok("GET", path, admin, Value::Null).await;
    }
    for more in ["", "/history", "/explain"] {
        walk.ok("GET", &format!("/api/v1/contacts/{contact}{more}"), admin, Value::Null).await;
    }
}

async fn live(walk: &Walk<'_>) {
    let admin = walk.house.admin.as_str();
    let rules = json!({"name": "General"});
    walk.ok("PUT", "/api/v1/queues/general", admin, rules.clone()).await;
    walk.ok("PUT", "/api/v1/queues/general", admin, rules).await;
    let luz = json!({"name": "Luz", "team": "t", "skills": {"pensions": 4}, "queues": ["general"]});
    walk.ok("PUT", "/api/v1/agents/luz", admin, luz.clone()).await;
    walk.ok("PUT", "/api/v1/agents/luz", admin, luz).await;
    let tokens = walk.house.staffed(&["ana"]).await;
    let ana = tokens[0].as_str();
    let presence = "/api/v1/agents/ana/presence";
    let ready = json!({"state": "ready"});
    walk.ok("POST", presence, ana, ready.clone()).await;
    let (contact, offer) = offered(walk, admin).await;
    let at = format!("/api/v1/contacts/{contact}");
    look_around(walk, admin, &contact).await;
    let accept = format!("/api/v1/agents/ana/offers/{offer}/accept");
    walk.ok("POST", &accept, ana, json!({})).await;
    assert_eq!(walk.ask("POST", &accept, ana, json!({})).await.status, 409);
    let lunch = json!({"state": "not_ready", "reason": "lunch", "after": true});
    walk.ok("POST", presence, ana, lunch).await;
    look_around(walk, admin, &contact).await;
    walk.ok("POST", presence, ana, ready.clone()).await;
    // Another waits beside it, and is told who is nearest to taking it.
    let plain = json!({"channel": "voice", "queue": "pensions"});
    let waits = walk.ok("POST", "/api/v1/contacts", admin, plain).await;
    let waits = waits["id"].as_str().unwrap();
    for (verb, body, status) in [
        ("hold", json!({}), 200),
        ("hold", json!({}), 409),
        ("resume", json!({}), 200),
        ("resume", json!({}), 409),
        ("complete", json!({}), 200),
        ("complete", json!({}), 409),
        ("extend_wrap_up", json!({"by": "30s"}), 200),
        ("extend_wrap_up", json!({"by": "30s"}), 409),
        ("wrap_up", json!({"outcome": "solved", "topic": "pension"}), 200),
        ("wrap_up", json!({"topic": "more"}), 200),
    ] {
        if verb == "wrap_up" {
            let left = format!("/api/v1/contacts/{waits}/abandon");
            walk.ask("POST", &left, admin, json!({})).await;
        }
        let path = format!("{at}/{verb}");
        let stale = House::request("POST", &path, ana).insert_header(("If-Match", "\"99\""));
        let stale = walk.send("POST", &path, stale.set_json(&body)).await;
        assert_eq!(stale.status, 412, "{verb}: {stale:?}");
        if ["hold", "resume"].contains(&verb) {
            let early = walk.ask("POST", &format!("{at}/wrap_up"), ana, json!({})).await;
            assert_eq!(early.status, 409, "{early:?}");
        }
        let reply = walk.ask("POST", &path, ana, body).await;
        assert_eq!(reply.status, status, "{verb}: {reply:?}");
        look_around(walk, admin, &contact).await;
        look_around(walk, admin, waits).await;
    }
    let (_, offer) = offered(walk, admin).await;
    let reject = format!("/api/v1/agents/ana/offers/{offer}/reject");
    walk.ok("POST", &reject, ana, json!({"reason": "busy"})).await;
    assert_eq!(walk.ask("POST", &reject, ana, json!({})).await.status, 409);
    unanswered(walk, admin, ana).await;
    let why = json!({"state": "signed_out", "force": true, "why": "the shift is over"});
    walk.ok("POST", presence, admin, why).await;
    let unheard = json!({"state": "ready", "force": true, "why": "a test"});
    assert_eq!(walk.ask("POST", presence, admin, unheard).await.status, 409);
}

async fn unanswered(walk: &Walk<'_>, admin: &str, ana: &str) {
    let presence = "/api/v1/agents/ana/presence";
    let waiting = walk.ok("GET", "/api/v1/contacts?state=queued", admin, Value::Null).await;
    let contact = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    let at = format!("/api/v1/contacts/{contact}");
    walk.ok("PATCH", &at, admin, json!({"priority": "low"})).await;
    look_around(walk, admin, &contact).await;
    walk.ok("POST", presence, ana, json!({"state": "ready"})).await;
    let offered = walk.house.until(&contact, "offered").await;
    let offer = offered["offer"]["id"].as_str().unwrap();
    let accept = format!("/api/v1/agents/ana/offers/{offer}/accept");
    walk.ok("POST", &accept, ana, json!({})).await;
    assert_eq!(walk.ask("PATCH", &at, admin, json!({"priority": "low"})).await.status, 409);
    assert_eq!(walk.ask("POST", &format!("{at}/abandon"), admin, json!({})).await.status, 409);
    walk.ok("POST", &format!("{at}/end"), admin, json!({"by": "citizen"})).await;
    assert_eq!(
        walk.ask("POST", &format!("{at}/end"), admin, json!({"by": "citizen"})).await.status,
        409
    );
    walk.ok("POST", &format!("{at}/wrap_up"), ana, json!({})).await;
    let lunch = json!({"state": "not_ready", "reason": "lunch"});
    walk.ok("POST", presence, ana, lunch).await;
    let plain = json!({"channel": "voice", "queue": "pensions"});
    let left = walk.ok("POST", "/api/v1/contacts", admin, plain.clone()).await;
    let left = left["id"].as_str().unwrap();
    walk.ok("POST", &format!("/api/v1/contacts/{left}/abandon"), admin, json!({})).await;
    look_around(walk, admin, left).await;
    let close = json!({"emergency": true, "reason": "fire"});
    walk.ok("POST", "/api/v1/queues/pensions/close", admin, close).await;
    let refused = walk.ok("POST", "/api/v1/contacts", admin, plain).await;
    look_around(walk, admin, refused["id"].as_str().unwrap()).await;
    walk.ok("POST", "/api/v1/queues/pensions/open", admin, json!({})).await;
}

async fn sign_in_and_out(walk: &Walk<'_>) {
    let admin = walk.house.admin.as_str();
    for body in
        [json!({"role": "supervisor"}), json!({"role": "agent", "agent": "ana", "scope": "read"})]
    {
        let made = walk.ok("POST", "/api/v1/tokens", admin, body).await;
        let token = json!({"token": made["token"]});
        let signed_in = walk.ask("POST", "/api/v1/sessions", "", token).await;
        let cookies = signed_in.headers.iter().filter(|(name, _)| name == "set-cookie");
        let cookies: Vec<_> = cookies.map(|(_, value)| value.split(';').next().unwrap()).collect();
        let csrf = cookies[1].strip_prefix("__Host-atalaya-csrf=").unwrap().to_owned();
        let path = "/api/v1/sessions/current";
        for (csrf, status) in [("0", 403), (csrf.as_str(), 204), (csrf.as_str(), 401)] {
            let request = House::request("DELETE", path, "")
                .insert_header(("Cookie", cookies.join("; ")))
                .insert_header(("Atalaya-Csrf", csrf));
            let reply = walk.send("DELETE", path, request).await;
            assert_eq!(reply.status, status, "{reply:?}");
        }
        let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
        walk.ok("DELETE", &path, admin, Value::Null).await;
    }
    let ticket = walk.house.api.tickets.make(admin).unwrap();
    let path = format!("/enter?ticket={ticket}");
    let request = House::request("GET", &path, "").peer_addr("127.0.0.1:4000".parse().unwrap());
    assert_eq!(walk.send("GET", &path, request).await.status, 303);
}

/// What every route refuses, by every role.
async fn refused(walk: &Walk<'_>) {
    let house = walk.house;
    let mut tokens = vec![house.admin.clone()];
    for role in Role::ALL {
        let agent = (role == Role::Agent).then_some("ana");
        tokens.push(house.token(role, agent).await);
    }
    for line in TABLE {
        let path = line.path.replace("{id}", NOBODY).replace("{offer}", NOBODY);
        let own = line.path.replace("agents/{id}", "agents/ana").replace("{offer}", NOBODY);
        let own = own.replace("{id}", "pensions");
        walk.ask(line.method, &path, "", json!({"nonsense": 1})).await;
        for token in &tokens {
            walk.ask(line.method, &own, token, json!({"nonsense": 1})).await;
            walk.ask(line.method, &path, token, json!({"nonsense": 1})).await;
            walk.ask(line.method, &format!("{path}?colour=red&limit=0"), token, json!({})).await;
            let acting = House::request(line.method, &path, token);
            let acting = acting.insert_header(("Atalaya-Agent", "no slug"));
            walk.send(line.method, &path, acting).await;
            if ["GET", "DELETE"].contains(&line.method) {
                continue;
            }
            let body = operation(line.method, &path).unwrap().1["requestBody"]["content"]
                ["application/json"]["example"]
                .clone();
            let big = json!({"nonsense": "x".repeat(BODY_BYTES_MAX)});
            walk.ask(line.method, &path, token, big).await;
            walk.send(line.method, &path, House::plain(line.method, &path, token)).await;
            walk.ask(line.method, &path, token, json!([])).await;
            walk.ask(line.method, &path, token, json!({})).await;
            for header in [("If-Match", "\"99\""), ("Idempotency-Key", "k")] {
                let asked = House::request(line.method, &own, token).insert_header(header);
                walk.send(line.method, &own, asked.set_json(body.clone())).await;
            }
        }
    }
    for path in ["/api/v1/events?epoch=other", "/enter?ticket=other", "/enter?colour=red"] {
        let request = House::request("GET", path, &house.admin);
        let request = request.peer_addr("127.0.0.1:4000".parse().unwrap());
        walk.send("GET", path, request).await;
    }
    let why = json!({"state": "ready", "force": true, "why": "a test"});
    let path = "/api/v1/agents/nobody/presence";
    assert_eq!(walk.ask("POST", path, &house.admin, why).await.status, 404);
    for verb in ["accept", "reject"] {
        let path = format!("/api/v1/agents/ana/offers/x/{verb}");
        let request = House::request("POST", &path, &house.admin);
        let request = request.insert_header(("Atalaya-Agent", "ana")).set_json(json!({}));
        assert_eq!(walk.send("POST", &path, request).await.status, 404);
    }
    for body in [json!({"name": "Q"}), json!({"name": "Q", "max_waiting": 1})] {
        let keyed = House::request("POST", "/api/v1/tokens", &house.admin);
        let keyed = keyed.insert_header(("Idempotency-Key", "k2"));
        let role = if body.get("max_waiting").is_some() { "auditor" } else { "supervisor" };
        walk.send("POST", "/api/v1/tokens", keyed.set_json(json!({"role": role}))).await;
    }
}

/// A log that takes nothing, or does not know, once it is told to.
struct Broken(Arc<AtomicU8>);

impl Commit for Broken {
    fn commit(&mut self, _: &[Sealed]) -> Result<(), CommitError> {
        match self.0.load(Ordering::Acquire) {
            0 => Ok(()),
            1 => Err(CommitError::Refused("no room".into())),
            _ => Err(CommitError::Unknown("no answer".into())),
        }
    }

    fn past(&self) -> std::sync::Arc<dyn atalaya::journal::commit::Past> {
        atalaya::journal::commit::Memory::default().past()
    }
}

#[actix_web::test]
async fn what_cannot_be_committed_is_declared_too() {
    let how = Arc::new(AtomicU8::new(0));
    let house = house_with(Box::new(Broken(how.clone())), vec![], [7; 32]).await;
    house.staffed(&["ana"]).await;
    let contact = house.call().await;
    let walk = Walk::new(&house);
    let mut met = BTreeMap::<(String, String), usize>::new();
    for state in [1, 2] {
        how.store(state, Ordering::Release);
        for line in TABLE.iter().filter(|line| line.method != "GET") {
            let path = line.path.replace("contacts/{id}", &format!("contacts/{contact}"));
            let path = path.replace("agents/{id}", "agents/ana").replace("{offer}", NOBODY);
            let path = path.replace("queues/{id}", "queues/pensions").replace("{id}", NOBODY);
            let content = &operation(line.method, &path).unwrap().1["requestBody"]["content"];
            let mut body = content["application/json"]["example"].clone();
            if line.path.ends_with("/sessions") {
                body = json!({"token": house.admin});
            }
            let reply = walk.ask(line.method, &path, &house.admin, body).await;
            let problem = reply.problem().to_owned();
            *met.entry((reply.status.to_string(), problem)).or_default() += 1;
        }
    }
    println!("{met:?}");
    let of = |problem: &str| met.get(&("503".to_owned(), problem.to_owned())).copied();
    assert!(of("not-committed").is_some_and(|count| count >= 5), "{met:?}");
    assert!(of("commit-unknown").is_some_and(|count| count >= 5), "{met:?}");
    assert_eq!(*walk.wrong.borrow(), BTreeSet::new());
}

#[actix_web::test]
async fn every_answer_of_a_life_is_declared() {
    let house = house().await;
    let walk = Walk::new(&house);
    live(&walk).await;
    sign_in_and_out(&walk).await;
    refused(&walk).await;
    let advance = json!({"advance": "1s", "leases": false});
    walk.ok("POST", "/api/v1/clock", &house.admin, advance).await;
    let wrong = walk.wrong.borrow();
    let all: Vec<_> = wrong.iter().take(40).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), all.join("\n"));
    let seen = walk.seen.borrow();
    let mut never = BTreeMap::<String, Vec<String>>::new();
    let mut unseen = vec![];
    for line in TABLE {
        let operation = &document()["paths"][line.path][line.method.to_lowercase()];
        for status in operation["responses"].as_object().unwrap().keys() {
            let what = format!("{} {}", line.method, line.path);
            if seen.contains(&(what.clone(), status.parse().unwrap())) {
                continue;
            }
            if status.starts_with('2') || status.starts_with('3') {
                unseen.push(format!("{what} {status}"));
            }
            never.entry(status.clone()).or_default().push(what);
        }
    }
    println!("{} answers by route and status were met", seen.len());
    for (status, routes) in &never {
        println!("{status} is declared and was not met at {} routes", routes.len());
        if routes.len() < 8 {
            println!("    {}", routes.join(", "));
        }
    }
    assert!(unseen.is_empty(), "never met: {unseen:?}");
}
