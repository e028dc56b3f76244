//! Explanations: over random lives they add up, agree with the matching, and stand in its order;
//! each rule has its words.

use std::collections::BTreeSet;

use atalaya_domain::agent::{Agent, Command as ToAgent, Wish};
use atalaya_domain::contact::{Command as ToContact, State as ContactState, Who};
use atalaya_domain::explain::{Explanation, Rule, Seen, explain};
use atalaya_domain::ids::{AgentId, ContactId};
use atalaya_domain::queue::OnReject;
use atalaya_domain::skills::Profile;
use atalaya_domain::{EntityId, State};
use expect_test::expect;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::lives::{Life, any_steps};
use crate::world::{
    World, agent_id, away, centre, configured, contact_id, profile, queue_id, rejects, slug, wishes,
};

/// Lives that are explained after each step.
const LIVES: u32 = 60;

fn agents(world: &World) -> Vec<(AgentId, Agent)> {
    let agents = world.states.iter().filter_map(|(id, state)| match (id, state) {
        (EntityId::Agent(id), State::Agent(agent)) => Some((id.clone(), agent.clone())),
        _ => None,
    });
    agents.collect()
}

fn explained(world: &World, id: ContactId) -> Explanation {
    let State::Contact(contact) = world.read(&id.into()) else { panic!("{id} is no contact") };
    let queue = contact.entered.as_ref().map(|entered| entered.queue.clone());
    let waiting = queue.map(|queue| world.intake.order(&queue)).unwrap_or_default();
    let agents = agents(world);
    let seen: Vec<_> = world
        .intake
        .agents()
        .map(|(id, standing)| {
            let (_, agent) = agents.iter().find(|(other, _)| other == id).unwrap();
            Seen { id, agent, standing }
        })
        .collect();
    assert_eq!(seen.len(), agents.len(), "every agent is known");
    explain(id, &contact, &waiting, &seen)
}

/// Who may take a queued contact now, said once more in other words.
fn takers(world: &World, id: ContactId) -> usize {
    let State::Contact(contact) = world.read(&id.into()) else { return 0 };
    let Some(entered) = &contact.entered else { return 0 };
    let fits = |agent: &Agent| {
        let facts = agent.facts.as_ref().unwrap();
        entered.requirement.unfit(&entered.queue, &facts.profile).is_none()
    };
    let here = |agent: &Agent| {
        agent.signed_in.is_some()
            && agent.lost.is_none()
            && agent.unheard.is_none()
            && agent.not_ready.is_none()
    };
    let spared = |id: &AgentId| contact.back_off.contains_key(id);
    let agents = agents(world);
    let others = agents.iter().any(|(id, agent)| here(agent) && fits(agent) && !spared(id));
    let free = |(id, agent): &&(AgentId, Agent)| {
        agent.is_available() && fits(agent) && !(spared(id) && others)
    };
    agents.iter().filter(free).count()
}

#[test]
fn explanations_add_up_over_random_lives() {
    let mut runner = TestRunner::deterministic();
    let (mut told, mut met) = (0_u32, BTreeSet::new());
    for _ in 0..LIVES {
        let mut life = Life::new();
        for step in any_steps().new_tree(&mut runner).unwrap().current() {
            life.step(&step);
            let world = &life.world;
            for (id, state) in &world.states {
                let (EntityId::Contact(id), State::Contact(contact)) = (id, state) else {
                    continue;
                };
                let explanation = explained(world, *id);
                if !contact.is_waiting() {
                    assert_eq!((explanation.order, explanation.rules), (None, vec![]));
                    continue;
                }
                let stops: usize = explanation.rules.iter().map(|stopped| stopped.stops).sum();
                let left = explanation.rules.last().unwrap().left;
                assert_eq!(stops + left, agents(world).len(), "{explanation:?}");
                assert_eq!(left, takers(world, *id), "{explanation:?}");
                assert_eq!(explanation.steps[0].free_agents, left);
                if contact.state == ContactState::Queued {
                    assert_eq!(left, 0, "somebody free waits for somebody who waits");
                }
                let order = world.intake.order(&contact.entered.as_ref().unwrap().queue);
                let explained = explanation.order.unwrap();
                assert_eq!(order[explained.position - 1], *id);
                assert_eq!(explained.ahead, order[..explained.position - 1]);
                assert_eq!(explained.of, order.len());
                let stopped = explanation.rules.iter().filter(|stopped| stopped.stops > 0);
                met.extend(stopped.map(|stopped| stopped.rule.name()));
                told += 1;
            }
        }
    }
    assert!(told > 1_000, "only {told} waited");
    expect![[r#"{"busy", "lost", "not_ready", "offered", "permission", "preferred_wait", "signed_out", "skill", "wrap_up"}"#]]
        .assert_eq(&format!("{met:?}"));
}

#[test]
fn somebody_free_is_left_while_nothing_is_offered() {
    let mut world = centre(|_| ());
    world.whole = false;
    world.arrives(1, "q");
    world.has_agent("ana", profile());
    let explanation = explained(&world, contact_id(1));
    assert_eq!(explanation.rules.last().unwrap().left, 1);
    assert_eq!(explanation.nearest, []);
    let pair = world.intake.next_pair().unwrap();
    world.intake.launch(&pair);
    let explanation = explained(&world, contact_id(1));
    assert_eq!(explanation.rules.last().unwrap().left, 0, "spoken for");
    assert_eq!(explanation.nearest[0].rule, Rule::Offered);
    world.intake.quarantine_agent(&agent_id("ana"));
    let explanation = explained(&world, contact_id(1));
    assert_eq!(explanation.nearest[0].detail, "out of service");
}

fn needs_pensions(rules: &mut atalaya_domain::queue::Rules) {
    rules.requirement.skills.insert(slug("pensions"), 7);
    rules.requirement.language = Some(slug("ca"));
    rules.requirement.levels = Some(BTreeSet::from([2]));
    rules.on_reject = OnReject::Ready;
}

fn fit() -> Profile {
    Profile {
        level: 2,
        voice: 1,
        skills: [(slug("pensions"), 8)].into(),
        languages: BTreeSet::from([slug("ca")]),
        queues: None,
    }
}

#[test]
fn each_rule_stops_whom_it_should_and_says_why() {
    let mut world = centre(needs_pensions);
    world.at(0);
    let mut has = |name: &str, profile: Profile, wish: Option<Wish>| {
        world.tell_agent(name, configured(profile)).unwrap();
        if let Some(wish) = wish {
            world.tell_agent(name, wishes(wish)).unwrap();
        }
    };
    let ready = || Some(Wish::Ready);
    has("01-out", fit(), None);
    has("02-lost", fit(), ready());
    has("03-lunch", fit(), Some(away("lunch")));
    has("07-mail", Profile { voice: 0, ..fit() }, ready());
    has("08-low", Profile { skills: [(slug("pensions"), 4)].into(), ..fit() }, ready());
    has("09-es", Profile { languages: BTreeSet::from([slug("es")]), ..fit() }, ready());
    has("10-one", Profile { level: 1, ..fit() }, ready());
    has("11-other", Profile { queues: Some([queue_id("other")].into()), ..fit() }, ready());
    world.tell_agent("02-lost", ToAgent::Lost).unwrap();
    for (number, name) in [(1, "04-busy"), (2, "05-wrap")] {
        world.arrives(number, "q");
        world.has_agent(name, fit());
        let (offer, agent) = world.offer(number);
        world.tell_contact(number, ToContact::Accept { offer, agent }).unwrap();
    }
    let by = Who::Agent(agent_id("05-wrap"));
    world.tell_contact(2, ToContact::Complete { by }).unwrap();
    world.arrives(3, "q");
    world.has_agent("12-spared", fit());
    world.has_agent("06-ringing", fit());
    rejects(&mut world, 3);
    let lines = |explanation: &Explanation| {
        let rules = explanation.rules.iter();
        let rules = rules.map(|it| format!("{} {} {}\n", it.rule.name(), it.stops, it.left));
        let near = explanation.nearest.iter().map(|near| {
            let (agent, rule) = (&near.agent, near.rule.name());
            format!("{agent} {rule}: {} {:?}\n", near.detail, near.able_at.map(|at| at.0))
        });
        rules.chain(near).collect::<String>()
    };
    expect![[r#"
        signed_out 1 11
        lost 1 10
        not_ready 1 9
        busy 1 8
        wrap_up 1 7
        offered 1 6
        capacity 1 5
        skill 1 4
        language 1 3
        level 1 2
        permission 1 1
        preferred_wait 1 0
        05-wrap wrap_up: in wrap-up Some(30000000)
        12-spared preferred_wait: turned it down; others are asked first Some(60000000)
        06-ringing offered: an offer is out None
        04-busy busy: in conversation None
        03-lunch not_ready: not ready: lunch None
    "#]]
    .assert_eq(&lines(&explained(&world, contact_id(3))));
}
