//! House rules that a machine can check: shape of files, banned forms, arrows, words.
//!
//! Every complaint is `path:line: what is wrong, and what to do`. The rules with their reasons stand
//! in `shape.rs`, `arrows.rs` and `words.rs`; `source.rs` reads Rust just well enough for them; and
//! `bite.rs` shows that each rule complains of what it is there for.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod arrows;
mod bite;
mod machines;
mod shape;
mod source;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// Folders that hold nothing of our own hand.
const FOREIGN: &[&str] = &[".git", "target", "node_modules", "test-results", "playwright-report"];
/// Files over this are not read for words: no source is so large, and no text of ours.
const READ_BYTES_MAX: u64 = 2 * 1024 * 1024;

#[test]
fn tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    files(root, &mut paths);
    paths.sort();
    let mut complaints = Vec::new();
    let mut sources = Vec::new();
    for path in &paths {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if READ_BYTES_MAX < fs::metadata(path).unwrap().len() {
            continue;
        }
        let Ok(text) = fs::read_to_string(path) else { continue }; // Pictures and fonts.
        words::check(&name, &text, &mut complaints);
        if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(Source::new(&name, &text));
        }
    }
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "looked in the wrong place");
    check_sources(&sources, &mut complaints);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// All rules for Rust, over a whole tree: some count over files.
fn check_sources(sources: &[Source], complaints: &mut Vec<String>) {
    for source in sources {
        shape::check(source, complaints);
        arrows::check(source, complaints);
    }
    arrows::check_together(sources, complaints);
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            // A build folder is known by cargo's mark wherever it was put.
            if !FOREIGN.contains(&name.as_str()) && !entry.path().join("CACHEDIR.TAG").exists() {
                files(&entry.path(), found);
            }
        } else if kind.is_file() && name != ".git" {
            found.push(entry.path());
        }
    }
}
