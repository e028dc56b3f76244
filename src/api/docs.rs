//! `/api/docs`: the description as a page: HTML of one's own, no script, nothing from elsewhere.
//!
//! It is written from the description itself and says nothing that is not in it.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use serde_json::Value;

use super::call::Call;
use super::openapi::document;
use super::problem::Problem;
use super::secrets::Secrets;

const STYLE: &str = "\
body{font:1rem/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem;\
color:#1b1f24;background:#fff}\
h2{border-bottom:1px solid #c8ced6;margin-top:2.5rem}\
h3{font:600 1rem/1.4 ui-monospace,monospace;margin:2rem 0 .25rem}\
table{border-collapse:collapse;width:100%;margin:.5rem 0}\
caption{text-align:left;font-weight:600}\
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;\
border-bottom:1px solid #e3e7ec}\
code{font:.9rem ui-monospace,monospace;overflow-wrap:anywhere}\
nav a{margin-right:1rem}a{color:#0b57a4}\
@media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#14181d}a{color:#7db7f0}\
th,td,h2{border-color:#343b44}}";

/// `GET /api/docs`.
pub async fn page(_: Call) -> Result<HttpResponse, Problem> {
    let nonce = Secrets::make()?;
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html(document(), &nonce)))
}

/// Writing to a `String` cannot fail.
macro_rules! put {
    ($page:ident, $($text:tt)*) => { let _ = write!($page, $($text)*); };
}

fn html(document: &Value, nonce: &str) -> String {
    let mut page = String::new();
    put!(page, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    put!(page, "<meta name=\"viewport\" content=\"width=device-width\">");
    put!(page, "<title>Atalaya API</title><style nonce=\"{nonce}\">{STYLE}</style></head><body>");
    put!(page, "<main><h1>Atalaya API {}</h1>", text(&document["info"]["version"]));
    for paragraph in document["info"]["description"].as_str().unwrap_or("").split("\n\n") {
        put!(page, "<p>{}</p>", code(&escape(&paragraph.replace("**", ""))));
    }
    put!(page, "<p>The same for programs: <a href=\"/api/openapi.json\">openapi.json</a></p><nav>");
    let tags = document["tags"].as_array().into_iter().flatten();
    let tags: Vec<_> = tags.filter_map(|tag| tag["name"].as_str()).collect();
    for tag in &tags {
        put!(page, "<a href=\"#{0}\">{0}</a>", escape(tag));
    }
    put!(page, "<a href=\"#schemas\">schemas</a></nav>");
    for tag in tags {
        put!(page, "<section><h2 id=\"{0}\">{0}</h2>", escape(tag));
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                if operation["tags"][0] == tag {
                    one(&mut page, method, path, operation);
                }
            }
        }
        put!(page, "</section>");
    }
    put!(page, "<section><h2 id=\"schemas\">schemas</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        put!(page, "<h3 id=\"schema-{0}\">{0}</h3>", escape(name));
        members(&mut page, "Members", schema);
        if let Some(example) = schema["examples"].get(0) {
            let example = serde_json::to_string_pretty(example).unwrap_or_default();
            put!(
                page,
                "<details><summary>Example</summary><pre><code>{}</code></pre></details>",
                escape(&example)
            );
        }
    }
    put!(page, "</section></main></body></html>");
    page
}

fn one(page: &mut String, method: &str, path: &str, operation: &Value) {
    let id = text(&operation["operationId"]);
    put!(page, "<article><h3 id=\"{id}\">{} {}</h3>", method.to_uppercase(), escape(path));
    let (summary, who) = (text(&operation["summary"]), text(&operation["description"]));
    put!(page, "<p>{} {}</p>", code(&summary), who);
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters: Vec<_> = parameters.collect();
    if !parameters.is_empty() {
        put!(page, "<table><caption>Parameters</caption><tr><th>name<th>in<th>kind<th></tr>");
        for it in parameters {
            let (name, place) = (text(&it["name"]), text(&it["in"]));
            let (kind, says) = (kind(&it["schema"]), code(&text(&it["description"])));
            put!(page, "<tr><td><code>{name}</code><td>{place}<td>{kind}<td>{says}</tr>");
        }
        put!(page, "</table>");
    }
    let body = &operation["requestBody"]["content"]["application/json"];
    if body["schema"]["properties"].as_object().is_some_and(|fields| !fields.is_empty()) {
        members(page, "Body", &body["schema"]);
        put!(page, "<p>Example: <code>{}</code></p>", escape(&body["example"].to_string()));
    }
    put!(page, "<table><caption>Answers</caption><tr><th>status<th><th>content</tr>");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let mut content = String::new();
        for (media, it) in answer["content"].as_object().into_iter().flatten() {
            let types = it["schema"]["properties"]["type"]["enum"].as_array();
            let types: Vec<_> = types.into_iter().flatten().map(text).collect();
            let what = if types.is_empty() { kind(&it["schema"]) } else { types.join("<br>") };
            put!(content, "{what} <small>{}</small> ", escape(media));
        }
        put!(page, "<tr><td>{status}<td>{}<td>{content}</tr>", text(&answer["description"]));
    }
    put!(page, "</table></article>");
}

fn members(page: &mut String, caption: &str, schema: &Value) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    put!(page, "<table><caption>{caption}</caption><tr><th>name<th>kind<th></tr>");
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let needed = if required.iter().any(|it| *it == name) { "" } else { " (optional)" };
        let (kind, says) = (kind(member), code(&text(&member["description"])));
        put!(page, "<tr><td><code>{}</code>{needed}<td>{kind}<td>{says}</tr>", escape(name));
    }
    put!(page, "</table>");
}

/// What a schema takes, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .map(|value| escape(&value.to_string()))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    let mut words = vec![types];
    for (key, says) in [
        ("format", ""),
        ("maxLength", "at most "),
        ("maxItems", "at most "),
        ("maxProperties", "at most "),
        ("minimum", "from "),
        ("maximum", "to "),
    ] {
        match &schema[key] {
            Value::Null => (),
            value => words.push(format!("{says}{}", text(value))),
        }
    }
    if !schema["items"].is_null() {
        words.push(format!("of {}", kind(&schema["items"])));
    }
    if let Some(items) = schema["properties"].get("items") {
        words.push(format!("items: {}", kind(items)));
    }
    words.join(", ")
}

/// A text or number as it goes into the page.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => escape(text),
        Value::Null => String::new(),
        other => escape(&other.to_string()),
    }
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// What stands between backticks, as code.
fn code(escaped: &str) -> String {
    let parts = escaped.split('`').enumerate();
    parts
        .map(
            |(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() },
        )
        .collect()
}
