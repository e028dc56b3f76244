//! A clock that stands still: what moves it, what acts on the way, and what its writes wait for.

use std::net::TcpListener;

use atalaya::api::roles::Role;
use atalaya::api::routes;
use atalaya::client::Client;
use atalaya::journal::commit::Memory;
use atalaya::views::rfc3339;
use atalaya_domain::time::Span;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::house::{House, Reply, START, house, house_over};
use crate::support::long;

impl House {
    pub(crate) async fn advance(&self, by: &str, leases: bool) -> Reply {
        let body = json!({"advance": by, "leases": leases});
        let moved = self.ask("POST", "/api/v1/clock", &self.admin, body).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        moved
    }

    pub(crate) async fn contact(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/contacts/{id}"), &self.admin).await.json
    }

    pub(crate) async fn state_of(&self, agent: &str) -> String {
        let agent = self.get(&format!("/api/v1/agents/{agent}"), &self.admin).await;
        agent.json["state"].as_str().unwrap().to_owned()
    }

    /// Name and instant of each event of one name, in order.
    pub(crate) async fn told(&self, name: &str) -> Vec<(String, String)> {
        let mut told = vec![];
        for event in self.events().await {
            if event["event"] == name {
                let text = |field: &str| event[field].as_str().unwrap_or("").to_owned();
                told.push((text("entity"), text("at")));
            }
        }
        told
    }

    pub(crate) async fn events(&self) -> Vec<Value> {
        let mut events = vec![];
        let mut path = "/api/v1/events?after=0&limit=500".to_owned();
        loop {
            let page = self.get(&path, &self.admin).await;
            assert_eq!(page.status, 200, "{page:?}");
            events.extend(page.json["items"].as_array().unwrap().clone());
            match page.json["next_cursor"].as_str() {
                Some(cursor) if !page.json["items"].as_array().unwrap().is_empty() => {
                    path = format!("/api/v1/events?cursor={cursor}&limit=500");
                }
                Some(_) | None => return events,
            }
        }
    }
}

fn at(seconds: i64) -> String {
    rfc3339(START.plus(Span::seconds(seconds)))
}

#[actix_web::test]
async fn what_follows_from_a_write_is_there_when_it_answers() {
    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    for _ in 0..20 {
        let contact = house.call().await;
        let offered = house.contact(&contact).await;
        assert_eq!(
            (&offered["state"], &offered["agent"]),
            (&json!("offered"), &json!("ana.garcia"))
        );
        let left = format!("/api/v1/contacts/{contact}/abandon");
        assert_eq!(house.ask("POST", &left, &house.admin, json!({})).await.status, 200);
        assert_eq!(house.state_of("ana.garcia").await, "ready");
    }
}

#[actix_web::test]
async fn an_offer_is_missed_at_its_instant_and_not_before() {
    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    let contact = house.call().await;
    house.advance("19999ms", false).await;
    assert_eq!(house.contact(&contact).await["state"], "offered");
    let moved = house.advance("1ms", false).await;
    assert_eq!(moved.json, json!({"at": at(20), "rate": 0}));
    assert_eq!(house.contact(&contact).await["state"], "queued");
    assert_eq!(house.state_of("ana.garcia").await, "not_ready");
    let missed = house.told("offer_missed").await;
    assert_eq!(missed, vec![(format!("contact:{contact}"), at(20))]);
    let stands = house.told("clock_set").await;
    assert_eq!(stands.last(), Some(&("system".to_owned(), at(20))));
}

#[actix_web::test]
async fn an_answer_at_the_last_instant_counts_and_one_after_it_does_not() {
    for (by, wanted) in [("19999ms", 200), ("20s", 409)] {
        let house = house().await;
        let ana = &house.staffed(&["ana.garcia"]).await[0];
        house.ready("ana.garcia", ana).await;
        let contact = house.call().await;
        let offer = house.contact(&contact).await["offer"]["id"].as_str().unwrap().to_owned();
        house.advance(by, false).await;
        let accept = format!("/api/v1/agents/ana.garcia/offers/{offer}/accept");
        let answer = house.ask("POST", &accept, ana, json!({})).await;
        assert_eq!(answer.status, wanted, "{by}: {answer:?}");
    }
}

#[actix_web::test]
async fn several_deadlines_act_once_each_in_the_order_of_their_instants() {
    let house = house().await;
    let agents = ["ana.garcia", "bea.lopez", "carla.ruiz"];
    let tokens = house.staffed(&agents).await;
    for (agent, token) in agents.iter().zip(&tokens) {
        house.ready(agent, token).await;
        house.call().await;
        house.advance("5s", false).await;
    }
    // Three offers out, due at 20, 25 and 30 s; each missed contact goes to nobody.
    house.advance("1h", false).await;
    let missed: Vec<_> = house.told("offer_missed").await.into_iter().map(|(_, at)| at).collect();
    assert_eq!(missed, vec![at(20), at(25), at(30)]);
    let late = house.events().await.into_iter().filter(|event| !event["observed_at"].is_null());
    assert_eq!(late.count(), 0, "each acts at its own instant");
    let ready = house.get("/health/ready", "").await;
    assert_eq!(ready.json["clock"], json!({"at": at(15 + 3_600), "rate": 0}));
}

#[actix_web::test]
async fn a_missed_contact_is_offered_on_within_one_advance() {
    let house = house().await;
    let agents = ["ana.garcia", "bea.lopez"];
    let tokens = house.staffed(&agents).await;
    for (agent, token) in agents.iter().zip(&tokens) {
        house.ready(agent, token).await;
    }
    let contact = house.call().await;
    house.advance("1m", false).await;
    let offered: Vec<_> = house.told("offered").await.into_iter().map(|(_, at)| at).collect();
    let missed: Vec<_> = house.told("offer_missed").await.into_iter().map(|(_, at)| at).collect();
    assert_eq!((offered, missed), (vec![at(0), at(20)], vec![at(20), at(40)]));
    assert_eq!(house.contact(&contact).await["state"], "queued");
}

#[actix_web::test]
async fn leases_age_only_when_they_are_told_to() {
    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    house.advance("1h", false).await;
    assert_eq!(house.state_of("ana.garcia").await, "ready", "leases do not run");
}

#[actix_web::test]
async fn a_lease_is_over_at_its_instant_and_not_before() {
    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    house.advance("14999ms", true).await;
    assert_eq!(house.state_of("ana.garcia").await, "ready");
    house.advance("1m", true).await;
    assert_eq!(house.state_of("ana.garcia").await, "lost");
    assert_eq!(house.told("lost").await, vec![("agent:ana.garcia".to_owned(), at(15))]);
    house.ready("ana.garcia", ana).await;
    assert_eq!(house.state_of("ana.garcia").await, "ready", "heard again");
}

#[actix_web::test]
async fn what_cannot_be_is_named() {
    let house = house().await;
    for (body, status, problem) in [
        (json!({}), 422, "invalid"),
        (json!({"advance": "0s"}), 422, "invalid"),
        (json!({"advance": "-1s"}), 422, "invalid"),
        (json!({"advance": "1d"}), 422, "invalid"),
        (json!({"advance": "8785h"}), 422, "invalid"),
        (json!({"advance": 5}), 400, "malformed"),
        (json!({"advance": "1s", "leases": "yes"}), 400, "malformed"),
        (json!({"advance": "1s", "to": "later"}), 400, "unknown-field"),
    ] {
        let refused = house.ask("POST", "/api/v1/clock", &house.admin, body.clone()).await;
        assert_eq!((refused.status, refused.problem()), (status, problem), "{body}: {refused:?}");
    }
    let supervisor = house.token(Role::Supervisor, None).await;
    let refused = house.ask("POST", "/api/v1/clock", &supervisor, json!({"advance": "1s"})).await;
    assert_eq!(refused.status, 403);
    assert_eq!(house.told("clock_set").await, vec![]);
}

#[actix_web::test]
async fn a_repeated_advance_with_its_key_moves_once() {
    let house = house().await;
    for _ in 0..3 {
        let request = House::request("POST", "/api/v1/clock", &house.admin)
            .insert_header(("Idempotency-Key", "k-1"))
            .set_json(json!({"advance": "10s"}));
        let moved = house.send(request).await;
        assert_eq!((moved.status, &moved.json["at"]), (200, &json!(at(10))), "{moved:?}");
    }
    assert_eq!(house.told("clock_set").await.len(), 1);
}

#[actix_web::test]
async fn who_writes_while_the_clock_is_moved_never_writes_into_the_past() {
    let house = house().await;
    let agents = ["ana.garcia", "bea.lopez"];
    let tokens = house.staffed(&agents).await;
    for (agent, token) in agents.iter().zip(&tokens) {
        house.ready(agent, token).await;
    }
    let calls = join_all((0..20).map(|_| house.call()));
    let moves = join_all((0..20).map(|_| house.advance("7s", true)));
    let more = join_all((0..20).map(|_| house.call()));
    join(join(calls, moves), more).await;
    let events = house.events().await;
    let entered: Vec<_> = events.iter().filter(|event| event["event"] == "queued").collect();
    assert_eq!(entered.len(), 40);
    let mut last = String::new();
    for event in &events {
        let at = event["at"].as_str().unwrap().to_owned();
        assert!(last <= at, "{event} is earlier than {last}");
        assert!(event["observed_at"].is_null(), "{event} was seen late");
        last = at;
    }
    assert_eq!(house.told("clock_set").await.len(), 20);
    let ready = house.get("/health/ready", "").await;
    assert_eq!(ready.json["clock"]["at"], at(140));
}

#[actix_web::test]
async fn a_write_waits_for_what_follows_over_threads() {
    let lanes = [actix::Arbiter::new(), actix::Arbiter::new()];
    let arbiters = lanes.iter().map(actix::Arbiter::handle).collect();
    let house = house_over(Memory::default(), arbiters).await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    // Answered by threads of their own, beside the projector's and the lanes'.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = routes::serve(house.api.clone(), listener).unwrap();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let admin = Client::new(&url, &house.admin).unwrap();
    for _ in 0..if long() { 5_000 } else { 300 } {
        let call = json!({"channel": "voice", "queue": "pensions"});
        let came = admin.post_without_key("/api/v1/contacts", &call).await.unwrap();
        assert_eq!(came["state"], "offered", "{came}");
        let path = format!("/api/v1/contacts/{}/abandon", came["id"].as_str().unwrap());
        admin.post_without_key(&path, &json!({})).await.unwrap();
        let agent = admin.get("/api/v1/agents/ana.garcia").await.unwrap();
        assert_eq!(agent["state"], "ready", "{agent}");
    }
    handle.stop(true).await;
    running.await.unwrap().unwrap();
    house.centre.close();
    for lane in lanes {
        lane.stop();
    }
}
