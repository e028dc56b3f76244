//! The intake as a dispatcher uses it: what is in flight, was refused, or is out of service.
//!
//! Who gets which contact is in `cases` and, against an oracle, in `lives`.

use atalaya_domain::agent::Wish;
use atalaya_domain::contact::Command as ToContact;
use atalaya_domain::matching::Intake;
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::Command as ToQueue;
use atalaya_domain::time::Span;

use crate::world::{
    World, agent_id, arrival, away, centre, configured, contact_id, profile, queue_id, wishes,
};

/// Contacts 1 and 2 wait for `ana`, who is ready; nothing is offered yet.
fn intake() -> (World, Intake) {
    let mut world = centre(|_| ());
    world.whole = false;
    world.arrives(1, "q");
    world.at(0);
    world.arrives(2, "q");
    world.has_agent("ana", profile());
    let intake = world.intake.clone();
    (world, intake)
}

fn next(intake: &Intake) -> Option<(u128, String)> {
    intake.next_pair().map(|pair| (pair.contact.0.as_u128(), pair.agent.to_string()))
}

#[test]
fn what_is_in_flight_is_in_no_other_pair() {
    let (mut world, mut intake) = intake();
    let pair = intake.next_pair().unwrap();
    assert_eq!(next(&intake), Some((1, "ana".into())));
    intake.launch(&pair);
    assert_eq!(next(&intake), None, "ana is spoken for");
    world.has_agent("eva", profile());
    intake.agent(&agent_id("eva"), &world.agent("eva"));
    assert_eq!(next(&intake), Some((2, "eva".into())));
    intake.land(pair.contact, &pair.agent, false);
    assert_eq!(next(&intake), Some((1, "ana".into())));
}

#[test]
fn a_refused_pair_waits_until_one_of_the_two_changes() {
    let (world, mut intake) = intake();
    let pair = intake.next_pair().unwrap();
    intake.launch(&pair);
    intake.land(pair.contact, &pair.agent, true);
    assert!(intake.has_refused());
    assert_eq!(next(&intake), Some((2, "ana".into())), "only the pair was refused");
    let mut by_agent = intake.clone();
    by_agent.agent(&agent_id("ana"), &world.agent("ana"));
    assert_eq!((next(&by_agent), by_agent.has_refused()), (Some((1, "ana".into())), false));
    let mut by_contact = intake.clone();
    by_contact.contact(contact_id(1), &world.contact(1), 99);
    assert_eq!(next(&by_contact), Some((1, "ana".into())));
    intake.retry_refused();
    assert_eq!((next(&intake), intake.has_refused()), (Some((1, "ana".into())), false));
}

#[test]
fn what_is_out_of_service_is_not_offered_whatever_it_says() {
    let (world, mut intake) = intake();
    intake.quarantine_contact(contact_id(1));
    intake.contact(contact_id(1), &world.contact(1), 99);
    assert_eq!(next(&intake), Some((2, "ana".into())));
    intake.quarantine_agent(&agent_id("ana"));
    intake.agent(&agent_id("ana"), &world.agent("ana"));
    assert_eq!(next(&intake), None);
}

#[test]
fn order_and_number_of_those_who_wait_count_the_offered_ones() {
    let (mut world, _) = intake();
    let (q, high) = (queue_id("q"), Credit::HeadStart(Span::seconds(300)));
    world.tell_contact(3, arrival("q", high, 3)).unwrap();
    world.whole = true;
    world.tell_agent("eva", configured(profile())).unwrap();
    world.tell_agent("eva", wishes(Wish::Ready)).unwrap();
    let order = |world: &World| {
        let order = world.intake.order(&q);
        order.iter().map(|id| id.0.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!((order(&world), world.intake.waiting_in(&q)), (vec![3, 1, 2], 3));
    let places = |world: &World| [1, 2, 3].map(|id| world.intake.position(contact_id(id)));
    assert_eq!(places(&world), [Some(2), Some(3), Some(1)]);
    world.offer(3);
    assert_eq!(places(&world), [Some(2), Some(3), Some(1)]);
    world.tell_contact(3, ToContact::Abandon).unwrap();
    assert_eq!((order(&world), world.intake.waiting_in(&q)), (vec![1, 2], 2));
    assert_eq!(places(&world), [Some(1), Some(2), None]);
}

#[test]
fn an_emergency_sends_away_in_the_order_of_service_and_spares_the_offered() {
    let (mut world, _) = intake();
    world.whole = true;
    world.tell_agent("ana", wishes(Wish::Ready)).unwrap();
    assert_eq!(world.offer(1).1, agent_id("ana"));
    world.whole = false;
    world.arrives(3, "q");
    world.tell_queue("q", ToQueue::Close { emergency: true, reason: None }).unwrap();
    assert_eq!(world.intake.next_refusal(), Some(contact_id(2)));
    world.intake.launch_refusal(contact_id(2));
    assert_eq!(world.intake.next_refusal(), Some(contact_id(3)));
    world.intake.land_refusal(contact_id(2));
    world.whole = true;
    world.tell_agent("ana", wishes(away("lunch"))).unwrap();
    let states = [1, 2, 3].map(|number| world.contact(number).state.name());
    assert_eq!(states, ["refused"; 3], "turned down by ana, contact 1 waits and is sent away too");
}
