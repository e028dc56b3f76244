//! What is said of a log: its exact report with each kind of broken line, and what is refused.

use std::fmt::Write as _;

use super::{HEADER, adds_up, json, replay, support};
use atalaya::replay::raw;
use atalaya::simulation::pure::run;
use expect_test::expect;

const CALL: &str = ",1999-02-09,0,PS,28790,28800,0,0,28799,28899,10,0,100,AGENT,A01,";
/// As `BROKEN_LISTED_MAX` of the product says.
const LISTED: usize = 50;

#[test]
fn each_kind_of_broken_line_is_named_and_every_line_is_accounted_for() {
    let file = support::fixture("broken_calls.csv");
    let ran = replay(&file, &[&"--day", &"1999-02-09"]);
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let (_, said) = said.split_once("\n\n").unwrap();
    expect![[r#"
        broken_calls.csv, day 1999-02-09
        lines: 31 read = 1 blank + 16 broken + 1 of other days + 13 of the day
        calls of the day: 8 taken in, 5 left out
          left out     1  hung up before it queued: it asked for nobody (lines 25)
          left out     1  negative service time: it has no service (lines 28)
          left out     1  negative time in the queue: it has no wait (lines 27)
          left out     1  phantom: the log itself says that it was no call (lines 26)
          left out     1  served by nobody: no agent is named whose time it could take (lines 24)
          broken       1  no_agent
          broken       1  no_date
          broken       1  no_outcome
          broken       1  no_priority
          broken       1  no_rec
          broken       1  no_type
          broken       3  not_a_number
          broken       1  not_in_a_day
          broken       1  not_utf8
          broken       1  quote_not_closed
          broken       1  rec_twice
          broken       1  text_after_quote
          broken       1  too_few_values
          broken       1  too_many_values
          line 8: `vru_exit_s`: the line has 9 values and the header 20: make them equal
          line 9: `the end of the line`: the line has 21 values and the header 20: make them equal
          line 10: `q_start_s`: `soon` is not a number of seconds of a day, with at most six decimals
          line 11: `ser_time_s`: `` is not a number of seconds of a day, with at most six decimals
          line 12: `vru_exit_s`: `86400` is no second of a day: write 0 or more and under 86400
          line 13: `ser_time_s`: `1e3` is not a number of seconds of a day, with at most six decimals
          line 14: `outcome`: `LOST` is no outcome: write AGENT, HANG or PHANTOM
          line 15: `date`: `1999-02-30` is no date: write one like 1999-02-09
          line 16: `priority`: `3` is no priority: write 0, 1 or 2
          line 17: `type`: `` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
          line 18: `agent`: `Ana García` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
          line 19: `rec`: `1` is on line 2 already: take one out
          line 20: `rec`: `` names no call: write 1 to 64 bytes
          line 21: `flags`: its quote is never closed: close it, or take it out
          line 22: `type`: text stands after its closing quote: write a quote in it twice
          line 23: `type`: it is not UTF-8: save the file as UTF-8

        flags of the log                      taken in  left out  what is made of them
        AGENT_NO_SERVER                              0         1  no agent is named: left out (lines 24)
        HANG_IN_VRU                                  0         1  hung up before it queued: left out (lines 25)
        MADE_UP                                      1         0  not known: decides nothing (lines 31)
        NEG_VRU                                      1         0  negative time before the queue, which is not replayed (lines 29)
        NO_QUEUE                                     3         3  did not queue: served at once with a wait of 0, or left out as never asking (lines 2, 6, 24, 25, 28, 29)
        PHANTOM                                      0         1  left out (lines 26)
        SER_BEFORE_QEXIT                             1         0  the wait is the time in the queue; the agent is there from the service (lines 30)
        SER_MISMATCH                                 1         0  the service time counts, not its ends (lines 31)
        ZERO_SERVICE                                 1         0  taken in with a service of 0 s (lines 29)

        odd values                            taken in  left out  what is made of them
        crossed_midnight                             2         0  goes on after midnight (lines 31, 32)
        negative_queue_or_service_time               0         2  left out (lines 27, 28)
        negative_vru_time                            1         0  the time before the queue is not replayed (lines 29)
        served_for_0_s                               1         0  taken in with a service of 0 s; where it never began, it shows no agent's presence (lines 29)
        service_before_the_queues_end                1         0  the wait is the time in the queue; the agent is there from the service (lines 30)

        inferred
          the log's clock names no zone and is taken for UTC
          2 queues by `type`; priority 2 has a head start of 90 s, 0 and 1 have none
          2 agents by name, in 3 windows: from the first service to the end of the last, away in pauses of over 60 s; each takes calls of the types that they took that day, one at a time
          wrap-up 5 s: the mean pause of at most 60 s before a caller who was waiting already (1 of them)
          arrival: the beginning of the queue, or the end of the VRU where there was none
          service: the recorded time; of who hung up, that of another of the queue, evenly spread
          patience: of who hung up their time in the queue; of who was answered longer than that, by the Kaplan-Meier estimate over all days (2 hung up, 7 cut off by their answer), evenly spread; without end beyond the longest that anybody was seen to wait

                                 answered        abandoned     mean wait, s   of answered, s  of abandoned, s
                           record  replay   record  replay   record  replay   record  replay   record  replay
        queue NW                1       1        2       2     25.0    24.7     25.0    24.0     25.0    25.0
        queue PS                5       5        0       0     19.0    11.0     19.0    11.0        —       —
        priority high           1       1        0       0     55.0    55.0     55.0    55.0        —       —
        priority normal         5       5        2       2     16.4    10.6     13.0     4.8     25.0    25.0
        all                     6       6        2       2     21.2    16.1     20.0    13.2     25.0    25.0

        agent       from      to        windows  there_s  calls  queues
        A01         07:59:59  08:03:50        1      231      3  PS
        A02         08:05:00  24:00:34        2      111      3  NW PS
    "#]].assert_eq(said);
    adds_up(&json(&file, &[&"--day", &"1999-02-09"]));
}

#[test]
fn what_cannot_be_replayed_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut said = String::new();
    let mut refused = |name: &str, text: &[u8], more: &[&str]| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        let more: Vec<_> = more.iter().map(|more| more as &dyn AsRef<std::ffi::OsStr>).collect();
        let ran = replay(&file, &more);
        let error = String::from_utf8(ran.stderr).unwrap();
        let error = error.replace(&format!("{}/", dir.path().display()), "");
        assert_eq!((ran.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        said.push_str(&error);
    };
    let log = |lines: &[String]| format!("{HEADER}\n{}\n", lines.join("\n")).into_bytes();
    let call = |rec: u32| format!("{rec}{CALL}");
    let two_days = [call(1), call(2).replace("02-09", "02-11")];
    refused("empty.csv", b"", &[]);
    refused("blank.csv", b"\n\n", &[]);
    refused("other.csv", b"contact,queue,arrived_s\nk1,PS,1\n", &[]);
    refused("short.csv", HEADER.replace(",agent,flags", "").as_bytes(), &[]);
    refused("twice.csv", format!("{HEADER},rec\n").as_bytes(), &[]);
    refused("latin.csv", b"rec,d\xedas\n", &[]);
    refused("open.csv", b"rec,\"date\n1,1\n", &[]);
    refused("header.csv", HEADER.as_bytes(), &[]);
    refused("wrong.csv", &log(&["1,1".to_owned()]), &[]);
    refused("days.csv", &log(&two_days), &[]);
    refused("days.csv", &log(&two_days), &["--day", "1999-02-10"]);
    refused("out.csv", &log(&[call(1).replace("A01", "")]), &[]);
    let types: Vec<_> = (0..65).map(|rec| call(rec).replace("PS", &format!("T{rec}"))).collect();
    refused("types.csv", &log(&types), &[]);
    refused("day.toml", b"", &["--day", "1999-02-09"]);
    expect![[r#"
        atalaya: cannot take empty.csv:1: it begins with no header: give a log of calls whose first line names its columns
        atalaya: cannot take blank.csv:1: it begins with no header: give a log of calls whose first line names its columns
        atalaya: cannot take other.csv:1: its header lacks 16 of the 16 columns of a log of calls: `rec`, `date`, `priority`, `type`, `vru_entry_s`, `vru_exit_s`, `q_start_s`, `q_exit_s`, `ser_start_s`, `ser_exit_s`, `vru_time_s`, `q_time_s`, `ser_time_s`, `outcome`, `agent`, `flags`; give such a log, or a scenario whose [recorded] names this file's columns
        atalaya: cannot take short.csv:1: its header lacks 2 of the 16 columns of a log of calls: `agent`, `flags`; give such a log, or a scenario whose [recorded] names this file's columns
        atalaya: cannot take twice.csv:1: its header has `rec` twice: rename one
        atalaya: cannot take latin.csv:1: `column 2`: it is not UTF-8: save the file as UTF-8
        atalaya: cannot take open.csv:1: `column 2`: its quote is never closed: close it, or take it out
        atalaya: cannot replay header.csv: it has no call that can be read
        atalaya: cannot replay wrong.csv: it has no call that can be read; line 2: `priority`: the line has 2 values and the header 16: make them equal
        atalaya: cannot replay days.csv: it has several days: add --day with one of 1999-02-09, 1999-02-11
        atalaya: cannot replay 1999-02-10: days.csv goes from 1999-02-09 to 1999-02-11: name a day of it
        atalaya: cannot replay 1999-02-09: every one of its 1 calls is left out; 1: served by nobody: no agent is named whose time it could take
        atalaya: cannot replay 1999-02-09: its calls are of 65 types and a day has at most 64: look whether `type` is the right column
        atalaya: cannot take --day with day.toml: a scenario is one day; leave --day out
    "#]].assert_eq(&said);
    let missing = replay(&dir.path().join("none.csv"), &[]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("none.csv: No such file"));
    let no_date = replay(&dir.path().join("days.csv"), &[&"--day", &"soon"]);
    assert_eq!(no_date.status.code(), Some(2));
}

#[test]
fn the_only_day_need_not_be_named_and_broken_lines_past_the_limit_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("Calls.CSV");
    let more = 7;
    let mut text = format!("{HEADER}\n1{CALL}");
    for _ in 0..LISTED + more {
        write!(text, "\n{}", "x".repeat(1 << 17)).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    let report = json(&file, &[]);
    adds_up(&report);
    let broken = &report["recorded"]["broken"];
    assert_eq!(broken["listed"].as_array().unwrap().len(), LISTED);
    assert_eq!((&broken["not_listed"], &broken["kinds"]["too_long"]), (&7.into(), &57.into()));
    assert_eq!(report["kpi"]["answered"], 1);
}

/// What no order of columns, nor one that nobody asked for, changes.
#[test]
fn columns_are_found_by_their_titles() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, swap: bool| {
        let text: String = [HEADER.to_owned(), format!("1{CALL}")]
            .iter()
            .map(|line| {
                let mut values: Vec<_> = line.split(',').collect();
                if swap {
                    values.reverse();
                    values.insert(3, "more");
                }
                values.join(",") + "\n"
            })
            .collect();
        let file = dir.path().join(name).join("calls.csv");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        json(&file, &[])
    };
    assert_eq!(write("one", false), write("two", true));
}

/// Values that a machine may have written anywhere.
const ODD: [&[u8]; 12] = [
    b"",
    b"0",
    b"-1",
    b"86399",
    b"-86400",
    b"9223372036854775807",
    b"\"",
    b",",
    b"\n",
    b"\xff",
    b"HANG",
    b"1999-02-09",
];

#[test]
fn whatever_stands_in_it_the_log_is_taken_or_refused_and_its_day_adds_up() {
    let sound = std::fs::read(support::fixture("broken_calls.csv")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("calls.csv");
    let day = "1999-02-09".parse().unwrap();
    let mut chance = 1_u64;
    let mut below = |most: usize| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(chance >> 33).unwrap() % most
    };
    let (mut taken, mut refused) = (0, 0);
    for round in 0..if support::long() { 5_000 } else { 300 } {
        let mut text = sound.clone();
        for _ in 0..=below(4) {
            let commas: Vec<_> = (0..text.len()).filter(|at| text[*at] == b',').collect();
            let Some(at) = commas.get(below(commas.len().max(1))).copied() else { break };
            let rest = text[at + 1..].iter();
            let value = rest.take_while(|byte| !matches!(byte, b',' | b'\n')).count();
            text.splice(at + 1..=at + value, ODD[below(ODD.len())].iter().copied());
        }
        if below(5) == 0 {
            text.truncate(below(text.len()));
        }
        std::fs::write(&file, &text).unwrap();
        let Ok(recorded) = raw::read(&file, Some(day)) else {
            refused += 1;
            continue;
        };
        taken += 1;
        let rows = run(&recorded.scenario).unwrap().rows();
        let account = recorded.account;
        let lines = account.lines;
        let sum = lines.blank + lines.broken + lines.of_other_days + lines.of_day;
        assert_eq!(lines.read, sum, "round {round}");
        let left_out: u64 = account.left_out.values().map(|few| few.calls).sum();
        assert_eq!(lines.of_day, account.taken_in + left_out, "round {round}");
        assert_eq!(account.taken_in, u64::try_from(rows.len()).unwrap(), "round {round}");
    }
    eprintln!("{taken} taken, {refused} refused");
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
}
