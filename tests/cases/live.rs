//! Cases against the real program, over HTTP and sockets.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Process, path, presence};
use crate::support::wait_for_async;

#[actix_web::test]
async fn s05_citizen_leaves_during_an_offer() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({})).await;
    let ana = server.agent("ana").await;
    let mut screen = ana.socket().await;
    ana.ready().await;
    let before = server.admin.get("/api/v1/agents/ana").await.unwrap();
    let call = server.call("q").await;
    let offered = server.contact(&call).await;
    assert_eq!(offered["offer"]["agent"], "ana", "{offered}");
    assert_eq!(screen.next_of("offer").await["offer"], offered["offer"]["id"]);
    server.advance("3s").await;
    let left = server.admin.post(&path(&call, "abandon"), &json!({})).await.unwrap();
    assert_eq!(left["state"], "abandoned");
    assert_eq!(
        (&left["arrived_at"], &left["ended_at"]),
        (&json!("2026-03-02T08:00:00Z"), &json!("2026-03-02T08:00:03Z"))
    );
    let recall = screen.next_of("recall").await;
    assert_eq!(
        (&recall["offer"], &recall["reason"]),
        (&offered["offer"]["id"], &json!("abandoned"))
    );
    let after = server.admin.get("/api/v1/agents/ana").await.unwrap();
    assert_eq!((&after["state"], &after["since"]), (&before["state"], &before["since"]));
    let late = ana.accept(&offered).await.unwrap_err();
    assert_eq!(late.status(), Some(409), "{late}");
    assert!(late.to_string().contains("offer-gone"), "{late}");
    let totals = server.board().await["data"]["totals"].clone();
    assert_eq!((&totals["abandoned_today"], &totals["ready"]), (&json!(1), &json!(1)));
    // No back-off: the next one is offered at this very instant.
    let next = server.call("q").await;
    assert_eq!(server.contact(&next).await["offer"]["agent"], "ana");
}

#[actix_web::test]
async fn s15_lease() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({"offer_timeout": "5m"})).await;
    let (ana, luis) = (server.agent("ana").await, server.agent("luis").await);
    luis.says(json!({"state": "not_ready", "reason": "lunch"})).await;
    let lunch = server.admin.get("/api/v1/agents/luis").await.unwrap()["since"].clone();
    ana.ready().await;
    server.advance("14999ms").await;
    assert_eq!(presence(&server, "ana").await.0, "ready");
    let call = server.call("q").await;
    assert_eq!(server.contact(&call).await["offer"]["agent"], "ana", "routable at 14.999");
    server.advance("1ms").await;
    assert_eq!(presence(&server, "ana").await.0, "lost");
    assert_eq!(presence(&server, "luis").await.0, "lost");
    let recalled = server.contact(&call).await;
    assert_eq!((&recalled["state"], &recalled["offer"]), (&json!("queued"), &Value::Null));
    server.advance("25s").await;
    assert_eq!(server.contact(&call).await["state"], "queued", "nothing is offered to the lost");
    // Any request with their token is hearing them.
    for person in [&luis, &ana] {
        person.client.get("/api/v1/queues").await.unwrap();
    }
    wait_for_async("both heard", async || {
        let ana = presence(&server, "ana").await.0;
        (ana != "lost" && presence(&server, "luis").await.0 != "lost").then_some(())
    })
    .await;
    assert_eq!(presence(&server, "luis").await, ("not_ready".into(), json!("lunch")));
    let luis = server.admin.get("/api/v1/agents/luis").await.unwrap();
    assert_eq!(luis["since"], lunch, "with its start");
    assert_eq!(server.contact(&call).await["offer"]["agent"], "ana", "ready stays ready");
    let (events, _) = server.events_after(0).await;
    let count = |name: &str, who: &str| {
        let mine = events.iter().filter(|event| event["event"] == name);
        mine.filter(|event| event["entity"] == format!("agent:{who}")).count()
    };
    assert_eq!((count("signed_in", "ana"), count("lost", "ana"), count("heard", "ana")), (1, 1, 1));
    assert_eq!((count("signed_in", "luis"), count("heard", "luis")), (1, 1));
}

#[actix_web::test]
async fn s16_second_device() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    let ana = server.agent("ana").await;
    let mut desktop = ana.socket().await;
    let away = json!({"state": "not_ready", "reason": "training"});
    assert_eq!(desktop.command("presence", away).await["type"], "ack");
    let mut elsewhere = ana.socket().await;
    for screen in [&mut desktop, &mut elsewhere] {
        let desk = screen.subscribe("agent").await.data;
        assert_eq!(
            (&desk["agent"]["state"], &desk["agent"]["reason"]),
            (&json!("not_ready"), &json!("training"))
        );
    }
    server.advance("10s").await;
    drop(desktop);
    elsewhere.say(json!({"type": "pong"})).await;
    assert_eq!(
        elsewhere.command("presence", json!({"state": "not_ready", "reason": "training"})).await["type"],
        "ack"
    );
    server.advance("14999ms").await;
    assert_eq!(presence(&server, "ana").await.0, "not_ready", "the other session holds it");
    elsewhere.say(json!({"type": "pong"})).await;
    assert_eq!(
        elsewhere.command("presence", json!({"state": "not_ready", "reason": "training"})).await["type"],
        "ack"
    );
    drop(elsewhere);
    server.advance("14999ms").await;
    assert_eq!(presence(&server, "ana").await.0, "not_ready");
    server.advance("1ms").await;
    assert_eq!(presence(&server, "ana").await.0, "lost", "the last one's end started the lease");
}

#[actix_web::test]
async fn s17_same_login_twice() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::start(dir.path());
    server.queue("q", json!({})).await;
    let ana = server.agent("ana").await;
    let (mut one, mut two) = (ana.socket().await, ana.socket().await);
    let ready = || json!({"state": "ready"});
    let (first, second) = futures_util::future::join(
        one.command("presence", ready()),
        two.command("presence", ready()),
    )
    .await;
    assert_eq!((&first["type"], &second["type"]), (&json!("ack"), &json!("ack")));
    let (events, _) = server.events_after(0).await;
    assert_eq!(events.iter().filter(|event| event["event"] == "signed_in").count(), 1);
    assert_eq!(server.board().await["data"]["totals"]["ready"], 1);
    server.call("q").await;
    let offers = (one.next_of("offer").await, two.next_of("offer").await);
    assert_eq!(offers.0["offer"], offers.1["offer"], "both sessions serve it");
    let taken = two.command("accept", json!({"offer": offers.0["offer"]})).await;
    assert_eq!(taken["type"], "ack", "{taken}");
    let (code, said) = Process::second(dir.path());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&server.pid().to_string()), "it names who has the folder: {said}");
}

#[actix_web::test]
async fn s52_accept_by_someone_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({})).await;
    let (a, b) = (server.agent("a").await, server.agent("b").await);
    a.ready().await;
    let call = server.call("q").await;
    b.ready().await;
    let offered = server.contact(&call).await;
    assert_eq!(offered["offer"]["agent"], "a");
    let theft = b.accept(&offered).await.unwrap_err();
    assert!(matches!(theft.status(), Some(403 | 409)), "{theft}");
    assert_eq!(server.contact(&call).await["offer"], offered["offer"], "still pending");
    a.accept(&offered).await.unwrap();
    let active = server.contact(&call).await;
    assert_eq!((&active["state"], &active["agent"]), (&json!("active"), &json!("a")));
}

#[actix_web::test]
async fn s59_consumer_offline() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({})).await;
    let calls = [server.call("q").await, server.call("q").await, server.call("q").await];
    server.call("q").await;
    let (_, cursor) = server.events_after(0).await;
    for call in &calls {
        server.advance("200s").await;
        server.admin.post(&path(call, "abandon"), &json!({})).await.unwrap();
    }
    let (missed, _) = server.events_after(cursor).await;
    let left: Vec<_> = missed.iter().filter(|event| event["event"] == "abandoned").collect();
    let wanted: Vec<_> =
        calls.iter().map(|call| format!("contact:{}", call["id"].as_str().unwrap())).collect();
    let got: Vec<_> = left.iter().map(|event| event["entity"].as_str().unwrap()).collect();
    assert_eq!(got, wanted, "these three, once each, in order");
    let numbers: Vec<_> = missed.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(numbers.iter().zip(cursor + 1..).all(|(seq, wanted)| *seq == wanted), "{numbers:?}");
}

/// A life of four agents and three queues over HTTP; `look` is called after each step.
async fn life(server: &Process, mut look: impl AsyncFnMut(&Value)) {
    for (id, most) in [("q1", json!(2)), ("q2", Value::Null), ("q3", json!(1))] {
        server.queue(id, json!({"max_waiting": most, "offer_timeout": "20s"})).await;
    }
    let mut agents = Vec::new();
    for id in ["a", "b", "c", "d"] {
        agents.push((id, server.agent(id).await));
    }
    let (mut open, mut dice) = (Vec::<Value>::new(), 7_u64);
    for step in 0..320 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let roll = usize::try_from(dice >> 33).unwrap();
        let (name, agent) = &agents[roll % agents.len()];
        let contact = (!open.is_empty()).then(|| open[roll / 7 % open.len()].clone());
        // What is illegal just now is refused, which is part of a life.
        match (roll / 11 % 9, contact) {
            (0..=2, _) => open.push(server.call(["q1", "q2", "q3"][roll % 3]).await),
            (3, _) => drop(agent.client.post(&format!("/api/v1/agents/{name}/presence"),
                &json!({"state": if roll % 5 == 0 { "not_ready" } else { "ready" }, "reason": null})).await),
            (4, Some(contact)) => drop(server.admin.post(&path(&contact, "abandon"), &json!({})).await),
            (5 | 6, _) => {
                let offered = server.admin.get("/api/v1/contacts?state=offered").await.unwrap();
                for now in offered["items"].as_array().unwrap().iter().take(1 + roll % 2) {
                    let to = now["offer"]["agent"].as_str().unwrap();
                    let (_, agent) = agents.iter().find(|(name, _)| *name == to).unwrap();
                    agent.accept(now).await.unwrap();
                }
            }
            (7, Some(contact)) => {
                let now = server.contact(&contact).await;
                let by = now["agent"].as_str().and_then(|by| agents.iter().find(|(name, _)| *name == by));
                if let Some((_, agent)) = by {
                    let does = ["hold", "resume", "complete", "wrap_up"][roll / 5 % 4];
                    drop(agent.client.post(&path(&contact, does), &json!({})).await);
                }
            }
            _ => server.pass(["1s", "7s", "20s", "31s"][step % 4]).await,
        }
        look(&server.board().await).await;
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

/// S82 on one board.
fn adds_up(board: &Value) {
    let (totals, agents) = (&board["totals"], board["agents"].as_object().unwrap());
    let states = ["ready", "offered", "busy", "wrap_up", "not_ready", "lost"];
    let sum: u64 = states.iter().map(|state| number(&totals[state])).sum();
    assert_eq!(sum, number(&totals["signed_in"]), "{totals}");
    assert_eq!(sum, agents.len() as u64);
    for state in states {
        let count = agents.values().filter(|agent| agent["state"] == state).count();
        assert_eq!(number(&totals[state]), count as u64, "{state}");
    }
    let queues = board["queues"].as_object().unwrap();
    let waiting: u64 = queues.values().map(|queue| number(&queue["waiting"])).sum();
    assert_eq!(waiting, number(&totals["waiting"]));
}

/// S87 on one board, for today.
fn conserves(board: &Value) {
    let today = |line: &Value, name: &str| number(&line[format!("{name}_today")]);
    let queues = board["queues"].as_object().unwrap().iter();
    for (id, line) in queues.chain([(&"totals".to_owned(), &board["totals"])]) {
        let came = today(line, "offered") + today(line, "carried_over");
        let ends =
            ["answered", "abandoned", "refused", "overflowed_out", "transferred_out", "callbacks"];
        let went: u64 = ends.iter().map(|end| today(line, end)).sum();
        assert_eq!(came, went + number(&line["waiting"]), "{id}: {line}");
    }
}

#[actix_web::test]
async fn s82_tiles_add_up_and_s87_nothing_gets_lost() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    let mut socket = server.admin_socket().await;
    let mut copy = socket.subscribe("wallboard").await;
    let mut kept = Vec::new();
    life(&server, async |board| {
        adds_up(&board["data"]);
        conserves(&board["data"]);
        kept.push((number(&board["seq"]), board["data"].clone()));
    })
    .await;
    // The same at each number that the socket stood at.
    let (last, _) = kept.last().cloned().unwrap();
    let mut stood_at = 0;
    while copy.seq < last {
        let frame = socket.next_of("delta").await;
        copy.apply(&frame);
        adds_up(&copy.data);
        conserves(&copy.data);
        stood_at += 1;
    }
    assert!(stood_at >= 5, "only {stood_at}");
    assert_eq!(copy.data["totals"], kept.last().unwrap().1["totals"]);
    let totals = &copy.data["totals"];
    for end in ["answered_today", "abandoned_today", "refused_today"] {
        assert!(number(&totals[end]) > 0, "a life without {end}: {totals}");
    }
}

#[actix_web::test]
async fn s83_on_contact_is_never_ready() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({"wrap_up": "30s"})).await;
    let ana = server.agent("ana").await;
    ana.ready().await;
    let call = server.call("q").await;
    let never_ready = async |when: &str| {
        let agent = server.admin.get("/api/v1/agents/ana").await.unwrap();
        let list = server.admin.get("/api/v1/agents?state=ready").await.unwrap();
        let board = server.board().await;
        let states = [&agent["state"], &board["data"]["agents"]["ana"]["state"]];
        assert!(states.iter().all(|state| **state != "ready"), "{when}: {states:?}");
        assert_eq!(list["items"], json!([]), "{when}");
        assert_eq!(board["data"]["totals"]["ready"], 0, "{when}");
        assert_eq!(board["data"]["queues"]["q"]["ready"], 0, "{when}");
    };
    ana.accept(&server.contact(&call).await).await.unwrap();
    never_ready("accepted").await;
    for (does, wait) in [("hold", "5s"), ("resume", "5s"), ("complete", "29999ms")] {
        ana.client.post(&path(&call, does), &json!({})).await.unwrap();
        never_ready(does).await;
        // Saying ready does not make it so.
        ana.ready().await;
        server.pass(wait).await;
        never_ready(does).await;
    }
    server.pass("1ms").await;
    assert_eq!(presence(&server, "ana").await.0, "ready");
}

#[actix_web::test]
async fn s84_timer_driven_change_is_pushed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::start(dir.path());
    server.queue("q", json!({"offer_timeout": "1s", "wrap_up": "1s", "max_misses": 9})).await;
    let ana = server.agent("ana").await;
    let mut socket = server.admin_socket().await;
    let mut copy = socket.subscribe("wallboard").await;
    let mut screen = ana.socket().await;
    ana.ready().await;
    let call = server.call("q").await;
    let offer = screen.next_of("offer").await;
    let mut late = Vec::new();
    let waited = Instant::now();
    copy.until(&mut socket, |data| data["agents"]["ana"]["state"] == "offered").await;
    // It runs out and is made again: with nobody's doing, the tile's `since` moves.
    let first = copy.data["agents"]["ana"]["since"].clone();
    copy.until(&mut socket, |data| data["agents"]["ana"]["since"] != first).await;
    late.push(waited.elapsed());
    let again = screen.next_of("offer").await;
    assert_ne!(offer["offer"], again["offer"]);
    screen.command("accept", json!({"offer": again["offer"]})).await;
    let ended = screen.command("complete", json!({"contact": call["id"]})).await;
    assert_eq!(ended["entity"]["state"], "wrap_up", "{ended}");
    let waited = Instant::now();
    copy.until(&mut socket, |data| data["agents"]["ana"]["state"] == "ready").await;
    late.push(waited.elapsed());
    // A second until it is due, and less than another until it is shown.
    assert!(late.iter().all(|late| *late < Duration::from_secs(2)), "{late:?}");
    eprintln!("due after 1 s, shown after {late:?}");
}

#[actix_web::test]
async fn s85_a_server_that_stood_still_is_caught_up_with() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::start(dir.path());
    server.queue("q", json!({})).await;
    let mut socket = server.admin_socket().await;
    let mut copy = socket.subscribe("wallboard").await;
    server.call("q").await;
    copy.until(&mut socket, |data| data["totals"]["waiting"] == 1).await;
    let signal = |name: &str| {
        let pid = server.pid().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    signal("-STOP");
    let silent = tokio::time::timeout(Duration::from_secs(5), socket.next()).await;
    signal("-CONT");
    // What was on its way may come first; then silence, which is what a glass goes by.
    let frames = usize::from(silent.is_ok());
    assert!(frames <= 1);
    server.call("q").await;
    copy.until(&mut socket, |data| data["totals"]["waiting"] == 2).await;
    let board = server.board().await;
    copy.follow(&mut socket, number(&board["seq"])).await;
    assert_eq!(copy.data["totals"], board["data"]["totals"], "counts equal the server's");
}

/// A success that changed nothing is a receipt without events: it must not set numbers back.
#[actix_web::test]
async fn numbers_go_on_after_a_receipt_alone_and_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({})).await;
    let ana = server.agent("ana").await;
    ana.ready().await;
    ana.ready().await;
    let (_, last) = server.events_after(0).await;
    server.stop();
    let server = Process::still(dir.path());
    server.call("q").await;
    let (events, _) = server.events_after(0).await;
    let numbers: Vec<_> = events.iter().map(|event| number(&event["seq"])).collect();
    assert!(*numbers.last().unwrap() > last, "{numbers:?}");
    assert!(numbers.iter().zip(1..).all(|(seq, wanted)| *seq == wanted), "{numbers:?}");
}
