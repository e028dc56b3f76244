//! Recorded days through the wallboard, against figures that others reckoned.

use std::collections::BTreeMap;
use std::path::PathBuf;

use atalaya::simulation::{pure, scenario};
use atalaya::views::{Scope, Wallboard};
use atalaya_domain::contact::{Contact, Entered, Event as E, Terms};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{ContactId, PersonId};
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::{OnReject, SHORT_ABANDON};
use atalaya_domain::skills::Requirement;
use atalaya_domain::time::{Span, Timestamp};
use atalaya_domain::{Event, State};
use serde_json::Value;
use uuid::Uuid;

use crate::life::{agent_id, queue_id, slug};
use crate::support::skip;

/// 1999-02-01T00:00:00Z, from which the month's seconds count.
const MONTH: Timestamp = Timestamp(917_827_200_000_000);
/// Lines of days in which somebody waits over midnight: three contacts, two days each, in their
/// queue and in all.
const APART: usize = 12;
/// Half of the last of six decimals, and what a double adds.
const ROUNDED: f64 = 0.51e-6;

fn data() -> Option<PathBuf> {
    let shared = std::env::var_os("ATALAYA_SHARED").map_or("../shared".into(), PathBuf::from);
    let data = shared.join("data");
    data.is_dir().then_some(data)
}

type Line = BTreeMap<String, String>;

fn lines(path: PathBuf) -> Vec<Line> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// 31,125 real contacts: each day's figures by queue and in all equal the oracle's.
#[test]
fn a_real_month_counts_as_the_oracle_does() {
    let Some(data) = data() else {
        skip("a_real_month_counts_as_the_oracle_does", "no data beside the project");
        return;
    };
    let mut happenings = Vec::new();
    for (number, line) in (1_u128..).zip(lines(data.join("bank_contacts_1999_02.csv"))) {
        let id = ContactId(Uuid::from_u128(number));
        let at = |key: &str| MONTH.plus(Span::seconds(line[key].parse().unwrap()));
        happenings.push((at("arrived_s"), 0, id, E::Queued(Box::new(entered(&line["queue"])))));
        match line["outcome"].as_str() {
            "answered" => {
                let answered = E::Answered { agent: agent_id("a") };
                happenings.push((at("answered_s"), 1, id, answered));
            }
            "abandoned" => happenings.push((at("ended_s"), 1, id, E::Abandoned)),
            other => panic!("an outcome of another kind: {other}"),
        }
    }
    happenings.sort_by_key(|(at, order, id, _)| (*at, *order, *id));
    let oracle: Vec<_> = lines(data.join("kpi_oracles_public.csv"))
        .into_iter()
        .filter(|line| line["scope"] == "day")
        .collect();
    let mut board = Wallboard::new(jiff::tz::TimeZone::UTC);
    let mut contacts: BTreeMap<ContactId, Contact> = BTreeMap::new();
    let mut happenings = happenings.into_iter().peekable();
    let (mut seq, mut checked, mut apart) = (0, 0, 0);
    for day in 1..=28 {
        let end = MONTH.plus(Span::seconds(86_400 * day));
        while let Some((at, _, id, event)) = happenings.next_if(|(at, ..)| *at < end) {
            let contact = contacts.entry(id).or_default();
            let before = contact.clone();
            contact.apply(at, &event);
            let after = State::Contact(contact.clone());
            let (version, event) = (contact.version, Event::Contact(event));
            let recorded = Recorded { entity: id.into(), version, at, event };
            seq += 1;
            board.fold(seq, &recorded, &State::Contact(before), &after);
        }
        board.roll_to(end.minus(Span(1)));
        let shown = board.data(Scope::All);
        let name_of_day = format!("1999-02-{day:02}");
        for line in oracle.iter().filter(|line| line["date"] == name_of_day) {
            let of_all = line["queue"] == "ALL";
            if over_midnight(&contacts, day, &line["queue"]) {
                // The oracle counts by day of arrival, the wallboard as things happen.
                apart += 1;
                continue;
            }
            let figures =
                if of_all { &shown["totals"] } else { &shown["queues"][line["queue"].as_str()] };
            counts_equal(line, figures, of_all);
            checked += 1;
        }
    }
    assert_eq!(checked + apart, oracle.len());
    assert_eq!(apart, APART);
    assert!(happenings.next().is_none());
}

/// Whether somebody waited over the midnight at either end of the month's `day`.
fn over_midnight(contacts: &BTreeMap<ContactId, Contact>, day: i64, queue: &str) -> bool {
    let ends = [day - 1, day].map(|day| MONTH.plus(Span::seconds(86_400 * day)));
    contacts.values().any(|contact| {
        let of = contact.entered.as_ref().is_some_and(|entered| entered.queue.as_str() == queue);
        let left = contact.answered_at.or(contact.ended_at).unwrap_or(Timestamp(i64::MAX));
        let waits = |end: &Timestamp| contact.arrived_at < *end && left >= *end;
        (of || queue == "ALL") && ends.iter().any(waits)
    })
}

fn counts_equal(line: &Line, figures: &Value, of_all: bool) {
    for key in ["offered", "answered", "abandoned", "short_abandoned"] {
        let shown = figures[format!("{key}_today")].to_string();
        assert_eq!(shown, line[key], "{key}: {line:?}");
    }
    near(line, "service_level", &figures["service_level_today"]);
    if !of_all {
        near(line, "asa_s", &figures["asa_today_s"]);
    }
}

fn near(line: &Line, key: &str, shown: &Value) {
    match (line[key].parse::<f64>(), shown.as_f64()) {
        (Ok(wanted), Some(shown)) => {
            assert!((wanted - shown).abs() <= ROUNDED * wanted.max(2.0), "{shown}: {line:?}");
        }
        (Err(_), None) => (),
        (wanted, shown) => panic!("{key} {shown:?}, not {wanted:?}: {line:?}"),
    }
}

fn entered(queue: &str) -> Entered {
    Entered {
        queue: queue_id(queue),
        priority: slug("normal"),
        order_key: OrderKey::default(),
        requirement: Requirement::default(),
        external_id: None,
        person: PersonId(Uuid::nil()),
        terms: Terms {
            offer_timeout: Span::seconds(20),
            wrap_up: Some(Span::ZERO),
            on_reject: OnReject::NotReady,
            max_misses: 1,
            within: Some(Span::seconds(20)),
            short_abandon: SHORT_ABANDON,
        },
    }
}

/// A day's whole log, offers and wrap-ups with it: answered, abandoned and waits as the reference.
#[test]
fn a_replayed_day_counts_as_its_reference() {
    let Some(data) = data() else {
        skip("a_replayed_day_counts_as_its_reference", "no data beside the project");
        return;
    };
    for day in ["1999-02-09", "1999-02-10", "1999-02-12", "1999-08-03"] {
        let replay = data.join("replay");
        let scenario = scenario::read(&replay.join(format!("{day}.toml"))).unwrap();
        let run = pure::run(&scenario).unwrap();
        let mut board = Wallboard::new(jiff::tz::TimeZone::UTC);
        let mut states = BTreeMap::new();
        let mut shown = Vec::new();
        let midnight = scenario.start.plus(Span::seconds(86_400));
        for (seq, recorded) in (1..).zip(&run.events) {
            if shown.is_empty() && recorded.at >= midnight {
                shown.push(board.data(Scope::All));
            }
            let id = &recorded.entity;
            let state = states.entry(id.clone()).or_insert_with(|| State::blank(id));
            let before = state.clone();
            state.apply(recorded.at, &recorded.event);
            board.fold(seq, recorded, &before, state);
        }
        shown.push(board.data(Scope::All));
        let reference = lines(replay.join(format!("{day}_reference.csv")));
        let answered: Vec<_> =
            reference.iter().filter(|line| line["reference_outcome"] == "answered").collect();
        let sum = |key: &str| -> u64 {
            shown.iter().map(|data| data["totals"][key].as_u64().unwrap()).sum()
        };
        let count = |length: usize| u64::try_from(length).unwrap();
        assert_eq!(sum("offered_today"), count(reference.len()), "{day}");
        assert_eq!(sum("answered_today"), count(answered.len()), "{day}");
        assert_eq!(sum("abandoned_today"), count(reference.len() - answered.len()), "{day}");
        assert_eq!(shown.last().unwrap()["totals"]["waiting"], 0, "{day}");
        let waits = answered.iter().map(|line| line["reference_wait_s"].parse::<f64>().unwrap());
        let reference_s: f64 = waits.sum();
        let queues = shown.iter().flat_map(|data| data["queues"].as_object().unwrap().values());
        let sums = queues.map(|queue| {
            let answered = queue["answered_today"].as_f64().unwrap();
            queue["asa_today_s"].as_f64().map_or(0.0, |asa| asa * answered)
        });
        let shown_s: f64 = sums.sum();
        assert!(
            (shown_s - reference_s).abs() < 0.01,
            "{day}: {shown_s} s waited, not {reference_s}"
        );
    }
}
