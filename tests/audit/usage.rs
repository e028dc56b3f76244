//! What the command says and how it ends.

use std::net::TcpListener;
use std::process::{Command, Output};

use serde_json::Value;

use crate::demo::{ATALAYA, Demo};

fn audit(words: &[&str]) -> Output {
    let mut command = Command::new(ATALAYA);
    command.args(["--log-level", "error", "audit-live"]).args(words).output().unwrap()
}

#[test]
fn a_clean_audit_ends_with_0_and_its_summary() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let token = dir.path().join("admin.token");
    let url = format!("http://{}", demo.address);
    let words = [&url, "--token-file", token.to_str().unwrap(), "--for", "4s", "--format", "json"];
    let output = audit(&words);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["violations"], 0, "{summary}");
    assert_eq!(summary["time_zone"], "Europe/Madrid", "{summary}");
    assert!(summary["seqs_compared"].as_u64().unwrap() > 0, "{summary}");
}

#[test]
fn wrong_usage_ends_with_2_and_a_server_that_is_not_there_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "t").unwrap();
    let token = token.to_str().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let ends = |words: &[&str], code: i32, says: &str| {
        let output = audit(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    };
    ends(&["ftp://x", "--token-file", token], 2, "cannot use `ftp://x` as a server");
    ends(&[&url], 2, "--token-file");
    ends(&[&url, "--token-file", "no/such/file"], 2, "cannot read the token");
    ends(&[&url, "--token-file", token, "--time-zone", "Moon"], 2, "cannot use `Moon`");
    ends(&[&url, "--token-file", token, "--for", "1s"], 1, &format!("cannot audit {url}"));
}
