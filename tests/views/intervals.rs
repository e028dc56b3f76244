//! Rows by interval over random lives, against a second reckoning made from the states alone; the
//! lists behind the figures; and where intervals lie when clocks change.

use std::collections::BTreeMap;

use atalaya::views::{By, Cell, CellKey, CountedIn, Plan, PlanError, Scope, Wallboard};
use atalaya_domain::EntityId;
use atalaya_domain::contact::{Contact, State as Place};
use atalaya_domain::ids::ContactId;
use atalaya_domain::kpi::{Counts, Treatment, service_level};
use atalaya_domain::time::{Span, Timestamp};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::life::{Life, QUEUES, madrid, queue_id};

/// Lives in the short form; `ATALAYA_VIEWS_LIVES` says how many in the long one.
const LIVES: u32 = 24;
const STEPS_MAX: usize = 80;
/// How far back the rows are looked at after each step; all are at the end.
const LOOKED_AT: Span = Span::seconds(6 * 3_600);
const QUARTER: i64 = 900_000_000;

fn config() -> ProptestConfig {
    let asked = std::env::var("ATALAYA_VIEWS_LIVES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(LIVES),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// All that is kept of a life's report: the board, and the cells that have left it.
struct Kept {
    board: Wallboard,
    cells: BTreeMap<CellKey, Vec<u8>>,
}

impl Kept {
    /// Cells that are done leave memory, as they do when the picture has them.
    fn leave(&mut self) {
        let done = self.board.done_cells();
        self.board.drop_cells(done.keys());
        for (key, bytes) in done {
            assert_eq!(self.cells.insert(key, bytes), None, "a cell is done once");
        }
    }

    /// By interval and queue, and the sums.
    fn rows(&self, life: &Life, by: By) -> (Vec<Value>, Value) {
        self.rows_since(at("2026-03-02T07:00:00Z"), life, by)
    }

    fn rows_since(&self, from: Timestamp, life: &Life, by: By) -> (Vec<Value>, Value) {
        let plan = Plan::new(from, life.now.plus(Span::seconds(1)), by, madrid()).unwrap();
        let (from, to) = plan.quarters();
        let mut cells = self.board.cells_at(from, to, None);
        for (key, bytes) in &self.cells {
            cells.found(key.clone(), Cell::kept(bytes).unwrap());
        }
        let report = plan.report(&cells).unwrap();
        let (items, totals) = report.json();
        same_as_lines(&report.csv(), &items, &totals);
        (items.as_array().unwrap().clone(), totals)
    }
}

/// S86: lines say what JSON says.
fn same_as_lines(csv: &str, items: &Value, totals: &Value) {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<&Value> = items.as_array().unwrap().iter().chain([totals]).collect();
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), rows.len());
    for (line, row) in lines.iter().zip(rows) {
        assert_eq!(row.as_object().unwrap().len(), names.len());
        for (name, text) in names.iter().zip(line.split(',')) {
            let value = match &row[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(*text, value, "{name} of {line}");
        }
    }
}

/// S87, of a row.
fn conserved(row: &Value) {
    let of = |name: &str| row[name].as_u64().unwrap();
    let gone = ["answered", "abandoned", "refused", "overflowed_out", "callbacks"];
    let gone: u64 = gone.into_iter().map(of).sum();
    assert_eq!(of("offered"), gone + of("transferred_out") + of("still_waiting"), "{row:#}");
}

/// The row of `queue` from `from` on, reckoned from the contacts.
fn second_reckoning(life: &Life, queue: &str, from: Timestamp, to: Timestamp) -> Value {
    let is_of = |contact: &&Contact| {
        contact.entered.as_ref().is_some_and(|entered| entered.queue.as_str() == queue)
            && (from..to).contains(&contact.arrived_at)
    };
    let all: Vec<&Contact> = life.contacts().map(|(_, contact)| contact).filter(is_of).collect();
    let count = |wanted: &dyn Fn(&Contact) -> bool| {
        u64::try_from(all.iter().filter(|contact| wanted(contact)).count()).unwrap()
    };
    let wait = |c: &Contact| c.answered_at.or(c.ended_at).unwrap_or(life.now).since(c.arrived_at);
    let within =
        |c: &Contact| c.entered.as_ref().unwrap().terms.within.is_some_and(|w| wait(c) <= w);
    let answered = |c: &Contact| c.answered_at.is_some();
    let abandoned = |c: &Contact| c.state == Place::Abandoned;
    let short = |c: &Contact| abandoned(c) && wait(c) <= Span::seconds(5);
    let counts = Counts {
        answered: count(&answered),
        answered_within: count(&|c| answered(c) && within(c)),
        abandoned: count(&abandoned),
        abandoned_within: count(&|c| abandoned(c) && within(c)),
        short_abandoned: count(&short),
    };
    let has_target = queue != "general";
    let level = |treatment| has_target.then(|| service_level(&counts, treatment)).flatten();
    let mean = |wanted: &dyn Fn(&Contact) -> bool, span: &dyn Fn(&Contact) -> Span| {
        let spans: Vec<i64> = all.iter().filter(|c| wanted(c)).map(|c| span(c).0).collect();
        let count = i64::try_from(spans.len()).unwrap();
        (count > 0).then(|| Span(spans.iter().sum::<i64>() / count).as_seconds())
    };
    let waits = |c: &Contact| answered(c) || abandoned(c);
    let counted = |c: &Contact| waits(c) || c.is_waiting();
    json!({
        "offered": count(&|_| true),
        "answered": counts.answered,
        "answered_within": counts.answered_within,
        "abandoned": counts.abandoned,
        "short_abandoned": counts.short_abandoned,
        "abandoned_within": counts.abandoned_within,
        "refused": count(&|c| matches!(c.state, Place::Refused { .. })),
        "still_waiting": count(&Contact::is_waiting),
        "service_level": level(Treatment::Standard),
        "service_level_abandons_ignored": level(Treatment::AbandonsIgnored),
        "service_level_abandons_in_time_count": level(Treatment::AbandonsInTimeCount),
        "asa_s": mean(&answered, &wait),
        "mean_wait_s": mean(&waits, &wait),
        "aht_s": mean(&|c| c.closed_at.is_some(), &|c| {
            c.closed_at.unwrap().since(c.answered_at.unwrap())
        }),
        "longest_wait_s": all.iter().filter(|c| counted(c)).map(|c| wait(c)).max().map(Span::as_seconds),
        "open": count(&|c| !c.is_over()),
    })
}

fn holds(life: &Life, row: &Value) {
    let instant = |name: &str| at(row[name].as_str().unwrap());
    let expected =
        second_reckoning(life, row["queue"].as_str().unwrap(), instant("from"), instant("to"));
    for (name, value) in expected.as_object().unwrap() {
        if name != "open" {
            assert_eq!(&row[name], value, "{name} of {row:#}");
        }
    }
    if row["closed"] == true {
        assert!(instant("to") <= life.now && expected["open"] == 0, "closed too early: {row:#}");
    }
}

fn all_hold(life: &Life, rows: &[Value]) {
    for row in rows {
        holds(life, row);
    }
}

type Name = (String, String);

fn name_of(row: &Value) -> Name {
    (row["from"].as_str().unwrap().to_owned(), row["queue"].as_str().unwrap().to_owned())
}

/// A closed row is what it was; one that is closed for the first time is remembered.
fn closed_rows_stand(rows: &[Value], closed: &mut BTreeMap<Name, Value>) -> usize {
    for row in rows {
        if row["closed"] == true {
            let first = closed.entry(name_of(row)).or_insert_with(|| row.clone());
            assert_eq!(first, row, "a closed row has changed");
        } else {
            assert!(!closed.contains_key(&name_of(row)), "it is not closed any more: {row:#}");
        }
    }
    rows.iter().filter(|row| row["closed"] == true).count()
}

proptest! {
    #![proptest_config(config())]

    /// Every row at every entry; closed rows for good, over a start in between and a fold of the
    /// whole log.
    #[test]
    fn rows_hold_at_every_entry(
        steps in prop::collection::vec(any::<(u8, u8, u8)>(), 1..STEPS_MAX),
        start in any::<prop::sample::Index>(),
    ) {
        let mut life = Life::new();
        let mut closed = BTreeMap::new();
        let mut kept = Kept { board: life.board.clone(), cells: BTreeMap::new() };
        let start = start.index(steps.len());
        for (place, step) in steps.into_iter().enumerate() {
            let told = life.log.len();
            life.step(step);
            for folded in &life.log[told..] {
                kept.board.fold(folded.seq, &folded.recorded, &folded.before, &folded.after);
            }
            // Nothing is on its way between two steps.
            kept.board.roll_to(life.now);
            kept.board.settle(life.now);
            if place % 8 == 7 {
                kept.leave();
            }
            if place == start {
                let mut again = Wallboard::restore(&kept.board.keep(), madrid()).unwrap();
                for (id, contact) in life.contacts() {
                    again.found(id, contact);
                }
                prop_assert_eq!(&again, &kept.board);
                kept.board = again;
            }
            let since = life.now.minus(LOOKED_AT).max(at("2026-03-02T07:00:00Z"));
            let (rows, totals) = kept.rows_since(since, &life, By::Quarter);
            if place % 16 == 0 {
                all_hold(&life, &rows);
            }
            rows.iter().chain([&totals]).for_each(conserved);
            closed_rows_stand(&rows, &mut closed);
        }
        let (rows, totals) = kept.rows(&life, By::Quarter);
        let seen = closed_rows_stand(&rows, &mut closed.clone());
        prop_assert!(closed.len() <= seen, "a closed row is not closed any more");
        all_hold(&life, &rows);
        // The whole log again.
        let mut whole = Kept { board: Wallboard::new(madrid()), cells: BTreeMap::new() };
        for folded in &life.log {
            whole.board.fold(folded.seq, &folded.recorded, &folded.before, &folded.after);
        }
        whole.board.roll_to(life.now);
        whole.board.settle(life.now);
        prop_assert_eq!((rows, totals), whole.rows(&life, By::Quarter));
        for by in [By::Half, By::Hour, By::Day] {
            let (rows, totals) = kept.rows(&life, by);
            all_hold(&life, &rows);
            conserved(&totals);
            prop_assert_eq!((rows, totals), whole.rows(&life, by));
        }
    }

    /// The list behind each figure has as many as it says, and the right ones.
    #[test]
    fn every_figure_has_its_list(steps in prop::collection::vec(any::<(u8, u8, u8)>(), 1..STEPS_MAX)) {
        let mut life = Life::new();
        for (place, step) in steps.into_iter().enumerate() {
            life.step(step);
            life.board.roll_to(life.now);
            lists_hold(&life, &life.board);
            if place % 32 == 31 {
                let mut again = Wallboard::restore(&life.board.keep(), madrid()).unwrap();
                for (id, contact) in life.contacts() {
                    again.found(id, contact);
                }
                lists_hold(&life, &again);
            }
        }
    }
}

fn lists_hold(life: &Life, board: &Wallboard) {
    let data = board.data(Scope::All);
    for figure in CountedIn::figures() {
        let mut all = 0;
        for queue in QUEUES {
            let counted = CountedIn::parse(&format!("{queue}.{figure}")).unwrap();
            let list = board.counted_in(&counted).unwrap();
            assert_eq!(json!(list.len()), data["queues"][queue][&figure], "{queue}.{figure}");
            for id in &list {
                is_counted(life, *id, queue, &figure);
            }
            all += list.len();
        }
        let counted = CountedIn::parse(&format!("totals.{figure}")).unwrap();
        assert_eq!(board.counted_in(&counted).unwrap().len(), all);
        assert_eq!(json!(all), data["totals"][&figure], "totals.{figure}");
    }
}

/// What a contact is that the figure's list names.
fn is_counted(life: &Life, id: ContactId, queue: &str, figure: &str) {
    let contact = life.contacts().find(|(other, _)| *other == id).unwrap().1;
    assert_eq!(contact.entered.as_ref().unwrap().queue.as_str(), queue);
    let deed = figure.rsplit_once('_').map_or(figure, |(deed, _)| deed);
    let holds = match deed {
        "waiting" => contact.is_waiting(),
        "active" => matches!(contact.state, Place::Active { .. } | Place::Held { .. }),
        "offered" | "carried_over" => true,
        "answered" => contact.answered_at.is_some(),
        "abandoned" => contact.state == Place::Abandoned,
        "short_abandoned" => contact.is_short(contact.ended_at.unwrap()),
        "refused" => matches!(contact.state, Place::Refused { .. }),
        _ => false,
    };
    assert!(holds, "{figure}: {contact:?}");
}

#[test]
fn a_figure_without_a_list_is_none() {
    for word in [
        "waiting",
        "pensions",
        "pensions.ready",
        "totals.refused_15m",
        "pensions.offered",
        "pensions.offered_2h",
        "a b.waiting",
        ".waiting",
        "totals.service_level_today",
    ] {
        assert_eq!(CountedIn::parse(word), None, "{word}");
    }
    let dotted = CountedIn::parse("a.b_today.abandoned_today").unwrap();
    assert_eq!(dotted.queue().unwrap().as_str(), "a.b_today");
}

/// An event that has no figure (a late outcome) leaves a closed row as it is.
#[test]
fn a_late_outcome_changes_no_row() {
    use atalaya_domain::agent::Wish;
    use atalaya_domain::contact::{Command, Who};
    let mut life = Life::new();
    life.presence("ana", Wish::Ready);
    let contact = life.arrive("general", false);
    life.answer(contact, "ana");
    life.wait(60);
    life.contact(contact, Command::Complete { by: Who::System });
    life.wait(900);
    let kept = |life: &Life| {
        let mut board = life.board.clone();
        board.roll_to(life.now);
        board.settle(life.now);
        Kept { board, cells: BTreeMap::new() }
    };
    let (rows, _) = kept(&life).rows(&life, By::Quarter);
    let row = rows.iter().find(|row| row["offered"] == 1).unwrap();
    assert_eq!(row["closed"], true);
    let outcome = Some("resolved".to_owned());
    life.contact(contact, Command::EndWrapUp { by: Who::System, outcome, topic: None });
    let (after, _) = kept(&life).rows(&life, By::Quarter);
    assert!(after.contains(row));
}

/// Where the intervals between `from` and `to` begin and end.
fn intervals(from: &str, to: &str, by: By, zone: &str) -> Vec<(String, String)> {
    let mut life = Life::new();
    life.board.roll_to(life.now);
    let zone = TimeZone::get(zone).unwrap();
    let plan = Plan::new(at(from), at(to), by, zone).unwrap();
    let (first, end) = plan.quarters();
    let one = queue_id("general");
    let cells = life.board.cells_at(first, end, Some(&one));
    let (items, totals) = plan.report(&cells).unwrap().json();
    assert_eq!(totals["queue"], "totals");
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    items.as_array().unwrap().iter().map(|row| (text(row, "from"), text(row, "to"))).collect()
}

/// S80.
#[test]
fn hours_where_clocks_change() {
    let hours = intervals(
        "2020-11-01T00:00:00-04:00",
        "2020-11-01T03:00:00-05:00",
        By::Hour,
        "America/Montreal",
    );
    let begins: Vec<&str> = hours.iter().map(|(from, _)| from.as_str()).collect();
    assert_eq!(
        begins,
        [
            "2020-11-01T00:00:00-04:00",
            "2020-11-01T01:00:00-04:00",
            "2020-11-01T01:00:00-05:00",
            "2020-11-01T02:00:00-05:00",
        ]
    );
    assert_eq!(hours[3].1, "2020-11-01T03:00:00-05:00");
    let madrid = |from, to, by| intervals(from, to, by, "Europe/Madrid");
    let long = ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
    assert_eq!(madrid(long.0, long.1, By::Hour).len(), 25);
    assert_eq!(madrid(long.0, long.1, By::Quarter).len(), 100);
    assert_eq!(madrid(long.0, long.1, By::Day), [(long.0.to_owned(), long.1.to_owned())]);
    let short = ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00");
    assert_eq!(madrid(short.0, short.1, By::Hour).len(), 23);
    assert_eq!(madrid(short.0, short.1, By::Half).len(), 46);
    assert_eq!(madrid(short.0, short.1, By::Day), [(short.0.to_owned(), short.1.to_owned())]);
    // A part of an interval is the whole of it; nothing is nothing.
    let part = madrid("2026-03-02T08:07:00Z", "2026-03-02T08:08:00Z", By::Hour);
    assert_eq!(part, [("2026-03-02T09:00:00+01:00".into(), "2026-03-02T10:00:00+01:00".into())]);
    assert!(madrid("2026-03-02T08:07:00Z", "2026-03-02T08:07:00Z", By::Day).is_empty());
    // Half an hour is a zone's hour too, and clocks that go back by it give half a row.
    let kathmandu =
        intervals("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z", By::Hour, "Asia/Kathmandu");
    assert_eq!(kathmandu[0].0, "2026-03-02T05:00:00+05:45");
    let howe = ("2026-04-05T01:00:00+11:00", "2026-04-05T03:00:00+10:30");
    assert_eq!(intervals(howe.0, howe.1, By::Hour, "Australia/Lord_Howe").len(), 3);
}

#[test]
fn what_makes_no_rows_says_why() {
    let new = |from, to, by, zone: &str| {
        Plan::new(at(from), at(to), by, TimeZone::get(zone).unwrap()).map(|plan| plan.quarters())
    };
    let day = ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    assert_eq!(new(day.1, day.0, By::Hour, "UTC"), Err(PlanError::Backwards));
    assert_eq!(new(day.0, "2036-03-03T00:00:00Z", By::Quarter, "UTC"), Err(PlanError::TooMany));
    let old = ("1880-03-02T00:00:00Z", "1880-03-03T00:00:00Z");
    assert_eq!(new(old.0, old.1, By::Day, "America/Montreal"), Err(PlanError::Uneven));
    let quarters = new(day.0, day.1, By::Day, "UTC").unwrap();
    assert_eq!(quarters.1 - quarters.0, 96);
    assert_eq!(quarters.0 * QUARTER, at(day.0).0);
}

/// What has left memory is what it was: of a day that is past nothing is left in it.
#[test]
fn memory_holds_what_is_not_done() {
    let mut life = Life::new();
    for _ in 0..96 {
        life.arrive("general", true);
        life.wait(900);
    }
    assert_eq!(life.board.cells_here(), 96);
    let waits = life.arrive("pensions", false);
    life.wait(2 * 86_400);
    life.arrive("general", true);
    let done = life.board.done_cells();
    assert_eq!(done.len(), 96);
    life.board.drop_cells(done.keys());
    assert_eq!(life.board.cells_here(), 2);
    let out: EntityId = waits.into();
    life.board.alert(&out, "its machine panicked", life.now);
    assert!(life.board.done_cells().is_empty(), "who is out of service has not ended");
}
