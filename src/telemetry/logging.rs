//! Log lines: set up once for the process, and the one line of each committed entry.
//!
//! A line names entities by id and says what happened in the words of the log. Nothing personal is
//! in an event, so nothing personal comes into a line. Not here: the lines of single places, which
//! stand where the fact is.

use std::io::stderr;

use atalaya_domain::entry::Recorded;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Most events that a line names; an entry with more says how many.
const NAMED_MAX: usize = 16;

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

/// The line of one committed entry, of target `atalaya::entries` and level debug: who caused it
/// (`agent:ID`, `token:UUID`, `system`), what leads it, what happened, and its last number.
pub fn committed<'a>(by: &str, seq: u64, events: impl ExactSizeIterator<Item = &'a Recorded>) {
    if !tracing::enabled!(target: "atalaya::entries", tracing::Level::DEBUG) {
        return;
    }
    let count = events.len();
    let mut names = String::new();
    let mut entity = None;
    for recorded in events.take(NAMED_MAX) {
        entity.get_or_insert(&recorded.entity);
        if !names.is_empty() {
            names.push(' ');
        }
        names.push_str(recorded.event.name());
    }
    let Some(entity) = entity else { return };
    let events = names;
    tracing::debug!(target: "atalaya::entries", %entity, seq, by, count, events, "committed");
}
