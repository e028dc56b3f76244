//! Log lines: set up once for the process, and those of committed entries and refused commands.
//!
//! A line names entities by id and says what happened in the words of the log. Nothing personal is
//! in an event, so nothing personal comes into a line. Not here: the lines of single places, which
//! stand where the fact is.

use std::error::Error;
use std::io::stderr;

use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::EntityId;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Most lines of one entry; of what comes past it, in a configuration of that many entities, the
/// last says how many are left out.
const LINES_MAX: usize = 1024;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why lines cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error("cannot read the log level `{level}`: {source}; write one like `info` or `warn`")]
    Level {
        /// As it was written.
        level: String,
        /// Why.
        source: ParseError,
    },
    /// Something else of this process has set them up.
    #[error("cannot set the log lines up: they are already")]
    Already,
}

/// Writes lines of `level` (`error` `warn` `info` `debug` `trace`, also by part, like
/// `info,atalaya::entries=debug`) and above to standard error from now on.
pub fn start(level: &str, format: Format) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(level)
        .map_err(|source| LogError::Level { level: level.to_owned(), source })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let set = match format {
        Format::Text => lines.with_ansi(false).try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    set.map_err(|_| LogError::Already)
}

/// The lines of one committed entry, of target `atalaya::entries` and level debug, one an event:
/// whose it is, its number, what happened, who caused it (`agent:ID`, `token:UUID`, `system`), and
/// the last number of the entry, which what was decided together shares.
pub fn committed<'a>(by: &str, events: impl ExactSizeIterator<Item = (u64, &'a Recorded)> + Clone) {
    if !tracing::enabled!(target: "atalaya::entries", tracing::Level::DEBUG) {
        return;
    }
    let Some((entry, _)) = events.clone().last() else { return };
    let left_out = events.len().saturating_sub(LINES_MAX);
    for (seq, Recorded { entity, event, .. }) in events.take(LINES_MAX) {
        let event = event.name();
        tracing::debug!(target: "atalaya::entries", %entity, seq, event, by, entry, "committed");
    }
    if left_out > 0 {
        tracing::debug!(target: "atalaya::entries", seq = entry, left_out, "committed, and more");
    }
}

/// The line of a command that was not carried out, of the same target and level: to whom it was
/// said, the number of their last event, who said it, and why not.
pub fn refused(entity: &EntityId, seq: impl FnOnce() -> Option<u64>, by: &str, why: &dyn Error) {
    if !tracing::enabled!(target: "atalaya::entries", tracing::Level::DEBUG) {
        return;
    }
    let seq = seq();
    tracing::debug!(target: "atalaya::entries", %entity, seq, by, %why, "refused");
}
