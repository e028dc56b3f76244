//! Recorded contacts: exact, in order, and refused with the line that is broken.
//!
//! The recorded days themselves are read where they are there; figures of theirs are not here.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/days.rs"]
mod days;
mod support;

use std::fmt::Write as _;
use std::path::Path;

use atalaya::simulation::scenario::{Scenario, read};
use expect_test::expect;

const HEAD: &str = r#"[scenario]
name = "one morning"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T15:00:00Z"
"#;

const COLUMNS: &str = r#"
[[queue]]
id = "q"

[[contact]]
id = "c1"
at = "1s"
queue = "q"
service = "1s"

[recorded]
file = "calls.csv"
columns = { arrived = "t", service = "s", queue = "q", patience = "p", priority = "class" }
"#;

fn recorded(rows: &[u8], columns: &str) -> Result<Scenario, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("calls.csv"), rows).unwrap();
    let path = folder.path().join("day.toml");
    std::fs::write(&path, format!("{HEAD}{columns}")).unwrap();
    read(&path)
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn recorded_contacts_are_exact_and_come_after_single_ones() {
    let rows = "t,s,q,p,class\n\
                2026-03-02T08:00:02Z,0.000001,q,,\n\
                2026-03-02T08:00:01Z,71.25,q,26,high\n\
                2026-03-02T15:00:00Z,1,q,,\n\
                2026-03-02T08:00:01Z,1,q,0,low\n";
    let day = recorded(rows.as_bytes(), COLUMNS).unwrap();
    let contacts: Vec<_> = day
        .contacts
        .iter()
        .map(|c| (c.id.as_str(), c.service.0, c.patience.map(|p| p.0), c.priority.as_str()))
        .collect();
    assert_eq!(
        contacts,
        [
            ("c1", 1_000_000, None, "normal"),
            ("k2", 71_250_000, Some(26_000_000), "high"),
            ("k4", 1_000_000, Some(0), "low"),
            ("k1", 1, None, "normal"),
        ]
    );
}

#[test]
fn a_broken_row_refuses_the_scenario() {
    let fine = "2026-03-02T08:00:02Z,1,q,,";
    let mut said = String::new();
    for row in [
        "2026-03-02T08:00:02Z,1,q,",
        "soon,1,q,,",
        "2026-03-01T08:00:02Z,1,q,,",
        "2026-03-02T08:00:02Z,,q,,",
        "2026-03-02T08:00:02Z,-1,q,,",
        "2026-03-02T08:00:02Z,1e3,q,,",
        "2026-03-02T08:00:02Z,1.0000001,q,,",
        "2026-03-02T08:00:02Z,1,r,,",
        "2026-03-02T08:00:02Z,1,q,x,",
        "2026-03-02T08:00:02Z,1,q,,top",
    ] {
        let rows = format!("t,s,q,p,class\n{fine}\n{row}\n{fine}\n");
        let error = recorded(rows.as_bytes(), COLUMNS).map(|_| "taken").unwrap_err();
        writeln!(said, "{row}\n  {error}").unwrap();
    }
    let error = recorded(b"t,s,q,p,class\n\xff,1,q,,\n", COLUMNS).map(|_| "taken").unwrap_err();
    writeln!(said, "not UTF-8\n  {error}").unwrap();
    for (old, new) in [
        ("\"calls.csv\"", "\"call.csv\""),
        ("arrived = \"t\"", "arrived = \"start\""),
        ("arrived = \"t\", ", ""),
        ("arrived = \"t\"", "arrived = \"t\", agent = \"a\""),
        ("priority = \"class\"", "contact = \"q\""),
        ("\"c1\"", "\"k1\""),
    ] {
        let rows = format!("t,s,q,p,class\n{fine}\n{fine}\n");
        let columns = COLUMNS.replace(old, new);
        let error = recorded(rows.as_bytes(), &columns).map(|_| "taken").unwrap_err();
        writeln!(said, "{new}\n  {error}").unwrap();
    }
    expect![[r#"
        2026-03-02T08:00:02Z,1,q,
          calls.csv:3: the row has 4 values and the header 5: make them equal
        soon,1,q,,
          calls.csv:3: `t`: `soon` is no RFC 3339 instant: write one like "2026-03-02T08:00:00.5Z"
        2026-03-01T08:00:02Z,1,q,,
          calls.csv:3: `t`: `2026-03-01T08:00:02Z` comes before the scenario's start: start earlier or take the row out
        2026-03-02T08:00:02Z,,q,,
          calls.csv:3: `s`: `` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,-1,q,,
          calls.csv:3: `s`: `-1` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1e3,q,,
          calls.csv:3: `s`: `1e3` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1.0000001,q,,
          calls.csv:3: `s`: `1.0000001` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1,r,,
          calls.csv:3: `q`: `r` is no queue of the scenario: add a [[queue]] of this id
        2026-03-02T08:00:02Z,1,q,x,
          calls.csv:3: `p`: `x` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1,q,,top
          calls.csv:3: `class`: `top` is no class of priority: add it to [priorities]
        not UTF-8
          calls.csv:2: the row is not UTF-8: save the file as UTF-8
        "call.csv"
          day.toml:16: `file`: cannot read `call.csv`: No such file or directory (os error 2): name a file relative to the scenario
        arrived = "start"
          day.toml:17: `arrived`: `calls.csv` has no column `start`: name one of `t`, `s`, `q`, `p`, `class`

          day.toml:17: `arrived` is missing: write it in this table
        arrived = "t", agent = "a"
          day.toml:17: `agent` is not a key of this table: it takes `arrived`, `service`, `queue`, `patience`, `priority`, `contact`, `language`
        contact = "q"
          calls.csv:3: `q` is an id of two contacts: rename one
        "k1"
          calls.csv:2: `k1` is an id of two contacts: rename one
    "#]].assert_eq(&said);
}

/// Values of a column, in file order.
fn column(path: &Path, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let at = reader.headers().unwrap().iter().position(|title| title == name).unwrap();
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

#[test]
fn the_recorded_days_are_taken_whole() {
    let Some(folder) = days::data() else {
        return support::skip("the_recorded_days_are_taken_whole", days::NONE);
    };
    for day in days::DAYS {
        let ids = column(&folder.join(format!("{day}_contacts.csv")), "contact");
        let windows = folder.join(format!("{day}_agents.csv"));
        let mut people = column(&windows, "agent");
        people.sort();
        people.dedup();
        for (form, agents) in [("", column(&windows, "window")), ("_by_person", people)] {
            let path = folder.join(format!("{day}{form}.toml"));
            let scenario = read(&path).unwrap_or_else(|error| panic!("{error}"));
            let found: Vec<_> = scenario.agents.iter().map(|agent| agent.id.as_str()).collect();
            assert_eq!(found, agents, "agents of {}", path.display());
            let mut found: Vec<_> = scenario.contacts.iter().map(|c| c.id.clone()).collect();
            assert!(scenario.contacts.is_sorted_by_key(|contact| contact.at));
            let mut ids = ids.clone();
            found.sort();
            ids.sort();
            assert_eq!(found, ids, "contacts of {}", path.display());
            assert!(scenario.agents.iter().all(|agent| !agent.manual));
        }
    }
}
