//! Machines that cannot apply an event: frozen, told, out of dispatch, and nobody is held by them.

use std::sync::Arc;

use atalaya::actors::guardian::APPLY_PANICKED;
use atalaya::actors::shell::Failure;
use atalaya_domain::agent::{Wish, Work};
use atalaya_domain::contact::{self, State as Place, Who};
use atalaya_domain::decision::Rejection;
use atalaya_domain::machine::{Command, Event, State};
use atalaya_domain::quarantine::Standing;
use atalaya_domain::queue::{self, Rules};
use atalaya_domain::system;

use super::house::{House, Traps, agent, contact, lunch, wish};
use super::support::wait_for_async;

#[actix::test]
async fn an_agent_that_is_frozen_on_a_call_gives_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::on(dir.path(), Arc::default());
    house.furnish().await;
    house.has_agent("ana").await;
    house.arrives(1, "q").await;
    let ana = house.accepted(1).await;
    let good = house.agent("ana");
    house.traps.machine(agent("ana"), "pending_changed");
    house.tell_agent("ana", wish(lunch())).await.unwrap();
    house.is_quarantined(&agent("ana")).await;
    let frozen = house.centre.slots.read(&agent("ana"));
    assert_eq!(house.agent("ana"), good, "the last good state");
    assert_eq!(frozen.version, good.version + 1, "the slot has the log's version");
    let events = house.centre.events().unwrap();
    let told = events.iter().find_map(|event| match &event.recorded.event {
        Event::System(system::Event::Quarantined { entity, cause }) => Some((entity, cause)),
        _ => None,
    });
    assert_eq!(told, Some((&agent("ana"), &APPLY_PANICKED.to_owned())));
    assert_eq!(house.alerts(), ["quarantined:agent:ana"]);
    assert_eq!(house.shown("ana"), "lost");
    let refused = house.tell_agent("ana", wish(Wish::Ready)).await.unwrap_err();
    let wanted = Rejection::Quarantined { entity: agent("ana") };
    assert_eq!(refused, Failure::Rejected(wanted));
    house.arrives(2, "q").await;

    house.completed(1, &ana).await;
    assert!(matches!(house.contact(1).state, Place::Closed { .. }));
    assert_eq!(house.agent("ana"), good, "it has no events of its own any more");
    assert_eq!(house.contact(2).state, Place::Queued, "out of dispatch");
    let states = |house: &House| [1, 2].map(|number| house.contact(number));
    let before = states(&house);
    let traps = house.traps.clone();
    house.stop();

    // The same program: frozen at the same event. A mended one: it catches up, and stays out.
    for (traps, standing) in
        [(traps, Standing::Frozen), (Arc::new(Traps::default()), Standing::OutOfService)]
    {
        let house = House::on(dir.path(), traps);
        let published = house.centre.slots.read(&agent("ana"));
        assert_eq!(published.standing(), standing);
        assert!(published.quarantined.is_some());
        assert_eq!(house.agent("ana").pending.is_some(), standing == Standing::OutOfService);
        assert_eq!(states(&house), before);
        assert_eq!(house.alerts(), ["quarantined:agent:ana"]);
        assert_eq!(house.shown("ana"), "lost");
        house.centre.announce_start().await.unwrap();
        assert_eq!(house.centre.brain().intake.next_pair(), None);
        assert_eq!(house.contact(2).state, Place::Queued);
        house.stop();
    }
}

#[actix::test]
async fn a_contact_that_is_frozen_frees_its_agent() {
    let house = House::new();
    house.furnish().await;
    for name in ["ana", "eva"] {
        house.has_agent(name).await;
    }
    house.arrives(1, "q").await;
    let ana = house.accepted(1).await;
    // On the call: it stays until somebody ends it.
    house.traps.machine(contact(1), "held");
    house.tell_contact(1, contact::Command::Hold { by: Who::Agent(ana.clone()) }).await.unwrap();
    house.is_quarantined(&contact(1)).await;
    let work = house.agent("ana").work;
    assert!(matches!(work.values().next(), Some(Work::Active { .. })), "{work:?}");
    let resume = contact::Command::Resume { by: Who::Supervisor };
    let refused = house.tell_contact(1, resume).await.unwrap_err();
    assert_eq!(refused, Failure::Rejected(Rejection::Quarantined { entity: contact(1) }));
    let wrong = contact::Command::Complete { by: Who::Agent(super::house::agent_id("eva")) };
    let refused = house.tell_contact(1, wrong).await.unwrap_err();
    assert!(matches!(refused, Failure::Rejected(Rejection::NotYours { .. })), "{refused}");
    house.completed(1, &ana).await;
    assert!(house.agent("ana").work.is_empty(), "free");

    // While it is offered: the reservation is given back at once.
    house.traps.machine(contact(2), "offered");
    house.arrives(2, "q").await;
    house.is_quarantined(&contact(2)).await;
    assert!(house.agent("eva").work.is_empty() && house.agent("ana").work.is_empty());
    assert_eq!(house.alerts().len(), 2);
    let (_, board, _) = house.centre.wallboard(atalaya::views::Scope::All);
    assert_eq!((&board["totals"]["waiting"], &board["totals"]["active"]), (&0.into(), &0.into()));
    for number in [3, 4] {
        house.arrives(number, "q").await;
        house.accepted(number).await;
    }
    house.stop();
}

/// An event that cannot be applied, and no word of it in the log: the next start says it.
#[actix::test]
async fn a_start_tells_what_an_older_one_could_not() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::on(dir.path(), Arc::default());
    house.furnish().await;
    house.has_agent("ana").await;
    house.stop();
    let traps = Arc::new(Traps::default());
    traps.machine(agent("ana"), "signed_in");
    let house = House::on(dir.path(), traps);
    assert_eq!(house.centre.slots.read(&agent("ana")).standing(), Standing::Frozen);
    wait_for_async("the word", async || {
        house.events().contains(&"system quarantined".to_owned()).then_some(())
    })
    .await;
    assert_eq!(house.alerts(), ["quarantined:agent:ana"]);
    house.stop();
}

#[actix::test]
async fn who_dies_on_the_way_in_keeps_no_place() {
    let house = House::new();
    house.furnish().await;
    let State::Queue(state) = house.centre.slots.read(&super::house::queue("q")).state.clone()
    else {
        panic!("no queue");
    };
    let rules = Rules { max_waiting: Some(1), ..(*state.rules.unwrap()).clone() };
    let configure = queue::Command::Configure { rules: Box::new(rules), text_hash: [0; 16] };
    house.tell(super::house::queue("q"), Command::Queue(configure)).await.unwrap();
    house.traps.machine(contact(1), "queued");
    house.arrives(1, "q").await;
    house.is_quarantined(&contact(1)).await;
    house.traps.lane(contact(2), 1);
    let died = house.comes(2, "q").await;
    assert!(matches!(died, Err(Failure::Unknown(_))), "{died:?}");
    house.arrives(3, "q").await;
    assert_eq!(house.contact(3).state, Place::Queued, "the place is free");
    house.arrives(4, "q").await;
    assert!(matches!(house.contact(4).state, Place::Refused { .. }), "it is not any more");
    house.stop();
}
