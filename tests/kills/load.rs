//! A real server is killed under load, again and again: what was acknowledged is there, once, in
//! its order; nothing is that was not asked for.
//!
//! Three rounds; `ATALAYA_LONG=1`: twenty.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::copies;
use super::ledger::{Books, Clerk, Ledger, repeat};
use super::server::{CONFIG, Server, folder_of, machine_is_shared};
use super::wire::Wire;
use super::{per_second, support};

/// Clients that call on a queue without agents.
const CALLERS: usize = 12;
/// Clients that are agents.
const AGENTS: usize = 6;
/// Acknowledged commands after which a round is killed, at the least; twice these in the long form.
const LOAD: usize = 250;
/// So many more in one round than in the one before, so that no two are killed at the same place.
const MORE: usize = 17;
/// Segments of [`SEGMENT_SIZE`].
const SEGMENT: [&str; 2] = ["--config", CONFIG];
/// Segments under load: some rotations in each round.
const SEGMENT_SIZE: &str = "32KiB";
/// How often who follows the stream reads on.
const FOLLOW_EACH: Duration = Duration::from_millis(100);
/// Commands of each client that are sent again after a kill.
const REPEATED: usize = 12;
/// Commands a second, in the middle one of a long campaign's rounds, under which it says nothing of
/// a load.
const RATE_MIN: u128 = 200;

fn agent(number: usize) -> String {
    format!("agent-{number}")
}

async fn furnish(wire: &mut Wire) {
    for (queue, requires) in [("served", json!({})), ("unserved", json!({"unknown": 10}))] {
        let rules = json!({"name": queue, "requires": requires, "wrap_up": "none",
            "offer_timeout": "60m", "short_abandon": "0s",
            "service_level": {"share": 0.8, "within": "1s"}});
        wire.put(&format!("/api/v1/queues/{queue}"), &rules).await.unwrap().good();
    }
    for number in 0..AGENTS {
        let profile = json!({"name": "Ana", "team": "morning", "level": 1, "skills": {},
            "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
        wire.put(&format!("/api/v1/agents/{}", agent(number)), &profile).await.unwrap().good();
    }
}

/// What a round leaves behind.
struct Round {
    ledgers: Vec<Ledger>,
    followed: Vec<Value>,
    in_flight: usize,
    acknowledged: usize,
    /// Commands a second.
    rate: u128,
}

/// Load, and a kill in the middle of it.
async fn round(server: Server, number: usize) -> Round {
    let wire = server.wire();
    let start = Instant::now();
    let mut clerks = Vec::new();
    for client in 0..CALLERS {
        clerks.push(Clerk::caller(format!("r{number}-c{client}"), wire.another()));
    }
    for desk in 0..AGENTS {
        let name = format!("r{number}-a{desk}");
        clerks.push(Clerk::agent(name, &agent(desk), wire.another()));
    }
    let ledgers: Vec<_> = clerks.iter().map(|clerk| clerk.ledger.clone()).collect();
    let broken = Rc::new(Cell::new(0));
    let tasks: Vec<_> = clerks
        .into_iter()
        .enumerate()
        .map(|(number, mut clerk)| {
            let broken = broken.clone();
            actix_web::rt::spawn(async move {
                let ended =
                    if number < CALLERS { clerk.call_on().await } else { clerk.serve_on().await };
                broken.set(broken.get() + usize::from(ended.is_err()));
            })
        })
        .collect();
    let followed = Rc::new(RefCell::new(Vec::new()));
    let reader = actix_web::rt::spawn(follow(wire.another(), followed.clone()));
    let told = || {
        let lines =
            |ledger: &Ledger| ledger.borrow().iter().filter(|line| line.told.is_some()).count();
        ledgers.iter().map(lines).sum::<usize>()
    };
    let enough = if support::long() { 2 * LOAD } else { LOAD } + MORE * number;
    support::wait_for_async("load", async || (told() >= enough).then_some(())).await;
    let took = start.elapsed();
    let acknowledged = told();
    server.kill();
    for task in tasks {
        task.await.unwrap();
    }
    reader.await.unwrap();
    assert_eq!(broken.get(), CALLERS + AGENTS, "each client ends with the server");
    let open = |ledger: &Ledger| ledger.borrow().iter().filter(|line| line.told.is_none()).count();
    let in_flight = ledgers.iter().map(open).sum();
    let followed = followed.take();
    Round { ledgers, followed, in_flight, acknowledged, rate: per_second(acknowledged, took) }
}

/// Reads the stream of events for as long as the server lives.
async fn follow(mut wire: Wire, shown: Rc<RefCell<Vec<Value>>>) {
    let board = wire.get("/api/v1/wallboard").await;
    let mut after = board.map_or(0, |board| board.json["seq"].as_u64().unwrap());
    let mut pace = actix_web::rt::time::interval(FOLLOW_EACH);
    while let Ok(page) = wire.get(&format!("/api/v1/events?limit=500&after={after}")).await {
        let items = page.good()["items"].as_array().unwrap().clone();
        after += items.len() as u64;
        shown.borrow_mut().extend(items);
        pace.tick().await;
    }
}

#[actix_web::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let rounds = if support::long() { 20 } else { 3 };
    let dir = folder_of(SEGMENT_SIZE);
    let server = Server::start_with(dir.path(), &SEGMENT);
    furnish(&mut server.wire()).await;
    server.kill();
    let mut books = Books::default();
    let (mut killed_busy, mut rates) = (0, Vec::new());
    let (mut repeated, mut found_done) = (0, 0);
    for number in 0..rounds {
        let round = round(Server::start_with(dir.path(), &SEGMENT), number).await;
        let Round { ledgers, followed, in_flight, acknowledged, rate } = round;
        eprintln!("round {number}: {acknowledged} acknowledged, {rate}/s, {in_flight} in flight");
        killed_busy += usize::from(in_flight > 0);
        rates.push(rate);
        books.enter(&ledgers);
        copies::are_equal(dir.path(), &format!("round {number}")).await;
        let server = Server::start_with(dir.path(), &SEGMENT);
        let heard = server.keep_heard((0..AGENTS).map(agent).collect());
        let mut wire = server.wire();
        books.read_on(&mut wire, &followed).await;
        books.hold(&ledgers);
        books.hold_views(&mut wire).await;
        let (again, found) = repeat(&ledgers, &wire, REPEATED).await;
        (repeated, found_done) = (repeated + again, found_done + found);
        books.enter(&ledgers);
        books.read_on(&mut wire, &[]).await;
        books.hold(&ledgers);
        books.hold_views(&mut wire).await;
        drop(heard);
        server.kill();
    }
    let server = Server::start(dir.path());
    let mut anew = Books::default();
    anew.read_on(&mut server.wire(), &books.events).await;
    server.kill();
    let segments = std::fs::read_dir(dir.path().join("log")).unwrap().count();
    assert!(segments > rounds, "{segments} segments only: make them smaller");
    rates.sort_unstable();
    let rate = rates[rates.len() / 2];
    eprintln!(
        "{rounds} kills, {killed_busy} with requests in flight, median {rate} commands/s, {} events \
         in {segments} segments, {repeated} repeated, {found_done} of them unanswered and done",
        books.events.len()
    );
    assert!(killed_busy * 10 >= rounds * 9, "only {killed_busy} kills with requests in flight");
    let enough = rate >= RATE_MIN || machine_is_shared();
    assert!(!support::long() || enough, "only {rate} commands a second");
}
