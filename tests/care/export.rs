//! `export`: what `/events` gives, from the folder alone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::house::{ATALAYA, Place, furnish};

#[actix_web::test]
async fn the_events_of_the_folder_are_those_of_the_server_and_nothing_personal() {
    let place = Place::new("");
    let server = place.serve("data", &[]);
    let mut wire = server.wire(&place.token());
    furnish(&mut wire, 3).await;
    let call = json!({"channel": "voice", "queue": "unserved", "from": "+34600000142",
        "subject": "llama su hija Matilde"});
    for _ in 0..20 {
        wire.post("/api/v1/contacts", &call).await.unwrap().good();
    }
    let told = wire.all("/api/v1/events").await;
    let out = place.run(&["export", "--data", "data"]).good();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, told);
    for word in ["García", "600000142", "Matilde", "hija"] {
        assert!(!out.contains(word), "`{word}` was exported");
    }
    let after = told.len() - 7;
    let words = ["export", "--data", "data", "--format", "jsonl", "--after"];
    let tail = place.run(&[&words[..], &[&after.to_string()]].concat()).good();
    assert_eq!(tail, out.split_inclusive('\n').skip(after).collect::<String>());
    assert_eq!(place.run(&[&words[..], &["999999"]].concat()).good(), "");
    server.stop();
    let stopped = place.run(&["export", "--data", "data"]).good();
    assert!(stopped.starts_with(&out), "the same without a server");
}

/// Whoever reads the first line and goes has what they wanted.
#[actix_web::test]
async fn a_pipe_that_is_closed_ends_it_quietly() {
    let place = Place::new("");
    let server = place.serve("data", &[]);
    let mut wire = server.wire(&place.token());
    furnish(&mut wire, 1).await;
    let call = json!({"channel": "voice", "queue": "unserved"});
    for _ in 0..400 {
        wire.post("/api/v1/contacts", &call).await.unwrap().good();
    }
    server.stop();
    let mut child = Command::new(ATALAYA)
        .args(["export", "--data"])
        .arg(place.path("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"seq\":1,"), "{first}");
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}
