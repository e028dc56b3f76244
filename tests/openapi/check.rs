//! A check of JSON against a schema, of as much of JSON Schema as the description uses, and
//! stricter: a member that is not declared is a complaint, where a client would let it pass.

use atalaya::api::openapi::document;
use serde_json::Value;

/// What of a schema is looked at, or says nothing about a value.
const KNOWN: [&str; 18] = [
    "$ref",
    "type",
    "enum",
    "format",
    "items",
    "properties",
    "required",
    "additionalProperties",
    "description",
    "examples",
    "example",
    "pattern",
    "maxLength",
    "minimum",
    "maximum",
    "maxItems",
    "maxProperties",
    "propertyNames",
];

/// Complaints about `value`, each with where it is.
pub(crate) fn check(schema: &Value, value: &Value) -> Vec<String> {
    let mut complaints = vec![];
    one("", schema, value, false, &mut complaints);
    complaints
}

fn one(at: &str, schema: &Value, value: &Value, open: bool, complaints: &mut Vec<String>) {
    let mut complain = |what: String| complaints.push(format!("{at}: {what}"));
    for key in schema.as_object().into_iter().flatten().map(|(key, _)| key) {
        assert!(KNOWN.contains(&key.as_str()), "{at}: the check does not know `{key}`");
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Null => vec![],
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let is = type_of(value);
    let fits = |name: &&str| *name == is || (*name == "number" && is == "integer");
    if !types.is_empty() && !types.iter().any(fits) {
        complain(format!("{value} is {is}, not {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        complain(format!("{value} is none of {}", schema["enum"]));
    }
    let format = schema["format"].as_str();
    if let (Some(format), Some(text)) = (format, value.as_str()) {
        let fits = match format {
            "date-time" => {
                // UTC, but for the ends of an interval, which follow a wall clock.
                let on_a_wall = at.ends_with("/from") || at.ends_with("/to");
                (text.ends_with('Z') || on_a_wall) && text.parse::<jiff::Timestamp>().is_ok()
            }
            "uuid" => uuid::Uuid::try_parse(text).is_ok(),
            other => panic!("{at}: the check does not know the format {other}"),
        };
        if !fits {
            complain(format!("{text} is no {format}"));
        }
    }
    if let Some(path) = schema["$ref"].as_str() {
        let schema = document().pointer(path.trim_start_matches('#'));
        let schema = schema.unwrap_or_else(|| panic!("{at}: {path} is not there"));
        // A problem's other members say what it is about.
        let open = open || path.ends_with("/Problem") || path.ends_with("/Description");
        one(at, schema, value, open, complaints);
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        if !schema["items"].is_null() {
            one(&format!("{at}/{number}"), &schema["items"], item, false, complaints);
        }
    }
    if let Some(object) = value.as_object() {
        members(at, schema, object, open, complaints);
    }
}

fn members(
    at: &str,
    schema: &Value,
    object: &serde_json::Map<String, Value>,
    open: bool,
    complaints: &mut Vec<String>,
) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(name) {
            complaints.push(format!("{at}: `{name}` is missing"));
        }
    }
    for (name, value) in object {
        let at = format!("{at}/{name}");
        let declared = schema["properties"].get(name);
        match (declared, &schema["additionalProperties"]) {
            (Some(schema), _) | (None, schema @ Value::Object(_)) => {
                one(&at, schema, value, false, complaints);
            }
            (None, _) if open || schema["$ref"].is_string() => (),
            (None, _) => complaints.push(format!("{at}: not declared")),
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The operation of a request, by its method and path: the path that it matches, and what is said.
pub(crate) fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap();
    let fits = |pattern: &str| {
        let (wanted, has) = (pattern.split('/'), path.split('/'));
        wanted.clone().count() == has.clone().count()
            && wanted.zip(has).all(|(wanted, has)| wanted.starts_with('{') || wanted == has)
    };
    let paths = document()["paths"].as_object().unwrap();
    // A word in the path goes before what stands for any.
    let exact = paths.iter().filter(|(pattern, _)| *pattern == path);
    let (path, methods) = exact.chain(paths.iter().filter(|(pattern, _)| fits(pattern))).next()?;
    Some((path, methods.get(method.to_lowercase())?))
}

#[test]
fn the_check_bites() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "at": { "type": ["string", "null"], "format": "date-time" },
            "state": { "type": "string", "enum": ["open"] },
            "items": { "type": "array", "items": { "type": "integer" } },
        },
        "required": ["at", "state"],
    });
    let at = "2026-03-02T08:00:00Z".to_owned();
    let good = serde_json::json!({ "at": at, "state": "open", "items": [1, 2] });
    assert_eq!(check(&schema, &good), Vec::<String>::new());
    for (member, value, says) in [
        ("at", serde_json::json!("soon"), "/at: soon is no date-time"),
        ("at", serde_json::json!(1), "/at: 1 is integer, not [\"string\", \"null\"]"),
        ("state", serde_json::json!("shut"), "/state: \"shut\" is none of [\"open\"]"),
        ("items", serde_json::json!([1.5]), "/items/0: 1.5 is number, not [\"integer\"]"),
        ("more", serde_json::json!(1), "/more: not declared"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert_eq!(check(&schema, &bad), [says]);
    }
    let mut bad = good;
    bad.as_object_mut().unwrap().remove("state");
    assert_eq!(check(&schema, &bad), [": `state` is missing"]);
}
