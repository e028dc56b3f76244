//! `atalaya demo` as a program: the day behind its opening, whose sockets are open, what a kill
//! leaves, what a second start finds. What each expects is waited for, never for a time.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use atalaya::client::Client;
use serde_json::Value;

use super::support;

/// A process of the program, which ends with it.
struct Process(Child);

impl Process {
    /// Starts `command`; gives what it says on standard output.
    fn start(command: &mut Command) -> (Self, Told) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        (Self(child), told)
    }

    /// Sends a signal.
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Told = Lines<BufReader<ChildStdout>>;

/// A server on a folder.
pub(super) struct Server {
    process: Process,
    /// Kept open, so that the program can say what it will.
    _told: Told,
    url: String,
    dir: PathBuf,
}

impl Server {
    fn start(command: &mut Command, dir: &Path) -> Self {
        let (process, mut told) = Process::start(command);
        let mut lines = told.by_ref().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        Self { process, _told: told, url: url.unwrap(), dir: dir.to_owned() }
    }

    fn token(&self) -> String {
        let token = std::fs::read_to_string(self.dir.join("admin.token")).unwrap();
        token.trim().to_owned()
    }

    fn client(&self) -> Client {
        Client::new(&self.url, &self.token()).unwrap()
    }

    /// Sockets that watch an agent's desk, as a scrape says.
    fn desks(&self) -> Option<u64> {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://")?).ok()?;
        let ask = format!(
            "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\n\r\n",
            self.token()
        );
        stream.write_all(ask.as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let sample = "atalaya_websocket_clients{topic=\"agent\"} ";
        text.lines().find_map(|line| line.strip_prefix(sample))?.trim().parse().ok()
    }

    /// Asks it to stop, and waits until it has.
    pub(super) fn stop(mut self) {
        self.process.signal("TERM");
        assert!(self.process.0.wait().unwrap().success());
    }
}

pub(super) fn command(dir: &Path, words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    program.args(["demo", "--speed", "60", "--listen", "127.0.0.1:0", "--data"]).arg(dir);
    program.args(words);
    program
}

pub(super) fn demo(dir: &Path, words: &[&str]) -> Server {
    Server::start(&mut command(dir, words), dir)
}

async fn events(client: &Client, after: u64) -> Vec<Value> {
    let page = client.get(&format!("/api/v1/events?after={after}&limit=500")).await.unwrap();
    page["items"].as_array().unwrap().clone()
}

async fn ids(client: &Client) -> BTreeSet<String> {
    let all = client.list("/api/v1/contacts").await.unwrap();
    all.iter().map(|contact| contact["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_demo_opens_with_a_day_behind_it_and_goes_on_with_its_folder() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let first = demo(&dir, &["--fresh"]);
    let client = first.client();
    let board = client.get("/api/v1/wallboard").await.unwrap()["data"].clone();
    let totals = &board["totals"];
    assert!(totals["offered_today"].as_u64().unwrap() > 800, "{totals}");
    assert!(totals["signed_in"].as_u64().unwrap() > 80, "{totals}");
    assert!(totals["active"].as_u64().unwrap() > 20, "{totals}");
    assert!(totals["service_level_today"].is_number(), "{totals}");
    for (id, queue) in board["queues"].as_object().unwrap() {
        for figure in ["service_level_today", "asa_today_s", "aht_today_s"] {
            assert!(queue[figure].is_number(), "{id}: no {figure}: {queue}");
        }
    }
    assert_eq!(board["queues"].as_object().unwrap().len(), 10);
    // The model's 381 s: who waited and who talks leave each at a time of their own.
    let handled_s = board["queues"]["informacion_general_pensiones"]["aht_today_s"].as_f64();
    assert!((300.0..460.0).contains(&handled_s.unwrap()), "{handled_s:?}");
    // What lies behind was done by the people too.
    let mut accepted = 0;
    let mut after = 0;
    loop {
        let page = events(&client, after).await;
        for event in page.iter().filter(|event| event["event"] == "offer_accepted") {
            let by = event["by"].as_str().unwrap();
            assert_eq!(by, format!("agent:{}", event["data"]["agent"].as_str().unwrap()));
            accepted += 1;
        }
        let Some(last) = page.last().filter(|_| accepted <= 600 && page.len() == 500) else {
            break;
        };
        after = last["seq"].as_u64().unwrap();
    }
    assert!(accepted > 500, "{accepted}");
    // As many sockets as there are agents who are signed in and heard.
    let all_heard = async || {
        let totals = client.get("/api/v1/wallboard").await.ok()?["data"]["totals"].clone();
        let (here, lost) = (totals["signed_in"].as_u64()?, totals["lost"].as_u64()?);
        let sockets = first.desks()?;
        (sockets == here && lost == 0 && here > 80).then_some(())
    };
    support::wait_for_async("all agents at their sockets", all_heard).await;
    let came = ids(&client).await;
    let at = client.get("/health/ready").await.unwrap()["clock"]["at"].clone();
    first.stop();

    let again = demo(&dir, &[]);
    let client = again.client();
    let later = client.get("/health/ready").await.unwrap()["clock"]["at"].clone();
    let instant = |at: &Value| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let step = instant(&later).duration_since(instant(&at));
    // A clock that runs fast goes on at its last event, some seconds before where it was looked at.
    assert!(step.abs() < jiff::SignedDuration::from_hours(12), "{step:?}");
    assert!(came.is_subset(&ids(&client).await));
}

#[actix_web::test]
async fn a_day_whose_making_was_cut_off_is_made_anew() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let (mut cut, _told) = Process::start(&mut command(&dir, &[]));
    let making = dir.join("making").join("log");
    support::wait_for("the making", || making.exists().then_some(()));
    cut.0.kill().unwrap();
    cut.0.wait().unwrap();
    assert!(making.exists() && !dir.join("log").exists(), "it was not cut off in between");
    let first = demo(&dir, &[]);
    let board = first.client().get("/api/v1/wallboard").await.unwrap();
    assert!(board["data"]["totals"]["offered_today"].as_u64().unwrap() > 800, "{board}");
    assert!(!dir.join("making").exists());
}

#[test]
fn the_program_lives_as_long_as_it_is_told_and_sums_up() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let ended = command(&dir, &["--for", "5s"]).output().unwrap();
    let told = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{told}");
    let link = told.lines().find(|line| line.starts_with("Its wallboard")).unwrap();
    assert!(link.contains(": http://127.0.0.1:") && link.contains("/enter?ticket="), "{told}");
    let summary = told.lines().find(|line| line.contains(" callers, ")).unwrap();
    assert!(summary.contains(" answered, ") && summary.ends_with(" 0 errors"), "{told}");
    let count = |what: &str| {
        let before = summary.split(what).next().unwrap();
        before.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let came = count(" callers,") + count(" taken over,");
    let gone = count(" answered,") + count(" abandoned,") + count(" refused;");
    assert!(count(" taken over,") > 20 && gone <= came, "{summary}");
}

#[actix_web::test]
async fn a_centre_alone_moves_into_a_server_and_is_lost_while_it_stands_still() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let words = ["serve", "--clock-rate", "60", "--clock-start", "2026-03-03T09:30:00Z"];
    let mut program = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    program.args(words).args(["--listen", "127.0.0.1:0", "--data"]).arg(&dir);
    // Not the repository's, which has a configuration of its own.
    let server = Server::start(program.current_dir(parent.path()), &dir);
    let client = server.client();
    let mut apart = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    apart.args(["demo", "--centre-only", "--server", &server.url, "--token-file"]);
    let (centre, _told) = Process::start(apart.arg(dir.join("admin.token")));
    let totals = async |wanted: fn(u64, u64) -> bool| {
        let totals = client.get("/api/v1/wallboard").await.ok()?["data"]["totals"].clone();
        let (here, lost) = (totals["signed_in"].as_u64()?, totals["lost"].as_u64()?);
        wanted(here, lost).then_some(())
    };
    let all_here = async || totals(|here, lost| here > 80 && lost == 0).await;
    let all_lost = async || totals(|here, lost| here > 80 && lost == here).await;
    support::wait_for_async("the centre", all_here).await;
    centre.signal("STOP");
    support::wait_for_async("all agents lost", all_lost).await;
    centre.signal("CONT");
    support::wait_for_async("all agents back", all_here).await;
}
