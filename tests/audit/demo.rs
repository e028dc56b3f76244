//! The demo as a process: a server with traffic, and audits of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use atalaya::audit::{Options, Progress, Summary, run_while};
use atalaya::client::Client;
use serde_json::json;

pub(crate) const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");
/// Far over what any audit here takes, so that it ends only what hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// Sequence numbers at which views are compared in a clean run.
const COMPARED: u64 = 150;

pub(crate) struct Demo {
    child: Child,
    pub(crate) address: String,
    pub(crate) token: String,
}

impl Demo {
    pub(crate) fn start(dir: &Path) -> Self {
        let mut child = Command::new(ATALAYA)
            .args(["--log-level", "error", "demo", "--speed", "20", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(dir)
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on http://").map(str::to_owned));
        let token = std::fs::read_to_string(dir.join("admin.token")).unwrap();
        Self { child, address: url.unwrap(), token: token.trim().to_owned() }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Demo {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Audits `address` for as long as `wanted`.
pub(crate) fn audit(
    address: &str,
    token: &str,
    mut wanted: impl FnMut(Progress<'_>) -> bool,
) -> Summary {
    let options = Options {
        server: format!("http://{address}"),
        token: token.to_owned(),
        run_for: None,
        time_zone: None,
    };
    let begun = Instant::now();
    let summary = run_while(&options, |progress| begun.elapsed() < PATIENCE && wanted(progress));
    let summary = summary.unwrap();
    eprintln!("{summary}");
    summary
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let wanted = if crate::support::long() { 20 * COMPARED } else { COMPARED };
    let summary = audit(&demo.address, &demo.token, |progress| progress.compared < wanted);
    assert_eq!(summary.count(), 0, "{summary}");
    assert_eq!(summary.impossible, Some(0.0));
    assert!(summary.compared >= wanted && summary.polls > 0 && summary.scrapes > 0, "{summary}");
    assert!(summary.topics.values().all(|topic| topic.frames > 0), "{summary}");
    assert!(summary.strange.is_empty() && summary.late == 0, "{summary}");
}

#[test]
fn a_server_that_is_killed_and_comes_back_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Some(Demo::start(dir.path()));
    let token = demo.as_ref().unwrap().token.clone();
    let front = crate::proxy::Proxy::before(&demo.as_ref().unwrap().address, None);
    let mut after = u64::MAX;
    let summary = audit(&front.address(), &token, |Progress { compared, returns, .. }| {
        if compared >= COMPARED / 3 && returns == 0 && after == u64::MAX {
            demo.take().unwrap().kill();
            let again = Demo::start(dir.path());
            front.point_to(&again.address);
            demo = Some(again);
            after = compared + COMPARED / 3;
        }
        returns == 0 || compared < after
    });
    assert_eq!(summary.count(), 0, "{summary}");
    assert!(summary.outages >= 1 && summary.returns >= 1 && summary.epochs == 0, "{summary}");
    assert!(summary.compared >= after && summary.cut_short.is_none(), "{summary}");
}

#[test]
fn a_server_that_does_not_come_back_is_no_clean_audit() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Some(Demo::start(dir.path()));
    let Demo { address, token, .. } = demo.as_ref().unwrap();
    let (address, token) = (address.clone(), token.clone());
    let summary = audit(&address, &token, |progress| {
        if progress.compared > 0
            && let Some(demo) = demo.take()
        {
            demo.kill();
        }
        !progress.is_away
    });
    assert_eq!(summary.count(), 0, "{summary}");
    assert_eq!(summary.cut_short.as_deref(), Some("it was away at the end"), "{summary}");
}

#[test]
fn a_token_that_ends_is_no_clean_audit() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let client = Client::new(&format!("http://{}", demo.address), &demo.token).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let grant = json!({"role": "administrator"});
    let made = runtime.block_on(client.post_without_key("/api/v1/tokens", &grant)).unwrap();
    let own = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    let mut is_ended = false;
    let summary = audit(&demo.address, made["token"].as_str().unwrap(), |progress| {
        if progress.compared > 0 && !is_ended {
            is_ended = true;
            runtime.block_on(client.delete(&own)).unwrap();
        }
        true
    });
    let why = summary.cut_short.as_deref().unwrap_or_default();
    assert!(why.contains("401"), "{summary}");
}
