//! Prometheus' own checker over rules, alerts, their cases, the scrape file, and every query.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};

use crate::files::{filled, panel_queries, prometheus, rules, variable_queries};
use crate::support::{fixture, long, skip};

/// Runs promtool; `None`: the test is skipped.
fn promtool(test: &str, args: &[&str]) -> Option<Output> {
    let script = fixture("promtool.sh");
    if !Command::new(&script).arg("have").status().unwrap().success() {
        skip(test, "promtool is not here: tests/fixtures/promtool.sh install");
        return None;
    }
    Some(Command::new(script).arg("run").args(args).output().unwrap())
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn path(name: &str) -> String {
    prometheus(name).to_str().unwrap().to_owned()
}

#[test]
fn rules_and_alerts_are_sound() {
    let test = "rules_and_alerts_are_sound";
    let files = [path("atalaya.rules.yml"), path("atalaya.alerts.yml")];
    let args = ["check", "rules", "--lint=all", "--lint-fatal", &files[0], &files[1]];
    let Some(output) = promtool(test, &args) else { return };
    let words = said(&output);
    assert!(output.status.success(), "{words}");
    let is_alert = |wanted: bool| rules().iter().filter(|rule| rule.is_alert == wanted).count();
    for count in [is_alert(false), is_alert(true)] {
        assert!(words.contains(&format!("{count} rules found")), "{count}: {words}");
    }
}

#[test]
fn the_scrape_file_is_sound() {
    let args = ["check", "config", "--syntax-only", &path("prometheus.yml")];
    let Some(output) = promtool("the_scrape_file_is_sound", &args) else { return };
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn each_alert_fires_where_it_must_and_is_silent_where_it_must() {
    let test = "each_alert_fires_where_it_must_and_is_silent_where_it_must";
    let Some(output) = promtool(test, &["test", "rules", &path("atalaya.tests.yml")]) else {
        return;
    };
    let words = said(&output);
    assert!(output.status.success() && words.contains("SUCCESS"), "{words}");
}

/// An alert whose part was taken out or whose threshold moved is found out; in the long form six
/// of them, since each asks for all cases.
#[test]
fn the_cases_of_alerts_bite() {
    let test = "the_cases_of_alerts_bite";
    let folder = tempfile::tempdir().unwrap();
    let copied = ["atalaya.rules.yml", "atalaya.alerts.yml", "atalaya.tests.yml"];
    for name in copied {
        fs::copy(prometheus(name), folder.path().join(name)).unwrap();
    }
    let alerts = folder.path().join("atalaya.alerts.yml");
    let whole = fs::read_to_string(&alerts).unwrap();
    let cases = folder.path().join("atalaya.tests.yml");
    let breaks = [
        ("burn:ratio15m > 3", "burn:ratio15m > 6"),
        ("increase15m >= 10", "increase15m >= 1"),
        ("and atalaya:service_level_burn:ratio5m > 3", ""),
        ("atalaya_quarantined > 0", "atalaya_quarantined > 1"),
        ("or absent(up{job=\"atalaya\"})", ""),
        ("atalaya_impossible_total) > 0", "atalaya_impossible_total) > 1"),
    ];
    for (was, is) in breaks.into_iter().take(if long() { 6 } else { 1 }) {
        assert!(whole.contains(was), "{was}");
        fs::write(&alerts, whole.replacen(was, is, 1)).unwrap();
        let args = ["test", "rules", cases.to_str().unwrap()];
        let Some(output) = promtool(test, &args) else { return };
        assert!(!output.status.success(), "{was} → {is:?} went unnoticed");
    }
}

#[test]
fn every_query_of_the_dashboards_is_promql() {
    let test = "every_query_of_the_dashboards_is_promql";
    let mut file = "groups:\n- name: queries\n  rules:\n".to_owned();
    let queries: Vec<_> = panel_queries().into_iter().chain(variable_queries()).collect();
    for (number, query) in queries.iter().enumerate() {
        let quoted = serde_json::to_string(&filled(&query.text)).unwrap();
        writeln!(file, "  - record: query_{number}\n    expr: {quoted}").unwrap();
        assert!(!filled(&query.text).contains('$'), "{}: an unknown variable", query.place);
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("queries.yml");
    fs::write(&at, file).unwrap();
    let args = ["check", "rules", "--lint=none", at.to_str().unwrap()];
    let Some(output) = promtool(test, &args) else { return };
    let words = said(&output);
    assert!(output.status.success(), "{words}");
    assert!(words.contains(&format!("{} rules found", queries.len())), "{words}");
    eprintln!("{} queries: {}", queries.len(), words.trim());
}
