//! Each kind of what cannot be, made by hand, and found; nothing is found where all is well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atalaya::actors::checker::{Checker, IMPOSSIBLE_AFTER, Kind, impossible};
use atalaya::actors::slots::Published;
use atalaya_domain::agent::{Agent, Facts, Work};
use atalaya_domain::contact::{Contact, Entered, State as Place, Terms};
use atalaya_domain::ids::{ContactId, EntityId, OfferId, PersonId, QueueId};
use atalaya_domain::machine::State;
use atalaya_domain::matching::Intake;
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::OnReject;
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Span, Timestamp};
use uuid::Uuid;

use super::house::{House, START, agent, agent_id, contact, slug};

type States = BTreeMap<EntityId, Published>;

fn published(state: State) -> Published {
    Published { version: 1, state, first_seq: 1, seq: 1, frozen: false, quarantined: None }
}

/// Contact `number`, as it is in `state`.
fn is(states: &mut States, number: u128, state: Place) {
    let terms = Terms {
        offer_timeout: Span::seconds(20),
        wrap_up: None,
        on_reject: OnReject::NotReady,
        max_misses: 1,
        within: None,
        short_abandon: Span::seconds(5),
    };
    let entered = Entered {
        queue: QueueId::new("q").unwrap(),
        priority: slug("normal"),
        order_key: OrderKey { rank: 1, at: START },
        requirement: Requirement::default(),
        external_id: None,
        person: PersonId(Uuid::from_u128(number)),
        terms,
    };
    let state = Contact { entered: Some(Arc::new(entered)), state, ..Contact::default() };
    states.insert(contact(number), published(State::Contact(state)));
}

/// An agent for one call at a time, signed in, with this in hand.
fn has(states: &mut States, name: &str, work: &[(u128, Work)]) {
    let profile = Profile { level: 1, voice: 1, ..Profile::default() };
    let facts = Some(Arc::new(Facts { team: slug("mornings"), profile }));
    let work = work.iter().map(|(number, work)| (id(*number), work.clone())).collect();
    let state = Agent { facts, signed_in: Some(START), work, ..Agent::default() };
    states.insert(agent(name), published(State::Agent(state)));
}

fn id(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(number))
}

fn offer(number: u128) -> OfferId {
    OfferId(Uuid::from_u128(number))
}

fn active(name: &str) -> Place {
    Place::Active { agent: agent_id(name), since: START }
}

fn offered(name: &str) -> Place {
    let expires_at = START.plus(Span::seconds(20));
    Place::Offered { offer: offer(1), agent: agent_id(name), since: START, expires_at }
}

fn reserved() -> Work {
    Work::Offered { offer: offer(1), since: START, until: START.plus(Span::seconds(20)) }
}

const TALKING: Work = Work::Active { since: START };

/// What is found with an intake that has taken in everything but `unknown`.
fn found_but(states: &States, unknown: Option<u128>, now: Timestamp) -> Vec<(Kind, String)> {
    let mut intake = Intake::default();
    for (entity, published) in states {
        match (entity, &published.state) {
            (EntityId::Contact(at), State::Contact(contact)) if unknown.map(id) != Some(*at) => {
                intake.contact(*at, contact, 1);
            }
            (EntityId::Agent(at), State::Agent(agent)) => intake.agent(at, agent),
            _ => (),
        }
    }
    let found = impossible(states.iter(), &intake, now);
    found.into_iter().map(|finding| (finding.kind, finding.entity.to_string())).collect()
}

fn found(states: &States) -> Vec<(Kind, String)> {
    found_but(states, None, START)
}

fn one(kind: Kind, entity: &EntityId) -> Vec<(Kind, String)> {
    vec![(kind, entity.to_string())]
}

#[test]
fn all_is_well() {
    let mut states = States::new();
    is(&mut states, 1, active("ana"));
    is(&mut states, 2, offered("eva"));
    is(&mut states, 3, Place::Queued);
    is(&mut states, 4, Place::Abandoned);
    has(&mut states, "ana", &[(1, TALKING)]);
    has(&mut states, "eva", &[(2, reserved())]);
    assert_eq!(found(&states), []);
}

#[test]
fn two_agents_and_a_leg_without_its_contact() {
    let mut states = States::new();
    is(&mut states, 1, active("ana"));
    has(&mut states, "ana", &[(1, TALKING)]);
    has(&mut states, "eva", &[(1, TALKING)]);
    let both =
        [(Kind::TwoAgents, contact(1).to_string()), (Kind::LegWithoutContact, "agent:eva".into())];
    assert_eq!(found(&states), both);
}

#[test]
fn over_capacity() {
    let mut states = States::new();
    is(&mut states, 1, active("ana"));
    is(&mut states, 2, active("ana"));
    has(&mut states, "ana", &[(1, TALKING), (2, TALKING)]);
    assert_eq!(found(&states), one(Kind::OverCapacity, &agent("ana")));
}

#[test]
fn offers_and_reservations_go_together() {
    let mut states = States::new();
    is(&mut states, 1, offered("ana"));
    has(&mut states, "ana", &[(2, TALKING)]);
    is(&mut states, 2, active("ana"));
    assert_eq!(found(&states), one(Kind::OfferWithoutReservation, &contact(1)));
    is(&mut states, 1, Place::Abandoned);
    has(&mut states, "ana", &[(1, reserved())]);
    is(&mut states, 2, Place::Abandoned);
    assert_eq!(found(&states), one(Kind::ReservationWithoutOffer, &agent("ana")));
}

#[test]
fn legs_and_contacts_go_together() {
    let mut states = States::new();
    is(&mut states, 1, active("ana"));
    has(&mut states, "ana", &[]);
    assert_eq!(found(&states), one(Kind::ContactWithoutLeg, &contact(1)));
    is(&mut states, 1, Place::Closed { agent: agent_id("ana"), since: START });
    has(&mut states, "ana", &[(1, TALKING)]);
    assert_eq!(found(&states), one(Kind::LegWithoutContact, &agent("ana")));
}

#[test]
fn a_free_agent_beside_a_wait_a_deadline_that_passed_and_a_lost_place() {
    let mut states = States::new();
    is(&mut states, 1, Place::Queued);
    has(&mut states, "ana", &[]);
    assert_eq!(found(&states), one(Kind::FreeBesideWaiting, &contact(1)));
    has(&mut states, "ana", &[(1, reserved())]);
    is(&mut states, 1, offered("ana"));
    let late = START.plus(Span::seconds(20));
    assert_eq!(found_but(&states, None, late), one(Kind::DeadlinePassed, &contact(1)));
    assert_eq!(found_but(&states, Some(1), START), one(Kind::NotInIntake, &contact(1)));
}

#[test]
fn what_is_out_of_service_is_let_go() {
    let mut states = States::new();
    is(&mut states, 1, active("ana"));
    is(&mut states, 2, Place::Closed { agent: agent_id("eva"), since: START });
    has(&mut states, "ana", &[]);
    has(&mut states, "eva", &[(2, TALKING)]);
    assert_eq!(found(&states).len(), 2);
    for (entity, frozen) in [(agent("ana"), true), (contact(2), false)] {
        let published = states.get_mut(&entity).unwrap();
        (published.frozen, published.quarantined) = (frozen, Some(START));
    }
    assert_eq!(found(&states), []);
}

#[test]
fn it_counts_after_five_seconds_and_at_two_numbers_once() {
    let mut states = States::new();
    is(&mut states, 1, active("ana"));
    has(&mut states, "ana", &[]);
    let found = impossible(states.iter(), &Intake::default(), START);
    let (checker, start) = (Checker::default(), Instant::now());
    let just_before = IMPOSSIBLE_AFTER.checked_sub(Duration::from_millis(1)).unwrap();
    let look = |after, seq| checker.follow(found.clone(), start + after, seq).len();
    let long = 2 * IMPOSSIBLE_AFTER;
    assert_eq!(look(Duration::ZERO, 7), 0);
    assert_eq!(look(just_before, 8), 0, "not long enough");
    assert_eq!(look(IMPOSSIBLE_AFTER, 7), 0, "the log has not moved");
    assert_eq!(look(IMPOSSIBLE_AFTER, 8), 1);
    assert_eq!(look(long, 9), 0, "once");
    assert_eq!(checker.follow(vec![], start + long, 9), [], "gone");
    assert_eq!(checker.follow(found.clone(), start + long, 9), [], "from the beginning");
    assert_eq!(checker.counts()["contact_without_leg"], 1);
    assert_eq!(checker.counts().values().sum::<u64>(), 1);
    assert_eq!(checker.counts().len(), Kind::ALL.len());
}

#[actix::test]
async fn what_is_found_is_alerted() {
    let house = House::new();
    house.furnish().await;
    let at = Instant::now();
    // A place that is taken from one who waits: only by force, and nobody mends it.
    house.arrives(1, "q").await;
    house.centre.brain().intake.quarantine_contact(id(1));
    atalaya::actors::checker::look(&house.centre, at);
    house.arrives(2, "q").await;
    atalaya::actors::checker::look(&house.centre, at + IMPOSSIBLE_AFTER);
    assert_eq!(house.centre.checker().counts()["not_in_intake"], 1);
    assert_eq!(house.alerts(), ["impossible:not_in_intake"]);
    house.stop();
}
