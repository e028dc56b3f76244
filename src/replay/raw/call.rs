//! A call as its line tells it: columns by their titles, in any order, and what each may hold.
//!
//! Columns that nothing is made of are not looked at. What is odd but can be read is a call all the
//! same; `sift` judges it.

use std::collections::HashMap;

use atalaya_domain::ids::{AgentId, QueueId};
use atalaya_domain::time::Span;
use jiff::civil::Date;

use super::DAY;
use super::lines::{Wrong, lines, shown, values};

/// Longest name of a call, in bytes.
const REC_BYTES_MAX: usize = 64;
/// Most flags of one call; a line with more is broken.
const FLAGS_MAX: usize = 16;
/// The columns that are read.
const COLUMNS: [&str; 16] = [
    "rec",
    "date",
    "priority",
    "type",
    "vru_entry_s",
    "vru_exit_s",
    "q_start_s",
    "q_exit_s",
    "ser_start_s",
    "ser_exit_s",
    "vru_time_s",
    "q_time_s",
    "ser_time_s",
    "outcome",
    "agent",
    "flags",
];

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Served,
    HungUp,
    Phantom,
}

/// One line; instants are spans from midnight of its date.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) line: u64,
    pub(super) rec: String,
    pub(super) date: Date,
    pub(super) is_vip: bool,
    pub(super) queue: QueueId,
    pub(super) vru_exit: Span,
    pub(super) q_start: Span,
    pub(super) q_exit: Span,
    pub(super) ser_start: Span,
    pub(super) ser_exit: Span,
    /// As recorded, also negative.
    pub(super) vru_time: Span,
    pub(super) q_time: Span,
    pub(super) ser_time: Span,
    pub(super) ended: Ended,
    pub(super) agent: Option<AgentId>,
    pub(super) flags: Vec<String>,
}

impl Call {
    /// 0 stands for no queueing, but midnight is 0 too.
    pub(super) fn queued(&self) -> bool {
        self.q_start != Span::ZERO || self.q_time != Span::ZERO
    }

    /// When it asked for an agent.
    pub(super) fn arrived(&self) -> Span {
        if self.queued() { later(self.vru_exit, self.q_start) } else { self.vru_exit }
    }

    /// When its service began, where that is recorded.
    pub(super) fn began(&self) -> Option<Span> {
        let is_recorded = self.ser_start != Span::ZERO || self.ser_time != Span::ZERO;
        is_recorded.then(|| later(self.arrived(), self.ser_start))
    }
}

/// `instant` of the same day as `before`, or of the next where the clock went past midnight.
pub(super) fn later(before: Span, instant: Span) -> Span {
    let is_past = before.0.saturating_sub(instant.0) > DAY.0 / 2;
    if is_past { Span(instant.0.saturating_add(DAY.0)) } else { instant }
}

/// The calls of a file, in its order; lines that cannot be read are kept apart.
pub(super) struct Reader<'a> {
    lines: Box<dyn Iterator<Item = (u64, &'a [u8])> + 'a>,
    titles: Vec<String>,
    places: [usize; COLUMNS.len()],
    seen: HashMap<String, u64>,
    /// Lines after the header.
    pub(super) read: u64,
    /// Lines with nothing in them.
    pub(super) blank: u64,
    /// Lines that cannot be read, each with its number.
    pub(super) broken: Vec<(u64, Wrong)>,
}

impl<'a> Reader<'a> {
    /// Reads the header; what is wrong with it, in words.
    pub(super) fn new(text: &'a [u8]) -> Result<Self, String> {
        let mut lines = Box::new(lines(text));
        let (_, header) =
            lines.next().filter(|(_, header)| !header.is_empty()).ok_or_else(|| {
                "it begins with no header: give a log of calls whose first line names its columns"
                    .to_owned()
            })?;
        let titles = values(header, |place| format!("column {}", place + 1))
            .map_err(|wrong| wrong.to_string())?;
        let find = |column: &str| titles.iter().position(|title| title == column);
        let missing: Vec<_> = COLUMNS.iter().filter(|column| find(column).is_none()).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|column| format!("`{column}`")).collect();
            return Err(format!(
                "its header lacks {} of the {} columns of a log of calls: {}; give such a log, or \
                 a scenario whose [recorded] names this file's columns",
                names.len(),
                COLUMNS.len(),
                names.join(", ")
            ));
        }
        let twice = COLUMNS
            .iter()
            .find(|column| titles.iter().filter(|title| title == *column).count() > 1);
        if let Some(column) = twice {
            return Err(format!("its header has `{column}` twice: rename one"));
        }
        let places = COLUMNS.map(|column| find(column).unwrap_or_default());
        let (seen, broken) = (HashMap::new(), Vec::new());
        Ok(Self { lines, titles, places, seen, read: 0, blank: 0, broken })
    }

    fn call(&mut self, line: u64, text: &[u8]) -> Result<Call, Wrong> {
        let title = |place: usize| match self.titles.get(place) {
            Some(title) => title.clone(),
            None => "the end of the line".to_owned(),
        };
        let values = values(text, title)?;
        let (has, needs) = (values.len(), self.titles.len());
        if has != needs {
            let kind = if has < needs { "too_few_values" } else { "too_many_values" };
            let what = format!("the line has {has} values and the header {needs}: make them equal");
            return Err(Wrong::new(kind, &title(has.min(needs)), what));
        }
        let call = parsed(line, &self.places.map(|place| values[place].as_str()))?;
        if let Some(first) = self.seen.get(&call.rec) {
            let what = format!("`{}` is on line {first} already: take one out", shown(&call.rec));
            return Err(Wrong::new("rec_twice", "rec", what));
        }
        self.seen.insert(call.rec.clone(), line);
        Ok(call)
    }
}

impl Iterator for Reader<'_> {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        loop {
            let (line, text) = self.lines.next()?;
            self.read += 1;
            if text.is_empty() {
                self.blank += 1;
                continue;
            }
            match self.call(line, text) {
                Ok(call) => return Some(call),
                Err(wrong) => self.broken.push((line, wrong)),
            }
        }
    }
}

fn parsed(line: u64, values: &[&str; COLUMNS.len()]) -> Result<Call, Wrong> {
    let [
        rec,
        date,
        priority,
        queue,
        vru_entry,
        vru_exit,
        q_start,
        q_exit,
        ser_start,
        ser_exit,
        vru_time,
        q_time,
        ser_time,
        outcome,
        agent,
        flags,
    ] = *values;
    if !(1..=REC_BYTES_MAX).contains(&rec.len()) || rec.chars().any(char::is_control) {
        let what = format!("`{}` names no call: write 1 to {REC_BYTES_MAX} bytes", shown(rec));
        return Err(Wrong::new("no_rec", "rec", what));
    }
    let date = date.parse().map_err(|_| {
        let what = format!("`{}` is no date: write one like 1999-02-09", shown(date));
        Wrong::new("no_date", "date", what)
    })?;
    let is_vip = match priority {
        "0" | "1" => false,
        "2" => true,
        other => {
            let what = format!("`{}` is no priority: write 0, 1 or 2", shown(other));
            return Err(Wrong::new("no_priority", "priority", what));
        }
    };
    let slug =
        |kind, column, error: &dyn std::fmt::Display| Wrong::new(kind, column, error.to_string());
    let queue = QueueId::new(queue).map_err(|error| slug("no_type", "type", &error))?;
    instant("vru_entry_s", vru_entry)?;
    let call = Call {
        line,
        rec: rec.to_owned(),
        date,
        is_vip,
        queue,
        vru_exit: instant("vru_exit_s", vru_exit)?,
        q_start: instant("q_start_s", q_start)?,
        q_exit: instant("q_exit_s", q_exit)?,
        ser_start: instant("ser_start_s", ser_start)?,
        ser_exit: instant("ser_exit_s", ser_exit)?,
        vru_time: seconds("vru_time_s", vru_time)?,
        q_time: seconds("q_time_s", q_time)?,
        ser_time: seconds("ser_time_s", ser_time)?,
        ended: ended(outcome)?,
        agent: match agent {
            "" => None,
            agent => Some(AgentId::new(agent).map_err(|error| slug("no_agent", "agent", &error))?),
        },
        flags: flags.split('|').filter(|flag| !flag.is_empty()).map(str::to_owned).collect(),
    };
    if call.flags.len() > FLAGS_MAX {
        let what = format!("more than {FLAGS_MAX} flags: take some out");
        return Err(Wrong::new("too_many_flags", "flags", what));
    }
    Ok(call)
}

fn ended(outcome: &str) -> Result<Ended, Wrong> {
    match outcome {
        "AGENT" => Ok(Ended::Served),
        "HANG" => Ok(Ended::HungUp),
        "PHANTOM" => Ok(Ended::Phantom),
        other => {
            let what = format!("`{}` is no outcome: write AGENT, HANG or PHANTOM", shown(other));
            Err(Wrong::new("no_outcome", "outcome", what))
        }
    }
}

/// A second of the day.
fn instant(column: &'static str, text: &str) -> Result<Span, Wrong> {
    let instant = seconds(column, text)?;
    if (Span::ZERO..DAY).contains(&instant) {
        return Ok(instant);
    }
    let what = format!("`{}` is no second of a day: write 0 or more and under 86400", shown(text));
    Err(Wrong::new("not_in_a_day", column, what))
}

/// Seconds of at most a day either way.
fn seconds(column: &'static str, text: &str) -> Result<Span, Wrong> {
    let span = Span::parse(&format!("{text}s")).ok();
    span.filter(|span| (-DAY.0..=DAY.0).contains(&span.0)).ok_or_else(|| {
        let what = "is not a number of seconds of a day, with at most six decimals";
        Wrong::new("not_a_number", column, format!("`{}` {what}", shown(text)))
    })
}
