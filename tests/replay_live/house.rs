//! The real program: a replay that is run to its end, and a server that is asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use atalaya::client::Client;
use serde_json::Value;

/// The program under test.
const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");

/// A running server; ended with its value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Serves `dir` at `rate`.
    pub(crate) fn start(dir: &Path, rate: &str) -> Self {
        let mut child = Command::new(ATALAYA)
            .args(["serve", "--listen", "127.0.0.1:0", "--clock-rate", rate, "--data"])
            .arg(dir)
            // Away from the repository, whose configuration would be taken.
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        Self { child, url: url.unwrap() }
    }

    pub(crate) fn client(&self, dir: &Path) -> Client {
        let token = std::fs::read_to_string(dir.join("admin.token")).unwrap();
        Client::new(&self.url, token.trim()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `atalaya replay` to its end.
pub(crate) fn replay(file: &Path, more: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
    let mut command = Command::new(ATALAYA);
    command.arg("replay").arg(file).args(["--format", "json"]);
    for argument in more {
        command.arg(argument);
    }
    command.output().unwrap()
}

/// The report of a replay that went well.
pub(crate) fn report(ran: &Output) -> Value {
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// One line of a contacts file.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) wait_s: Option<f64>,
    pub(crate) agent: Option<String>,
    pub(crate) outcome: String,
}

/// A contacts file, by the contacts' names.
pub(crate) fn contacts(file: &Path) -> BTreeMap<String, Line> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let heads = reader.headers().unwrap().clone();
    let at = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let (contact, wait, agent, outcome) = (at("contact"), at("wait_s"), at("agent"), at("outcome"));
    let lines = reader.records().map(|record| {
        let record = record.unwrap();
        let agent = Some(record[agent].to_owned()).filter(|agent| !agent.is_empty());
        let line =
            Line { wait_s: record[wait].parse().ok(), agent, outcome: record[outcome].to_owned() };
        (record[contact].to_owned(), line)
    });
    lines.collect()
}

/// The wallboard's figures of the day are the report's.
pub(crate) async fn the_wallboard_has(client: &Client, report: &Value) {
    let board = client.get("/api/v1/wallboard").await.unwrap();
    are_the_reports(&board["data"]["totals"], report);
}

/// The `totals` of a day are the report's.
pub(crate) fn are_the_reports(totals: &Value, report: &Value) {
    for figure in ["offered", "answered", "abandoned", "short_abandoned", "refused"] {
        assert_eq!(totals[format!("{figure}_today")], report["kpi"][figure], "{figure}: {totals}");
    }
}

/// Every contact that the server has, page by page.
pub(crate) async fn all_contacts(client: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    let mut path = "/api/v1/contacts?limit=500".to_owned();
    loop {
        let page = client.get(&path).await.unwrap();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/api/v1/contacts?limit=500&cursor={next}"),
            None => return all,
        }
    }
}
