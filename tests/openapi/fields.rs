//! Every declared field of a body is accepted and every other refused; limits are where they are
//! said to be.

use std::collections::BTreeSet;

use atalaya::api::openapi::document;
use atalaya::api::roles::TABLE;
use serde_json::{Map, Value, json};

use crate::house::{House, NOBODY, Reply, house};

struct Case {
    what: String,
    method: &'static str,
    path: String,
    acting: bool,
    schema: &'static Value,
    example: Value,
}

/// Every operation that takes a body, on things that are there.
fn cases(contact: &str) -> Vec<Case> {
    let with_body = TABLE.iter().filter_map(|line| {
        let operation = &document()["paths"][line.path][line.method.to_lowercase()];
        let body = operation.get("requestBody")?;
        let content = &body["content"]["application/json"];
        let path = line.path.replace("contacts/{id}", &format!("contacts/{contact}"));
        let path = path.replace("agents/{id}", "agents/ana").replace("{offer}", NOBODY);
        let roles = operation["x-roles"].as_array().unwrap();
        let leads = roles.is_empty() || roles.contains(&json!("administrator"));
        Some(Case {
            what: format!("{} {}", line.method, line.path),
            method: line.method,
            path: path.replace("{id}", "pensions"),
            acting: !leads || line.path.ends_with("presence"),
            schema: &content["schema"],
            example: content["example"].clone(),
        })
    });
    with_body.collect()
}

impl Case {
    fn properties(&self) -> &'static Map<String, Value> {
        self.schema["properties"].as_object().unwrap()
    }

    async fn ask(&self, house: &House, body: &Value) -> Reply {
        let mut request = House::request(self.method, &self.path, &house.admin);
        if self.acting {
            request = request.insert_header(("Atalaya-Agent", "ana"));
        }
        house.send(request.set_json(body)).await
    }
}

#[actix_web::test]
async fn declared_fields_are_taken_and_no_others() {
    let house = house().await;
    house.staffed(&["ana"]).await;
    let contact = house.call().await;
    let cases = cases(&contact);
    let names: BTreeSet<_> = cases.iter().flat_map(|case| case.properties().keys()).collect();
    let (mut taken, mut refused) = (0, 0);
    for case in &cases {
        let whole = case.ask(&house, &case.example).await;
        assert!(![400, 422].contains(&whole.status), "{}: {whole:?}", case.what);
        for name in names.iter().copied().chain([&"nonsense".to_owned()]) {
            let mut body = case.example.clone();
            body[name] = Value::Null;
            let reply = case.ask(&house, &body).await;
            let what = format!("{} {name}", case.what);
            if case.properties().contains_key(name) {
                assert_ne!(reply.problem(), "unknown-field", "{what}: {reply:?}");
                assert_ne!(case.properties()[name], json!({}), "{what}: it has no kind");
                taken += 1;
            } else {
                assert_eq!((reply.status, reply.problem()), (400, "unknown-field"), "{what}");
                assert_eq!(reply.json["field"], *name, "{what}");
                refused += 1;
            }
        }
        for name in case.schema["required"].as_array().unwrap() {
            let mut body = case.example.clone();
            body.as_object_mut().unwrap().remove(name.as_str().unwrap());
            let reply = case.ask(&house, &body).await;
            assert_eq!((reply.status, &reply.json["field"]), (422, name), "{}", case.what);
        }
    }
    println!("{taken} fields taken, {refused} refused, over {} bodies", cases.len());
}

/// Values that break what a schema says, with the status that they get.
fn breaking(schema: &Value) -> Vec<(Value, u16)> {
    let mut broken = vec![];
    let types = schema["type"].to_string();
    let has = |name: &str| types.contains(&format!("\"{name}\""));
    if !has("array") && types != "\"null\"" {
        broken.push((json!([1]), 400));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        broken.push((json!("x".repeat(usize::try_from(most).unwrap() + 1)), 422));
    }
    if schema["enum"].is_array() || schema["pattern"].is_string() {
        broken.push((json!("no such word"), 422));
    }
    if let Some(least) = schema["minimum"].as_i64().filter(|_| !has("number")) {
        broken.push((json!(least - 1), 422));
    }
    if let Some(most) = schema["maximum"].as_i64() {
        broken.push((json!(most + 1), 422));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        let items = (0..=most).map(|_| json!("x"));
        broken.push((items.collect(), 422));
    }
    let items = &schema["items"];
    for key in ["minimum", "maximum"] {
        let step = if key == "minimum" { -1 } else { 1 };
        if let Some(bound) = items[key].as_i64() {
            broken.push((json!([bound + step]), 422));
        }
        if let Some(bound) = schema["additionalProperties"][key].as_i64() {
            broken.push((json!({"pensions": bound + step}), 422));
        }
    }
    if types == "\"null\"" {
        broken.push((json!("x"), 422));
    }
    broken
}

/// Values at the edge of what a schema says.
fn at_the_edge(schema: &Value) -> Vec<Value> {
    let mut edge = vec![];
    if let Some(most) = schema["maxLength"].as_u64() {
        edge.push(json!("é".repeat(usize::try_from(most).unwrap())));
    }
    edge.extend(
        ["minimum", "maximum"]
            .iter()
            .filter_map(|key| Some(schema[key].clone()).filter(|bound| !bound.is_null())),
    );
    edge.extend(schema["enum"].as_array().into_iter().flatten().cloned());
    if let Some(bound) = schema["additionalProperties"]["maximum"].as_i64() {
        edge.push(json!({"pensions": bound}));
    }
    edge
}

#[actix_web::test]
async fn limits_are_where_they_are_said_to_be() {
    let house = house().await;
    house.staffed(&["ana"]).await;
    let contact = house.call().await;
    let (mut broken, mut kept) = (0, 0);
    for case in &cases(&contact) {
        for (name, schema) in case.properties() {
            for (value, status) in breaking(schema) {
                let mut body = case.example.clone();
                body[name] = value.clone();
                let reply = case.ask(&house, &body).await;
                let what = format!("{} {name} {:.40}", case.what, value.to_string());
                assert_eq!(reply.status, status, "{what}: {reply:?}");
                let field = reply.json["field"].as_str().unwrap_or("").to_owned();
                assert!(field.starts_with(name.as_str()), "{what}: {reply:?}");
                broken += 1;
            }
            for value in at_the_edge(schema) {
                // What depends on another field is tried with it in `tests/api`.
                if case.what.ends_with("/presence") || case.what.ends_with("/tokens") {
                    continue;
                }
                let mut body = case.example.clone();
                body[name] = value.clone();
                let reply = case.ask(&house, &body).await;
                let named = reply.json["field"] == *name;
                let required = case.schema["required"].as_array().unwrap();
                let missing = value.is_null() && required.contains(&json!(name));
                assert!(!named || missing, "{} {name} {value}: {reply:?}", case.what);
                kept += 1;
            }
        }
    }
    println!("{broken} values past a limit refused by name, {kept} at one taken");
    assert!(broken > 100 && kept > 20, "{broken} {kept}");
}
