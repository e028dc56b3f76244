//! Reports by interval and the lists behind the figures, against the real program.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::process::{Person, Process, path};

const REPORT: &str = "/api/v1/reports/intervals?from=2026-03-02&to=2026-03-04";

/// An agent takes a call after so many seconds, and talks for ten.
async fn answered(server: &Process, agent: &Person, queue: &str, wait: u32) {
    let call = server.call(queue).await;
    server.pass(&format!("{wait}s")).await;
    agent.accept(&server.contact(&call).await).await.unwrap();
    server.pass("10s").await;
    agent.client.post(&path(&call, "complete"), &json!({})).await.unwrap();
}

/// Somebody leaves after so many seconds.
async fn abandoned(server: &Process, queue: &str, wait: u32) {
    let call = server.call(queue).await;
    server.pass(&format!("{wait}s")).await;
    server.admin.post(&path(&call, "abandon"), &json!({})).await.unwrap();
}

/// Answered 8, of which 6 within 20 s; abandoned 2, of which 1 within 20 s, none short.
async fn s77(server: &Process, ana: &Person) {
    ana.ready().await;
    for wait in [10, 10, 20, 10, 10, 10, 21, 25] {
        answered(server, ana, "q", wait).await;
    }
    ana.says(json!({"state": "not_ready", "reason": "lunch"})).await;
    for wait in [20, 30] {
        abandoned(server, "q", wait).await;
    }
}

#[actix_web::test]
async fn s77_s86_service_levels_through_the_api() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    house(&server).await;
    let ana = server.agent("ana").await;
    s77(&server, &ana).await;
    let report = server.admin.get("/api/v1/reports/intervals?queue=q").await.unwrap();
    let last = report["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["from"], "2026-03-02T09:00:00+01:00", "today, in the centre's zone");
    assert_eq!(last["closed"], false, "its quarter is not over: {last}");
    server.pass("15m").await;
    let report = server.admin.get("/api/v1/reports/intervals?queue=q&by=1d").await.unwrap();
    let (row, totals) = (&report["items"][0], &report["totals"]);
    for (name, value) in [
        ("offered", json!(10)),
        ("answered", json!(8)),
        ("answered_within", json!(6)),
        ("abandoned", json!(2)),
        ("short_abandoned", json!(0)),
        ("abandoned_within", json!(1)),
        ("service_level", json!(0.6)),
        ("service_level_abandons_ignored", json!(0.75)),
        ("service_level_abandons_in_time_count", json!(0.7)),
        ("asa_s", json!(14.5)),
        ("mean_wait_s", json!(16.6)),
        ("aht_s", json!(10.0)),
        ("abandonment_rate", json!(0.2)),
        ("longest_wait_s", json!(30.0)),
    ] {
        assert_eq!((&row[name], &totals[name]), (&value, &value), "{name}");
    }
    let board = server.board().await["data"]["queues"]["q"].clone();
    assert_eq!(board["service_level_today"], row["service_level"]);
    assert_eq!((&board["asa_today_s"], &board["aht_today_s"]), (&row["asa_s"], &row["aht_s"]));
    // No traffic is no figure.
    let none = server.admin.get("/api/v1/reports/intervals?queue=other").await.unwrap();
    for row in none["items"].as_array().unwrap().iter().chain([&none["totals"]]) {
        assert_eq!((&row["offered"], &row["service_level"]), (&json!(0), &Value::Null));
        assert_eq!((&row["asa_s"], &row["abandonment_rate"]), (&Value::Null, &Value::Null));
    }
    same_as_lines(&server, "/api/v1/reports/intervals?by=30m").await;
}

/// S86: lines say what JSON says, at the same number.
async fn same_as_lines(server: &Process, path: &str) {
    let report = server.admin.get(path).await.unwrap();
    let (seq, text) = server.lines(path);
    assert_eq!(report["seq"], seq);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let lines: Vec<&str> = lines.collect();
    let rows: Vec<&Value> =
        report["items"].as_array().unwrap().iter().chain([&report["totals"]]).collect();
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(lines) {
        for (name, text) in names.iter().zip(line.split(',')) {
            let value = match &row[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(text, value, "{name} of {line}");
        }
    }
}

#[actix_web::test]
async fn s80_hours_through_the_api() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({})).await;
    for (from, to, zone, hours) in [
        ("2020-11-01T00:00:00-04:00", "2020-11-01T03:00:00-05:00", "America/Montreal", 4),
        ("2026-10-25", "2026-10-26", "Europe/Madrid", 25),
        ("2026-03-29", "2026-03-30", "Europe/Madrid", 23),
    ] {
        let path =
            format!("/api/v1/reports/intervals?from={from}&to={to}&by=1h&time_zone={zone}&queue=q");
        let report = server.admin.get(&path).await.unwrap();
        assert_eq!(report["items"].as_array().unwrap().len(), hours, "{zone} {from}");
        let (_, text) = server.lines(&path);
        assert_eq!(text.lines().count(), hours + 2, "names, hours, and their sum");
    }
    for (query, field) in [
        ("from=yesterday", "from"),
        ("by=5m", "by"),
        ("time_zone=Atlantis", "time_zone"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2000-01-01&to=2026-01-01", "from"),
        ("queue=nobody", "queue"),
        ("limit=3", "limit"),
    ] {
        let refused =
            server.admin.get(&format!("/api/v1/reports/intervals?{query}")).await.unwrap_err();
        assert!(matches!(refused.status(), Some(400 | 422)), "{query}: {refused}");
        assert!(refused.to_string().contains(field), "{query}: {refused}");
    }
}

async fn house(server: &Process) {
    let target = json!({"service_level": {"share": 0.8, "within": "20s"}, "offer_timeout": "5m",
        "wrap_up": "0s", "max_waiting": 3});
    for queue in ["q", "other"] {
        server.queue(queue, target.clone()).await;
    }
}

/// Everything that reports and lists say.
async fn all_of_it(server: &Process) -> (Value, BTreeMap<String, Vec<Value>>) {
    let mut report = server.admin.get(REPORT).await.unwrap();
    for row in report["items"].as_array().unwrap().iter().chain([&report["totals"]]) {
        let of = |name: &str| row[name].as_u64().unwrap();
        let gone = of("answered") + of("abandoned") + of("refused") + of("callbacks");
        let moved = of("overflowed_out") + of("transferred_out");
        assert_eq!(of("offered"), gone + moved + of("still_waiting"), "{row}");
    }
    let data = server.board().await["data"].clone();
    let mut lists = BTreeMap::new();
    let queues = data["queues"].as_object().unwrap();
    let queues = queues.iter().map(|(id, figures)| (id.as_str(), figures));
    for (queue, figures) in queues.chain([("totals", &data["totals"])]) {
        for name in atalaya::views::CountedIn::figures() {
            let path = format!("/api/v1/contacts?limit=500&counted_in={queue}.{name}");
            let page = server.admin.get(&path).await.unwrap();
            let ids = page["items"].as_array().unwrap().iter().map(|item| item["id"].clone());
            let ids: Vec<Value> = ids.collect();
            assert_eq!(json!(ids.len()), figures[&name], "{queue}.{name}");
            lists.insert(format!("{queue}.{name}"), ids);
        }
    }
    // A start is an event of its own.
    report.as_object_mut().unwrap().remove("seq");
    report.as_object_mut().unwrap().remove("at");
    (report, lists)
}

/// The quarters and queues whose sums are in the picture of a folder that nobody has.
fn cells_of(dir: &std::path::Path) -> Vec<(i64, String)> {
    let opening = atalaya::journal::opening::Opening::begin(dir).unwrap();
    let cells = opening.picture().cells(i64::MIN, i64::MAX).map(Result::unwrap);
    cells.map(|((quarter, queue), _)| (quarter, queue.to_string())).collect()
}

/// S87 by interval, and every list as long as its figure: over a local midnight, a start, a kill,
/// and a fold of the whole log.
#[actix_web::test]
async fn s87_rows_and_lists_over_midnight_and_starts() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Process::still(dir.path());
    house(&server).await;
    let ana = server.agent("ana").await;
    s77(&server, &ana).await;
    // Half an hour before midnight in Madrid.
    server.pass("14h").await;
    server.pass("20m").await;
    abandoned(&server, "q", 3).await;
    for _ in 0..5 {
        server.call("q").await;
    }
    let before = all_of_it(&server).await;
    assert_eq!(before.1["q.waiting"].len(), 3);
    assert_eq!(before.1["q.refused_today"].len(), 2);
    server.pass("40m").await;
    let stays = server.call("other").await;
    abandoned(&server, "other", 60).await;
    ana.ready().await;
    let (mut known, lists) = all_of_it(&server).await;
    assert_eq!(lists["q.carried_over_today"].len(), 3);
    assert_eq!(lists["totals.carried_over_today"].len(), 3);
    assert_eq!((lists["q.refused_today"].len(), lists["q.abandoned_1h"].len()), (0, 1));
    assert!(lists.contains_key("other.waiting"), "{}", stays["id"]);
    for kind in ["stopped", "killed", "folded"] {
        match kind {
            "stopped" => server.stop(),
            _ => drop(server),
        }
        // What is done lies in the picture, each once and for good.
        let done = cells_of(dir.path());
        assert!(done.iter().any(|(_, queue)| queue == "q"), "{done:?}");
        if kind == "folded" {
            std::fs::remove_dir_all(dir.path().join("state")).unwrap();
        }
        server = Process::still_again(dir.path());
        let again = all_of_it(&server).await;
        assert_eq!(again, (known.clone(), lists.clone()), "{kind}");
    }
    // What is closed stands.
    server.pass("3h").await;
    let (later, _) = all_of_it(&server).await;
    let rows = later["items"].as_array().unwrap();
    let mut closed = 0;
    for row in known["items"].as_array_mut().unwrap().iter().filter(|row| row["closed"] == true) {
        assert!(rows.contains(row), "a closed row has changed: {row}");
        closed += 1;
    }
    assert!(closed > 90, "only {closed} rows were closed");
}

#[actix_web::test]
async fn a_list_of_no_figure_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    server.queue("q", json!({})).await;
    for name in ["q.ready", "nobody.waiting", "waiting", "totals.refused_15m"] {
        let path = format!("/api/v1/contacts?counted_in={name}");
        let refused = server.admin.get(&path).await.unwrap_err();
        assert_eq!(refused.status(), Some(422), "{refused}");
        assert!(refused.to_string().contains(name), "{refused}");
    }
}

#[actix_web::test]
async fn thresholds_are_kept_shown_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::still(dir.path());
    let all = json!({"longest_wait": {"warning": "2m", "critical": "4m"},
        "waiting": {"warning": 10, "critical": 20},
        "service_level": {"warning": 0.8, "critical": 0.7}});
    let part = json!({"waiting": {"critical": 5}});
    for (queue, thresholds) in [("all", &all), ("part", &part)] {
        server.queue(queue, json!({"thresholds": thresholds})).await;
    }
    server.queue("none", json!({})).await;
    for (thresholds, field) in [
        (json!({"longest_wait": {"warning": "4m", "critical": "2m"}}), "thresholds.longest_wait"),
        (json!({"longest_wait": {"warning": 120}}), "thresholds.longest_wait.warning"),
        (json!({"longest_wait": {"warning": "2 minutes"}}), "thresholds.longest_wait.warning"),
        (json!({"waiting": {"warning": 20, "critical": 20}}), "thresholds.waiting"),
        (json!({"waiting": {"critical": -1}}), "thresholds.waiting.critical"),
        (json!({"service_level": {"warning": 0.7, "critical": 0.8}}), "thresholds.service_level"),
        (json!({"service_level": {"warning": 80}}), "thresholds.service_level"),
        (json!({"waiting": {"fatal": 3}}), "thresholds.waiting.fatal"),
        (json!({"mood": {}}), "thresholds.mood"),
    ] {
        let rules = json!({"name": "Pensiones", "thresholds": thresholds});
        let refused = server.admin.put("/api/v1/queues/all", &rules).await.unwrap_err();
        assert!(matches!(refused.status(), Some(400 | 422)), "{refused}");
        assert!(refused.to_string().contains(&format!("`{field}`")), "{refused}");
    }
    server.stop();
    let server = Process::still_again(dir.path());
    for (queue, thresholds) in [("all", &all), ("part", &part), ("none", &json!({}))] {
        let path = format!("/api/v1/queues/{queue}");
        assert_eq!(server.admin.get(&path).await.unwrap()["thresholds"], *thresholds);
        assert_eq!(server.board().await["data"]["queues"][queue]["thresholds"], *thresholds);
    }
}
