//! Random scenarios: over the writer thread and two arbiters the events are the pure loop's.
//!
//! Everything happens on whole seconds, so that ties are common. `ATALAYA_SCENARIOS` sets how many
//! are tried (500 when nothing is said); `ATALAYA_SEED` where they start.

use std::collections::{BTreeMap, BTreeSet};

use super::actors::through_the_actors;
use atalaya::simulation::pure::run;
use atalaya::simulation::scenario::{
    Action, ActionKind, Does, QueueDoes, Scenario, ScenarioAgent, ScenarioContact,
};
use atalaya_domain::ids::{AgentId, QueueId, Slug};
use atalaya_domain::priority::Priorities;
use atalaya_domain::queue::{OnReject, Rules, SHORT_ABANDON, ServiceLevel};
use atalaya_domain::skills::{Profile, Requirement, Skills};
use atalaya_domain::time::{Span, Timestamp, Written};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SKILLS: [&str; 2] = ["pensions", "subsidies"];
const LENGTH_S: i64 = 240;

fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn upto(&mut self, most: i64) -> i64 {
        self.0.random_range(0..=most)
    }

    fn seconds(&mut self, most: i64) -> Span {
        Span::seconds(self.upto(most))
    }

    fn in_ten(&mut self, times: i64) -> bool {
        self.upto(9) < times
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.0.random_range(0..all.len())]
    }

    fn skills(&mut self, least: i64) -> Skills {
        let mut skills = Skills::new();
        for skill in SKILLS {
            if self.in_ten(7) {
                skills.insert(slug(skill), u8::try_from(least + self.upto(3)).unwrap());
            }
        }
        skills
    }

    fn rules(&mut self, id: &str) -> Rules {
        let requirement = Requirement {
            skills: self.skills(1),
            language: self.in_ten(2).then(|| slug("ca")),
            levels: self.in_ten(2).then(|| BTreeSet::from([1])),
        };
        Rules {
            name: id.into(),
            short_name: id.into(),
            requirement,
            service_level: Some(ServiceLevel { share: 0.8, within: Span::seconds(20).into() }),
            max_waiting: self.in_ten(3).then(|| u32::try_from(self.upto(3)).unwrap()),
            wrap_up: Some(Written::from(self.seconds(9))),
            offer_timeout: Span::seconds(3 + self.upto(12)).into(),
            on_reject: if self.in_ten(5) { OnReject::Ready } else { OnReject::NotReady },
            max_misses: u32::try_from(1 + self.upto(2)).unwrap(),
            short_abandon: SHORT_ABANDON.into(),
            thresholds: atalaya_domain::queue::Thresholds::default(),
        }
    }
}

pub(crate) fn scenario(seed: u64) -> Scenario {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let start = Timestamp(1_772_438_400_000_000);
    let queues: Vec<_> = (1..=1 + dice.upto(2))
        .map(|n| format!("q{n}"))
        .map(|id| (QueueId::new(&id).unwrap(), dice.rules(&id)))
        .collect();
    let names: Vec<_> = (1..=1 + dice.upto(5)).map(|n| format!("a{n}")).collect();
    let agents = names
        .iter()
        .map(|name| {
            let from = start.plus(dice.seconds(40));
            let to = from.plus(Span::seconds(20 + dice.upto(LENGTH_S)));
            let languages = if dice.in_ten(7) { vec!["es", "ca"] } else { vec!["es"] };
            ScenarioAgent {
                id: AgentId::new(name).unwrap(),
                profile: Profile {
                    level: u8::try_from(1 + dice.upto(1)).unwrap(),
                    skills: dice.skills(2),
                    languages: languages.into_iter().map(slug).collect(),
                    voice: 1,
                    queues: None,
                },
                shift: dice.in_ten(6).then_some((from, to)),
                answer_delay: dice.seconds(12),
                manual: dice.in_ten(3),
            }
        })
        .collect();
    let mut contacts: Vec<_> = (0..5 + dice.upto(25))
        .map(|_| ScenarioContact {
            id: String::new(),
            at: start.plus(dice.seconds(LENGTH_S)),
            queue: dice.of(&queues).0.clone(),
            service: dice.seconds(40),
            patience: dice.in_ten(6).then(|| dice.seconds(40)),
            priority: slug(dice.of::<&str>(&["normal", "normal", "high", "low", "emergency"])),
            language: dice.in_ten(2).then(|| slug("ca")),
            requires: None,
            hangs_up_at: None,
        })
        .collect();
    contacts.sort_by_key(|contact| contact.at);
    for (number, contact) in contacts.iter_mut().enumerate() {
        contact.id = format!("k{}", number + 1);
    }
    let mut actions: Vec<_> =
        (0..dice.upto(40)).map(|_| action(&mut dice, start, &names, &queues, &contacts)).collect();
    actions.sort_by_key(|action| action.at);
    let (name, end) = (format!("random {seed}"), start.plus(Span::seconds(LENGTH_S + 1)));
    let priorities = Priorities::default();
    Scenario { name, start, end, seed, priorities, queues, agents, contacts, actions }
}

fn action(
    dice: &mut Dice,
    start: Timestamp,
    names: &[String],
    queues: &[(QueueId, Rules)],
    contacts: &[ScenarioContact],
) -> Action {
    let at = start.plus(dice.seconds(LENGTH_S));
    let what = match dice.upto(9) {
        0 => ActionKind::Queue(dice.of(queues).0.clone(), QueueDoes::Open),
        1 => {
            let emergency = dice.in_ten(5);
            ActionKind::Queue(dice.of(queues).0.clone(), QueueDoes::Close { emergency })
        }
        2 => {
            let priority = slug(dice.of::<&str>(&["normal", "high", "low", "emergency"]));
            ActionKind::Priority(dice.of(contacts).id.clone(), priority)
        }
        _ => {
            let does = [
                Does::Ready,
                Does::Ready,
                Does::NotReady { reason: slug("break") },
                Does::SignOut,
                Does::Accept,
                Does::Accept,
                Does::Reject,
                Does::Complete,
                Does::WrapUpDone,
                Does::Hold,
                Does::Resume,
                Does::Disconnect,
                Does::Reconnect,
            ];
            ActionKind::Agent(
                AgentId::new(dice.of::<String>(names)).unwrap(),
                dice.of(&does).clone(),
            )
        }
    };
    Action { at, what }
}

#[test]
fn random_scenarios_give_the_pure_loops_events() {
    let (first, count) = (number("ATALAYA_SEED", 1), number("ATALAYA_SCENARIOS", 500));
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in first..first + count {
        let scenario = scenario(seed);
        let pure = run(&scenario).unwrap().events;
        let (_, events) = through_the_actors(&scenario);
        for (number, (actors, pure)) in events.iter().zip(&pure).enumerate() {
            assert_eq!(actors, pure, "seed {seed}, event {}", number + 1);
        }
        assert_eq!(events.len(), pure.len(), "seed {seed}");
        for recorded in &pure {
            *seen.entry(recorded.event.name()).or_default() += 1;
        }
    }
    eprintln!("{seen:?}");
    for wanted in [
        "offer_missed",
        "offer_rejected",
        "offer_recalled",
        "held",
        "resumed",
        "lost",
        "heard",
        "refused",
        "abandoned",
        "priority_changed",
        "pending_changed",
        "back_off_ended",
    ] {
        assert!(seen.contains_key(wanted) || count < 500, "no scenario had `{wanted}`");
    }
}
