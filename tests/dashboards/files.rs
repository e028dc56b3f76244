//! Reads dashboards and rules, and what stands in their queries.
//!
//! Rules are YAML of one shape: a list of groups, an expression on its line or in a block below it.
//! Prometheus itself reads them in `promtool`; here is only what can be told without it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::root;

/// What the variables of dashboards stand for when a query is evaluated; the longer names first.
const VARIABLES: [(&str, &str); 4] =
    [("$__rate_interval", "1m"), ("$queue", ".+"), ("$team", ".+"), ("$job", ".+")];

/// One query, with where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// One rule of Prometheus.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) is_alert: bool,
    pub(crate) text: String,
    /// All of its lines.
    pub(crate) block: String,
}

pub(crate) fn prometheus(name: &str) -> PathBuf {
    root().join("dashboards/prometheus").join(name)
}

/// The four dashboards by the name of their file, in order.
pub(crate) fn dashboards() -> Vec<(String, Value)> {
    let folder = root().join("dashboards/grafana/dashboards");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|one: &(String, Value), other| one.0.cmp(&other.0));
    found
}

/// The panels that show something.
pub(crate) fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

/// Every query of every panel, as it is written.
pub(crate) fn panel_queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for (name, dashboard) in &dashboards() {
        for panel in panels(dashboard) {
            for target in panel["targets"].as_array().unwrap() {
                let (title, id) = (panel["title"].as_str().unwrap(), &target["refId"]);
                let place = format!("{name} / {title} / {}", id.as_str().unwrap());
                let text = target["expr"].as_str().unwrap().to_owned();
                queries.push(Query { place, text });
            }
        }
    }
    queries
}

/// The metrics that fill the choices of the dashboards' variables.
pub(crate) fn variable_queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for (name, dashboard) in &dashboards() {
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            let asked = variable["query"]["query"].as_str().unwrap_or_default();
            let Some(inner) = asked.strip_prefix("label_values(") else { continue };
            let (series, _) = inner.rsplit_once(", ").unwrap();
            let place = format!("{name} / ${}", variable["name"].as_str().unwrap());
            queries.push(Query { place, text: series.to_owned() });
        }
    }
    queries
}

/// Recording rules and alerts, in order.
pub(crate) fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for file in ["atalaya.rules.yml", "atalaya.alerts.yml"] {
        let text = fs::read_to_string(prometheus(file)).unwrap();
        let mut block: Vec<&str> = Vec::new();
        for line in text.lines().chain(["      - record: end"]) {
            let begins = ["- record: ", "- alert: "].iter().any(|at| line.trim().starts_with(at));
            if begins || line.starts_with("  - name: ") {
                rules.extend(rule(&block));
                block.clear();
            }
            if !line.trim().starts_with('#') {
                block.push(line);
            }
        }
    }
    rules
}

fn rule(lines: &[&str]) -> Option<Rule> {
    let (kind, name) = lines.first()?.trim().strip_prefix("- ")?.split_once(": ")?;
    let is_alert = match kind {
        "record" => false,
        "alert" => true,
        _ => return None,
    };
    let at = lines.iter().position(|line| line.trim().starts_with("expr:")).unwrap();
    let text = match lines[at].trim().strip_prefix("expr: ").unwrap() {
        "|" => {
            let indent = "          ";
            let below = lines[at + 1..].iter().take_while(|line| line.starts_with(indent));
            below.copied().collect::<Vec<_>>().join("\n")
        }
        line => line.to_owned(),
    };
    Some(Rule { name: name.to_owned(), is_alert, text, block: lines.join("\n") })
}

/// The query with all variables filled in, as Grafana would send it.
pub(crate) fn filled(text: &str) -> String {
    VARIABLES.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// A selector: the metric's name, and what stands in its braces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) matchers: String,
}

impl Selector {
    pub(crate) fn text(&self) -> String {
        format!("{}{{{}}}", self.metric, self.matchers)
    }

    /// Names of the labels in the braces.
    pub(crate) fn labels(&self) -> BTreeSet<&str> {
        let parts = self.matchers.split("\",").filter(|part| !part.is_empty());
        parts.map(|part| part.split(['=', '!']).next().unwrap().trim()).collect()
    }
}

/// The selectors of a query. Every metric here is ours or `up`, and no label has such a name.
pub(crate) fn selectors(text: &str) -> BTreeSet<Selector> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '"') {
        rest = &rest[at..];
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted.split_once('"').unwrap().1;
            continue;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        if word != "up" && !word.starts_with("atalaya_") && !word.starts_with("atalaya:") {
            continue;
        }
        let mut matchers = String::new();
        if let Some(inner) = behind.strip_prefix('{') {
            let (inside, behind) = inner.split_once('}').unwrap();
            inside.clone_into(&mut matchers);
            rest = behind;
        }
        found.insert(Selector { metric: word.to_owned(), matchers });
    }
    found
}

#[test]
fn selectors_are_found_in_a_query() {
    let text = "sum by (job) (rate(atalaya_a_total{job=~\"$job\",x!=\"a_b\"}[5m])) / atalaya:b:sum \
                and on (up_to) up{job=\"atalaya_c\"} > 0";
    let found: Vec<_> = selectors(text).into_iter().collect();
    let texts: Vec<_> = found.iter().map(Selector::text).collect();
    let wanted =
        ["atalaya:b:sum{}", "atalaya_a_total{job=~\"$job\",x!=\"a_b\"}", "up{job=\"atalaya_c\"}"];
    assert_eq!(texts, wanted);
    assert_eq!(found[1].labels().into_iter().collect::<Vec<_>>(), ["job", "x"]);
}

#[test]
fn rules_are_read_whole() {
    let rules = rules();
    let alert = rules.iter().find(|rule| rule.name == "AtalayaNobodyReady").unwrap();
    assert!(alert.is_alert && alert.block.contains("severity: warning"), "{alert:?}");
    assert!(alert.text.trim().starts_with("atalaya_queue_waiting > 0"), "{alert:?}");
    assert!(alert.text.ends_with("atalaya_queue_ready == 0"), "{alert:?}");
    let text = |file| fs::read_to_string(prometheus(file)).unwrap();
    let (recorded, alerts) = (text("atalaya.rules.yml"), text("atalaya.alerts.yml"));
    let wanted = recorded.matches("- record:").count() + alerts.matches("- alert:").count();
    assert_eq!(rules.len(), wanted);
}
