//! Random lives of three agents, four contacts at a time and two queues: `rules` holds after each
//! entry, and the log alone gives the same states again.
//!
//! `PROPTEST_CASES` sets how many lives (256 by default). Commands that only a machine sends to
//! another (reserve, release, wrap, end leg, withdraw) are not led here: they come with the others.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::agent::{Command as ToAgent, Wish};
use atalaya_domain::contact::{Choice, Command as ToContact, State as ContactState, Who};
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::{Command as ToQueue, OnReject, Rules};
use atalaya_domain::skills::Profile;
use atalaya_domain::time::{Now, Span};
use atalaya_domain::{Command, EntityId, State, system};
use expect_test::expect;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::world::{
    World, agent_id, arrival, away, configured, contact_id, offer_id, queue_id, rules, slug, wishes,
};

const AGENTS: [&str; 3] = ["ana", "eva", "luz"];
const QUEUES: [&str; 2] = ["general", "pensions"];
const CONTACTS: usize = 4;
/// Offers that the matcher did not make are numbered from here.
const OWN_OFFERS: u128 = 1_000_000;
/// Most steps of a life.
const STEPS_MAX: usize = 120;

/// What somebody does; names and numbers are looked up when it is done.
#[derive(Debug, Clone)]
enum Do {
    Agent(usize, ToAgent),
    Skill(usize, u8),
    Start,
    Arrive {
        slot: usize,
        queue: usize,
        credit: i64,
        full: bool,
    },
    /// The agent who has the offer or leg, or somebody else, answers with this; `aimed`: on a
    /// contact where it makes sense, if there is one.
    Contact {
        slot: usize,
        answer: Answer,
        by: By,
        aimed: bool,
    },
    /// To this agent, fit or not, free or not.
    Offer(usize, usize),
    Abandon(usize),
    Refuse(usize),
    Reprioritise(usize, i64),
    Tick(usize),
    Queue(usize, ToQueue),
    Rules(usize, OnReject),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Accept,
    AcceptOld,
    Reject,
    Hold,
    Resume,
    Complete,
    EndWrapUp,
    GiveTopic,
    Extend,
}

#[derive(Debug, Clone, Copy)]
enum By {
    Owner,
    Other,
    Supervisor,
}

/// Something done, so many milliseconds after the last; `late`: deadlines have not been looked at.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    gap_ms: i64,
    late: bool,
    what: Do,
}

fn any_wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        4 => Just(Wish::Ready),
        1 => Just(away("lunch")),
        1 => Just(away("meeting")),
        1 => Just(Wish::SignedOut),
    ]
}

fn any_agent_command() -> impl Strategy<Value = ToAgent> {
    prop_oneof![
        4 => (any_wish(), any::<bool>())
            .prop_map(|(wish, after)| ToAgent::Presence { wish, after, start: 1 }),
        2 => (any_wish(), any::<bool>()).prop_map(|(wish, session)| ToAgent::Force { wish, session }),
        1 => Just(ToAgent::Lost),
        2 => Just(ToAgent::Heard { start: 1 }),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        8 => Just(Answer::Accept),
        1 => Just(Answer::AcceptOld),
        2 => Just(Answer::Reject),
        2 => Just(Answer::Hold),
        2 => Just(Answer::Resume),
        3 => Just(Answer::Complete),
        1 => Just(Answer::EndWrapUp),
        1 => Just(Answer::GiveTopic),
        2 => Just(Answer::Extend),
    ]
}

fn any_queue_command() -> impl Strategy<Value = ToQueue> {
    prop_oneof![
        4 => Just(ToQueue::Open { reason: None }),
        1 => any::<bool>().prop_map(|emergency| ToQueue::Close { emergency, reason: None }),
    ]
}

fn any_do() -> impl Strategy<Value = Do> {
    let (agent, slot, queue) = (0..AGENTS.len(), 0..CONTACTS, 0..QUEUES.len());
    let credit = prop_oneof![Just(0_i64), Just(300), Just(-600)];
    let by = prop_oneof![6 => Just(By::Owner), 1 => Just(By::Other), 1 => Just(By::Supervisor)];
    let on_reject = prop_oneof![Just(OnReject::Ready), Just(OnReject::NotReady)];
    prop_oneof![
        8 => (agent.clone(), any_agent_command()).prop_map(|(agent, it)| Do::Agent(agent, it)),
        1 => (agent.clone(), 1..=10_u8).prop_map(|(agent, level)| Do::Skill(agent, level)),
        1 => Just(Do::Start),
        8 => (slot.clone(), queue.clone(), credit.clone(), prop::bool::weighted(0.05))
            .prop_map(|(slot, queue, credit, full)| Do::Arrive { slot, queue, credit, full }),
        20 => (slot.clone(), any_answer(), by, prop::bool::weighted(0.8)).prop_map(
            |(slot, answer, by, aimed)| Do::Contact { slot, answer, by, aimed }
        ),
        1 => (slot.clone(), agent.clone()).prop_map(|(slot, agent)| Do::Offer(slot, agent)),
        1 => slot.clone().prop_map(Do::Abandon),
        1 => slot.clone().prop_map(Do::Refuse),
        1 => (slot.clone(), credit).prop_map(|(slot, credit)| Do::Reprioritise(slot, credit)),
        1 => slot.prop_map(Do::Tick),
        1 => (queue.clone(), any_queue_command()).prop_map(|(queue, it)| Do::Queue(queue, it)),
        1 => (queue, on_reject).prop_map(|(queue, it)| Do::Rules(queue, it)),
    ]
}

pub(crate) fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let gap_ms =
        prop_oneof![2 => Just(0), 4 => 1..5_000_i64, 1 => 5_000..40_000_i64, 1 => Just(20_000)];
    let step = (gap_ms, prop::bool::weighted(0.2), any_do());
    let step = step.prop_map(|(gap_ms, late, what)| Step { gap_ms, late, what });
    prop::collection::vec(step, 1..STEPS_MAX)
}

fn rules_of(queue: usize, on_reject: OnReject) -> Rules {
    let mut rules = rules();
    rules.on_reject = on_reject;
    if queue == 1 {
        rules.requirement.skills.insert(slug("pensions"), 3);
        rules.wrap_up = Some(Span::ZERO.into());
        rules.max_misses = 2;
    }
    rules
}

fn profile_of(agent: usize, pensions: u8) -> Profile {
    Profile {
        level: 1,
        skills: BTreeMap::from([(slug("pensions"), pensions)]),
        languages: BTreeSet::new(),
        voice: if agent == 1 { 2 } else { 1 },
        queues: (agent == 2).then(|| BTreeSet::from([queue_id(QUEUES[1])])),
    }
}

/// A centre, and which contact each slot stands for.
pub(crate) struct Life {
    pub(crate) world: World,
    slots: [u128; CONTACTS],
}

impl Life {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        world.at(0);
        for (queue, name) in QUEUES.iter().enumerate() {
            world.has_queue(name, rules_of(queue, [OnReject::NotReady, OnReject::Ready][queue]));
        }
        for (agent, name) in AGENTS.iter().enumerate() {
            world.tell_agent(name, configured(profile_of(agent, 5))).unwrap();
            world.tell_agent(name, wishes(Wish::Ready)).unwrap();
        }
        Self { world, slots: [1, 2, 3, 4] }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let at = self.world.now.at.plus(Span::millis(step.gap_ms));
        if step.late {
            self.world.now = Now::live(at);
        } else {
            self.world.run_until(at);
        }
        let (to, command) = self.said(&step.what);
        // Whether it is refused is the machines' business; what may never happen is `rules`'s.
        let _refused_or_not = self.world.tell(&to, &command);
    }

    fn said(&mut self, what: &Do) -> (EntityId, Command) {
        let agent = |agent: usize, it| (agent_id(AGENTS[agent]).into(), Command::Agent(it));
        let queue = |queue: usize, it| (queue_id(QUEUES[queue]).into(), Command::Queue(it));
        let slots = self.slots;
        let contact = |slot: usize, it| (contact_id(slots[slot]).into(), Command::Contact(it));
        match what {
            Do::Agent(who, it) => agent(*who, it.clone()),
            Do::Skill(who, level) => agent(*who, configured(profile_of(*who, *level))),
            Do::Start => self.start(),
            Do::Arrive { slot, queue, credit, full } => self.arrive(*slot, *queue, *credit, *full),
            Do::Contact { slot, answer, by, aimed } => {
                let slot = if *aimed { self.aim(*slot, *answer) } else { *slot };
                contact(slot, self.answer(slot, *answer, *by))
            }
            Do::Offer(slot, agent) => contact(*slot, self.offer(*agent)),
            Do::Abandon(slot) => contact(*slot, ToContact::Abandon),
            Do::Refuse(slot) => contact(*slot, ToContact::Refuse { reason: slug("sent-away") }),
            Do::Reprioritise(slot, credit) => {
                let credit = Credit::HeadStart(Span::seconds(*credit));
                contact(*slot, ToContact::Reprioritise { priority: slug("other"), credit })
            }
            Do::Tick(slot) => contact(*slot, ToContact::Tick),
            Do::Queue(which, it) => queue(*which, it.clone()),
            Do::Rules(which, on_reject) => {
                let rules = Box::new(rules_of(*which, *on_reject));
                queue(*which, ToQueue::Configure { rules, text_hash: [0; 16] })
            }
        }
    }

    /// The server starts: all who are signed in are to be heard again.
    fn start(&self) -> (EntityId, Command) {
        let signed_in = |name: &&&str| self.world.agent(name).signed_in.is_some();
        let agents = AGENTS.iter().filter(signed_in).map(|name| agent_id(name)).collect();
        (EntityId::System, Command::System(system::Command::Start { rate: 1.0, agents }))
    }

    /// A slot whose contact is over takes the next one; else the one it has comes twice.
    fn arrive(
        &mut self,
        slot: usize,
        queue: usize,
        credit: i64,
        full: bool,
    ) -> (EntityId, Command) {
        if self.world.contact(self.slots[slot]).is_over() {
            self.slots[slot] += 4;
        }
        let number = self.slots[slot];
        let credit = Credit::HeadStart(Span::seconds(credit));
        let ToContact::Arrive(mut arrival) = arrival(QUEUES[queue], credit, number) else {
            unreachable!("an arrival arrives")
        };
        arrival.full = full;
        (contact_id(number).into(), Command::Contact(ToContact::Arrive(arrival)))
    }

    fn offer(&self, agent: usize) -> ToContact {
        let offer = offer_id(OWN_OFFERS + self.world.log.len() as u128);
        let choice = Choice { candidates: 0, idle_since: self.world.now.at, next: vec![] };
        ToContact::Offer { offer, agent: agent_id(AGENTS[agent]), choice }
    }

    /// A slot whose contact can be answered so, counted from this one; else this one.
    fn aim(&self, slot: usize, answer: Answer) -> usize {
        let wanted = match answer {
            Answer::Accept | Answer::AcceptOld | Answer::Reject => "offered",
            Answer::Hold | Answer::Complete => "active",
            Answer::Resume => "held",
            Answer::EndWrapUp | Answer::Extend => "wrap_up",
            Answer::GiveTopic => "closed",
        };
        let mut slots = (slot..slot + CONTACTS).map(|slot| slot % CONTACTS);
        let state = |slot: &usize| self.world.contact(self.slots[*slot]).state.name();
        slots.find(|slot| state(slot) == wanted).unwrap_or(slot)
    }

    fn answer(&self, slot: usize, answer: Answer, by: By) -> ToContact {
        let contact = self.world.contact(self.slots[slot]);
        let owner = contact.agent().cloned().unwrap_or_else(|| agent_id(AGENTS[0]));
        let other = || AGENTS.iter().map(|name| agent_id(name)).find(|name| *name != owner);
        let agent = match by {
            By::Owner | By::Supervisor => owner.clone(),
            By::Other => other().unwrap(),
        };
        let offer = match &contact.state {
            ContactState::Offered { offer, .. } => *offer,
            _ => offer_id(0),
        };
        let by = match by {
            By::Owner | By::Other => Who::Agent(agent.clone()),
            By::Supervisor => Who::Supervisor,
        };
        let topic = Some("jubilación".to_owned());
        match answer {
            Answer::Accept => ToContact::Accept { offer, agent },
            Answer::AcceptOld => ToContact::Accept { offer: offer_id(0), agent },
            Answer::Reject => ToContact::Reject { offer, agent, reason: None },
            Answer::Hold => ToContact::Hold { by },
            Answer::Resume => ToContact::Resume { by },
            Answer::Complete => ToContact::Complete { by },
            Answer::EndWrapUp => ToContact::EndWrapUp { by, outcome: None, topic: None },
            Answer::GiveTopic => ToContact::EndWrapUp { by, outcome: None, topic },
            Answer::Extend => ToContact::ExtendWrapUp { by, span: Span::seconds(30) },
        }
    }
}

/// The log from the beginning.
fn replayed(world: &World) -> BTreeMap<EntityId, State> {
    let mut states = BTreeMap::new();
    for told in &world.log {
        let blank = || State::blank(&told.entity);
        let state: &mut State = states.entry(told.entity.clone()).or_insert_with(blank);
        state.apply(told.at, &told.event);
        assert_eq!(state.version(), told.version, "{} does not count its events", told.entity);
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life(steps in any_steps()) {
        let mut life = Life::new();
        for step in &steps {
            life.step(step);
        }
        prop_assert_eq!(replayed(&life.world), life.world.states);
    }
}

/// Lives that never met an event would say nothing about it.
#[test]
fn lives_meet_every_event() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..60 {
        let mut life = Life::new();
        for step in any_steps().new_tree(&mut runner).unwrap().current() {
            life.step(&step);
        }
        met.extend(life.world.log.iter().map(|told| (told.entity.kind(), told.event.name())));
    }
    let met: Vec<_> = met.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
    expect![[r#"
        agent changed
        agent heard
        agent intent_changed
        agent leg_ended
        agent leg_started
        agent leg_wrapping
        agent lost
        agent pending_changed
        agent presence_changed
        agent released
        agent reserved
        agent signed_in
        agent signed_out
        contact abandoned
        contact answered
        contact back_off_ended
        contact completed
        contact held
        contact offer_accepted
        contact offer_missed
        contact offer_recalled
        contact offer_rejected
        contact offered
        contact outcome_given
        contact priority_changed
        contact queued
        contact refused
        contact resumed
        contact wrap_up_ended
        contact wrap_up_extended
        queue changed
        queue closed
        queue opened
        system started"#]]
    .assert_eq(&met.join("\n"));
}
