//! What a person who looks after an installation does: limits, tokens, checks, starts and stops.

use std::path::Path;

use atalaya::client::Client;
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::program::{Server, run, text};
use crate::support;

fn folder(config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("c.toml"), config).unwrap();
    dir
}

fn segments(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("data/log")).unwrap().count()
}

#[actix_web::test]
async fn limits_limit() {
    let dir = folder("[limits]\nlog_segment = \"4KiB\"\nmax_body = \"1KiB\"\nmax_sockets = 1\n");
    let server = Server::start(dir.path());
    for number in 0..40 {
        let queue = json!({"name": format!("Queue {number}")});
        server.admin.put(&format!("/api/v1/queues/q{number}"), &queue).await.unwrap();
    }
    assert!(segments(dir.path()) > 1, "the log goes on in another segment");
    let large = json!({"name": "x", "short_name": "x".repeat(1_024)});
    let refused = server.admin.put("/api/v1/queues/q", &large).await.unwrap_err();
    assert_eq!(refused.status(), Some(413));
    let first = server.admin.socket().await.unwrap();
    assert!(server.admin.socket().await.is_err(), "one socket is the most");
    drop(first);
    server.stop();
    let sound = run(dir.path(), &["verify"]);
    assert!(text(&sound.stdout).starts_with("sound: "), "{sound:?}");
}

#[test]
fn a_reserve_that_is_not_free_refuses_to_write() {
    let dir = folder("[limits]\ndisk_reserve = \"1000000GB\"\n");
    let ended = run(dir.path(), &["serve", "--config", "c.toml", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("1000000000000000 are kept in reserve"), "{ended:?}");
}

#[test]
fn plain_http_off_this_machine_wants_a_word() {
    let dir = folder("");
    let ended = run(dir.path(), &["serve", "--config", "c.toml", "--listen", "0.0.0.0:0"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("insecure_http = true"), "{ended:?}");
    assert!(!dir.path().join("data").exists(), "refused before anything is made");
    let dir = folder("[server]\ninsecure_http = true\nlisten = \"0.0.0.0:0\"\n");
    Server::start(dir.path()).stop();
}

#[test]
fn a_missing_file_is_an_error_when_it_was_named() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), &["serve", "--config", "c.toml", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("c.toml: cannot be read"), "{ended:?}");
    let server = Server::with(dir.path(), &[]);
    server.said("no configuration file");
    server.stop();
}

#[actix_web::test]
async fn the_usual_file_is_taken_when_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("config")).unwrap();
    std::fs::copy(
        support::root().join("config/atalaya.toml"),
        dir.path().join("config/atalaya.toml"),
    )
    .unwrap();
    let server = Server::with(dir.path(), &[]);
    let agents = server.admin.get("/api/v1/agents?limit=500").await.unwrap();
    assert_eq!(agents["items"].as_array().unwrap().len(), 164);
    server.stop();
}

#[test]
fn check_config_tells_all_or_one_line() {
    let dir = folder("[[queue]]\nid = \"q\"\n[[agents]]\nid = \"a\"\nteam = \"t\"\n");
    let fine = run(dir.path(), &["check-config", "c.toml"]);
    assert_eq!((fine.status.code(), text(&fine.stderr).as_str()), (Some(0), ""));
    assert!(text(&fine.stdout).contains("1 queues, 1 agents"), "{fine:?}");
    let dir = folder("[[queue]]\nid = \"q\"\nwrap_up = 3\ncolour = 1\n");
    let wrong = run(dir.path(), &["check-config", "c.toml"]);
    let said = text(&wrong.stderr);
    assert_eq!((wrong.status.code(), said.lines().count()), (Some(1), 2), "{said}");
    assert!(said.starts_with("c.toml:3: wrap_up: "), "{said}");
    // A start says it in one line, and where to see the rest.
    let start = run(dir.path(), &["serve", "--config", "c.toml"]);
    assert_eq!(start.status.code(), Some(1));
    let said = text(&start.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("c.toml:3") && said.contains("and 1 more"), "{said}");
}

#[actix_web::test]
async fn a_token_is_made_without_a_server_and_not_beside_one() {
    let dir = tempfile::tempdir().unwrap();
    let new = ["token", "new", "--role", "administrator", "--scope", "act_as"];
    let made = run(dir.path(), &new);
    assert!(made.status.success(), "{made:?}");
    let token = text(&made.stdout).trim().to_owned();
    // The folder is not new any more; its clock may still begin anywhere.
    let start = ["--clock-rate", "0", "--clock-start", "2026-03-02T08:00:00Z"];
    let server = Server::with(dir.path(), &start);
    let admin = Client::new(&server.url, &token).unwrap();
    let tokens = admin.get("/api/v1/tokens").await.unwrap();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1);
    assert_eq!(tokens["items"][0]["scope"], "act_as");
    let ready = admin.get("/health/ready").await.unwrap();
    assert_eq!(ready["clock"]["at"], "2026-03-02T08:00:00Z");

    let refused = run(dir.path(), &new);
    assert_eq!((refused.status.code(), text(&refused.stdout).as_str()), (Some(1), ""));
    let wanted = format!("a server (pid {}) has data; use POST /api/v1/tokens", server.pid());
    assert!(text(&refused.stderr).contains(&wanted), "{refused:?}");
    server.stop();
    assert!(
        run(dir.path(), &["token", "new", "--role", "agent", "--agent", "ana"]).status.success()
    );
}

#[test]
fn wrong_usage_is_2() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["token", "new"][..],
        &["token", "new", "--role", "king"],
        &["token", "new", "--role", "agent"],
        &["token", "new", "--role", "auditor", "--scope", "act_as"],
        &["token", "new", "--role", "auditor", "--agent", "ana"],
        &["verify", "--dat", "x"],
        &["serve", "--listen", "here"],
    ] {
        assert_eq!(run(dir.path(), args).status.code(), Some(2), "{args:?}");
    }
    assert!(!dir.path().join("data").exists(), "nothing is made on the way");
}

#[test]
fn every_command_shows_an_example() {
    let dir = tempfile::tempdir().unwrap();
    for command in
        [&["serve"][..], &["demo"], &["replay"], &["check-config"], &["verify"], &["token", "new"]]
    {
        let shown = run(dir.path(), &[command, &["--help"]].concat());
        assert!(shown.status.success());
        assert!(text(&shown.stdout).contains("Example: atalaya "), "{command:?}");
    }
}

#[test]
fn verify_names_damage_by_segment_and_offset() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = run(dir.path(), &["verify"]);
    assert_eq!(nothing.status.code(), Some(1));
    for _ in 0..3 {
        assert!(run(dir.path(), &["token", "new", "--role", "auditor"]).status.success());
    }
    let sound = run(dir.path(), &["verify"]);
    assert!(text(&sound.stdout).contains("3 batches, last seq 3"), "{sound:?}");
    let segment = dir.path().join("data/log/00000000000000000001.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let damaged = run(dir.path(), &["verify"]);
    assert_eq!(damaged.status.code(), Some(1));
    let said = text(&damaged.stderr);
    assert!(said.contains("segment 1 is damaged at byte"), "{said}");
}

#[actix_web::test]
async fn sigterm_closes_sockets_and_ends_well() {
    let dir = folder("");
    let mut server = Server::start(dir.path());
    let mut socket = server.admin.socket().await.unwrap();
    // The first frame: the session is there.
    socket.next().await.unwrap().unwrap();
    server.signal("-TERM");
    let mut code = None;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(Some(frame)) = message {
            code = Some(frame.code);
        }
    }
    assert_eq!(code, Some(CloseCode::Away));
    assert_eq!(server.ended().code(), Some(0));
    assert!(!server.lines().contains("cut off"), "{}", server.lines());
}

#[actix_web::test]
async fn metrics_are_open_when_the_file_says_so() {
    for (config, open) in [("", false), ("[server]\nmetrics_open = true\n", true)] {
        let dir = folder(config);
        let server = Server::start(dir.path());
        let nobody = Client::new(&server.url, "nobody").unwrap();
        // The text of metrics is no JSON: whoever may read it gets so far.
        let refused = nobody.get("/metrics").await.unwrap_err();
        assert_eq!(refused.status(), (!open).then_some(401), "{config}: {refused}");
        server.stop();
    }
}
