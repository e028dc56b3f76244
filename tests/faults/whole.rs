//! A whole centre under load, in which one agent's actor dies and another's machine cannot apply.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use atalaya::actors::checker;
use atalaya::actors::shell::Failure;
use atalaya_domain::agent::{Kind, Wish};
use atalaya_domain::contact::{self, State as Place};
use atalaya_domain::decision::Rejection;
use atalaya_domain::machine::Command;
use atalaya_domain::queue;
use atalaya_domain::time::Span;
use futures_util::future::{join, join_all};

use super::house::{House, OFFER, START, agent, contact, lunch, queue, slug, wish};
use super::support::wait_for_async;

/// Morning and afternoon shift of the centre that this is for.
const AGENTS: usize = 164;
/// Calls of each line at least, each through its whole life; more while the others fail.
const CALLS: u128 = 30;
/// Of them at one time: fewer than agents, so that all are offered at once.
const LINES: u128 = 20;
/// The first call of the load; those before are the two whose agents fail.
const FIRST: u128 = 100;
/// Who goes on writing while another waits for an answer, and how often at most.
const WRITERS: usize = 4;
const WRITES_MAX: usize = 500;

fn name(number: usize) -> String {
    format!("a{number:03}")
}

/// Every `LINES`th call: comes, is accepted by whom it is offered to, held, and completed. How many.
async fn line(house: Rc<House>, line: u128, goes_on: Rc<Cell<bool>>) -> u128 {
    let mut calls = 0;
    while calls < CALLS || goes_on.get() {
        let number = FIRST + line + calls * LINES;
        house.arrives(number, "q").await;
        let agent = house.accepted(number).await;
        let by = contact::Who::Agent(agent.clone());
        house.tell_contact(number, contact::Command::Hold { by: by.clone() }).await.unwrap();
        house.tell_contact(number, contact::Command::Resume { by }).await.unwrap();
        house.completed(number, &agent).await;
        calls += 1;
    }
    calls
}

/// The actor of `a000` dies with an offer out and more commands in its mailbox; so does that of
/// the contact. Returns the deadline of the offer.
async fn actors_die(house: &House) -> atalaya_domain::time::Timestamp {
    let (offer, _, until) = house.offer(1).await;
    for id in [agent("a000"), contact(1)] {
        house.traps.lane(id, 1);
    }
    let dies = Instant::now();
    let agents = ["x", "y", "z"].map(|_| house.tell_agent("a000", wish(Wish::Ready)));
    let ticks = ["x", "y", "z"].map(|_| house.tell_contact(1, contact::Command::Tick));
    let (agents, ticks) = join(join_all(agents), join_all(ticks)).await;
    for answer in agents.iter().chain(&ticks) {
        assert!(matches!(answer, Err(Failure::Unknown(_))), "{answer:?}");
    }
    assert_eq!((house.centre.guardian().restarts()["agent"]), 1);
    assert_eq!((house.centre.guardian().restarts()["contact"]), 1);
    house.tell_agent("a000", wish(Wish::Ready)).await.unwrap();
    eprintln!("died, and answers again, within {:?}", dies.elapsed());
    house.tell_contact(1, contact::Command::Tick).await.unwrap();
    assert_eq!(house.offer(1).await.0, offer, "its offer stands");
    until
}

/// The machine of `a001`, who is on a call, cannot apply what they ask for.
async fn a_machine_fails(house: &House) {
    house.traps.machine(agent("a001"), "pending_changed");
    house.tell_agent("a001", wish(lunch())).await.unwrap();
    house.is_quarantined(&agent("a001")).await;
    assert_eq!(house.alerts(), ["quarantined:agent:a001"]);
    assert_eq!(house.shown("a001"), "lost");
    assert_eq!(house.centre.guardian().quarantines()["agent"], 1);
    let refused = house.tell_agent("a001", wish(Wish::Ready)).await.unwrap_err();
    assert_eq!(refused, Failure::Rejected(Rejection::Quarantined { entity: agent("a001") }));
}

#[actix::test]
async fn a_crash_of_one_is_not_a_crash_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let house = Rc::new(House::on(dir.path(), Arc::default()));
    house.furnish().await;
    let names: Vec<_> = (0..AGENTS).map(name).collect();
    join_all(names.iter().map(|name| house.has_agent(name))).await;
    house.arrives(1, "q").await;
    assert_eq!(house.offer(1).await.1.as_str(), "a000");
    house.arrives(2, "q").await;
    let failing = house.accepted(2).await;
    assert_eq!(failing.as_str(), "a001");

    let goes_on = Rc::new(Cell::new(true));
    let begin = |n| actix::spawn(line(house.clone(), n, goes_on.clone()));
    let lines: Vec<_> = (0..LINES).map(begin).collect();
    wait_for_async("load", async || {
        matches!(house.contact(FIRST + 2 * LINES).state, Place::Closed { .. }).then_some(())
    })
    .await;
    let until = actors_die(&house).await;
    a_machine_fails(&house).await;
    let (spoken_to, told) = (house.traps.leads(&agent("a001")), house.centre.last_seq());
    wait_for_async("load", async || (house.centre.last_seq() > told + 1_000).then_some(())).await;
    goes_on.set(false);
    let mut calls = Vec::new();
    for (n, line) in (0..).zip(lines) {
        calls.extend((0..line.await.unwrap()).map(|call| FIRST + n + call * LINES));
    }
    for number in calls {
        assert!(matches!(house.contact(number).state, Place::Closed { .. }), "contact {number}");
        assert_eq!(house.offers_of(number).len(), 1, "contact {number}");
    }
    assert_eq!(house.traps.leads(&agent("a001")), spoken_to, "nobody speaks to the frozen one");
    let words = house.events().iter().filter(|event| *event == "system quarantined").count();
    assert_eq!(words, 1);
    let system = house.traps.leads(&atalaya_domain::EntityId::System);
    assert_eq!(system, 1, "it is told once, and there is nothing to try again");
    house.completed(2, &failing).await;
    assert!(matches!(house.contact(2).state, Place::Closed { .. }), "the call is given back");

    assert_eq!(until, START.plus(OFFER));
    house.advance_to(until.minus(Span::millis(1)));
    house.tell_contact(1, contact::Command::Tick).await.unwrap();
    assert_eq!(house.offer(1).await.1.as_str(), "a000", "it stands to its deadline");
    house.advance_to(until);
    wait_for_async("the next", async || (house.offers_of(1).len() == 2).then_some(())).await;
    let next = house.accepted(1).await;
    house.completed(1, &next).await;
    assert_eq!(house.agent("a000").presence().state, Kind::NotReady, "missed, as by anybody");

    let now = std::time::Instant::now();
    checker::look(&house.centre, now);
    house.arrives(3, "q").await;
    let last = house.accepted(3).await;
    house.completed(3, &last).await;
    checker::look(&house.centre, now + checker::IMPOSSIBLE_AFTER);
    let found: Vec<_> =
        house.centre.checker().counts().into_iter().filter(|(_, n)| *n > 0).collect();
    assert_eq!(found, []);
    assert_eq!(
        house.centre.brain().intake.next_pair(),
        None,
        "nobody is beside what they may take"
    );
    let ready = house.centre.wallboard(atalaya::views::Scope::All).1["totals"]["ready"].clone();
    assert_eq!(ready, AGENTS - 2);
    Rc::into_inner(house).unwrap().stop();
}

/// Where the clock stands still a write answers once all that follows from it is done, whatever
/// others begin meanwhile.
#[actix::test]
async fn a_write_is_answered_while_others_go_on() {
    let house = Rc::new(House::new());
    house.furnish().await;
    let names: Vec<_> = (0..WRITERS).map(name).collect();
    join_all(names.iter().map(|name| house.has_agent(name))).await;
    let answered = Rc::new(Cell::new(false));
    let begin = |name| actix::spawn(goes_on_writing(house.clone(), name, answered.clone()));
    let others: Vec<_> = names.into_iter().map(begin).collect();
    let told = house.centre.last_seq();
    wait_for_async("others", async || (told < house.centre.last_seq()).then_some(())).await;
    house.arrives(1, "q").await;
    answered.set(true);
    for writes in join_all(others).await {
        assert!(writes.unwrap() < WRITES_MAX, "it waited until others had ended");
    }
    Rc::into_inner(house).unwrap().stop();
}

/// Writes of the agent's one after the other, until it is answered. How many.
async fn goes_on_writing(house: Rc<House>, name: String, answered: Rc<Cell<bool>>) -> usize {
    let mut writes = 0;
    while writes < WRITES_MAX && !answered.get() {
        let next = if writes % 2 == 0 { lunch() } else { Wish::NotReady(slug("visit")) };
        house.tell_agent(&name, wish(next)).await.unwrap();
        writes += 1;
    }
    writes
}

/// A contact whose offer cannot be applied waits beside agents who are free: it is tried once.
#[actix::test]
async fn the_dispatcher_does_not_spin_on_what_is_frozen() {
    let house = House::new();
    house.furnish().await;
    for name in ["ana", "eva"] {
        house.has_agent(name).await;
    }
    house.traps.machine(agent("ana"), "reserved");
    house.traps.machine(contact(1), "offered");
    house.arrives(1, "q").await;
    for id in [agent("ana"), contact(1)] {
        house.is_quarantined(&id).await;
    }
    house.tell_agent("eva", wish(lunch())).await.unwrap();
    house.arrives(2, "q").await;
    let system = atalaya_domain::EntityId::System;
    let ids = [contact(1), contact(2), agent("ana"), system];
    let leads = || ids.each_ref().map(|id| house.traps.leads(id));
    let (before, seq) = (leads(), house.centre.last_seq());
    // Entries of others, each of which asks for pairs, and turns of whatever tries again.
    for _ in 0..250 {
        for command in [queue::Command::Close { emergency: false, reason: None }, OPEN] {
            house.tell(queue("ca"), Command::Queue(command)).await.unwrap();
        }
        house.centre.brain().retry();
        house.centre.wake_timekeeper();
    }
    assert_eq!(leads(), before, "nothing is tried again");
    assert_eq!(house.centre.last_seq(), seq + 500);
    house.tell_agent("eva", wish(Wish::Ready)).await.unwrap();
    assert_eq!(house.accepted(2).await.as_str(), "eva");
    house.stop();
}

const OPEN: queue::Command = queue::Command::Open { reason: None };
