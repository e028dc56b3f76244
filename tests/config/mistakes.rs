//! Broken files: which lines and keys are named, and what is said of them.

use atalaya::cli::configure::Rulings;
use atalaya::config;

use crate::program::{run, text};

/// Everything that is said of `text`, a line each; empty: it is taken.
fn check(text: &str) -> Vec<String> {
    match config::parse(text, "f", &Rulings) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
    }
}

const QUEUE: &str = "[[queue]]\nid = \"q\"\n";
const AGENT: &str = "[[agents]]\nid = \"a\"\nteam = \"t\"\n";

/// One broken line each: what stands before it, the line, how the complaint begins.
const TABLE: &[(&str, &str, &str)] = &[
    ("[server]\n", "listen = \"here\"", "f:2: listen: is no address"),
    ("[server]\n", "listen = 8080", "f:2: listen: is no address"),
    ("[server]\n", "insecure_http = \"yes\"", "f:2: insecure_http: is neither"),
    ("[server]\n", "metrics_open = 1", "f:2: metrics_open: is neither"),
    ("[server]\n", "log_level = \"loud\"", "f:2: log_level: is no level; write one like"),
    ("[server]\n", "log_level = \"info,=debug\"", "f:2: log_level: is no level"),
    ("[server]\n", "log_level = \"info,a::b=loud\"", "f:2: log_level: is no level"),
    ("[server]\n", "log_level = 3", "f:2: log_level: is no level"),
    ("[server]\n", "log_format = \"xml\"", "f:2: log_format: is neither"),
    ("[server]\n", "port = 1", "f:2: port: is no key of [server]"),
    ("[server]\n", "tls_key = \"k\"", "f:2: tls_key: cannot be carried out by this version"),
    ("[centre]\n", "name = \"\"", "f:2: name: is no name"),
    ("[centre]\n", "time_zone = \"Madrid\"", "f:2: time_zone: is no time zone"),
    ("[centre]\n", "zone = 1", "f:2: zone: is no key of [centre]"),
    ("[limits]\n", "disk_reserve = 256", "f:2: disk_reserve: is no size"),
    ("[limits]\n", "disk_reserve = \"-1MB\"", "f:2: disk_reserve: is no size"),
    ("[limits]\n", "log_segment = \"1KiB\"", "f:2: log_segment: is out of bounds; write 4096"),
    ("[limits]\n", "max_body = \"99999999999999GB\"", "f:2: max_body: is no size"),
    ("[limits]\n", "max_sockets = 0", "f:2: max_sockets: is out of bounds"),
    ("[limits]\n", "max_sockets = \"9\"", "f:2: max_sockets: is no whole number"),
    ("[limits]\n", "max_words = 9", "f:2: max_words: is no key of [limits]"),
    ("[priorities]\n", "high = \"5 min\"", "f:2: high: `5 min` is not a duration"),
    ("[priorities]\n", "high = 5", "f:2: high: is no text"),
    ("[priorities]\n", "\"very high\" = \"5m\"", "f:2: very high: is no name of a class"),
    ("[strategy]\n", "agent = \"round_robin\"", "f:2: strategy.agent: this version has"),
    ("[strategy]\n", "caller = \"x\"", "f:2: strategy.caller: is not known"),
    (QUEUE, "colour = \"red\"", "f:3: colour: is not known; the fields known here are name"),
    (QUEUE, "relax = []", "f:3: relax: not in this version"),
    (QUEUE, "hours = \"office\"", "f:3: hours: not in this version"),
    (QUEUE, "channel = \"chat\"", "f:3: channel: this version has voice only"),
    (QUEUE, "name = 5", "f:3: name: it must be a text"),
    (QUEUE, "requires = { pensions = 11 }", "f:3: requires: it is no whole number 1 to 10"),
    (QUEUE, "levels = [0]", "f:3: levels: it is no whole number 1 to 2"),
    (QUEUE, "wrap_up = \"-3s\"", "f:3: wrap_up: it is negative"),
    (QUEUE, "wrap_up = \"soon\"", "f:3: wrap_up: `soon` is not a duration"),
    (QUEUE, "offer_timeout = \"0s\"", "f:3: offer_timeout: nobody can answer in no time"),
    (QUEUE, "on_reject = \"shrug\"", "f:3: on_reject: it is neither"),
    (QUEUE, "max_misses = 0", "f:3: max_misses: 0 is no number of offers to miss: write 1 to 100"),
    (QUEUE, "max_misses = 101", "f:3: max_misses: 101 is no number of offers to miss"),
    (QUEUE, "max_waiting = 1000001", "f:3: max_waiting: 1000001 is too many: write 1000000"),
    (
        QUEUE,
        "service_level = { share = 1.2, within = \"20s\" }",
        "f:3: service_level.share: 1.2 is no share",
    ),
    (QUEUE, "service_level = { share = 0.8 }", "f:3: service_level.within: is missing"),
    (QUEUE, "max_waiting = nan", "f:3: max_waiting: is no number of use"),
    ("[[queue]]\n", "name = \"Q\"", "f:1: id: is missing"),
    ("[[queue]]\n", "id = \"totals\"", "f:2: id: cannot make a queue `totals`"),
    ("[[queue]]\n", "id = \"a b\"", "f:2: id: cannot make a queue"),
    ("[[queue]]\n", "id = 7", "f:2: id: is no text"),
    ("[[agents]]\n", "id = \"a\"", "f:1: team: is missing"),
    (AGENT, "level = 12", "f:4: level: it is no whole number 1 to 2"),
    (AGENT, "skills = { x = \"high\" }", "f:4: skills: it must be a whole number"),
    (AGENT, "languages = \"es\"", "f:4: languages: it must be a list"),
    (AGENT, "capacity = { chat = 3 }", "f:4: capacity.chat: not in this version"),
    (AGENT, "shift = \"morning\"", "f:4: shift: is not known"),
    (AGENT, "shifts = []", "f:4: shifts: not in this version"),
    (AGENT, "count = 3", "f:1: id: must be alone"),
    ("[[agents]]\nprefix = \"m\"\nteam = \"t\"\n", "count = -3", "f:4: count: is no whole number"),
    ("[[agents]]\nprefix = \"m\"\nteam = \"t\"\n", "count = 10001", "f:4: count: makes more than"),
    ("", "[[calendar]]", "f:1: calendar: cannot be carried out by this version"),
    ("", "[[request_type]]", "f:1: request_type: cannot be carried out by this version"),
    ("", "[[arrivals]]", "f:1: arrivals: is not known"),
    ("", "[queue]", "f:1: queue: is no list of tables"),
    ("", "[[server]]", "f:1: server: is no table"),
    ("", "name = \"x\"", "f:1: name: is not known"),
    ("[server]\n", "listen = here", "f:2: listen: is not TOML"),
    (
        "[server]\nlisten = \"127.0.0.1:1\"\n",
        "listen = \"127.0.0.1:1\"",
        "f:3: listen: is not TOML",
    ),
    ("[centre]\n", "name = \"x", "f:2: name: is not TOML"),
];

#[test]
fn a_broken_line_is_named_with_its_key() {
    let mut wrong = Vec::new();
    for (before, line, begins) in TABLE {
        let said = check(&format!("{before}{line}\n"));
        if said.len() != 1 || !said[0].starts_with(begins) {
            wrong.push(format!("{line}: wanted `{begins}`, got {said:#?}"));
        }
        // What stands before the line is not what is wrong, though it may not be enough.
        let harmless = check(before);
        let scanty = |said: &String| said.contains("is missing") || said.contains("must be alone");
        let without = harmless.iter().all(scanty);
        if !without {
            wrong.push(format!("before {line}: {harmless:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every mistake says what to do.
#[test]
fn a_mistake_says_what_to_do() {
    for (before, line, _) in TABLE {
        for said in check(&format!("{before}{line}\n")) {
            let advice = ["write", "take it out", "leave it out", "rename", "known here"];
            assert!(advice.iter().any(|word| said.contains(word)), "{said}");
        }
    }
}

/// Nothing is found one at a time: a file has all its mistakes in one answer, in order of lines.
#[test]
fn all_mistakes_of_a_file_come_at_once() {
    let text = r#"
[limits]
disk_reserve = 256
[[queue]]
id = "a"
requires = { pensions = 11 }
service_level = { share = 3, within = "20" }
wrap_up = "-3s"
colour = "red"
[[queue]]
id = "a"
max_misses = 0
[[agents]]
id = "ana"
level = 0
queues = ["b"]
[[agents]]
count = 3
name = 5
[bogus]
"#;
    let places: Vec<_> = check(text)
        .iter()
        .map(|said| said.splitn(4, ':').skip(1).take(2).collect::<String>())
        .collect();
    let wanted = [
        "3 disk_reserve",
        "6 requires",
        "7 service_level.share",
        "7 service_level.within",
        "8 wrap_up",
        "9 colour",
        "11 id",
        "12 max_misses",
        "13 team",
        "15 level",
        "16 queues",
        "17 team",
        "17 id",
        "19 name",
        "20 bogus",
    ];
    let (mut places, mut wanted) = (places, wanted.map(str::to_owned).to_vec());
    places.sort();
    wanted.sort();
    assert_eq!(places, wanted);
}

/// A group is one table: what is wrong with it is said once, not for each of its agents.
#[test]
fn a_group_is_told_once() {
    let said = check("[[agents]]\ncount = 50\nprefix = \"m\"\nteam = \"t\"\nlevel = 0\n");
    assert_eq!(said.len(), 1, "{said:?}");
}

/// Two tables that make the same agent, also when one is a group.
#[test]
fn an_agent_is_made_once() {
    let group = "[[agents]]\ncount = 2\nprefix = \"m\"\nteam = \"t\"\n";
    let said = check(&format!("{group}[[agents]]\nid = \"m2\"\nteam = \"t\"\n"));
    assert_eq!(said, ["f:6: id: `m2` is there already, in line 3; rename one"]);
}

#[test]
fn values_of_the_command_line_are_refused_as_those_of_a_file_are() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |words: &[&str], why: &str| {
        let ended = run(dir.path(), words);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains(why), "{words:?}: {told}");
    };
    for rate in ["1e308", "inf", "NaN", "100001", "1e20"] {
        let why = "a clock's rate is a number from 0 to 100000";
        refused(&["serve", "--clock-rate", rate, "--listen", "127.0.0.1:0"], why);
    }
    for level in ["verbose", "INFO", "", "info,loud", "atalaya=loud"] {
        let words = ["--log-level", level, "serve", "--listen", "127.0.0.1:0"];
        refused(&words, "it is no level");
    }
}
