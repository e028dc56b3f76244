//! The raw log of a call centre's day: a CSV file as it was kept, oddities and all.
//!
//! [`read`] takes the calls of one day, infers queues, staff, services and patience from them, and
//! gives a [`Scenario`] with an [`Account`] of what was read, what was left out and why, and how
//! everything was inferred. A line that cannot be read is left out and named; only a file that is
//! not of this form at all is refused. Playing the day is not here.

pub mod account;
mod call;
mod lines;
mod patience;
mod print;
mod sift;
mod staff;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use atalaya_domain::ids::SlugError;
use atalaya_domain::time::{Span, Timestamp};
use jiff::civil::Date;

use crate::simulation::scenario::Scenario;
use account::{Account, Lines, count};
use call::{Call, Reader};
use lines::Wrong;
use patience::Patience;

/// Largest file that is read, in bytes; a larger one is refused. Over two million calls.
pub const FILE_BYTES_MAX: u64 = 256 << 20;
/// Most queues that a day may have; more are refused, since `type` cannot be what it should.
pub const QUEUES_MAX: usize = 64;
/// Most days that an error lists; the rest is counted.
const DAYS_LISTED_MAX: usize = 40;
/// One day.
const DAY: Span = Span::seconds(86_400);

/// A day of the log, ready to be played.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The day.
    pub scenario: Scenario,
    /// How it came about.
    pub account: Account,
}

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    /// It cannot be read at all.
    #[error("cannot read {}: {source}: name a log of calls", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than [`FILE_BYTES_MAX`].
    #[error("cannot take {}: it is larger than {FILE_BYTES_MAX} bytes: split it", .0.display())]
    TooLarge(PathBuf),
    /// Its header is not that of such a log.
    #[error("cannot take {}:1: {what}", .file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// It has no line that can be read.
    #[error(
        "cannot replay {}: it has no call that can be read{}",
        .file.display(),
        first_of(.first.as_ref())
    )]
    Nothing {
        /// The file.
        file: PathBuf,
        /// What is wrong with its first line.
        first: Option<String>,
    },
    /// It has several days and none is named.
    #[error(
        "cannot replay {}: it has several days: add --day with one of {days}",
        .file.display()
    )]
    Which {
        /// The file.
        file: PathBuf,
        /// The days.
        days: String,
    },
    /// The day is not in it.
    #[error(
        "cannot replay {day}: {} goes from {first} to {last}: name a day of it",
        .file.display()
    )]
    NoSuchDay {
        /// The file.
        file: PathBuf,
        /// The day that was named.
        day: Date,
        /// The first that it has.
        first: Date,
        /// The last.
        last: Date,
    },
    /// Nothing of the day can be played.
    #[error("cannot replay {day}: every one of its {lines} calls is left out; {why}")]
    NothingLeft {
        /// The day.
        day: Date,
        /// Its calls.
        lines: u64,
        /// Why, in words.
        why: String,
    },
    /// More queues than [`QUEUES_MAX`].
    #[error(
        "cannot replay {day}: its calls are of {types} types and a day has at most {QUEUES_MAX}: \
         look whether `type` is the right column"
    )]
    TooManyQueues {
        /// The day.
        day: Date,
        /// How many.
        types: usize,
    },
    /// A word of this program is none.
    #[error(transparent)]
    Word(#[from] SlugError),
    /// A scenario has its own day.
    #[error("cannot take --day with {}: a scenario is one day; leave --day out", .0.display())]
    OneDay(PathBuf),
}

fn first_of(first: Option<&String>) -> String {
    first.map(|what| format!("; {what}")).unwrap_or_default()
}

/// Whether `file` is a log of calls rather than a scenario: its name ends so.
pub fn is_log(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// Reads the calls of `day`, or of the only day that the file has.
pub fn read(file: &Path, day: Option<Date>) -> Result<Recorded, RawError> {
    Log::read(file)?.day(day)
}

/// A log that has been read: the calls of all its days.
pub struct Log {
    file: PathBuf,
    /// In file order.
    calls: Vec<Call>,
    read: u64,
    blank: u64,
    broken: Vec<(u64, Wrong)>,
    patience: Patience,
}

impl Log {
    /// Reads all lines; those that cannot be read are kept apart.
    pub fn read(file: &Path) -> Result<Self, RawError> {
        let text = bytes(file)?;
        let file = file.to_owned();
        let mut lines = match Reader::new(&text) {
            Ok(lines) => lines,
            Err(what) => return Err(RawError::Header { file, what }),
        };
        let calls: Vec<Call> = lines.by_ref().collect();
        let Reader { read, blank, broken, .. } = lines;
        let patience = Patience::new(calls.iter().filter(|call| sift::why(call).is_none()));
        Ok(Self { file, calls, read, blank, broken, patience })
    }

    /// That day, or the only one, as a scenario.
    pub fn day(&self, day: Option<Date>) -> Result<Recorded, RawError> {
        let day = self.choose(day)?;
        let (of_day, others): (Vec<&Call>, Vec<&Call>) =
            self.calls.iter().partition(|call| call.date == day);
        let sifted = sift::sift(&of_day);
        let lines = Lines {
            read: self.read,
            blank: self.blank,
            broken: count(self.broken.len()),
            of_other_days: count(others.len()),
            of_day: count(of_day.len()),
        };
        if sifted.taken.is_empty() {
            let (lines, why) = (lines.of_day, sifted.said());
            return Err(RawError::NothingLeft { day, lines, why });
        }
        let staff = staff::Staff::new(&sifted.taken);
        if staff.queues.len() > QUEUES_MAX {
            return Err(RawError::TooManyQueues { day, types: staff.queues.len() });
        }
        let file = self.file.file_name().unwrap_or(self.file.as_os_str());
        let file = file.to_string_lossy().into_owned();
        let named = (format!("{file} {day}"), midnight(day));
        let scenario = staff.scenario(named, &sifted.taken, &self.patience, &staff::Words::new()?);
        let read = account::Read { file, day, lines, broken: &self.broken };
        let account = Account::new(read, &sifted, &staff, &self.patience);
        Ok(Recorded { scenario, account })
    }

    fn choose(&self, day: Option<Date>) -> Result<Date, RawError> {
        let days: BTreeSet<Date> = self.calls.iter().map(|call| call.date).collect();
        let file = self.file.clone();
        let (Some(&first), Some(&last)) = (days.first(), days.last()) else {
            let first = self.broken.first().map(|(line, wrong)| format!("line {line}: {wrong}"));
            return Err(RawError::Nothing { file, first });
        };
        match day {
            Some(day) if days.contains(&day) => Ok(day),
            Some(day) => Err(RawError::NoSuchDay { file, day, first, last }),
            None if first == last => Ok(first),
            None => {
                let listed: Vec<_> =
                    days.iter().take(DAYS_LISTED_MAX).map(Date::to_string).collect();
                let more = days.len().saturating_sub(DAYS_LISTED_MAX);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                Err(RawError::Which { file, days: listed.join(", ") + &more })
            }
        }
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, RawError> {
    let mut text = Vec::new();
    let opened = File::open(file);
    let read = opened.and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut text));
    let read = read.map_err(|source| RawError::Read { file: file.to_owned(), source })?;
    if u64::try_from(read).is_ok_and(|read| read <= FILE_BYTES_MAX) {
        return Ok(text);
    }
    Err(RawError::TooLarge(file.to_owned()))
}

/// The day's first instant; the log names no zone, so its clock is taken for UTC.
fn midnight(day: Date) -> Timestamp {
    let days = (day - Date::new(1970, 1, 1).unwrap_or(Date::ZERO)).get_days();
    Timestamp::default().plus(Span(DAY.0.saturating_mul(i64::from(days))))
}
