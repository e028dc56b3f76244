//! Which configuration held when: texts from `GET /queues` and `/agents`, placed by version.
//!
//! Each event of an entity raises its version by one, so a text read at version v is what its last
//! `changed` up to v made; one that was replaced before anybody read it is not known, and what
//! hangs on it is not checked.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use serde_json::Value;

/// Texts of one entity that are remembered; contacts keep the terms that they came under.
const KEPT_MAX: usize = 16;

/// What is known of one `changed`.
#[derive(Debug, Clone)]
enum Text {
    /// Not read yet.
    Pending,
    /// The entity as it was read.
    Known(Rc<Value>),
    /// Replaced before it was read.
    Gone,
}

#[derive(Debug, Default)]
struct Entity {
    /// Events received.
    version: u64,
    /// Version of each `changed`, and what it made.
    changes: VecDeque<(u64, Text)>,
    /// Read at a version whose event has not been received.
    early: BTreeMap<u64, Rc<Value>>,
}

impl Entity {
    fn place(&mut self, version: u64, text: &Rc<Value>) {
        let mut newest = true;
        for (_, known) in self.changes.iter_mut().rev().filter(|(at, _)| *at <= version) {
            if let Text::Pending = known {
                *known = if newest { Text::Known(text.clone()) } else { Text::Gone };
            }
            newest = false;
        }
    }

    fn place_early(&mut self) {
        while let Some(early) = self.early.first_entry().filter(|e| *e.key() <= self.version) {
            let (version, text) = early.remove_entry();
            self.place(version, &text);
        }
    }
}

/// Every queue and agent, by `queue:ID` and `agent:ID`.
#[derive(Debug, Default)]
pub(super) struct Terms {
    entities: HashMap<String, Entity>,
    /// The last number noted.
    noted: u64,
}

/// What is known of a text when it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    /// It is being read.
    NotYet,
    /// It never will be.
    Never,
    /// The entity as it was read.
    Text(Rc<Value>),
}

impl Terms {
    /// An event was received, whether or not it is folded yet; true: a text is to be read.
    pub(super) fn note(&mut self, event: &Value) -> bool {
        let seq = event["seq"].as_u64().unwrap_or(0);
        let entity = event["entity"].as_str().unwrap_or_default();
        if seq <= self.noted || !(entity.starts_with("agent:") || entity.starts_with("queue:")) {
            self.noted = self.noted.max(seq);
            return false;
        }
        self.noted = seq;
        let held = self.entities.entry(entity.to_owned()).or_default();
        held.version += 1;
        let changed = event["event"] == "changed";
        if changed {
            held.changes.push_back((held.version, Text::Pending));
            if held.changes.len() > KEPT_MAX {
                held.changes.pop_front();
            }
        }
        held.place_early();
        changed
    }

    /// `entity` was read.
    pub(super) fn read(&mut self, entity: String, text: Value) {
        let Some(version) = text["version"].as_u64() else { return };
        let held = self.entities.entry(entity).or_default();
        held.early.insert(version, Rc::new(text));
        while held.early.len() > KEPT_MAX {
            held.early.pop_first();
        }
        held.place_early();
    }

    /// What the `changed` of `entity` at `version` made.
    pub(super) fn at(&self, entity: &str, version: u64) -> Known {
        let held = self.entities.get(entity).map(|held| &held.changes);
        match held.and_then(|held| held.iter().find(|(at, _)| *at == version)) {
            Some((_, Text::Known(text))) => Known::Text(text.clone()),
            Some((_, Text::Pending)) => Known::NotYet,
            Some((_, Text::Gone)) | None => Known::Never,
        }
    }

    /// It does not come: whoever waits for it goes on without.
    pub(super) fn give_up(&mut self, entity: &str, version: u64) {
        let held = self.entities.get_mut(entity).map(|held| &mut held.changes);
        if let Some((_, text)) =
            held.and_then(|held| held.iter_mut().find(|(at, _)| *at == version))
        {
            *text = Text::Gone;
        }
    }
}

/// Microseconds of a duration as configuration writes it: a number with up to six decimals and
/// one of `ms s m h d`.
pub(super) fn duration(text: &str) -> Option<i64> {
    let unit = text.find(|char: char| !(char.is_ascii_digit() || char == '.'))?;
    let (number, unit) = text.split_at_checked(unit)?;
    let unit = match unit {
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let tens = 10_i64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let part = decimals.parse::<i64>().ok()?.checked_mul(unit)? / tens;
    whole.parse::<i64>().ok()?.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(seq: u64) -> Value {
        json!({"seq": seq, "entity": "queue:q", "event": "changed"})
    }

    #[test]
    fn a_text_is_placed_by_its_version_and_one_that_was_replaced_unread_is_gone() {
        let mut terms = Terms::default();
        assert!(terms.note(&changed(1)));
        assert!(!terms.note(&json!({"seq": 2, "entity": "queue:q", "event": "opened"})));
        assert!(!terms.note(&changed(1)), "noted already");
        assert_eq!(terms.at("queue:q", 1), Known::NotYet);
        let four = json!({"version": 4});
        terms.read("queue:q".into(), four.clone());
        assert_eq!(terms.at("queue:q", 1), Known::NotYet, "its event is not there yet");
        assert!(terms.note(&changed(3)) && terms.note(&changed(4)));
        assert_eq!(terms.at("queue:q", 1), Known::Never);
        assert_eq!(terms.at("queue:q", 3), Known::Never);
        assert_eq!(terms.at("queue:q", 4), Known::Text(Rc::new(four)));
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("20s"), Some(20_000_000));
        assert_eq!(duration("5m"), Some(300_000_000));
        assert_eq!(duration("2.5s"), Some(2_500_000));
        assert_eq!(duration("7"), None);
        assert_eq!(duration("x"), None);
    }
}
