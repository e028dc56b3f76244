//! Scenarios as people write them: what is taken, and what is said of each that is not.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::path::Path;

use atalaya::simulation::scenario::{ActionKind, Does, QueueDoes, Scenario, ScenarioError, parse};
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::OnReject;
use atalaya_domain::time::{Span, Timestamp};
use expect_test::{Expect, expect};

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
            ("seed = 7", "seed = \"7\""),
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
              day.toml:5: `seed`: invalid value: integer `-7`, write a whole number of 0 or more
            "seed = "
              day.toml:5: not TOML: `seed = `: string values must be quoted, expected literal string
            "seed = \"7\""
              day.toml:5: `seed`: invalid type: string "7", write a whole number of 0 or more
            "seed = 7\nseed = 8"
              day.toml:6: not TOML: `seed = 8`: duplicate key
            "seeds = 7"
              day.toml:5: `seeds` is not a key of this table: it takes `name`, `start`, `end`, `seed`, `offer_timeout`
            "warm_up = \"30m\""
              day.toml:5: `warm_up` cannot be carried out by this version: take it out
            ""
              day.toml:1: `name` is missing: write it in this table
            "offer_timeout = 15"
              day.toml:6: `offer_timeout`: invalid type: integer `15`, write a text in quotes
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
              day.toml:9: `a b` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
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
        ("max_misses = 3", "max_misses = 101"),
        ("max_misses = 3", "max_misses = 3\nmax_waiting = 1000001"),
        ("offer_timeout = \"30s\"", "offer_timeout = \"0s\""),
        ("offer_timeout = \"15s\"", "offer_timeout = \"0s\""),
        ("Everything else", "Everything else that is asked at any hour by whoever it may be, and"),
        ("Everything else", "Everything\\telse"),
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
              day.toml:15: `max_waiting`: invalid value: integer `-1`, write a whole number of 0 or more, below 2^32
            "requires = { pensions = 11 }"
              day.toml:14: `pensions`: 11 is no level of a skill: write 1 to 10
            "requires = { \"a b\" = 1 }"
              day.toml:14: `a b` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit
            "share = 1.2"
              day.toml:16: `share`: 1.2 is no share: write a number from 0 to 1
            "share = 0.8, at = 1"
              day.toml:16: `at` is not a key of this table: it takes `share` or `within`
            "wrap_up = \"never\""
              day.toml:21: `wrap_up`: `never` is not a duration: write a number and one of ms, s, m, h, d, like "20s"
            "on_reject = \"away\""
              day.toml:23: `on_reject`: `away` is neither: write "not_ready" or "ready"
            "max_misses = 0"
              day.toml:24: `max_misses`: 0 is no number of offers to miss: write 1 to 100
            "max_misses = 101"
              day.toml:24: `max_misses`: 101 is no number of offers to miss: write 1 to 100
            "max_misses = 3\nmax_waiting = 1000001"
              day.toml:25: `max_waiting`: 1000001 is too many: write 1000000 or less
            "offer_timeout = \"0s\""
              day.toml:22: `offer_timeout`: nobody can answer in no time: write a duration over 0
            "offer_timeout = \"0s\""
              day.toml:6: `offer_timeout`: nobody can answer in no time: write a duration over 0
            "Everything else that is asked at any hour by whoever it may be, and"
              day.toml:20: `name`: longer than 80 characters: shorten it
            "Everything\\telse"
              day.toml:20: `name`: it has a control character: take it out
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
              day.toml:38: `answer_delay`: a distribution cannot be carried out by this version: write a duration
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

#[test]
fn every_word_of_an_agent_is_taken() {
    let mut said = String::new();
    for word in [
        "ready",
        "not_ready",
        "sign_out",
        "accept",
        "reject",
        "complete",
        "wrap_up_done",
        "hold",
        "resume",
        "disconnect",
        "reconnect",
    ] {
        let day = taken(&CENTRE.replace("does = \"accept\"", &format!("does = \"{word}\"")));
        let last = &day.actions.last().unwrap().what;
        writeln!(said, "{word}: {last:?}, manual {}", day.agents[0].manual).unwrap();
    }
    expect![[r#"
        ready: Agent(ana, Ready), manual false
        not_ready: Agent(ana, NotReady { reason: break }), manual false
        sign_out: Agent(ana, SignOut), manual false
        accept: Agent(ana, Accept), manual true
        reject: Agent(ana, Reject), manual true
        complete: Agent(ana, Complete), manual false
        wrap_up_done: Agent(ana, WrapUpDone), manual false
        hold: Agent(ana, Hold), manual false
        resume: Agent(ana, Resume), manual false
        disconnect: Agent(ana, Disconnect), manual false
        reconnect: Agent(ana, Reconnect), manual false
    "#]]
    .assert_eq(&said);
}
