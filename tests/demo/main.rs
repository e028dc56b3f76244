//! The demo against the server's own HTTP interface, on a port of its own; and the whole program
//! (`day`, `folders`).
//!
//! A gateway of this file stands between the two and cuts sockets off, or has none.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod day;
mod folders;

use std::net::TcpListener as StdListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::Data;
use atalaya::actors::centre::{Centre, Options as CentreOptions};
use atalaya::actors::clock::Clock;
use atalaya::api::{Api, routes, tokens};
use atalaya::client::{Client, ClientError, TRIES_MAX};
use atalaya::demo::centre::Centre as People;
use atalaya::demo::{DemoError, Options, Summary, live};
use atalaya::journal::commit::{Cause, Memory};
use atalaya_domain::time::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the centre's clock stands at first: 2026-03-02, 10:00 in its zone, at work.
const START: Timestamp = Timestamp(1_772_442_000_000_000);
/// Centre seconds a second: an hour in a minute.
const RATE: f64 = 60.0;

/// A centre on a port of its own: its address, an administrator's token.
async fn house() -> (String, String) {
    house_at(RATE).await
}

/// The same, at another rate.
async fn house_at(rate: f64) -> (String, String) {
    let options = CentreOptions {
        commit: Box::new(Memory::default()),
        arbiters: vec![actix::Arbiter::current()],
        clock: Clock::new(START, rate),
        driver: None,
        history: vec![],
        time_zone: jiff::tz::TimeZone::UTC,
    };
    let (centre, _) = Centre::start(options).unwrap();
    let api = Data::new(Api::new(centre, [7; 32], "e1".into()));
    let grant = tokens::grant("administrator", None, Some("act_as")).unwrap();
    let (_, admin, _) = tokens::make(&api, grant, Cause::system()).await.unwrap();
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let server = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    actix_web::rt::spawn(routes::serve(api, listener).unwrap());
    (server, admin)
}

/// What the gateway does with those who open `/ws`.
#[derive(Clone, Copy, PartialEq)]
enum Sockets {
    /// There are none: this status.
    None(u16),
    /// They go to the server; the first [`CUTS`] are cut off after [`CUT_AFTER_BYTES`].
    Cut,
}

const CUTS: u16 = 5;
/// Bytes from the server: past the first snapshot, in the midst of work.
const CUT_AFTER_BYTES: usize = 2_000;
/// Sockets that were opened so far.
static OPENED: AtomicU16 = AtomicU16::new(0);

/// Before `server`: hands on what comes, and has a way with sockets.
async fn gateway(server: &str, sockets: Sockets) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            actix_web::rt::spawn(hand_on(stream, server.clone(), sockets));
        }
    });
    format!("http://{here}")
}

async fn hand_on(mut stream: TcpStream, server: String, sockets: Sockets) {
    let mut head = [0; 7];
    while stream.peek(&mut head).await.is_ok_and(|bytes| (1..head.len()).contains(&bytes)) {}
    let is_socket = &head == b"GET /ws";
    if let Sockets::None(status) = sockets
        && is_socket
    {
        let _ = stream.read(&mut [0; 4096]).await;
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        return;
    }
    let mut behind = TcpStream::connect(server).await.unwrap();
    if !is_socket || OPENED.fetch_add(1, Ordering::SeqCst) >= CUTS {
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
        return;
    }
    let (mut from_client, mut to_client) = stream.split();
    let (mut from_server, mut to_server) = behind.split();
    let up = tokio::io::copy(&mut from_client, &mut to_server);
    let down = async {
        let (mut bytes, mut sent) = ([0; 1024], 0);
        while sent < CUT_AFTER_BYTES {
            let count = from_server.read(&mut bytes).await.unwrap_or(0);
            if count == 0 || to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
            sent += count;
        }
    };
    tokio::select! { _ = up => (), () = down => () }
}

/// One in seven of the centre.
fn people() -> Arc<People> {
    Arc::new(People::part(7).unwrap())
}

fn options(server: String, token: String, seconds: u64) -> Options {
    let run_for = Some(Duration::from_secs(seconds));
    Options { server, token, centre: people(), seed: 1, run_for }
}

#[actix_web::test]
async fn a_centre_lives_and_its_books_are_the_servers() {
    let seconds = if support::long() { 120 } else { 10 };
    let (server, admin) = house().await;
    let front = gateway(&server, Sockets::Cut).await;
    let summary = live(options(front.clone(), admin.clone(), seconds)).await.unwrap();
    eprintln!("{summary}");
    let Summary { callers, answered, abandoned, refused, errors, .. } = summary;
    assert_eq!((errors, summary.engaged), (0, 0), "{summary}");
    assert!(callers > 0 && answered > 0, "{summary}");
    // Who says little is not cut off.
    assert!((1..=u64::from(CUTS)).contains(&summary.reconnects), "{summary}");
    // With each socket that was cut off one answer to an accept may have been lost.
    let unheard = answered.checked_sub(summary.offers_accepted).unwrap();
    assert!(unheard <= u64::from(CUTS), "{summary}");
    assert_eq!(callers, answered + abandoned + refused, "{summary}");
    // The server has all of them and nobody is left in it.
    let client = Client::new(&front, &admin).unwrap();
    let mut states = std::collections::BTreeMap::<String, u64>::new();
    let mut path = "/api/v1/contacts?limit=500".to_owned();
    loop {
        let page = client.get(&path).await.unwrap();
        for contact in page["items"].as_array().unwrap() {
            *states.entry(contact["state"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/contacts?limit=500&cursor={cursor}");
    }
    let count = |state: &str| states.get(state).copied().unwrap_or(0);
    assert_eq!((count("closed"), count("abandoned")), (answered, abandoned), "{states:?}");
    assert_eq!(count("refused"), refused, "{states:?}");
    for person in &people().people {
        let agent = client.get(&format!("/api/v1/agents/{}", person.id)).await.unwrap();
        assert_eq!(agent["state"], "signed_out", "{agent}");
    }
}

#[actix_web::test]
async fn a_second_life_takes_up_what_the_first_left() {
    let (server, admin) = house().await;
    let server = format!("http://{server}");
    let client = Client::new(&server, &admin).unwrap();
    let active = async || {
        let page = client.get("/api/v1/contacts?state=active").await.ok()?;
        page["items"].as_array().filter(|items| items.len() > 3).cloned()
    };
    // Cut off in the midst of talks: no caller hangs up and no agent completes.
    let left = tokio::select! {
        ended = live(options(server.clone(), admin.clone(), 600)) => panic!("{ended:?}"),
        left = support::wait_for_async("talks", active) => left,
    };
    let over = async || {
        for contact in &left {
            let path = format!("/api/v1/contacts/{}", contact["id"].as_str().unwrap());
            let state = client.get(&path).await.ok()?["state"].clone();
            if state != "closed" {
                return None;
            }
        }
        Some(())
    };
    tokio::select! {
        ended = live(options(server.clone(), admin.clone(), 600)) => panic!("{ended:?}"),
        () = support::wait_for_async("the end of the talks", over) => (),
    }
}

#[actix_web::test]
async fn without_sockets_it_says_so() {
    for status in [404, 501] {
        let (server, admin) = house().await;
        let front = gateway(&server, Sockets::None(status)).await;
        let failed = live(options(front, admin, 600)).await.unwrap_err();
        assert!(
            matches!(failed, DemoError::Client(ClientError::NoSocket { status: s, .. }) if s == status),
            "{failed}"
        );
        assert!(failed.to_string().contains("it has no sockets"), "{failed}");
    }
}

#[actix_web::test]
async fn what_cannot_be_is_refused_in_words() {
    let (server, admin) = house().await;
    let told = async |server: &str, token: &str| {
        live(options(server.to_owned(), token.to_owned(), 600)).await.unwrap_err().to_string()
    };
    let (standing, its_admin) = house_at(0.0).await;
    assert!(told(&format!("http://{standing}"), &its_admin).await.contains("a rate above 0"));
    assert!(told("https://x", &admin).await.contains("cannot use `https://x`"));
    let nobody = told(&format!("http://{server}"), "nonsense").await;
    assert!(nobody.contains("cannot GET /api/v1/queues?limit=500: 401"), "{nobody}");
}

/// A server that gives these answers, the last for ever; and the keys of the requests it had.
async fn scripted(answers: &'static [&'static str]) -> (Client, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let keys = Arc::new(Mutex::new(vec![]));
    let had = keys.clone();
    actix_web::rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = String::new();
            while !request.contains("\r\n\r\n{}") {
                let mut bytes = [0; 1024];
                let count = stream.read(&mut bytes).await.unwrap();
                request.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
            let lines = request.lines().map(str::to_lowercase);
            let key =
                lines.filter_map(|line| line.strip_prefix("idempotency-key: ").map(Into::into));
            let number = {
                let mut had = had.lock().unwrap();
                had.extend(key.take(1));
                had.len()
            };
            let answer = answers[number.min(answers.len()) - 1];
            let (headers, body) = answer.split_once('|').unwrap_or((answer, ""));
            let answer = format!("HTTP/1.1 {headers}Connection: close\r\n\r\n{body}");
            // Nothing to say: the connection ends.
            if !answers[number.min(answers.len()) - 1].is_empty() {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (Client::new(&server, "t").unwrap(), keys)
}

const OVERLOAD: &str = "503 Overload\r\nRetry-After: 0\r\nContent-Length: 0\r\n";
const TOO_MANY: &str = "429 Too many\r\nContent-Length: 0\r\n";
const TIMED_OUT: &str = "408 Timed out\r\nContent-Length: 0\r\n";
const CONFLICT: &str = "409 Conflict\r\nContent-Length: 0\r\n";
const IN_FLIGHT: &str = concat!(
    "409 Conflict\r\nContent-Length: 44\r\n|",
    r#"{"type":"urn:atalaya:problem:key-in-flight"}"#
);
const DONE: &str = "204 Done\r\n";

#[actix_web::test]
async fn a_request_is_tried_again_under_its_key() {
    let (client, keys) = scripted(&[OVERLOAD, "", TIMED_OUT, IN_FLIGHT, DONE]).await;
    client.post("/x", &json!({})).await.unwrap();
    {
        let keys = keys.lock().unwrap();
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
    let (client, keys) = scripted(&[TOO_MANY, DONE]).await;
    client.post("/x", &json!({})).await.unwrap();
    assert_eq!(keys.lock().unwrap().len(), 2);
}

#[actix_web::test]
async fn tries_end_and_a_refusal_stands() {
    let (client, keys) = scripted(&[OVERLOAD]).await;
    let failed = client.post("/x", &json!({})).await.unwrap_err();
    assert_eq!(failed.status(), Some(503), "{failed}");
    assert_eq!(keys.lock().unwrap().len(), usize::try_from(TRIES_MAX).unwrap());
    let (client, keys) = scripted(&[CONFLICT, DONE]).await;
    let failed = client.post("/x", &json!({})).await.unwrap_err();
    assert!(failed.is_conflict(), "{failed}");
    assert_eq!(keys.lock().unwrap().len(), 1);
}
