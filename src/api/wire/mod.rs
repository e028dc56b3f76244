//! Wire forms: what the domain's states look like as JSON.

pub mod agent;
pub mod contact;
pub mod event;
pub mod queue;
pub mod token;

use atalaya_domain::skills::Requirement;
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};

/// RFC 3339 in UTC, with `Z`; null for what no calendar knows.
pub fn instant(at: Timestamp) -> Value {
    jiff::Timestamp::from_microsecond(at.0).map_or(Value::Null, |at| at.to_string().into())
}

/// The same, null when there is none.
pub fn instant_or_null(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, instant)
}

/// Anything that shows itself as text, null when there is none.
pub fn text_or_null(text: Option<&impl ToString>) -> Value {
    text.map_or(Value::Null, |text| text.to_string().into())
}

/// Skills, language and levels, as a contact, a queue and an event show them.
pub fn requirement(requirement: &Requirement) -> [(&'static str, Value); 3] {
    let skills = requirement.skills.iter().map(|(skill, level)| (skill.to_string(), json!(level)));
    [
        ("requires", Value::Object(skills.collect())),
        ("language", text_or_null(requirement.language.as_ref())),
        ("levels", json!(requirement.levels)),
    ]
}

/// Puts `members` into `object`.
pub fn extend(object: &mut Value, members: impl IntoIterator<Item = (&'static str, Value)>) {
    if let Some(object) = object.as_object_mut() {
        object.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}
