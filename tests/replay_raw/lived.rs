//! A log of calls that is lived: through a server of its own, and through a running one.
//!
//! Whatever decides lies 20 s apart, a second of time here: far more than a message takes.

use std::path::{Path, PathBuf};

use super::house::Server;
use super::{HEADER, adds_up, json, replay};
use atalaya::replay::raw;
use atalaya::simulation::pure::run;
use serde_json::Value;

/// Centre seconds in a second.
const SPEED: &str = "20";

/// Served at once, one who is served first as a VIP or as the earlier, one who hangs up behind
/// them; and one served at once, one who hangs up while the agent is away, one served at once again.
const CALLS: &str = "\
one,1999-02-09,0,PS,28790,28800,0,0,28800,28840,10,0,40,AGENT,A01,NO_QUEUE
two,1999-02-09,CLASS,PS,28810,28820,28820,28850,28850,28900,10,30,50,AGENT,A01,
three,1999-02-09,0,PS,28830,28840,28840,28920,0,0,10,80,0,HANG,,
four,1999-02-09,0,NW,28830,28840,0,0,28840,28880,10,0,40,AGENT,A02,NO_QUEUE
five,1999-02-09,1,NW,28890,28900,28900,28980,0,0,10,80,0,HANG,,
six,1999-02-09,0,NW,28990,29000,0,0,29000,29020,10,0,20,AGENT,A02,NO_QUEUE
seven,1999-02-09,0,NW,28950,28960,0,0,28960,28980,10,0,20,AGENT,,NO_QUEUE
";

fn written(dir: &Path, class: &str) -> PathBuf {
    let file = dir.join("calls.csv");
    std::fs::write(&file, format!("{HEADER}\n{}", CALLS.replace("CLASS", class))).unwrap();
    file
}

/// What came of each contact is what the pure loop says, and the report adds up.
fn is_the_pure_loops(file: &Path, contacts: &Path, told: &Value) {
    adds_up(told);
    assert_eq!(told["recorded"]["lines"]["of_day"], 7);
    assert_eq!(told["left_out"], serde_json::json!({}), "while it was lived");
    assert!(told["hop_s"].as_f64().is_some_and(|hop| 0.0 < hop), "{told}");
    let rows = run(&raw::read(file, None).unwrap().scenario).unwrap().rows();
    let wanted: Vec<_> = rows
        .iter()
        .map(|row| {
            let agent = row.agent.as_ref().map(ToString::to_string).unwrap_or_default();
            (row.contact.clone(), row.outcome.to_owned(), agent)
        })
        .collect();
    let mut reader = csv::Reader::from_path(contacts).unwrap();
    let lived = reader.records().map(|line| {
        let line = line.unwrap();
        (line[0].to_owned(), line[9].to_owned(), line[8].to_owned())
    });
    let (mut wanted, mut lived) = (wanted, lived.collect::<Vec<_>>());
    wanted.sort();
    lived.sort();
    assert_eq!(lived, wanted);
    let answered = ["four", "one", "six", "two"];
    let of = |wanted: &[(String, String, String)]| -> Vec<String> {
        wanted.iter().filter(|row| row.1 == "answered").map(|row| row.0.clone()).collect()
    };
    assert_eq!(of(&wanted), answered, "as the record");
}

#[test]
fn a_log_is_lived_through_a_server_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (written(dir.path(), "2"), dir.path().join("out.csv"));
    let told = json(&file, &[&"--speed", &SPEED, &"--contacts", &out]);
    is_the_pure_loops(&file, &out, &told);
}

#[test]
fn a_log_is_lived_through_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (written(dir.path(), "0"), dir.path().join("out.csv"));
    let data = dir.path().join("data");
    let server = Server::start(&data, SPEED);
    let token = data.join("admin.token");
    let more: [&dyn AsRef<std::ffi::OsStr>; 6] =
        [&"--server", &server.url, &"--token-file", &token, &"--contacts", &out];
    is_the_pure_loops(&file, &out, &json(&file, &more));
    // Its VIPs have a head start that the server's have not.
    let vip = dir.path().join("vip");
    std::fs::create_dir(&vip).unwrap();
    let ran = replay(&written(&vip, "2"), &more[..4]);
    let error = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.code() == Some(1) && error.contains("`high` another head start"), "{error}");
}
