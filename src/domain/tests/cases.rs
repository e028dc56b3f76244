//! The numbered cases that the machines and the matching can show by themselves, each under its
//! number. What needs a process, a wire or a view is not here.

use atalaya_domain::agent::{Command as ToAgent, Wish};
use atalaya_domain::contact::{Command as ToContact, State, Who};
use atalaya_domain::decision::Rejection;
use atalaya_domain::kpi::{Counts, Treatment, service_level};
use atalaya_domain::queue::OnReject;
use atalaya_domain::skills::{Profile, Unfit};
use atalaya_domain::time::Span;

use crate::world::{
    World, agent_id, away, centre, configured, contact_id, just_before, key, offered_to, presence,
    profile, queue_id, rejects, rules, second, slug, state, wishes, wrap,
};

/// Names of the events of one contact.
fn told(world: &World, number: u128) -> Vec<&'static str> {
    let of = contact_id(number).into();
    world.log.iter().filter(|told| told.entity == of).map(|told| told.event.name()).collect()
}

#[test]
fn s01_life_of_an_offer() {
    let mut world = centre(wrap(30));
    world.has_agent("ana", profile());
    world.at(0);
    world.arrives(1, "q");
    assert_eq!((state(&world, 1), presence(&world, "ana")), ("offered", "offered".into()));
    world.at(6);
    world.accepts(1);
    assert_eq!((state(&world, 1), presence(&world, "ana")), ("active", "busy".into()));
    world.at(186);
    world.completes(1);
    assert_eq!((state(&world, 1), presence(&world, "ana")), ("wrap_up", "wrap_up".into()));
    world.at(216);
    assert_eq!((state(&world, 1), presence(&world, "ana")), ("closed", "ready".into()));
    let contact = world.contact(1);
    let instants = [contact.offered_at, contact.answered_at, contact.ended_at, contact.closed_at];
    assert_eq!(instants, [0, 6, 186, 216].map(|at| Some(second(at))));
    assert_eq!(contact.arrived_at, second(0));
    let life = ["queued", "offered", "offer_accepted", "answered", "completed", "wrap_up_ended"];
    assert_eq!(told(&world, 1), life);
    let tally = world.agent("ana").tally;
    assert_eq!((tally.offered, tally.accepted, tally.handled), (1, 1, 1));
}

#[test]
fn s02_reject() {
    let mut world = centre(|_| ());
    world.has_agent("a1", profile());
    world.at(-50);
    world.has_agent("a2", profile());
    world.at(0);
    world.arrives(1, "q");
    assert_eq!(offered_to(&world, 1), "a1");
    world.at(4);
    rejects(&mut world, 1);
    assert_eq!(offered_to(&world, 1), "a2");
    assert_eq!(world.contact(1).offered_at, Some(second(4)));
    assert_eq!(world.contact(1).order_key, key(0));
    assert_eq!(presence(&world, "a1"), "not_ready(rejected_offer)");
    assert_eq!((world.agent("a1").tally.rejected, world.agent("a1").tally.missed), (1, 0));
}

#[test]
fn s02_reject_and_stay_ready() {
    let mut world = centre(|rules| rules.on_reject = OnReject::Ready);
    world.has_agent("a2", profile());
    world.arrives(9, "q");
    world.accepts(9);
    world.has_agent("a1", profile());
    world.at(0);
    world.arrives(1, "q");
    world.at(4);
    rejects(&mut world, 1);
    assert_eq!((state(&world, 1), presence(&world, "a1")), ("queued", "ready".into()));
    assert_eq!(world.contact(1).order_key, key(0));
    let mut alone = world.clone();
    world.at(10);
    world.arrives(2, "q");
    assert_eq!(offered_to(&world, 2), "a1", "only the rejected one is spared");
    world.tell_contact(2, ToContact::Abandon).unwrap();
    world.run_until(just_before(64));
    assert_eq!(state(&world, 1), "queued", "a2 could take it yet");
    world.at(64);
    assert_eq!(offered_to(&world, 1), "a1");
    alone.at(10);
    alone.tell_agent("a2", ToAgent::Lost).unwrap();
    assert_eq!(offered_to(&alone, 1), "a1", "nobody else could take it");
}

#[test]
fn s03_missed() {
    let mut world = centre(|rules| rules.offer_timeout = Span::seconds(15).into());
    world.has_agent("a1", profile());
    world.at(-50);
    world.has_agent("a2", profile());
    world.at(0);
    world.arrives(1, "q");
    world.run_until(just_before(15));
    assert_eq!(offered_to(&world, 1), "a1");
    world.at(15);
    assert_eq!(told(&world, 1), ["queued", "offered", "offer_missed", "offered"]);
    assert_eq!(offered_to(&world, 1), "a2");
    assert_eq!(world.contact(1).offered_at, Some(second(15)));
    assert_eq!(world.contact(1).order_key, key(0));
    assert_eq!(presence(&world, "a1"), "not_ready(missed_offer)");
    assert_eq!(world.agent("a1").tally.missed, 1);
}

#[test]
fn s03_a_late_accept_is_refused_and_the_miss_is_told() {
    let mut world = centre(|_| ());
    world.has_agent("ana", profile());
    world.at(0);
    world.arrives(1, "q");
    let (offer, agent) = world.offer(1);
    world.now = atalaya_domain::time::Now::live(second(20)); // No tick has come.
    let late = world.tell_contact(1, ToContact::Accept { offer, agent });
    assert_eq!(late, Err(Rejection::OfferGone { command: "accept", offer }));
    assert_eq!(told(&world, 1), ["queued", "offered", "offer_missed"]);
    assert_eq!(world.log.last().map(|told| told.at), Some(second(20)));
}

#[test]
fn s04_miss_counter_resets() {
    let mut world = centre(|rules| rules.max_misses = 3);
    world.has_agent("ana", profile());
    world.at(0);
    world.arrives(1, "q");
    world.at(40);
    assert_eq!(world.agent("ana").misses, 2);
    world.accepts(1);
    world.completes(1);
    world.at(100);
    world.arrives(2, "q");
    world.run_until(just_before(160));
    assert_eq!((presence(&world, "ana"), world.agent("ana").misses), ("offered".into(), 2));
    assert_eq!(world.agent("ana").tally.offered, 6);
    world.at(160);
    assert_eq!(presence(&world, "ana"), "not_ready(missed_offer)");
    assert_eq!((world.agent("ana").tally.offered, world.agent("ana").tally.missed), (6, 5));
}

#[test]
fn s05_citizen_leaves_during_an_offer() {
    let mut world = centre(|_| ());
    world.has_agent("ana", profile());
    world.at(0);
    world.arrives(1, "q");
    let (offer, agent) = world.offer(1);
    world.at(3);
    world.tell_contact(1, ToContact::Abandon).unwrap();
    assert_eq!((state(&world, 1), presence(&world, "ana")), ("abandoned", "ready".into()));
    assert_eq!(told(&world, 1), ["queued", "offered", "offer_recalled", "abandoned"]);
    assert_eq!(world.contact(1).ended_at, Some(second(3)));
    let ana = world.agent("ana");
    assert_eq!((ana.misses, ana.tally.missed, ana.tally.rejected), (0, 0, 0));
    assert_eq!(ana.idle_since, second(-100), "it costs the agent nothing");
    let late = world.tell_contact(1, ToContact::Accept { offer, agent });
    assert_eq!(late, Err(Rejection::OfferGone { command: "accept", offer }));
    world.arrives(2, "q");
    assert_eq!(offered_to(&world, 2), "ana");
}

#[test]
fn s07_wrap_up_edge() {
    let mut world = centre(wrap(15));
    world.has_agent("ana", profile());
    world.at(0);
    world.arrives(1, "q");
    world.accepts(1);
    world.arrives(2, "q");
    world.at(200);
    world.completes(1);
    world.run_until(just_before(215));
    assert_eq!((state(&world, 2), presence(&world, "ana")), ("queued", "wrap_up".into()));
    world.at(215);
    assert_eq!(offered_to(&world, 2), "ana");
    assert_eq!(world.contact(2).offered_at, Some(second(215)));
}

#[test]
fn s08_wrap_up_across_queues() {
    let mut world = centre(wrap(10));
    let mut other = rules();
    wrap(50)(&mut other);
    world.has_queue("q2", other);
    world.has_agent("ana", profile());
    world.arrives(1, "q");
    world.accepts(1);
    world.arrives(2, "q2");
    world.at(0);
    world.completes(1);
    world.run_until(just_before(10));
    assert_eq!(state(&world, 2), "queued");
    world.at(10);
    assert_eq!(world.contact(2).offered_at, Some(second(10)));
}

#[test]
fn s10_early_end_of_wrap_up() {
    let mut world = centre(wrap(40));
    world.has_agent("ana", profile());
    world.arrives(1, "q");
    world.accepts(1);
    world.at(0);
    world.completes(1);
    world.at(12);
    let by = Who::Agent(agent_id("ana"));
    let end = ToContact::EndWrapUp { by, outcome: None, topic: None };
    world.tell_contact(1, end).unwrap();
    assert_eq!(presence(&world, "ana"), "ready");
    assert_eq!(world.agent("ana").presence().since, second(12));
    let said = world.log.len();
    world.at(10_000);
    assert_eq!(world.log.len(), said, "the limit does nothing any more");
}

#[test]
fn s10_wrap_up_without_a_limit() {
    let mut world = centre(|rules| rules.wrap_up = None);
    world.has_agent("ana", profile());
    world.arrives(1, "q");
    world.accepts(1);
    world.at(0);
    world.completes(1);
    world.at(10_000);
    assert_eq!(presence(&world, "ana"), "wrap_up");
    assert_eq!(world.agent("ana").presence().since, second(0));
}

#[test]
fn s11_wrap_ends_are_independent() {
    let mut world = centre(wrap(30));
    let names: Vec<_> = (0..10).map(|number| format!("a{number}")).collect();
    for (name, number) in names.iter().zip(1..) {
        world.has_agent(name, profile());
        world.arrives(number, "q");
        world.accepts(number);
    }
    for (at, number) in (60..).zip(1..=10) {
        world.at(at);
        world.completes(number);
    }
    for (at, name) in (90..).zip(&names) {
        world.run_until(just_before(at));
        assert_eq!(presence(&world, name), "wrap_up");
        world.at(at);
        assert_eq!(world.agent(name).presence().since, second(at));
        assert_eq!(presence(&world, name), "ready");
    }
}

#[test]
fn s13_pause_clock() {
    let mut world = centre(|_| ());
    world.at(0);
    world.has_agent("ana", profile());
    for (at, wish) in [(100, away("break")), (160, Wish::Ready), (200, away("break"))] {
        world.at(at);
        world.tell_agent("ana", wishes(wish)).unwrap();
    }
    world.at(230);
    let ana = world.agent("ana");
    let now = world.now.at.since(ana.presence().since);
    assert_eq!((now, ana.tally.not_ready), (Span::seconds(30), Span::seconds(60)));
}

#[test]
fn s14_added_while_paused() {
    let mut world = centre(|_| ());
    (1..=3).for_each(|number| world.arrives(number, "q"));
    world.at(0);
    world.tell_agent("ana", configured(profile())).unwrap();
    world.tell_agent("ana", wishes(away("training"))).unwrap();
    world.at(10_000);
    assert_eq!(world.agent("ana").tally.offered, 0);
    world.tell_agent("ana", wishes(Wish::Ready)).unwrap();
    assert_eq!(offered_to(&world, 1), "ana");
}

fn skilled(languages: &[&str], pensions: Option<u8>) -> Profile {
    Profile {
        languages: languages.iter().map(|language| slug(language)).collect(),
        skills: pensions.map(|level| (slug("pensions"), level)).into_iter().collect(),
        ..profile()
    }
}

#[test]
fn s20_all_that_is_required() {
    let mut world = centre(|rules| {
        rules.requirement.language = Some(slug("es"));
        rules.requirement.skills.insert(slug("pensions"), 5);
    });
    let agents = [
        ("a", skilled(&[], None), Some(Unfit::Skill)),
        ("b", skilled(&["es"], None), Some(Unfit::Skill)),
        ("c", skilled(&["es"], Some(5)), None),
        ("d", skilled(&[], Some(9)), Some(Unfit::Language)),
        ("e", Profile { voice: 0, ..skilled(&["es"], Some(5)) }, Some(Unfit::Capacity)),
    ];
    let requirement = world.queue("q").rules.unwrap().requirement.clone();
    for (name, profile, unfit) in agents {
        assert_eq!(requirement.unfit(&queue_id("q"), &profile), unfit, "{name}");
        world.has_agent(name, profile);
    }
    world.arrives(1, "q");
    assert_eq!(offered_to(&world, 1), "c");
    let (_, _, choice) = world.contact(1).choice.unwrap();
    assert_eq!((choice.candidates, choice.next), (1, vec![]));
    world.arrives(2, "q");
    assert_eq!(state(&world, 2), "queued");
}

#[test]
fn s21_levels() {
    let mut world = centre(|rules| {
        rules.requirement.skills.insert(slug("pensions"), 3);
    });
    for (name, level) in [("two", 2), ("three", 3), ("five", 5)] {
        world.has_agent(name, skilled(&[], Some(level)));
    }
    world.arrives(1, "q");
    let (_, _, choice) = world.contact(1).choice.unwrap();
    assert_eq!((choice.candidates, choice.next), (2, vec![agent_id("three")]));
    assert_eq!(offered_to(&world, 1), "five", "equally long idle: by id");
    world.arrives(2, "q");
    assert_eq!(offered_to(&world, 2), "three");
    world.arrives(3, "q");
    assert_eq!(state(&world, 3), "queued", "level 2 is not enough");
}

#[test]
fn s21_the_longest_idle_before_the_id() {
    let mut world = centre(|_| ());
    world.has_agent("b", profile());
    world.at(-50);
    world.has_agent("a", profile());
    world.arrives(1, "q");
    assert_eq!(offered_to(&world, 1), "b");
}

#[test]
fn s24_least_recently_busy() {
    let mut world = centre(wrap(0));
    world.at(0);
    world.has_agent("a1", profile());
    world.arrives(1, "q");
    world.accepts(1);
    world.at(10);
    world.has_agent("a2", profile());
    world.arrives(2, "q");
    world.accepts(2);
    world.at(50);
    world.completes(2);
    world.at(100);
    world.completes(1);
    world.at(120);
    world.arrives(3, "q");
    assert_eq!(offered_to(&world, 3), "a2");
    world.arrives(4, "q");
    assert_eq!(offered_to(&world, 4), "a1");
}

#[test]
fn s25_burst() {
    let mut world = centre(|_| ());
    world.at(0);
    (1..=5).for_each(|number| world.arrives(number, "q"));
    let names = ["a1", "a2", "a3", "a4", "a5"];
    for name in names {
        world.has_agent(name, profile());
    }
    let mut to: Vec<_> = (1..=5).map(|number| offered_to(&world, number)).collect();
    to.sort_unstable();
    assert_eq!(to, names);
    assert!(names.iter().all(|name| world.agent(name).tally.offered == 1));
}

#[test]
fn s52_accept_by_someone_else() {
    let mut world = centre(|_| ());
    world.has_agent("a", profile());
    world.has_agent("b", profile());
    world.arrives(1, "q");
    let (offer, _) = world.offer(1);
    let agent = agent_id("b");
    let theft = world.tell_contact(1, ToContact::Accept { offer, agent: agent.clone() });
    assert_eq!(theft, Err(Rejection::NotYours { command: "accept", agent }));
    world.accepts(1);
    assert!(matches!(world.contact(1).state, State::Active { agent, .. } if agent.as_str() == "a"));
}

#[test]
fn s77_service_levels() {
    let counts = Counts {
        answered: 8,
        answered_within: 6,
        abandoned: 2,
        abandoned_within: 1,
        short_abandoned: 0,
    };
    let figures = [
        (Treatment::Standard, 6.0 / 10.0),
        (Treatment::AbandonsIgnored, 6.0 / 8.0),
        (Treatment::AbandonsInTimeCount, 7.0 / 10.0),
    ];
    for (treatment, figure) in figures {
        assert_eq!(service_level(&counts, treatment), Some(figure), "{treatment:?}");
        assert_eq!(service_level(&Counts::default(), treatment), None, "{treatment:?}");
    }
    let short = Counts { short_abandoned: 1, ..counts };
    assert_eq!(service_level(&short, Treatment::Standard), Some(6.0 / 9.0));
}

#[test]
fn s88_a_break_does_not_wipe_the_day() {
    let mut world = centre(|rules| {
        wrap(0)(rules);
        rules.max_misses = 3;
    });
    world.has_agent("ana", profile());
    for number in 1..=10 {
        world.arrives(number, "q");
        world.accepts(number);
        world.completes(number);
    }
    world.at(0);
    world.arrives(11, "q");
    world.at(20);
    world.tell_contact(11, ToContact::Abandon).unwrap();
    let day = |world: &World| {
        let ana = world.agent("ana");
        (ana.tally.handled, ana.tally.missed, ana.misses, ana.idle_since)
    };
    let before = day(&world);
    assert_eq!(before, (10, 1, 1, second(20)));
    world.at(100);
    world.tell_agent("ana", wishes(away("break"))).unwrap();
    assert_eq!(day(&world), before);
    world.at(400);
    world.tell_agent("ana", wishes(Wish::Ready)).unwrap();
    for wish in [away("break"), Wish::Ready, away("lunch"), Wish::Ready] {
        world.tell_agent("ana", wishes(wish)).unwrap();
        assert_eq!(day(&world), before);
    }
}
