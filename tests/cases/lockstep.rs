//! Cases in virtual time, through shells, writer thread and projector.

use atalaya_domain::contact::State;
use atalaya_domain::time::Span;

use crate::story::{Story, story};

const QUEUE: &str = r#"
[[queue]]
id = "q"
"#;

/// One agent, and what more is said of it.
fn agent(id: &str, more: &str) -> String {
    format!("\n[[agents]]\nid = \"{id}\"\n{more}\n")
}

fn contact(id: &str, at: &str, more: &str) -> String {
    format!("\n[[contact]]\nid = \"{id}\"\nat = \"{at}\"\nqueue = \"q\"\n{more}\n")
}

fn action(at: &str, agent: &str, does: &str) -> String {
    format!("\n[[action]]\nat = \"{at}\"\nagent = \"{agent}\"\ndoes = \"{does}\"\n")
}

/// Waits, talk and wrap-up of an answered contact, in seconds.
fn parts(story: &Story, name: &str) -> [i64; 3] {
    let contact = story.contact(name);
    let (answered, ended) = (contact.answered_at.unwrap(), contact.ended_at.unwrap());
    let closed = contact.closed_at.unwrap();
    [answered.since(contact.arrived_at), ended.since(answered), closed.since(ended)]
        .map(|span| span.0 / 1_000_000)
}

#[test]
fn s01_life_of_an_offer() {
    let queue = format!("{QUEUE}wrap_up = \"30s\"\noffer_timeout = \"20s\"\n");
    let agent = agent("ana", "answer_delay = \"6s\"");
    let story = story(&(queue + &agent + &contact("c", "0s", "service = \"180s\"")));
    assert_eq!(
        story.of("c", &[]),
        [
            "0 queued",
            "0 offered ana",
            "6 offer_accepted ana",
            "6 answered",
            "186 completed",
            "216 wrap_up_ended",
        ]
    );
    assert_eq!(parts(&story, "c"), [6, 180, 30]);
    assert_eq!(
        story.presence_of("ana"),
        ["0 ready", "0 offered", "6 busy", "186 wrap_up", "216 ready"]
    );
    assert!(matches!(story.contact("c").state, State::Closed { .. }));
}

#[test]
fn s02_reject() {
    let agents = agent("a1", "") + &agent("a2", "");
    // While c is offered, another comes: c goes back before it, with its key of 100.
    let contacts =
        contact("c", "100s", "service = \"10s\"") + &contact("later", "102s", "service = \"10s\"");
    let actions = action("0s", "a2", "not_ready")
        + &action("104s", "a1", "reject")
        + &action("105s", "a2", "ready");
    let story = story(&(QUEUE.to_owned() + &agents + &contacts + &actions));
    assert_eq!(
        story.of("c", &["answered", "wrap_up_ended"]),
        [
            "100 queued",
            "100 offered a1",
            "104 offer_rejected a1",
            "105 offered a2",
            "105 offer_accepted a2",
            "115 completed",
        ]
    );
    assert_eq!(story.of("later", &[])[..2], ["102 queued", "115 offered a2"]);
    assert_eq!(story.presence_of("a1").last().unwrap(), "104 not_ready(rejected_offer)");
    let tally = story.agent("a1").tally;
    assert_eq!((tally.rejected, tally.missed), (1, 0));
}

#[test]
fn s02_reject_and_stay_ready() {
    let queue = format!("{QUEUE}on_reject = \"ready\"\n");
    // a2 talks until 300: it could take the contact yet, so a1 is spared it for 60 s.
    let agents = agent("a1", "") + &agent("a2", "");
    let contacts =
        contact("long", "0s", "service = \"300s\"") + &contact("c", "10s", "service = \"5s\"");
    let actions = action("1s", "a1", "ready") + &action("14s", "a1", "reject");
    // The first contact goes to a1 by id unless it is away then.
    let away = action("0s", "a1", "not_ready");
    let story = story(&(queue + &agents + &contacts + &away + &actions));
    let told = story.of("c", &[]);
    assert_eq!(told[..3], ["10 queued", "10 offered a1", "14 offer_rejected a1"]);
    assert_eq!(told[3..5], ["74 back_off_ended", "74 offered a1"]);
    assert!(!story.presence_of("a1").iter().any(|line| line.contains("rejected_offer")));
}

#[test]
fn s03_missed() {
    let queue = format!("{QUEUE}offer_timeout = \"15s\"\nmax_misses = 1\n");
    let agents = agent("a1", "") + &agent("a2", "");
    // Listed with `accept`, a1 is manual: its offer waits for an action that comes too late.
    let actions = action("0s", "a2", "not_ready")
        + &action("1s", "a2", "ready")
        + &action("30s", "a1", "accept");
    let story = story(&(queue + &agents + &contact("c", "10s", "service = \"5s\"") + &actions));
    assert_eq!(
        story.of("c", &["answered", "wrap_up_ended"]),
        [
            "10 queued",
            "10 offered a1",
            "25 offer_missed a1",
            "25 offered a2",
            "25 offer_accepted a2",
            "30 completed",
        ]
    );
    assert_eq!(story.presence_of("a1").last().unwrap(), "25 not_ready(missed_offer)");
}

#[test]
fn s04_miss_counter_resets() {
    let queue = format!("{QUEUE}offer_timeout = \"10s\"\nmax_misses = 3\n");
    // Each caller leaves half a second into the offer after their miss, which costs nothing.
    let contacts: String = (0..6)
        .map(|n| {
            let patience = "service = \"5s\"\npatience = \"10.5s\"";
            contact(&format!("c{n}"), &format!("{}s", n * 100), patience)
        })
        .collect();
    // Of six offers the third is answered, the others run out.
    let story = story(&(queue + &agent("a1", "") + &contacts + &action("205s", "a1", "accept")));
    let ends = ["offer_missed", "offer_accepted"];
    let ended = (0..6).flat_map(|n| story.of(&format!("c{n}"), &[]));
    let ended: Vec<_> = ended.filter(|line| ends.iter().any(|end| line.contains(end))).collect();
    assert_eq!(
        ended,
        [
            "10 offer_missed a1",
            "110 offer_missed a1",
            "205 offer_accepted a1",
            "310 offer_missed a1",
            "410 offer_missed a1",
            "510 offer_missed a1",
        ]
    );
    let presence = story.presence_of("a1");
    let away: Vec<_> = presence.iter().filter(|line| line.contains("not_ready")).collect();
    assert_eq!(away, ["510 not_ready(missed_offer)"]);
}

#[test]
fn s07_wrap_up_edge() {
    let queue = format!("{QUEUE}wrap_up = \"15s\"\n");
    let contacts =
        contact("c1", "0s", "service = \"200s\"") + &contact("c2", "100s", "service = \"5s\"");
    let story = story(&(queue + &agent("a", "") + &contacts));
    assert_eq!(story.of("c1", &[]).last().unwrap(), "215 wrap_up_ended");
    assert_eq!(story.of("c2", &[])[..2], ["100 queued", "215 offered a"]);
}

#[test]
fn s08_one_queues_wrap_up() {
    let queues =
        "\n[[queue]]\nid = \"q\"\nwrap_up = \"10s\"\n\n[[queue]]\nid = \"q2\"\nwrap_up = \"50s\"\n";
    let other = "\n[[contact]]\nid = \"c2\"\nat = \"1s\"\nqueue = \"q2\"\nservice = \"5s\"\n";
    let story = story(
        &(queues.to_owned() + &agent("a", "") + &contact("c1", "0s", "service = \"100s\"") + other),
    );
    assert_eq!(story.of("c1", &[]).last().unwrap(), "110 wrap_up_ended");
    assert_eq!(story.of("c2", &[])[1], "110 offered a");
    assert_eq!(story.of("c2", &[]).last().unwrap(), "165 wrap_up_ended");
}

#[test]
fn s11_wrap_ends_are_independent() {
    let queue = format!("{QUEUE}wrap_up = \"30s\"\n");
    let agents: String = (0..10).map(|n| agent(&format!("a{n}"), "")).collect();
    let contacts: String = (0..10)
        .map(|n| contact(&format!("c{n}"), "0s", &format!("service = \"{}s\"", 60 + n)))
        .collect();
    let story = story(&(queue + &agents + &contacts));
    for n in 0..10 {
        let presence = story.presence_of(&format!("a{n}"));
        let wanted = [format!("{} wrap_up", 60 + n), format!("{} ready", 90 + n)];
        assert_eq!(presence[presence.len() - 2..], wanted);
    }
}

#[test]
fn s13_pause_clock() {
    // At 230 the agent signs out, which closes the sums of the day.
    let actions = action("100s", "a", "not_ready")
        + &action("160s", "a", "ready")
        + &action("200s", "a", "not_ready")
        + &action("230s", "a", "sign_out");
    let story = story(&(QUEUE.to_owned() + &agent("a", "") + &actions));
    assert_eq!(
        story.presence_of("a"),
        ["0 ready", "100 not_ready(break)", "160 ready", "200 not_ready(break)", "230 signed_out"]
    );
    assert_eq!(story.agent("a").tally.not_ready, Span::seconds(60 + 30));
}

#[test]
fn s14_added_while_paused() {
    let contacts: String =
        (1..=3).map(|n| contact(&format!("c{n}"), "10s", "service = \"5s\"")).collect();
    let actions = action("0s", "a", "not_ready") + &action("5000s", "a", "ready");
    let story = story(&(QUEUE.to_owned() + &agent("a", "") + &contacts + &actions));
    let told: Vec<_> = (1..=3).map(|n| story.of(&format!("c{n}"), &[])[1].clone()).collect();
    assert_eq!(told, ["5000 offered a", "5005 offered a", "5010 offered a"]);
}

#[test]
fn s24_least_recently_busy() {
    let agents = agent("a1", "") + &agent("a2", "");
    let contacts = contact("c1", "0s", "service = \"100s\"")
        + &contact("c2", "10s", "service = \"40s\"")
        + &contact("c3", "120s", "service = \"60s\"")
        + &contact("c4", "121s", "service = \"60s\"");
    let story = story(&(QUEUE.to_owned() + &agents + &contacts));
    assert_eq!(story.of("c1", &[])[1], "0 offered a1");
    assert_eq!(story.of("c2", &[])[1], "10 offered a2");
    assert_eq!(story.of("c3", &[])[1], "120 offered a2", "freed at 50, before the other at 100");
    assert_eq!(story.of("c4", &[])[1], "121 offered a1");
}

#[test]
fn s25_burst() {
    let agents: String =
        (1..=5).map(|n| agent(&format!("a{n}"), "answer_delay = \"3s\"")).collect();
    let contacts: String =
        (1..=5).map(|n| contact(&format!("c{n}"), "10s", "service = \"5s\"")).collect();
    let story = story(&(QUEUE.to_owned() + &agents + &contacts));
    let to: Vec<_> = (1..=5).map(|n| story.of(&format!("c{n}"), &[])[1].clone()).collect();
    assert_eq!(to, (1..=5).map(|n| format!("10 offered a{n}")).collect::<Vec<_>>());
    assert!((1..=5).all(|n| story.agent(&format!("a{n}")).tally.offered == 1));
}

#[test]
fn s41_fill_then_refuse() {
    let queue = format!("{QUEUE}max_waiting = 3\n");
    let contacts: String = (1..=4)
        .map(|n| {
            contact(&format!("c{n}"), &format!("{n}s"), "service = \"5s\"\npatience = \"60s\"")
        })
        .collect();
    let story = story(&(queue + &contacts));
    assert_eq!(story.of("c4", &[]), ["4 refused full"]);
    for n in 1..=3 {
        let told = story.of(&format!("c{n}"), &[]);
        assert_eq!(told, [format!("{n} queued"), format!("{} abandoned", n + 60)]);
    }
}

#[test]
fn s88_a_break_does_not_wipe_the_day() {
    let queue = format!("{QUEUE}max_misses = 3\noffer_timeout = \"20s\"\n");
    let contacts: String = (0..10)
        .map(|n| contact(&format!("c{n}"), &format!("{}s", n * 10), "service = \"3s\""))
        .collect();
    // The eleventh is missed by a silent hand: no action, and its caller leaves just after.
    let missed = contact("late", "110s", "service = \"3s\"\npatience = \"20500ms\"");
    let accepts: String =
        (0..10).map(|n| action(&format!("{}s", n * 10 + 2), "a", "accept")).collect();
    let end = action("200s", "a", "not_ready")
        + &action("500s", "a", "ready")
        + &action("501s", "a", "not_ready")
        + &action("502s", "a", "ready");
    let story = story(&(queue + &agent("a", "") + &contacts + &missed + &accepts + &end));
    let a = story.agent("a");
    assert_eq!((a.tally.handled, a.tally.missed), (10, 1), "{:#?}", story.presence_of("a"));
    assert_eq!(a.misses, 1, "the count of misses in a row is as before");
    assert!(
        story.offset(a.idle_since) == 130_000_000,
        "idle counts from its last work, a miss included"
    );
    assert_eq!(story.presence_of("a").last().unwrap(), "502 ready");
}
