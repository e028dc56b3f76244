//! The demo against the server's own HTTP interface, on a port of its own.
//!
//! The socket is a gateway of this file: it speaks `/ws` as the contract has it and does each
//! command by its HTTP twin, so that the demo's agents live in a real centre.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::net::TcpListener as StdListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::Data;
use atalaya::actors::centre::{Centre, Options as CentreOptions};
use atalaya::actors::clock::Clock;
use atalaya::api::{Api, routes, tokens};
use atalaya::demo::client::{Client, ClientError, TRIES_MAX};
use atalaya::demo::{DemoError, Options, Summary, centre, live};
use atalaya::journal::commit::{Cause, Memory};
use atalaya_domain::time::Timestamp;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Where the centre's clock stands at first: 2026-03-02, 08:00.
const START: Timestamp = Timestamp(1_772_438_400_000_000);
/// Centre seconds a second: an hour in a minute.
const RATE: f64 = 60.0;

/// A centre on a port of its own: its address, an administrator's token.
async fn house() -> (String, String) {
    let options = CentreOptions {
        commit: Box::new(Memory::default()),
        arbiters: vec![actix::Arbiter::current()],
        clock: Clock::new(START, RATE),
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
    /// They work; the first of each agent breaks at its first command.
    Break(bool),
}

/// Before `server`: hands requests on, and is `/ws` itself.
async fn gateway(server: &str, sockets: Sockets) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            actix_web::rt::spawn(serve(stream, server.clone(), sockets));
        }
    });
    format!("http://{here}")
}

async fn serve(mut stream: TcpStream, server: String, sockets: Sockets) {
    let mut head = [0; 7];
    while stream.peek(&mut head).await.is_ok_and(|bytes| (1..head.len()).contains(&bytes)) {}
    if &head != b"GET /ws" {
        let mut behind = TcpStream::connect(server).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
        return;
    }
    match sockets {
        Sockets::None(status) => {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        Sockets::Break(breaks) => desk(stream, &server, breaks).await,
    }
}

/// Sockets that were opened and broken so far, over all agents of this process.
static BROKEN: AtomicU16 = AtomicU16::new(0);
/// Times that an agent left three pings without an answer.
static MUTE: AtomicU16 = AtomicU16::new(0);
/// As many are broken.
const BREAKS: u16 = 5;

async fn desk(stream: TcpStream, server: &str, breaks: bool) {
    let mut token = String::new();
    #[expect(clippy::result_large_err, reason = "the library's own form")]
    let look = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("sec-websocket-protocol"), "atalaya.v1.json");
        header("authorization").strip_prefix("Bearer ").unwrap().clone_into(&mut token);
        response.headers_mut().insert("sec-websocket-protocol", "atalaya.v1.json".parse().unwrap());
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, look).await.unwrap();
    let client = Client::new(&format!("http://{server}"), &token).unwrap();
    let text = |value: Value| Message::text(value.to_string());
    let welcome = json!({"type": "welcome", "epoch": "e1", "session": "s", "heartbeat": "5s",
        "clock": {"at": "2026-03-02T08:00:00Z", "rate": RATE}, "agent": null});
    if socket.send(text(welcome)).await.is_err() {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_millis(25));
    let mut rung = String::new();
    let mut id = String::new();
    let mut pings = 0;
    loop {
        tokio::select! {
            frame = socket.next() => {
                let Some(Ok(Message::Text(frame))) = frame else { return };
                let frame: Value = serde_json::from_str(&frame).unwrap();
                match frame["type"].as_str().unwrap() {
                    "subscribe" => assert_eq!(frame["topic"], "agent"),
                    "pong" => pings -= 1,
                    "command" => {
                        if breaks && BROKEN.fetch_add(1, Ordering::SeqCst) < BREAKS {
                            return;
                        }
                        if id.is_empty() {
                            id = me(server, &token).await;
                        }
                        let answer = twin(&client, &id, &frame).await;
                        let _ = socket.send(text(answer)).await;
                        // Commands may cross pings; three without a pong may not be.
                        if pings == 3 {
                            MUTE.fetch_add(1, Ordering::SeqCst);
                        }
                        pings += 1;
                        let _ = socket.send(text(json!({"type": "ping"}))).await;
                    }
                    other => panic!("{other} is no message of a client"),
                }
            }
            _ = ticks.tick(), if !id.is_empty() => {
                let Ok(out) = client.get("/api/v1/contacts?state=offered").await else { return };
                let contact = &out["items"][0];
                let offer = contact["offer"]["id"].as_str().unwrap_or_default();
                if offer != rung {
                    rung = offer.to_owned();
                    let frame = if offer.is_empty() {
                        json!({"type": "delta", "topic": "agent", "set": {"/agent": {}}, "remove": []})
                    } else {
                        json!({"type": "offer", "offer": offer, "contact": contact,
                            "expires_at": contact["offer"]["expires_at"], "screen": {}})
                    };
                    let _ = socket.send(text(frame)).await;
                }
            }
        }
    }
}

/// Whose token it is: the only agent whom it lets change its presence.
async fn me(server: &str, token: &str) -> String {
    let client = Client::new(&format!("http://{server}"), token).unwrap();
    for person in &centre::PEOPLE {
        let path = format!("/api/v1/agents/{}/presence", person.id);
        // Nonsense: refused as such for one's own, as forbidden for another's.
        let tried = client.post(&path, &json!({"state": "signed_out", "reason": "x"})).await;
        if tried.unwrap_err().status() != Some(403) {
            return person.id.into();
        }
    }
    panic!("it is nobody's token");
}

/// Does the command by its HTTP twin.
async fn twin(client: &Client, agent: &str, frame: &Value) -> Value {
    let mut args = frame["args"].clone();
    let mut take = |name: &str| {
        let value = args.as_object_mut().unwrap().remove(name);
        value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let command = frame["command"].as_str().unwrap();
    let path = match command {
        "presence" => format!("/api/v1/agents/{agent}/presence"),
        "accept" | "reject" => format!("/api/v1/agents/{agent}/offers/{}/{command}", take("offer")),
        _ => format!("/api/v1/contacts/{}/{command}", take("contact")),
    };
    match client.post(&path, &args).await {
        Ok(entity) => json!({"type": "ack", "id": frame["id"], "entity": entity}),
        Err(ClientError::Refused { status, problem, detail, .. }) => {
            let problem = json!({"type": problem, "status": status, "detail": detail});
            json!({"type": "nack", "id": frame["id"], "problem": problem})
        }
        Err(error) => panic!("{error}"),
    }
}

fn options(server: String, token: String, seconds: u64) -> Options {
    let run_for = Some(Duration::from_secs(seconds));
    Options { server, token, rate: RATE, seed: 1, run_for }
}

#[actix_web::test]
async fn a_centre_lives_and_its_books_are_the_servers() {
    let seconds = if support::long() { 120 } else { 10 };
    let (server, admin) = house().await;
    let front = gateway(&server, Sockets::Break(true)).await;
    let summary = live(options(front.clone(), admin.clone(), seconds)).await.unwrap();
    eprintln!("{summary}");
    let Summary { callers, answered, abandoned, refused, errors, .. } = summary;
    assert_eq!((errors, summary.engaged), (0, 0), "{summary}");
    assert_eq!(MUTE.load(Ordering::SeqCst), 0, "pings had no pong");
    assert!(callers > 0 && answered > 0, "{summary}");
    assert_eq!(summary.reconnects, u64::from(BREAKS), "{summary}");
    assert_eq!(answered, summary.offers_accepted, "{summary}");
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
    for person in &centre::PEOPLE {
        let agent = client.get(&format!("/api/v1/agents/{}", person.id)).await.unwrap();
        assert_eq!(agent["state"], "signed_out", "{agent}");
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
    let told = async |server: &str, token: &str, rate: f64| {
        let options = options(server.to_owned(), token.to_owned(), 600);
        live(Options { rate, ..options }).await.unwrap_err().to_string()
    };
    let here = format!("http://{server}");
    assert!(told(&here, &admin, 0.0).await.contains("a rate above 0"));
    assert!(told("https://x", &admin, 1.0).await.contains("cannot use `https://x`"));
    let nobody = told(&here, "nonsense", 1.0).await;
    assert!(nobody.contains("cannot PUT /api/v1/queues/general: 401"), "{nobody}");
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
            let answer = format!("HTTP/1.1 {answer}Connection: close\r\n\r\n");
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
const CONFLICT: &str = "409 Conflict\r\nContent-Length: 0\r\n";
const DONE: &str = "204 Done\r\n";

#[actix_web::test]
async fn a_request_is_tried_again_under_its_key() {
    let (client, keys) = scripted(&[OVERLOAD, "", TOO_MANY, DONE]).await;
    client.post("/x", &json!({})).await.unwrap();
    let keys = keys.lock().unwrap();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
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
