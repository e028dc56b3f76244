//! `atalaya check-config` and `atalaya verify`: looking without touching.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::configure;
use crate::config::Mistakes;
use crate::journal::{
    self, CareError, Cut, Epoch, Key, KeyError, LogError, MANIFEST_FILE, RealDisk, Report,
};

/// Looks at an end that is no whole batch: one that a server is writing becomes whole meanwhile.
const END_LOOKS: u32 = 10;
/// Pause between two looks: longer than a sync on most disks.
const END_PAUSE: Duration = Duration::from_millis(50);

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
    /// A backup that is not as it was written.
    #[error(transparent)]
    Backup(#[from] CareError),
}

/// What a sound log holds: a line, and one more for each restore that it has seen.
#[derive(Debug)]
pub struct Sound {
    report: Report,
    backup: bool,
}

impl fmt::Display for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { epoch, epochs, segments, batches, events, chain, torn } = &self.report;
        let what = if self.backup { "sound, a backup" } else { "sound" };
        write!(f, "{what}: {segments} segments, {batches} batches, last seq {events}")?;
        if let Some(epoch) = epoch {
            write!(f, ", epoch {epoch}, chain {}", journal::hex(chain))?;
        }
        if let Some(Cut { segment, offset, bytes }) = torn {
            write!(
                f,
                "; {bytes} bytes after segment {segment} offset {offset} are no whole batch: being \
                 written, or torn (the next start cuts them) or, if the state has that batch, \
                 damaged (the next start refuses)",
            )?;
        }
        for Epoch { epoch, first_batch, first_seq } in epochs.iter().skip(1) {
            write!(f, "\nrestored: epoch {epoch} from batch {first_batch}, seq {first_seq}")?;
        }
        Ok(())
    }
}

/// Reads every byte of the log in the data folder or backup `dir`, beside a server or without one.
pub fn verify(dir: &Path) -> Result<Sound, VerifyError> {
    journal::refuse_unfinished(dir, &RealDisk).map_err(KeyError::from)?;
    let backup = dir.join(MANIFEST_FILE).is_file();
    if backup {
        journal::verify_backup(dir, &RealDisk)?;
    } else if !dir.join(journal::LOG_FOLDER).is_dir() {
        return Err(VerifyError::NoLog(dir.display().to_string()));
    }
    let key = Key::read(dir, &RealDisk)?.fingerprint();
    let mut report = journal::verify(dir, &RealDisk, key)?;
    for _ in 0..END_LOOKS {
        if report.torn.is_none() {
            break;
        }
        if journal::is_whole_now(dir, Arc::new(RealDisk), key, report.batches.saturating_add(1))? {
            // A server was writing it.
            report.torn = None;
        } else {
            std::thread::sleep(END_PAUSE);
        }
    }
    Ok(Sound { report, backup })
}
