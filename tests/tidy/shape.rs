//! The shape of a file, and forms that may not be written.

use crate::source::{Source, body, closing, is_test_file, line_of, places};

const LINES_PER_FILE_MAX: usize = 600;
/// From the line with `fn` to the one that closes it.
const LINES_PER_FUNCTION_MAX: usize = 70;
/// The same where it is only for tests: a matrix of states and commands is one table, and cut in
/// two it hides what is missing.
const LINES_PER_TEST_MAX: usize = 100;
/// Characters; strings of tests and addresses may be longer.
const COLUMNS_MAX: usize = 100;

/// Which part of a file a ban looks at.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// All code, tests included.
    Code,
    /// Code that is not only for tests.
    Product,
    /// Code that is only for tests.
    Tests,
}

struct Ban {
    /// Start of the path.
    within: &'static str,
    part: Part,
    word: &'static str,
    instead: &'static str,
}

const fn ban(within: &'static str, part: Part, word: &'static str, instead: &'static str) -> Ban {
    Ban { within, part, word, instead }
}

const NO_CLOCK: &str = "the core is told the time";
const NO_ORDER: &str = "use BTreeMap or BTreeSet: replay must not depend on hash order";
const NO_FORM: &str = "the journal and the wire have their own types";
const NO_CHANCE: &str = "the core is given its ids and its chance";
const NO_WORLD: &str = "the core knows no file, socket, thread or actor";
const NO_SLEEP: &str = "wait for a state (`support::wait_for`), or move the virtual clock";

const BANS: &[Ban] = &[
    ban("src/", Part::Code, "todo!(", "finish it, or refuse the command"),
    ban("src/", Part::Code, "unimplemented!(", "finish it, or refuse the command"),
    ban("src/", Part::Code, "#[allow(", "use #[expect(…, reason = \"…\")]"),
    ban("src/", Part::Code, "#![allow(", "use #![expect(…, reason = \"…\")]"),
    ban(
        "",
        Part::Code,
        ".do_send(",
        "it ignores a full mailbox: `try_send`, and count the refusal",
    ),
    ban("src/domain/", Part::Product, ".await", "the core never waits: return an effect"),
    ban("src/domain/", Part::Product, "async fn", "the core never waits: return an effect"),
    ban("src/domain/", Part::Product, "Serialize", NO_FORM),
    ban("src/domain/", Part::Product, "Deserialize", NO_FORM),
    ban("src/domain/", Part::Product, "serde", NO_FORM),
    ban("src/domain/", Part::Product, "tracing::", "the shell logs events; the core returns them"),
    ban("src/domain/", Part::Product, "HashMap", NO_ORDER),
    ban("src/domain/", Part::Product, "HashSet", NO_ORDER),
    ban("src/domain/", Part::Product, "SystemTime", NO_CLOCK),
    ban("src/domain/", Part::Product, "Instant::now", NO_CLOCK),
    ban("src/domain/", Part::Product, "now_v7", NO_CHANCE),
    ban("src/domain/", Part::Product, "new_v4", NO_CHANCE),
    ban("src/domain/", Part::Product, "rand::", NO_CHANCE),
    ban("src/domain/", Part::Product, "thread_rng", NO_CHANCE),
    ban("src/domain/", Part::Product, "std::fs", NO_WORLD),
    ban("src/domain/", Part::Product, "std::net", NO_WORLD),
    ban("src/domain/", Part::Product, "std::env", NO_WORLD),
    ban("src/domain/", Part::Product, "std::thread", NO_WORLD),
    ban("src/domain/", Part::Product, "Mutex", NO_WORLD),
    ban("src/domain/", Part::Product, "RwLock", NO_WORLD),
    ban("src/domain/", Part::Product, "mpsc", NO_WORLD),
    ban("src/domain/", Part::Product, "println!", NO_WORLD),
    ban("src/domain/", Part::Product, "actix", NO_WORLD),
    ban("src/domain/", Part::Product, "tokio", NO_WORLD),
    ban("", Part::Tests, "thread::sleep", NO_SLEEP),
    ban("", Part::Tests, "time::sleep", NO_SLEEP),
    ban("", Part::Tests, "clock::sleep", NO_SLEEP),
    ban("", Part::Tests, "rt::time::sleep", NO_SLEEP),
];

/// The one file of tests that may pause between two looks at a state.
const MAY_PAUSE: &str = "tests/support/mod.rs";

pub(crate) fn check(source: &Source, complaints: &mut Vec<String>) {
    let Source { path, text, .. } = source;
    let count = text.lines().count();
    if LINES_PER_FILE_MAX < count {
        complaints.push(format!(
            "{path}:1: {count} lines, over {LINES_PER_FILE_MAX}: split it by responsibility"
        ));
    }
    if !text.starts_with("//! ") {
        complaints
            .push(format!("{path}:1: no module doc: say what it is for and what is not here"));
    }
    check_columns(source, complaints);
    check_functions(source, complaints);
    check_bans(source, complaints);
}

fn check_columns(source: &Source, complaints: &mut Vec<String>) {
    if is_test_file(&source.path) {
        return;
    }
    let lines = source.text.lines().zip(source.product.lines()).enumerate();
    for (index, (line, product)) in lines {
        let width = line.chars().count();
        // A line that is only for tests is blank in the product, a comment line is so in all code.
        let counts = !product.trim().is_empty() || line.trim_start().starts_with("//");
        if COLUMNS_MAX < width && counts && !line.contains("://") {
            complaints.push(format!(
                "{}:{}: {width} columns, over {COLUMNS_MAX}: break the line",
                source.path,
                index + 1
            ));
        }
    }
}

fn check_functions(source: &Source, complaints: &mut Vec<String>) {
    let code = &source.code;
    for start in places(code, "fn ") {
        let named = code[start + 3..].starts_with(|c: char| c.is_alphabetic() || c == '_');
        let Some((open, true)) = body(code, start) else { continue };
        let first = line_of(code, start);
        let lines = line_of(code, closing(code, open).min(code.len() - 1)) - first;
        let of_product =
            places(&source.product, "fn ").any(|at| line_of(&source.product, at) == first);
        let max = if of_product { LINES_PER_FUNCTION_MAX } else { LINES_PER_TEST_MAX };
        if named && max < lines {
            complaints.push(format!(
                "{}:{first}: function of {lines} lines, over {max}: take a step of it out and name \
                 it",
                source.path
            ));
        }
    }
}

fn check_bans(source: &Source, complaints: &mut Vec<String>) {
    let tests = source.test_code();
    for Ban { within, part, word, instead } in BANS {
        let code = match part {
            Part::Code => &source.code,
            Part::Product => &source.product,
            Part::Tests => &tests,
        };
        if !source.path.starts_with(within) || (*part == Part::Tests && source.path == MAY_PAUSE) {
            continue;
        }
        for at in places(code, word) {
            let line = line_of(code, at);
            complaints.push(format!("{}:{line}: `{word}` is banned here: {instead}", source.path));
        }
    }
}
