//! Killed before the N-th sync, and before the N-th write, of the log's first segment, for each N of
//! a script: the server starts again, what was answered is there, at most one step more, none by
//! half.

use std::path::Path;
use std::process::Command;

use atalaya::demo::client::{Client, ClientError};
use serde_json::{Value, json};

use super::server::{ATALAYA, Server};
use super::support;

/// Steps of the script.
const STEPS: usize = 12;
/// Syncs or writes after which the script must have ended by itself.
const CALLS_MAX: usize = 60;
/// Calls that are tried one after the other when the long form is not asked for; then each third.
const CLOSE: usize = 6;

/// The script: each step is answered before the next is asked. Gives the number of answered steps.
async fn script(admin: &Client) -> usize {
    let mut done = 0;
    let _ = walk(admin, &mut done).await;
    done
}

async fn walk(admin: &Client, done: &mut usize) -> Result<(), ClientError> {
    let rules = json!({"name": "Pensions", "requires": {}, "wrap_up": "none"});
    admin.put("/api/v1/queues/pensions", &rules).await?;
    *done += 1;
    let ana = json!({"name": "Ana", "team": "morning", "level": 1, "skills": {},
        "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
    admin.put("/api/v1/agents/ana", &ana).await?;
    *done += 1;
    let grant = json!({"role": "agent", "agent": "ana"});
    let made = admin.post_without_key("/api/v1/tokens", &grant).await?;
    *done += 1;
    let desk = admin.with_token(made["token"].as_str().unwrap());
    desk.post_without_key("/api/v1/agents/ana/presence", &json!({"state": "ready"})).await?;
    *done += 1;
    for _ in 0..2 {
        let call = json!({"channel": "voice", "queue": "pensions"});
        let contact = admin.post_without_key("/api/v1/contacts", &call).await?;
        *done += 1;
        let path = format!("/api/v1/contacts/{}", contact["id"].as_str().unwrap());
        let offer = loop {
            let offer = admin.get(&path).await?["offer"]["id"].as_str().map(str::to_owned);
            if let Some(offer) = offer {
                break offer;
            }
            actix_web::rt::task::yield_now().await;
        };
        let accept = format!("/api/v1/agents/ana/offers/{offer}/accept");
        desk.post_without_key(&accept, &json!({})).await?;
        *done += 1;
        desk.post_without_key(&format!("{path}/complete"), &json!({})).await?;
        *done += 1;
        desk.post_without_key(&format!("{path}/wrap_up"), &json!({"outcome": "done"})).await?;
        *done += 1;
    }
    Ok(())
}

/// Steps of the script that the server shows, told by its state alone; no half of one.
async fn shown(admin: &Client) -> usize {
    let Ok(_) = admin.get("/api/v1/queues/pensions").await else { return 0 };
    let Ok(ana) = admin.get("/api/v1/agents/ana").await else { return 1 };
    let tokens = admin.get("/api/v1/tokens").await.unwrap()["items"].as_array().unwrap().len();
    let contacts = admin.get("/api/v1/contacts").await.unwrap()["items"].clone();
    let contacts = contacts.as_array().unwrap();
    let steps = |contact: &Value| match contact["state"].as_str().unwrap() {
        "queued" | "offered" => 1,
        "active" => 2,
        "wrap_up" => 3,
        "closed" => 4,
        other => panic!("no state of the script: {other}"),
    };
    let held: Vec<_> = ana["work"].as_array().unwrap().iter().map(|work| &work["state"]).collect();
    let states: Vec<_> = contacts.iter().map(|contact| &contact["state"]).collect();
    let in_hand: Vec<_> = states
        .into_iter()
        .filter(|state| matches!(state.as_str(), Some("offered" | "active" | "wrap_up")))
        .collect();
    assert_eq!(held, in_hand, "the agent and the contacts say the same: {ana}");
    let signed_in = usize::from(ana["state"] != "signed_out");
    2 + usize::from(tokens > 1) + signed_in + contacts.iter().map(steps).sum::<usize>()
}

async fn killed_at_each(fault: &str) {
    let mut kills = 0;
    let mut call = 1;
    while call <= CALLS_MAX {
        let dir = tempfile::tempdir().unwrap();
        if !round(dir.path(), fault, call).await {
            eprintln!("{fault}: {kills} kills, the script ended before call {call}");
            assert!(kills > 5, "{fault}: the kills did not fire");
            return;
        }
        kills += 1;
        call += if call < CLOSE || support::long() { 1 } else { 3 };
    }
    panic!("{fault}: the script never ended");
}

/// One script under one fault; says whether the kill fired.
async fn round(dir: &Path, fault: &str, call: usize) -> bool {
    let mut command: Command = support::disk_fault(&format!("{fault}:{call}"), Path::new(ATALAYA));
    command.env("DISKFAULT_PATH", dir.join("log/00000000000000000001.log"));
    let (mut answered, mut fired) = (0, true);
    let first = Server::by(command, dir);
    let token = || std::fs::read_to_string(dir.join("admin.token"));
    if let Some(server) = first {
        let admin = Client::new(&server.url, token().unwrap().trim()).unwrap();
        answered = script(&admin).await;
        fired = answered < STEPS;
        let killed = server.was_killed(dir);
        assert!(killed || !fired, "{fault}:{call}: stopped after {answered} answers by no kill");
    }
    let again = Server::start(dir);
    // However early the first start was killed, nobody is locked out of the folder.
    let admin = Client::new(&again.url, token().unwrap().trim()).unwrap();
    admin.get("/api/v1/tokens").await.unwrap();
    let shown = shown(&admin).await;
    assert!(
        (answered..=answered + 1).contains(&shown),
        "{fault}:{call}: {answered} answered, {shown} shown"
    );
    again.kill();
    fired
}

#[actix_web::test]
async fn at_each_sync() {
    if support::has("at_each_sync", "strace") {
        killed_at_each("kill-at-fsync").await;
    }
}

#[actix_web::test]
async fn at_each_write() {
    if support::has("at_each_write", "strace") {
        killed_at_each("kill-at-write").await;
    }
}
