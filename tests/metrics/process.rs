//! The real program with a clock that stands still: killed on the way, started again later, earlier.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use atalaya::client::{Client, ClientError};
use serde_json::{Value, json};

use crate::support;

const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");
/// Syncs after which the server answers; the kills of the long form begin here.
const FIRST_SYNC: usize = 4;
/// Where they begin otherwise: a little before the last advance.
const LATE_SYNC: usize = 20;
/// Syncs after which the script must have ended by itself.
const SYNCS_MAX: usize = 60;

struct Server {
    child: Child,
    url: String,
}

fn serve(mut command: Command, dir: &Path, more: &[&str]) -> Command {
    command.args(["serve", "--listen", "127.0.0.1:0", "--clock-rate", "0", "--data"]);
    command.arg(dir).args(more).stdout(Stdio::piped());
    command
}

/// Started; `None`: it ended before it was ready.
fn start(command: Command, dir: &Path, more: &[&str]) -> Option<Server> {
    let mut child = serve(command, dir, more).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
    if url.is_none() {
        child.wait().unwrap();
    }
    Some(Server { child, url: url? })
}

fn refused(dir: &Path, more: &[&str]) -> Output {
    serve(Command::new(ATALAYA), dir, more).stderr(Stdio::piped()).output().unwrap()
}

impl Server {
    fn admin(&self, dir: &Path) -> Client {
        let token = std::fs::read_to_string(dir.join("admin.token")).unwrap();
        Client::new(&self.url, token.trim()).unwrap()
    }

    /// Ends the server itself, also under a program that runs it for us.
    fn kill(mut self, dir: &Path) {
        if self.child.try_wait().unwrap().is_none() {
            let pid = std::fs::read_to_string(dir.join("lock")).unwrap();
            assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
            self.child.wait().unwrap();
        }
    }
}

/// Three offers out, due at 20, 25 and 30 s, and the clock at 15 s; then it is moved past all.
async fn script(admin: &Client) -> Result<(), ClientError> {
    let rules = json!({"name": "Pensions", "requires": {}});
    admin.put("/api/v1/queues/pensions", &rules).await?;
    for agent in ["ana", "bea", "carla"] {
        let profile = json!({"name": agent, "team": "morning", "level": 1, "skills": {},
            "languages": ["es"], "capacity": {"voice": 1}});
        admin.put(&format!("/api/v1/agents/{agent}"), &profile).await?;
        let grant = json!({"role": "agent", "agent": agent});
        let made = admin.post_without_key("/api/v1/tokens", &grant).await?;
        let desk = admin.with_token(made["token"].as_str().unwrap());
        let path = format!("/api/v1/agents/{agent}/presence");
        desk.post_without_key(&path, &json!({"state": "ready"})).await?;
        let call = json!({"channel": "voice", "queue": "pensions"});
        let contact = admin.post_without_key("/api/v1/contacts", &call).await?;
        assert_eq!(contact["state"], "offered", "as it is when nothing is in flight");
        advance(admin, "5s").await?;
    }
    advance(admin, "1h").await?;
    Ok(())
}

async fn advance(admin: &Client, by: &str) -> Result<Value, ClientError> {
    admin.post_without_key("/api/v1/clock", &json!({"advance": by})).await
}

async fn clock(admin: &Client) -> String {
    let ready = admin.get("/health/ready").await.unwrap();
    ready["clock"]["at"].as_str().unwrap().to_owned()
}

/// Instants of the events of this name, in order.
async fn told(admin: &Client, name: &str) -> Vec<String> {
    let events = admin.get("/api/v1/events?after=0&limit=500").await.unwrap();
    let items = events["items"].as_array().unwrap().clone();
    assert!(items.len() < 500, "one page holds all");
    let named = items.into_iter().filter(|event| event["event"] == name);
    named.map(|event| event["at"].as_str().unwrap().to_owned()).collect()
}

const START: &str = "2026-03-02T08:00:00Z";

#[actix_web::test]
async fn killed_within_an_advance_nothing_is_skipped_or_done_twice() {
    let name = "killed_within_an_advance_nothing_is_skipped_or_done_twice";
    if !support::has(name, "strace") {
        return;
    }
    let (mut kills, mut on_the_way) = (0, 0);
    let first = if support::long() { FIRST_SYNC } else { LATE_SYNC };
    for sync in first..SYNCS_MAX {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let fault = format!("kill-at-fsync:{sync}");
        let mut command = support::disk_fault(&fault, Path::new(ATALAYA));
        command.env("DISKFAULT_PATH", dir.join("log/00000000000000000001.log"));
        let server = start(command, dir, &["--clock-start", START]).unwrap();
        let ended = script(&server.admin(dir)).await.is_ok();
        server.kill(dir);
        if ended {
            eprintln!("{kills} kills, {on_the_way} within the last advance");
            assert!(kills > 3 && on_the_way > 1, "{kills} kills, {on_the_way} on the way");
            return;
        }
        kills += 1;
        let again = start(Command::new(ATALAYA), dir, &[]).unwrap();
        let admin = again.admin(dir);
        let stands = clock(&admin).await;
        on_the_way += usize::from(stands.as_str() > "2026-03-02T08:00:15Z");
        advance(&admin, "2h").await.unwrap();
        let offered = told(&admin, "offered").await;
        let due = ["2026-03-02T08:00:20Z", "2026-03-02T08:00:25Z", "2026-03-02T08:00:30Z"];
        let missed = told(&admin, "offer_missed").await;
        assert_eq!(missed, due[..offered.len()], "sync {sync}: stood at {stands}");
        again.kill(dir);
    }
    panic!("the script never ended");
}

#[actix_web::test]
async fn a_later_start_goes_on_there_and_an_earlier_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let first = start(Command::new(ATALAYA), dir, &["--clock-start", START]).unwrap();
    let admin = first.admin(dir);
    script(&admin).await.unwrap();
    assert_eq!(clock(&admin).await, "2026-03-02T09:00:15Z");
    // An offer that falls due while nobody runs.
    let grant = json!({"role": "agent", "agent": "ana"});
    let made = admin.post_without_key("/api/v1/tokens", &grant).await.unwrap();
    let desk = admin.with_token(made["token"].as_str().unwrap());
    let ready = json!({"state": "ready"});
    desk.post_without_key("/api/v1/agents/ana/presence", &ready).await.unwrap();
    first.kill(dir);

    let earlier = refused(dir, &["--clock-start", START]);
    let said = String::from_utf8_lossy(&earlier.stderr).into_owned();
    assert_eq!(earlier.status.code(), Some(1), "{said}");
    assert!(said.contains("2026-03-02T09:00:15Z"), "it says where the clock stands: {said}");

    let goes_on = start(Command::new(ATALAYA), dir, &[]).unwrap();
    let admin = goes_on.admin(dir);
    assert_eq!(clock(&admin).await, "2026-03-02T09:00:15Z");
    goes_on.kill(dir);

    let later = ["--clock-start", "2026-03-02T12:00:00Z"];
    let third = start(Command::new(ATALAYA), dir, &later).unwrap();
    let admin = third.admin(dir);
    assert_eq!(clock(&admin).await, "2026-03-02T12:00:00Z");
    let missed = told(&admin, "offer_missed").await;
    assert_eq!(missed.last().map(String::as_str), Some("2026-03-02T09:00:35Z"), "at its instant");
    let events = admin.get("/api/v1/events?after=0&limit=500").await.unwrap();
    let mut missed = events["items"].as_array().unwrap().iter();
    let missed = missed.rfind(|event| event["event"] == "offer_missed").unwrap();
    assert_eq!(missed["observed_at"], "2026-03-02T12:00:00Z", "and seen when somebody ran again");
    third.kill(dir);
}

#[test]
fn lines_are_written_as_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let wrong = refused(dir, &["--log-level", "atalaya=loud"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!((wrong.status.code(), said.contains("atalaya=loud")), (Some(2), true), "{said}");

    let mut command = Command::new(ATALAYA);
    // Away from the project's configuration: nobody reads the lines before the end.
    command.current_dir(dir).stderr(Stdio::piped());
    let more = ["--log-level", "debug", "--log-format", "json"];
    let mut server = start(command, dir, &more).unwrap();
    let stderr = server.child.stderr.take().unwrap();
    server.kill(dir);
    let mut lines = String::new();
    BufReader::new(stderr).read_to_string(&mut lines).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let started = lines.iter().find(|line| line["event"] == "started").unwrap();
    assert_eq!((&started["entity"], &started["level"]), (&json!("system"), &json!("DEBUG")));
}
