//! A real server is killed under load, again and again: what was acknowledged is there, once.
//!
//! Three rounds; `ATALAYA_LONG=1`: twenty.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use atalaya::demo::client::Client;
use serde_json::{Value, json};

const CLIENTS: usize = 8;
/// Acknowledged contacts after which a round is killed.
const LOAD: usize = 60;

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_atalaya"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        Self { child, url: url.unwrap() }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What the clients of one round know when the server is killed under them.
#[derive(Default)]
struct Told {
    acknowledged: Mutex<Vec<String>>,
    asked: AtomicUsize,
    answered: AtomicUsize,
    over: AtomicBool,
}

async fn call_on(client: Client, round: usize, number: usize, told: Arc<Told>) {
    for call in 0.. {
        if told.over.load(Ordering::Acquire) {
            return;
        }
        let name = format!("r{round}-c{number}-{call}");
        let contact = json!({"channel": "voice", "queue": "pensions", "external_id": name});
        told.asked.fetch_add(1, Ordering::AcqRel);
        match client.post_without_key("/api/v1/contacts", &contact).await {
            Ok(_) => {
                told.acknowledged.lock().unwrap().push(name);
                told.answered.fetch_add(1, Ordering::AcqRel);
            }
            Err(_) => return,
        }
    }
}

async fn all_contacts(client: &Client) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/v1/contacts?limit=500{cursor}")).await.unwrap();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[actix_web::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let rounds = if support::long() { 20 } else { 3 };
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let (mut in_flight, mut asked) = (0, 0);
    for round in 0..=rounds {
        let server = Server::start(dir.path());
        let token = std::fs::read_to_string(dir.path().join("admin.token")).unwrap();
        let client = Client::new(&server.url, token.trim()).unwrap();
        if round == 0 {
            let queue = json!({"name": "Pensions", "requires": {}});
            client.put("/api/v1/queues/pensions", &queue).await.unwrap();
        }
        let kept = all_contacts(&client).await;
        let names: BTreeSet<_> =
            kept.iter().map(|kept| kept["external_id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names.len(), kept.len(), "round {round}: none twice");
        let lost: Vec<_> = acknowledged.difference(&names).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        assert!(names.len() <= asked, "round {round}: more than were asked for");
        let board = client.get("/api/v1/wallboard").await.unwrap();
        assert_eq!(board["data"]["totals"]["waiting"], json!(names.len()), "round {round}");
        if round == rounds {
            server.kill();
            break;
        }
        let told = Arc::new(Told::default());
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                actix_web::rt::spawn(call_on(
                    client.with_token(token.trim()),
                    round,
                    number,
                    told.clone(),
                ))
            })
            .collect();
        support::wait_for_async("load", async || {
            let enough = told.answered.load(Ordering::Acquire) >= LOAD;
            enough.then_some(())
        })
        .await;
        server.kill();
        told.over.store(true, Ordering::Release);
        for client in clients {
            client.await.unwrap();
        }
        let round_asked = told.asked.load(Ordering::Acquire);
        in_flight += usize::from(round_asked > told.answered.load(Ordering::Acquire));
        asked += round_asked;
        acknowledged.extend(told.acknowledged.lock().unwrap().drain(..));
    }
    eprintln!("{rounds} kills, {in_flight} with requests in flight, {} kept", acknowledged.len());
    assert!(in_flight > 0, "no kill came while requests were in flight");
}
