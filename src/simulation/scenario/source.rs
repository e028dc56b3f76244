//! The text of a scenario and the errors that name a place in it; values that many keys share.

use std::ops::Range;

use atalaya_domain::ids::Slug;
use atalaya_domain::skills::{SKILL_LEVELS, Skills};
use atalaya_domain::time::{Span, Timestamp, Written};

use super::form::{Levels, Text};

/// Keys of the scenario's language that this version does not carry out.
const NOT_CARRIED_OUT: [&str; 17] = [
    "warm_up",
    "relax",
    "overflow",
    "arrivals",
    "calendar",
    "preferred_agent",
    "skip_empty_levels",
    "strategy",
    "async_grace",
    "recover_place",
    "max_expected_wait",
    "hours",
    "thresholds",
    "callback",
    "message",
    "chat",
    "email",
];

/// Most bytes of somebody's text that an error repeats.
const SHOWN_CHARS_MAX: usize = 80;

/// A scenario that cannot be taken: where, and what to do. One line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ScenarioError {
    /// The scenario's file, or that of its recorded contacts.
    pub file: String,
    /// Line in it, from 1; none where the whole file is meant.
    pub line: Option<u64>,
    /// The key, what is wrong, what to do.
    pub what: String,
}

impl ScenarioError {
    /// Makes one line of whatever is said.
    pub(super) fn new(file: &str, line: Option<u64>, what: &str) -> Self {
        let what = what.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(", ");
        Self { file: file.to_owned(), line, what }
    }
}

/// The text being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a str,
}

impl Source<'_> {
    fn line(&self, at: usize) -> u64 {
        let before = self.text.as_bytes().iter().take(at);
        before.fold(1, |line, byte| line + u64::from(*byte == b'\n'))
    }

    /// The key whose value starts at `at`.
    fn key(&self, at: usize) -> &str {
        let before = self.text.get(..at).unwrap_or_default();
        let before = before.rsplit_once('=').map_or("", |(key, _)| key).trim_end();
        before.rsplit(|c: char| c.is_whitespace() || "{,[".contains(c)).next().unwrap_or_default()
    }

    /// An error about the value at `span`, named by its key.
    pub(super) fn value(&self, span: Range<usize>, what: &str) -> ScenarioError {
        self.place(&span, &format!("`{}`: {what}", self.key(span.start)))
    }

    /// An error about the table or key at `span`.
    pub(super) fn place(&self, span: &Range<usize>, what: &str) -> ScenarioError {
        ScenarioError::new(self.file, Some(self.line(span.start)), what)
    }

    /// What the parser says, in the scenario's words.
    pub(super) fn refused(&self, error: &toml::de::Error) -> ScenarioError {
        let span = error.span().unwrap_or_default();
        let said = error.message();
        let name = said.split('`').nth(1).unwrap_or_default();
        if said.starts_with("unknown field") {
            if NOT_CARRIED_OUT.contains(&name) {
                let what = format!("`{name}` cannot be carried out by this version: take it out");
                return self.place(&span, &what);
            }
            let known = said.split_once("expected ").map_or("", |(_, known)| known);
            let known = known.trim_start_matches("one of ");
            return self
                .place(&span, &format!("`{name}` is not a key of this table: it takes {known}"));
        }
        if said.starts_with("missing field") {
            return self.place(&span, &format!("`{name}` is missing: write it in this table"));
        }
        if said.starts_with("invalid type: map") && self.key(span.start) == "answer_delay" {
            let what = "a distribution cannot be carried out by this version: write a duration";
            return self.value(span, what);
        }
        if said.starts_with("invalid type") || said.starts_with("invalid value") {
            let wanted = said
                .replace("expected a string", "write a text in quotes")
                .replace("expected i64", "write a whole number")
                .replace("expected u64", "write a whole number of 0 or more")
                .replace("expected u32", "write a whole number of 0 or more, below 2^32")
                .replace("expected u8", "write a whole number of 0 to 255")
                .replace("expected", "write");
            return self.value(span, &wanted);
        }
        let start = self.text.get(..span.start).and_then(|before| before.rfind('\n'));
        let line = self.text.get(start.map_or(0, |at| at + 1)..).unwrap_or_default();
        let line = shown(line.lines().next().unwrap_or_default());
        self.place(&span, &format!("not TOML: `{line}`: {said}"))
    }

    pub(super) fn slug(&self, text: &Text) -> Result<Slug, ScenarioError> {
        Slug::new(text.as_ref()).map_err(|error| self.value(text.span(), &error.to_string()))
    }

    /// A key that is itself a name.
    pub(super) fn name(&self, key: &Text) -> Result<Slug, ScenarioError> {
        Slug::new(key.as_ref()).map_err(|error| self.place(&key.span(), &error.to_string()))
    }

    pub(super) fn written(&self, text: &Text) -> Result<Written, ScenarioError> {
        let written = Written::parse(text.as_ref())
            .map_err(|error| self.value(text.span(), &error.to_string()))?;
        if written.span < Span::ZERO {
            let what = format!("`{}` is less than no time: write 0s or more", written.as_str());
            return Err(self.value(text.span(), &what));
        }
        Ok(written)
    }

    pub(super) fn span(&self, text: &Text) -> Result<Span, ScenarioError> {
        Ok(self.written(text)?.span)
    }

    pub(super) fn instant(&self, text: &Text) -> Result<Timestamp, ScenarioError> {
        instant(text.as_ref()).map_err(|what| self.value(text.span(), &what))
    }

    /// An offset from `start`, or an instant not before it.
    pub(super) fn moment(&self, text: &Text, start: Timestamp) -> Result<Timestamp, ScenarioError> {
        let written: &str = text.as_ref();
        if Span::parse(written).is_ok() {
            return Ok(start.plus(self.span(text)?));
        }
        match instant(written) {
            Ok(at) if at < start => {
                let what = format!("`{}` comes before the scenario's start", shown(written));
                Err(self.value(text.span(), &format!("{what}: write a later instant")))
            }
            Ok(at) => Ok(at),
            Err(_) => {
                let what = format!("`{}` is no moment: write an offset from the", shown(written));
                let what = format!("{what} start like \"20s\", or an RFC 3339 instant");
                Err(self.value(text.span(), &what))
            }
        }
    }

    pub(super) fn skills(&self, levels: &Levels) -> Result<Skills, ScenarioError> {
        let mut skills = Skills::new();
        for (skill, level) in levels {
            let slug = self.name(skill)?;
            let fine = u8::try_from(*level.as_ref()).ok().filter(|l| SKILL_LEVELS.contains(l));
            let Some(fine) = fine else {
                let what = format!("{} is no level of a skill: write 1 to 10", level.as_ref());
                return Err(self.value(level.span(), &what));
            };
            skills.insert(slug, fine);
        }
        Ok(skills)
    }
}

/// Reads an RFC 3339 instant, exact to the microsecond.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong =
        |why: &str| format!("`{}` {why}: write one like \"2026-03-02T08:00:00.5Z\"", shown(text));
    let at: jiff::Timestamp = text.parse().map_err(|_| wrong("is no RFC 3339 instant"))?;
    if at.subsec_nanosecond() % 1_000 != 0 {
        return Err(wrong("is finer than a microsecond"));
    }
    Ok(Timestamp(at.as_microsecond()))
}

/// As much of a text as an error repeats, on one line.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
