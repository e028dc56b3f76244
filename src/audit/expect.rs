//! What views must show of a picture at an instant: the wallboard, the roster, a scrape.
//!
//! What cannot be told (a text of configuration that nobody read in time, a target's share over
//! contacts of unknown terms) is left out, and so not compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::counts::{
    Book, Counts, Figure, HOUR, QUARTER, RESULTS, Spread, float, seconds, slice_of,
};
use super::people::{Agent, STATES};
use super::picture::{Picture, Queue, written};
use super::scrape::{Samples, key};

/// The one channel of the contract's first version.
const CHANNEL: &str = "voice";

fn put(into: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    into.insert(key.to_owned(), value.into());
}

fn put_figure(into: &mut Map<String, Value>, key: &str, figure: Figure) {
    match figure {
        Figure::Unknown => (),
        Figure::None => put(into, key, Value::Null),
        Figure::Is(value) => put(into, key, value),
    }
}

/// Today's counts of a queue at an instant that the log may not have come to.
pub(super) fn today(picture: &Picture, queue: &Queue, at: i64) -> (Counts, u64) {
    if picture.is_past_midnight(at) {
        return (Counts::default(), whole(queue.waiting.len()));
    }
    (queue.book.today, queue.book.carried_over)
}

pub(super) fn whole(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn put_today(into: &mut Map<String, Value>, counts: &Counts, carried_over: u64) {
    put(into, "offered_today", counts.offered);
    put(into, "answered_today", counts.answered);
    put(into, "abandoned_today", counts.abandoned);
    if counts.unknown == 0 {
        put(into, "short_abandoned_today", counts.short);
    }
    put(into, "refused_today", counts.refused);
    // No event of the contract's first version overflows, hands on or calls back.
    put(into, "overflowed_out_today", 0);
    put(into, "transferred_out_today", 0);
    put(into, "callbacks_today", 0);
    put(into, "carried_over_today", carried_over);
    put_figure(into, "service_level_today", counts.service_level());
}

fn put_window(into: &mut Map<String, Value>, counts: &Counts, name: &str) {
    put(into, &format!("offered_{name}"), counts.offered);
    put(into, &format!("answered_{name}"), counts.answered);
    put(into, &format!("abandoned_{name}"), counts.abandoned);
    if counts.unknown == 0 {
        put(into, &format!("short_abandoned_{name}"), counts.short);
    }
    put_figure(into, &format!("service_level_{name}"), counts.service_level());
}

/// The wallboard's `data`; `requests` and `alerts` are not of this picture.
pub(super) fn wallboard(picture: &Picture, at: i64) -> Value {
    let queues = picture.queues.iter();
    let queues: Map<String, Value> =
        queues.map(|(id, queue)| (id.clone(), queue_json(picture, id, queue, at))).collect();
    let signed_in = picture.agents.iter().filter(|(_, agent)| agent.signed_in);
    let agents: Map<String, Value> =
        signed_in.map(|(id, agent)| (id.clone(), tile(picture, id, agent))).collect();
    json!({ "totals": totals(picture, at), "queues": queues, "agents": agents })
}

fn totals(picture: &Picture, at: i64) -> Value {
    let mut tiles = [0_u64; STATES.len()];
    for (id, agent) in picture.agents.iter().filter(|(_, agent)| agent.signed_in) {
        let state = picture.shown(id, agent).state;
        for (count, of) in tiles.iter_mut().zip(STATES) {
            *count += u64::from(of == state);
        }
    }
    let (mut day, mut carried_over, mut waiting, mut active) = (Counts::default(), 0, 0, 0);
    let mut windows = [QUARTER, HOUR].map(|frame| (frame, Counts::default()));
    for queue in picture.queues.values() {
        let (counts, carried) = today(picture, queue, at);
        day += counts;
        carried_over += carried;
        waiting += whole(queue.waiting.len());
        active += whole(queue.active.len());
        for (frame, sum) in &mut windows {
            *sum += queue.book.windows.sum(slice_of(at), *frame);
        }
    }
    let mut totals = Map::new();
    put(&mut totals, "waiting", waiting);
    put(&mut totals, "active", active);
    put(&mut totals, "signed_in", tiles.iter().sum::<u64>());
    for (count, state) in tiles.iter().zip(STATES).filter(|(_, state)| *state != "signed_out") {
        put(&mut totals, state, *count);
    }
    put_today(&mut totals, &day, carried_over);
    for (frame, counts) in &windows {
        put_window(&mut totals, counts, frame.name);
    }
    let oldest = picture.queues.values().filter_map(oldest).min();
    put(&mut totals, "longest_wait_since", oldest.map(written));
    Value::Object(totals)
}

pub(super) fn oldest(queue: &Queue) -> Option<i64> {
    queue.waiting.first().map(|(arrived_at, _)| *arrived_at)
}

fn queue_json(picture: &Picture, id: &str, queue: &Queue, at: i64) -> Value {
    let mut line = Map::new();
    if let Some(text) = &queue.text {
        for key in ["name", "short_name", "channel"] {
            put(&mut line, key, text[key].clone());
        }
        put(&mut line, "target", text["service_level"].clone());
        if let Some(thresholds) = text.get("thresholds") {
            put(&mut line, "thresholds", thresholds.clone());
        }
    }
    if let Some(ready) = ready(picture, id, queue) {
        put(&mut line, "ready", ready);
    }
    put(&mut line, "state", queue.state);
    put(&mut line, "waiting", queue.waiting.len());
    put(&mut line, "longest_wait_since", oldest(queue).map(written));
    put(&mut line, "active", queue.active.len());
    let (counts, carried_over) = today(picture, queue, at);
    put_today(&mut line, &counts, carried_over);
    for frame in [QUARTER, HOUR] {
        put_window(&mut line, &queue.book.windows.sum(slice_of(at), frame), frame.name);
    }
    put_figure(&mut line, "asa_today_s", counts.asa());
    put_figure(&mut line, "aht_today_s", counts.aht());
    Value::Object(line)
}

/// Ready agents who meet the queue's requirement; none: some text is not known.
pub(super) fn ready(picture: &Picture, id: &str, queue: &Queue) -> Option<u64> {
    let wanted = queue.text.as_ref()?;
    let mut ready = 0;
    for (agent_id, agent) in picture.agents.iter().filter(|(_, agent)| agent.signed_in) {
        if picture.shown(agent_id, agent).state == "ready" {
            ready += u64::from(fits(wanted, id, agent.text.as_ref()?));
        }
    }
    Some(ready)
}

/// Whether an agent meets a queue's requirement and may be offered from it.
fn fits(queue: &Value, id: &str, agent: &Value) -> bool {
    let skills = queue["requires"].as_object();
    let skilled = skills.into_iter().flatten().all(|(skill, least)| {
        agent["skills"][skill].as_u64().unwrap_or(0) >= least.as_u64().unwrap_or(0)
    });
    let holds = |list: &Value, item: &Value| list.as_array().is_some_and(|l| l.contains(item));
    let language = &queue["language"];
    let speaks = language.is_null() || holds(&agent["languages"], language);
    let levels = &queue["levels"];
    let level = levels.is_null() || holds(levels, &agent["level"]);
    let queues = &agent["queues"];
    let may = queues.is_null() || holds(queues, &json!(id));
    skilled && speaks && level && may && agent["capacity"]["voice"].as_u64().unwrap_or(0) > 0
}

fn tile(picture: &Picture, id: &str, agent: &Agent) -> Value {
    let presence = picture.shown(id, agent);
    let mut tile = Map::new();
    if let Some(text) = &agent.text {
        for key in ["name", "team", "level"] {
            put(&mut tile, key, text[key].clone());
        }
    }
    put(&mut tile, "state", presence.state);
    put(&mut tile, "reason", presence.reason);
    put(&mut tile, "since", written(presence.since));
    let contact = agent.at_work_on();
    put(&mut tile, "contact", contact);
    let queue = contact.and_then(|contact| picture.contacts.get(contact));
    put(&mut tile, "queue", queue.map(|contact| contact.queue.as_str()));
    Value::Object(tile)
}

/// The roster's `data`.
pub(super) fn roster(picture: &Picture, at: i64) -> Value {
    let turned = picture.is_past_midnight(at);
    let agents = picture.agents.iter();
    let agents: Map<String, Value> =
        agents.map(|(id, agent)| (id.clone(), agent_json(picture, id, agent, turned))).collect();
    json!({ "agents": agents })
}

fn agent_json(picture: &Picture, id: &str, agent: &Agent, turned: bool) -> Value {
    let presence = picture.shown(id, agent);
    let mut json = Map::new();
    put(&mut json, "id", id);
    if let Some(text) = &agent.text {
        for key in ["name", "team", "level", "skills", "languages", "capacity", "queues"] {
            put(&mut json, key, text[key].clone());
        }
        let most = text["capacity"]["voice"].as_u64().unwrap_or(0);
        let room = most.saturating_sub(whole(agent.work.len()));
        put(&mut json, "room", json!({ "voice": room }));
    }
    put(&mut json, "state", presence.state);
    put(&mut json, "reason", presence.reason);
    // One who was never here has no such instant.
    put(&mut json, "since", agent.was_here().then(|| written(presence.since)));
    let pending = agent.pending.as_ref();
    let pending = pending.map(|(state, reason)| json!({ "state": state, "reason": reason }));
    put(&mut json, "pending", pending);
    put(&mut json, "work", Picture::work_json(agent));
    put(&mut json, "version", agent.version);
    if presence.state == "lost" && !picture.out.contains_key(&format!("agent:{id}")) {
        let was = agent.when_heard();
        put(&mut json, "was", was.state);
        put(&mut json, "was_since", written(was.since));
    }
    let today = if turned { super::people::Today::default() } else { agent.today };
    let today = json!({
        "offered": today.offered,
        "accepted": today.accepted,
        "handled": today.handled,
        "missed": today.missed,
        "rejected": today.rejected,
        "not_ready_s": seconds(today.not_ready),
    });
    put(&mut json, "today", today);
    Value::Object(json)
}

/// Samples of a scrape that hold whatever the instant is.
pub(super) fn samples(picture: &Picture) -> Samples {
    let mut samples = Samples::new();
    for (id, queue) in &picture.queues {
        let line = &queue.book;
        let channel = [("queue", id.as_str()), ("channel", CHANNEL)];
        let whole_log = &line.whole;
        let contacts = [
            ("offered", Some(whole_log.offered)),
            ("answered", Some(whole_log.answered)),
            ("abandoned", Some(whole_log.abandoned)),
            ("refused", Some(whole_log.refused)),
            ("short_abandoned", (whole_log.unknown == 0).then_some(whole_log.short)),
            ("answered_within_target", (whole_log.unknown == 0).then_some(whole_log.target[1])),
        ];
        for (name, count) in contacts {
            let name = format!("atalaya_contacts_{name}_total");
            samples.extend(count.map(|count| (key(&name, &channel), float(count))));
        }
        for (result, count) in RESULTS.iter().zip(line.offers) {
            let labels = [("queue", id.as_str()), ("result", *result)];
            samples.insert(key("atalaya_offers_total", &labels), float(count));
        }
        let waiting = float(whole(queue.waiting.len()));
        samples.insert(key("atalaya_queue_waiting", &[("queue", id)]), waiting);
        times(picture, id, line, &mut samples);
    }
    agents(picture, &mut samples);
    samples.insert("atalaya_event_seq".to_owned(), float(picture.seq));
    samples.insert("atalaya_quarantined".to_owned(), float(whole(picture.out.len())));
    samples
}

fn times(picture: &Picture, id: &str, book: &Book, samples: &mut Samples) {
    let bounds = &picture.bounds;
    let mut family = |name: &str, labels: &[(&str, &str)], spread: &Spread, bounds: &[f64]| {
        let name = |end: &str| format!("atalaya_{name}_seconds_{end}");
        samples.insert(key(&name("count"), labels), float(spread.count));
        samples.insert(key(&name("sum"), labels), seconds(spread.sum));
        for (bound, count) in bounds.iter().zip(spread.cumulative(bounds)) {
            let bound = bound.to_string();
            let labels = [labels, &[("le", bound.as_str())]].concat();
            samples.insert(key(&name("bucket"), &labels), float(count));
        }
    };
    let waited = |outcome| [("queue", id), ("outcome", outcome)];
    let times = &book.times;
    family("contact_wait", &waited("answered"), &times.answered, &bounds.wait);
    family("contact_wait", &waited("abandoned"), &times.abandoned, &bounds.wait);
    let taken = &bounds.offer_to_answer;
    family("offer_to_answer", &[("queue", id)], &times.offer_to_answer, taken);
    family("contact_handle", &[("queue", id)], &times.handle, &bounds.handle);
}

fn agents(picture: &Picture, samples: &mut Samples) {
    let mut teams: BTreeMap<String, [u64; STATES.len()]> = BTreeMap::new();
    for (id, agent) in &picture.agents {
        let Some(text) = &agent.text else { return };
        let team = text["team"].as_str().unwrap_or_default().to_owned();
        let state = picture.shown(id, agent).state;
        for (count, of) in teams.entry(team).or_default().iter_mut().zip(STATES) {
            *count += u64::from(of == state);
        }
    }
    for (team, counts) in &teams {
        for (state, count) in STATES.iter().zip(counts) {
            let labels = [("team", team.as_str()), ("state", *state)];
            samples.insert(key("atalaya_agents", &labels), float(*count));
        }
    }
}
