//! A real month, day by day: each day adds up and is played in lockstep as by the pure loop (two in
//! the short form), and what is inferred of three of its days is held against what somebody else
//! inferred of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{adds_up, json, support};
use atalaya::replay::raw::account::Account;
use atalaya::replay::raw::{Log, Recorded};
use atalaya::replay::run_day;
use atalaya::simulation::pure::run;
use atalaya::simulation::scenario::Scenario;
use atalaya_domain::time::Span;
use jiff::civil::Date;
use serde_json::to_value;

const NONE: &str = "the month's log is not beside the project (ATALAYA_SHARED)";
/// Played in the short form: a Saturday and a Friday, whose calls are few.
const SHORT: [i8; 2] = [6, 12];

fn data() -> Option<PathBuf> {
    let shared = std::env::var_os("ATALAYA_SHARED").map_or("../shared".into(), PathBuf::from);
    let data = shared.join("data");
    data.join("bank_calls_1999_02.csv").is_file().then_some(data)
}

fn log(data: &Path) -> Log {
    Log::read(&data.join("bank_calls_1999_02.csv")).unwrap()
}

fn day(log: &Log, day: i8) -> Recorded {
    log.day(Some(Date::new(1999, 2, day).unwrap())).unwrap()
}

#[test]
fn every_day_of_the_month_adds_up() {
    let name = "every_day_of_the_month_adds_up";
    let Some(data) = data() else { return support::skip(name, NONE) };
    let log = log(&data);
    let calls = calls(&data);
    let (mut of_days, mut record) = (0, [0, 0]);
    for number in 1..=28 {
        let Recorded { scenario, account } = day(&log, number);
        assert_eq!(u64::try_from(scenario.contacts.len()).unwrap(), account.taken_in);
        let all = account.waits.last().unwrap().record;
        assert_eq!(all.answered + all.abandoned, account.taken_in);
        let left_out: u64 = account.left_out.values().map(|few| few.calls).sum();
        assert_eq!(account.taken_in + left_out, account.lines.of_day, "{}", account.day);
        assert_eq!(account.lines.of_day + account.lines.of_other_days, 33_344);
        of_days += account.lines.of_day;
        record = [record[0] + all.answered, record[1] + all.abandoned];
        patience_is_as_recorded_or_longer(&calls, &scenario);
    }
    assert_eq!((of_days, record), (33_344, [26_671, 3_963]));
}

/// Those who hung up leave when they did, nobody who was answered before they were.
fn patience_is_as_recorded_or_longer(calls: &Calls, scenario: &Scenario) {
    for contact in &scenario.contacts {
        let (outcome, wait) = &calls[&contact.id];
        let patience = contact.patience.map(|patience| patience.0 / 1_000_000);
        match outcome.as_str() {
            "HANG" => assert_eq!(patience, Some(*wait), "{contact:?}"),
            _ => assert!(patience.is_none_or(|patience| *wait < patience), "{contact:?}"),
        }
    }
}

/// Outcome and time in the queue of each call.
type Calls = BTreeMap<String, (String, i64)>;

fn calls(data: &Path) -> Calls {
    let mut reader = csv::Reader::from_path(data.join("bank_calls_1999_02.csv")).unwrap();
    let calls = reader.records().map(|call| {
        let call = call.unwrap();
        (call[0].to_owned(), (call[17].to_owned(), call[15].parse().unwrap()))
    });
    calls.collect()
}

#[test]
fn a_day_in_lockstep_is_the_pure_loops_and_always_the_same() {
    let name = "a_day_in_lockstep_is_the_pure_loops_and_always_the_same";
    let Some(data) = data() else { return support::skip(name, NONE) };
    let log = log(&data);
    let (mut record, mut replayed) = ([0, 0], [0, 0]);
    for number in 1..=28 {
        if !support::long() && !SHORT.contains(&number) {
            continue;
        }
        let Recorded { scenario, account } = day(&log, number);
        let report = run_day(&scenario, None, &|_| ()).unwrap();
        let mut rows = run(&scenario).unwrap().rows();
        rows.sort_by(|a, b| a.contact.cmp(&b.contact));
        let mut outcomes = report.outcomes.clone();
        outcomes.sort_by(|a, b| a.contact.cmp(&b.contact));
        assert_eq!(rows.len(), outcomes.len(), "{}", account.day);
        for (row, outcome) in rows.iter().zip(&outcomes) {
            assert_eq!(row.contact, outcome.contact);
            let wait = outcome.wait().map(|wait| wait.0);
            assert_eq!((row.outcome, row.wait_us), (outcome.outcome, wait), "{}", row.contact);
            let agent = row.agent.as_ref().map(ToString::to_string);
            assert_eq!(agent, outcome.agent, "{}", row.contact);
        }
        let account = account.beside(&report.outcomes);
        adds_up(&serde_json::json!({
            "kpi": to_value(report.kpi()).unwrap(), "recorded": to_value(&account).unwrap()
        }));
        let all = account.waits.last().unwrap();
        eprintln!("{}: record {:?}\n            replay {:?}", account.day, all.record, all.replay);
        for (sums, of) in [(&mut record, all.record), (&mut replayed, all.replay)] {
            *sums = [sums[0] + of.answered, sums[1] + of.abandoned];
        }
    }
    assert_eq!(record.iter().sum::<u64>(), replayed.iter().sum::<u64>());
    eprintln!("answered and abandoned: record {record:?}, replay {replayed:?}");
}

#[test]
fn the_program_says_the_same_twice() {
    let name = "the_program_says_the_same_twice";
    let Some(data) = data() else { return support::skip(name, NONE) };
    let file = data.join("bank_calls_1999_02.csv");
    let report = json(&file, &[&"--day", &"1999-02-06"]);
    adds_up(&report);
    assert_eq!(report, json(&file, &[&"--day", &"1999-02-06"]));
}

/// The days were made scenarios by somebody else before, from the same log: with instants moved by
/// parts of a second so that none are equal, services and waits of 0 s made 1 s, contacts whose
/// service went past midnight left out, and skills by what an agent took in a longer time.
#[test]
fn what_is_inferred_is_what_somebody_else_inferred_but_for_what_is_known() {
    let name = "what_is_inferred_is_what_somebody_else_inferred_but_for_what_is_known";
    let Some(data) = data() else { return support::skip(name, NONE) };
    let log = log(&data);
    for (number, past_midnight) in [(9, &[][..]), (10, &["13323", "13327"]), (12, &[])] {
        let Recorded { scenario, account } = day(&log, number);
        let theirs = data.join("replay").join(format!("{}_contacts.csv", account.day));
        let theirs = table(&theirs, "rec");
        let mut ours: BTreeMap<&str, _> =
            scenario.contacts.iter().map(|contact| (contact.id.as_str(), contact)).collect();
        let mut only_ours: BTreeSet<_> = ours.keys().copied().collect();
        only_ours.retain(|rec| !theirs.contains_key(*rec));
        assert_eq!(only_ours, past_midnight.iter().copied().collect(), "{}", account.day);
        ours.retain(|rec, _| !only_ours.contains(rec));
        assert_eq!(ours.len(), theirs.len(), "{}", account.day);
        for (rec, ours) in ours {
            let theirs = &theirs[rec];
            let seconds = |column: &str| theirs[column].parse::<f64>().unwrap();
            let theirs_at = match rec {
                // The clock went past midnight in its VRU: it came a day later than they say.
                "13330" => seconds("arrived_s") + 86_400.0,
                _ => seconds("arrived_s"),
            };
            let apart = theirs_at - ours.at.since(scenario.start).as_seconds();
            assert!((0.0..1.0).contains(&apart), "{rec}: {theirs:?}");
            assert_eq!(
                (ours.queue.as_str(), ours.priority.as_str()),
                (&*theirs["type"], &*theirs["priority"])
            );
            if theirs["service_origin"] == "recorded" {
                assert_eq!(whole(ours.service), theirs["service_s"], "{rec}");
            }
            if theirs["patience_origin"] == "recorded" {
                assert_eq!(whole(ours.patience.unwrap()), theirs["patience_s"], "{rec}");
            }
        }
        the_staff_is_alike(&data, &account);
    }
}

/// Seconds, as they write them: none is 0.
fn whole(span: Span) -> String {
    (span.0 / 1_000_000).max(1).to_string()
}

fn the_staff_is_alike(data: &Path, account: &Account) {
    let path = data.join("replay").join(format!("{}_agents.csv", account.day));
    let theirs = table(&path, "window");
    let mut windows: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for window in theirs.values() {
        let (from, to) = (window["from_s"].parse().unwrap(), window["to_s"].parse().unwrap());
        // Where a service has no beginning, they have a window in the first second of the day.
        if (from, to) != (0.0, 1.0) {
            windows.entry(&window["agent"]).or_default().push((from, to));
        }
    }
    let names: Vec<_> = account.agents.iter().map(|agent| agent.agent.as_str()).collect();
    assert_eq!(names, windows.keys().copied().collect::<Vec<_>>(), "{}", account.day);
    let (mut ours, mut theirs, mut there) = (0, 0, (0.0, 0.0));
    for agent in &account.agents {
        let windows = &windows[agent.agent.as_str()];
        ours += agent.windows;
        theirs += u64::try_from(windows.len()).unwrap();
        let theirs_s: f64 = windows.iter().map(|(from, to)| to - from).sum();
        there = (there.0 + agent.there_s, there.1 + theirs_s);
        if agent.windows != u64::try_from(windows.len()).unwrap() {
            let theirs = windows.len();
            eprintln!(
                "{} {}: {} windows, theirs {theirs}",
                account.day, agent.agent, agent.windows
            );
        }
    }
    eprintln!("{}: {ours} windows, theirs {theirs}; {there:?} s", account.day);
    // Theirs begin where their instants were moved to, up to some seconds sooner.
    assert!((there.0 / there.1 - 1.0).abs() < 0.01, "{}: {there:?}", account.day);
    assert!(ours.abs_diff(theirs) <= 2, "{}: {ours} windows, theirs {theirs}", account.day);
}

/// A table by one of its columns.
fn table(path: &Path, key: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    rows.into_iter().map(|row| (row[key].clone(), row)).collect()
}
