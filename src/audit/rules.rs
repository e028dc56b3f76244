//! What must hold of one look by itself, whatever the log says: sums of a wallboard, and what an
//! event may hold.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::Differences;
use super::people::STATES;

/// Counters of a queue that add up to the totals'.
const SUMS: [&str; 11] = [
    "waiting",
    "active",
    "offered_today",
    "answered_today",
    "abandoned_today",
    "short_abandoned_today",
    "refused_today",
    "overflowed_out_today",
    "transferred_out_today",
    "callbacks_today",
    "carried_over_today",
];
/// Where contacts of a day go; with those who still wait they are all who came.
const WAYS_OUT: [&str; 6] = [
    "answered_today",
    "abandoned_today",
    "refused_today",
    "overflowed_out_today",
    "callbacks_today",
    "transferred_out_today",
];

/// Members that are personal wherever they stand in an event's `data`.
const PERSONAL: [&str; 14] = [
    "name", "subject", "detail", "notes", "phone", "phones", "email", "emails", "document", "why",
    "address", "text", "citizen", "ip",
];
/// Members that others fill, or that are digits by nature: their values are not looked at.
const OTHERS: [&str; 6] = ["external_id", "outcome", "topic", "order_key", "hash", "cause"];
/// Digits after a `+` from which on a value looks like a telephone number.
const PHONE_DIGITS: usize = 7;

fn count(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or(0)
}

/// S82: the tiles add up, and so do the queues; S83 in passing: who has a contact is not ready.
pub(super) fn tiles(data: &Value) -> Differences {
    let mut wrong = Differences::default();
    let totals = &data["totals"];
    let agents = data["agents"].as_object();
    let tiles: u64 = STATES[..6].iter().map(|state| count(totals, state)).sum();
    let signed_in = count(totals, "signed_in");
    if tiles != signed_in {
        let found = format!("{tiles} in the tiles");
        wrong.tell("/totals/signed_in", format!("{signed_in} signed in"), found);
    }
    let listed = agents.map_or(0, |agents| u64::try_from(agents.len()).unwrap_or(u64::MAX));
    if listed != signed_in {
        wrong.tell("/agents", format!("{signed_in} signed in"), format!("{listed} listed"));
    }
    for state in &STATES[..6] {
        let tiles = agents.into_iter().flatten().filter(|(_, tile)| tile["state"] == *state);
        let (tiles, told) =
            (u64::try_from(tiles.count()).unwrap_or(u64::MAX), count(totals, state));
        if tiles != told {
            wrong.tell(&format!("/totals/{state}"), format!("{tiles} tiles"), told.to_string());
        }
    }
    for (id, tile) in agents.into_iter().flatten() {
        let idle = tile["state"] == "ready" || tile["state"] == "not_ready";
        if idle && tile["contact"].is_string() {
            let found = format!("{} with contact {}", tile["state"], tile["contact"]);
            wrong.tell(&format!("/agents/{id}"), "no contact in hand".into(), found);
        }
    }
    let queues = || data["queues"].as_object().into_iter().flatten();
    for key in SUMS {
        let sum: u64 = queues().map(|(_, queue)| count(queue, key)).sum();
        if sum != count(totals, key) {
            let path = format!("/totals/{key}");
            wrong.tell(&path, format!("{sum} in all queues"), count(totals, key).to_string());
        }
    }
    wrong
}

/// S87: who came today or was carried over is accounted for; `broken` queues have lost a contact
/// to a fault.
pub(super) fn conservation(data: &Value, broken: &BTreeSet<String>) -> Differences {
    let mut wrong = Differences::default();
    let queues = data["queues"].as_object().into_iter().flatten();
    let queues = queues.filter(|(id, _)| !broken.contains(*id));
    let queues = queues.map(|(id, queue)| (format!("/queues/{id}"), queue));
    let totals = ("/totals".to_owned(), &data["totals"]);
    for (path, of) in queues.chain(broken.is_empty().then_some(totals)) {
        let came = count(of, "offered_today") + count(of, "carried_over_today");
        let went: u64 = WAYS_OUT.iter().map(|key| count(of, key)).sum();
        let waiting = count(of, "waiting");
        if came != went + waiting {
            let found = format!("{went} went and {waiting} wait");
            wrong.tell(&path, format!("{came} came or were carried over"), found);
        }
    }
    wrong
}

/// The first place in an event that holds something personal; `names`: of the agents.
pub(super) fn personal(event: &Value, names: &BTreeSet<String>) -> Option<String> {
    if let Some(strange) = event.as_object().into_iter().flatten().find(|(key, _)| {
        let known = ["seq", "at", "observed_at", "entity", "event", "by", "data"];
        !known.contains(&key.as_str())
    }) {
        return Some(format!("member `{}`", strange.0));
    }
    let is_change = event["event"] == "priority_changed";
    let from = event["data"]["from"].is_string() && !is_change;
    if from {
        return Some("member `data.from`".to_owned());
    }
    let by = event["by"].as_str().unwrap_or_default();
    if names.contains(by) || looks_personal(by) {
        return Some("value of `by`".to_owned());
    }
    within(&event["data"], "data", names)
}

fn within(value: &Value, path: &str, names: &BTreeSet<String>) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            // `why` of a decision is the program's own sentence.
            let is_own = path == "data.decision.why";
            if PERSONAL.contains(&key.as_str()) && !value.is_null() && !is_own {
                return Some(format!("member `{path}`"));
            }
            if OTHERS.contains(&key.as_str()) { None } else { within(value, &path, names) }
        }),
        Value::Array(items) => items.iter().find_map(|item| within(item, path, names)),
        Value::String(text) if names.contains(text) || looks_personal(text) => {
            Some(format!("value of `{path}`"))
        }
        _ => None,
    }
}

/// An e-mail address, or a telephone number.
fn looks_personal(text: &str) -> bool {
    let digits = text.strip_prefix('+').map(|rest| {
        let digits = rest.chars().filter(char::is_ascii_digit).count();
        rest.chars().all(|char| char.is_ascii_digit() || " -()".contains(char))
            && digits >= PHONE_DIGITS
    });
    text.contains('@') || digits.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sums_that_are_off_by_one_are_told() {
        let mut data = json!({
            "totals": {"waiting": 1, "signed_in": 1, "ready": 1, "offered_today": 2,
                       "answered_today": 1},
            "queues": {"q": {"waiting": 1, "offered_today": 2, "answered_today": 1}},
            "agents": {"ana": {"state": "ready", "contact": null}},
        });
        assert_eq!(tiles(&data).told, []);
        assert_eq!(conservation(&data, &BTreeSet::new()).told, []);
        data["queues"]["q"]["answered_today"] = json!(2);
        assert_eq!(tiles(&data).told.len(), 1);
        assert_eq!(conservation(&data, &BTreeSet::new()).told[0].path, "/queues/q");
        assert_eq!(conservation(&data, &["q".to_owned()].into()).told, []);
        data["agents"]["ana"]["contact"] = json!("c");
        assert_eq!(tiles(&data).told.len(), 2);
    }

    #[test]
    fn what_is_personal_is_found_and_the_programs_own_words_are_not() {
        let names: BTreeSet<_> = ["Ana García".to_owned()].into();
        let event = |data: Value| json!({"seq": 1, "event": "x", "by": "system", "data": data});
        let find = |data| personal(&event(data), &names);
        assert_eq!(find(json!({"decision": {"why": "idle since"}, "external_id": "a@b"})), None);
        assert_eq!(find(json!({"a": ["+34 600 000 001"]})).as_deref(), Some("value of `data.a`"));
        assert_eq!(find(json!({"agent": "Ana García"})).as_deref(), Some("value of `data.agent`"));
        assert_eq!(find(json!({"why": "ill"})).as_deref(), Some("member `data.why`"));
        assert_eq!(find(json!({"from": "normal"})).as_deref(), Some("member `data.from`"));
    }
}
