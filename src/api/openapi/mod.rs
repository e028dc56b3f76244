//! `/api/openapi.json`: the API's description, `OpenAPI` 3.1, made of what the server works with.
//!
//! ```text
//! roles::TABLE ── every route, who may ─┐
//! handlers' keys and limits ── forms ───┼─► document ─► /api/openapi.json, /api/docs
//! views' builders ── samples ─ schema ──┤
//! problem::Code::row ── refusals ───────┘
//! ```
//!
//! There is no second list of routes, fields, members or problems, so none can fall behind. Not
//! here: the frames of sockets.

mod forms;
mod operations;
mod samples;
mod schema;
mod words;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use serde_json::{Map, Value, json};

use self::operations::{Operation, Shape, Way};
use super::answer::{REPLAY, SEQ};
use super::body::BODY_BYTES_MAX;
use super::call::Call;
use super::guard::{AGENT_HEADER, CSRF_HEADER, SESSION_COOKIE};
use super::idempotency::KEY_BYTES_MAX;
use super::page::{LIMIT, LIMIT_MAX};
use super::problem::{Code, Problem};
use super::roles::{Line, TABLE, Who};

/// `GET /api/openapi.json`.
pub async fn one(_: Call) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(document())
}

/// The description; made once.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(make)
}

fn make() -> Value {
    let mut paths = Map::new();
    for line in TABLE {
        let path = paths.entry(line.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(line.method.to_lowercase(), operation(line));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Atalaya",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A contact centre, supervised live.",
            "description": words::ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{ "url": "/" }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": SESSION_COOKIE },
                "csrf": { "type": "apiKey", "in": "header", "name": CSRF_HEADER },
            },
        },
    })
}

/// The part of the path that says what it is about.
fn tag(path: &str) -> &str {
    let rest = path.strip_prefix("/api/v1/").unwrap_or(path).trim_start_matches('/');
    match rest.split('/').next() {
        // What is of no version is about the API itself.
        Some("api") => "description",
        Some(first) => first,
        None => rest,
    }
}

fn tags() -> Value {
    let mut names: Vec<&str> = Vec::new();
    for line in TABLE {
        if !names.contains(&tag(line.path)) {
            names.push(tag(line.path));
        }
    }
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

fn operation(line: &Line) -> Value {
    // A route without words is described as it is; the test of agreement asks for them.
    let Some(operation) = operations::of(line.method, line.path) else {
        return json!({ "responses": {} });
    };
    let roles: Vec<_> = match line.who {
        Who::Open => vec![],
        Who::Roles(roles) => roles.iter().map(|role| role.name()).collect(),
    };
    let who = if line.who == Who::Open {
        "Open to everyone, without a token.".to_owned()
    } else {
        format!("For {}.", roles.join(", "))
    };
    let id = format!("{} {}", line.method, line.path).to_lowercase();
    let id: Vec<_> = id.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let id: Vec<_> = id.into_iter().filter(|part| !part.is_empty()).collect();
    let mut made = json!({
        "operationId": id.join("_"),
        "tags": [tag(line.path)],
        "summary": operation.summary,
        "description": who,
        "security": security(line),
        "x-roles": roles,
        "parameters": parameters(line, operation),
        "responses": responses(line, operation),
    });
    if let (Some(form), Some(object)) = (&operation.form, made.as_object_mut()) {
        let body = json!({
            "required": form.is_required(),
            "description": format!("At most {BODY_BYTES_MAX} bytes."),
            "content": {
                "application/json": { "schema": form.schema(), "example": form.example() },
            },
        });
        object.insert("requestBody".to_owned(), body);
    }
    made
}

fn security(line: &Line) -> Value {
    match (line.who, line.method) {
        (Who::Open, _) => json!([]),
        (_, "GET") => json!([{ "token": [] }, { "session": [] }]),
        _ => json!([{ "token": [] }, { "session": [], "csrf": [] }]),
    }
}

fn parameters(line: &Line, operation: &Operation) -> Value {
    let slug = json!({ "type": "string", "pattern": forms::SLUG });
    let uuid = json!({ "type": "string", "format": "uuid" });
    let text = json!({ "type": "string" });
    let of_slug = ["agents", "queues"].contains(&tag(line.path));
    let mut all = Vec::new();
    let mut put = |place: &str, name: &str, says: &str, schema: &Value| {
        let required = place == "path";
        all.push(json!({
            "name": name,
            "in": place,
            "required": required,
            "description": says,
            "schema": schema,
        }));
    };
    for name in line.path.split('/').filter_map(|part| part.strip_prefix('{')) {
        let name = name.trim_end_matches('}');
        let schema = if name == "id" && of_slug { &slug } else { &uuid };
        put("path", name, "Which one.", schema);
    }
    for name in operation.query {
        put("query", name, words::of_parameter(name), &text);
    }
    if operation.way == Way::Page {
        let limit = json!({
            "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT,
        });
        put("query", "limit", "Most items of a page.", &limit);
        put("query", "cursor", "The `next_cursor` of the page before.", &text);
    }
    if matches!(operation.way, Way::Command | Way::Replace) {
        put("header", "If-Match", "Only if it is of this version: the `ETag`.", &text);
    }
    if operation.way == Way::Command {
        let key = json!({ "type": "string", "minLength": 1, "maxLength": KEY_BYTES_MAX });
        let says = "The same key and body gives the first outcome again, for 24 hours.";
        put("header", "Idempotency-Key", says, &key);
    }
    if line.who != Who::Open {
        let says = "The agent to act as, with a token of scope act_as.";
        put("header", AGENT_HEADER, says, &slug);
    }
    Value::Array(all)
}

fn responses(line: &Line, operation: &Operation) -> Value {
    let mut all = BTreeMap::new();
    for (status, shape) in operation.answers {
        let mut answer = answer(*status, *shape);
        let headers = headers(line, operation, *status, *shape);
        if !headers.is_empty() {
            answer["headers"] = Value::Object(headers);
        }
        all.insert(status.to_string(), answer);
    }
    let mut refusals: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in operation.refusals(line.who == Who::Open) {
        refusals.entry(code.row().1).or_default().push(code);
    }
    for (status, codes) in refusals {
        let refusal = refusal(&codes);
        match all.get_mut(&status.to_string()) {
            None => {
                all.insert(status.to_string(), refusal);
            }
            Some(both) => {
                let content = refusal["content"]["application/problem+json"].clone();
                both["content"]["application/problem+json"] = content;
            }
        }
    }
    json!(all)
}

/// What is told beside the body; a header that is not always there is not required.
fn headers(line: &Line, operation: &Operation, status: u16, shape: Shape) -> Map<String, Value> {
    let mut all = Map::new();
    let mut put = |name: &str, required: bool, says: &str| {
        let schema = json!({ "type": "string" });
        let header = json!({ "required": required, "description": says, "schema": schema });
        all.insert(name.to_owned(), header);
    };
    let entity = matches!(shape, Shape::One("Agent" | "Clock" | "Contact" | "Queue" | "Token"));
    if entity {
        put("ETag", true, "The entity's version: what `If-Match` takes.");
    }
    let told = !matches!(shape, Shape::Empty | Shape::One("Session"));
    if told && (line.path.starts_with("/api/v1/") || shape == Shape::Metrics) {
        put(SEQ.as_str(), true, "Number of the last event in it.");
    }
    if matches!(status, 201 | 303) {
        put("Location", true, "Where it is.");
    }
    if operation.way == Way::Command {
        put(REPLAY.as_str(), false, "`true`: the outcome is an earlier one of the same key.");
    }
    all
}

fn answer(status: u16, shape: Shape) -> Value {
    let says = match status {
        101 => "The socket is open.",
        201 => "Made.",
        204 => "Done.",
        303 => "Signed in; the wallboard is there.",
        503 => "It takes no work just now.",
        _ => "As it is.",
    };
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let schema = match shape {
        Shape::Empty => return json!({ "description": says }),
        Shape::Html => {
            let schema = json!({ "type": "string" });
            return json!({ "description": says, "content": { "text/html": { "schema": schema } } });
        }
        Shape::Metrics => {
            let schema = json!({ "type": "string" });
            let text = json!({ "text/plain": { "schema": schema } });
            return json!({ "description": says, "content": text });
        }
        Shape::Report(name) => {
            let content = json!({
                "application/json": { "schema": reference(name) },
                "text/csv": { "schema": { "type": "string" } },
            });
            return json!({ "description": says, "content": content });
        }
        Shape::One(name) => reference(name),
        Shape::Page(name) => page(&reference(name), false),
        Shape::Stream(name) => page(&reference(name), true),
    };
    json!({ "description": says, "content": { "application/json": { "schema": schema } } })
}

fn page(item: &Value, epoch: bool) -> Value {
    let mut properties = Map::new();
    if epoch {
        let says = words::of_member("", "epoch");
        properties.insert("epoch".to_owned(), json!({ "type": "string", "description": says }));
    }
    properties.insert("items".to_owned(), json!({ "type": "array", "items": item }));
    let says = words::of_member("", "next_cursor");
    let cursor = json!({ "type": ["string", "null"], "description": says });
    properties.insert("next_cursor".to_owned(), cursor);
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn refusal(codes: &[Code]) -> Value {
    let titles: Vec<_> = codes.iter().map(|code| format!("{}.", code.row().2)).collect();
    let types: Vec<_> = codes.iter().map(|code| code.urn()).collect();
    let schema = json!({
        "$ref": "#/components/schemas/Problem",
        "properties": { "type": { "enum": types } },
    });
    let mut refusal = json!({
        "description": titles.join(" "),
        "content": { "application/problem+json": { "schema": schema } },
    });
    if codes.iter().any(|code| matches!(code.row().1, 429 | 503)) {
        refusal["headers"] = json!({ "Retry-After": {
            "required": true,
            "description": "Seconds after which to come again.",
            "schema": { "type": "string" },
        } });
    }
    refusal
}

fn schemas() -> Value {
    let mut all = Map::new();
    let samples = samples::samples().unwrap_or_else(|error| {
        tracing::error!(%error, "failed to describe the API: a sample has no slug");
        BTreeMap::new()
    });
    for (name, samples) in samples {
        let mut made = schema::of(name, &samples.iter().collect::<Vec<_>>());
        if name == "Token" {
            let says = "The secret: in the answer that makes it, and nowhere else.";
            made["properties"]["token"] = json!({ "type": "string", "description": says });
        }
        if let (Some(last), Some(object)) = (samples.last(), made.as_object_mut()) {
            object.insert("examples".to_owned(), json!([last]));
        }
        all.insert(name.to_owned(), made);
    }
    let clock = json!({ "at": "2026-03-02T08:00:00Z", "rate": 1 });
    let reasons = [vec![], vec!["the disk is full".to_owned()]];
    let health = reasons.map(|reasons| super::health::ready_json(&reasons, &clock));
    all.insert("Health".to_owned(), schema::of("Health", &health.iter().collect::<Vec<_>>()));
    all.insert("Clock".to_owned(), schema::of("Clock", &[&clock]));
    all.insert("Life".to_owned(), schema::of("Life", &[&super::health::live_json()]));
    let session = super::sessions::sample();
    all.insert("Session".to_owned(), schema::of("Session", &session.iter().collect::<Vec<_>>()));
    all.insert("Description".to_owned(), json!({ "type": "object", "required": ["openapi"] }));
    all.insert("Problem".to_owned(), problem());
    Value::Object(all)
}

/// RFC 9457; other members say what it is about.
fn problem() -> Value {
    let sample = Problem::invalid("queue", "there is no queue `nowhere`").to_json();
    let mut made = schema::of("Problem", &[&sample]);
    if let Some(required) = made["required"].as_array_mut() {
        required.retain(|name| name != "field");
    }
    made["examples"] = json!([sample]);
    made
}
