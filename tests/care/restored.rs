//! A centre that was restored elsewhere: it shows what its origin showed at the same number, knows
//! requests again, and tells whoever comes with an old cursor.

use atalaya::journal::MANIFEST_FILE;
use serde_json::json;

use crate::fold::{entries_of, holds};
use crate::house::{Place, board, furnish};
use crate::socket::Socket;
use crate::wire::Wire;

const CALL: &str = "/api/v1/contacts";

/// Calls, talks and abandons, then a quiet centre: nobody is signed in, two callers wait.
async fn live(wire: &mut Wire) -> String {
    furnish(wire, 2).await;
    let mut desk = wire.acting("agent-0");
    let presence = "/api/v1/agents/agent-0/presence";
    desk.post(presence, &json!({"state": "ready"})).await.unwrap().good();
    let call = |queue: &str| json!({"channel": "voice", "queue": queue, "from": "+34600000142"});
    let came = wire.post_once(CALL, &call("served"), "key-1").await.unwrap().good();
    let contact = came["id"].as_str().unwrap().to_owned();
    let path = format!("{CALL}/{contact}");
    let offer = crate::support::wait_for_async("the offer", async || {
        let contact = wire.get(&path).await.unwrap().good();
        contact["offer"]["id"].as_str().map(str::to_owned)
    })
    .await;
    let accept = format!("/api/v1/agents/agent-0/offers/{offer}/accept");
    desk.post(&accept, &json!({})).await.unwrap().good();
    desk.post(&format!("{path}/complete"), &json!({})).await.unwrap().good();
    desk.post(&format!("{path}/wrap_up"), &json!({"outcome": "solved"})).await.unwrap().good();
    desk.post(presence, &json!({"state": "signed_out"})).await.unwrap().good();
    for number in 0..3 {
        let came = wire.post(CALL, &call("unserved")).await.unwrap().good();
        if number == 0 {
            let id = came["id"].as_str().unwrap();
            wire.post(&format!("{CALL}/{id}/abandon"), &json!({})).await.unwrap().good();
        }
    }
    contact
}

#[actix_web::test]
async fn the_same_wallboard_and_receipts_and_a_new_epoch() {
    let place = Place::new("");
    let origin = place.serve("data", &[]);
    let token = place.token();
    let mut wire = origin.wire(&token);
    let contact = live(&mut wire).await;
    let shown = board(&mut wire).await;
    let seq = shown["seq"].as_u64().unwrap();
    let events = wire.get("/api/v1/events?limit=500").await.unwrap().good();
    let history = wire.get(&format!("{CALL}/{contact}/history")).await.unwrap().good();
    place.run(&["backup", "copy", "--data", "data"]).good();
    place.run(&["restore", "copy", "--data", "back"]).good();
    holds(&entries_of(&place.path("back")), &shown);

    // Its clock stands still, so that nothing falls due: only its start is new.
    let back = place.serve("back", &["--clock-rate", "0"]);
    let mut again = back.wire(&token);
    let board_again = board(&mut again).await;
    assert_eq!(board_again["data"], shown["data"], "the same wallboard");
    let later = again.get(&format!("/api/v1/events?after={seq}")).await.unwrap().good();
    let names: Vec<_> = later["items"].as_array().unwrap().iter().map(|e| &e["event"]).collect();
    assert_eq!(names, ["started"], "only its start is new");
    assert_eq!(board_again["seq"], seq + 1);
    let events_again = again.get("/api/v1/events?limit=500").await.unwrap().good();
    let (all, had) =
        (events_again["items"].as_array().unwrap(), events["items"].as_array().unwrap());
    assert_eq!(all[..had.len()], had[..], "the same events under the same numbers");
    let history_again = again.get(&format!("{CALL}/{contact}/history")).await.unwrap().good();
    assert_eq!(history_again["items"], history["items"]);
    assert!(!place.path("back").join("admin.token").exists(), "the tokens that it had hold on");

    let call = json!({"channel": "voice", "queue": "served", "from": "+34600000142"});
    let repeated = again.post_once(CALL, &call, "key-1").await.unwrap();
    assert_eq!((repeated.status, repeated.replay), (201, true), "{repeated:?}");
    assert_eq!(repeated.json["id"], contact.as_str(), "a receipt of the origin");

    let (old, new) = (shown["epoch"].as_str().unwrap(), board_again["epoch"].as_str().unwrap());
    assert_ne!(old, new);
    let gone = again.get(&format!("/api/v1/events?after={seq}&epoch={old}")).await.unwrap();
    assert_eq!(gone.status, 410, "{gone:?}");
    assert_eq!(gone.json["type"], "urn:atalaya:problem:epoch-changed");
    assert_eq!(gone.json["epoch"], new);
    let goes_on = again.get(&format!("/api/v1/events?after={seq}&epoch={new}")).await.unwrap();
    assert_eq!(goes_on.status, 200, "{goes_on:?}");
    resume(&back.url, &token, &mut again, [(old, seq + 1), (new, seq + 1)]).await;
    origin.stop();
    back.stop();
    restored_twice(&place, new);
}

/// With the old epoch a socket gets a snapshot; with the new one it goes on from a number that it
/// had of a socket.
async fn resume(url: &str, token: &str, wire: &mut Wire, [old, new]: [(&str, u64); 2]) {
    let host = url.strip_prefix("http://").unwrap();
    let bearer = format!("Bearer {token}");
    let subscribe = async |(epoch, seq): (&str, u64)| {
        let mut socket = Socket::open(host, &[("Authorization", &bearer)]).await.unwrap();
        assert_eq!(socket.next().await["epoch"], new.0);
        let resume = json!({"epoch": epoch, "seq": seq});
        socket.say(json!({"type": "subscribe", "topic": "wallboard", "resume": resume})).await;
        let frame = socket.next().await;
        (socket, frame)
    };
    let (mut socket, frame) = subscribe(old).await;
    assert_eq!(frame["type"], "snapshot", "{frame}");
    let call = json!({"channel": "voice", "queue": "unserved"});
    wire.post(CALL, &call).await.unwrap().good();
    let mut had = frame;
    while had["seq"] == new.1 {
        had = socket.next().await;
    }
    let (_, frame) = subscribe((new.0, had["seq"].as_u64().unwrap())).await;
    assert_eq!(frame["type"], "delta", "{frame}");
}

/// What was restored is copied and restored as any other.
fn restored_twice(place: &Place, epoch: &str) {
    place.run(&["backup", "copy-2", "--data", "back"]).good();
    assert!(place.path("copy-2").join(MANIFEST_FILE).is_file());
    place.run(&["restore", "copy-2", "--data", "back-2"]).good();
    let sound = place.run(&["verify", "--data", "back-2"]).good();
    let lines: Vec<_> = sound.lines().collect();
    assert_eq!(lines.len(), 3, "{sound}");
    assert!(lines[1].starts_with(&format!("restored: epoch {epoch} from batch ")), "{sound}");
    assert!(!lines[0].contains(epoch) && lines[0].contains("epoch "), "{sound}");
}
