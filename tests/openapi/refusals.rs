//! A refusal writes nothing: the log has the same number and the same bytes before and after.

use std::collections::BTreeMap;
use std::path::Path;

use atalaya::actors::clock::wall_now;
use atalaya::api::body::BODY_BYTES_MAX;
use atalaya::api::openapi::document;
use atalaya::api::roles::{Role, TABLE};
use atalaya::journal::recorder::Recorder;
use serde_json::{Value, json};

use crate::house::{House, NOBODY, house_with};

/// Every file of the log, whole.
fn bytes(log: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(log).unwrap().map(Result::unwrap);
    let read = files
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()));
    read.collect()
}

#[actix_web::test]
async fn no_refusal_reaches_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::open(dir.path(), wall_now, &mut |_| ()).unwrap();
    let house = house_with(Box::new(recorder), vec![], [7; 32]).await;
    house.staffed(&["ana"]).await;
    let mut tokens = vec![("nobody", String::new()), ("a stranger", "nonsense".to_owned())];
    for role in Role::ALL {
        let agent = (role == Role::Agent).then_some("ana");
        tokens.push((role.name(), house.token(role, agent).await));
    }
    let log = dir.path().join("log");
    let state = || (house.api.core.last_seq(), bytes(&log));
    let mut before = state();
    assert!(before.0 > 5 && before.1.values().map(Vec::len).sum::<usize>() > 500, "{}", before.0);
    let mut refused = BTreeMap::<u16, usize>::new();
    let mut passed = 0;
    for line in TABLE {
        let path = line.path.replace("{id}", NOBODY).replace("{offer}", NOBODY);
        let operation = &document()["paths"][line.path][line.method.to_lowercase()];
        let content = &operation["requestBody"]["content"]["application/json"];
        let mut bodies = vec![
            ("unknown field", json!({"nonsense": 1})),
            ("oversize", json!({"nonsense": "x".repeat(BODY_BYTES_MAX)})),
            ("no object", json!([])),
        ];
        if line.method != "PUT" {
            bodies.push(("unknown id", content["example"].clone()));
        }
        for (who, token) in &tokens {
            for (what, body) in &bodies {
                let body = if *body == Value::Null { json!({}) } else { body.clone() };
                let request = House::request(line.method, &path, token);
                let bodyless = ["GET", "DELETE"].contains(&line.method);
                let request = if bodyless { request } else { request.set_json(body) };
                let reply = house.send(request).await;
                let after = state();
                if reply.status < 400 && line.method != "GET" {
                    // What was granted is written; what comes next is held against that.
                    assert_ne!(before, after, "{} {path} {who} {what}", line.method);
                    before = after;
                    passed += 1;
                    continue;
                }
                let says = format!("{} {path} {who}, {what}: {}", line.method, reply.status);
                assert_eq!(before.0, after.0, "{says}: an event was written");
                assert!(before.1 == after.1, "{says}: the log has other bytes");
                *refused.entry(reply.status).or_default() += 1;
            }
        }
    }
    println!("{refused:?} by status; {passed} were granted");
    let total: usize = refused.iter().filter(|(status, _)| **status >= 400).map(|it| it.1).sum();
    assert!(total > 800, "{total}");
}
