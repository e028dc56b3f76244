//! Scenarios as people write them: what is taken, and what is said of each that is not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use atalaya::simulation::scenario::{
    ActionKind, Does, QueueDoes, Scenario, ScenarioError, parse, read,
};
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::OnReject;
use atalaya_domain::time::{Span, Timestamp};
use expect_test::{Expect, expect};

const HEAD: &str = r#"[scenario]
name = "one morning"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T15:00:00Z"
"#;

const CENTRE: &str = r#"[scenario]
name = "one morning"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T15:00:00Z"
seed = 7
offer_timeout = "15s"

[priorities]
high = "90s"
vip = "always_first"

[[queue]]
id = "pensions"
requires = { pensions = 5 }
levels = [1, 2]
service_level = { share = 0.8, within = "20s" }

[[queue]]
id = "general"
name = "Everything else that the city does"
wrap_up = "none"
offer_timeout = "30s"
on_reject = "ready"
max_misses = 3

[[agents]]
id = "ana"
skills = { pensions = 7 }
languages = ["es", "ca"]
queues = ["pensions"]

[[agents]]
count = 2
prefix = "m"
level = 2
capacity = { voice = 2 }
shift = { from = "2026-03-02T09:00:00Z", to = "2026-03-02T14:00:00Z" }
answer_delay = "1.5s"

[[contact]]
id = "late"
at = "7h"
queue = "general"
service = "60s"

[[contact]]
id = "second"
at = "20s"
queue = "general"
service = "60s"

[[contact]]
id = "first"
at = "10s"
queue = "pensions"
service = "0.25s"
patience = "30s"
priority = "vip"
language = "ca"
requires = { pensions = 7 }
hangs_up_at = "25s"

[[action]]
at = "2026-03-02T08:00:12Z"
agent = "ana"
does = "accept"

[[action]]
at = "5s"
agent = "m1"
does = "not_ready"

[[action]]
at = "5s"
queue = "general"
does = "close"
emergency = true

[[action]]
at = "5s"
contact = "second"
does = "set_priority"
priority = "high"
"#;

const START: Timestamp = Timestamp(1_772_438_400_000_000);

fn taken(text: &str) -> Scenario {
    parse(text, "day.toml", Path::new("")).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> ScenarioError {
    match parse(text, "day.toml", Path::new("")) {
        Ok(_) => panic!("taken:\n{text}"),
        Err(error) => error,
    }
}

/// One line a scenario: the change, then what is said of it.
fn check(changes: &[(&str, &str)], expected: &Expect) {
    let mut said = String::new();
    for (old, new) in changes {
        assert_eq!(CENTRE.matches(old).count(), 1, "`{old}` is not there once");
        let error = refused(&CENTRE.replace(old, new)).to_string();
        assert!(!error.contains('\n'), "more than a line: {error}");
        writeln!(said, "{new:?}\n  {error}").unwrap();
    }
    expected.assert_eq(&said);
}

#[test]
fn a_scenario_is_taken_as_written() {
    let day = taken(CENTRE);
    assert_eq!((day.start, day.end), (START, START.plus(Span::seconds(7 * 3_600))));
    assert_eq!((day.name.as_str(), day.seed), ("one morning", 7));
    let credits: Vec<_> = day.priorities.0.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    assert_eq!(
        credits,
        [
            ("emergency", Credit::AlwaysFirst),
            ("high", Credit::HeadStart(Span::seconds(90))),
            ("low", Credit::HeadStart(Span::seconds(-600))),
            ("normal", Credit::HeadStart(Span::ZERO)),
            ("vip", Credit::AlwaysFirst),
        ]
    );
    let [(_, pensions), (_, general)] = &day.queues[..] else { panic!("two queues") };
    assert_eq!((pensions.name.as_str(), pensions.short_name.as_str()), ("pensions", "pensions"));
    assert_eq!(pensions.wrap_up.as_ref().map(|wrap_up| wrap_up.span), Some(Span::ZERO));
    assert_eq!(pensions.offer_timeout.span, Span::seconds(15));
    assert_eq!((pensions.on_reject, pensions.max_misses), (OnReject::NotReady, 1));
    assert_eq!(general.short_name, "Everything else that the");
    assert_eq!((general.wrap_up.as_ref(), general.offer_timeout.span), (None, Span::seconds(30)));
    assert_eq!((general.on_reject, general.max_misses), (OnReject::Ready, 3));
    let agents: Vec<_> = day.agents.iter().map(|a| (a.id.as_str(), a.manual)).collect();
    assert_eq!(agents, [("ana", true), ("m1", false), ("m2", false)]);
    let m2 = &day.agents[2];
    assert_eq!((m2.profile.level, m2.profile.voice), (2, 2));
    assert_eq!(m2.answer_delay, Span::millis(1_500));
    assert_eq!(m2.shift.map(|(from, _)| from), Some(START.plus(Span::seconds(3_600))));
}

#[test]
fn contacts_and_actions_come_in_order_of_time() {
    let day = taken(CENTRE);
    let ids: Vec<_> = day.contacts.iter().map(|contact| contact.id.as_str()).collect();
    assert_eq!(ids, ["first", "second"], "`late` would arrive at the end");
    assert_eq!(day.contacts[0].service, Span::millis(250));
    assert_eq!(day.contacts[0].hangs_up_at, Some(START.plus(Span::seconds(25))));
    assert_eq!(day.contacts[1].priority.as_str(), "normal");
    let [pause, close, class, accept] = &day.actions[..] else { panic!("four actions") };
    let ActionKind::Agent(m1, Does::NotReady { reason }) = &pause.what else { panic!("pause") };
    assert_eq!((m1.as_str(), reason.as_str()), ("m1", "break"));
    let ActionKind::Queue(_, does) = &close.what else { panic!("close") };
    assert_eq!(*does, QueueDoes::Close { emergency: true });
    let ActionKind::Priority(contact, high) = &class.what else { panic!("class") };
    assert_eq!((contact.as_str(), high.as_str()), ("second", "high"));
    assert_eq!(accept.at, START.plus(Span::seconds(12)));
}

#[test]
fn the_shape_is_held_to() {
    check(
        &[
            ("seed = 7", "seed = -7"),
            ("seed = 7", "seed = "),
            ("seed = 7", "seed = 7\nseed = 8"),
            ("seed = 7", "seeds = 7"),
            ("seed = 7", "warm_up = \"30m\""),
            ("name = \"one morning\"\n", ""),
            ("offer_timeout = \"15s\"", "offer_timeout = 15"),
            ("offer_timeout = \"15s\"", "offer_timeout = \"-15s\""),
            ("end = \"2026-03-02T15:00:00Z\"", "end = \"2026-03-02T08:00:00Z\""),
            ("end = \"2026-03-02T15:00:00Z\"", "end = \"15:00\""),
            ("end = \"2026-03-02T15:00:00Z\"", "end = \"2026-03-02T15:00:00.0000001Z\""),
            ("high = \"90s\"", "high = \"soon\""),
            ("high = \"90s\"", "\"a b\" = \"90s\""),
            ("[priorities]", "[strategy]\nagent = \"round_robin\"\n[priorities]"),
            ("[priorities]", "[strategy]\ncontact = \"least_slack\"\n[priorities]"),
            ("[priorities]", "[[arrivals]]\nqueue = \"general\"\n[priorities]"),
            ("[priorities]", "[[calendar]]\nid = \"c\"\n[priorities]"),
        ],
        &expect![[r#"
            "seed = -7"
              day.toml:5: `seed`: invalid value: integer `-7`, write u64
            "seed = "
              day.toml:5: not TOML: string values must be quoted, expected literal string
            "seed = 7\nseed = 8"
              day.toml:6: not TOML: duplicate key
            "seeds = 7"
              day.toml:5: `seeds` is not a key of this table: it takes `name`, `start`, `end`, `seed`, `offer_timeout`
            "warm_up = \"30m\""
              day.toml:5: `warm_up` cannot be carried out by this version: take it out
            ""
              day.toml:1: `name` is missing: write it in this table
            "offer_timeout = 15"
              day.toml:6: `offer_timeout`: invalid type: integer `15`, write a string
            "offer_timeout = \"-15s\""
              day.toml:6: `offer_timeout`: `-15s` is less than no time: write 0s or more
            "end = \"2026-03-02T08:00:00Z\""
              day.toml:4: `end`: not after the scenario's start: write a later instant
            "end = \"15:00\""
              day.toml:4: `end`: `15:00` is no RFC 3339 instant: write one like "2026-03-02T08:00:00.5Z"
            "end = \"2026-03-02T15:00:00.0000001Z\""
              day.toml:4: `end`: `2026-03-02T15:00:00.0000001Z` is finer than a microsecond: write one like "2026-03-02T08:00:00.5Z"
            "high = \"soon\""
              day.toml:9: `high`: `soon` is not a duration: write a number and one of ms, s, m, h, d, like "20s", or write "always_first"
            "\"a b\" = \"90s\""
              day.toml:9: `offer_timeout`: `a b` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
            "[strategy]\nagent = \"round_robin\"\n[priorities]"
              day.toml:9: `agent`: `round_robin` cannot be carried out by this version: write "longest_idle"
            "[strategy]\ncontact = \"least_slack\"\n[priorities]"
              day.toml:9: `contact`: `least_slack` cannot be carried out by this version: write "oldest_first"
            "[[arrivals]]\nqueue = \"general\"\n[priorities]"
              day.toml:8: `arrivals` cannot be carried out by this version: take it out
            "[[calendar]]\nid = \"c\"\n[priorities]"
              day.toml:8: `calendar` cannot be carried out by this version: take it out
        "#]],
    );
}

#[test]
fn queues_are_held_to_what_can_be_carried_out() {
    let all = [
        ("levels = [1, 2]", "relax = [ { after = \"60s\", requires = {} } ]"),
        ("levels = [1, 2]", "overflow = { after = \"10m\", to = \"general\" }"),
        ("levels = [1, 2]", "skip_empty_levels = true"),
        ("levels = [1, 2]", "levels = [1, 3]"),
        ("levels = [1, 2]", "channel = \"chat\""),
        ("levels = [1, 2]", "language = \"c a\""),
        ("levels = [1, 2]", "short_name = \"longer than twenty-four letters\""),
        ("levels = [1, 2]", "max_waiting = -1"),
        ("requires = { pensions = 5 }", "requires = { pensions = 11 }"),
        ("requires = { pensions = 5 }", "requires = { \"a b\" = 1 }"),
        ("share = 0.8", "share = 1.2"),
        ("share = 0.8", "share = 0.8, at = 1"),
        ("wrap_up = \"none\"", "wrap_up = \"never\""),
        ("on_reject = \"ready\"", "on_reject = \"away\""),
        ("max_misses = 3", "max_misses = 0"),
        ("id = \"general\"", "id = \"pensions\""),
        ("id = \"general\"\n", ""),
    ];
    check(
        &all,
        &expect![[r#"
        "relax = [ { after = \"60s\", requires = {} } ]"
          day.toml:15: `relax` cannot be carried out by this version: take it out
        "overflow = { after = \"10m\", to = \"general\" }"
          day.toml:15: `overflow` cannot be carried out by this version: take it out
        "skip_empty_levels = true"
          day.toml:15: `skip_empty_levels` cannot be carried out by this version: take it out
        "levels = [1, 3]"
          day.toml:15: `levels`: 3 is no level of agent: write 1 or 2
        "channel = \"chat\""
          day.toml:15: `channel`: `chat` cannot be carried out by this version: write "voice"
        "language = \"c a\""
          day.toml:15: `language`: `c a` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
        "short_name = \"longer than twenty-four letters\""
          day.toml:15: `short_name`: longer than 24 characters: shorten it
        "max_waiting = -1"
          day.toml:15: `max_waiting`: invalid value: integer `-1`, write u32
        "requires = { pensions = 11 }"
          day.toml:14: `pensions`: 11 is no level of a skill: write 1 to 10
        "requires = { \"a b\" = 1 }"
          day.toml:14: `requires`: `a b` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
        "share = 1.2"
          day.toml:16: `share`: 1.2 is no share: write a number from 0 to 1
        "share = 0.8, at = 1"
          day.toml:16: `at` is not a key of this table: it takes `share` or `within`
        "wrap_up = \"never\""
          day.toml:21: `wrap_up`: `never` is not a duration: write a number and one of ms, s, m, h, d, like "20s"
        "on_reject = \"away\""
          day.toml:23: `on_reject`: `away`: write "not_ready" or "ready"
        "max_misses = 0"
          day.toml:24: `max_misses`: 0 offers cannot be missed: write 1 or more
        "id = \"pensions\""
          day.toml:19: `id`: `pensions` is an id of two queues: rename one
        ""
          day.toml:18: `id` is missing: write it in this table
    "#]],
    );
}

#[test]
fn agents_and_contacts_are_held_to_what_is_there() {
    let all = [
        ("id = \"ana\"", "id = \"m1\""),
        ("id = \"ana\"", "id = \"ana\"\ncount = 1"),
        ("id = \"ana\"\n", ""),
        ("count = 2", "count = 200000"),
        ("prefix = \"m\"", "prefix = \" m\""),
        ("level = 2", "level = 0"),
        ("level = 2", "lvl = 2"),
        ("capacity = { voice = 2 }", "capacity = { chat = 2 }"),
        ("to = \"2026-03-02T14:00:00Z\"", "to = \"2026-03-02T09:00:00Z\""),
        ("answer_delay = \"1.5s\"", "answer_delay = { distribution = \"constant\" }"),
        ("queues = [\"pensions\"]", "queues = [\"pension\"]"),
        ("at = \"20s\"\nqueue = \"general\"", "at = \"20s\"\nqueue = \"generals\""),
        ("at = \"20s\"", "at = \"20\""),
        ("at = \"20s\"", "at = \"2026-03-02T07:00:00Z\""),
        ("at = \"20s\"", "at = \"-1s\""),
        ("id = \"second\"", "id = \"late\""),
        ("id = \"second\"", "id = \"\""),
        ("priority = \"vip\"", "priority = \"vips\""),
        ("priority = \"vip\"", "preferred_agent = { id = \"ana\", wait = \"30s\" }"),
    ];
    check(
        &all,
        &expect![[r#"
        "id = \"m1\""
          day.toml:34: `prefix`: `m1` is an id of two agents: rename one
        "id = \"ana\"\ncount = 1"
          day.toml:26: [[agents]]: write `id` alone, or `count` and `prefix`
        ""
          day.toml:26: [[agents]]: write `id` alone, or `count` and `prefix`
        "count = 200000"
          day.toml:33: `count`: more than 100000 agents: write fewer
        "prefix = \" m\""
          day.toml:34: `prefix`: ` m1` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
        "level = 0"
          day.toml:35: `level`: 0 is no level of agent: write 1 or 2
        "lvl = 2"
          day.toml:35: `lvl` is not a key of this table: it takes `id`, `count`, `prefix`, `level`, `skills`, `languages`, `capacity`, `shift`, `answer_delay`, `queues`
        "capacity = { chat = 2 }"
          day.toml:36: `chat` cannot be carried out by this version: take it out
        "to = \"2026-03-02T09:00:00Z\""
          day.toml:37: `to`: not after `from`: write a later instant
        "answer_delay = { distribution = \"constant\" }"
          day.toml:38: `answer_delay`: invalid type: map, write a string
        "queues = [\"pension\"]"
          day.toml:30: `queues`: `pension` is no queue of the scenario: add a [[queue]] of this id
        "at = \"20s\"\nqueue = \"generals\""
          day.toml:49: `queue`: `generals` is no queue of the scenario: add a [[queue]] of this id
        "at = \"20\""
          day.toml:48: `at`: `20` is no moment: write an offset from the start like "20s", or an RFC 3339 instant
        "at = \"2026-03-02T07:00:00Z\""
          day.toml:48: `at`: `2026-03-02T07:00:00Z` comes before the scenario's start: write a later instant
        "at = \"-1s\""
          day.toml:48: `at`: `-1s` is less than no time: write 0s or more
        "id = \"late\""
          day.toml:47: `id`: `late` is an id of two contacts: rename one
        "id = \"\""
          day.toml:47: `id`: `` is no id of a contact: write 1 to 128 bytes on one line
        "priority = \"vips\""
          day.toml:58: `priority`: `vips` is no class of priority: add it to [priorities]
        "preferred_agent = { id = \"ana\", wait = \"30s\" }"
          day.toml:58: `preferred_agent` cannot be carried out by this version: take it out
    "#]],
    );
}

#[test]
fn actions_are_held_to_who_does_them() {
    let all = [
        ("agent = \"ana\"", "agent = \"bea\""),
        ("agent = \"ana\"\n", ""),
        ("agent = \"ana\"", "agent = \"ana\"\nqueue = \"general\""),
        ("does = \"accept\"", "does = \"open\""),
        ("does = \"accept\"", "does = \"accept\"\nreason = \"lunch\""),
        ("does = \"close\"", "does = \"ready\""),
        ("does = \"close\"", "does = \"open\""),
        ("contact = \"second\"", "contact = \"third\""),
        ("does = \"set_priority\"", "does = \"complete\""),
        ("priority = \"high\"\n", ""),
        ("priority = \"high\"\n", "priority = \"higher\"\n"),
    ];
    check(
        &all,
        &expect![[r#"
        "agent = \"bea\""
          day.toml:65: `agent`: `bea` is no agent of the scenario: add it to [[agents]]
        ""
          day.toml:63: [[action]]: write one of `agent`, `queue`, `contact`
        "agent = \"ana\"\nqueue = \"general\""
          day.toml:63: [[action]]: write one of `agent`, `queue`, `contact`
        "does = \"open\""
          day.toml:66: `does`: `open` is not done here: write one of ready, not_ready, sign_out, accept, reject, complete, wrap_up_done, hold, resume, disconnect, reconnect
        "does = \"accept\"\nreason = \"lunch\""
          day.toml:67: `reason`: says nothing beside `does = "accept"`: take it out
        "does = \"ready\""
          day.toml:76: `does`: `ready` is not done here: write open or close
        "does = \"open\""
          day.toml:77: `emergency`: says nothing beside `does = "open"`: take it out
        "contact = \"third\""
          day.toml:81: `contact`: `third` is no contact of the scenario: add it as a [[contact]] or in [recorded]
        "does = \"complete\""
          day.toml:82: `does`: `complete` is not done here: write set_priority
        ""
          day.toml:82: `priority` is missing: write it beside `set_priority`
        "priority = \"higher\"\n"
          day.toml:83: `priority`: `higher` is no class of priority: add it to [priorities]
    "#]],
    );
}

const COLUMNS: &str = r#"
[[queue]]
id = "q"

[[contact]]
id = "c1"
at = "1s"
queue = "q"
service = "1s"

[recorded]
file = "calls.csv"
columns = { arrived = "t", service = "s", queue = "q", patience = "p", priority = "class" }
"#;

fn recorded(rows: &[u8], columns: &str) -> Result<Scenario, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("calls.csv"), rows).unwrap();
    let path = folder.path().join("day.toml");
    std::fs::write(&path, format!("{HEAD}{columns}")).unwrap();
    read(&path)
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn recorded_contacts_are_exact_and_come_after_single_ones() {
    let rows = "t,s,q,p,class\n\
                2026-03-02T08:00:02Z,0.000001,q,,\n\
                2026-03-02T08:00:01Z,71.25,q,26,high\n\
                2026-03-02T15:00:00Z,1,q,,\n\
                2026-03-02T08:00:01Z,1,q,0,low\n";
    let day = recorded(rows.as_bytes(), COLUMNS).unwrap();
    let contacts: Vec<_> = day
        .contacts
        .iter()
        .map(|c| (c.id.as_str(), c.service.0, c.patience.map(|p| p.0), c.priority.as_str()))
        .collect();
    assert_eq!(
        contacts,
        [
            ("c1", 1_000_000, None, "normal"),
            ("k2", 71_250_000, Some(26_000_000), "high"),
            ("k4", 1_000_000, Some(0), "low"),
            ("k1", 1, None, "normal"),
        ]
    );
}

#[test]
fn a_broken_row_refuses_the_scenario() {
    let fine = "2026-03-02T08:00:02Z,1,q,,";
    let mut said = String::new();
    for row in [
        "2026-03-02T08:00:02Z,1,q,",
        "soon,1,q,,",
        "2026-03-01T08:00:02Z,1,q,,",
        "2026-03-02T08:00:02Z,,q,,",
        "2026-03-02T08:00:02Z,-1,q,,",
        "2026-03-02T08:00:02Z,1e3,q,,",
        "2026-03-02T08:00:02Z,1.0000001,q,,",
        "2026-03-02T08:00:02Z,1,r,,",
        "2026-03-02T08:00:02Z,1,q,x,",
        "2026-03-02T08:00:02Z,1,q,,top",
    ] {
        let rows = format!("t,s,q,p,class\n{fine}\n{row}\n{fine}\n");
        let error = recorded(rows.as_bytes(), COLUMNS).map(|_| "taken").unwrap_err();
        writeln!(said, "{row}\n  {error}").unwrap();
    }
    let error = recorded(b"t,s,q,p,class\n\xff,1,q,,\n", COLUMNS).map(|_| "taken").unwrap_err();
    writeln!(said, "not UTF-8\n  {error}").unwrap();
    for (old, new) in [
        ("\"calls.csv\"", "\"call.csv\""),
        ("arrived = \"t\"", "arrived = \"start\""),
        ("arrived = \"t\", ", ""),
        ("arrived = \"t\"", "arrived = \"t\", agent = \"a\""),
        ("priority = \"class\"", "contact = \"q\""),
        ("\"c1\"", "\"k1\""),
    ] {
        let rows = format!("t,s,q,p,class\n{fine}\n{fine}\n");
        let columns = COLUMNS.replace(old, new);
        let error = recorded(rows.as_bytes(), &columns).map(|_| "taken").unwrap_err();
        writeln!(said, "{new}\n  {error}").unwrap();
    }
    expect![[r#"
        2026-03-02T08:00:02Z,1,q,
          calls.csv:3: the row has 4 values and the header 5: make them equal
        soon,1,q,,
          calls.csv:3: `t`: `soon` is no RFC 3339 instant: write one like "2026-03-02T08:00:00.5Z"
        2026-03-01T08:00:02Z,1,q,,
          calls.csv:3: `t`: `2026-03-01T08:00:02Z` comes before the scenario's start: start earlier or take the row out
        2026-03-02T08:00:02Z,,q,,
          calls.csv:3: `s`: `` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,-1,q,,
          calls.csv:3: `s`: `-1` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1e3,q,,
          calls.csv:3: `s`: `1e3` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1.0000001,q,,
          calls.csv:3: `s`: `1.0000001` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1,r,,
          calls.csv:3: `q`: `r` is no queue of the scenario: add a [[queue]] of this id
        2026-03-02T08:00:02Z,1,q,x,
          calls.csv:3: `p`: `x` is not a number of seconds: write 0 or more, with at most six decimals
        2026-03-02T08:00:02Z,1,q,,top
          calls.csv:3: `class`: `top` is no class of priority: add it to [priorities]
        not UTF-8
          calls.csv:2: the row is not UTF-8: save the file as UTF-8
        "call.csv"
          day.toml:16: `file`: cannot read `call.csv`: No such file or directory (os error 2): name a file relative to the scenario
        arrived = "start"
          day.toml:17: `arrived`: `calls.csv` has no column `start`: name one of `t`, `s`, `q`, `p`, `class`

          day.toml:17: `arrived` is missing: write it in this table
        arrived = "t", agent = "a"
          day.toml:17: `agent` is not a key of this table: it takes `arrived`, `service`, `queue`, `patience`, `priority`, `contact`, `language`
        contact = "q"
          calls.csv:3: `q` is an id of two contacts: rename one
        "k1"
          calls.csv:2: `k1` is an id of two contacts: rename one
    "#]].assert_eq(&said);
}

fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("ATALAYA_SHARED").map_or_else(beside, PathBuf::from);
    folder.join("replay").is_dir().then(|| folder.join("replay"))
}

/// Values of a column, in file order.
fn column(path: &Path, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let at = reader.headers().unwrap().iter().position(|title| title == name).unwrap();
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

#[test]
fn the_recorded_days_are_taken_whole() {
    let Some(folder) = shared() else {
        println!("skipped: no recorded days; name their folder in ATALAYA_SHARED");
        return;
    };
    for day in ["1999-02-09", "1999-02-10", "1999-02-12", "1999-08-03"] {
        let ids = column(&folder.join(format!("{day}_contacts.csv")), "contact");
        let windows = folder.join(format!("{day}_agents.csv"));
        let mut people = column(&windows, "agent");
        people.sort();
        people.dedup();
        for (form, agents) in [("", column(&windows, "window")), ("_by_person", people)] {
            let path = folder.join(format!("{day}{form}.toml"));
            let scenario = read(&path).unwrap_or_else(|error| panic!("{error}"));
            let found: Vec<_> = scenario.agents.iter().map(|agent| agent.id.as_str()).collect();
            assert_eq!(found, agents, "agents of {}", path.display());
            let mut found: Vec<_> = scenario.contacts.iter().map(|c| c.id.clone()).collect();
            assert!(scenario.contacts.is_sorted_by_key(|contact| contact.at));
            let mut ids = ids.clone();
            found.sort();
            ids.sort();
            assert_eq!(found, ids, "contacts of {}", path.display());
            assert!(scenario.agents.iter().all(|agent| !agent.manual));
        }
    }
}
