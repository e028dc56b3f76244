//! Bodies of requests: the handlers' own keys, each with its kind and limits.
//!
//! A key that a handler knows and no kind is given to is described as anything, which the test of
//! agreement refuses; so the two cannot part unseen.

use atalaya_domain::queue::{MISSES, NAME_CHARS_MAX, SHARES, SHORT_NAME_CHARS_MAX, WAITING_MAX};
use atalaya_domain::skills::{AGENT_LEVELS, SKILL_LEVELS};
use serde_json::{Map, Value, json};

use crate::api::body::{Keys, MEMBERS_MAX};
use crate::api::roles::Role;
use crate::api::{agents, clock, contacts, queues, sessions, tokens};

/// What a slug looks like.
pub(super) const SLUG: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
/// What a duration looks like.
pub(super) const DURATION: &str = "^[0-9]+(\\.[0-9]{1,6})?(ms|s|m|h|d)$";

/// What a field takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// A slug.
    Slug,
    /// A duration.
    Duration,
    /// A duration, or this word.
    DurationOr(&'static str),
    /// True or false.
    Flag,
    /// A whole number from, to.
    Whole(u32, u32),
    /// A number from 0 to 1.
    Share,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Skills with a level each.
    Skills,
    /// A list of slugs.
    Slugs,
    /// A level of agent.
    Level,
    /// A list of levels of agent.
    Levels,
    /// An object with these keys.
    Object(Keys, &'static [Field]),
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
    says: &'static str,
    example: &'static str,
}

/// A body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// The handler's.
    pub(super) keys: Keys,
    fields: &'static [Field],
}

const fn field(name: &'static str, kind: Kind, says: &'static str, example: &'static str) -> Field {
    Field { name, kind, required: false, says, example }
}

const fn needed(
    name: &'static str,
    kind: Kind,
    says: &'static str,
    example: &'static str,
) -> Field {
    Field { name, kind, required: true, says, example }
}

const REASON: Field = field("reason", Kind::Slug, "Why, as a slug; not personal.", r#""break""#);
const REQUIRES: Field =
    field("requires", Kind::Skills, "Least level of each skill.", r#"{"pensions":7}"#);
const LANGUAGE: Field = field("language", Kind::Slug, "What must be spoken.", r#""ca""#);
const LEVELS: Field = field("levels", Kind::Levels, "Levels of agent; null: any.", "[1]");

/// Nothing is taken.
pub(super) const NONE: Form = Form { keys: Keys::NONE, fields: &[] };
/// An arrival.
pub(super) const ARRIVAL: Form = Form {
    keys: contacts::CREATE,
    fields: &[
        needed("channel", Kind::Word(&["voice"]), "The channel.", r#""voice""#),
        needed("queue", Kind::Slug, "Where it wants to wait.", r#""pensions""#),
        field(
            "from",
            Kind::Text(contacts::FROM_CHARS_MAX),
            "The other side's address; personal.",
            r#""+34600000142""#,
        ),
        LANGUAGE,
        REQUIRES,
        LEVELS,
        field("priority", Kind::Slug, "A class of priority; left out: normal.", r#""normal""#),
        field(
            "subject",
            Kind::Text(contacts::SUBJECT_CHARS_MAX),
            "What it is about; personal.",
            r#""pensión""#,
        ),
        field(
            "external_id",
            Kind::Text(contacts::EXTERNAL_ID_CHARS_MAX),
            "The other system's name for it; not personal.",
            r#""c-1""#,
        ),
    ],
};
/// The other side hung up.
pub(super) const END: Form = Form {
    keys: contacts::END,
    fields: &[needed("by", Kind::Word(&["citizen"]), "Who ended it.", r#""citizen""#)],
};
/// The end of a wrap-up.
pub(super) const WRAP_UP: Form = Form {
    keys: contacts::WRAP_UP,
    fields: &[
        field(
            "outcome",
            Kind::Text(contacts::OUTCOME_CHARS_MAX),
            "How it went; not personal.",
            r#""solved""#,
        ),
        field(
            "topic",
            Kind::Text(contacts::OUTCOME_CHARS_MAX),
            "What it was about; not personal.",
            r#""pension""#,
        ),
    ],
};
/// More time for it.
pub(super) const EXTEND: Form = Form {
    keys: contacts::EXTEND,
    fields: &[needed("by", Kind::Duration, "How much more; not nothing.", r#""30s""#)],
};
/// Another priority.
pub(super) const PATCH: Form = Form {
    keys: contacts::PATCH,
    fields: &[needed("priority", Kind::Slug, "A class of priority.", r#""high""#)],
};
/// A profile.
pub(super) const PROFILE: Form = Form {
    keys: agents::PROFILE,
    fields: &[
        needed("name", Kind::Text(agents::NAME_CHARS_MAX), "Personal.", r#""Ana García""#),
        needed("team", Kind::Slug, "The team.", r#""morning-1""#),
        field("level", Kind::Level, "Level of agent; left out: 1.", "1"),
        field("skills", Kind::Skills, "Level of each skill.", r#"{"pensions":7}"#),
        field("languages", Kind::Slugs, "What is spoken.", r#"["es","ca"]"#),
        field(
            "capacity",
            Kind::Object(agents::CAPACITY, &CAPACITY),
            "Contacts at one time, by channel; left out: one call.",
            r#"{"voice":1}"#,
        ),
        field("queues", Kind::Slugs, "Queues it may be offered from; null: all.", "null"),
    ],
};
const CAPACITY: [Field; 1] = [field("voice", Kind::Whole(0, agents::VOICE_MAX), "Calls.", "1")];
/// A presence.
pub(super) const PRESENCE: Form = Form {
    keys: agents::PRESENCE,
    fields: &[
        needed(
            "state",
            Kind::Word(&["ready", "not_ready", "signed_out"]),
            "What the agent wants to be.",
            r#""not_ready""#,
        ),
        Field { says: "Why; needed with not_ready, and with nothing else.", ..REASON },
        field("after", Kind::Flag, "Offers that are out stand; when work has ended.", "false"),
        field("force", Kind::Flag, "True but for the agent's own presence.", "false"),
        field("why", Kind::Text(agents::WHY_CHARS_MAX), "Needed with force; personal.", "null"),
    ],
};
/// A rejection.
pub(super) const REJECT: Form = Form { keys: agents::REJECT, fields: &[REASON] };
/// A queue's rules.
pub(super) const RULES: Form = Form {
    keys: queues::RULES,
    fields: &[
        needed("name", Kind::Text(NAME_CHARS_MAX), "What people read.", r#""Pensiones""#),
        field(
            "short_name",
            Kind::Text(SHORT_NAME_CHARS_MAX),
            "Left out: the name, cut.",
            r#""Pensiones""#,
        ),
        field("channel", Kind::Word(&["voice"]), "The channel.", r#""voice""#),
        REQUIRES,
        LANGUAGE,
        LEVELS,
        field(
            "service_level",
            Kind::Object(queues::SERVICE_LEVEL, &SERVICE_LEVEL),
            "The target; null: none.",
            r#"{"share":0.8,"within":"20s"}"#,
        ),
        field(
            "max_waiting",
            Kind::Whole(0, WAITING_MAX),
            "Most that wait; an arrival past it is refused. Null: no limit.",
            "50",
        ),
        field(
            "wrap_up",
            Kind::DurationOr("none"),
            "Limit of a wrap-up, or none: until ended. Left out: 30s.",
            r#""30s""#,
        ),
        field("offer_timeout", Kind::Duration, "How long an offer stands; not 0.", r#""20s""#),
        field(
            "strategy",
            Kind::Object(queues::STRATEGY, &STRATEGY),
            "Who gets which contact.",
            r#"{"agent":"longest_idle","contact":"oldest_first"}"#,
        ),
        field(
            "on_reject",
            Kind::Word(&["not_ready", "ready"]),
            "What a rejection does to the agent.",
            r#""not_ready""#,
        ),
        field(
            "max_misses",
            Kind::Whole(*MISSES.start(), *MISSES.end()),
            "Offers missed in a row that make an agent not ready.",
            "1",
        ),
        field("short_abandon", Kind::Duration, "An abandon within this is short.", r#""5s""#),
        field(
            "thresholds",
            Kind::Object(queues::THRESHOLDS, &THRESHOLDS),
            "When its figures are shown as a warning, or worse; any part may be left out.",
            r#"{"longest_wait":{"warning":"2m","critical":"4m"}}"#,
        ),
    ],
};
const THRESHOLDS: [Field; 3] = [
    field(
        "longest_wait",
        Kind::Object(queues::BOUND, &WAITS),
        "Age of the oldest who waits; critical is the longer.",
        r#"{"warning":"2m","critical":"4m"}"#,
    ),
    field(
        "waiting",
        Kind::Object(queues::BOUND, &COUNTS),
        "How many wait; critical is the greater.",
        r#"{"warning":10,"critical":20}"#,
    ),
    field(
        "service_level",
        Kind::Object(queues::BOUND, &LEVELS_MET),
        "Share answered in time; critical is the less.",
        r#"{"warning":0.8,"critical":0.7}"#,
    ),
];
const WAITS: [Field; 2] = [
    field("warning", Kind::Duration, "From here on people are warned.", r#""2m""#),
    field("critical", Kind::Duration, "From here on it is worse.", r#""4m""#),
];
const COUNTS: [Field; 2] = [
    field("warning", Kind::Whole(0, WAITING_MAX), "From here on people are warned.", "10"),
    field("critical", Kind::Whole(0, WAITING_MAX), "From here on it is worse.", "20"),
];
const LEVELS_MET: [Field; 2] = [
    field("warning", Kind::Share, "From here on people are warned.", "0.8"),
    field("critical", Kind::Share, "From here on it is worse.", "0.7"),
];
const SERVICE_LEVEL: [Field; 2] = [
    needed("share", Kind::Share, "Wanted share.", "0.8"),
    needed("within", Kind::Duration, "Answered within this, inclusive.", r#""20s""#),
];
const STRATEGY: [Field; 2] = [
    field("agent", Kind::Word(&["longest_idle"]), "Of several free.", r#""longest_idle""#),
    field("contact", Kind::Word(&["oldest_first"]), "Of several waiting.", r#""oldest_first""#),
];
/// An opening.
pub(super) const OPEN: Form = Form { keys: queues::OPEN, fields: &[REASON] };
/// A closing.
pub(super) const CLOSE: Form = Form {
    keys: queues::CLOSE,
    fields: &[REASON, field("emergency", Kind::Flag, "Those who wait are sent away too.", "false")],
};
/// A token.
pub(super) const TOKEN: Form = Form {
    keys: tokens::CREATE,
    fields: &[
        needed("role", Kind::Word(&ROLES), "What it makes its holder.", r#""supervisor""#),
        field("agent", Kind::Slug, "Whose it is; needed with role agent, and only there.", "null"),
        field(
            "scope",
            Kind::Word(&["read", "act_as"]),
            "Narrowed to reading, or widened to acting as any agent; null: neither.",
            r#""read""#,
        ),
    ],
};
/// Roles that this version has something for.
const ROLES: [&str; 6] = [
    Role::Agent.name(),
    Role::Supervisor.name(),
    Role::Coordinator.name(),
    Role::Integrator.name(),
    Role::Administrator.name(),
    Role::Auditor.name(),
];
/// A session.
pub(super) const SESSION: Form = Form {
    keys: sessions::CREATE,
    fields: &[needed(
        "token",
        Kind::Text(sessions::TOKEN_CHARS_MAX),
        "A token that holds.",
        r#""…""#,
    )],
};

pub(super) const ADVANCE: Form = Form {
    keys: clock::ADVANCE,
    fields: &[
        needed("advance", Kind::Duration, "How far the clock goes on, over 0.", r#""90s""#),
        field("leases", Kind::Flag, "Whether leases age too.", "false"),
    ],
};

impl Form {
    /// Whether a body must be there.
    pub(super) fn is_required(&self) -> bool {
        self.fields.iter().any(|field| field.required)
    }

    /// The schema.
    pub(super) fn schema(&self) -> Value {
        object(self.keys, self.fields)
    }

    /// A body that is taken, with every field that has something to show.
    pub(super) fn example(&self) -> Value {
        let known = self.keys.known.iter();
        let shown = known.filter_map(|key| {
            let field = self.fields.iter().find(|field| field.name == *key)?;
            let value: Value = serde_json::from_str(field.example).ok()?;
            (!value.is_null()).then(|| ((*key).to_owned(), value))
        });
        Value::Object(shown.collect())
    }
}

fn object(keys: Keys, fields: &[Field]) -> Value {
    let property = |key: &&str| {
        let field = fields.iter().find(|field| field.name == *key);
        ((*key).to_owned(), field.map_or_else(|| json!({}), Field::schema))
    };
    let only_null = |later: &&str| {
        let says = "Not in this version: refused (422) unless null, which is as good as left out.";
        ((*later).to_owned(), json!({ "type": "null", "description": says }))
    };
    let known = keys.known.iter().map(property);
    let properties: Map<String, Value> = known.chain(keys.later.iter().map(only_null)).collect();
    let required: Vec<_> =
        fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = self.kind.schema();
        if let Some(members) = schema.as_object_mut() {
            if !self.required {
                // Null is as good as left out.
                let kind = members.get("type").cloned().unwrap_or_default();
                members.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(values) = members.get_mut("enum").and_then(Value::as_array_mut) {
                    values.push(Value::Null);
                }
            }
            members.insert("description".to_owned(), json!(self.says));
        }
        schema
    }
}

impl Kind {
    fn schema(self) -> Value {
        let text = |pattern: String| json!({ "type": "string", "pattern": pattern });
        match self {
            Self::Text(most) => json!({ "type": "string", "maxLength": most }),
            Self::Slug => text(SLUG.to_owned()),
            Self::Duration => text(DURATION.to_owned()),
            Self::DurationOr(word) => text(format!("{DURATION}|^{word}$")),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Whole(least, most) => {
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
            Self::Share => {
                json!({ "type": "number", "minimum": SHARES.start(), "maximum": SHARES.end() })
            }
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::Skills => json!({
                "type": "object",
                "maxProperties": MEMBERS_MAX,
                "propertyNames": { "pattern": SLUG },
                "additionalProperties": {
                    "type": "integer",
                    "minimum": SKILL_LEVELS.start(),
                    "maximum": SKILL_LEVELS.end(),
                },
            }),
            Self::Slugs => json!({
                "type": "array",
                "maxItems": MEMBERS_MAX,
                "items": { "type": "string", "pattern": SLUG },
            }),
            Self::Level => json!({
                "type": "integer",
                "minimum": AGENT_LEVELS.start(),
                "maximum": AGENT_LEVELS.end(),
            }),
            Self::Levels => json!({
                "type": "array",
                "maxItems": MEMBERS_MAX,
                "items": Self::Level.schema(),
            }),
            Self::Object(keys, fields) => object(keys, fields),
        }
    }
}
