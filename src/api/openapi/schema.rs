//! Schemas read off samples: JSON Schema 2020-12, as `OpenAPI` 3.1 has it.
//!
//! What is the same in every sample is required; what is of several types has them all. Enumerated
//! words and sentences come from `words`. Objects are open: a later version may add members, and a
//! client that does not know them goes on.

use serde_json::{Map, Value, json};

use super::words;

/// Members that are objects by id or slug, not records.
const MAPS: [&str; 6] = ["requires", "skills", "queues", "agents", "by_state", "by_level"];

/// The schema of all `samples`, which are of the schema called `schema`.
pub(super) fn of(schema: &str, samples: &[&Value]) -> Value {
    infer(schema, "", samples)
}

fn infer(schema: &str, member: &str, samples: &[&Value]) -> Value {
    let mut types: Vec<&str> = Vec::new();
    for sample in samples {
        let name = type_of(sample);
        if !types.contains(&name) {
            types.push(name);
        }
    }
    if types.contains(&"number") {
        types.retain(|name| *name != "integer");
    }
    // The order of samples is no news.
    types.sort_unstable_by_key(|name| *name == "null");
    let mut made = Map::new();
    match types.as_slice() {
        [] => (),
        [one] => {
            made.insert("type".to_owned(), json!(one));
        }
        several => {
            made.insert("type".to_owned(), json!(several));
        }
    }
    strings(samples, &mut made);
    let lists: Vec<_> = samples.iter().filter_map(|sample| sample.as_array()).flatten().collect();
    if types.contains(&"array") {
        made.insert("items".to_owned(), infer(schema, "", &lists));
    }
    let objects: Vec<_> = samples.iter().filter_map(|sample| sample.as_object()).collect();
    if types.contains(&"object") {
        if MAPS.contains(&member) {
            let values: Vec<_> = objects.iter().flat_map(|object| object.values()).collect();
            made.insert("additionalProperties".to_owned(), infer(schema, "", &values));
        } else {
            members(schema, &objects, &mut made);
        }
    }
    if let Some(words) = words::of_member(schema, member) {
        made.insert("description".to_owned(), json!(words));
    }
    if let Some(values) = words::values(schema, member) {
        let mut values: Vec<Value> = values.into_iter().map(Value::from).collect();
        if types.contains(&"null") {
            values.push(Value::Null);
        }
        made.insert("enum".to_owned(), json!(values));
    }
    Value::Object(made)
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

/// The format that all texts have.
fn strings(samples: &[&Value], made: &mut Map<String, Value>) {
    let texts: Vec<_> = samples.iter().filter_map(|sample| sample.as_str()).collect();
    if texts.is_empty() {
        return;
    }
    let format = if texts.iter().all(|text| text.parse::<jiff::Timestamp>().is_ok()) {
        "date-time"
    } else if texts.iter().all(|text| uuid::Uuid::try_parse(text).is_ok()) {
        "uuid"
    } else {
        return;
    };
    made.insert("format".to_owned(), json!(format));
}

fn members(schema: &str, objects: &[&Map<String, Value>], made: &mut Map<String, Value>) {
    let mut names: Vec<&String> = Vec::new();
    for name in objects.iter().flat_map(|object| object.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let member = |name: &&String| {
        let values: Vec<_> = objects.iter().filter_map(|object| object.get(*name)).collect();
        ((*name).clone(), infer(schema, name, &values))
    };
    let properties: Map<String, Value> = names.iter().map(member).collect();
    let everywhere = |name: &&&String| objects.iter().all(|object| object.contains_key(**name));
    let required: Vec<_> = names.iter().filter(everywhere).collect();
    made.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        made.insert("required".to_owned(), json!(required));
    }
}
