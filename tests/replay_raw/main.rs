//! `atalaya replay` of a log of calls as it was kept: every line accounted for, each kind of broken
//! line named, a real month day by day, and a day that is lived.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod house;
mod lived;
mod month;
mod report;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The columns of a log of calls.
const HEADER: &str = "rec,date,priority,type,vru_entry_s,vru_exit_s,q_start_s,q_exit_s,ser_start_s,\
                      ser_exit_s,vru_time_s,q_time_s,ser_time_s,outcome,agent,flags";

/// Runs `atalaya replay` to its end.
fn replay(file: &Path, more: &[&dyn AsRef<OsStr>]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    program.arg("replay").arg(file).args(more.iter().map(AsRef::as_ref)).output().unwrap()
}

/// The report of a replay that went well.
fn json(file: &Path, more: &[&dyn AsRef<OsStr>]) -> Value {
    let form: [&dyn AsRef<OsStr>; 2] = [&"--format", &"json"];
    let ran = replay(file, &[&form, more].concat());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// Every line of the file is in one place, and every call of the day is.
fn adds_up(report: &Value) {
    let recorded = &report["recorded"];
    let number = |value: &Value| value.as_u64().unwrap();
    let sum = |values: &Value, of: fn(&Value) -> u64| -> u64 {
        values.as_object().unwrap().values().map(of).sum()
    };
    let lines = &recorded["lines"];
    let parts = ["blank", "broken", "of_other_days", "of_day"].map(|part| number(&lines[part]));
    assert_eq!(number(&lines["read"]), parts.iter().sum::<u64>(), "{lines}");
    let broken = &recorded["broken"];
    let kinds = sum(&broken["kinds"], |count| count.as_u64().unwrap());
    assert_eq!(kinds, number(&lines["broken"]), "{broken}");
    let listed = u64::try_from(broken["listed"].as_array().unwrap().len()).unwrap();
    assert_eq!(kinds, listed + number(&broken["not_listed"]), "{broken}");
    let left_out = sum(&recorded["left_out"], |few| few["calls"].as_u64().unwrap());
    let taken_in = number(&recorded["taken_in"]);
    assert_eq!(number(&lines["of_day"]), taken_in + left_out, "{recorded}");
    let kpi = ["answered", "abandoned", "refused"].map(|figure| number(&report["kpi"][figure]));
    assert_eq!(taken_in, number(&report["kpi"]["offered"]), "{report}");
    assert_eq!(taken_in, kpi.iter().sum::<u64>(), "everybody ended: {report}");
    for side in ["record", "replay"] {
        let waits = recorded["waits"].as_array().unwrap();
        let of = |kind: &'static str| waits.iter().filter(move |w| is_of(w, kind));
        for figure in ["contacts", "answered", "abandoned"] {
            let sum = |kind| of(kind).map(|waits| number(&waits[side][figure])).sum::<u64>();
            let all = sum("all");
            assert_eq!((sum("queue "), sum("priority ")), (all, all), "{side} {figure}");
        }
        let all = &of("all").next().unwrap()[side];
        assert_eq!(number(&all["contacts"]), taken_in);
        let ends = ["answered", "abandoned", "neither"].map(|end| number(&all[end]));
        assert_eq!(taken_in, ends.iter().sum::<u64>(), "{side}: {all}");
    }
}

fn is_of(waits: &Value, kind: &str) -> bool {
    waits["of"].as_str().unwrap().starts_with(kind)
}
