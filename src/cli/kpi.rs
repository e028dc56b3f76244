//! `atalaya kpi`: every key figure of a contacts file, by group.
//!
//! The formulas are the domain's; here contacts are put into groups and the figures are named.
//! A group in which nobody arrived is not there; one without anything to divide by has no figure.

mod contacts;
mod print;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use atalaya_domain::ids::QueueId;
use atalaya_domain::kpi::{Bounds, Tally};
use atalaya_domain::time::{MICROS_PER_SECOND, Span, Timestamp};
use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use contacts::{ContactsError, FILE_BYTES_MAX};

const MINUTE: i64 = 60 * MICROS_PER_SECOND;
const DAY: i64 = 1_440 * MINUTE;
/// Length of an interval, in minutes.
const INTERVAL_MINUTES: i64 = 15;

/// What is asked for.
#[derive(Debug, Clone, Args)]
pub struct Wanted {
    /// The contacts, one row each, as `replay --contacts` writes them
    pub file: PathBuf,
    /// The target of the service level, inclusive
    #[arg(long, default_value = "20s", value_parser = bound)]
    pub within: Span,
    /// Who leaves within it is a short abandon, inclusive
    #[arg(long, default_value = "5s", value_parser = bound)]
    pub short_abandon: Span,
    /// One group each of the arrival's day, hour or quarter hour (UTC) or the last queue, or of
    /// several of them, like `day,queue`; left out: all contacts in one
    #[arg(long, value_delimiter = ',')]
    pub by: Vec<By>,
    /// The instant from which the file counts its seconds, RFC 3339; days, hours and intervals
    /// need it
    #[arg(long, required_if_eq_any = [("by", "day"), ("by", "hour"), ("by", "interval")])]
    pub start: Option<jiff::Timestamp>,
    /// How the figures are printed
    #[arg(long, default_value = "text")]
    pub format: Format,
}

/// What contacts are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The day of arrival, UTC
    Day,
    /// The day and hour of arrival, UTC
    Hour,
    /// The day and quarter hour of arrival, UTC
    Interval,
    /// The last queue
    Queue,
}

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// A list of objects
    Json,
    /// One row a group
    Csv,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum KpiError {
    /// The file cannot be taken.
    #[error(transparent)]
    Contacts(#[from] ContactsError),
    /// Nobody takes the answer.
    #[error("failed to write the figures: {0}")]
    Write(#[from] std::io::Error),
}

/// What the contacts of a group have in common, in the order in which groups are shown. Times of
/// the day are in minutes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Group {
    day: Option<Date>,
    hour: Option<i64>,
    interval: Option<i64>,
    queue: Option<QueueId>,
}

/// Reads the whole file, then writes the figures: of a broken file there are none.
pub fn run(wanted: &Wanted, to: &mut impl Write) -> Result<(), KpiError> {
    let bounds = Bounds { within: wanted.within, short_abandon: wanted.short_abandon };
    let mut groups: BTreeMap<Group, Tally> = BTreeMap::new();
    if wanted.by.is_empty() {
        // Asked for whether or not anybody arrived.
        groups.insert(Group::default(), Tally::new(bounds));
    }
    contacts::read(&wanted.file, |row| {
        let group = group(wanted, &row)?;
        groups.entry(group).or_insert_with(|| Tally::new(bounds)).count(row.outcome);
        Ok(())
    })?;
    let groups: Vec<_> =
        groups.into_iter().map(|(group, tally)| (group.members(), tally.figures())).collect();
    match wanted.format {
        Format::Text => print::text(&groups, bounds, to)?,
        Format::Json => print::json(&groups, to)?,
        Format::Csv => print::csv(&titles(&wanted.by), &groups, to)?,
    }
    to.flush()?;
    Ok(())
}

fn group(wanted: &Wanted, row: &contacts::Row) -> Result<Group, contacts::Wrong> {
    let by = |by| wanted.by.contains(&by);
    let mut group = Group { queue: by(By::Queue).then(|| row.queue.clone()), ..Group::default() };
    let Some(start) = wanted.start else { return Ok(group) };
    let at = Timestamp(start.as_microsecond()).plus(row.arrived);
    let day = jiff::Timestamp::from_microsecond(at.0);
    let day = day.map_err(|_| ("arrived_s", "it is beyond the year 9999".to_owned()))?;
    let minutes = at.0.rem_euclid(DAY) / MINUTE;
    let timed = by(By::Day) || by(By::Hour) || by(By::Interval);
    group.day = timed.then(|| TimeZone::UTC.to_datetime(day).date());
    group.hour = by(By::Hour).then_some(minutes / 60 * 60);
    group.interval = by(By::Interval).then_some(minutes / INTERVAL_MINUTES * INTERVAL_MINUTES);
    Ok(group)
}

/// The members of the groups, in order; hours and intervals have their day with them.
fn titles(by: &[By]) -> Vec<&'static str> {
    let timed = by.iter().any(|by| *by != By::Queue);
    let titles = [
        ("day", timed),
        ("hour", by.contains(&By::Hour)),
        ("interval", by.contains(&By::Interval)),
        ("queue", by.contains(&By::Queue)),
    ];
    titles.iter().filter(|(_, there)| *there).map(|(title, _)| *title).collect()
}

impl Group {
    fn members(&self) -> Vec<(&'static str, String)> {
        let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let members = [
            ("day", self.day.map(|day| day.to_string())),
            ("hour", self.hour.map(clock)),
            ("interval", self.interval.map(clock)),
            ("queue", self.queue.as_ref().map(ToString::to_string)),
        ];
        members.into_iter().filter_map(|(title, value)| Some((title, value?))).collect()
    }
}

fn bound(text: &str) -> Result<Span, String> {
    let span = Span::parse(text).map_err(|error| error.to_string())?;
    let fine = Some(span).filter(|span| *span >= Span::ZERO);
    fine.ok_or_else(|| "a bound is not negative".to_owned())
}
