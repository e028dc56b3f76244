//! Business time: when time counts, how much of it lies between two instants, and when so much of
//! it will have been worked.
//!
//! Local times become instants as RFC 5545 says: one that does not exist is read with the offset
//! before the change, one that comes twice is the first. So a day's intervals may come out empty,
//! cover each other, or lie in the next day; time covered twice counts once. Nothing here counts
//! iterations: a closure may be of any length. Not here: the names of zones, and whose clock it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::time::{Span, Timestamp};

/// Days looked at at once, at first and at most: a due date is mostly near, a closure may be long.
const DAYS_FIRST: i64 = 4;
const DAYS_MAX: i64 = 128;
/// Local days beside a stretch of time whose hours may reach into it: no change of clock is longer
/// than a day (Samoa left one out).
const DAYS_BESIDE: i64 = 2;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// From inclusive, to exclusive, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hours {
    /// When they begin.
    pub from: Time,
    /// When they end; `None`: at 24:00.
    pub to: Option<Time>,
}

/// The hours of each day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Week([Vec<Hours>; 7]);

/// When time counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
    week: Week,
    holidays: BTreeSet<Date>,
    exceptions: BTreeMap<Date, Vec<Hours>>,
}

/// Where a calendar's mistake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the week, on such a day.
    Week(Weekday),
    /// In the exception of such a date.
    Exception(Date),
}

/// Why a calendar cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Nothing would ever be due.
    #[error("has no hours on any day of the week, so nothing would ever be due: give some")]
    NoHours,
    /// The `at`-th hours of a day end before they begin, or at once.
    #[error("hours end at or before their beginning: give a later end")]
    Backward { place: Place, at: usize },
    /// The `at`-th hours of a day share time with others of it.
    #[error("hours overlap with others of the same day: give them once")]
    Overlap { place: Place, at: usize },
}

/// Why a stretch of time does or does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It counts.
    Open,
    /// Outside the hours of the week.
    Closed,
    /// On a holiday.
    Holiday,
    /// Outside the hours of an exception.
    Exception,
}

/// A stretch of time that does not count though it may be open; the last may have no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pause {
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None`: not yet.
    pub to: Option<Timestamp>,
}

/// A stretch of open time, to exclusive.
type Stretch = (Timestamp, Timestamp);

impl Week {
    /// Sets the hours of `day`.
    #[must_use]
    pub fn with(mut self, day: Weekday, hours: Vec<Hours>) -> Self {
        if let Some(place) = self.0.get_mut(index(day)) {
            *place = hours;
        }
        self
    }

    /// The hours of `day`.
    pub fn of(&self, day: Weekday) -> &[Hours] {
        self.0.get(index(day)).map_or(&[], Vec::as_slice)
    }
}

impl Calendar {
    /// A calendar, if it can stand. An exception replaces the hours of its date, also a holiday's.
    pub fn new(
        zone: TimeZone,
        week: Week,
        holidays: BTreeSet<Date>,
        exceptions: BTreeMap<Date, Vec<Hours>>,
    ) -> Result<Self, CalendarError> {
        for day in Weekday::Monday.cycle_forward().take(7) {
            sound(Place::Week(day), week.of(day))?;
        }
        for (date, hours) in &exceptions {
            sound(Place::Exception(*date), hours)?;
        }
        if week.0.iter().all(Vec::is_empty) {
            return Err(CalendarError::NoHours);
        }
        Ok(Self { zone, week, holidays, exceptions })
    }

    /// Whose local time it is.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The open time from `from` to `to`, less the pauses.
    pub fn worked(&self, from: Timestamp, to: Timestamp, pauses: &[Pause]) -> Span {
        let (mut sum, mut at) = (Span::ZERO, from);
        for days in spans_of_days() {
            if at >= to {
                break;
            }
            let end = at.plus(days).min(to);
            for (from, to) in without(self.open(at, end), pauses) {
                sum.0 += to.since(from).0;
            }
            at = end;
        }
        sum
    }

    /// The earliest instant at which the time worked since `from` reaches `span`: so it may be a
    /// closing time, never the opening after it. `None`: a pause without an end, or the end of
    /// time, comes before.
    pub fn reached(&self, from: Timestamp, span: Span, pauses: &[Pause]) -> Option<Timestamp> {
        if span.0 <= 0 {
            return Some(from);
        }
        let forever = pauses.iter().find(|pause| pause.to.is_none()).map(|pause| pause.from);
        let last = forever.unwrap_or_else(|| of_jiff(jiff::Timestamp::MAX));
        let (mut left, mut at) = (span, from);
        for days in spans_of_days() {
            if at >= last {
                break;
            }
            let end = at.plus(days).min(last);
            for (from, to) in without(self.open(at, end), pauses) {
                let length = to.since(from);
                if left <= length {
                    return Some(from.plus(left));
                }
                left.0 -= length.0;
            }
            at = end;
        }
        None
    }

    /// Why the time from `from` to `to` counts or does not, without gap; neighbours differ.
    pub fn told(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp, Why)> {
        let mut told: Vec<(Timestamp, Timestamp, Why)> = Vec::new();
        let mut add = |from: Timestamp, to: Timestamp, why: Why| match told.last_mut() {
            _ if from >= to => (),
            Some((_, end, same)) if *same == why => *end = to,
            Some(_) | None => told.push((from, to, why)),
        };
        let mut at = from;
        for (open, close) in self.open(from, to) {
            self.shut(at, open, &mut add);
            add(open, close, Why::Open);
            at = close;
        }
        self.shut(at, to, &mut add);
        told
    }

    /// Why each local day from `from` to `to`, all of it not open, is not.
    fn shut(
        &self,
        from: Timestamp,
        to: Timestamp,
        add: &mut impl FnMut(Timestamp, Timestamp, Why),
    ) {
        let mut at = from;
        while at < to {
            let date = self.zone.to_datetime(to_jiff(at)).date();
            let midnight =
                date.tomorrow().ok().and_then(|next| self.instant(next, Time::midnight()));
            let end = midnight.filter(|end| *end > at).map_or(to, |end| end.min(to));
            add(at, end, self.day(date).1);
            at = end;
        }
    }

    /// Hours of a local date, and why the rest of it is not open.
    fn day(&self, date: Date) -> (&[Hours], Why) {
        match self.exceptions.get(&date) {
            Some(hours) => (hours, Why::Exception),
            None if self.holidays.contains(&date) => (&[], Why::Holiday),
            None => (self.week.of(date.weekday()), Why::Closed),
        }
    }

    /// The open stretches from `from` to `to`, in order, apart from each other.
    fn open(&self, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
        let date = |at: Timestamp| self.zone.to_datetime(to_jiff(at)).date();
        let beside = DAYS_BESIDE.days();
        let mut day = date(from).saturating_sub(beside);
        let last = date(to).saturating_add(beside);
        let mut stretches = Vec::new();
        while day <= last {
            let hours = self.day(day).0.iter();
            stretches.extend(hours.filter_map(|hours| self.stretch(day, *hours)));
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        stretches.sort_unstable();
        let (mut open, mut covered): (Vec<Stretch>, _) = (Vec::new(), from);
        for (begin, end) in stretches {
            let (begin, end) = (begin.max(covered), end.min(to));
            if begin >= end {
                continue;
            }
            match open.last_mut() {
                Some((_, before)) if *before == begin => *before = end,
                Some(_) | None => open.push((begin, end)),
            }
            covered = end;
        }
        open
    }

    /// `hours` on `date`, as instants; `None`: the change of clock leaves nothing of them.
    fn stretch(&self, date: Date, hours: Hours) -> Option<Stretch> {
        let from = self.instant(date, hours.from)?;
        let to = match hours.to {
            Some(time) => self.instant(date, time)?,
            None => self.instant(date.tomorrow().ok()?, Time::midnight())?,
        };
        (from < to).then_some((from, to))
    }

    /// RFC 5545's reading of a local time.
    fn instant(&self, date: Date, time: Time) -> Option<Timestamp> {
        let local = self.zone.to_ambiguous_timestamp(date.to_datetime(time));
        local.compatible().ok().map(of_jiff)
    }
}

/// Lengths of the stretches that a search goes through, growing.
fn spans_of_days() -> impl Iterator<Item = Span> {
    let days = std::iter::successors(Some(DAYS_FIRST), |days| Some((days * 2).min(DAYS_MAX)));
    days.map(|days| Span(days * MICROS_PER_DAY))
}

/// `open` without the pauses, which are in order and apart.
fn without(open: Vec<Stretch>, pauses: &[Pause]) -> Vec<Stretch> {
    let mut left = Vec::with_capacity(open.len());
    for (mut from, to) in open {
        for pause in pauses {
            let end = pause.to.unwrap_or(Timestamp(i64::MAX));
            if end <= from {
                continue;
            }
            if pause.from >= to {
                break;
            }
            if from < pause.from {
                left.push((from, pause.from));
            }
            from = end;
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

/// Whether the hours of one day can stand.
fn sound(place: Place, hours: &[Hours]) -> Result<(), CalendarError> {
    let ends_after = |end: Option<Time>, time: Time| end.is_none_or(|end| time < end);
    for (at, one) in hours.iter().enumerate() {
        if !ends_after(one.to, one.from) {
            return Err(CalendarError::Backward { place, at });
        }
        let before = hours.iter().take(at);
        let mut shared =
            before.filter(|other| ends_after(other.to, one.from) && ends_after(one.to, other.from));
        if shared.next().is_some() {
            return Err(CalendarError::Overlap { place, at });
        }
    }
    Ok(())
}

fn index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()
}

/// An instant beyond the calendar's ends is its end.
fn to_jiff(at: Timestamp) -> jiff::Timestamp {
    let end = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.0).unwrap_or(end)
}

fn of_jiff(at: jiff::Timestamp) -> Timestamp {
    Timestamp(at.as_microsecond())
}
