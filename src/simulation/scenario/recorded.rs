//! Recorded contacts: a CSV file read by the columns that the scenario names.
//!
//! A row that cannot be taken is an error with its line; none is skipped.

use std::path::Path;

use atalaya_domain::ids::{QueueId, Slug};
use atalaya_domain::priority::Priorities;
use atalaya_domain::time::{Span, Timestamp};
use csv::StringRecord;

use super::form::{Columns, Recorded, Text};
use super::source::{ScenarioError, Source, instant, shown};
use super::{CONTACT_ID_BYTES_MAX, CONTACTS_MAX, ScenarioContact};

/// What the rows may refer to.
pub(super) struct Known<'a> {
    pub(super) start: Timestamp,
    pub(super) queues: &'a std::collections::BTreeSet<QueueId>,
    pub(super) priorities: &'a Priorities,
}

/// Where each value stands in a row, with its column's name.
struct Places<'a> {
    arrived: (usize, &'a str),
    service: (usize, &'a str),
    queue: (usize, &'a str),
    patience: Option<(usize, &'a str)>,
    priority: Option<(usize, &'a str)>,
    contact: Option<(usize, &'a str)>,
    language: Option<(usize, &'a str)>,
}

/// Reads all rows in file order, each with its line.
pub(super) fn read(
    source: Source<'_>,
    recorded: &Recorded,
    base: &Path,
    known: &Known<'_>,
) -> Result<(String, Vec<(u64, ScenarioContact)>), ScenarioError> {
    let path = base.join(recorded.file.as_ref());
    let file = path.display().to_string();
    let mut reader = csv::Reader::from_path(&path).map_err(|error| {
        let what = format!("cannot read `{file}`: {error}: name a file relative to the scenario");
        source.value(recorded.file.span(), &what)
    })?;
    let header = reader.headers().map_err(|error| broken(&file, &error))?.clone();
    let places = places(source, &recorded.columns, &header, &file)?;
    let mut contacts = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| broken(&file, &error))?;
        let line = row.position().map_or(0, csv::Position::line);
        if contacts.len() >= CONTACTS_MAX {
            let what = format!("more than {CONTACTS_MAX} contacts: split the file");
            return Err(ScenarioError::new(&file, Some(line), &what));
        }
        let number = contacts.len() + 1;
        let contact = contact(&row, number, &places, known)
            .map_err(|what| ScenarioError::new(&file, Some(line), &what))?;
        contacts.push((line, contact));
    }
    Ok((file, contacts))
}

fn broken(file: &str, error: &csv::Error) -> ScenarioError {
    let line = error.position().map(csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} values and the header {expected_len}: make them equal")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8: save the file as UTF-8".to_owned(),
        _ => format!("cannot read the row: {error}"),
    };
    ScenarioError::new(file, line, &what)
}

fn places<'a>(
    source: Source<'_>,
    columns: &'a Columns,
    header: &StringRecord,
    file: &str,
) -> Result<Places<'a>, ScenarioError> {
    let find = |column: &'a Text| -> Result<(usize, &'a str), ScenarioError> {
        let name: &str = column.as_ref();
        let mut found = header.iter().enumerate().filter(|(_, title)| *title == name);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok((at, name)),
            (Some(_), Some(_)) => {
                let what = format!("`{file}` has more than one column `{}`", shown(name));
                Err(source.value(column.span(), &format!("{what}: rename one")))
            }
            (None, _) => {
                let titles = header.iter().map(|title| format!("`{title}`")).collect::<Vec<_>>();
                let what = format!("`{file}` has no column `{}`: name one of ", shown(name));
                Err(source.value(column.span(), &(what + &titles.join(", "))))
            }
        }
    };
    Ok(Places {
        arrived: find(&columns.arrived)?,
        service: find(&columns.service)?,
        queue: find(&columns.queue)?,
        patience: columns.patience.as_ref().map(find).transpose()?,
        priority: columns.priority.as_ref().map(find).transpose()?,
        contact: columns.contact.as_ref().map(find).transpose()?,
        language: columns.language.as_ref().map(find).transpose()?,
    })
}

fn contact(
    row: &StringRecord,
    number: usize,
    places: &Places<'_>,
    known: &Known<'_>,
) -> Result<ScenarioContact, String> {
    let text = |(at, _): (usize, &str)| row.get(at).unwrap_or_default();
    let slug = |place: (usize, &str)| {
        Slug::new(text(place)).map_err(|error| format!("`{}`: {error}", place.1))
    };
    let at = instant(text(places.arrived)).map_err(|e| format!("`{}`: {e}", places.arrived.1))?;
    if at < known.start {
        let what = "comes before the scenario's start: start earlier or take the row out";
        return Err(format!("`{}`: `{}` {what}", places.arrived.1, shown(text(places.arrived))));
    }
    let queue = QueueId(slug(places.queue)?);
    if !known.queues.contains(&queue) {
        let what = "is no queue of the scenario: add a [[queue]] of this id";
        return Err(format!("`{}`: `{queue}` {what}", places.queue.1));
    }
    let priority = match places.priority.filter(|place| !text(*place).is_empty()) {
        Some(place) => {
            let class = slug(place)?;
            if !known.priorities.0.contains_key(&class) {
                let what = "is no class of priority: add it to [priorities]";
                return Err(format!("`{}`: `{class}` {what}", place.1));
            }
            class
        }
        None => Slug::new(super::NORMAL).map_err(|error| error.to_string())?,
    };
    let id = match places.contact {
        Some(place) => named(text(place)).map_err(|what| format!("`{}`: {what}", place.1))?,
        None => format!("k{number}"),
    };
    Ok(ScenarioContact {
        id,
        at,
        queue,
        service: seconds(text(places.service), places.service.1)?,
        patience: places
            .patience
            .filter(|place| !text(*place).is_empty())
            .map(|place| seconds(text(place), place.1))
            .transpose()?,
        priority,
        language: places.language.filter(|place| !text(*place).is_empty()).map(slug).transpose()?,
        requires: None,
        hangs_up_at: None,
    })
}

/// A contact's name: any text on one line.
pub(super) fn named(text: &str) -> Result<String, String> {
    let fine = (1..=CONTACT_ID_BYTES_MAX).contains(&text.len());
    if fine && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let what = format!("write 1 to {CONTACT_ID_BYTES_MAX} bytes on one line");
    Err(format!("`{}` is no id of a contact: {what}", shown(text)))
}

/// Seconds with at most six decimals, exactly.
fn seconds(text: &str, column: &str) -> Result<Span, String> {
    Span::parse(&format!("{text}s")).ok().filter(|span| *span >= Span::ZERO).ok_or_else(|| {
        let what = "is not a number of seconds: write 0 or more, with at most six decimals";
        format!("`{column}`: `{}` {what}", shown(text))
    })
}
