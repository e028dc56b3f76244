//! Service requests: the cases that must hold, and random lives beside each other: a clock moved
//! in one go and in pieces tells the same, each step acts once, each run is late once.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::calendar::{Calendar, Hours, Week};
use atalaya_domain::ids::{AgentId, PersonId, Slug};
use atalaya_domain::promise::{Anchor, Clock, Each, Promise, Step, Urgency, Verb};
use atalaya_domain::request::{
    Command, Event, For, Refusal, Registered, Request, Responsible, State, What,
};
use atalaya_domain::time::{Span, Timestamp, Written};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use uuid::Uuid;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn written(text: &str) -> Written {
    Written::parse(text).unwrap()
}

fn daily(zone: &str, from: i8, to: i8) -> Calendar {
    let hours = vec![Hours { from: time(from, 0, 0, 0), to: Some(time(to, 0, 0, 0)) }];
    let days = Weekday::Monday.cycle_forward().take(7);
    let week = days.fold(Week::default(), |week, day| week.with(day, hours.clone()));
    let zone = TimeZone::get(zone).unwrap();
    Calendar::new(zone, week, BTreeSet::new(), BTreeMap::new()).unwrap()
}

fn promise(first: &str, update: &str, solution: &str, ladder: Vec<Step>) -> Promise {
    let target = |text: &str| (!text.is_empty()).then(|| written(text));
    Promise {
        calendar: Slug::new("c").unwrap(),
        targets: Each::from_fn(|clock| match clock {
            Clock::FirstResponse => target(first),
            Clock::Update => target(update),
            Clock::Solution => target(solution),
        }),
        applies_to: Urgency::ALL.into_iter().collect(),
        ladder,
    }
}

fn step(anchor: Anchor, by: &str, verbs: &[&str]) -> Step {
    let verbs = verbs.iter().map(|verb| Verb::parse(verb).unwrap()).collect();
    Step { anchor, by: written(by), verbs }
}

/// A request, its calendar, and everything told of it.
struct Life {
    calendar: Calendar,
    version: u64,
    request: Request,
    now: Timestamp,
    told: Vec<(Timestamp, Event)>,
}

impl Life {
    fn new(calendar: Calendar, start: &str, promise: Promise) -> Self {
        let (request, now) = (Request::default(), at(start));
        let mut life = Self { calendar, version: 1, request, now, told: vec![] };
        let responsible = Responsible { level: 1, area: None, queue: None, agent: None };
        let registered = Registered {
            kind: Slug::new("status").unwrap(),
            channel: Slug::new("voice").unwrap(),
            person: PersonId(Uuid::nil()),
            urgency: Urgency::Normal,
            responsible,
            promise,
        };
        life.tell(&Command::Register(Box::new(registered))).unwrap();
        life
    }

    fn tell(&mut self, command: &Command) -> Result<(), Refusal> {
        let dated = (&self.calendar, self.version);
        let (mut acts, act) = self.request.decide(dated, self.now, command);
        let answer = act.map(|events| acts.push((self.now, events)));
        for (at, events) in acts {
            for event in events {
                self.request.apply(at, &event);
                self.told.push((at, event));
            }
        }
        if let Some(due) = self.request.deadline() {
            assert!(self.now < due, "{due:?} is past at {:?}", self.now);
        }
        answer
    }

    fn at(&mut self, text: &str, command: &Command) -> &mut Self {
        self.now = at(text);
        self.tell(command).unwrap();
        self
    }

    fn due(&self, clock: Clock) -> Option<String> {
        let due = self.request.sight.due.of(clock);
        due.map(|due| jiff::Timestamp::from_microsecond(due.0).unwrap().to_string())
    }

    fn minutes(&self, clock: Clock) -> (i64, i64) {
        let reading = self.request.reading(&self.calendar, self.now, clock).unwrap();
        let minutes = |span: Span| span.0 / 60_000_000;
        (minutes(reading.worked), minutes(reading.overrun.unwrap()))
    }

    fn names(&self) -> Vec<&'static str> {
        self.told.iter().map(|(_, event)| event.what.name()).collect()
    }
}

const OPEN: [&str; 3] = ["60m", "120m", "180m"];

fn berlin(start: &str) -> Life {
    let [first, update, solution] = OPEN;
    Life::new(daily("Europe/Berlin", 8, 18), start, promise(first, update, solution, vec![]))
}

#[test]
fn s60_to_s62_three_clocks() {
    let mut life = berlin("2013-03-21T09:30:00Z");
    life.tell(&Command::Receive).unwrap();
    let dues = Clock::ALL.map(|clock| life.due(clock).unwrap());
    assert_eq!(dues, ["10:30", "11:30", "12:30"].map(|due| format!("2013-03-21T{due}:00Z")));
    assert_eq!(life.request.next_deadline(), Some(at("2013-03-21T10:30:00Z")));
    life.now = at("2013-03-21T11:00:00Z");
    life.tell(&Command::Tick).unwrap();
    assert_eq!(life.names().last(), Some(&"breached"));
    // Clocks not met stand, late or not; the first goes before.
    assert_eq!(life.request.next_deadline(), Some(at("2013-03-21T10:30:00Z")));
    let mut other = berlin("2013-03-21T09:30:00Z");
    other.tell(&Command::Receive).unwrap();
    other.at("2013-03-21T14:00:00Z", &Command::Send { interim: true });
    assert_eq!(other.minutes(Clock::FirstResponse), (270, 210));
    assert_eq!(other.request.next_deadline(), Some(at("2013-03-21T11:30:00Z")));
    life.at("2013-03-21T12:00:00Z", &Command::Send { interim: false });
    assert_eq!(life.minutes(Clock::Update), (150, 30));
    assert_eq!(life.due(Clock::Update), None);
    life.at("2013-03-21T12:05:00Z", &Command::Receive);
    assert_eq!(life.due(Clock::Update).as_deref(), Some("2013-03-21T14:05:00Z"));
    life.at("2013-03-21T12:06:00Z", &Command::Receive);
    assert_eq!(life.due(Clock::Update).as_deref(), Some("2013-03-21T14:05:00Z"));
    life.at("2013-03-21T12:10:00Z", &Command::Send { interim: false });
    assert_eq!(life.request.worst, Some(Span::seconds(150 * 60)));
}

#[test]
fn s63_to_s65_pauses() {
    let late = |solution| {
        let calendar = daily("Europe/Berlin", 9, 18);
        Life::new(calendar, "2013-06-04T09:00:00Z", promise("", "", solution, vec![]))
    };
    let mut life = late("120m");
    life.at("2013-06-04T09:30:00Z", &Command::Wait { on: For::Citizen });
    assert_eq!(life.due(Clock::Solution), None);
    life.at("2013-06-04T09:45:00Z", &Command::Resume);
    life.at("2013-06-04T10:00:00Z", &Command::Resolve).tell(&Command::Close).unwrap();
    life.at("2013-06-04T10:30:00Z", &Command::Reopen);
    assert_eq!(life.due(Clock::Solution).as_deref(), Some("2013-06-04T11:45:00Z"));
    let mut life = late("120m");
    life.at("2013-06-04T10:00:00Z", &Command::Wait { on: For::ThirdParty });
    life.at("2013-06-04T15:00:00Z", &Command::Resume);
    assert_eq!(life.due(Clock::Solution).as_deref(), Some("2013-06-04T16:00:00Z"));
    life.at("2013-06-04T16:00:00Z", &Command::Resolve);
    assert!(!life.names().contains(&"breached"));
    let mut life = late("240m");
    life.tell(&Command::Wait { on: For::Citizen }).unwrap();
    life.at("2013-06-04T10:30:00Z", &Command::Resume);
    life.at("2013-06-04T11:00:00Z", &Command::Wait { on: For::Citizen });
    life.at("2013-06-04T11:30:00Z", &Command::Resume);
    life.at("2013-06-04T12:00:00Z", &Command::Resolve);
    assert_eq!(life.minutes(Clock::Solution), (60, 0));
    let left = life.request.reading(&life.calendar, life.now, Clock::Solution).unwrap().remaining;
    assert_eq!(left, Some(Span::seconds(180 * 60)));
}

#[test]
fn s57_an_overdue_ladder() {
    let after = |by| step(Anchor::AfterRegistration, by, &["notify"]);
    let ladder = vec![after("60s"), after("120s"), after("180s")];
    let calendar = daily("UTC", 0, 23);
    let mut life = Life::new(calendar, "2026-03-02T10:00:00Z", promise("", "", "", ladder));
    for text in ["10:01:00", "10:02:30", "10:02:59.999999", "10:03:00"] {
        life.at(&format!("2026-03-02T{text}Z"), &Command::Tick);
    }
    let taken: Vec<_> = life.request.taken.iter().flatten().collect();
    let instants = ["10:01:00", "10:02:00", "10:03:00"].map(|t| at(&format!("2026-03-02T{t}Z")));
    assert_eq!(taken.iter().map(|taken| taken.at).collect::<Vec<_>>(), instants);
    let late = taken.iter().map(|taken| taken.done_at.since(taken.at).0 / 1_000_000);
    assert_eq!(late.collect::<Vec<_>>(), [0, 30, 0]);
}

#[test]
fn s72_a_rule_that_no_longer_applies() {
    let mut promise =
        promise("60m", "", "180m", vec![step(Anchor::Before(Clock::Solution), "30m", &["raise"])]);
    promise.applies_to.remove(&Urgency::Low);
    let mut life = Life::new(daily("UTC", 0, 23), "2026-03-02T09:00:00Z", promise);
    life.at("2026-03-02T10:30:00Z", &Command::Tick);
    life.tell(&Command::Prioritise { urgency: Urgency::Low }).unwrap();
    assert_eq!((life.due(Clock::Solution), life.request.deadline()), (None, None));
    assert!(!life.request.is_overdue());
    life.at("2026-03-02T18:00:00Z", &Command::Tick);
    assert_eq!(life.names(), ["registered", "breached", "priority_changed"]);
    life.tell(&Command::Prioritise { urgency: Urgency::Normal }).unwrap();
    // As if it had always been; what is past acts now.
    assert_eq!(life.due(Clock::Solution).as_deref(), Some("2026-03-02T12:00:00Z"));
    assert_eq!(life.names()[3..], ["priority_changed", "breached", "escalated"]);
    assert_eq!(life.request.taken[0].as_ref().unwrap().at, life.now);
    assert_eq!(life.request.urgency, Urgency::High);
}

#[test]
fn s73_and_s74_the_boundary_and_one_breach_a_run() {
    let mut met = berlin("2013-03-21T09:30:00Z");
    met.at("2013-03-21T10:30:00Z", &Command::Send { interim: false });
    assert_eq!(met.names(), ["registered", "message_sent"]);
    let mut late = berlin("2013-03-21T09:30:00Z");
    late.at("2013-03-21T10:30:00.001Z", &Command::Send { interim: false });
    assert_eq!(late.names(), ["registered", "breached", "message_sent"]);
    let mut life = berlin("2013-03-21T07:30:00Z");
    life.tell(&Command::Receive).unwrap();
    for second in 0..50 {
        life.now = at("2013-03-21T08:30:00Z").plus(Span::seconds(second));
        life.tell(&Command::Tick).unwrap();
    }
    let late = |life: &Life| life.names().iter().filter(|name| **name == "breached").count();
    assert_eq!(late(&life), 1, "the first response");
    life.at("2013-03-21T10:31:00Z", &Command::Tick);
    assert_eq!(late(&life), 3, "update and solution too");
    life.tell(&Command::Send { interim: false }).unwrap();
    life.tell(&Command::Receive).unwrap();
    life.at("2013-03-21T13:00:00Z", &Command::Tick);
    assert_eq!(late(&life), 4, "another run of update");
}

#[test]
fn s75_nothing_for_closed() {
    let ladder = vec![step(Anchor::Before(Clock::Solution), "30m", &["notify"])];
    let calendar = daily("UTC", 0, 23);
    let promise = promise("", "", "120m", ladder);
    let mut life = Life::new(calendar, "2026-03-02T09:00:00Z", promise);
    life.at("2026-03-02T10:00:00Z", &Command::Resolve);
    assert_eq!(life.request.deadline(), None);
    life.at("2026-03-02T15:00:00Z", &Command::Reopen);
    assert_eq!(life.due(Clock::Solution).as_deref(), Some("2026-03-02T16:00:00Z"));
    life.at("2026-03-02T15:30:00Z", &Command::Tick);
    assert_eq!(life.names(), ["registered", "resolved", "reopened", "escalated"]);
}

#[test]
fn who_has_it_is_told_to_whom_claims_it() {
    let mut life = berlin("2013-03-21T09:30:00Z");
    let claim = |agent: &str| {
        let agent = AgentId::new(agent).unwrap();
        Command::Assign { agent, claim: true }
    };
    life.tell(&claim("ana")).unwrap();
    let taken = Refusal::Taken { agent: AgentId::new("ana").unwrap() };
    assert_eq!(life.tell(&claim("eva")).unwrap_err(), taken);
    assert_eq!(life.tell(&claim("ana")).unwrap_err(), taken);
    life.tell(&Command::Start).unwrap();
    let down = Command::Escalate { verbs: vec![Verb::Level(2)] };
    life.tell(&down).unwrap();
    assert_eq!((life.request.state, life.request.agent()), (State::Registered, None));
    life.tell(&claim("eva")).unwrap();
    assert_eq!(life.request.state, State::Assigned);
}

/// What somebody does, so many minutes later.
fn deeds() -> impl Strategy<Value = Vec<(i64, Command)>> {
    let agent = || AgentId::new("ana").unwrap();
    let deed = prop_oneof![
        Just(Command::Assign { agent: agent(), claim: false }),
        Just(Command::Start),
        Just(Command::Wait { on: For::Citizen }),
        Just(Command::Wait { on: For::ThirdParty }),
        Just(Command::Resume),
        Just(Command::Resolve),
        Just(Command::Reopen),
        Just(Command::Cancel),
        Just(Command::Receive),
        Just(Command::Send { interim: true }),
        Just(Command::Send { interim: false }),
        Just(Command::Note),
        Just(Command::Acknowledge { step: None, by: "eva".into() }),
        Just(Command::Escalate { verbs: vec![Verb::Raise, Verb::Level(2)] }),
        (0_usize..4).prop_map(|at| Command::Prioritise { urgency: Urgency::ALL[at] }),
        Just(Command::Reschedule),
    ];
    prop::collection::vec((0_i64..900, deed), 1..25)
}

fn ladders() -> impl Strategy<Value = Vec<Step>> {
    let anchor = prop_oneof![
        Just(Anchor::AfterRegistration),
        Just(Anchor::AfterProgress),
        Just(Anchor::Before(Clock::FirstResponse)),
        Just(Anchor::Before(Clock::Update)),
        Just(Anchor::Before(Clock::Solution)),
    ];
    let verbs = prop::collection::vec(
        prop_oneof![Just("notify"), Just("raise"), Just("level:2"), Just("assign:eva")],
        1..3,
    );
    let step = (anchor, 0_i64..2_000, verbs)
        .prop_map(|(anchor, minutes, verbs)| step(anchor, &format!("{minutes}m"), &verbs));
    prop::collection::vec(step, 0..6)
}

/// The whole life: `pieces` looks between two deeds.
fn live(ladder: Vec<Step>, low: bool, deeds: &[(i64, Command)], pieces: i64) -> Life {
    let mut promise = promise("60m", "200m", "1500m", ladder);
    if low {
        promise.applies_to = [Urgency::High, Urgency::Normal].into();
    }
    let mut life = Life::new(daily("Europe/Madrid", 9, 14), "2026-03-26T08:00:00Z", promise);
    for (minutes, deed) in deeds.iter().cloned().chain([(20_000, Command::Tick)]) {
        let (from, length) = (life.now, minutes * 60_000_000);
        for piece in 1..pieces {
            life.now = from.plus(Span(length * piece / pieces));
            life.tell(&Command::Tick).unwrap();
        }
        life.now = from.plus(Span(length));
        if let Command::Reschedule = deed {
            life.tell(&Command::Tick).unwrap();
            life.version += 1;
            life.calendar =
                daily("Europe/Madrid", 8, if life.version.is_multiple_of(2) { 12 } else { 14 });
        }
        let _refused = life.tell(&deed);
    }
    life
}

proptest! {
    #[test]
    fn any_request_lives_the_same_however_often_it_is_looked_at(
        deeds in deeds(), ladder in ladders(), low: bool, pieces in 2_i64..60,
    ) {
        let one = live(ladder.clone(), low, &deeds, 1);
        let many = live(ladder, low, &deeds, pieces);
        let undated = |life: &Life| {
            let event = |(at, event): &(Timestamp, Event)| match &event.what {
                What::Escalated { step, verbs, .. } => {
                    let done_at = Timestamp(0);
                    let what = What::Escalated { step: *step, verbs: verbs.clone(), done_at };
                    (*at, what, event.sight.clone())
                }
                what => (*at, what.clone(), event.sight.clone()),
            };
            life.told.iter().map(event).collect::<Vec<_>>()
        };
        prop_assert_eq!(undated(&one), undated(&many));
        // Each step once; each run of a clock late once.
        let mut steps = BTreeSet::new();
        let mut late = BTreeSet::new();
        let mut again = Request::default();
        for (at, event) in &many.told {
            again.apply(*at, event);
            match &event.what {
                What::Escalated { step: Some(step), .. } => prop_assert!(steps.insert(*step)),
                What::Breached { clock, .. } => {
                    let run = again.runs.of(*clock).unwrap();
                    prop_assert!(late.insert((*clock, run.started_at)));
                }
                _ => (),
            }
            prop_assert_eq!(again.responsible.is_some(), true);
        }
        prop_assert_eq!(&again, &many.request);
        let order = many.told.windows(2).all(|pair| pair[0].0 <= pair[1].0);
        prop_assert!(order, "time goes back");
    }
}
