//! `[strategy]`, `[[queue]]`, `[[agents]]`: each entity as the body of a PUT, read by its rules.
//!
//! A rulebook says the first thing that is wrong. Here it is asked again without that, until it has
//! nothing to say: so every mistake of a table comes out.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::ids::AgentId;
use serde_json::{Map, Value, json};

use super::mistake::{Findings, shown};
use super::tree::Table;
use super::{AGENTS_MAX, Config, Entity, Fault, QUEUES_MAX, Rulebook};

/// Mistakes of one table that are looked for; past it the rest comes out at the next check.
const ASKED_MAX: usize = 64;
/// Stands for an id or a text that is missing, so that the rest can be looked at.
const PLACEHOLDER: &str = "x";

/// The tables as they were written.
#[derive(Default)]
pub(super) struct Written {
    pub(super) strategy: Option<Table>,
    pub(super) queues: Vec<Table>,
    pub(super) agents: Vec<Table>,
}

pub(super) fn read(
    written: &Written,
    rules: &dyn Rulebook,
    config: &mut Config,
    findings: &mut Findings,
) {
    let strategy = written.strategy.as_ref().and_then(|table| strategy(table, rules, findings));
    queues(&written.queues, strategy.as_ref(), rules, config, findings);
    let ids = written.queues.iter().filter_map(|table| table.map.get("id")?.as_str());
    agents(&written.agents, &ids.collect(), rules, config, findings);
}

/// The default of all queues; a queue that says nothing else is read with it.
fn strategy(table: &Table, rules: &dyn Rulebook, findings: &mut Findings) -> Option<Value> {
    let mut whole = Table { line: table.line, ..Table::default() };
    whole.map.insert("name".into(), PLACEHOLDER.into());
    whole.map.insert("strategy".into(), Value::Object(table.map.clone()));
    let lines = table.lines.iter().map(|(path, line)| (format!("strategy.{path}"), *line));
    whole.lines = lines.collect();
    whole.lines.insert("strategy".into(), table.line);
    let fine = ask(&whole, findings, |body| rules.queue(PLACEHOLDER, body).map(drop));
    fine.map(|()| Value::Object(table.map.clone()))
}

fn queues(
    tables: &[Table],
    strategy: Option<&Value>,
    rules: &dyn Rulebook,
    config: &mut Config,
    findings: &mut Findings,
) {
    if let Some(table) = tables.get(QUEUES_MAX) {
        let what = format!("has more than {QUEUES_MAX} queues; write fewer");
        findings.add(Some(table.line), Some("queue"), &what);
        return;
    }
    let mut seen = BTreeMap::new();
    for table in tables {
        let mut table = table.clone();
        let given = take_text(&mut table, "id", findings);
        let id = given.clone().unwrap_or_else(|| PLACEHOLDER.into());
        if let Some(strategy) = strategy {
            with_default(&mut table.map, strategy);
        }
        table.map.entry("name").or_insert_with(|| id.clone().into());
        let read = ask(&table, findings, |body| rules.queue(&id, body));
        let line = table.line_of("id");
        let first = given.is_some_and(|id| is_first(&mut seen, &id, line, "id", findings));
        if let Some((id, what)) = read.filter(|_| first) {
            config.queues.push(Entity { id, text: text_of(&table.map), what });
        }
    }
}

/// What the queue says of its strategy goes before the file's.
fn with_default(map: &mut Map<String, Value>, strategy: &Value) {
    let own = map.entry("strategy").or_insert_with(|| Value::Object(Map::new()));
    if let (Some(own), Some(default)) = (own.as_object_mut(), strategy.as_object()) {
        for (key, value) in default {
            own.entry(key.as_str()).or_insert_with(|| value.clone());
        }
    }
}

fn agents(
    tables: &[Table],
    queues: &BTreeSet<&str>,
    rules: &dyn Rulebook,
    config: &mut Config,
    findings: &mut Findings,
) {
    let mut seen = BTreeMap::new();
    for table in tables {
        let mut table = table.clone();
        let room = AGENTS_MAX.saturating_sub(config.agents.len());
        let names = names(&mut table, room, findings);
        for key in ["id", "count", "prefix"] {
            table.map.remove(key);
        }
        known_queues(&table, queues, findings);
        // One of a group stands for all: what is wrong with it is wrong once.
        let has_name = table.map.contains_key("name");
        table.map.entry("name").or_insert_with(|| PLACEHOLDER.into());
        let first = names.as_ref().and_then(|(_, ids)| ids.first());
        let first = first.map_or(PLACEHOLDER, String::as_str);
        let read = ask(&table, findings, |body| rules.agent(first, body));
        let (Some((_, model)), Some((key, ids))) = (read, names) else { continue };
        for name in ids {
            let line = table.line_of(key);
            let Ok(id) = AgentId::new(&name) else {
                findings.add(Some(line), Some(key), &format!("`{name}` is no id; shorten it"));
                break;
            };
            if !is_first(&mut seen, &name, line, key, findings) {
                break;
            }
            let mut what = model.clone();
            let mut map = table.map.clone();
            if !has_name {
                what.name.clone_from(&name);
                map.insert("name".into(), name.into());
            }
            config.agents.push(Entity { id, text: text_of(&map), what });
        }
    }
}

/// The ids of a table of agents, and the key that they come from; the keys are taken out.
fn names(
    table: &mut Table,
    room: usize,
    findings: &mut Findings,
) -> Option<(&'static str, Vec<String>)> {
    let has = |key: &str| table.map.contains_key(key);
    match (has("id"), has("count"), has("prefix")) {
        (true, false, false) => {
            let id = take_text(table, "id", findings)?;
            if room == 0 {
                too_many(table, "id", findings);
                return None;
            }
            Some(("id", vec![id]))
        }
        (false, true, true) => {
            let count = table.map.remove("count").and_then(|count| count.as_u64());
            let prefix = take_text(table, "prefix", findings)?;
            let count = count.and_then(|count| usize::try_from(count).ok());
            match count {
                None => {
                    let what = "is no whole number; write how many there are";
                    findings.add(Some(table.line_of("count")), Some("count"), what);
                    None
                }
                Some(count) if count > room => {
                    too_many(table, "count", findings);
                    None
                }
                Some(count) => {
                    let ids = (1..=count).map(|number| format!("{prefix}{number}"));
                    Some(("prefix", ids.collect()))
                }
            }
        }
        _ => {
            let what = "must be alone, or `count` and `prefix` without it; write one of the two";
            findings.missing(table.line, "id", what);
            None
        }
    }
}

fn too_many(table: &Table, key: &str, findings: &mut Findings) {
    let what = format!("makes more than {AGENTS_MAX} agents; write fewer");
    findings.add(Some(table.line_of(key)), Some(key), &what);
}

/// A file that has queues has those that its agents may be offered from: a name that is none of
/// them is a slip that nobody would notice.
fn known_queues(table: &Table, queues: &BTreeSet<&str>, findings: &mut Findings) {
    if queues.is_empty() {
        return;
    }
    let named = table.map.get("queues").and_then(Value::as_array);
    for queue in named.into_iter().flatten().filter_map(Value::as_str) {
        if !queues.contains(queue) {
            let queue = shown(queue);
            let what = format!("`{queue}` is no queue of this file; write one of its [[queue]]");
            findings.add(Some(table.line_of("queues")), Some("queues"), &what);
        }
    }
}

fn is_first(
    seen: &mut BTreeMap<String, u64>,
    id: &str,
    line: u64,
    key: &str,
    findings: &mut Findings,
) -> bool {
    match seen.get(id) {
        None => {
            seen.insert(id.to_owned(), line);
            true
        }
        Some(first) => {
            let what = format!("`{id}` is there already, in line {first}; rename one");
            findings.add(Some(line), Some(key), &what);
            false
        }
    }
}

/// Takes a text that must be there out of the table.
fn take_text(table: &mut Table, key: &str, findings: &mut Findings) -> Option<String> {
    match table.map.remove(key) {
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            findings.add(Some(table.line_of(key)), Some(key), "is no text; write it in quotes");
            None
        }
        None => {
            findings.missing(table.line, key, "is missing; write it in this table");
            None
        }
    }
}

/// One form for all layouts.
fn text_of(map: &Map<String, Value>) -> String {
    let mut sorted = map.clone();
    sorted.sort_keys();
    sorted.values_mut().for_each(Value::sort_all_objects);
    Value::Object(sorted).to_string()
}

/// Asks a rulebook until it says nothing new; `None` when it had something to say.
fn ask<T>(
    table: &Table,
    findings: &mut Findings,
    read: impl Fn(Map<String, Value>) -> Result<T, Fault>,
) -> Option<T> {
    let mut body = table.map.clone();
    let mut told = BTreeSet::new();
    for _ in 0..ASKED_MAX {
        let fault = match read(body.clone()) {
            Ok(fine) => return told.is_empty().then_some(fine),
            Err(fault) => fault,
        };
        let path = fault.field.as_deref().map(|field| full_path(table, &body, field));
        let Some(path) = path else {
            findings.add(Some(table.line), None, &fault.what);
            return None;
        };
        let there = table.lines.contains_key(&path);
        if told.insert(path.clone()) {
            let what = in_short(&path, &fault.what);
            if there || path == "id" {
                findings.add(Some(table.line_of(&path)), Some(&path), &what);
            } else {
                findings.missing(nearest_line(table, &path), &path, "is missing; write it here");
            }
            if path == "id" {
                return None;
            }
        }
        go_on_without(&mut body, &path, |body| {
            let again = read(body.clone()).err().and_then(|fault| fault.field);
            again.is_some_and(|field| full_path(table, body, &field) == path)
        });
    }
    None
}

/// A rulebook may name a member by its last name; the file's path to it is meant.
fn full_path(table: &Table, body: &Map<String, Value>, field: &str) -> String {
    if table.lines.contains_key(field) || body.contains_key(field) {
        return field.to_owned();
    }
    let tail = format!(".{field}");
    let written = table.lines.keys().find(|path| path.ends_with(&tail)).cloned();
    written.unwrap_or_else(|| {
        let holds = |value: &Value| value.get(field).is_some();
        let holder = body.iter().find(|(_, value)| value.is_object() && holds(value));
        holder.map_or_else(|| field.to_owned(), |(key, _)| format!("{key}.{field}"))
    })
}

/// Where the table that should have a key begins.
fn nearest_line(table: &Table, path: &str) -> u64 {
    path.rsplit_once('.').map_or(table.line, |(under, _)| table.line_of(under))
}

/// Puts something else in the place of what was told, so that the next mistake comes out: nothing,
/// else the first of some values with which it is not told again, else nothing of the whole key.
fn go_on_without(
    body: &mut Map<String, Value>,
    path: &str,
    is_told_again: impl Fn(&Map<String, Value>) -> bool,
) {
    let (top, member) = path.split_once('.').map_or((path, None), |(top, rest)| (top, Some(rest)));
    let without = |value: Option<Value>| {
        let mut body = body.clone();
        let holder = match (member, body.get_mut(top)) {
            (Some(_), Some(Value::Object(inner))) => inner,
            (Some(_) | None, _) => &mut body,
        };
        let key = member.unwrap_or(top);
        match value {
            None => drop(holder.remove(key)),
            Some(value) => drop(holder.insert(key.to_owned(), value)),
        }
        body
    };
    let stand_ins = [None, Some(json!(PLACEHOLDER)), Some(json!(1)), Some(json!("1s"))];
    let fine = stand_ins.into_iter().map(without).find(|body| !is_told_again(body));
    *body = fine.unwrap_or_else(|| {
        let mut body = body.clone();
        body.remove(top);
        body
    });
}

/// What a PUT says, without the words that the line says already.
fn in_short(path: &str, what: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    let lead = [path, last]
        .into_iter()
        .flat_map(|name| [format!("cannot take `{name}`: "), format!("cannot read `{name}`: ")]);
    let short = lead.into_iter().find_map(|lead| what.strip_prefix(&lead)).unwrap_or(what);
    if short.starts_with("the fields known here") {
        return format!("is not known; {short}");
    }
    let says_what_to_do = [";", ": write", "known here"].iter().any(|sign| short.contains(sign));
    if says_what_to_do { short.to_owned() } else { format!("{short}; write it anew") }
}
