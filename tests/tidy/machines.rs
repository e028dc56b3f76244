//! The table of machines in ARCHITECTURE.md says what the code says: every state and every event
//! by its name on the wire, every command by the name that a refusal gives it (a machine that names
//! none: by the variant's), and none besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A machine, where its states have their names, and where its events have them: file, and the
/// `impl` in it.
type Machine = (&'static str, Option<(&'static str, &'static str)>, (&'static str, &'static str));

const MACHINES: [Machine; 5] = [
    ("agent", Some(("src/domain/presence.rs", "impl Kind {")), ("src/domain/agent.rs", EVENT)),
    ("contact", Some(("src/domain/contact.rs", "impl State {")), ("src/domain/contact.rs", EVENT)),
    ("queue", Some(("src/domain/queue.rs", "impl Status {")), ("src/domain/queue.rs", EVENT)),
    ("credential", None, ("src/domain/credential.rs", EVENT)),
    ("system", None, ("src/domain/system.rs", EVENT)),
];
const EVENT: &str = "impl Event {";
const COMMAND: &str = "impl Command {";
const VARIANTS: &str = "pub enum Command {";
/// Of a contact that has not come: no reader ever sees it.
const UNSEEN: &str = "unborn";
const HEADING: &str = "## Machines: state × command × event";

#[test]
fn the_table_of_machines_says_what_the_code_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let complaints = compare(&read("ARCHITECTURE.md"), read);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn compare(architecture: &str, read: impl Fn(&str) -> String) -> Vec<String> {
    let table = architecture.split_once(HEADING).map_or("", |(_, after)| after);
    let mut complaints = Vec::new();
    for (machine, states, (file, events)) in MACHINES {
        let row = table.lines().find(|line| line.starts_with(&format!("| {machine} |")));
        let Some(row) = row else {
            complaints.push(format!("ARCHITECTURE.md: the table has no row for {machine}"));
            continue;
        };
        let cells: Vec<&str> = row.split('|').collect();
        let mut differ = |what, cell: &str, wanted: &BTreeSet<String>| {
            let said = quoted(cell, '`');
            for name in wanted.difference(&said) {
                complaints.push(format!("ARCHITECTURE.md: {machine} lacks the {what} `{name}`"));
            }
            for name in said.difference(wanted) {
                complaints.push(format!("ARCHITECTURE.md: {machine} has no {what} `{name}`"));
            }
        };
        if let Some((file, states)) = states {
            differ("state", cells[2], &names(&read(file), states));
        }
        let source = read(file);
        let wanted = names(&source, events);
        assert!(!wanted.is_empty(), "{file} has no names of events");
        differ("event", cells[3], &wanted);
        let wanted = commands(&source);
        assert!(!wanted.is_empty(), "{file} has no names of commands");
        let said: Vec<String> = cells[3].split(" · ").filter_map(command).collect();
        differ("command", &said.join(""), &wanted);
    }
    complaints
}

/// The texts in `fn name` of this `impl`.
fn names(source: &str, of: &str) -> BTreeSet<String> {
    let body = source.split_once(of).map_or("", |(_, after)| after);
    let body = body.split_once("fn name(").map_or("", |(_, after)| after);
    let body = body.split_once("\n    }\n").map_or(body, |(body, _)| body);
    let mut names = quoted(body, '"');
    names.remove(UNSEEN);
    names
}

/// The commands of a machine: as they are named, else the variants in words.
fn commands(source: &str) -> BTreeSet<String> {
    let named = names(source, COMMAND);
    if source.contains(COMMAND) {
        return named;
    }
    let body = source.split_once(VARIANTS).map_or("", |(_, after)| after);
    let body = body.split_once("\n}\n").map_or(body, |(body, _)| body);
    let variants = body.lines().map(|line| line.strip_prefix("    ").unwrap_or_default());
    variants.filter(|line| line.starts_with(char::is_uppercase)).map(words).collect()
}

/// `SetClock { to: …` as "set clock".
fn words(variant: &str) -> String {
    let name = variant.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The command of "command → events", between marks; a remark has none.
fn command(part: &str) -> Option<String> {
    let (command, _) = part.split_once('→')?;
    Some(format!("`{}`", command.trim()))
}

/// What stands between two `marks`.
fn quoted(text: &str, mark: char) -> BTreeSet<String> {
    text.split(mark).skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_table_bites() {
    let source = "impl Kind {\n    fn name() {\n        \"ready\"\n    }\n}\n\
                  impl State {\n    fn name() {\n        \"unborn\" \"held\"\n    }\n}\n\
                  impl Status {\n    fn name() {\n        \"open\"\n    }\n}\n\
                  impl Event {\n    fn name() {\n        \"opened\"\n    }\n}\n\
                  pub enum Command {\n    /// A word.\n    GoOn { to: u8 },\n    X,\n}\n";
    let table = |agent: &str| {
        format!(
            "{HEADING}\n| agent | {agent} |\n| contact | `held` | go on → `opened` · x → it |\n| queue | \
             `open` | go on → `opened` · x → it |\n| credential | made | x → `opened` · go on → it |\n"
        )
    };
    let check = |agent: &str| compare(&table(agent), |_| source.to_owned());
    let system = "ARCHITECTURE.md: the table has no row for system".to_owned();
    assert_eq!(check("`ready` | x → `opened` · go on → the same"), std::slice::from_ref(&system));
    let named =
        source.to_owned() + "impl Command {\n    fn name() {\n        \"go on\" \"x\"\n    }\n}\n";
    assert_eq!(commands(&named), commands(source));
    assert_eq!(
        check("`raedy` | x → `opened`, `closed` · go → it · last: `opened`"),
        [
            "ARCHITECTURE.md: agent lacks the state `ready`".to_owned(),
            "ARCHITECTURE.md: agent has no state `raedy`".to_owned(),
            "ARCHITECTURE.md: agent has no event `closed`".to_owned(),
            "ARCHITECTURE.md: agent lacks the command `go on`".to_owned(),
            "ARCHITECTURE.md: agent has no command `go`".to_owned(),
            system,
        ]
    );
}
