//! `atalaya export`: the committed events as `/events` gives them, one JSON object a line, from key
//! and log alone, beside a server or without one.
//!
//! Events carry nothing personal, and the sections that do are not read. It ends where the log
//! ended when it began; that end is made durable first, so that no number is given out which the
//! log may still give to another event.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::journal::recorder::entries;
use crate::journal::{self, FoldError, Key, KeyError, LogError, LogReader, RealDisk, settled_end};
use crate::views::event_json;

/// Why the events were not told, or not all.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is nothing to read.
    #[error("cannot export {}: there is no log in it; name a data folder", .0.display())]
    NoLog(PathBuf),
    /// There is no key that fits.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Damage, or something that cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A batch holds what this program does not know.
    #[error("cannot read batch {batch}: {source}")]
    Records {
        /// Its number.
        batch: u64,
        /// What it is.
        source: FoldError,
    },
    /// Nobody takes it.
    #[error("cannot write the events: {0}")]
    Write(io::Error),
}

/// Writes the events after the number `after` to `out`; how many. Whoever reads may stop reading.
pub fn run(data: &Path, after: u64, out: &mut impl Write) -> Result<u64, ExportError> {
    journal::refuse_unfinished(data, &RealDisk).map_err(KeyError::from)?;
    if !data.join(journal::LOG_FOLDER).is_dir() {
        return Err(ExportError::NoLog(data.to_path_buf()));
    }
    let key = Key::read(data, &RealDisk)?.fingerprint();
    let last = settled_end(data, &RealDisk, key)?;
    let reader = LogReader::outside(data, Arc::new(RealDisk), key);
    let mut out = BufWriter::new(out);
    let mut told = 0;
    let mut batches = reader.from_seq(after.saturating_add(1))?;
    while let Some(decoded) = batches.next_batch()?.filter(|next| next.batch.number <= last) {
        let batch = decoded.batch.number;
        let entries = entries(decoded.batch);
        let entries = entries.map_err(|error| ExportError::Records { batch, source: error.into() });
        for entry in entries? {
            for numbered in entry.events.iter().filter(|numbered| after < numbered.seq) {
                let by = &entry.cause.by;
                let event = event_json(numbered.seq, by, &numbered.recorded, Some(entry.now));
                match writeln!(out, "{event}") {
                    Err(error) => return gone(error, told),
                    Ok(()) => told += 1,
                }
            }
        }
    }
    out.flush().map_or_else(|error| gone(error, told), |()| Ok(told))
}

/// Whoever closes the pipe has had enough.
fn gone(error: io::Error, told: u64) -> Result<u64, ExportError> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(told),
        _ => Err(ExportError::Write(error)),
    }
}
