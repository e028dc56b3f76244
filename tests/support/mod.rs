//! What the tests of every kind share: skipping by name, what the machine lacks, waiting for a state.
//!
//! Nothing of the product is here. Each test program takes it by `mod support;`.

#![allow(dead_code, reason = "each test program uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Patience of [`wait_for`]: far over what any state takes, so that it ends only what hangs.
const WAIT: Duration = Duration::from_secs(60);
/// Pause between two looks at a state.
const PAUSE: Duration = Duration::from_millis(5);

/// Says that the test `name` cannot run here; the caller returns at once.
///
/// `tests/run` counts it as skipped and shows the reason: it reads the file that `ATALAYA_SKIPS`
/// names, one line `name<TAB>reason` each.
pub(crate) fn skip(name: &str, reason: &str) {
    eprintln!("SKIPPED: {name}: {reason}");
    if let Some(path) = std::env::var_os("ATALAYA_SKIPS") {
        let line = format!("{name}\t{}\n", reason.replace(['\n', '\t'], " "));
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        // One write in append mode: lines of tests that run beside each other do not mix.
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// Whether `program` is on this machine; where it is not, the test `name` is skipped.
pub(crate) fn has(name: &str, program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    });
    if !found {
        skip(name, &format!("{program} is not installed"));
    }
    found
}

/// Whether the long form of a campaign is asked for (`ATALAYA_LONG=1`).
pub(crate) fn long() -> bool {
    std::env::var("ATALAYA_LONG").is_ok_and(|value| value == "1")
}

/// The repository's own folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A script of `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

/// `command` under disk faults: `disk_fault("fsync-eio:3", …)` fails its third sync.
/// See `tests/fixtures/diskfault.sh` for the faults; it needs `strace`.
pub(crate) fn disk_fault(faults: &str, program: &Path) -> Command {
    let mut command = Command::new(fixture("diskfault.sh"));
    command.arg(faults).arg("--").arg(program);
    command
}

/// Looks until there is what is waited for: tests wait for a state, never for a time.
///
/// # Panics
/// After a minute, saying what never came.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < WAIT, "{what} did not come within {WAIT:?}");
        std::thread::sleep(PAUSE);
    }
}

/// The same, where looking needs an executor.
///
/// # Panics
/// After a minute, saying what never came.
pub(crate) async fn wait_for_async<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < WAIT, "{what} did not come within {WAIT:?}");
        actix_web::rt::time::sleep(PAUSE).await;
    }
}
