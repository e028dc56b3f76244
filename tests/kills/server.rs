//! The real program as a child, on a port that it chooses.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::support;
use super::wire::Wire;

/// The program under test.
pub(crate) const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");
/// The thread that writes the log, as the kernel knows it.
const WRITER: &str = "atalaya-writer";

/// How often agents are heard who are to be heard: well within a lease.
const HEARD_EACH: Duration = Duration::from_secs(2);

/// The configuration in a folder of [`folder_of`], as who starts in that folder names it.
pub(crate) const CONFIG: &str = "segments.toml";

/// A data folder with a configuration beside its files: segments of `size`.
pub(crate) fn folder_of(size: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("[limits]\nlog_segment = \"{size}\"\n");
    std::fs::write(dir.path().join(CONFIG), text).unwrap();
    dir
}

pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// Started with more `words` on its command line; nobody kills it on the way.
    pub(crate) fn start_with(dir: &Path, words: &[&str]) -> Self {
        Self::by(Command::new(ATALAYA), dir, words).unwrap()
    }

    /// Started by `command`, which may be killed on the way: `None` then.
    pub(crate) fn by(mut command: Command, dir: &Path, words: &[&str]) -> Option<Self> {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir)
            .args(words)
            // Not the repository's, which has a configuration of its own.
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
        Some(Self { child, dir: dir.to_owned(), url: url? })
    }

    /// The administrator's token of the folder's first start.
    pub(crate) fn token(&self) -> String {
        let token = std::fs::read_to_string(self.dir.join("admin.token")).unwrap();
        token.trim().to_owned()
    }

    /// A connection as administrator.
    pub(crate) fn wire(&self) -> Wire {
        Wire::new(&self.url, &self.token())
    }

    /// Lets agents be heard for as long as what is given lives: no lease ends, however slow the
    /// machine is.
    pub(crate) fn keep_heard(&self, agents: Vec<String>) -> Heard {
        let wires = agents.into_iter().map(|agent| {
            let wire = self.wire().acting(&agent);
            (format!("/api/v1/agents/{agent}"), wire)
        });
        let mut wires: Vec<_> = wires.collect();
        Heard(actix_web::rt::spawn(async move {
            let mut pace = actix_web::rt::time::interval(HEARD_EACH);
            loop {
                pace.tick().await;
                for (path, wire) in &mut wires {
                    let _ = wire.get(path).await;
                }
            }
        }))
    }

    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Puts `fault` on the calls that its writer makes on `path` from now on, counted afresh: a
    /// program that is started under faults has them counted for each thread, so that what
    /// another thread calls before hides the writer's first.
    pub(crate) fn under(&self, fault: &str, path: &Path) -> Tracer {
        let pid = self.child.id();
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let is_writer = |task: &PathBuf| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == WRITER)
        };
        let writer = tasks.map(|task| task.unwrap().path()).find(is_writer).unwrap();
        let mut tracer = support::disk_fault(fault, Path::new("-p"));
        let tracer = tracer.arg(writer.file_name().unwrap()).env("DISKFAULT_PATH", path);
        let tracer = tracer.spawn().unwrap();
        support::wait_for("the tracer", || {
            let status = std::fs::read_to_string(writer.join("status")).unwrap();
            (!status.contains("TracerPid:\t0\n")).then_some(())
        });
        Tracer(tracer)
    }

    /// Waits until it has ended by itself, or who runs it has.
    pub(crate) fn wait_for_end(mut self) {
        support::wait_for("the end", || self.child.try_wait().unwrap());
    }

    /// Whether it has been killed by now; it is ended in any case.
    pub(crate) fn ended(mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            // The pid in the lock is the server's own, also where another program runs it.
            let pid = std::fs::read_to_string(self.dir.join("lock")).unwrap_or_default();
            let _ = Command::new("kill").args(["-9", pid.trim()]).status();
            let _ = self.child.wait();
        }
    }
}

/// Agents that are heard.
pub(crate) struct Heard(actix_web::rt::task::JoinHandle<()>);

impl Drop for Heard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What puts faults on a server's calls; it ends with the server.
pub(crate) struct Tracer(Child);

impl Tracer {
    pub(crate) fn join(mut self) {
        self.0.wait().unwrap();
    }
}

/// Whether others want the processors at least as much as this test: then its rate says nothing.
pub(crate) fn machine_is_shared() -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let wanted: f64 = load.split(' ').next().unwrap().parse().unwrap();
    let processors = std::thread::available_parallelism().unwrap().get();
    eprintln!("{wanted} processors are wanted, there are {processors}");
    wanted > f64::from(u32::try_from(2 * processors).unwrap())
}
