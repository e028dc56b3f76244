//! Names, kinds and labels of every family, and who may read them.

use std::io::Write;
use std::process::{Command, Stdio};

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use atalaya::api::roles::Role;
use atalaya::api::{Api, routes};
use expect_test::expect_file;

use crate::house::house;
use crate::support::{fixture, skip};

#[actix_web::test]
async fn names_kinds_and_labels_are_those_that_programs_rely_on() {
    let house = house().await;
    house.staffed(&["ana.garcia"]).await;
    let scrape = house.scrape().await;
    expect_file!["../golden/metrics.txt"].assert_eq(&(scrape.shapes().join("\n") + "\n"));
}

#[actix_web::test]
async fn every_series_is_there_at_0_before_anything_happens() {
    let house = house().await;
    house.staffed(&["ana.garcia"]).await;
    let scrape = house.scrape().await;
    for state in ["signed_out", "lost", "offered", "busy", "wrap_up", "not_ready", "ready"] {
        let of = f64::from(u8::from(state == "signed_out"));
        let sample = format!("agents{{team=\"morning-1\",state=\"{state}\"}}");
        assert!(scrape.get(&sample).total_cmp(&of).is_eq(), "{sample}");
    }
    let queue = "queue=\"pensions\"";
    let counts = ["offered", "answered", "answered_within_target", "abandoned"];
    let counts = counts.into_iter().chain(["short_abandoned", "refused"]);
    let counts = counts.map(|name| format!("contacts_{name}_total{{{queue},channel=\"voice\"}}"));
    let offers = ["accepted", "rejected", "missed", "recalled"];
    let offers = offers.map(|result| format!("offers_total{{{queue},result=\"{result}\"}}"));
    let topics = ["agent", "roster", "wallboard"];
    let topics = topics.map(|topic| format!("websocket_clients{{topic=\"{topic}\"}}"));
    let more = ["queue_waiting", "queue_longest_wait_seconds", "offer_to_answer_seconds_count"];
    let more = more.map(|name| format!("{name}{{{queue}}}"));
    let process = [
        "http_requests_total{method=\"POST\",route=\"/api/v1/contacts\",code=\"503\"}".to_owned(),
        "actor_restarts_total{actor=\"contact\"}".to_owned(),
        "impossible_total{kind=\"over_capacity\"}".to_owned(),
        "quarantined".to_owned(),
    ];
    let kinds = ["agent", "contact", "queue", "session", "system", "token"];
    let depths = kinds.map(|kind| format!("mailbox_depth{{actor=\"{kind}\"}}"));
    let today = ["offered", "answered", "answered_within_target", "abandoned"];
    let today = today.into_iter().chain(["short_abandoned", "refused", "carried_over"]);
    let today = today.map(|result| format!("contacts_today{{{queue},result=\"{result}\"}}"));
    let rules = ["quarantined", "impossible"].map(|rule| format!("alerts{{rule=\"{rule}\"}}"));
    let process = depths.into_iter().chain(today).chain(rules).chain(process);
    for sample in counts.chain(offers).chain(topics).chain(more).chain(process) {
        assert!(scrape.get(&sample).total_cmp(&0.0).is_eq(), "{sample}");
    }
    for share in ["service_level", "service_level_today", "asa_today_seconds"] {
        let share = scrape.get(&format!("{share}{{{queue}}}"));
        assert!(share.is_nan(), "nobody is no share");
    }
    for (sample, wanted) in [
        ("queue_state{queue=\"pensions\",state=\"open\"}", 1.0),
        ("queue_state{queue=\"pensions\",state=\"closed\"}", 0.0),
        ("service_level_target{queue=\"pensions\"}", 0.8),
        ("service_level_target_seconds{queue=\"pensions\"}", 20.0),
        ("journal_takes_work", 1.0),
        ("ready", 1.0),
    ] {
        assert!(scrape.get(sample).total_cmp(&wanted).is_eq(), "{sample}");
    }
}

#[actix_web::test]
async fn only_an_administrator_reads_them_unless_they_are_open() {
    let house = house().await;
    assert_eq!(house.text("").await.0, 401);
    for role in Role::ALL {
        let agent = (role == Role::Agent).then_some("ana.garcia");
        let token = house.token(role, agent).await;
        let wanted = if role == Role::Administrator { 200 } else { 403 };
        assert_eq!(house.text(&token).await.0, wanted, "{role}");
    }
    let mut api = Api::new(house.centre.clone(), [7; 32], "e1".into());
    api.open_metrics = true;
    let app = init_service(routes::app(Data::new(api))).await;
    for (path, wanted) in [("/metrics", 200), ("/api/v1/queues", 401)] {
        let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(answer.status().as_u16(), wanted, "{path}");
    }
}

#[actix_web::test]
async fn promtool_finds_nothing_to_say() {
    let name = "promtool_finds_nothing_to_say";
    let promtool = fixture("promtool.sh");
    if !Command::new(&promtool).arg("have").status().unwrap().success() {
        skip(name, "promtool is not here: tests/fixtures/promtool.sh install");
        return;
    }
    let house = house().await;
    house.staffed(&["ana.garcia"]).await;
    let text = house.scrape().await.text;
    let mut child = Command::new(promtool)
        .args(["run", "check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success() && words.is_empty(), "{words}");
}
