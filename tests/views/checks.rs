//! Random lives against a second reckoning, made from the states alone.

use atalaya::views::{Scope, Wallboard, apply_delta, delta};
use atalaya_domain::agent::{Agent, Kind, Wish};
use atalaya_domain::contact::{Command, Contact, State as Place, Who};
use atalaya_domain::ids::QueueId;
use atalaya_domain::time::{Span, Timestamp};
use atalaya_domain::{EntityId, State};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::life::{Life, QUEUES, agent_id, madrid, queue_id, rules, slug};

/// Lives in the short form; `ATALAYA_VIEWS_LIVES` says how many in the long one.
const LIVES: u32 = 48;
const STEPS_MAX: usize = 160;

fn config() -> ProptestConfig {
    let asked = std::env::var("ATALAYA_VIEWS_LIVES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(LIVES),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// S82 and S87 after every entry, and every figure against a second reckoning.
    #[test]
    fn sums_hold_at_every_entry(steps in lives()) {
        let mut life = Life::new();
        let mut shown = life.board.data(Scope::All);
        for step in steps {
            life.step(step);
            life.board.roll_to(life.now);
            let data = life.board.data(Scope::All);
            conserved(&data);
            presences_add_up(&life, &data);
            for queue in QUEUES {
                figures_hold(&life, &queue_id(queue), &data["queues"][queue]);
            }
            let delta = delta(&shown, &data);
            prop_assert_eq!(apply_delta(shown, &delta), data.clone());
            shown = data;
        }
        let mut again = Wallboard::new(madrid());
        for folded in &life.log {
            again.fold(folded.seq, &folded.recorded, &folded.before, &folded.after);
            again.fold(folded.seq, &folded.recorded, &folded.before, &folded.after);
        }
        again.roll_to(life.now);
        prop_assert_eq!(again.data(Scope::All), life.board.data(Scope::All));
        prop_assert_eq!(again.roster().data(Scope::Wall), life.board.roster().data(Scope::Wall));
    }

    #[test]
    fn a_delta_leads_from_old_to_new(old in tree(), new in tree()) {
        let delta = delta(&old, &new);
        prop_assert_eq!(delta.is_empty(), old == new);
        prop_assert_eq!(apply_delta(old, &delta), new);
    }
}

fn lives() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec(any::<(u8, u8, u8)>(), 1..STEPS_MAX)
}

/// Objects with few and awkward keys, so that two of them meet.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4).prop_map(Value::from),
        Just(json!([1, 2])),
        Just(json!({})),
    ];
    leaf.prop_recursive(4, 64, 5, |inner| {
        let key = prop::sample::select(vec!["a", "b", "a/b", "~", "~1", "0", ""]);
        prop::collection::vec((key, inner), 0..5).prop_map(|members| {
            let members = members.into_iter().map(|(key, value)| (key.to_owned(), value));
            Value::Object(members.collect::<Map<_, _>>())
        })
    })
}

fn conserved(data: &Value) {
    let queues = data["queues"].as_object().unwrap();
    for figures in queues.values().chain([&data["totals"]]) {
        let of = |key: &str| figures[key].as_u64().unwrap();
        assert_eq!(
            of("offered_today") + of("carried_over_today"),
            of("answered_today") + of("abandoned_today") + of("refused_today") + of("waiting"),
            "{figures:#}"
        );
    }
    for key in ["waiting", "active", "offered_today", "answered_today", "carried_over_today"] {
        let sum: u64 = queues.values().map(|figures| figures[key].as_u64().unwrap()).sum();
        assert_eq!(data["totals"][key], json!(sum), "{key}");
    }
}

fn presences_add_up(life: &Life, data: &Value) {
    let agents: Vec<(&EntityId, &Agent)> = life
        .states
        .iter()
        .filter_map(|(id, state)| match state {
            State::Agent(agent) if agent.signed_in.is_some() => Some((id, agent)),
            _ => None,
        })
        .collect();
    let mut signed_in = 0;
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::SignedOut) {
        let count = agents.iter().filter(|(_, agent)| agent.presence().state == kind).count();
        assert_eq!(data["totals"][kind.name()], json!(count), "{}", kind.name());
        signed_in += count;
    }
    assert_eq!(data["totals"]["signed_in"], json!(signed_in));
    assert_eq!(data["agents"].as_object().unwrap().len(), signed_in);
    for (id, agent) in agents {
        let EntityId::Agent(id) = id else { continue };
        let tile = &data["agents"][id.as_str()];
        assert_eq!(tile["contact"].is_null(), agent.work.is_empty());
        assert_eq!(tile["queue"].is_null(), agent.work.is_empty());
    }
}

/// Madrid is an hour ahead of UTC on all days of these lives.
fn day(at: Timestamp) -> i64 {
    (at.0 + 3_600_000_000).div_euclid(86_400_000_000)
}

/// Whether an instant is counted.
type When<'a> = &'a dyn Fn(Option<Timestamp>) -> bool;

fn figures_hold(life: &Life, queue: &QueueId, figures: &Value) {
    let of_queue = |contact: &&Contact| {
        contact.entered.as_ref().is_some_and(|entered| entered.queue == *queue)
    };
    let all: Vec<&Contact> = life.contacts().map(|(_, contact)| contact).filter(of_queue).collect();
    let count = |wanted: &dyn Fn(&Contact) -> bool| all.iter().filter(|c| wanted(c)).count();
    let is_today = |at: Option<Timestamp>| at.is_some_and(|at| day(at) == day(life.now));
    let abandoned = |c: &Contact| c.state == Place::Abandoned && is_today(c.ended_at);
    let refused = |c: &Contact| matches!(c.state, Place::Refused { .. }) && is_today(c.ended_at);
    let wait = |c: &Contact| c.answered_at.or(c.ended_at).unwrap().since(c.arrived_at);
    let expected = [
        ("waiting", count(&Contact::is_waiting)),
        ("active", count(&|c| matches!(c.state, Place::Active { .. } | Place::Held { .. }))),
        ("offered_today", count(&|c| is_today(Some(c.arrived_at)))),
        ("answered_today", count(&|c| is_today(c.answered_at))),
        ("abandoned_today", count(&abandoned)),
        ("short_abandoned_today", count(&|c| abandoned(c) && wait(c) <= Span::seconds(5))),
        ("refused_today", count(&refused)),
        (
            "carried_over_today",
            count(&|c| {
                let left = c.answered_at.or(c.ended_at);
                !is_today(Some(c.arrived_at)) && (left.is_none() || is_today(left))
            }),
        ),
    ];
    for (key, count) in expected {
        assert_eq!(figures[key], json!(count), "{key} of {queue}");
    }
    let mean = |spans: Vec<Span>| {
        let sum: i64 = spans.iter().map(|span| span.0).sum();
        (!spans.is_empty()).then(|| Span(sum / i64::try_from(spans.len()).unwrap()).as_seconds())
    };
    let waits = all.iter().filter(|c| is_today(c.answered_at)).map(|c| wait(c)).collect();
    assert_eq!(figures["asa_today_s"], json!(mean(waits)), "asa of {queue}");
    let legs = all.iter().filter(|c| is_today(c.closed_at));
    let legs = legs.map(|c| c.closed_at.unwrap().since(c.answered_at.unwrap())).collect();
    assert_eq!(figures["aht_today_s"], json!(mean(legs)), "aht of {queue}");
    let ready = life.states.values().filter(|state| match state {
        State::Agent(agent) => {
            let profile = &agent.facts.as_ref().unwrap().profile;
            let requirement = rules(queue.as_str()).requirement;
            agent.presence().state == Kind::Ready && requirement.unfit(queue, profile).is_none()
        }
        _ => false,
    });
    assert_eq!(figures["ready"], json!(ready.count()), "ready of {queue}");
    let oldest = all.iter().filter(|c| c.is_waiting()).map(|c| c.arrived_at).min();
    assert_eq!(figures["longest_wait_since"], json!(oldest.map(atalaya::views::rfc3339)));
    let is_recent = |at: Option<Timestamp>| {
        at.is_some_and(|at| at.0.div_euclid(5_000_000) > life.now.0.div_euclid(5_000_000) - 180)
    };
    assert_eq!(figures["service_level_today"], level(&all, &is_today), "{queue}");
    assert_eq!(figures["service_level_15m"], level(&all, &is_recent), "{queue}");
    let is_of_the_hour = |at: Option<Timestamp>| {
        at.is_some_and(|at| at.0.div_euclid(60_000_000) > life.now.0.div_euclid(60_000_000) - 60)
    };
    assert_eq!(figures["service_level_1h"], level(&all, &is_of_the_hour), "{queue}");
    let windows: [(&str, When<'_>); 2] = [("15m", &is_recent), ("1h", &is_of_the_hour)];
    for (name, counts) in windows {
        let left = |c: &Contact| c.state == Place::Abandoned && counts(c.ended_at);
        for (key, expected) in [
            ("offered", count(&|c| counts(Some(c.arrived_at)))),
            ("answered", count(&|c| counts(c.answered_at))),
            ("abandoned", count(&left)),
            ("short_abandoned", count(&|c| left(c) && wait(c) <= Span::seconds(5))),
        ] {
            assert_eq!(
                figures[format!("{key}_{name}")],
                json!(expected),
                "{key}_{name} of {queue}"
            );
        }
    }
}

fn level(all: &[&Contact], counts: &dyn Fn(Option<Timestamp>) -> bool) -> Value {
    let (mut met, mut of) = (0_u32, 0_u32);
    for contact in all {
        let terms = &contact.entered.as_ref().unwrap().terms;
        let Some(within) = terms.within else { continue };
        if counts(contact.answered_at) {
            of += 1;
            let wait = contact.answered_at.unwrap().since(contact.arrived_at);
            met += u32::from(wait <= within);
        }
        if contact.state == Place::Abandoned && counts(contact.ended_at) {
            let wait = contact.ended_at.unwrap().since(contact.arrived_at);
            of += u32::from(wait > terms.short_abandon);
        }
    }
    if of == 0 { Value::Null } else { json!(f64::from(met) / f64::from(of)) }
}

#[test]
fn midnight_turns_the_counters_and_carries_over_who_waits() {
    let mut life = Life::new();
    life.presence("ana", Wish::Ready);
    life.now = at("2026-03-02T22:50:00Z");
    let (first, _second) = (life.arrive("general", false), life.arrive("general", false));
    life.arrive("general", true);
    life.now = at("2026-03-02T22:59:59.999999Z");
    life.board.roll_to(life.now);
    let before = life.board.data(Scope::All);
    assert_eq!(before["totals"]["offered_today"], 3);
    life.board.roll_to(at("2026-03-02T23:00:00Z"));
    let after = life.board.data(Scope::All);
    assert_eq!(after["totals"]["offered_today"], 0);
    assert_eq!(after["totals"]["refused_today"], 0);
    assert_eq!(after["totals"]["carried_over_today"], 2);
    life.board.roll_to(at("2026-03-02T23:00:00Z"));
    life.board.roll_to(at("2026-03-02T22:00:00Z"));
    assert_eq!(life.board.data(Scope::All), after);
    life.now = at("2026-03-02T23:00:01Z");
    life.answer(first, "ana");
    let data = life.board.data(Scope::All);
    assert_eq!(data["queues"]["general"]["answered_today"], 1);
    assert_eq!(data["queues"]["general"]["waiting"], 1);
    assert_eq!(data["queues"]["general"]["asa_today_s"], json!(601.0));
    conserved(&data);
}

/// S13 and S88: pauses add up over the day, and touch nothing else.
#[test]
fn pauses_add_up_and_do_not_wipe_the_day() {
    let mut life = Life::new();
    let start = life.now;
    life.presence("ana", Wish::Ready);
    let contact = life.arrive("general", false);
    life.answer(contact, "ana");
    life.contact(
        contact,
        atalaya_domain::contact::Command::Complete { by: atalaya_domain::contact::Who::System },
    );
    for (seconds, wish) in [
        (100, Wish::NotReady(slug("break"))),
        (160, Wish::Ready),
        (200, Wish::NotReady(slug("break"))),
    ] {
        life.now = start.plus(Span::seconds(seconds));
        life.presence("ana", wish);
    }
    let today =
        life.board.roster().today(&agent_id("ana"), start.plus(Span::seconds(230))).unwrap();
    assert_eq!(today.not_ready, Span::seconds(90));
    assert_eq!((today.handled, today.accepted, today.missed), (1, 1, 0));
    let pause = start.plus(Span::seconds(200));
    assert_eq!(
        life.board.data(Scope::All)["agents"]["ana"]["since"],
        atalaya::views::rfc3339(pause)
    );
    // The same pause three midnights later: only today's part is today's.
    life.board.roll_to(at("2026-03-05T08:00:00Z"));
    let today = life.board.roster().today(&agent_id("ana"), at("2026-03-05T08:00:00Z")).unwrap();
    assert_eq!((today.not_ready, today.handled), (Span::seconds(9 * 3_600), 0));
}

/// What is told after midnight and happened before changes what was carried over, nothing else:
/// the same as if it had been told in time.
#[test]
fn what_is_told_after_midnight_belongs_to_its_own_day() {
    let mut life = Life::new();
    life.presence("ana", Wish::Ready);
    life.now = at("2026-03-02T22:59:00Z");
    let waiting = life.arrive("general", false);
    let answered = life.arrive("general", false);
    life.answer(answered, "ana");
    let gone = life.arrive("general", false);
    life.contact(gone, Command::Abandon);
    life.contact(waiting, Command::Refuse { reason: slug("emergency") });
    life.arrive("general", false);
    life.arrive("general", true);
    let midnight = at("2026-03-02T23:00:00Z");
    life.board.roll_to(midnight);
    for told_in_time in 0..life.log.len() {
        let mut late = Wallboard::new(madrid());
        for (place, folded) in life.log.iter().enumerate() {
            if place == told_in_time {
                late.roll_to(midnight);
            }
            late.fold(folded.seq, &folded.recorded, &folded.before, &folded.after);
        }
        late.roll_to(midnight);
        let data = late.data(Scope::All);
        assert_eq!(data, life.board.data(Scope::All), "{told_in_time} told in time");
        assert_eq!(data["totals"]["carried_over_today"], 1);
    }
}

/// The window holds 180 slices of 5 s, the one that runs now included; 20 s is within 20 s.
#[test]
fn the_window_slides() {
    let mut life = Life::new();
    life.presence("carla", Wish::Ready);
    let contact = life.arrive("pensions", false);
    life.wait(20);
    life.answer(contact, "carla");
    let answered = life.now;
    let late = life.arrive("pensions", false);
    life.wait(179 * 5);
    life.contact(late, Command::Abandon);
    let figures = |life: &Life| life.board.data(Scope::All)["queues"]["pensions"].clone();
    assert_eq!(figures(&life)["service_level_15m"], 0.5);
    life.board.roll_to(answered.plus(Span::seconds(180 * 5)));
    assert_eq!(figures(&life)["service_level_15m"], 0.0);
    life.board.roll_to(answered.plus(Span::seconds(359 * 5)));
    assert_eq!(figures(&life)["service_level_15m"], Value::Null);
    assert_eq!(figures(&life)["service_level_today"], 0.5);
}

#[test]
fn an_outcome_given_late_counts_nothing() {
    let mut life = Life::new();
    life.presence("ana", Wish::Ready);
    let contact = life.arrive("general", false);
    life.answer(contact, "ana");
    life.wait(60);
    life.contact(contact, Command::Complete { by: Who::System });
    let before = life.board.data(Scope::All);
    assert_eq!(before["queues"]["general"]["aht_today_s"], 60.0);
    life.wait(40);
    let (outcome, topic) = (Some("solved".to_owned()), None);
    let events = life.log.len();
    life.contact(contact, Command::EndWrapUp { by: Who::System, outcome, topic });
    assert_eq!(life.log.len(), events + 1);
    assert_eq!(life.board.data(Scope::All), before);
}

/// One who comes to wait moves six members, each by its own pointer.
#[test]
fn a_delta_says_no_more_than_what_changed() {
    let mut life = Life::new();
    let before = life.board.data(Scope::All);
    life.arrive("general", false);
    let change = delta(&before, &life.board.data(Scope::All));
    expect![[r#"
        {
          "set": {
            "/totals/waiting": 1,
            "/totals/offered_today": 1,
            "/totals/offered_15m": 1,
            "/totals/offered_1h": 1,
            "/totals/longest_wait_since": "2026-03-02T08:00:00Z",
            "/queues/general/waiting": 1,
            "/queues/general/longest_wait_since": "2026-03-02T08:00:00Z",
            "/queues/general/offered_today": 1,
            "/queues/general/offered_15m": 1,
            "/queues/general/offered_1h": 1
          },
          "remove": []
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&change).unwrap());
    life.presence("ana", Wish::Ready);
    let before = life.board.data(Scope::All);
    life.presence("ana", Wish::SignedOut);
    let change = delta(&before, &life.board.data(Scope::All));
    assert_eq!(change.remove, ["/agents/ana"]);
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}
