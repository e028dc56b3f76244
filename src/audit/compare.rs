//! Where what was found differs from what was expected.
//!
//! Numbers are equal to a millionth, instants as instants. A member that is not expected is not
//! judged, but for the sets of queues and agents; its name is told, so that nobody believes that
//! it was checked.

use std::collections::BTreeSet;

use serde_json::Value;

use super::picture::instant;

/// Differences of one look that are told one by one; past it they are counted.
pub(super) const TOLD_MAX: usize = 8;
/// Names of members that were not checked, kept.
const UNCHECKED_MAX: usize = 64;
/// Members whose keys are ids, and must be all of them.
const SETS: [&str; 2] = ["/queues", "/agents"];
/// How much of a value is told.
const SHOWN_CHARS_MAX: usize = 200;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) found: String,
}

/// The differences of one look.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) told: Vec<Difference>,
    pub(super) more: u64,
}

impl Differences {
    pub(super) fn tell(&mut self, path: &str, expected: String, found: String) {
        if self.told.len() < TOLD_MAX {
            self.told.push(Difference { path: path.to_owned(), expected, found });
        } else {
            self.more += 1;
        }
    }
}

/// Compares `found` with what is `expected`; `unchecked` gets the names of members that are not.
pub(super) fn compare(
    expected: &Value,
    found: &Value,
    unchecked: &mut BTreeSet<String>,
) -> Differences {
    let mut differences = Differences::default();
    walk(&mut String::new(), expected, found, unchecked, &mut differences);
    differences
}

/// Members that the contract's first version does not have: judged when they are there.
fn is_later(key: &str) -> bool {
    let window = key.ends_with("_15m") || key.ends_with("_1h");
    key == "thresholds" || key == "today" || (window && key != "service_level_15m")
}

fn walk(
    path: &mut String,
    expected: &Value,
    found: &Value,
    unchecked: &mut BTreeSet<String>,
    differences: &mut Differences,
) {
    let (Value::Object(wanted), Value::Object(there)) = (expected, found) else {
        if !same(expected, found) {
            differences.tell(path, shown(expected), shown(found));
        }
        return;
    };
    let length = path.len();
    let is_set = SETS.contains(&path.as_str());
    for (key, value) in wanted {
        path.push('/');
        path.push_str(key);
        match there.get(key) {
            Some(found) => walk(path, value, found, unchecked, differences),
            // The contract's totals have no quarter of an hour in its first version.
            None if !is_set && (is_later(key) || path == "/totals/service_level_15m") => (),
            None => differences.tell(path, shown(value), "nothing".to_owned()),
        }
        path.truncate(length);
    }
    for (key, value) in there.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
        path.push('/');
        path.push_str(key);
        if is_set {
            differences.tell(path, "nothing".to_owned(), shown(value));
        } else if unchecked.len() < UNCHECKED_MAX {
            unchecked.insert(name_of(path));
        }
        path.truncate(length);
    }
}

/// A path without its ids.
fn name_of(path: &str) -> String {
    let mut parts: Vec<_> = path.split('/').skip(1).collect();
    if parts.len() > 2 && matches!(parts[0], "queues" | "agents") {
        parts[1] = "*";
    }
    parts.join(".")
}

/// Whether two values are the same figure.
fn same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(expected), Value::Number(found)) => {
            let pair = expected.as_f64().zip(found.as_f64());
            pair.is_some_and(|(expected, found)| close(expected, found))
        }
        (Value::String(expected), Value::String(found)) => {
            expected == found
                || instant(expected).zip(instant(found)).is_some_and(|(one, other)| one == other)
        }
        (Value::Array(expected), Value::Array(found)) => {
            let mut pairs = expected.iter().zip(found);
            expected.len() == found.len() && pairs.all(|(one, other)| same(one, other))
        }
        (Value::Object(expected), Value::Object(found)) => {
            let mut members = expected.iter();
            expected.len() == found.len()
                && members.all(|(key, one)| found.get(key).is_some_and(|other| same(one, other)))
        }
        (expected, found) => expected == found,
    }
}

/// Equal to a millionth.
pub(super) fn close(expected: f64, found: f64) -> bool {
    (expected - found).abs() <= 1e-6 * expected.abs().max(1.0)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text;
    }
    let mut short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sets_are_strict_and_other_members_are_named() {
        let expected = json!({"queues": {"a": {"waiting": 1, "offered_1h": 3}, "b": {}}, "x": 0.5});
        let found =
            json!({"queues": {"a": {"waiting": 2, "new": 1}, "c": {}}, "x": 0.500_000_000_1});
        let mut unchecked = BTreeSet::new();
        let differences = compare(&expected, &found, &mut unchecked);
        let told: Vec<_> = differences.told.iter().map(|d| d.path.as_str()).collect();
        assert_eq!(told, ["/queues/a/waiting", "/queues/b", "/queues/c"]);
        assert_eq!(unchecked, ["queues.*.new".to_owned()].into());
    }

    #[test]
    fn instants_are_equal_however_they_are_written() {
        assert!(same(&json!("2026-03-02T08:00:00Z"), &json!("2026-03-02T09:00:00.000+01:00")));
        assert!(!same(&json!("2026-03-02T08:00:00Z"), &json!("2026-03-02T08:00:00.000001Z")));
    }
}
