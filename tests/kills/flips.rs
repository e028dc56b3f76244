//! One bit of a log is flipped while nobody has it: the next start is refused by segment and
//! offset, whichever field the bit is in, and leaves every file of the log as it was; `verify`
//! says the same. Ends of a log, which may be torn, are not here.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use atalaya::journal::opening::Opening;
use atalaya::journal::{FRAME_HEAD_BYTES, HEADER_BYTES, LOG_FOLDER, decode};
use serde_json::{Map, Value, json};

use super::server::{ATALAYA, CONFIG, Server, folder_of};
use super::support;

/// Agents of the folder, each a batch of its own.
const AGENTS: usize = 12;
/// The one in whose batch a bit is flipped.
const AGENT: usize = 5;
/// Skills of an agent: with them a small segment has few batches.
const SKILLS: usize = 56;

/// The long form flips a bit in each so-manieth byte of a field.
const LONG_STEP: usize = 13;

fn name_of(agent: usize) -> String {
    format!("Beatriz Segunda {agent:02}")
}

/// A folder that a server has filled, and left by a stop: its picture has all of the log.
async fn filled(size: &str) -> tempfile::TempDir {
    let dir = folder_of(size);
    let server = Server::start_with(dir.path(), &["--config", CONFIG]);
    let mut admin = server.wire();
    let skills: Map<String, Value> = (0..SKILLS)
        .map(|n| (format!("a-skill-with-a-name-as-long-as-one-is-{n}"), json!(5)))
        .collect();
    for agent in 0..AGENTS {
        let facts = json!({"name": name_of(agent), "team": "morning", "level": 1,
            "skills": skills, "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
        admin.put(&format!("/api/v1/agents/agent-{agent}"), &facts).await.unwrap().good();
    }
    server.stop();
    dir
}

/// A batch in the middle of a log, and where its parts lie in its segment.
struct Middle {
    path: PathBuf,
    segment: u64,
    /// Its number, by which the picture is held against it.
    batch: u64,
    frame: Range<usize>,
    fields: Vec<(&'static str, Range<usize>)>,
}

impl Middle {
    /// The batch that names [`AGENT`].
    fn of(dir: &Path) -> Self {
        let wanted = name_of(AGENT);
        for (path, bytes) in files(dir) {
            let mut at = HEADER_BYTES;
            while at < bytes.len() {
                let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
                let frame = at..at + length as usize;
                if place(&bytes[frame.clone()], wanted.as_bytes()).is_some() {
                    return Self::at(path, &bytes, frame);
                }
                at = frame.end;
            }
        }
        panic!("no batch names {wanted}");
    }

    fn at(path: PathBuf, bytes: &[u8], frame: Range<usize>) -> Self {
        let content = &bytes[frame.clone()];
        let decoded = decode(content).unwrap().batch;
        let covered = u32::from_le_bytes(content[12..16].try_into().unwrap()) as usize;
        let payload = &decoded.entries[0].events[0].payload;
        let payload_at = place(content, payload).unwrap();
        let section = &decoded.sections[0].bytes;
        let section_at = covered + 4;
        assert_eq!(&content[section_at..section_at + section.len()], section);
        let mut fields = vec![
            ("marker", 0..4),
            ("CRC", 4..8),
            ("length", 8..12),
            ("covered length", 12..16),
            ("number", 16..24),
            ("wall instant", 24..32),
            ("first seq", 32..40),
            ("count", 40..44),
            ("entries", 44..48),
            ("sections", 48..52),
            ("chain", 52..FRAME_HEAD_BYTES),
            ("entry", FRAME_HEAD_BYTES..payload_at),
            ("payload", payload_at..payload_at + payload.len()),
            ("description", payload_at + payload.len()..covered),
            ("section CRC", covered..section_at),
            ("section", section_at..section_at + section.len()),
        ];
        for (_, field) in &mut fields {
            *field = frame.start + field.start..frame.start + field.end;
        }
        let segment = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        Self { path, segment, batch: decoded.number, frame, fields }
    }

    /// Bytes of which one bit is flipped: the middle one of each field, in the long form more.
    fn flips(&self) -> Vec<(&'static str, usize)> {
        let all = self.fields.iter().flat_map(|(name, field)| {
            let middle = usize::midpoint(field.start, field.end);
            let more = if support::long() { field.clone() } else { 0..0 };
            more.step_by(LONG_STEP).chain([middle]).map(move |at| (*name, at))
        });
        all.collect()
    }
}

fn place(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

/// Every file of the log with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(dir.join(LOG_FOLDER)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// What a start that must be refused says, with the code it ends with.
fn refused(dir: &Path, what: &str) -> (Option<i32>, String) {
    let told = dir.join("told");
    let mut child = Command::new(ATALAYA)
        .args(["serve", "--listen", "127.0.0.1:0", "--config", CONFIG, "--data"])
        .arg(dir)
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&told).unwrap())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    if lines.any(|line| line.starts_with("Listening on ")) {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("{what}: a server started on a damaged log");
    }
    (child.wait().unwrap().code(), std::fs::read_to_string(told).unwrap())
}

fn verified(dir: &Path) -> (Option<i32>, String) {
    let output = Command::new(ATALAYA).arg("verify").arg("--data").arg(dir).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Flips a bit at each place in turn; gives how many there were.
fn campaign(dir: &Path, middle: &Middle) -> usize {
    let sound = std::fs::read(&middle.path).unwrap();
    let named = format!("segment {} is damaged at byte {} (", middle.segment, middle.frame.start);
    let flips = middle.flips();
    for (field, at) in &flips {
        let what = format!("{field}, byte {}", at - middle.frame.start);
        let mut bytes = sound.clone();
        bytes[*at] ^= 1 << (at % 8);
        std::fs::write(&middle.path, bytes).unwrap();
        let before = files(dir);
        let (code, told) = refused(dir, &what);
        assert_eq!(code, Some(1), "{what}: {told}");
        assert!(told.contains(&named), "{what}: {told} does not name {named}");
        assert!(files(dir) == before, "{what}: the refused start changed the log");
        let (code, told) = verified(dir);
        assert_eq!(code, Some(1), "{what}: verify: {told}");
        assert!(told.contains(&named), "{what}: verify: {told} does not name {named}");
    }
    std::fs::write(&middle.path, sound).unwrap();
    flips.len()
}

/// With the picture, whose mark lies behind the damage, and without.
async fn in_a_middle_batch(size: &str, segments_min: usize) {
    let dir = filled(size).await;
    let dir = dir.path();
    let count = files(dir).len();
    assert!(count >= segments_min, "{count} segments only: make the entries larger");
    let middle = Middle::of(dir);
    let applied = Opening::begin(dir).unwrap().picture().applied().unwrap();
    assert!(middle.batch < applied.batch, "the picture has less than the damage");
    let with = campaign(dir, &middle);
    std::fs::remove_dir_all(dir.join("state")).unwrap();
    let without = campaign(dir, &middle);
    let (code, told) = verified(dir);
    assert_eq!(code, Some(0), "{told}");
    let server = Server::start_with(dir, &["--config", CONFIG]);
    let agent = server.wire().get(&format!("/api/v1/agents/agent-{AGENT}")).await.unwrap().good();
    assert_eq!(agent["name"], name_of(AGENT));
    server.kill();
    eprintln!("{count} segments: {} flips, all refused", with + without);
}

#[actix_web::test]
async fn a_bit_flipped_in_the_only_segment_is_refused() {
    in_a_middle_batch("64MiB", 1).await;
}

#[actix_web::test]
async fn a_bit_flipped_in_a_closed_segment_is_refused() {
    in_a_middle_batch("8KiB", 3).await;
}
