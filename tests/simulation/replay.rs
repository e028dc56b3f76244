//! Recorded days: the pure loop and the server's actors in lockstep, against the reference.

use std::collections::BTreeMap;

use super::actors::through_the_actors;
use super::days::{DAYS, NONE, data, reference};
use atalaya::replay::Progress;
use atalaya::simulation::pure::{Row, run};
use atalaya::simulation::scenario;
use atalaya_domain::ids::AgentId;

fn differences(got: &[Row], wanted: &BTreeMap<String, Row>) -> Vec<String> {
    assert_eq!(got.len(), wanted.len(), "as many contacts");
    got.iter()
        .filter(|row| wanted.get(&row.contact) != Some(row))
        .map(|row| format!("{row:?}\n  wanted {:?}", wanted.get(&row.contact)))
        .collect()
}

fn each_day(name: &str, check: impl Fn(&scenario::Scenario, &BTreeMap<String, Row>, &str)) {
    let Some(data) = data() else {
        crate::support::skip(name, NONE);
        return;
    };
    for day in DAYS {
        for (suffix, by_person) in [("", false), ("_by_person", true)] {
            let file = format!("{day}{suffix}");
            let scenario = scenario::read(&data.join(format!("{file}.toml"))).unwrap();
            check(&scenario, &reference(&data, day, by_person), &file);
        }
    }
}

#[test]
fn the_pure_loop_equals_the_reference() {
    each_day("the_pure_loop_equals_the_reference", |scenario, wanted, file| {
        let run = run(scenario).unwrap();
        let wrong = differences(&run.rows(), wanted);
        eprintln!("{file}: {} contacts, {} events", run.rows().len(), run.events.len());
        assert!(
            wrong.is_empty(),
            "{file}: {} differ\n{}",
            wrong.len(),
            wrong[..wrong.len().min(5)].join("\n")
        );
    });
}

#[test]
fn the_actors_in_lockstep_equal_the_pure_loop() {
    each_day("the_actors_in_lockstep_equal_the_pure_loop", |scenario, wanted, file| {
        let (rows, events) = through_the_actors(scenario);
        let wrong = differences(&rows, wanted);
        assert!(wrong.is_empty(), "{file}: {} differ", wrong.len());
        let pure = run(scenario).unwrap().events;
        for (number, (actors, pure)) in events.iter().zip(&pure).enumerate() {
            assert_eq!(actors, pure, "{file}: event {}", number + 1);
        }
        assert_eq!(events.len(), pure.len(), "{file}");
        eprintln!("{file}: {} contacts, {} events", rows.len(), events.len());
    });
}

#[test]
fn a_day_is_read_back_from_its_log() {
    each_day("a_day_is_read_back_from_its_log", |scenario, wanted, file| {
        // A sync a wait makes this slow: the other days are the long form's.
        if !file.starts_with("1999-02-12") && !crate::support::long() {
            return;
        }
        let data = data().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let day = data.join(format!("{file}.toml"));
        let told = atalaya::replay::run(&day, Some(dir.path()), &|_| ()).unwrap();
        let mut kept = atalaya::replay::read_back(dir.path()).unwrap();
        assert_eq!(kept.len(), scenario.contacts.len(), "{file}");
        kept.sort_by(|a, b| a.contact.cmp(&b.contact));
        let mut outcomes = told.outcomes;
        outcomes.sort_by(|a, b| a.contact.cmp(&b.contact));
        for (kept, told) in kept.iter().zip(&outcomes) {
            let wanted = &wanted[&kept.contact];
            assert_eq!(kept.wait().map(|wait| wait.0), wanted.wait_us, "{file} {}", kept.contact);
            assert_eq!(kept.outcome, wanted.outcome, "{file} {}", kept.contact);
            let agent = wanted.agent.as_ref().map(AgentId::as_str);
            assert_eq!(kept.agent.as_deref(), agent, "{file} {}", kept.contact);
            assert_eq!((kept.answered, kept.ended), (told.answered, told.ended), "{file}");
        }
        let again = atalaya::replay::run(&day, Some(dir.path()), &|_| ()).unwrap_err();
        assert!(again.to_string().contains("name an empty folder"), "{again}");
    });
}

#[test]
fn a_day_in_lockstep_tells_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let day = dir.path().join("day.toml");
    std::fs::write(&day, DAY).unwrap();
    let told = std::cell::RefCell::new(Vec::new());
    let tell = |progress: &Progress| told.borrow_mut().push(progress.clone());
    atalaya::replay::run(&day, None, &tell).unwrap();
    let told = told.into_inner();
    let (first, last) = (told.first().unwrap(), told.last().unwrap());
    assert_eq!((first.arrived, first.of), (0, 2));
    assert_eq!((last.arrived, last.of, last.answered, last.abandoned), (2, 2, 1, 1));
    assert!(first.at < last.at, "{told:?}");

    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_atalaya"));
    let ran = program.args(["replay", "--speed", "0"]).arg(&day).output().unwrap();
    let words = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && words.is_empty(), "only a terminal is told: {words}");
}

/// Two call, and the one agent speaks with one of them for longer than the other waits.
const DAY: &str = r#"
[scenario]
name = "two"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T09:00:00Z"
[[queue]]
id = "q"
[[agents]]
id = "ana"
[[contact]]
id = "one"
at = "1s"
queue = "q"
service = "5m"
[[contact]]
id = "two"
at = "2s"
queue = "q"
service = "5m"
patience = "20s"
"#;
