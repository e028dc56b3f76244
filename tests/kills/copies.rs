//! Copies of a folder that a kill left, with and without the picture of its states: both show the
//! same.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::server::Server;

/// The folder as it is now, in another place.
pub(crate) fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(dir.join(".")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    copy
}

/// What a server shows that is started on the folder: contacts, agents, wallboard, but for what
/// the start itself makes: its instant and number, and since when the unheard are lost. Its clock
/// stands still, so that nothing falls due meanwhile.
async fn shown(dir: &Path) -> Vec<Value> {
    let server = Server::start_with(dir, &["--clock-rate", "0"]);
    let mut wire = server.wire();
    let mut shown = wire.all("/api/v1/contacts").await;
    let mut agents = wire.all("/api/v1/agents").await;
    let mut board = wire.get("/api/v1/wallboard").await.unwrap().good();
    for agent in board["data"]["agents"].as_object_mut().unwrap().values_mut().chain(&mut agents) {
        if agent["state"] == "lost" {
            agent["since"] = Value::Null;
        }
    }
    board["at"] = Value::Null;
    board["seq"] = Value::Null;
    shown.extend(agents);
    shown.push(board);
    server.kill();
    shown
}

/// Starts one copy of `dir` with what it has, and one without `state`.
pub(crate) async fn are_equal(dir: &Path, what: &str) {
    let (with, without) = (copy_of(dir), copy_of(dir));
    let state = without.path().join("state");
    std::fs::remove_dir_all(state).unwrap();
    let (with, without) = (shown(with.path()).await, shown(without.path()).await);
    assert_eq!(with.len(), without.len(), "{what}");
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(with, without, "{what}: with its picture and without");
    }
}
