//! Wire forms: what of the views' JSON the caller may see, and what no view has.

pub mod agent;
pub mod contact;
pub mod token;

use atalaya_domain::time::Timestamp;
use serde_json::Value;

use crate::views::rfc3339;

/// RFC 3339 in UTC, null when there is none.
pub fn instant_or_null(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| rfc3339(at).into())
}

/// Anything that shows itself as text, null when there is none.
pub fn text_or_null(text: Option<&impl ToString>) -> Value {
    text.map_or(Value::Null, |text| text.to_string().into())
}
