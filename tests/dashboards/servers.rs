//! A demo and a Prometheus that scrapes it, as real processes on ports of their own choice.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use atalaya::client::Client;
use serde_json::Value;

use crate::files::prometheus;
use crate::support::fixture;

const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");
/// Centre seconds in a second.
const SPEED: &str = "20";

/// A process that ends with this.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// The host and port that it listens on.
    pub(crate) address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads `lines` until one says where the process listens, and lets the rest flow off.
fn listening(
    mut child: Child,
    lines: impl Read + Send + 'static,
    address: impl Fn(&str) -> Option<String>,
) -> Running {
    let mut lines = BufReader::new(lines).lines();
    let mut said = Vec::new();
    let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let found = address(&line);
        said.push(line);
        found
    });
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let Some(address) = found else {
        child.kill().unwrap();
        panic!("it never listened: {}", said.join("\n"));
    };
    Running { child, address }
}

fn behind(line: &str, words: &str) -> Option<String> {
    let rest = line.split_once(words)?.1;
    Some(rest.split_whitespace().next()?.to_owned())
}

/// A demo in `dir`, at twenty times the speed of life.
pub(crate) fn demo(dir: &Path) -> Running {
    let mut command = Command::new(ATALAYA);
    command.args(["demo", "--listen", "127.0.0.1:0", "--speed", SPEED, "--data"]).arg(dir);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    listening(child, stdout, |line| behind(line, "Listening on http://"))
}

/// Prometheus with the scrape file that is kept, but for the target, its token, and the interval.
pub(crate) fn scraping(target: &str, token: &Path, dir: &Path) -> Running {
    let kept = fs::read_to_string(prometheus("prometheus.yml")).unwrap();
    let mut text = kept.clone();
    for (was, is) in [
        ("127.0.0.1:8080\"]", format!("{target}\"]")),
        ("/etc/prometheus/atalaya.token", token.to_str().unwrap().to_owned()),
        ("scrape_interval: 15s", "scrape_interval: 1s".to_owned()),
        ("scrape_timeout: 10s", "scrape_timeout: 1s".to_owned()),
        ("evaluation_interval: 15s", "evaluation_interval: 1s".to_owned()),
    ] {
        assert!(text.contains(was), "the scrape file has no {was}");
        text = text.replace(was, &is);
    }
    let file = dir.join("prometheus.yml");
    fs::write(&file, text).unwrap();
    for rules in ["atalaya.rules.yml", "atalaya.alerts.yml"] {
        fs::copy(prometheus(rules), dir.join(rules)).unwrap();
    }
    let mut child = Command::new(fixture("prometheus.sh"))
        .args(["run", "--web.listen-address=127.0.0.1:0"])
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", dir.join("tsdb").display()))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let stderr = child.stderr.take().unwrap();
    listening(child, stderr, |line| behind(line, "msg=\"Listening on\" address="))
}

/// One sample of an answer: its labels and its value.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) labels: Value,
    pub(crate) value: f64,
}

/// Asks Prometheus.
pub(crate) struct Asker(Client);

impl Asker {
    pub(crate) fn new(running: &Running) -> Self {
        Self(Client::new(&format!("http://{}", running.address), "none").unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        self.0.get(path).await.map_err(|error| error.to_string())
    }

    async fn asked(&self, query: &str, at: Option<f64>) -> Result<Value, String> {
        let time = at.map_or_else(String::new, |at| format!("&time={at:.3}"));
        let answer = self.get(&format!("/api/v1/query?query={}{time}", escaped(query))).await?;
        Ok(answer["data"].clone())
    }

    /// The samples of a query, now or at an instant.
    pub(crate) async fn query(&self, query: &str, at: Option<f64>) -> Result<Vec<Sample>, String> {
        let data = self.asked(query, at).await?;
        let number = |value: &Value| value.as_str().unwrap().parse().unwrap();
        if data["resultType"] == "scalar" {
            return Ok(vec![Sample { labels: Value::Null, value: number(&data["result"][1]) }]);
        }
        let samples = data["result"].as_array().unwrap().iter();
        let sample =
            |one: &Value| Sample { labels: one["metric"].clone(), value: number(&one["value"][1]) };
        Ok(samples.map(sample).collect())
    }

    /// Instants and values of one series, as they were scraped.
    pub(crate) async fn scraped(&self, range: &str) -> Result<Vec<(f64, f64)>, String> {
        let data = self.asked(range, None).await?;
        let values = data["result"][0]["values"].as_array().cloned().unwrap_or_default();
        let pair = |one: &Value| {
            (one[0].as_f64().unwrap(), one[1].as_str().unwrap().parse::<f64>().unwrap())
        };
        Ok(values.iter().map(pair).collect())
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}
