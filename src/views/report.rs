//! Rows by interval: which there are in a time zone, and what each shows, in JSON and CSV alike.
//!
//! Intervals follow the zone's wall clock and are made of quarters of an hour UTC. Where clocks go
//! back an hour there are two rows for it, told apart by their offset; where they go forward it is
//! not there. Counting is `cells`', formulas are the domain's.

use atalaya_domain::ids::QueueId;
use atalaya_domain::kpi::{Sums, Treatment};
use atalaya_domain::time::{Span, Timestamp};
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};

use super::cells::{Cell, CellsAt, QUARTER_SPAN, quarter_of, quarter_start};

/// Most rows of one report: intervals by queues, some 600 bytes each.
pub const ROWS_MAX: usize = 10_000;
/// Most quarters that may be added to reach an interval's ends: more than a day has.
const TO_THE_ENDS_MAX: usize = 128;
/// The name of the row of sums.
const TOTALS: &str = "totals";

/// How long an interval is, on the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `15m`.
    Quarter,
    /// `30m`.
    Half,
    /// `1h`.
    Hour,
    /// `1d`.
    Day,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Half, Self::Hour, Self::Day];

    /// As it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarter => "15m",
            Self::Half => "30m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }

    const fn span(self) -> Span {
        match self {
            Self::Quarter => QUARTER_SPAN,
            Self::Half => Span::seconds(1_800),
            Self::Hour => Span::seconds(3_600),
            Self::Day => Span::seconds(86_400),
        }
    }
}

/// Why there are no such rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It ends before it begins.
    #[error("`to` lies before `from`")]
    Backwards,
    /// More than [`ROWS_MAX`].
    #[error("it has more than {ROWS_MAX} rows; ask for less time, longer intervals or one queue")]
    TooMany,
    /// The zone's clocks did not stand on quarters of an hour then.
    #[error("the zone's clocks do not stand on quarters of an hour UTC then; take another zone")]
    Uneven,
}

/// The intervals of a report.
#[derive(Debug, Clone)]
pub struct Plan {
    by: By,
    zone: TimeZone,
    from: Timestamp,
    /// Quarters from, and up to: one interval after the other.
    intervals: Vec<(i64, i64)>,
}

impl Plan {
    /// The whole intervals that hold the time from `from` up to, not including, `to`.
    pub fn new(from: Timestamp, to: Timestamp, by: By, zone: TimeZone) -> Result<Self, PlanError> {
        if to < from {
            return Err(PlanError::Backwards);
        }
        let most = Span(by.span().0.saturating_mul(i64::try_from(ROWS_MAX).unwrap_or(i64::MAX)));
        if most < to.since(from) {
            return Err(PlanError::TooMany);
        }
        let mut plan = Self { by, zone, from, intervals: Vec::new() };
        if from < to {
            plan.intervals = plan.between(quarter_of(from), quarter_of(to.minus(Span(1))) + 1)?;
        }
        Ok(plan)
    }

    fn between(&self, mut first: i64, mut end: i64) -> Result<Vec<(i64, i64)>, PlanError> {
        let begins = self.key(first)?;
        for _ in 0..TO_THE_ENDS_MAX {
            if self.key(first - 1)? != begins {
                break;
            }
            first -= 1;
        }
        let ends = self.key(end - 1)?;
        for _ in 0..TO_THE_ENDS_MAX {
            if self.key(end)? != ends {
                break;
            }
            end += 1;
        }
        let mut intervals: Vec<(i64, i64)> = Vec::new();
        let mut last = None;
        for quarter in first..end {
            let key = Some(self.key(quarter)?);
            match intervals.last_mut() {
                Some((_, end)) if last == key => *end = quarter + 1,
                Some(_) | None => intervals.push((quarter, quarter + 1)),
            }
            last = key;
        }
        Ok(intervals)
    }

    /// What all quarters of one interval have in common: its place on the wall clock, and, but for
    /// days, the offset.
    fn key(&self, quarter: i64) -> Result<(i64, i32), PlanError> {
        let start = quarter_start(quarter);
        let offset = self.offset(start).seconds();
        let wall = start.plus(Span::seconds(offset.into()));
        if wall.0.rem_euclid(QUARTER_SPAN.0) != 0 {
            return Err(PlanError::Uneven);
        }
        let told_apart = if self.by == By::Day { 0 } else { offset };
        Ok((wall.0.div_euclid(self.by.span().0), told_apart))
    }

    fn offset(&self, at: Timestamp) -> Offset {
        instant(at).map_or(Offset::UTC, |at| self.zone.to_offset(at))
    }

    /// The quarters that are to be counted: from, and up to.
    pub fn quarters(&self) -> (i64, i64) {
        let ends = self.intervals.first().zip(self.intervals.last());
        let nothing = quarter_of(self.from);
        ends.map_or((nothing, nothing), |((from, _), (_, to))| (*from, *to))
    }

    /// The rows of `cells`: by interval, then by queue.
    pub fn report(&self, cells: &CellsAt) -> Result<Report<'_>, PlanError> {
        let queues = cells.queues.len();
        if ROWS_MAX < self.intervals.len() * queues {
            return Err(PlanError::TooMany);
        }
        let mut rows: Vec<Row> = Vec::with_capacity(self.intervals.len() * queues);
        for (from, to) in &self.intervals {
            let row = |queue: &QueueId| Row {
                quarters: (*from, *to),
                queue: Some(queue.clone()),
                is_past: *to <= cells.past_to,
                cell: Cell::default(),
            };
            rows.extend(cells.queues.iter().map(row));
        }
        for ((quarter, queue), cell) in &cells.here {
            let after = self.intervals.partition_point(|(from, _)| from <= quarter);
            let place = after.checked_sub(1).zip(cells.queues.binary_search(queue).ok());
            let row = place.and_then(|(interval, queue)| rows.get_mut(interval * queues + queue));
            if let Some(row) = row {
                row.cell.add(cell);
            }
        }
        let quarters = self.quarters();
        let mut totals = Row {
            quarters,
            queue: None,
            is_past: quarters.1 <= cells.past_to,
            cell: Cell::default(),
        };
        for row in &rows {
            totals.cell.add(&row.cell);
        }
        Ok(Report { plan: self, rows, totals })
    }
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.0).ok()
}

/// One interval of one queue, or of all.
#[derive(Debug, Clone)]
struct Row {
    quarters: (i64, i64),
    queue: Option<QueueId>,
    is_past: bool,
    cell: Cell,
}

/// The rows of a plan, of one sequence number.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    plan: &'a Plan,
    rows: Vec<Row>,
    totals: Row,
}

/// The members of a row, in the order of the columns.
pub const COLUMNS: [&str; 23] = [
    "from",
    "to",
    "queue",
    "closed",
    "offered",
    "answered",
    "answered_within",
    "abandoned",
    "short_abandoned",
    "abandoned_within",
    "refused",
    "overflowed_out",
    "transferred_out",
    "callbacks",
    "still_waiting",
    "service_level",
    "service_level_abandons_ignored",
    "service_level_abandons_in_time_count",
    "asa_s",
    "mean_wait_s",
    "aht_s",
    "abandonment_rate",
    "longest_wait_s",
];

impl Report<'_> {
    /// The rows, and the row of their sums.
    pub fn json(&self) -> (Value, Value) {
        let object = |row: &Row| {
            let named = COLUMNS.into_iter().zip(self.values(row));
            Value::Object(
                named.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
            )
        };
        (self.rows.iter().map(object).collect(), object(&self.totals))
    }

    /// The same as lines: names, rows, and the row of their sums last. Neither a slug nor an
    /// instant has a comma.
    pub fn csv(&self) -> String {
        let mut text = COLUMNS.join(",");
        text.push('\n');
        for row in self.rows.iter().chain([&self.totals]) {
            let values = self.values(row).map(|value| match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            });
            text.push_str(&values.join(","));
            text.push('\n');
        }
        text
    }

    fn values(&self, row: &Row) -> [Value; COLUMNS.len()] {
        let Cell { sums, waiting, open } = row.cell;
        let Sums { offered, refused, counts, .. } = sums;
        let level = |treatment| json!(sums.service_level(treatment));
        let (from, to) = row.quarters;
        [
            json!(self.wall(quarter_start(from))),
            json!(self.wall(quarter_start(to))),
            json!(row.queue.as_ref().map_or(TOTALS, QueueId::as_str)),
            json!(row.is_past && open == 0),
            json!(offered),
            json!(counts.answered),
            json!(counts.answered_within),
            json!(counts.abandoned),
            json!(counts.short_abandoned),
            json!(counts.abandoned_within),
            json!(refused),
            json!(sums.overflowed_out()),
            json!(sums.transferred_out()),
            json!(sums.callbacks()),
            json!(waiting),
            level(Treatment::Standard),
            level(Treatment::AbandonsIgnored),
            level(Treatment::AbandonsInTimeCount),
            json!(sums.asa_s()),
            json!(sums.mean_wait_s()),
            json!(sums.aht_s()),
            json!(sums.abandonment_rate()),
            json!(sums.longest.map(Span::as_seconds)),
        ]
    }

    /// RFC 3339 with the zone's offset.
    fn wall(&self, at: Timestamp) -> String {
        let offset = self.plan.offset(at);
        instant(at).map_or_else(
            || super::rfc3339(at),
            |instant| instant.display_with_offset(offset).to_string(),
        )
    }
}
