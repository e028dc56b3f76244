//! Which part of the program may know which: the arrows of ARCHITECTURE.md, and the calls that may
//! stand in one place only.
//!
//! `domain ← journal, views, simulation ← actors ← api, channels ← main`; telemetry and config are
//! leaves that know only the domain, and so is client, which knows the wire. Replay puts a centre
//! together as main does, without api and channels, or is a client of the server, as demo is. Only
//! main names these two.
//! Cargo keeps the domain's arrow: it cannot import what it does not depend on.

use crate::source::{Source, line_of, places};

/// A part of `src` and the parts that it may name besides itself and the domain.
const ARROWS: &[(&str, &[&str])] = &[
    ("telemetry", &[]),
    ("config", &[]),
    ("journal", &["telemetry"]),
    ("views", &["journal", "telemetry"]),
    ("simulation", &["config", "telemetry", "views"]),
    ("actors", &["config", "journal", "simulation", "telemetry", "views"]),
    ("api", &["actors", "config", "journal", "simulation", "telemetry", "views"]),
    ("channels", &["actors", "config", "journal", "telemetry", "views"]),
    (APART, &[]),
    ("client", &["telemetry"]),
    ("replay", &["actors", "client", "config", "journal", "simulation", "telemetry", "views"]),
    ("demo", &["client", "config", "simulation", "telemetry"]),
];

/// May name every part: the command line and the map.
const TOP: &[&str] = &["main", "lib", "cli"];

/// Modules of the journal that are files and stores; for those who read, it has events and batches.
const FILE_MODULES: &[&str] =
    &["log", "segment", "disk", "writer", "recover", "recovery", "state", "store", "lock", "key"];
/// The parts that put the journal together, or are it.
const MAY_NAME_FILE_MODULES: &[&str] = &["journal", "actors", "main", "lib", "cli"];

/// Shares no code with the server, so that a mistake of the server is not made there too.
const APART: &str = "audit";

pub(crate) fn check(source: &Source, complaints: &mut Vec<String>) {
    let Some(part) = part_of(&source.path) else { return };
    if part == APART {
        check_apart(source, complaints);
    }
    for at in places(&source.product, "sled") {
        if part != "journal" {
            let line = line_of(&source.product, at);
            complaints.push(format!(
                "{}:{line}: only src/journal knows sled: ask the journal for what is meant",
                source.path
            ));
        }
    }
    if TOP.contains(&part) {
        return;
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == part) else {
        complaints.push(format!(
            "{}:1: `{part}` is not on the map: give it its place in ARROWS and ARCHITECTURE.md",
            source.path
        ));
        return;
    };
    for (offset, name, below) in references(source) {
        let line = line_of(&source.product, offset);
        let known = ARROWS.iter().any(|(part, _)| *part == name);
        if known && name != part && !allowed.contains(&name.as_str()) {
            complaints.push(format!(
                "{}:{line}: {part} may not know {name}: the arrows point down only, pass it what it \
                 needs",
                source.path
            ));
        }
        if name == "journal" && !MAY_NAME_FILE_MODULES.contains(&part) {
            for module in FILE_MODULES.iter().filter(|module| below.iter().any(|b| b == **module)) {
                complaints.push(format!(
                    "{}:{line}: {part} may not know the journal's files (`{module}`): read events \
                     and batches",
                    source.path
                ));
            }
        }
    }
}

/// It names no other part, nor the domain.
fn check_apart(source: &Source, complaints: &mut Vec<String>) {
    let mut complain = |offset, name: &str| {
        let line = line_of(&source.product, offset);
        complaints.push(format!(
            "{}:{line}: {APART} shares no code with the server (`{name}`): write it from the \
             contract",
            source.path
        ));
    };
    for (offset, name, _) in references(source) {
        if name != APART {
            complain(offset, &name);
        }
    }
    for offset in places(&source.product, "atalaya_domain") {
        complain(offset, "atalaya_domain");
    }
}

/// Rules that count over all files: who decides, and who composes.
pub(crate) fn check_together(sources: &[Source], complaints: &mut Vec<String>) {
    let mut composers = Vec::new();
    for source in sources {
        let Source { path, product, .. } = source;
        let entry = path == "src/domain/entry.rs" || path.starts_with("src/domain/entry/");
        if path.starts_with("src/") && !entry {
            for at in places(product, ".decide(").chain(places(product, "::decide(")) {
                complaints.push(format!(
                    "{path}:{}: only src/domain/entry.rs calls `decide`: call `compose`",
                    line_of(product, at)
                ));
            }
        }
        let inside = path.starts_with("src/domain/") || path.starts_with("src/simulation/");
        if path.starts_with("src/") && !inside {
            let call = places(product, "compose(").find(|at| !product[..*at].ends_with("fn "));
            composers.extend(call.map(|at| (path.as_str(), line_of(product, at))));
        }
    }
    if 1 < composers.len() {
        for (path, line) in &composers {
            complaints.push(format!(
                "{path}:{line}: `compose` is called in {} files outside domain and simulation: \
                 the shell alone calls it",
                composers.len()
            ));
        }
    }
    let shell = sources.iter().find(|source| source.path.starts_with("src/actors/shell"));
    if let Some(shell) = shell
        && composers.is_empty()
    {
        complaints.push(format!("{}:1: nobody composes: the shell calls `compose`", shell.path));
    }
}

/// `src/api/ws.rs` and `src/api.rs` → `api`; the domain and what is not in `src` → none.
fn part_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    let part = rest.split_once('/').map_or_else(|| rest.trim_end_matches(".rs"), |(part, _)| part);
    (part != "domain").then_some(part)
}

/// What a file names of the crate: offset, part, and the names written below it.
fn references(source: &Source) -> Vec<(usize, String, Vec<String>)> {
    let code = &source.product;
    let mut found = Vec::new();
    for start in ["crate::", "atalaya::"] {
        for at in places(code, start) {
            collect(code, at + start.len(), at, &mut found);
        }
    }
    // `super` that climbs to the root of the crate names the parts too.
    let climbs = "super::".repeat(depth(&source.path));
    for at in places(code, &climbs) {
        if !code[..at].ends_with("::") {
            collect(code, at + climbs.len(), at, &mut found);
        }
    }
    found
}

/// How many `super` lead from a file's module to the root of the crate.
fn depth(path: &str) -> usize {
    let parts: Vec<_> = path.trim_start_matches("src/").split('/').collect();
    parts.len() - usize::from(parts.last() == Some(&"mod.rs"))
}

/// Reads `name::…` or `{name::…, name}` at `from`.
fn collect(code: &str, from: usize, at: usize, found: &mut Vec<(usize, String, Vec<String>)>) {
    let rest = &code[from..];
    if let Some(group) = rest.strip_prefix('{') {
        for item in split(&group[..group_end(group)]) {
            let item = item.trim();
            let (name, below) = item.split_once("::").unwrap_or((item, ""));
            let name = name.split_whitespace().next().unwrap_or_default();
            found.push((at, name.to_owned(), heads(below)));
        }
        return;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let below = rest[name.len()..].strip_prefix("::").map(heads).unwrap_or_default();
    found.push((at, name, below));
}

/// The first names of a path or of a group: `log::X` → log; `{log::X, events}` → log, events.
fn heads(text: &str) -> Vec<String> {
    let head = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    match text.trim_start().strip_prefix('{') {
        Some(group) => split(&group[..group_end(group)]).into_iter().map(head).collect(),
        None => vec![head(text)],
    }
}

/// Length of a group whose brace is already open.
fn group_end(text: &str) -> usize {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Parts between the commas that stand in no inner brace.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
