//! Where each sync takes long, an answer takes as long, those who wait share one, and nobody is
//! shown a fact before its sync: these bounds are what the product promises, in syncs.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use atalaya::demo::client::Client;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::server::{Server, machine_is_shared};
use super::wire::Wire;
use super::{per_second, support};

/// What a sync takes: far over what everything else takes together.
const SYNC: Duration = Duration::from_millis(300);
/// POSTs one after the other.
const ONE_BY_ONE: usize = 20;
/// POSTs at once.
const AT_ONCE: usize = 64;
/// Syncs in which those at once are done: theirs, one that was under way, and as many again for
/// everything else.
const AT_ONCE_SYNCS: u32 = 5;
/// Looks in a second, of each who looks, at least.
const LOOKS_MIN: u128 = 50;
/// Pace at which they look.
const PACE: Duration = Duration::from_millis(8);

/// Contacts seen, and when: by number, whatever the view shows of them.
type Sights = Vec<(Instant, u64)>;

/// Whether the last look showed all.
fn all(sights: &Sights) -> bool {
    sights.last().is_some_and(|(_, seen)| *seen == (ONE_BY_ONE + AT_ONCE) as u64)
}

/// One who looks until all are seen.
struct Poller {
    what: &'static str,
    thread: JoinHandle<(Sights, Duration)>,
}

impl Poller {
    /// `count` reads of an answer how many contacts it shows.
    fn of(what: &'static str, wire: Wire, path: &'static str, count: fn(&str) -> u64) -> Self {
        Self::run(what, async move || {
            let (mut wire, mut sights) = (wire, Sights::new());
            let mut pace = actix_web::rt::time::interval(PACE);
            while !all(&sights) {
                pace.tick().await;
                let answer = wire.get(path).await.unwrap();
                assert_eq!(answer.status, 200, "{answer:?}");
                sights.push((Instant::now(), count(&answer.text)));
            }
            sights
        })
    }

    /// A wallboard's socket: each frame that says how many wait.
    fn socket(client: Client) -> Self {
        Self::run("socket", async move || {
            let mut socket = client.socket().await.unwrap();
            let subscribe = json!({"type": "subscribe", "topic": "wallboard"}).to_string();
            socket.send(Message::text(subscribe)).await.unwrap();
            let mut sights = Sights::new();
            while !all(&sights) {
                let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
                let frame: Value = serde_json::from_str(&text).unwrap();
                let waiting = match frame["type"].as_str() {
                    Some("snapshot") => &frame["data"]["totals"]["waiting"],
                    Some("delta") => &frame["set"]["/totals/waiting"],
                    _ => &Value::Null,
                };
                sights.extend(waiting.as_u64().map(|waiting| (Instant::now(), waiting)));
            }
            sights
        })
    }

    fn run(
        what: &'static str,
        look: impl AsyncFnOnce() -> Sights + std::marker::Send + 'static,
    ) -> Self {
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            let sights = actix_web::rt::System::new().block_on(look());
            (sights, start.elapsed())
        });
        Self { what, thread }
    }

    /// Whether it saw all of `sent`, none of them before a sync had passed since.
    fn judge(self, sent: &[Instant], looks_min: u128) {
        let what = self.what;
        let (sights, took) = self.thread.join().unwrap();
        let looks = per_second(sights.len(), took);
        eprintln!("{what}: {} looks, {looks} a second", sights.len());
        assert!(machine_is_shared() || looks >= looks_min, "{what}: only {looks} looks a second");
        for (at, seen) in sights {
            let durable = sent.iter().filter(|sent| **sent + SYNC <= at).count() as u64;
            assert!(seen <= durable, "{what}: {seen} seen when {durable} could be durable");
        }
    }
}

fn items(text: &str) -> u64 {
    let page: Value = serde_json::from_str(text).unwrap();
    page["items"].as_array().unwrap().len() as u64
}

fn arrivals(text: &str) -> u64 {
    text.matches(r#""event":"queued""#).count() as u64
}

fn waiting(text: &str) -> u64 {
    let board: Value = serde_json::from_str(text).unwrap();
    board["data"]["totals"]["waiting"].as_u64().unwrap()
}

/// All that the counter says, over its labels.
fn offered(text: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with("atalaya_contacts_offered_total"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn pollers(server: &Server) -> Vec<Poller> {
    vec![
        Poller::of("list", server.wire(), "/api/v1/contacts?limit=500", items),
        Poller::of("events", server.wire(), "/api/v1/events?limit=500", arrivals),
        Poller::of("wallboard", server.wire(), "/api/v1/wallboard", waiting),
        Poller::of("metrics", server.wire(), "/metrics", offered),
    ]
}

/// Connects, so that connecting takes none of what is measured.
async fn open(wire: &mut Wire) {
    wire.get("/api/v1/queues/pensions").await.unwrap().good();
}

async fn call(wire: &mut Wire) -> Instant {
    let contact = json!({"channel": "voice", "queue": "pensions"});
    let sent = Instant::now();
    let answer = wire.post("/api/v1/contacts", &contact).await.unwrap();
    let took = sent.elapsed();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(took >= SYNC, "answered after {took:?}, before the sync had ended");
    sent
}

#[actix_web::test]
async fn nothing_is_answered_or_shown_before_its_sync() {
    if !support::has("nothing_is_answered_or_shown_before_its_sync", "strace") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &[]);
    let mut wire = server.wire();
    let rules = json!({"name": "Pensions", "requires": {}});
    wire.put("/api/v1/queues/pensions", &rules).await.unwrap().good();
    let slow = format!("slow-fsync:{}", SYNC.as_millis());
    let tracer = server.under(&slow, &dir.path().join("log/00000000000000000001.log"));
    let pollers = pollers(&server);
    let socket = Poller::socket(Client::new(&server.url, &server.token()).unwrap());
    let mut sent = Vec::new();
    for _ in 0..ONE_BY_ONE {
        sent.push(call(&mut wire).await);
    }
    let mut wires: Vec<_> = (0..AT_ONCE).map(|_| server.wire()).collect();
    join_all(wires.iter_mut().map(open)).await;
    let start = Instant::now();
    sent.extend(join_all(wires.iter_mut().map(call)).await);
    let took = start.elapsed();
    eprintln!("{AT_ONCE} at once took {took:?}, a sync {SYNC:?}");
    assert!(took <= SYNC * AT_ONCE_SYNCS, "{AT_ONCE} at once took {took:?}");
    for poller in pollers {
        poller.judge(&sent, LOOKS_MIN);
    }
    // It looks when it is told: once for each who came one by one, at the least.
    socket.judge(&sent, 1);
    server.kill();
    tracer.join();
}
