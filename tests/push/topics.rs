//! Snapshot, deltas, resume, credit, and who sees what.

use serde_json::{Value, json};

use crate::house::house;
use crate::socket::Copy;

#[actix_web::test]
async fn deltas_lead_from_the_snapshot_to_what_the_wallboard_holds() {
    let house = house(0.0).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut socket = house.connect(&supervisor).await;
    let mut copy = socket.subscribe("wallboard").await;
    let ana = house.staffed("ana", json!({})).await;
    let path = "/api/v1/agents/ana/presence";
    for state in [json!({"state": "ready"}), json!({"state": "not_ready", "reason": "break"})] {
        assert_eq!(house.ask("POST", path, &ana, state).await.0, 200);
        house.call().await;
        let board = house.wallboard(&supervisor).await;
        copy.follow(&mut socket, board["seq"].as_u64().unwrap()).await;
    }
    // What matching caused by itself comes too, until both stand at the same number.
    loop {
        let board = house.wallboard(&supervisor).await;
        copy.follow(&mut socket, board["seq"].as_u64().unwrap()).await;
        if board["seq"] == copy.seq {
            assert_eq!(copy.data, board["data"]);
            assert_eq!(copy.data["totals"]["waiting"], 2);
            break;
        }
    }
}

/// The sliding windows hang on the instant: the one that is told is the one that they were
/// reckoned at. The board goes on to the present only when it is read, so it shows that instant.
#[actix_web::test]
async fn what_is_told_as_its_instant_is_what_the_wallboard_was_reckoned_at() {
    let house = house(3_600.0).await;
    let supervisor = house.token("supervisor", None, None).await;
    let board = house.wallboard(&supervisor).await;
    let reckoned_at = house.centre.board().now();
    assert_eq!(board["at"], atalaya::views::rfc3339(reckoned_at));
    let (_, _, at) = house.centre.roster(atalaya::views::Scope::All);
    assert_eq!(at, house.centre.board().now());
}

#[actix_web::test]
async fn a_resume_gets_what_it_missed_or_a_snapshot() {
    let house = house(0.0).await;
    house.staffed("ana", json!({})).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut first = house.connect(&supervisor).await;
    let mut copy = first.subscribe("wallboard").await;
    // A number that it had of this channel.
    house.call().await;
    copy.follow(&mut first, house.centre.last_seq()).await;
    // Another keeps the channel going meanwhile, and says when it has gone on.
    let mut other = house.connect(&supervisor).await;
    let mut theirs = other.subscribe("wallboard").await;
    drop(first);
    house.call().await;
    theirs.follow(&mut other, house.centre.last_seq()).await;
    let mut back = house.connect(&supervisor).await;
    let mut resume = json!({"type": "subscribe", "topic": "wallboard",
        "resume": {"epoch": "e1", "seq": copy.seq}});
    back.say(resume.clone()).await;
    let frame = back.next().await;
    copy.apply(&frame);
    copy.follow(&mut back, theirs.seq).await;
    assert_eq!(copy.data["totals"]["waiting"], 2);
    resume["resume"]["epoch"] = json!("e0");
    let mut back = house.connect(&supervisor).await;
    back.say(resume.clone()).await;
    assert_eq!(back.next().await["type"], "snapshot");
    resume["resume"] = json!({"epoch": "e1", "seq": 1_000_000});
    let mut back = house.connect(&supervisor).await;
    back.say(resume).await;
    assert_eq!(back.next().await["type"], "snapshot");
}

#[actix_web::test]
async fn a_frame_comes_though_nothing_happens() {
    let house = house(0.0).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut socket = house.connect(&supervisor).await;
    let Copy { seq, .. } = socket.subscribe("wallboard").await;
    let mut frame = socket.next_of("delta").await;
    while frame["seq"] != seq || frame["from"] != seq {
        frame = socket.next_of("delta").await;
    }
    assert_eq!((&frame["set"], &frame["remove"]), (&json!({}), &json!([])));
    assert!(frame["at"].is_string());
}

#[actix_web::test]
async fn each_sees_what_is_theirs() {
    let house = house(0.0).await;
    let ana = house.staffed("ana", json!({})).await;
    let ready = json!({"state": "ready"});
    assert_eq!(house.ask("POST", "/api/v1/agents/ana/presence", &ana, ready).await.0, 200);
    let kiosk = house.token("supervisor", None, Some("read")).await;
    let supervisor = house.token("supervisor", None, None).await;
    for (token, name) in [(&supervisor, "Ana García"), (&kiosk, "AG")] {
        let mut socket = house.connect(token).await;
        let mut copy = socket.subscribe("wallboard").await;
        copy.follow(&mut socket, house.centre.last_seq()).await;
        assert_eq!(copy.data["agents"]["ana"]["name"], name);
        let roster = socket.subscribe("roster").await;
        assert_eq!(roster.data["agents"]["ana"]["name"], name);
        socket.say(json!({"type": "subscribe", "topic": "agent"})).await;
        let problem = socket.next_of("error").await;
        assert_eq!(problem["problem"]["type"], "urn:atalaya:problem:forbidden");
        let refused = socket.command("presence", json!({"state": "ready"})).await;
        assert_eq!(
            (&refused["type"], &refused["problem"]["status"]),
            (&json!("nack"), &json!(403))
        );
    }
    let mut socket = house.connect(&ana).await;
    for topic in ["wallboard", "roster"] {
        socket.say(json!({"type": "subscribe", "topic": topic})).await;
        let problem = socket.next_of("error").await;
        assert_eq!(problem["problem"]["type"], "urn:atalaya:problem:forbidden");
    }
    socket.subscribe("agent").await;
    for role in ["auditor", "integrator"] {
        let token = format!("Bearer {}", house.token(role, None, None).await);
        assert_eq!(house.try_connect(&[("Authorization", &token)]).await.err(), Some(403));
    }
    assert_eq!(house.try_connect(&[]).await.err(), Some(401));
    assert_eq!(house.ask("GET", "/api/v1/wallboard", &ana, Value::Null).await.0, 403);
}

#[actix_web::test]
async fn s84_what_a_timer_changes_is_pushed() {
    let house = house(200.0).await;
    let ana = house.staffed("ana", json!({"offer_timeout": "20s"})).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut socket = house.connect(&supervisor).await;
    let mut copy = socket.subscribe("wallboard").await;
    let ready = json!({"state": "ready"});
    assert_eq!(house.ask("POST", "/api/v1/agents/ana/presence", &ana, ready).await.0, 200);
    house.call().await;
    copy.until(&mut socket, |data| data["agents"]["ana"]["reason"] == "missed_offer").await;
    assert_eq!(copy.data["totals"]["waiting"], 1);
}
