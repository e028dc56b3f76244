//! What random lives found wrong once, and what breaking the domain on purpose showed unguarded:
//! rules of ARCHITECTURE.md that no numbered case holds.

use atalaya_domain::agent::{Command as ToAgent, Kind, Wish};
use atalaya_domain::contact::{Choice, Command as ToContact, OUTCOME_GRACE, Who};
use atalaya_domain::decision::Rejection;
use atalaya_domain::entry::Recorded;
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::OnReject;
use atalaya_domain::skills::Profile;
use atalaya_domain::time::{Now, Span};
use atalaya_domain::{Command, EntityId};

use crate::world::{
    World, agent_id, arrival, away, centre, configured, contact_id, key, offer_id, presence,
    profile, queue_id, rejects, rules, second, slug, state, wishes, wrap,
};

/// Contact 1 in its wrap-up with `ana`, since 0, for 30 s.
fn wrapping() -> World {
    let mut world = centre(wrap(30));
    world.has_agent("ana", profile());
    world.arrives(1, "q");
    world.accepts(1);
    world.at(0);
    world.completes(1);
    world
}

#[test]
fn the_longest_waiting_of_all_queues_comes_first() {
    let mut world = centre(|_| ());
    world.has_queue("a", rules());
    world.arrives(1, "q");
    world.at(0);
    world.arrives(2, "a");
    world.has_agent("ana", profile());
    assert_eq!((state(&world, 1), state(&world, 2)), ("offered", "queued"));
}

#[test]
fn nothing_new_is_offered_while_a_wish_is_pending() {
    let mut world = centre(|_| ());
    world.has_agent("ana", Profile { voice: 2, ..profile() });
    world.arrives(1, "q");
    world.accepts(1);
    world.tell_agent("ana", wishes(Wish::SignedOut)).unwrap();
    world.arrives(2, "q");
    assert_eq!((state(&world, 2), presence(&world, "ana")), ("queued", "busy".into()));
}

#[test]
fn an_offer_that_its_agent_cannot_take_leaves_no_trace() {
    let mut world = centre(|_| ());
    world.arrives(1, "q");
    world.tell_agent("ana", configured(profile())).unwrap();
    let said = world.log.len();
    let choice = Choice { candidates: 1, idle_since: second(0), next: vec![] };
    let offer = ToContact::Offer { offer: offer_id(9), agent: agent_id("ana"), choice };
    let refusal = world.tell_contact(1, offer).unwrap_err();
    assert_eq!(refusal.to_string(), "cannot be offered a contact while signed_out");
    assert_eq!((world.log.len(), state(&world, 1)), (said, "queued"));
}

/// Once: heard again, such an agent looked ready and was offered nothing any more.
#[test]
fn a_wish_that_waited_for_an_offer_comes_true_when_its_agent_is_lost() {
    let mut world = centre(|_| ());
    world.has_agent("ana", profile());
    world.arrives(1, "q");
    let after = ToAgent::Presence { wish: away("lunch"), after: true, start: 1 };
    world.tell_agent("ana", after).unwrap();
    assert_eq!(presence(&world, "ana"), "offered");
    world.tell_agent("ana", ToAgent::Lost).unwrap();
    assert_eq!((state(&world, 1), presence(&world, "ana")), ("queued", "lost".into()));
    world.tell_agent("ana", ToAgent::Heard { start: 1 }).unwrap();
    assert_eq!(presence(&world, "ana"), "not_ready(lunch)");
    assert_eq!(world.agent("ana").pending, None);
}

/// Once: the start told all who were signed in, those lost before it again.
#[test]
fn a_start_says_nothing_new_of_a_lost_agent() {
    let mut world = centre(|_| ());
    world.has_agent("ana", profile());
    world.tell_agent("ana", ToAgent::Lost).unwrap();
    let said = world.log.len();
    world.at(0);
    world.tell_agent("ana", ToAgent::Unheard).unwrap();
    assert_eq!(world.log.len(), said);
    assert_eq!(world.agent("ana").presence().state, Kind::Lost);
    assert_eq!(world.agent("ana").presence().since, second(-100));
}

/// A missed offer makes an agent not ready; what they had asked for still comes after the call.
#[test]
fn a_missed_offer_does_not_undo_a_pending_wish() {
    let mut world = centre(wrap(0));
    world.has_agent("ana", Profile { voice: 2, ..profile() });
    world.at(0);
    world.arrives(1, "q");
    world.accepts(1);
    world.arrives(2, "q");
    let after = ToAgent::Presence { wish: Wish::SignedOut, after: true, start: 1 };
    world.tell_agent("ana", after).unwrap();
    world.at(20);
    assert_eq!((state(&world, 2), presence(&world, "ana")), ("queued", "busy".into()));
    assert_eq!(world.agent("ana").pending, Some(Wish::SignedOut));
    world.completes(1);
    assert_eq!(presence(&world, "ana"), "signed_out");
}

#[test]
fn wrap_up_is_extended_once_by_its_agent_and_always_by_a_supervisor() {
    let mut world = wrapping();
    let by_ana = Who::Agent(agent_id("ana"));
    let extend = |by: &Who| ToContact::ExtendWrapUp { by: by.clone(), span: Span::seconds(30) };
    world.tell_contact(1, extend(&by_ana)).unwrap();
    assert_eq!(world.tell_contact(1, extend(&by_ana)), Err(Rejection::ExtendedAlready));
    world.tell_contact(1, extend(&Who::Supervisor)).unwrap();
    world.tell_contact(1, extend(&Who::Supervisor)).unwrap();
    world.at(119);
    assert_eq!(presence(&world, "ana"), "wrap_up");
    world.at(120);
    assert_eq!(presence(&world, "ana"), "ready");
}

#[test]
fn an_outcome_may_be_given_until_five_minutes_after_the_end() {
    let mut world = wrapping();
    let give = |text: &str| {
        let (by, outcome) = (Who::Agent(agent_id("ana")), Some(text.to_owned()));
        ToContact::EndWrapUp { by, outcome, topic: None }
    };
    world.run_until(second(30).plus(OUTCOME_GRACE));
    world.tell_contact(1, give("resuelta")).unwrap();
    world.run_until(world.now.at.plus(Span(1)));
    assert!(world.tell_contact(1, give("tarde")).is_err());
    assert_eq!(world.contact(1).outcome.as_deref(), Some("resuelta"));
}

#[test]
fn priority_is_a_head_start_from_the_arrival() {
    let mut world = centre(wrap(0));
    world.at(0);
    let high = Credit::HeadStart(Span::seconds(300));
    for (at, number, credit) in [
        (0, 1, Credit::HeadStart(Span::ZERO)),
        (299, 2, high),
        (301, 3, high),
        (302, 4, Credit::AlwaysFirst),
        (303, 5, Credit::HeadStart(Span::ZERO)),
    ] {
        world.at(at);
        world.tell_contact(number, arrival("q", credit, number)).unwrap();
    }
    for _ in 0..2 {
        let priority = slug("high");
        let raise = ToContact::Reprioritise { priority, credit: high };
        world.tell_contact(5, raise).unwrap();
        assert_eq!(world.contact(5).order_key, key(3), "from its arrival, however often");
    }
    world.at(400);
    world.has_agent("ana", profile());
    let mut served = vec![];
    while let Some(number) = (1..=5).find(|number| state(&world, *number) == "offered") {
        world.accepts(number);
        world.completes(number);
        served.push(number);
    }
    assert_eq!(served, [4, 2, 1, 3, 5]);
}

/// Once: all that one contact had due came before what another had due earlier.
#[test]
fn an_agent_leads_after_what_its_contacts_had_due_in_its_order() {
    let mut world = centre(|rules| {
        rules.on_reject = OnReject::Ready;
        rules.max_misses = 3;
    });
    world.has_agent("ana", profile());
    world.has_agent("eva", Profile { voice: 2, ..profile() });
    world.at(0);
    world.arrives(1, "q");
    rejects(&mut world, 1);
    world.tell_agent("ana", wishes(away("lunch"))).unwrap();
    world.at(5);
    world.arrives(2, "q");
    let said = world.log.len();
    world.now = Now::live(second(70)); // No tick has come.
    world.tell_agent("eva", wishes(away("lunch"))).unwrap();
    let of_contacts = |told: &&Recorded| matches!(told.entity, EntityId::Contact(_));
    let told =
        world.log[said..].iter().filter(of_contacts).map(|told| (told.event.name(), told.at));
    let due = [("offer_missed", 20), ("offer_missed", 25), ("back_off_ended", 60)];
    assert_eq!(told.collect::<Vec<_>>(), due.map(|(name, at)| (name, second(at))));
}

/// The writer checks what was only read, too: a queue that closes meanwhile, an agent who leaves.
#[test]
fn an_entry_names_the_versions_of_what_it_only_read() {
    let mut world = centre(|_| ());
    world.tell_agent("ana", configured(profile())).unwrap();
    let comes = Command::Contact(arrival("q", Credit::AlwaysFirst, 1));
    let entry = world.submit(&contact_id(1).into(), &comes);
    assert_eq!(entry.versions[&queue_id("q").into()], 1);
    let choice = Choice { candidates: 1, idle_since: second(0), next: vec![] };
    let offer = ToContact::Offer { offer: offer_id(9), agent: agent_id("ana"), choice };
    let entry = world.submit(&contact_id(1).into(), &Command::Contact(offer));
    assert_eq!(entry.versions[&agent_id("ana").into()], 1, "why the answer is no");
    assert!(entry.verdict.is_err() && !entry.touches(&agent_id("ana").into()));
}
