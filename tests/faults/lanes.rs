//! Actors that die: started anew, with everything as it was, up to a budget.

use atalaya::actors::brain::{Flight, Origin};
use atalaya::actors::guardian::{BUDGET_SPENT, DEATHS_MAX};
use atalaya::actors::shell::Failure;
use atalaya_domain::agent::{self, Kind, Wish};
use atalaya_domain::contact::{self, Choice, State as Place};
use atalaya_domain::decision::Rejection;
use atalaya_domain::ids::{AgentId, ContactId, OfferId, QueueId};
use atalaya_domain::machine::Command;
use atalaya_domain::matching::Pair;
use atalaya_domain::queue;
use atalaya_domain::time::{Now, Span};
use futures_util::future::join;
use uuid::Uuid;

use super::house::{House, OFFER, START, agent, contact, lunch, queue, wish};
use super::support::wait_for_async;

fn unknown(answer: &Result<(), Failure>) -> bool {
    matches!(answer, Err(Failure::Unknown(_)))
}

#[actix::test]
async fn s53_queue_actor_dies() {
    let house = House::new();
    house.furnish().await;
    for (number, name) in [(1, "q"), (2, "ca"), (3, "q"), (4, "ca")] {
        house.arrives(number, name).await;
    }
    let order = || {
        let brain = house.centre.brain();
        let order = |name| brain.intake.order(&QueueId::new(name).unwrap());
        (order("q"), order("ca"))
    };
    let states = || [1, 2, 3, 4].map(|number| house.contact(number));
    let (before, states_before) = (order(), states());
    for name in ["q", "ca"] {
        house.traps.lane(queue(name), 1);
        let close = Command::Queue(queue::Command::Close { emergency: false, reason: None });
        let (first, second) =
            join(house.tell(queue(name), close.clone()), house.tell(queue(name), close)).await;
        assert!(unknown(&first) && unknown(&second), "{first:?} {second:?}");
    }
    assert_eq!(house.centre.guardian().restarts()["queue"], 2);
    assert_eq!((order(), states()), (before, states_before), "order, classes, keys, all of it");
    let open = Command::Queue(queue::Command::Open { reason: None });
    house.tell(queue("q"), open).await.unwrap();
    for (name, number) in [("ana", 1), ("eva", 2), ("luz", 3), ("pau", 4)] {
        house.has_agent(name).await;
        assert_eq!(house.accepted(number).await.as_str(), name, "in the order of arrival");
    }
    for number in 1..=4 {
        assert_eq!(house.offers_of(number).len(), 1, "contact {number} is offered once");
    }
    house.stop();
}

#[actix::test]
async fn s55_agents_actor_dies() {
    let house = House::new();
    house.furnish().await;
    house.has_agent("ana").await;
    house.arrives(1, "q").await;
    assert_eq!(house.accepted(1).await.as_str(), "ana");
    house.has_agent("eva").await;
    house.arrives(2, "q").await;
    let (offer, _, until) = house.offer(2).await;
    let before = (house.agent("ana"), house.agent("eva"), house.contact(1), house.contact(2));
    let seq = house.centre.last_seq();
    for name in ["ana", "eva"] {
        house.traps.lane(agent(name), 1);
        let [first, second] = [wish(lunch()), wish(Wish::Ready)];
        let (first, second) =
            join(house.tell_agent(name, first), house.tell_agent(name, second)).await;
        assert!(unknown(&first) && unknown(&second), "{first:?} {second:?}");
    }
    assert_eq!(house.centre.guardian().restarts()["agent"], 2);
    for name in ["ana", "eva"] {
        assert!(house.centre.is_alive(&agent(name)), "at once, before anybody speaks to it");
    }
    let after = (house.agent("ana"), house.agent("eva"), house.contact(1), house.contact(2));
    assert_eq!((after, house.centre.last_seq()), (before, seq), "nobody else notices");
    house.tell_agent("ana", wish(lunch())).await.unwrap();
    assert_eq!(house.agent("ana").pending, Some(lunch()), "it is back");

    assert_eq!(until, START.plus(OFFER));
    house.advance_to(until.minus(Span::millis(1)));
    house.tell_agent("ana", wish(Wish::Ready)).await.unwrap();
    assert_eq!(house.offer(2).await.0, offer, "the offer stands to its deadline");
    house.advance_to(until);
    wait_for_async("the miss", async || (house.contact(2).state == Place::Queued).then_some(()))
        .await;
    assert_eq!(house.agent("eva").presence().state, Kind::NotReady);
    house.stop();
}

#[actix::test]
async fn s55_restart_budget_is_spent() {
    let house = House::new();
    house.furnish().await;
    for name in ["ana", "eva"] {
        house.has_agent(name).await;
    }
    for number in [1, 2] {
        house.arrives(number, "q").await;
    }
    let ana = house.accepted(1).await;
    assert_eq!((ana.as_str(), house.offer(2).await.1.as_str()), ("ana", "eva"));
    for name in ["ana", "eva"] {
        house.traps.lane(agent(name), DEATHS_MAX);
        for _ in 0..DEATHS_MAX {
            assert!(unknown(&house.tell_agent(name, wish(Wish::Ready)).await));
        }
        house.is_quarantined(&agent(name)).await;
        assert_eq!(house.shown(name), "lost");
    }
    assert_eq!(house.alerts(), ["quarantined:agent:ana", "quarantined:agent:eva"]);
    assert_eq!(house.centre.guardian().restarts()["agent"], 4);
    assert_eq!(house.centre.guardian().quarantines()["agent"], 2);
    assert!(matches!(house.contact(1).state, Place::Active { .. }), "a voice contact stays");
    assert_eq!(house.contact(2).state, Place::Queued, "an offer is given back");

    let refused = house.tell_agent("eva", wish(Wish::Ready)).await.unwrap_err();
    let wanted = Rejection::Quarantined { entity: agent("eva") };
    assert_eq!(refused, Failure::Rejected(wanted), "nothing more is taken");
    house.completed(1, &ana).await;
    assert!(matches!(house.contact(1).state, Place::Closed { .. }), "a call is given back");
    let force = agent::Command::Force { wish: Wish::SignedOut, session: false };
    house.tell_agent("ana", force).await.unwrap();
    assert_eq!(house.agent("ana").signed_in, None, "a supervisor closes it");
    house.has_agent("luz").await;
    assert_eq!(house.accepted(2).await.as_str(), "luz", "it is offered to the others");
    let cause = house.centre.wallboard(atalaya::views::Scope::All).1;
    assert!(cause["alerts"][0]["text"].as_str().unwrap().contains(BUDGET_SPENT));
    house.stop();
}

/// An offer that dies in a mailbox, never having been looked at, leaves its pair free.
#[actix::test]
async fn an_offer_in_a_dead_mailbox_frees_its_pair() {
    let house = House::new();
    house.furnish().await;
    house.has_agent("ana").await;
    house.tell_agent("ana", wish(lunch())).await.unwrap();
    house.arrives(1, "q").await;
    house.traps.lane(contact(1), 1);
    let ana = AgentId::new("ana").unwrap();
    let id = ContactId(Uuid::from_u128(1));
    let choice = Choice { candidates: 1, idle_since: START, next: vec![] };
    let pair = Pair { contact: id, agent: ana.clone(), choice: choice.clone() };
    let pass = async {
        house.centre.brain().intake.launch(&pair);
        let offer = OfferId(Uuid::from_u128(7));
        let offer = contact::Command::Offer { offer, agent: ana.clone(), choice };
        let (to, command) = (contact(1), Command::Contact(offer));
        let flight = Flight::Offer(id, ana.clone());
        let origin = Origin { now: Now::live(START), to, command, flight };
        house.centre.pass(origin, house.centre.token());
        // A tick too: its deadline stays armed, and nothing waits for it.
        let (to, command) = (contact(1), Command::Contact(contact::Command::Tick));
        let tick = Origin { now: Now::live(START), to, command, flight: Flight::Nothing };
        house.centre.pass(tick, house.centre.token());
    };
    let (first, ()) = join(house.tell_contact(1, contact::Command::Abandon), pass).await;
    assert!(unknown(&first), "{first:?}");
    assert_eq!(house.traps.leads(&contact(1)), 2, "the arrival, and what it died of");
    house.tell_agent("ana", wish(Wish::Ready)).await.unwrap();
    assert_eq!(house.offer(1).await.1, ana, "the pair is free again");
    house.stop();
}
