//! Dashboards and rules against the kept list of metrics: nothing is asked for that is not served,
//! and nothing is served that nobody looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::files::{Query, Selector, panel_queries, rules, selectors, variable_queries};
use crate::support::root;

/// Served and neither on a dashboard nor in a rule, each with the reason.
const NOT_SHOWN: &[(&str, &str)] = &[(
    "atalaya_service_level_target_seconds",
    "in the alert on the longest wait; a dashboard has the share",
)];
/// Labels that Prometheus gives to every series of a target.
const OF_TARGET: [&str; 2] = ["job", "instance"];

/// Kind and labels of each metric that is served, by name.
fn served() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("tests/golden/metrics.txt")).unwrap();
    let shape = |line: &str| {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (name, labels) = rest.trim().trim_end_matches('}').split_once('{').unwrap();
        let labels = labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned);
        (name.to_owned(), (kind.to_owned(), labels.collect()))
    };
    text.lines().map(shape).collect()
}

/// Every query of dashboards and rules.
fn all() -> Vec<Query> {
    let of_rules = rules().into_iter().map(|rule| Query { place: rule.name, text: rule.text });
    panel_queries().into_iter().chain(variable_queries()).chain(of_rules).collect()
}

/// The family of a series, and whether it has bounds: `_bucket`, `_sum` and `_count` belong to a
/// histogram.
fn family<T>(metric: &str, served: &BTreeMap<String, (String, T)>) -> Option<(String, bool)> {
    if served.contains_key(metric) {
        return Some((metric.to_owned(), false));
    }
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| metric.strip_suffix(end))?;
    let (kind, _) = served.get(base)?;
    (kind == "histogram").then(|| (base.to_owned(), metric.ends_with("_bucket")))
}

/// What of a selector is not served.
fn complaint(selector: &Selector, recorded: &BTreeSet<String>) -> Option<String> {
    if selector.metric == "up" || recorded.contains(&selector.metric) {
        return None;
    }
    let served = served();
    let Some((name, has_bounds)) = family(&selector.metric, &served) else {
        return Some(format!("{} is not served", selector.metric));
    };
    let (kind, labels) = &served[&name];
    if kind == "histogram" && name == selector.metric {
        return Some(format!("{name} is a histogram: name its _bucket, _sum or _count"));
    }
    let known = |label: &str| {
        labels.contains(label) || OF_TARGET.contains(&label) || (has_bounds && label == "le")
    };
    let unknown = selector.labels().into_iter().find(|label| !known(label))?;
    Some(format!("{} has no label {unknown}", selector.metric))
}

fn recorded() -> BTreeSet<String> {
    rules().into_iter().filter(|rule| !rule.is_alert).map(|rule| rule.name).collect()
}

#[test]
fn nothing_is_asked_for_that_is_not_served() {
    let recorded = recorded();
    let mut found = Vec::new();
    for query in all() {
        let complaints = selectors(&query.text);
        let complaints = complaints.iter().filter_map(|one| complaint(one, &recorded));
        found.extend(complaints.map(|what| format!("{}: {what}", query.place)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for (metric, matchers) in [
        ("atalaya_nowhere", ""),
        ("atalaya_queue_waiting_count", ""),
        ("atalaya_queue_waiting", "agent=\"ana\""),
        ("atalaya_contact_wait_seconds", ""),
        ("atalaya:nothing:sum", ""),
    ] {
        let selector = Selector { metric: metric.into(), matchers: matchers.into() };
        assert!(complaint(&selector, &recorded).is_some(), "{metric}{{{matchers}}}");
    }
}

#[test]
fn nothing_is_served_that_nobody_looks_at() {
    let served = served();
    let names = |queries: Vec<Query>| -> BTreeSet<String> {
        let found = queries.into_iter().flat_map(|query| selectors(&query.text));
        found.map(|one| family(&one.metric, &served).map_or(one.metric, |(name, _)| name)).collect()
    };
    let (shown, looked_at) = (names(panel_queries()), names(all()));
    for name in served.keys() {
        let listed = NOT_SHOWN.iter().any(|(other, _)| other == name);
        assert!(shown.contains(name) || looked_at.contains(name), "nobody looks at {name}");
        let by_rule = "is only in rules: show it, or list it with the reason";
        let through = looked_at.contains(name) && recorded_from(name);
        assert!(shown.contains(name) || through || listed, "{name} {by_rule}");
        assert!(!(listed && (shown.contains(name) || through)), "{name} is shown after all");
    }
    for name in recorded() {
        assert!(looked_at.contains(&name), "nobody looks at the recorded {name}");
    }
}

/// Whether a recorded figure, which a dashboard shows, is made of it.
fn recorded_from(name: &str) -> bool {
    let served = served();
    let of = |text: &str| selectors(text);
    rules().iter().filter(|rule| !rule.is_alert).any(|rule| {
        of(&rule.text)
            .iter()
            .any(|one| family(&one.metric, &served).is_some_and(|(family, _)| family == name))
    })
}
