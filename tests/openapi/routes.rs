//! Every route that the server answers is described, and every one that is described is answered.

use std::collections::BTreeSet;

use atalaya::api::openapi::document;
use atalaya::api::roles::{TABLE, Who};
use expect_test::expect;
use serde_json::{Value, json};

use crate::house::{NOBODY, house};

fn described() -> BTreeSet<(String, String)> {
    let paths = document()["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[actix_web::test]
async fn what_is_described_is_answered_and_nothing_else() {
    let house = house().await;
    let described = described();
    let table = TABLE.iter().map(|line| (line.method.to_owned(), line.path.to_owned()));
    assert_eq!(described, table.collect());
    assert_eq!(described.len(), TABLE.len(), "a line stands in the table twice");
    let paths: BTreeSet<_> = described.iter().map(|(_, path)| path).collect();
    let (mut answered, mut refused) = (0, 0);
    for path in &paths {
        let real = path.replace("{id}", NOBODY).replace("{offer}", NOBODY);
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"] {
            let body = json!({"nonsense": 1});
            let reply = if method == "GET" {
                house.get(&real, &house.admin).await
            } else {
                house.ask(method, &real, &house.admin, body).await
            };
            let here = described.contains(&(method.to_owned(), (*path).clone()));
            assert_ne!(reply.status, 500, "{method} {path} has no handler: {reply:?}");
            assert_eq!(reply.status != 405, here, "{method} {path}: {reply:?}");
            let allow = reply.header("allow").unwrap_or("").to_owned();
            if !here {
                let methods = described.iter().filter(|(_, other)| other == *path);
                let methods: Vec<_> = methods.map(|(method, _)| method.as_str()).collect();
                let mut allowed: Vec<_> = allow.split(", ").collect();
                allowed.sort_unstable();
                assert_eq!(allowed, methods, "{path}");
            }
            if here { answered += 1 } else { refused += 1 }
        }
        let below = house.get(&format!("{real}/nothing"), &house.admin).await;
        let served = paths.iter().any(|other| other.starts_with(&format!("{path}/")));
        assert!(served || [404, 405, 200].contains(&below.status), "{path}: {below:?}");
    }
    println!("{answered} routes answered, {refused} methods refused");
    for path in ["/api/v1/nothing", "/api/v2/agents", "/api/", "/api/v1/contacts/1/2/3"] {
        assert_eq!(house.get(path, &house.admin).await.status, 404, "{path}");
    }
}

#[test]
fn every_operation_says_what_it_does_and_for_whom() {
    let mut ids = BTreeSet::new();
    for line in TABLE {
        let operation = &document()["paths"][line.path][line.method.to_lowercase()];
        let what = format!("{} {}", line.method, line.path);
        assert!(operation["summary"].as_str().is_some_and(|it| it.ends_with('.')), "{what}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{what}: its id is used");
        let roles: Vec<_> = operation["x-roles"].as_array().unwrap().iter().collect();
        match line.who {
            Who::Open => assert_eq!(operation["security"], json!([]), "{what}"),
            Who::Roles(named) => {
                assert_eq!(roles, named.iter().map(|role| role.name()).collect::<Vec<_>>());
            }
        }
        for response in operation["responses"].as_object().unwrap().values() {
            assert!(response["description"].as_str().is_some_and(|it| !it.is_empty()), "{what}");
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            assert_ne!(parameter["description"], "", "{what}: {parameter}");
        }
        let has_body = ["POST", "PUT", "PATCH"].contains(&line.method);
        assert_eq!(operation.get("requestBody").is_some(), has_body, "{what}");
    }
    let about = document()["info"]["description"].as_str().unwrap();
    for word in ["Slugs", "`external_id`", "`outcome`", "`topic`", "not personal"] {
        assert!(about.contains(word), "{word}");
    }
}

/// Members that are null in every sample: each is one that this version never fills.
fn never_filled(at: &str, schema: &Value, found: &mut Vec<String>) {
    if schema["type"] == "null" {
        found.push(at.to_owned());
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        never_filled(&format!("{at}.{name}"), member, found);
    }
    for inner in [&schema["items"], &schema["additionalProperties"]] {
        if inner.is_object() {
            never_filled(at, inner, found);
        }
    }
    if schema["type"] == "array" && schema["items"] == json!({}) {
        found.push(format!("{at} is always empty"));
    }
}

#[test]
fn samples_fill_all_that_this_version_fills() {
    let mut found = vec![];
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        never_filled(name, schema, &mut found);
    }
    expect![[r#"
        Contact.citizen
        Contact.consulted
        Contact.expected_wait_s
        Contact.preferred_agent
        Contact.callback_of
        Queue.expected_wait_s
        Report.next_cursor
        Wallboard.data.queues.expected_wait_s"#]]
    .assert_eq(&found.join("\n"));
}

#[actix_web::test]
async fn the_page_shows_it_all_and_runs_nothing() {
    let house = house().await;
    let request = crate::house::House::request("GET", "/api/docs", &house.admin);
    let response = (house.service)(request).await;
    let policy = response.headers().get("content-security-policy").unwrap();
    let policy = policy.to_str().unwrap().to_owned();
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    let page = String::from_utf8(body.to_vec()).unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'nonce-"), "{policy}");
    assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(page.contains(&format!("<style nonce=\"{nonce}\">")));
    for foreign in ["<script", "http://", "https://", "style=", "onclick"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for line in TABLE {
        assert!(page.contains(&format!("{} {}</h3>", line.method, line.path)), "{}", line.path);
    }
    println!("{} kB", page.len() / 1_000);
}
