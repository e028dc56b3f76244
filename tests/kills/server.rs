//! The real program as a child, on a port that it chooses.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::support;

/// The program under test.
pub(crate) const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");

pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::by(Command::new(ATALAYA), dir).unwrap()
    }

    /// Started by `command`, which may be killed on the way: `None` then.
    pub(crate) fn by(mut command: Command, dir: &Path) -> Option<Self> {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir)
            // Not the repository's, which has a configuration.
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        if url.is_none() {
            child.wait().unwrap();
        }
        Some(Self { child, url: url? })
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself, or who runs it has.
    pub(crate) fn wait_for_end(mut self) {
        support::wait_for("the end", || self.child.try_wait().unwrap());
    }

    /// Whether a program that runs the server for us has seen it killed; else both are ended now.
    pub(crate) fn was_killed(mut self, dir: &Path) -> bool {
        let ended = self.child.try_wait().unwrap().is_some();
        if !ended {
            // The pid in the lock is the server's own: its runner's end would let it live on.
            let pid = std::fs::read_to_string(dir.join("lock")).unwrap();
            assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
            self.child.wait().unwrap();
        }
        ended
    }
}
