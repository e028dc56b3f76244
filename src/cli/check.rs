//! `atalaya check-config` and `atalaya verify`: looking without touching.

use std::fmt;
use std::path::Path;

use super::configure;
use crate::config::Mistakes;
use crate::journal::{self, Key, KeyError, LogError, RealDisk, Report};

/// Reads the file `path` as a start would; says what is in it.
pub fn config(path: &Path) -> Result<String, Mistakes> {
    let config = configure::read(path)?;
    let (queues, agents) = (config.queues.len(), config.agents.len());
    let zone = config.centre.time_zone.iana_name().unwrap_or("UTC").to_owned();
    let (file, name) = (path.display(), &config.centre.name);
    Ok(format!("{file}: {name}: {queues} queues, {agents} agents, days of {zone}"))
}

/// Why a log is not known to be sound.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is nothing to read.
    #[error("cannot verify {0}: there is no log in it; name a data folder with --data")]
    NoLog(String),
    /// There is no key that fits.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Damage, or something that cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What a sound log holds, in a line.
#[derive(Debug)]
pub struct Sound(Report);

impl fmt::Display for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { segments, batches, events, torn, .. } = &self.0;
        write!(f, "sound: {segments} segments, {batches} batches, last seq {events}")?;
        match torn {
            None => Ok(()),
            Some(cut) => write!(
                f,
                "; {} bytes after segment {} offset {} are being written, or torn: the next start \
                 cuts them, they were never acknowledged",
                cut.bytes, cut.segment, cut.offset
            ),
        }
    }
}

/// Reads every byte of the log in the data folder `dir`, beside a server or without one.
pub fn verify(dir: &Path) -> Result<Sound, VerifyError> {
    if !dir.join(journal::LOG_FOLDER).is_dir() {
        return Err(VerifyError::NoLog(dir.display().to_string()));
    }
    let key = Key::read(dir, &RealDisk)?;
    let report = journal::verify(dir, &RealDisk, key.fingerprint())?;
    Ok(Sound(report))
}
