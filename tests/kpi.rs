//! `atalaya kpi` as a program: a real month against figures that others reckoned, and each way in
//! which a contacts file can be broken.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::skip;

const HEADER: &str =
    "contact,queue,priority,arrived_s,answered_s,ended_s,wait_s,service_s,agent,outcome";
/// Groups of the month whose figures are known.
const KNOWN_GROUPS: usize = 264;
/// The columns of the oracle whose names are others here.
const RENAMED: [(&str, &str); 7] = [
    ("answered_within_T", "answered_within"),
    ("abandoned_within_T", "abandoned_within"),
    ("service_level_negative", "service_level_all"),
    ("service_level_cisco_ignore", "service_level_abandons_within_ignored"),
    ("abandonment_rate_plain", "abandonment"),
    ("at_T_boundary", "on_bound_within"),
    ("at_short_boundary", "on_bound_short"),
];

type Line = BTreeMap<String, String>;

fn kpi(file: &Path, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    program.arg("kpi").arg(file).args(args).output().unwrap()
}

/// What the program says of `text`: exit code, standard output and standard error.
fn of_text(text: impl AsRef<[u8]>, args: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("contacts.csv");
    std::fs::write(&file, text).unwrap();
    let Output { status, stdout, stderr } = kpi(&file, args);
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code().unwrap(), stdout, stderr)
}

fn json_of_text(rows: &[&str], args: &[&str]) -> Vec<Value> {
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let (code, stdout, stderr) = of_text(text, &[args, &["--format", "json"]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    serde_json::from_str(&stdout).unwrap()
}

fn data() -> Option<PathBuf> {
    let shared = std::env::var_os("ATALAYA_SHARED").map_or("../shared".into(), PathBuf::from);
    let data = shared.join("data");
    data.is_dir().then_some(data)
}

/// The month by `args`, each group under its members' values.
fn month(data: &Path, args: &str) -> BTreeMap<Vec<String>, Value> {
    let mut all = vec!["--start", "1999-02-01T00:00:00Z", "--format", "json"];
    all.extend(args.split(' '));
    let Output { status, stdout, stderr } = kpi(&data.join("bank_contacts_1999_02.csv"), &all);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let groups: Vec<Value> = serde_json::from_slice(&stdout).unwrap();
    let key = |group: &Value| {
        let members = group["group"].as_object().unwrap().values();
        members.map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    groups.into_iter().map(|group| (key(&group), group)).collect()
}

/// The oracle has six decimals, and no value where there is no figure.
fn assert_equal(line: &Line, shown: &Value) {
    let members = ["date", "scope", "queue", "interval"];
    let mut compared = 0;
    for (column, wanted) in line.iter().filter(|(name, _)| !members.contains(&name.as_str())) {
        let renamed = RENAMED.iter().find(|(theirs, _)| theirs == column);
        let name = renamed.map_or(column.as_str(), |(_, ours)| *ours);
        let wanted = wanted.parse::<f64>().ok();
        let value = shown.get(name).unwrap_or_else(|| panic!("no {name}: {shown}"));
        let value = value.as_f64().map(|value| format!("{value:.6}").parse::<f64>().unwrap());
        assert_eq!(value, wanted, "{name}: {line:?}: {shown}");
        compared += 1;
    }
    assert_eq!(compared, 22, "{line:?}");
}

/// 31,125 real contacts by day, queue, interval and other bounds: every figure, to the last digit.
#[test]
fn a_real_month_is_reckoned_as_the_oracle_does() {
    let Some(data) = data() else {
        skip("a_real_month_is_reckoned_as_the_oracle_does", "no data beside the project");
        return;
    };
    let by_day = month(&data, "--by day");
    let by_queue = month(&data, "--by day,queue");
    let by_interval = month(&data, "--by interval");
    let other_bounds = [
        ("day_T10_short5", month(&data, "--by day --within 10s --short-abandon 5s")),
        ("day_T30_short10", month(&data, "--by day --within 30s --short-abandon 10s")),
        ("day_T60_short0", month(&data, "--by day --within 60s --short-abandon 0s")),
    ];
    let mut oracle = csv::Reader::from_path(data.join("kpi_oracles_public.csv")).unwrap();
    let lines: Vec<Line> = oracle.deserialize().map(Result::unwrap).collect();
    assert_eq!(lines.len(), KNOWN_GROUPS);
    let (mut days, mut queues, mut intervals) = (0, 0, 0);
    for line in &lines {
        let [day, scope, queue, interval] =
            ["date", "scope", "queue", "interval"].map(|name| line[name].clone());
        let shown = match (scope.as_str(), queue.as_str()) {
            ("day", "ALL") => {
                days += 1;
                &by_day[&vec![day]]
            }
            ("day", _) => {
                queues += 1;
                &by_queue[&vec![day, queue]]
            }
            ("interval15", "ALL") => {
                intervals += 1;
                &by_interval[&vec![day, interval]]
            }
            _ => {
                let (_, groups) = other_bounds.iter().find(|(name, _)| *name == scope).unwrap();
                &groups[&vec![day]]
            }
        };
        assert_equal(line, shown);
    }
    // No group is shown that the oracle does not have.
    let of_the_day = by_interval.keys().filter(|key| key[0] == "1999-02-10").count();
    assert_eq!((by_day.len(), by_queue.len(), of_the_day), (days, queues, intervals));
}

/// S77: answered 8, 6 of them in time; abandoned 2, 1 of them in time, none short.
const S77: [&str; 10] = [
    "a1,q,normal,0,0,60,0,60,ana,answered",
    "a2,q,normal,1,6,66,5,60,ana,answered",
    "a3,q,normal,2,22,82,20,60,ana,answered",
    "a4,q,normal,3,13.5,73.5,10.5,60,ana,answered",
    "a5,q,normal,4,14,74,10,60,ana,answered",
    "a6,q,normal,5,15,75,10,60,ana,answered",
    "a7,q,normal,6,26.000001,86,20.000001,59.999999,ana,answered",
    "a8,q,normal,7,107,,100,,ana,answered",
    "b1,q,normal,8,,28,20,,,abandoned",
    "b2,q,normal,9,,39,30,,,abandoned",
];

#[test]
fn s77_all_service_levels_side_by_side() {
    let groups = json_of_text(&S77, &[]);
    let [group] = groups.as_slice() else { panic!("one group: {groups:?}") };
    assert_eq!(group["group"], json!({}));
    let wanted = [
        ("offered", json!(10)),
        ("answered", json!(8)),
        ("answered_within", json!(6)),
        ("abandoned", json!(2)),
        ("abandoned_within", json!(1)),
        ("short_abandoned", json!(0)),
        ("service_level", json!(0.6)),
        ("service_level_all", json!(0.6)),
        ("service_level_abandons_ignored", json!(0.75)),
        ("service_level_abandons_in_time_count", json!(0.7)),
        ("service_level_abandons_within_ignored", json!(6.0 / 9.0)),
        ("abandonment", json!(0.2)),
        ("abandonment_rate", json!(0.2)),
        ("mean_wait_abandoned_s", json!(25.0)),
        ("max_wait_s", json!(100.0)),
        ("wait_p50_s", json!(10.5)),
        ("wait_p90_s", json!(30.0)),
        ("on_bound_within", json!(2)),
        ("on_bound_short", json!(0)),
    ];
    for (name, value) in wanted {
        assert_eq!(group[name], value, "{name}");
    }
    // Bounds are inclusive, to the microsecond.
    let groups = json_of_text(&S77, &["--within", "20.000001s", "--short-abandon", "20s"]);
    let of = |name: &str| groups[0][name].as_u64().unwrap();
    assert_eq!((of("answered_within"), of("on_bound_within")), (7, 1));
    assert_eq!((of("short_abandoned"), of("on_bound_short")), (1, 1));
    let (code, text, _) = of_text(format!("{HEADER}\n{}\n", S77.join("\n")), &[]);
    assert_eq!(code, 0);
    for line in ["service_level  60.00 %", "service_level_abandons_ignored  75.00 %"] {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(text.lines().any(|shown| words(shown) == words(line)), "{line}: {text}");
    }
}

/// What a replay writes is read back, to the same figures as it prints itself.
#[test]
fn a_replayed_day_has_the_figures_of_its_replay() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("contacts.csv");
    let mut program = Command::new(env!("CARGO_BIN_EXE_atalaya"));
    program.args(["replay", "config/day.toml", "--format", "json", "--contacts"]).arg(&file);
    let replayed = program.output().unwrap();
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    let read = kpi(&file, &["--format", "json"]);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    for name in [
        "offered",
        "answered",
        "abandoned",
        "refused",
        "asa_s",
        "mean_wait_s",
        "wait_p50_s",
        "wait_p90_s",
        "max_wait_s",
    ] {
        assert_eq!(read[0][name], replayed["kpi"][name], "{name}: {read} {replayed}");
    }
    assert!(read[0]["answered"].as_u64().unwrap() > 0, "{read}");
}

#[test]
fn nobody_served_is_no_figure() {
    let rows = ["r,q,normal,0,,0,0,,,refused", "w,q,normal,5,,,,,,waiting"];
    for (rows, offered, refused) in [(&rows[..], 2, 1), (&[], 0, 0)] {
        let groups = json_of_text(rows, &[]);
        assert_eq!(groups.len(), 1);
        let figures = groups[0].as_object().unwrap();
        assert_eq!(figures.len(), 24);
        for (name, value) in figures.iter().filter(|(name, _)| *name != "group") {
            match name.as_str() {
                "offered" => assert_eq!(value, offered),
                "refused" => assert_eq!(value, refused),
                // Of two that tried to enter, none left.
                "abandonment" | "abandonment_rate" if offered > 0 => assert_eq!(value, 0.0),
                name if name.ends_with("_s") || name.starts_with("service_level") => {
                    assert!(value.is_null(), "{name}: {value}");
                }
                "abandonment" | "abandonment_rate" => assert!(value.is_null(), "{name}: {value}"),
                name => assert_eq!(value, 0, "{name}"),
            }
        }
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        let (_, shown, _) = of_text(&text, &[]);
        let level = shown.lines().find(|line| line.contains("service_level ")).unwrap();
        assert!(level.ends_with(" —"), "{level}");
        let (_, shown, _) = of_text(&text, &["--format", "csv"]);
        let [names, values] = shown.lines().collect::<Vec<_>>()[..] else { panic!("{shown}") };
        let at = names.split(',').position(|name| name == "service_level").unwrap();
        assert_eq!(values.split(',').nth(at), Some(""), "{shown}");
    }
    assert_eq!(json_of_text(&[], &["--by", "queue"]), Vec::<Value>::new());
}

#[test]
fn groups_have_their_members_in_order() {
    let rows = ["a,b,normal,899.999999,,900,0.000001,,,abandoned", "b,a,normal,900,,,,,,waiting"];
    let start = ["--start", "1999-02-10T07:45:00+01:00"];
    let by = |by: &[&str]| -> Vec<Value> {
        let args = [&start[..], by].concat();
        json_of_text(&rows, &args).into_iter().map(|group| group["group"].clone()).collect()
    };
    let day = "1999-02-10";
    assert_eq!(by(&["--by", "day"]), [json!({ "day": day })]);
    assert_eq!(
        by(&["--by", "hour"]),
        [json!({ "day": day, "hour": "06:00" }), json!({ "day": day, "hour": "07:00" })]
    );
    assert_eq!(
        by(&["--by", "queue,interval"]),
        [
            json!({ "day": day, "interval": "06:45", "queue": "b" }),
            json!({ "day": day, "interval": "07:00", "queue": "a" })
        ]
    );
    assert_eq!(by(&["--by", "queue"]), [json!({ "queue": "a" }), json!({ "queue": "b" })]);
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let (_, csv, _) =
        of_text(text, &[&start[..], &["--by", "interval", "--format", "csv"]].concat());
    assert!(csv.starts_with("day,interval,offered,answered,"), "{csv}");
    assert!(csv.contains("\n1999-02-10,06:45,1,0,1,1,"), "{csv}");
}

/// A row that is broken, the column that is named, and a part of what is said.
const BROKEN: [(&str, &str, &str); 22] = [
    ("x,q,normal,1,2,3,1,1,ana", "outcome", "9 values and the header 10"),
    ("x,q,normal,1,2,3,1,1,ana,answered,", "the end of the row", "11 values"),
    ("x,,normal,1,2,3,1,1,ana,answered", "queue", ""),
    ("x,a queue,normal,1,2,3,1,1,ana,answered", "queue", ""),
    ("x,q,normal,,2,3,1,1,ana,answered", "arrived_s", "empty"),
    ("x,q,normal,-1,2,3,3,1,ana,answered", "arrived_s", "`-1` is not a number of seconds"),
    ("x,q,normal,999999999999,,,,,,waiting", "arrived_s", "9999"),
    ("x,q,normal,1,,3,1,1,ana,answered", "answered_s", "empty"),
    ("x,q,normal,1,soon,3,1,1,ana,answered", "answered_s", "`soon`"),
    ("x,q,normal,1,2,3,1,,,abandoned", "answered_s", "only an answered contact"),
    ("x,q,normal,1,2,3,1,,,refused", "answered_s", "only an answered contact"),
    ("x,q,normal,1,2,1.9,1,1,ana,answered", "ended_s", "before `answered_s`"),
    ("x,q,normal,1,,,1,,,abandoned", "ended_s", "empty"),
    ("x,q,normal,1,2,3,,1,ana,answered", "wait_s", "empty"),
    ("x,q,normal,1,2,3,NaN,1,ana,answered", "wait_s", "`NaN`"),
    ("x,q,normal,1,2,3,1.0000001,1,ana,answered", "wait_s", "six decimals"),
    ("x,q,normal,1,2,3,1.5,1,ana,answered", "wait_s", "`1.5` is not `answered_s` − `arrived_s`"),
    ("x,q,normal,5,,3,2,,,abandoned", "wait_s", "`2` is not `ended_s` − `arrived_s`"),
    ("x,q,normal,1,2,3,1,1e3,ana,answered", "service_s", "`1e3`"),
    ("x,q,normal,1,2,3,1,1,ana,Answered", "outcome", "`Answered` is no outcome"),
    ("x,q,normal,1,2,3,1,1,ana,", "outcome", "is no outcome"),
    ("a1,q,normal,1,2,3,1,1,ana,answered", "contact", "`a1` is on line "),
];

#[test]
fn a_broken_line_is_named_and_nothing_is_taken() {
    let args = ["--by", "day", "--start", "1999-02-01T00:00:00Z", "--format", "json"];
    for (row, column, what) in BROKEN {
        for (end, line) in [("\n", 4), ("\r\n", 4), ("\n\n", 7)] {
            let rows = [HEADER, S77[0], S77[1], row, S77[2], ""];
            let (code, stdout, stderr) = of_text(rows.join(end), &args);
            assert_eq!((code, stdout.as_str()), (1, ""), "{row}: {stderr}");
            let named = format!("contacts.csv:{line}: `{column}`: ");
            assert!(stderr.contains(&named) && stderr.contains(what), "{named} {row}: {stderr}");
        }
    }
    let mut bytes = format!("{HEADER}\n{}\nx,q,normal,1,", S77[0]).into_bytes();
    bytes.extend_from_slice(b"2,3,1,\xff,ana,answered\n");
    let (code, stdout, stderr) = of_text(bytes, &args);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("contacts.csv:3: `service_s`: it is not UTF-8"), "{stderr}");
}

#[test]
fn a_header_that_lacks_a_column_is_named() {
    for column in ["contact", "queue", "arrived_s", "ended_s", "wait_s", "service_s", "outcome"] {
        for other in ["other", "answered_s"] {
            let header = HEADER.split(',').map(|name| if name == column { other } else { name });
            let header = header.collect::<Vec<_>>().join(",");
            let (code, stdout, stderr) = of_text(format!("{header}\n{}\n", S77[0]), &[]);
            assert_eq!((code, stdout.as_str()), (1, ""));
            let named = [column, "answered_s"].map(|name| format!("contacts.csv:1: `{name}`: "));
            assert!(named.iter().any(|named| stderr.contains(named)), "{header}: {stderr}");
        }
    }
    let (code, _, stderr) = of_text("", &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("contacts.csv:1: `contact`: "), "{stderr}");
}

#[test]
fn a_wrong_command_line_exits_with_2_and_no_file_with_1() {
    for args in [
        &["--by", "day"][..],
        &["--by", "queue,interval"],
        &["--by", "week"],
        &["--within=-1s"],
        &["--within", "20"],
        &["--short-abandon", "soon"],
        &["--start", "yesterday"],
        &["--format", "xml"],
    ] {
        let (code, stdout, stderr) = of_text(format!("{HEADER}\n"), args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
    }
    let missing = kpi(Path::new("no-such-contacts.csv"), &[]);
    assert_eq!(missing.status.code(), Some(1));
    let stderr = String::from_utf8(missing.stderr).unwrap();
    assert!(stderr.contains("cannot read no-such-contacts.csv: "), "{stderr}");
}
