//! Reads a contacts file row by row; what cannot be taken is named by line and column.
//!
//! Columns are found by their titles, in any order; `priority`, `agent` and any others are not
//! looked at. Nothing is counted here.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use atalaya_domain::ids::QueueId;
use atalaya_domain::kpi::Outcome;
use atalaya_domain::time::Span;
use csv::StringRecord;

/// Largest file that is read, in bytes; a larger one is refused. Some ten million contacts.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// How far `wait_s` may be from what the instants say: files rounded to milliseconds are read.
const ROUNDING: Span = Span::millis(1);
/// How much of a wrong value is shown, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// A contact as its row tells it; the instant is a span from the start.
pub(super) struct Row {
    pub(super) queue: QueueId,
    pub(super) arrived: Span,
    pub(super) outcome: Outcome,
}

/// Why the file cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ContactsError {
    /// It cannot be read at all.
    #[error("cannot read {}: {source}: name a contacts file", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than [`FILE_BYTES_MAX`].
    #[error("cannot take {}: it is larger than {FILE_BYTES_MAX} bytes: split it", .0.display())]
    TooLarge(PathBuf),
    /// A line is broken; no line of the file is counted then.
    #[error("cannot take {}:{line}: `{column}`: {what}", .file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The column's title.
        column: String,
        /// What is wrong and what to do.
        what: String,
    },
}

/// A column and what is wrong in it.
pub(super) type Wrong = (&'static str, String);

/// Where each value stands in a row.
struct Places {
    contact: usize,
    queue: usize,
    arrived: usize,
    answered: usize,
    ended: usize,
    wait: usize,
    service: usize,
    outcome: usize,
}

/// Hands every row to `take`, in file order; the first broken one ends it.
pub(super) fn read(
    file: &Path,
    mut take: impl FnMut(Row) -> Result<(), Wrong>,
) -> Result<(), ContactsError> {
    let text = bytes(file)?;
    let broken = |at: u64, column: &str, what: String| {
        let (file, column) = (file.to_owned(), column.to_owned());
        ContactsError::Broken { file, line: line_at(&text, at), column, what }
    };
    // Lengths of rows are checked here, to name the column.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_slice());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(broken(0, "the header", unreadable(&error))),
    };
    let places = places(&header).map_err(|(column, what)| broken(0, column, what))?;
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut row = StringRecord::new();
    loop {
        let begins = reader.position().byte();
        match reader.read_record(&mut row) {
            Ok(true) => (),
            Ok(false) => return Ok(()),
            Err(error) => {
                let field = match error.kind() {
                    csv::ErrorKind::Utf8 { err, .. } => header.get(err.field()),
                    _ => None,
                };
                return Err(broken(begins, field.unwrap_or("the row"), unreadable(&error)));
            }
        }
        if row.len() != header.len() {
            let column = header.get(row.len()).unwrap_or("the end of the row");
            let what = format!("the row has {} values and the header {}", row.len(), header.len());
            return Err(broken(begins, column, what + ": make them equal"));
        }
        let name = row.get(places.contact).unwrap_or_default();
        // Contacts that came without a name of the outside have none.
        if !name.is_empty()
            && let Some(first) = seen.insert(name.to_owned(), begins)
        {
            let first = line_at(&text, first);
            let what = format!("`{}` is on line {first} already: take one out", shown(name));
            return Err(broken(begins, "contact", what));
        }
        let taken = contact(&row, &places).and_then(&mut take);
        taken.map_err(|(column, what)| broken(begins, column, what))?;
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, ContactsError> {
    let mut text = Vec::new();
    let opened = File::open(file);
    let read = opened.and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut text));
    let read = read.map_err(|source| ContactsError::Read { file: file.to_owned(), source })?;
    if u64::try_from(read).is_ok_and(|read| read <= FILE_BYTES_MAX) {
        return Ok(text);
    }
    Err(ContactsError::TooLarge(file.to_owned()))
}

/// The line of the row that begins at byte `at` or after the line ends there: the reader leaves
/// blank lines and the second half of a line end to the row that follows.
fn line_at(text: &[u8], at: u64) -> usize {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let blank = text[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    text[..at + blank].split(|byte| *byte == b'\n').count()
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8: save the file as UTF-8".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

fn places(header: &StringRecord) -> Result<Places, Wrong> {
    let find = |column: &'static str| {
        let mut found = header.iter().enumerate().filter(|(_, title)| *title == column);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok(at),
            (Some(_), Some(_)) => Err((column, "the header has it twice: rename one".to_owned())),
            (None, _) => {
                let what = "the header has no such column: give the file that `replay --contacts`";
                Err((column, format!("{what} writes")))
            }
        }
    };
    Ok(Places {
        contact: find("contact")?,
        queue: find("queue")?,
        arrived: find("arrived_s")?,
        answered: find("answered_s")?,
        ended: find("ended_s")?,
        wait: find("wait_s")?,
        service: find("service_s")?,
        outcome: find("outcome")?,
    })
}

fn contact(row: &StringRecord, places: &Places) -> Result<Row, Wrong> {
    let text = |place: usize| row.get(place).unwrap_or_default();
    let queue = QueueId::new(text(places.queue)).map_err(|error| ("queue", error.to_string()))?;
    let arrived = needed("arrived_s", text(places.arrived))?;
    let answered = seconds("answered_s", text(places.answered))?;
    let ended = seconds("ended_s", text(places.ended))?;
    let wait = seconds("wait_s", text(places.wait))?;
    let talk = seconds("service_s", text(places.service))?;
    let outcome = text(places.outcome);
    if answered.is_some() && matches!(outcome, "abandoned" | "refused" | "waiting") {
        let what = "only an answered contact has it: correct `outcome` or empty it";
        return Err(("answered_s", what.to_owned()));
    }
    let outcome = match outcome {
        "answered" => {
            let answered = needed("answered_s", text(places.answered))?;
            let wait = waited(wait, arrived, ("answered_s", answered))?;
            if ended.is_some_and(|ended| ended < answered) {
                let what = "it comes before `answered_s`: correct one of them";
                return Err(("ended_s", what.to_owned()));
            }
            Outcome::Answered { wait, talk }
        }
        "abandoned" => {
            let ended = needed("ended_s", text(places.ended))?;
            Outcome::Abandoned { wait: waited(wait, arrived, ("ended_s", ended))? }
        }
        "refused" => Outcome::Refused,
        "waiting" => Outcome::Waiting,
        other => {
            let what = "is no outcome: write answered, abandoned, refused or waiting";
            return Err(("outcome", format!("`{}` {what}", shown(other))));
        }
    };
    Ok(Row { queue, arrived, outcome })
}

/// The wait, which ends at `until` and says the same.
fn waited(wait: Option<Span>, arrived: Span, until: (&str, Span)) -> Result<Span, Wrong> {
    let (column, until) = until;
    let wait = wait.ok_or_else(|| ("wait_s", empty()))?;
    let between = Span(until.0 - arrived.0);
    if (wait.0 - between.0).abs() > ROUNDING.0 {
        let (wait, between) = (wait.as_seconds(), between.as_seconds());
        let what = format!("`{wait}` is not `{column}` − `arrived_s`, which is {between}");
        return Err(("wait_s", what + ": correct one of them"));
    }
    Ok(wait)
}

fn needed(column: &'static str, text: &str) -> Result<Span, Wrong> {
    seconds(column, text)?.ok_or_else(|| (column, empty()))
}

fn empty() -> String {
    "it is empty: this outcome needs a number of seconds".to_owned()
}

/// Seconds with at most six decimals, exactly.
fn seconds(column: &'static str, text: &str) -> Result<Option<Span>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let span = Span::parse(&format!("{text}s")).ok().filter(|span| *span >= Span::ZERO);
    span.map(Some).ok_or_else(|| {
        let what = "is not a number of seconds: write 0 or more, with at most six decimals";
        (column, format!("`{}` {what}", shown(text)))
    })
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
