//! A day that is lived: what becomes of its contacts is what the pure loop says.
//!
//! In the small day whatever decides lies two seconds apart in time here, far more than a message
//! takes, also on a machine that is busy. The whole recorded day is the long form's.

use std::path::Path;

use super::days::{NONE, data, reference};
use super::house::{Server, are_the_reports, contacts, replay, report, the_wallboard_has};
use super::support;
use atalaya::simulation::pure::run;
use atalaya::simulation::scenario;
use atalaya_domain::ids::AgentId;

/// Centre seconds in a second of the small day.
const SPEED: &str = "20";
/// The same where nothing depends on when it comes.
const FAST: &str = "200";

/// One agent on a shift, one who answers by hand and takes a break: answered at once, waited for,
/// abandoned while waiting and while offered, refused by a closed queue, and come too late.
const DAY: &str = r#"
[scenario]
name = "a small day"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T09:00:00Z"

[[queue]]
id = "one"
requires = { one = 1 }
wrap_up = "40s"
service_level = { share = 0.8, within = "20s" }

[[queue]]
id = "two"
requires = { two = 1 }
offer_timeout = "80s"

[[agents]]
id = "ana"
skills = { one = 5 }
shift = { from = "2026-03-02T08:00:00Z", to = "2026-03-02T08:03:20Z" }

[[agents]]
id = "luis"
skills = { two = 5 }

[[contact]]
id = "at-once"
at = "40s"
queue = "one"
service = "80s"

[[contact]]
id = "impatient"
at = "80s"
queue = "one"
service = "60s"
patience = "40s"

[[contact]]
id = "patient"
at = "82s"
queue = "one"
service = "40s"
patience = "300s"
priority = "high"

[[contact]]
id = "too-late"
at = "180s"
queue = "one"
service = "10s"
patience = "40s"

[[contact]]
id = "by-hand"
at = "40s"
queue = "two"
service = "300s"

[[contact]]
id = "offered"
at = "160s"
queue = "two"
service = "10s"
hangs_up_at = "200s"

[[contact]]
id = "closed"
at = "240s"
queue = "two"
service = "10s"

[[action]]
at = "80s"
agent = "luis"
does = "accept"

[[action]]
at = "120s"
agent = "luis"
does = "complete"

[[action]]
at = "200s"
queue = "two"
does = "close"

[[action]]
at = "220s"
agent = "luis"
does = "not_ready"
"#;

fn written(dir: &Path, text: &str) -> std::path::PathBuf {
    let file = dir.join("day.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// The contacts of `lived` ended as those of the pure loop, with the same agents.
fn is_the_pure_loops(file: &Path, lived: &Path) {
    let rows = run(&scenario::read(file).unwrap()).unwrap().rows();
    let lived = contacts(lived);
    assert_eq!(lived.len(), rows.len());
    for row in rows {
        let line = &lived[&row.contact];
        assert_eq!(line.outcome, row.outcome, "{}: {line:?}", row.contact);
        assert_eq!(line.agent.as_deref(), row.agent.as_ref().map(AgentId::as_str), "{row:?}");
        assert!(line.wait_s.is_some(), "{}: {line:?}", row.contact);
    }
}

#[actix_web::test]
async fn a_day_is_lived_through_a_server_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = written(dir.path(), DAY);
    let (data, out) = (dir.path().join("data"), dir.path().join("out.csv"));
    let more: [&dyn AsRef<std::ffi::OsStr>; 6] =
        [&"--speed", &SPEED, &"--data", &data, &"--contacts", &out];
    let told = report(&replay(&file, &more));
    is_the_pure_loops(&file, &out);
    are_the_reports(&told["wallboard"], &told);
    assert!(told["hop_s"].as_f64().is_some_and(|hop| 0.0 < hop), "{told}");
    // Setting up may take longer than it was given: the day begins so much later then.
    assert!(told["moved_s"].as_f64().is_some_and(|moved| 0.0 <= moved), "{told}");
    assert_eq!(told["left_out"], serde_json::json!({}));
    assert!(told["kpi"]["aht_s"].as_f64().is_some_and(|aht| 0.0 < aht), "{told}");
    let server = Server::start(&data, "0");
    the_wallboard_has(&server.client(&data), &told).await;
    let again = replay(&file, &more);
    let error = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(error.contains("name an empty folder"), "{error}");
}

#[actix_web::test]
async fn a_day_is_moved_to_the_clock_of_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let file = written(dir.path(), DAY);
    let (data, out) = (dir.path().join("data"), dir.path().join("out.csv"));
    let server = Server::start(&data, SPEED);
    let token = data.join("admin.token");
    let told = report(&replay(
        &file,
        &[&"--server", &server.url, &"--token-file", &token, &"--contacts", &out],
    ));
    is_the_pure_loops(&file, &out);
    are_the_reports(&told["wallboard"], &told);
    assert_ne!(told["moved_s"], 0.0);
    assert_eq!(told["rate"], 20.0);
    let client = server.client(&data);
    let tokens = client.get("/api/v1/tokens").await.unwrap();
    let open = tokens["items"].as_array().unwrap().iter().filter(|token| token["role"] == "agent");
    assert!(
        open.clone().count() == 2 && open.clone().all(|token| token["ended"] == true),
        "{tokens}"
    );
    for agent in client.get("/api/v1/agents").await.unwrap()["items"].as_array().unwrap() {
        assert_eq!(agent["state"], "signed_out", "{agent}");
    }
}

#[test]
fn priorities_that_differ_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = written(
        dir.path(),
        &DAY.replace(
            "[[queue]]\nid = \"one\"",
            "[priorities]\nhigh = \"90s\"\n\n[[queue]]\nid = \"one\"",
        ),
    );
    let data = dir.path().join("data");
    let server = Server::start(&data, FAST);
    let token = data.join("admin.token");
    let ran = replay(&file, &[&"--server", &server.url, &"--token-file", &token]);
    let error = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{error}");
    assert!(error.contains("`high` another head start"), "{error}");
}

/// The target of a live replay: a whole day at speed 60 comes out as the reference says.
#[actix_web::test]
async fn a_recorded_day_at_speed_60_comes_out_as_the_reference() {
    let name = "a_recorded_day_at_speed_60_comes_out_as_the_reference";
    let Some(days) = data() else { return support::skip(name, NONE) };
    if !support::long() {
        return support::skip(name, "a quarter of an hour: ATALAYA_LONG=1");
    }
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out.csv"));
    let file = days.join("1999-02-12.toml");
    let told = report(&replay(&file, &[&"--speed", &"60", &"--data", &data, &"--contacts", &out]));
    eprintln!("{told}");
    are_the_reports(&told["wallboard"], &told);
    let wanted = reference(&days, "1999-02-12", false);
    let lived = contacts(&out);
    assert_eq!(lived.len(), wanted.len());
    let same = wanted.values().filter(|row| lived[&row.contact].outcome == row.outcome).count();
    let mean = |waits: Vec<f64>| {
        waits.iter().sum::<f64>() / f64::from(u32::try_from(waits.len()).unwrap())
    };
    let wait = mean(lived.values().filter_map(|line| line.wait_s).collect());
    #[expect(clippy::cast_precision_loss, reason = "waits of a day")]
    let wanted_wait =
        mean(wanted.values().filter_map(|row| Some(row.wait_us? as f64 / 1e6)).collect());
    eprintln!("{same} of {} alike; mean wait {wait} s, wanted {wanted_wait} s", wanted.len());
    assert!(told["hop_s"].as_f64().is_some_and(|hop| hop <= 0.3), "{told}");
    assert!(same * 100 >= wanted.len() * 95, "{same} of {}", wanted.len());
    assert!((wait / wanted_wait - 1.0).abs() <= 0.1, "{wait} against {wanted_wait}");
    let server = Server::start(&data, "0");
    the_wallboard_has(&server.client(&data), &told).await;
}
