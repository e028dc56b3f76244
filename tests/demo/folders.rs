//! What `--fresh` takes away, and what it leaves: whose folder it is decides.

use std::collections::BTreeMap;
use std::fs::{create_dir_all, read, read_dir, read_to_string, write};
use std::path::Path;
use std::process::{Command, Output};

use super::day::{command, demo};

fn program(words: &[&str]) -> Output {
    Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_atalaya")])
        .args(words)
        .output()
        .unwrap()
}

/// A demo on `dir` from the beginning, which is to be refused with `word`.
fn refused(dir: &Path, word: &str) {
    let dir_word = dir.to_str().unwrap();
    let before = files(dir);
    let words = ["demo", "--listen", "127.0.0.1:0", "--for", "1s", "--data", dir_word, "--fresh"];
    let ended = program(&words);
    let told = String::from_utf8(ended.stderr).unwrap();
    let last = told.lines().last().unwrap_or_default();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(last.starts_with("atalaya: ") && last.contains(word), "{told}");
    assert!(files(dir) == before, "something of {dir_word} is not as it was");
}

/// All files below `dir`, but what a server writes beside its log.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, read(path).unwrap());
        }
    }
    found
}

#[test]
fn a_fresh_demo_takes_no_folder_from_a_server_that_lives_in_it() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let server = demo(&dir, &[]);
    let (token, key) = (dir.join("admin.token"), dir.join("key"));
    let before = (read(&token).unwrap(), read(&key).unwrap());
    let ended = command(&dir, &["--fresh", "--for", "1s"]).output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("a server (pid ") && told.contains("stop it first"), "{told}");
    assert!((read(&token).unwrap(), read(&key).unwrap()) == before);
    server.stop();
    // Now it is nobody's; what lies beside it is.
    write(dir.join("notes.txt"), "mine").unwrap();
    let again = command(&dir, &["--fresh", "--for", "1s"]).output().unwrap();
    let told = String::from_utf8(again.stdout).unwrap();
    assert!(told.contains(" calls behind it"), "{told}");
    assert_ne!(read(&key).unwrap(), before.1, "another log has another key");
    assert_eq!(read_to_string(dir.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn a_fresh_demo_takes_nothing_that_is_no_demos() {
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    // Files that merely have such names.
    let foreign = at("foreign");
    create_dir_all(foreign.join("log")).unwrap();
    write(foreign.join("log/app.log"), "a line").unwrap();
    refused(&foreign, "`log` in it holds what no demo has put there");
    let made = at("made");
    create_dir_all(made.join("making/log")).unwrap();
    write(made.join("making/plan.txt"), "a plan").unwrap();
    refused(&made, "`making` in it holds what no demo has put there");
    // A centre's own log.
    let own = at("own");
    let own_word = own.to_str().unwrap();
    assert!(program(&["token", "new", "--role", "auditor", "--data", own_word]).status.success());
    refused(&own, "its log does not begin as a demo's does");
    // A backup, of a demo too.
    let demo = at("demo");
    assert!(command(&demo, &["--for", "1s"]).status().unwrap().success());
    let (demo, backup) = (demo.to_str().unwrap().to_owned(), at("backup"));
    let done = program(&["backup", backup.to_str().unwrap(), "--data", &demo]);
    assert!(done.status.success(), "{done:?}");
    refused(&backup, "it is a backup");
}
