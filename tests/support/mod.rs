//! What every test may need: saying that it was skipped, and why.

use std::io::Write as _;

/// Says that test `name` was skipped; `tests/run` collects these by `ATALAYA_SKIPS`.
pub(crate) fn skip(name: &str, reason: &str) {
    eprintln!("SKIPPED: {name}: {reason}");
    if let Some(file) = std::env::var_os("ATALAYA_SKIPS")
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(file)
    {
        let _ = writeln!(file, "{name}\t{reason}");
    }
}
