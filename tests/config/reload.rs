//! A running server and its file: SIGHUP, mistakes, and what others have put.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::Server;

const FILE: &str = "[[queue]]\nid = \"q\"\nname = \"Uno\"\nwrap_up = \"10s\"\n\
                    [[queue]]\nid = \"r\"\n[[agents]]\nid = \"ana\"\nname = \"Ana\"\nteam = \"t\"\n";

fn write(dir: &Path, text: &str) {
    std::fs::write(dir.join("c.toml"), text).unwrap();
}

async fn wrap_up(server: &Server) -> Value {
    server.admin.get("/api/v1/queues/q").await.unwrap()["wrap_up"].clone()
}

#[actix_web::test]
async fn a_changed_text_is_applied_at_sighup_and_an_unchanged_one_leaves_a_put() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE);
    let server = Server::start(dir.path());
    assert_eq!(server.admin.get("/api/v1/agents/ana").await.unwrap()["name"], "Ana");
    let put = json!({"name": "Otro", "wrap_up": "99s"});
    server.admin.put("/api/v1/queues/q", &put).await.unwrap();

    write(dir.path(), &FILE.replace("id = \"r\"", "id = \"r\"\nwrap_up = \"5s\""));
    server.signal("-HUP");
    server.said("reloaded changed=");
    let r = server.admin.get("/api/v1/queues/r").await.unwrap();
    assert_eq!((r["wrap_up"].as_str(), wrap_up(&server).await), (Some("5s"), json!("99s")));
    server.stop();

    // A start is no other than a reload: the PUT stands.
    let server = Server::start(dir.path());
    assert_eq!(wrap_up(&server).await, "99s");
    write(dir.path(), &FILE.replace("10s", "11s"));
    server.signal("-HUP");
    let line = server.said("queue:q");
    assert!(line.contains("99s") && line.contains("Otro"), "names what it replaced: {line}");
    server.said("reloaded changed=");
    assert_eq!(wrap_up(&server).await, "11s");
    let events = server.admin.get("/api/v1/events?after=0&limit=500").await.unwrap();
    let mut by = events["items"].as_array().unwrap().iter().filter(|e| e["entity"] == "queue:q");
    assert_eq!(by.next_back().unwrap()["by"], "system:config");
    server.stop();
}

#[actix_web::test]
async fn a_reload_with_a_mistake_changes_nothing_and_tells_each() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE);
    let server = Server::start(dir.path());
    let before = server.admin.get("/api/v1/events?after=0&limit=500").await.unwrap();
    write(
        dir.path(),
        &FILE.replace("10s", "12s").replace("team", "taem").replace("\"r\"", "\"q\""),
    );
    server.signal("-HUP");
    server.said("not reloaded");
    let lines = server.lines();
    for key in ["key=\"id\"", "key=\"taem\"", "key=\"team\""] {
        assert!(lines.contains(key), "{key}: {lines}");
    }
    let after = server.admin.get("/api/v1/events?after=0&limit=500").await.unwrap();
    assert_eq!(before["items"], after["items"]);
    // And the next one that is right is taken.
    write(dir.path(), &FILE.replace("10s", "13s"));
    server.signal("-HUP");
    server.said("reloaded changed=");
    assert_eq!(wrap_up(&server).await, "13s");
    server.stop();
}

#[actix_web::test]
async fn priorities_of_the_file_hold_at_once() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE);
    let server = Server::start(dir.path());
    let vip = json!({"channel": "voice", "queue": "q", "priority": "vip"});
    let refused = server.admin.post_without_key("/api/v1/contacts", &vip).await.unwrap_err();
    assert_eq!(refused.status(), Some(422));
    write(dir.path(), &format!("[priorities]\nvip = \"1h\"\n{FILE}"));
    server.signal("-HUP");
    server.said("reloaded changed=");
    let made = server.admin.post_without_key("/api/v1/contacts", &vip).await.unwrap();
    assert_eq!(made["priority"], "vip");
    server.stop();
}

/// What only a start can take is told, not taken by half.
#[actix_web::test]
async fn a_changed_limit_waits_for_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FILE);
    let server = Server::start(dir.path());
    write(dir.path(), &format!("[limits]\nmax_sockets = 1\n{FILE}"));
    server.signal("-HUP");
    server.said("hold from the next start on");
    server.stop();
}
