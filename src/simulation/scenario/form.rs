//! The scenario file as it is written: keys, their types, and where each value stands.
//!
//! Nothing is checked here beyond the shape; what values mean is `scenario`'s to say.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

/// A text and where it stands.
pub(super) type Text = Spanned<String>;

/// Levels of skills as written.
pub(super) type Levels = BTreeMap<Text, Spanned<i64>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) scenario: Head,
    #[serde(default)]
    pub(super) strategy: Strategy,
    #[serde(default)]
    pub(super) priorities: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(super) queue: Vec<Queue>,
    #[serde(default)]
    pub(super) agents: Vec<Spanned<Agents>>,
    #[serde(default)]
    pub(super) contact: Vec<Contact>,
    #[serde(default)]
    pub(super) action: Vec<Spanned<Action>>,
    pub(super) recorded: Option<Recorded>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) start: Text,
    pub(super) end: Text,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) offer_timeout: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Strategy {
    pub(super) agent: Option<Text>,
    pub(super) contact: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Queue {
    pub(super) id: Text,
    pub(super) name: Option<Text>,
    pub(super) short_name: Option<Text>,
    pub(super) channel: Option<Text>,
    #[serde(default)]
    pub(super) requires: Levels,
    pub(super) language: Option<Text>,
    pub(super) levels: Option<Vec<Spanned<i64>>>,
    pub(super) service_level: Option<ServiceLevel>,
    pub(super) max_waiting: Option<Spanned<u32>>,
    pub(super) wrap_up: Option<Text>,
    pub(super) offer_timeout: Option<Text>,
    pub(super) on_reject: Option<Text>,
    pub(super) max_misses: Option<Spanned<u32>>,
    pub(super) short_abandon: Option<Text>,
}

impl Queue {
    /// Where the value of `field` stands: here, or for all queues in `timeout`; else this queue.
    pub(super) fn place(&self, field: &str, timeout: Option<&Text>) -> Range<usize> {
        let place = match field {
            "name" => self.name.as_ref().map(Text::span),
            "short_name" => self.short_name.as_ref().map(Text::span),
            "service_level.share" => self.service_level.as_ref().map(|level| level.share.span()),
            "max_waiting" => self.max_waiting.as_ref().map(Spanned::span),
            "offer_timeout" => self.offer_timeout.as_ref().or(timeout).map(Text::span),
            "max_misses" => self.max_misses.as_ref().map(Spanned::span),
            _ => None,
        };
        place.unwrap_or_else(|| self.id.span())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceLevel {
    pub(super) share: Spanned<f64>,
    pub(super) within: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agents {
    pub(super) id: Option<Text>,
    pub(super) count: Option<Spanned<u32>>,
    pub(super) prefix: Option<Text>,
    pub(super) level: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) skills: Levels,
    #[serde(default)]
    pub(super) languages: Vec<Text>,
    pub(super) capacity: Option<Capacity>,
    pub(super) shift: Option<Shift>,
    pub(super) answer_delay: Option<Text>,
    pub(super) queues: Option<Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capacity {
    pub(super) voice: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shift {
    pub(super) from: Text,
    pub(super) to: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    pub(super) id: Text,
    pub(super) at: Text,
    pub(super) queue: Text,
    pub(super) service: Text,
    pub(super) patience: Option<Text>,
    pub(super) priority: Option<Text>,
    pub(super) language: Option<Text>,
    pub(super) requires: Option<Levels>,
    pub(super) hangs_up_at: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Action {
    pub(super) at: Text,
    pub(super) agent: Option<Text>,
    pub(super) queue: Option<Text>,
    pub(super) contact: Option<Text>,
    pub(super) does: Text,
    pub(super) reason: Option<Text>,
    pub(super) emergency: Option<Spanned<bool>>,
    pub(super) priority: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    pub(super) file: Text,
    pub(super) columns: Columns,
}

/// The name of the column that holds each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) arrived: Text,
    pub(super) service: Text,
    pub(super) queue: Text,
    pub(super) patience: Option<Text>,
    pub(super) priority: Option<Text>,
    pub(super) contact: Option<Text>,
    pub(super) language: Option<Text>,
}
