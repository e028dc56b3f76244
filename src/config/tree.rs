//! TOML as tables whose keys know their lines. What the keys mean is not here.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Findings, shown};

/// A table of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Where it begins.
    pub(super) line: u64,
    /// What it says.
    pub(super) map: Map<String, Value>,
    /// Where each key stands, by its path in this table: `service_level.share`.
    pub(super) lines: BTreeMap<String, u64>,
}

impl Table {
    /// Where a key stands; one that is not there stands where the table begins.
    pub(super) fn line_of(&self, path: &str) -> u64 {
        self.lines.get(path).copied().unwrap_or(self.line)
    }
}

/// What stands under a key of the whole file.
#[derive(Debug)]
pub(super) enum Part {
    /// `[name]`.
    Table(Table),
    /// `[[name]]`, each.
    Tables(Vec<Table>),
    /// Anything else.
    Other,
}

/// Reads as much as can be read; what cannot is told to `findings`.
pub(super) fn parse(text: &str, findings: &mut Findings) -> Vec<(String, u64, Part)> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        let line = lines.at(at);
        let written = text.lines().nth(usize::try_from(line).unwrap_or(1).saturating_sub(1));
        let written = written.unwrap_or_default();
        let key = written.split_once('=').map(|(key, _)| key.trim());
        let key = key.filter(|key| !key.is_empty());
        let said = error.message();
        let what = format!("is not TOML: {said} in `{}`; write it anew", shown(written.trim()));
        findings.unreadable(line, key, &what);
    }
    let mut reader = Reader { lines, findings };
    let mut parts = Vec::new();
    for (key, value) in table.get_ref() {
        let line = reader.lines.at(key.span().start);
        parts.push((key.get_ref().to_string(), line, reader.part(line, value)));
    }
    // The parser keeps tables by name; people read a file from its top.
    parts.sort_by_key(|(_, line, _)| *line);
    parts
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(breaks.map(|(at, _)| at).collect())
    }

    /// The line of a place, from 1.
    fn at(&self, place: usize) -> u64 {
        self.0.partition_point(|end| *end < place) as u64 + 1
    }
}

struct Reader<'a> {
    lines: Lines,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn part(&mut self, line: u64, value: &Spanned<DeValue<'_>>) -> Part {
        match value.get_ref() {
            DeValue::Table(table) => Part::Table(self.table(line, table)),
            DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) => {
                let tables = items.iter().filter_map(|item| match item.get_ref() {
                    DeValue::Table(table) => {
                        Some(self.table(self.lines.at(item.span().start), table))
                    }
                    _ => None,
                });
                Part::Tables(tables.collect())
            }
            _ => Part::Other,
        }
    }

    fn table(&mut self, line: u64, table: &DeTable<'_>) -> Table {
        let mut read = Table { line, ..Table::default() };
        read.map = self.object("", table, &mut read.lines);
        read
    }

    fn object(
        &mut self,
        under: &str,
        table: &DeTable<'_>,
        lines: &mut BTreeMap<String, u64>,
    ) -> Map<String, Value> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut map = Map::new();
        for (key, value) in entries {
            let name = key.get_ref().to_string();
            let path = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
            lines.insert(path.clone(), self.lines.at(key.span().start));
            if let Some(value) = self.value(&path, value, lines) {
                map.insert(name, value);
            }
        }
        map
    }

    fn value(
        &mut self,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        lines: &mut BTreeMap<String, u64>,
    ) -> Option<Value> {
        let number = |text: Option<Number>| text.map(Value::Number);
        let read = match value.get_ref() {
            DeValue::String(text) => Some(Value::String(text.to_string())),
            DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
            DeValue::Datetime(at) => Some(Value::String(at.to_string())),
            DeValue::Integer(whole) => {
                let whole = i64::from_str_radix(whole.as_str(), whole.radix());
                number(whole.ok().map(Number::from))
            }
            DeValue::Float(float) => number(float.as_str().parse().ok().and_then(Number::from_f64)),
            DeValue::Array(items) => {
                let items = items.iter().filter_map(|item| self.value(path, item, lines));
                Some(Value::Array(items.collect()))
            }
            DeValue::Table(table) => Some(Value::Object(self.object(path, table, lines))),
        };
        if read.is_none() {
            let line = self.lines.at(value.span().start);
            self.findings.add(Some(line), Some(path), "is no number of use; write a smaller one");
        }
        read
    }
}
