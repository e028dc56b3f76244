//! The rules of dashboards, those of Grafana's own linter among them, and of alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::files::{dashboards, panels, prometheus, rules, selectors};

/// Columns of a dashboard.
const COLUMNS: u64 = 24;
const TITLES: [(&str, &str); 4] = [
    ("agents", "Atalaya / Agents by team"),
    ("centre", "Atalaya / Centre"),
    ("queue", "Atalaya / Queue"),
    ("system", "Atalaya / System"),
];

/// What is wrong with a dashboard, each with its place.
fn complaints(name: &str, dashboard: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{name}: {what}"));
        }
    };
    hold(dashboard["uid"] == format!("atalaya-{name}"), "uid is not fixed to its file's name");
    hold(dashboard["id"].is_null(), "id is of one installation: null");
    hold(dashboard["editable"] == false, "is editable");
    hold(dashboard["description"].as_str().is_some_and(is_sentence), "has no description");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let of = |wanted: &str| variables.iter().find(|variable| variable["name"] == wanted);
    let source = of("datasource").unwrap_or(&Value::Null);
    hold(source["type"] == "datasource" && source["query"] == "prometheus", "no data source");
    let job = of("job").unwrap_or(&Value::Null);
    hold(job["type"] == "query" && job["multi"] == true, "no variable job of several values");
    hold(job["allValue"] == ".+", "all jobs are not .+");
    for variable in variables {
        let named = &variable["name"];
        hold(variable["label"].as_str().is_some_and(|label| !label.is_empty()), "no label");
        if variable["type"] == "query" {
            hold(
                is_ours(&variable["datasource"]),
                &format!("{named} has a data source of its own"),
            );
            hold(variable["refresh"] == 2, &format!("{named} stands when the time range changes"));
        }
    }
    let mut titles = BTreeSet::new();
    for panel in panels(dashboard) {
        let title = panel["title"].as_str().unwrap_or_default();
        hold(titles.insert(title), &format!("{title}: two panels of one name"));
        for what in panel_complaints(panel) {
            hold(false, &format!("{title}: {what}"));
        }
    }
    for what in overlaps(dashboard["panels"].as_array().unwrap()) {
        hold(false, &what);
    }
    found
}

fn is_sentence(text: &str) -> bool {
    text.len() > 10 && text.ends_with('.')
}

fn is_ours(source: &Value) -> bool {
    *source == json!({"type": "prometheus", "uid": "${datasource}"})
}

fn panel_complaints(panel: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    hold(panel["title"].as_str().is_some_and(|title| !title.is_empty()), "no title");
    hold(panel["description"].as_str().is_some_and(is_sentence), "no description");
    let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
    hold(unit.is_some_and(|unit| !unit.is_empty()), "no unit");
    hold(is_ours(&panel["datasource"]), "a data source of its own");
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    hold(!targets.is_empty(), "no query");
    for target in &targets {
        let text = target["expr"].as_str().unwrap_or_default();
        hold(is_ours(&target["datasource"]), "a query with a data source of its own");
        hold(!text.is_empty(), "an empty query");
        for selector in selectors(text) {
            let asks = selector.matchers.contains("job=~\"$job\"");
            hold(asks, &format!("{} does not ask for $job", selector.text()));
        }
        for range in text.split('[').skip(1) {
            let range = range.split(']').next().unwrap_or_default();
            let what = format!("[{range}] is not [$__rate_interval]: record it as a rule");
            hold(range == "$__rate_interval", &what);
        }
    }
    found
}

/// Panels that lie over each other or over the edge.
fn overlaps(panels: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap_or_default();
        if !ids.insert(panel["id"].as_u64().unwrap()) {
            found.push(format!("{title}: its id is another's"));
        }
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        let (x, y, width, height) = (at("x"), at("y"), at("w"), at("h"));
        if COLUMNS < x + width || width * height == 0 {
            found.push(format!("{title}: over the edge"));
        }
        for place in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            if let Some(other) = taken.insert(place, title) {
                found.push(format!("{title}: lies over {other} at {place:?}"));
                break;
            }
        }
    }
    found
}

#[test]
fn dashboards_keep_the_rules() {
    let all = dashboards();
    let title = |one: &Value| one["title"].as_str().unwrap().to_owned();
    let titles: Vec<_> = all.iter().map(|(name, one)| (name.clone(), title(one))).collect();
    let titles: Vec<_> = titles.iter().map(|(name, title)| (&**name, &**title)).collect();
    assert_eq!(titles, TITLES);
    let found: Vec<_> = all.iter().flat_map(|(name, one)| complaints(name, one)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Each rule bites: what is broken is complained of.
#[test]
fn a_broken_dashboard_is_complained_of() {
    let (name, whole) = dashboards().remove(1);
    assert_eq!(complaints(&name, &whole), [""; 0]);
    let first = 1;
    let target = format!("/panels/{first}/targets/0");
    let breaks: [(String, Value, &str); 11] = [
        ("/uid".into(), json!("x"), "uid"),
        ("/editable".into(), json!(true), "editable"),
        ("/templating/list/0/query".into(), json!("loki"), "data source"),
        ("/templating/list/1/name".into(), json!("jobs"), "job"),
        (format!("/panels/{first}/title"), json!(""), "title"),
        (format!("/panels/{first}/description"), json!(""), "description"),
        (format!("/panels/{first}/fieldConfig/defaults/unit"), json!(""), "unit"),
        (format!("{target}/datasource/uid"), json!("abc"), "data source"),
        (format!("{target}/expr"), json!("sum(atalaya_queue_waiting)"), "$job"),
        (format!("{target}/expr"), json!("rate(atalaya_x{job=~\"$job\"}[5m])"), "[5m]"),
        (format!("/panels/{first}/gridPos/w"), json!(5), "lies over"),
    ];
    for (place, value, wanted) in breaks {
        let mut broken = whole.clone();
        *broken.pointer_mut(&place).unwrap() = value;
        let found = complaints(&name, &broken);
        assert!(found.iter().any(|what| what.contains(wanted)), "{place}: {found:?}");
    }
}

#[test]
fn alerts_say_what_is_so_and_what_to_do_and_are_tried_both_ways() {
    let tests = fs::read_to_string(prometheus("atalaya.tests.yml")).unwrap();
    let mut tried: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    let mut lines = tests.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if let Some(alert) = line.strip_prefix("alertname: ") {
            let fires = lines.peek() == Some(&"exp_alerts:");
            assert!(fires || lines.peek() == Some(&"exp_alerts: []"), "{alert}: no expectation");
            tried.entry(alert).or_default().insert(fires);
        }
    }
    let alerts: Vec<_> = rules().into_iter().filter(|rule| rule.is_alert).collect();
    assert!(alerts.len() > 10);
    for alert in &alerts {
        let name = &alert.name;
        let line = |key: &str| {
            let mut lines = alert.block.lines().map(str::trim);
            lines.find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned()
        };
        assert!(["critical", "warning"].contains(&line("severity: ").as_str()), "{name}");
        for key in ["summary: ", "description: ", "action: "] {
            assert!(line(key).len() > 20, "{name} has no {key}");
        }
        let both = BTreeSet::from([false, true]);
        assert_eq!(tried.get(name.as_str()), Some(&both), "{name}: silent and firing are tried");
    }
}
