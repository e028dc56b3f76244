//! The real program as a child, in a folder of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use atalaya::client::Client;

use crate::support;

/// The program in `dir`, with `args`.
pub(crate) fn atalaya(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    command.current_dir(dir).args(args);
    command
}

/// Runs it to its end; what does not end, because it serves where it should not, is ended.
pub(crate) fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_atalaya")]).args(args);
    command.current_dir(dir).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A server on `DIR/data` with `DIR/c.toml`; its log lines go to `DIR/lines`.
pub(crate) struct Server {
    child: Child,
    lines: std::path::PathBuf,
    pub(crate) url: String,
    pub(crate) admin: Client,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::with(dir, &["--config", "c.toml"])
    }

    pub(crate) fn with(dir: &Path, args: &[&str]) -> Self {
        let lines = dir.join("lines");
        let mut child = atalaya(dir, &["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(File::create(&lines).unwrap())
            .spawn()
            .unwrap();
        let url = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&lines).unwrap()));
        let token = std::fs::read_to_string(dir.join("data/admin.token")).unwrap_or_default();
        let admin = Client::new(&url, token.trim()).unwrap();
        Self { child, lines, url, admin }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Waits for a line of its log.
    pub(crate) fn said(&self, what: &str) -> String {
        support::wait_for(what, || {
            let lines = std::fs::read_to_string(&self.lines).unwrap();
            lines.lines().find(|line| line.contains(what)).map(str::to_owned)
        })
    }

    pub(crate) fn lines(&self) -> String {
        std::fs::read_to_string(&self.lines).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn stop(mut self) {
        self.signal("-TERM");
        assert!(self.ended().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that ended has none.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
