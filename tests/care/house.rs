//! The real program: as a server on a folder of its own, and as a command that is run to its end.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support;
use crate::wire::Wire;

pub(crate) const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");
/// The configuration beside a data folder's files.
const CONFIG: &str = "c.toml";

/// An installation: `DIR/data`, `DIR/c.toml`.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    /// A new one, with this configuration.
    pub(crate) fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CONFIG), config).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The administrator's token of the first start.
    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.path("data/admin.token")).unwrap().trim().to_owned()
    }

    /// `atalaya` with these words, run in it to its end; what does not end is ended.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["120", ATALAYA]).args(words).current_dir(self.0.path());
        Ran::of(&command.output().unwrap())
    }

    /// The same, without keeping whoever else runs on this thread.
    pub(crate) async fn run_beside(&self, words: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["120", ATALAYA]).args(words).current_dir(self.0.path());
        let output = actix_web::web::block(move || command.output().unwrap()).await.unwrap();
        Ran::of(&output)
    }

    /// A server on `data` in it.
    pub(crate) fn serve(&self, data: &str, words: &[&str]) -> Server {
        let lines = self.path(&format!("{data}.lines"));
        let mut child = Command::new(ATALAYA)
            .args(["serve", "--listen", "127.0.0.1:0", "--config", CONFIG, "--data", data])
            .args(words)
            .current_dir(self.0.path())
            .stdout(Stdio::piped())
            .stderr(File::create(&lines).unwrap())
            .spawn()
            .unwrap();
        let url = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&lines).unwrap()));
        Server { child, lines, url }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// What it said, having done what it was to do.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// Its one line of complaint, of exit code 1.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(1), ""), "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        self.err
    }
}

pub(crate) struct Server {
    child: Child,
    lines: PathBuf,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection with this token.
    pub(crate) fn wire(&self, token: &str) -> Wire {
        Wire::new(&self.url, token)
    }

    /// What it has logged so far.
    pub(crate) fn lines(&self) -> String {
        std::fs::read_to_string(&self.lines).unwrap()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        support::wait_for("the end", || self.child.try_wait().unwrap());
    }
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two queues, one of which nobody serves, and `agents` agents, `agent-0` and so on.
pub(crate) async fn furnish(wire: &mut Wire, agents: usize) {
    for (queue, requires) in [("served", json!({})), ("unserved", json!({"unknown": 10}))] {
        let rules = json!({"name": queue, "requires": requires, "wrap_up": "none",
            "offer_timeout": "60m", "short_abandon": "0s",
            "service_level": {"share": 0.8, "within": "1s"}});
        wire.put(&format!("/api/v1/queues/{queue}"), &rules).await.unwrap().good();
    }
    for number in 0..agents {
        let profile = json!({"name": format!("Ana García {number}"), "team": "morning", "level": 1,
            "skills": {}, "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
        wire.put(&format!("/api/v1/agents/agent-{number}"), &profile).await.unwrap().good();
    }
}

/// The wallboard as the server shows it.
pub(crate) async fn board(wire: &mut Wire) -> Value {
    wire.get("/api/v1/wallboard").await.unwrap().good()
}

/// The segments of a folder's log, in order.
pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join("log")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    files
}
