//! Killed between commit and answer: asked again with its key, a request has its first outcome.

use std::collections::BTreeMap;
use std::path::Path;

use atalaya::client::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{ATALAYA, Server};
use super::support;

/// Requests with a key of their own that a round asks.
const KEYS: usize = 4;
/// Syncs after which a round must have ended by itself.
const CALLS_MAX: usize = 40;

/// One request on a connection of its own: status, whether it is an outcome given again, body.
/// `None`: no whole answer came.
async fn post(url: &str, token: &str, key: usize) -> Option<(u16, bool, Value)> {
    let host = url.strip_prefix("http://").unwrap();
    let body = json!({"channel": "voice", "queue": "pensions", "external_id": key.to_string()});
    let body = body.to_string();
    let length = body.len();
    let request = format!(
        "POST /api/v1/contacts HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: key-{key}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(host).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let again = head.to_ascii_lowercase().contains("\r\nidempotent-replay: true");
    Some((status, again, serde_json::from_str(body).ok()?))
}

/// What a round came to.
#[derive(Default)]
struct Round {
    fired: bool,
    /// Outcomes that were found though their answer never came.
    found: usize,
}

async fn round(dir: &Path, call: usize) -> Round {
    let mut command = support::disk_fault(&format!("kill-at-fsync:{call}"), Path::new(ATALAYA));
    command.env("DISKFAULT_PATH", dir.join("log/00000000000000000001.log"));
    let token = || std::fs::read_to_string(dir.join("admin.token")).unwrap().trim().to_owned();
    let rules = json!({"name": "Pensions", "requires": {}});
    let (mut answered, mut asked, mut fired) = (BTreeMap::new(), 0, true);
    if let Some(server) = Server::by(command, dir, &[]) {
        let admin = Client::new(&server.url, &token()).unwrap();
        if admin.put("/api/v1/queues/pensions", &rules).await.is_ok() {
            while asked < KEYS {
                asked += 1;
                let Some((status, again, made)) = post(&server.url, &token(), asked).await else {
                    break;
                };
                assert_eq!((status, again), (201, false), "{made}");
                answered.insert(asked, made["id"].clone());
            }
        }
        fired = answered.len() < KEYS;
        if fired {
            server.wait_for_end();
        } else {
            server.kill();
        }
    }
    let server = Server::start(dir);
    let admin = Client::new(&server.url, &token()).unwrap();
    admin.put("/api/v1/queues/pensions", &rules).await.unwrap();
    let mut found = 0;
    for key in 1..=asked {
        let (status, again, made) = post(&server.url, &token(), key).await.unwrap();
        assert_eq!(status, 201, "call {call}, key {key}: {made}");
        match answered.get(&key) {
            Some(first) => assert_eq!((again, &made["id"]), (true, first), "call {call}"),
            None => found += usize::from(again),
        }
    }
    let all = admin.get("/api/v1/contacts").await.unwrap()["items"].clone();
    let all = all.as_array().unwrap().iter().map(|contact| contact["external_id"].clone());
    let wanted: Vec<_> = (1..=asked).map(|key| json!(key.to_string())).collect();
    assert_eq!(all.collect::<Vec<_>>(), wanted, "call {call}: each once");
    server.kill();
    Round { fired, found }
}

#[actix_web::test]
async fn a_request_killed_before_its_answer_has_one_outcome() {
    if !support::has("a_request_killed_before_its_answer_has_one_outcome", "strace") {
        return;
    }
    let mut found = 0;
    for call in 1..=CALLS_MAX {
        let dir = tempfile::tempdir().unwrap();
        let round = round(dir.path(), call).await;
        found += round.found;
        if !round.fired {
            eprintln!("{} kills, {found} outcomes found that nobody had been told", call - 1);
            assert!(found > 0, "no kill came between a commit and its answer");
            return;
        }
    }
    panic!("a round never ended by itself");
}
