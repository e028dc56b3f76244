//! The checks themselves bite: one small tree with every fault, and what is said of it.

use expect_test::expect;

use crate::source::Source;
use crate::{check_sources, words};

fn complaints_of(files: &[(&str, &str)]) -> String {
    let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    let mut complaints = Vec::new();
    check_sources(&sources, &mut complaints);
    complaints.join("\n")
}

#[test]
fn shape_bites() {
    let long_file = format!("//! Doc.\n{}", "//\n".repeat(600));
    let long_function =
        format!("//! Doc.\nfn long(\n    x: [u8; 4],\n) {{\n{}}}\n", "    x;\n".repeat(68));
    let just_short = format!("//! Doc.\nfn short() {{\n{}}}\n", "    x;\n".repeat(69));
    let long_test = format!("//! Doc.\nfn long() {{\n{}}}\n", "    x;\n".repeat(100));
    let wide = format!("//! Doc.\n// {}\n", "é".repeat(98));
    let complaints = complaints_of(&[
        ("src/api/a.rs", &long_file),
        ("src/api/b.rs", "use x;\n"),
        ("src/api/c.rs", &long_function),
        ("src/api/d.rs", &just_short),
        ("src/api/e.rs", &wide),
        ("tests/table.rs", &long_function),
        ("tests/long.rs", &long_test),
    ]);
    expect![[r#"
        src/api/a.rs:1: 601 lines, over 600: split it by responsibility
        src/api/b.rs:1: no module doc: say what it is for and what is not here
        src/api/c.rs:2: function of 71 lines, over 70: take a step of it out and name it
        src/api/e.rs:2: 101 columns, over 100: break the line
        tests/long.rs:2: function of 101 lines, over 100: take a step of it out and name it"#]]
    .assert_eq(&complaints);
}

#[test]
fn bans_bite() {
    let domain = "//! Doc: .await and HashMap may be spoken of.
use serde::Serialize;
fn f(x: HashMap<u8, u8>) { x.g().await; todo!(\"HashMap\"); let y = 'x'; /* HashSet */ }
#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    fn later() { std::thread::sleep(x); }
}
fn g() { Instant::now(); }
";
    let complaints = complaints_of(&[
        ("src/domain/a.rs", domain),
        ("src/api/a.rs", "//! Doc.\n#[allow(x)]\nfn f() { a.do_send(b); thread::sleep(c); }\n"),
        ("src/api/a_tests.rs", "//! Doc.\nasync fn f() { tokio::time::sleep(x).await; }\n"),
        ("tests/support/mod.rs", "//! Doc.\nfn f() { std::thread::sleep(x); }\n"),
    ]);
    expect![[r#"
        src/domain/a.rs:3: `todo!(` is banned here: finish it, or refuse the command
        src/domain/a.rs:3: `.await` is banned here: the core never waits: return an effect
        src/domain/a.rs:2: `Serialize` is banned here: the journal and the wire have their own types
        src/domain/a.rs:2: `serde` is banned here: the journal and the wire have their own types
        src/domain/a.rs:3: `HashMap` is banned here: use BTreeMap or BTreeSet: replay must not depend on hash order
        src/domain/a.rs:9: `Instant::now` is banned here: the core is told the time
        src/domain/a.rs:7: `thread::sleep` is banned here: wait for a state (`support::wait_for`), or move the virtual clock
        src/api/a.rs:2: `#[allow(` is banned here: use #[expect(…, reason = "…")]
        src/api/a.rs:3: `.do_send(` is banned here: it ignores a full mailbox: `try_send`, and count the refusal
        src/api/a_tests.rs:2: `time::sleep` is banned here: wait for a state (`support::wait_for`), or move the virtual clock"#]].assert_eq(&complaints);
}

#[test]
fn arrows_bite() {
    let complaints = complaints_of(&[
        (
            "src/journal/log.rs",
            "//! Doc.\nuse crate::{telemetry, api::{ws, problem}};\nuse sled;\n",
        ),
        (
            "src/views/mod.rs",
            "//! Doc.\nuse super::actors::gate;\nuse crate::journal::{log::Log, Batch};\n",
        ),
        (
            "src/views/wallboard.rs",
            "//! Doc.\nuse super::super::api::ws;\nuse super::roster;\nuse crate::journal::Batch;\n",
        ),
        (
            "src/actors/shell.rs",
            "//! Doc.\n// crate::api is above\nuse crate::journal::log;\nfn f() { compose(x); }\n",
        ),
        ("src/actors/gate.rs", "//! Doc.\nuse crate::api;\nfn f() { sled::open(\"x\"); }\n"),
        (
            "src/api/mod.rs",
            "//! Doc.\nuse crate::actors;\n#[cfg(test)]\nmod tests { use crate::demo; }\n",
        ),
        ("src/demo/mod.rs", "//! Doc.\nuse atalaya::actors::gate;\n"),
        ("src/replay/mod.rs", "//! Doc.\nuse crate::{actors, journal, api};\n"),
        ("src/attic/mod.rs", "//! Doc.\n"),
        ("src/main.rs", "//! Doc.\nuse atalaya::{api, demo};\n"),
        ("src/domain/x.rs", "//! Doc.\nuse crate::journal;\n"),
    ]);
    expect![[r#"
        src/journal/log.rs:2: journal may not know api: the arrows point down only, pass it what it needs
        src/views/mod.rs:3: views may not know the journal's files (`log`): read events and batches
        src/views/mod.rs:2: views may not know actors: the arrows point down only, pass it what it needs
        src/views/wallboard.rs:2: views may not know api: the arrows point down only, pass it what it needs
        src/actors/gate.rs:3: only src/journal knows sled: ask the journal for what is meant
        src/actors/gate.rs:2: actors may not know api: the arrows point down only, pass it what it needs
        src/demo/mod.rs:2: demo may not know actors: the arrows point down only, pass it what it needs
        src/replay/mod.rs:2: replay may not know api: the arrows point down only, pass it what it needs
        src/attic/mod.rs:1: `attic` is not on the map: give it its place in ARROWS and ARCHITECTURE.md"#]].assert_eq(&complaints);
}

#[test]
fn the_auditor_stands_apart() {
    let complaints = complaints_of(&[
        ("src/audit/mod.rs", "//! Doc: crate::views.\nuse super::client::Client;\nuse csv;\n"),
        (
            "src/audit/wire.rs",
            "//! Doc.\nuse atalaya_domain::time;\nuse crate::audit::x;\nuse super::picture;\n",
        ),
        ("src/audit/looks.rs", "//! Doc.\nuse super::super::cli;\nuse crate::{views, audit};\n"),
    ]);
    expect![[r#"
        src/audit/mod.rs:2: audit shares no code with the server (`client`): write it from the contract
        src/audit/mod.rs:2: audit may not know client: the arrows point down only, pass it what it needs
        src/audit/wire.rs:2: audit shares no code with the server (`atalaya_domain`): write it from the contract
        src/audit/looks.rs:3: audit shares no code with the server (`views`): write it from the contract
        src/audit/looks.rs:2: audit shares no code with the server (`cli`): write it from the contract
        src/audit/looks.rs:3: audit may not know views: the arrows point down only, pass it what it needs"#]].assert_eq(&complaints);
}

#[test]
fn one_place_decides_and_one_composes() {
    let agent = "//! Doc.\nimpl M { fn decide(&self) { self.decide_more(); } }\n\
                 #[test]\nfn matrix() { m.decide(x); }\n";
    let complaints = complaints_of(&[
        ("src/domain/agent.rs", agent),
        ("src/domain/entry.rs", "//! Doc.\npub fn compose() { m.decide(x); }\n"),
        ("src/domain/queue.rs", "//! Doc.\nfn f() { m.decide(x); Queue::decide(x); }\n"),
        ("src/domain/tests/matrix.rs", "//! Doc.\nfn f() { m.decide(x); }\n"),
        ("src/simulation/mod.rs", "//! Doc.\nfn f() { compose(x); }\n"),
        ("src/actors/shell.rs", "//! Doc.\nfn f() { entry::compose(x); compose(y); }\n"),
        ("src/api/mod.rs", "//! Doc.\nfn f() { compose(x); recompose(y); }\nfn compose() {}\n"),
    ]);
    expect![[r#"
        src/domain/queue.rs:2: only src/domain/entry.rs calls `decide`: call `compose`
        src/domain/queue.rs:2: only src/domain/entry.rs calls `decide`: call `compose`
        src/actors/shell.rs:2: `compose` is called in 2 files outside domain and simulation: the shell alone calls it
        src/api/mod.rs:2: `compose` is called in 2 files outside domain and simulation: the shell alone calls it"#]].assert_eq(&complaints);
    let nobody = complaints_of(&[("src/actors/shell/mod.rs", "//! Doc.\nfn f() {}\n")]);
    expect!["src/actors/shell/mod.rs:1: nobody composes: the shell calls `compose`"]
        .assert_eq(&nobody);
}

#[test]
fn words_bite() {
    let mut complaints = Vec::new();
    let word = concat!("// A Hel", "per in /wo", "rk/x");
    words::check("README.md", word, &mut complaints);
    words::check("dashboards/web/package-lock.json", word, &mut complaints);
    words::check("src/x.rs", "// workshop, /working, home, session", &mut complaints);
    words::check("Cargo.lock", "source = \"git+https://example.org/x\"\n", &mut complaints);
    let shown = complaints.join("\n").replace(concat!("hel", "per"), "h…").replace("/wo", "/w…");
    expect![[r#"
        README.md:1: `/w…rk/`: a path of one machine
        README.md:1: `h…`: say what it does, in the words of ARCHITECTURE.md
        dashboards/web/package-lock.json:1: `/w…rk/`: a path of one machine
        Cargo.lock:1: "git+https://example.org/x": packages come from crates.io only"#]]
    .assert_eq(&shown);
}

#[test]
fn what_is_blanked_keeps_its_place() {
    let text =
        "a \"b\\\"c\" 'd' '\\n' &'e f r#\"g \" h\"# br\"i\" // j\n/* k /* l */ m */ n\nfor_r \"o\"";
    let source = Source::new("src/api/x.rs", text);
    assert_eq!(source.code.chars().count(), text.chars().count());
    expect![[r#"
        a "    "          &'e f            b         
                          n
        for_r " ""#]]
    .assert_eq(&source.code);
}
