//! `[server]`, `[centre]`, `[limits]`, `[priorities]`: what is the program's own to know.

use std::ops::RangeInclusive;

use atalaya_domain::ids::Slug;
use atalaya_domain::priority::Credit;
use atalaya_domain::time::Span;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::mistake::Findings;
use super::tree::Table;
use super::{Config, Limits, LogFormat};

/// Most characters of the centre's name.
const NAME_CHARS_MAX: usize = 80;
/// Most classes of priority.
const PRIORITIES_MAX: usize = 64;

const KIB: u64 = 1_024;
/// Bounds of `disk_reserve`, in bytes.
const DISK_RESERVE: RangeInclusive<u64> = 0..=(1 << 50);
/// Bounds of `log_segment`, in bytes.
const LOG_SEGMENT: RangeInclusive<u64> = 4 * KIB..=4 * KIB * KIB * KIB;
/// Bounds of `max_body`, in bytes: a personal text of a body must fit a section of the log.
const MAX_BODY: RangeInclusive<u64> = KIB..=1_000 * KIB;
/// Bounds of `max_sockets`.
const MAX_SOCKETS: RangeInclusive<u64> = 1..=6_144;

/// Units of sizes, longest names first.
const UNITS: [(&str, u64); 8] = [
    ("KiB", KIB),
    ("MiB", KIB * KIB),
    ("GiB", KIB * KIB * KIB),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Keys of `[server]`.
const SERVER_KEYS: [&str; 5] =
    ["listen", "insecure_http", "metrics_open", "log_level", "log_format"];
/// Levels of log lines.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Names that have a meaning to come.
const SERVER_LATER: [&str; 3] = ["tls_certificate", "tls_key", "metrics_listen"];

pub(super) fn server(table: &Table, config: &mut Config, findings: &mut Findings) {
    let mut at = Place { table, findings, name: "[server]" };
    for (key, value) in &table.map {
        match (key.as_str(), value) {
            ("listen", _) => {
                config.server.listen = value.as_str().and_then(|text| text.parse().ok());
                if config.server.listen.is_none() {
                    at.wrong(key, "is no address; write one like \"127.0.0.1:8080\"");
                }
            }
            ("insecure_http", Value::Bool(flag)) => config.server.insecure_http = *flag,
            ("metrics_open", Value::Bool(flag)) => config.server.metrics_open = *flag,
            ("insecure_http" | "metrics_open", _) => {
                at.wrong(key, "is neither; write true or false");
            }
            ("log_level", _) => {
                let level = value.as_str().filter(|text| is_level(text));
                config.server.log_level = level.map(str::to_owned);
                if level.is_none() {
                    at.wrong(key, "is no level; write one like \"info\", or \"info,part=debug\"");
                }
            }
            ("log_format", _) => {
                config.server.log_format = match value.as_str() {
                    Some("text") => Some(LogFormat::Text),
                    Some("json") => Some(LogFormat::Json),
                    Some(_) | None => None,
                };
                if config.server.log_format.is_none() {
                    at.wrong(key, "is neither; write \"text\" or \"json\"");
                }
            }
            _ => at.unknown(key, &SERVER_KEYS, &SERVER_LATER),
        }
    }
}

pub(super) fn centre(table: &Table, config: &mut Config, findings: &mut Findings) {
    let mut at = Place { table, findings, name: "[centre]" };
    for (key, value) in &table.map {
        match (key.as_str(), value) {
            ("name", Value::String(text)) if is_name(text) => config.centre.name.clone_from(text),
            ("name", _) => {
                let what = format!("is no name; write a text of 1 to {NAME_CHARS_MAX} characters");
                at.wrong(key, &what);
            }
            ("time_zone", _) => {
                let zone = value.as_str().and_then(|name| TimeZone::get(name).ok());
                if zone.is_none() {
                    at.wrong(key, "is no time zone; write one like \"Europe/Madrid\"");
                }
                config.centre.time_zone = zone.unwrap_or(TimeZone::UTC);
            }
            _ => at.unknown(key, &["name", "time_zone"], &[]),
        }
    }
}

/// One level, or levels of parts, like `info,atalaya::entries=debug`. The log takes more than that,
/// a misspelt level as the name of a part too, so this is said here.
pub fn is_level(text: &str) -> bool {
    text.split(',').all(|piece| match piece.split_once('=') {
        None => LEVELS.contains(&piece),
        Some((part, level)) => {
            let plain = |char: char| char.is_ascii_alphanumeric() || "_:".contains(char);
            !part.is_empty() && part.chars().all(plain) && LEVELS.contains(&level)
        }
    })
}

fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

pub(super) fn limits(table: &Table, config: &mut Config, findings: &mut Findings) {
    let mut at = Place { table, findings, name: "[limits]" };
    let Limits { disk_reserve, log_segment, max_body, max_sockets } = &mut config.limits;
    for (key, value) in &table.map {
        match key.as_str() {
            "disk_reserve" => *disk_reserve = at.bytes(key, value, &DISK_RESERVE),
            "log_segment" => *log_segment = at.bytes(key, value, &LOG_SEGMENT),
            "max_body" => *max_body = at.bytes(key, value, &MAX_BODY),
            "max_sockets" => *max_sockets = at.count(key, value, &MAX_SOCKETS),
            _ => {
                let known = ["disk_reserve", "log_segment", "max_body", "max_sockets"];
                at.unknown(key, &known, &[]);
            }
        }
    }
}

pub(super) fn priorities(table: &Table, config: &mut Config, findings: &mut Findings) {
    let mut at = Place { table, findings, name: "[priorities]" };
    for (key, value) in &table.map {
        let class = match Slug::new(key) {
            Ok(class) => class,
            Err(error) => {
                at.wrong(key, &format!("is no name of a class: {error}; write another"));
                continue;
            }
        };
        let credit = match value.as_str() {
            Some("always_first") => Credit::AlwaysFirst,
            text => match text.map(Span::parse) {
                Some(Ok(span)) => Credit::HeadStart(span),
                Some(Err(error)) => {
                    at.wrong(key, &format!("{error}, or \"always_first\""));
                    continue;
                }
                None => {
                    at.wrong(key, "is no text; write a duration like \"5m\", or \"always_first\"");
                    continue;
                }
            },
        };
        config.priorities.0.insert(class, credit);
    }
    if config.priorities.0.len() > PRIORITIES_MAX {
        let what = format!("has more than {PRIORITIES_MAX} classes; write fewer");
        at.findings.add(Some(table.line), Some("priorities"), &what);
    }
}

/// Where mistakes are found.
struct Place<'a> {
    table: &'a Table,
    findings: &'a mut Findings,
    name: &'static str,
}

impl Place<'_> {
    fn wrong(&mut self, key: &str, what: &str) {
        self.findings.add(Some(self.table.line_of(key)), Some(key), what);
    }

    fn unknown(&mut self, key: &str, known: &[&str], later: &[&str]) {
        if later.contains(&key) {
            self.wrong(key, "cannot be carried out by this version; take it out");
        } else {
            let what =
                format!("is no key of {}; the keys known here are {}", self.name, known.join(", "));
            self.wrong(key, &what);
        }
    }

    fn bytes(&mut self, key: &str, value: &Value, bounds: &RangeInclusive<u64>) -> Option<u64> {
        let size = value.as_str().and_then(size);
        if size.is_none() {
            self.wrong(
                key,
                "is no size; write a whole number and a unit, like \"256MB\", \"4KiB\"",
            );
        }
        self.within(key, size?, bounds, " bytes")
    }

    fn count(&mut self, key: &str, value: &Value, bounds: &RangeInclusive<u64>) -> Option<u64> {
        let count = value.as_u64();
        if count.is_none() {
            self.wrong(key, "is no whole number; write one");
        }
        self.within(key, count?, bounds, "")
    }

    fn within(
        &mut self,
        key: &str,
        number: u64,
        bounds: &RangeInclusive<u64>,
        unit: &str,
    ) -> Option<u64> {
        if bounds.contains(&number) {
            return Some(number);
        }
        let (least, most) = (bounds.start(), bounds.end());
        self.wrong(key, &format!("is out of bounds; write {least} to {most}{unit}"));
        None
    }
}

/// Reads `"256MB"`: a whole number and one unit of `B`, `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`.
fn size(text: &str) -> Option<u64> {
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let number = number.trim_end();
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(unit)
}
