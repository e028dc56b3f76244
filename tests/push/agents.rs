//! The agent's socket: offers and recalls at once, commands, one agent on two screens.

use std::time::{Duration, Instant};

use atalaya::actors::register;
use atalaya_domain::agent;
use atalaya_domain::machine::Event;
use serde_json::json;

use crate::house::house;

#[actix_web::test]
async fn an_offer_is_accepted_and_worked_on_by_commands() {
    let house = house(1.0).await;
    let ana = house.staffed("ana", json!({"wrap_up": "none"})).await;
    let mut socket = house.connect(&ana).await;
    let mut desk = socket.subscribe("agent").await;
    let ready = socket.command("presence", json!({"state": "ready"})).await;
    assert_eq!((&ready["type"], &ready["entity"]["state"]), (&json!("ack"), &json!("ready")));
    let contact = house.call().await;
    let offer = socket.next_of("offer").await;
    assert_eq!(offer["contact"]["id"], json!(contact));
    assert_eq!(offer["contact"]["from"], "+34600000142");
    let accept = json!({"offer": offer["offer"]});
    let taken = socket.command("accept", accept.clone()).await;
    assert_eq!((&taken["type"], &taken["entity"]["state"]), (&json!("ack"), &json!("active")));
    let again = socket.command("accept", accept).await;
    assert_eq!(again["type"], "nack", "{again}");
    assert_eq!(again["problem"]["type"], "urn:atalaya:problem:offer-gone");
    let of = json!({"contact": contact});
    for (command, state) in [("hold", "held"), ("resume", "active"), ("complete", "wrap_up")] {
        let done = socket.command(command, of.clone()).await;
        assert_eq!(done["entity"]["state"], state, "{done}");
    }
    let ended = socket
        .command("wrap_up", json!({"contact": contact, "outcome": "done", "topic": "pension"}))
        .await;
    assert_eq!(ended["entity"]["state"], "closed", "{ended}");
    // The same desk by its deltas, on a second screen that had none of the answers.
    let mut second = house.connect(&ana).await;
    desk.seq = second.subscribe("agent").await.seq;
    let unknown = socket.command("dance", of).await;
    assert_eq!(unknown["type"], "nack");
}

#[actix_web::test]
async fn the_desk_follows_by_deltas() {
    let house = house(1.0).await;
    let ana = house.staffed("ana", json!({})).await;
    let mut socket = house.connect(&ana).await;
    let mut desk = socket.subscribe("agent").await;
    let ready = json!({"state": "ready"});
    assert_eq!(house.ask("POST", "/api/v1/agents/ana/presence", &ana, ready).await.0, 200);
    desk.until(&mut socket, |data| data["agent"]["state"] == "ready").await;
    let contact = house.call().await;
    desk.until(&mut socket, |data| data["offers"][0]["contact"]["id"] == json!(contact)).await;
    let path = format!("/api/v1/contacts/{contact}/abandon");
    assert_eq!(house.ask("POST", &path, &house.admin, json!({})).await.0, 200);
    desk.until(&mut socket, |data| data["offers"] == json!([])).await;
    assert_eq!(desk.data["agent"]["state"], "ready");
}

#[actix_web::test]
async fn an_abandoned_offer_is_recalled() {
    let house = house(1.0).await;
    let ana = house.staffed("ana", json!({})).await;
    let mut socket = house.connect(&ana).await;
    socket.command("presence", json!({"state": "ready"})).await;
    let contact = house.call().await;
    let offer = socket.next_of("offer").await;
    let path = format!("/api/v1/contacts/{contact}/abandon");
    assert_eq!(house.ask("POST", &path, &house.admin, json!({})).await.0, 200);
    let recall = socket.next_of("recall").await;
    assert_eq!((&recall["offer"], &recall["reason"]), (&offer["offer"], &json!("abandoned")));
}

#[actix_web::test]
async fn s17_two_sessions_are_one_sign_in() {
    let house = house(1.0).await;
    let ana = house.staffed("ana", json!({})).await;
    let supervisor = house.token("supervisor", None, None).await;
    let (mut one, mut two) = (house.connect(&ana).await, house.connect(&ana).await);
    let ready = || json!({"state": "ready"});
    let (first, second) = futures_util::future::join(
        one.command("presence", ready()),
        two.command("presence", ready()),
    )
    .await;
    assert_eq!((&first["type"], &second["type"]), (&json!("ack"), &json!("ack")));
    let is_sign_in = |event: &Event| matches!(event, Event::Agent(agent::Event::SignedIn { .. }));
    let events = house.centre.events().unwrap();
    assert_eq!(events.iter().filter(|event| is_sign_in(&event.recorded.event)).count(), 1);
    assert_eq!(house.wallboard(&supervisor).await["data"]["totals"]["ready"], 1);
    house.call().await;
    let offers = (one.next_of("offer").await, two.next_of("offer").await);
    assert_eq!(offers.0["offer"], offers.1["offer"]);
    let taken = two.command("accept", json!({"offer": offers.0["offer"]})).await;
    assert_eq!(taken["type"], "ack", "{taken}");
    let late = one.command("accept", json!({"offer": offers.0["offer"]})).await;
    assert_eq!(late["problem"]["type"], "urn:atalaya:problem:offer-gone");
}

#[actix_web::test]
async fn silence_makes_lost_and_any_message_heard() {
    let house = house(1.0).await;
    let ana = house.staffed("ana", json!({})).await;
    let mut socket = house.connect(&ana).await;
    socket.command("presence", json!({"state": "ready"})).await;
    let mut desk = socket.subscribe("agent").await;
    // A look a lease from now finds a lease of silence.
    register::look(&house.centre, Instant::now() + register::LEASE, Duration::ZERO);
    desk.until(&mut socket, |data| data["agent"]["state"] == "lost").await;
    socket.say(json!({"type": "pong"})).await;
    desk.until(&mut socket, |data| data["agent"]["state"] == "ready").await;
}
