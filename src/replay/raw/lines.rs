//! Lines and their values, each line for itself: what is broken in one costs no other.
//!
//! A quote that never closes ends with its line, so a value has no line breaks; the columns of a
//! log of calls have none. What the values mean is not here.

use std::fmt;

/// Longest line, in bytes; a longer one is broken.
pub(super) const LINE_BYTES_MAX: usize = 64 << 10;
/// How much of a wrong value is shown, in characters.
const SHOWN_CHARS_MAX: usize = 40;
/// What some programs put before the first line.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What is broken in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// One of a few words, to count by.
    pub(super) kind: &'static str,
    /// The column's title.
    pub(super) column: String,
    /// What is wrong and what to do.
    pub(super) what: String,
}

impl Wrong {
    pub(super) fn new(kind: &'static str, column: &str, what: impl Into<String>) -> Self {
        Self { kind, column: column.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.column, self.what)
    }
}

/// The lines of a file with their numbers from 1, without their ends: `\n` or `\r\n`.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n');
    (1..).zip(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
}

/// The values of a line; `title` tells the column at a place.
pub(super) fn values(line: &[u8], title: impl Fn(usize) -> String) -> Result<Vec<String>, Wrong> {
    if line.len() > LINE_BYTES_MAX {
        let what = format!("the line is longer than {LINE_BYTES_MAX} bytes: cut it");
        return Err(Wrong::new("too_long", "the line", what));
    }
    let text = std::str::from_utf8(line).map_err(|error| {
        let before = &line[..error.valid_up_to()];
        let column = title(before.split(|byte| *byte == b',').skip(1).count());
        Wrong::new("not_utf8", &column, "it is not UTF-8: save the file as UTF-8")
    })?;
    let mut values = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (value, after) = match text.strip_prefix('"') {
            Some(quoted) => unquoted(quoted, &title(values.len()))?,
            None => match text.split_once(',') {
                Some((value, after)) => (value.to_owned(), Some(after)),
                None => (text.to_owned(), None),
            },
        };
        values.push(value);
        rest = after;
    }
    Ok(values)
}

/// A value after its opening quote, and what comes after it.
fn unquoted<'a>(text: &'a str, column: &str) -> Result<(String, Option<&'a str>), Wrong> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            let what = "its quote is never closed: close it, or take it out";
            return Err(Wrong::new("quote_not_closed", column, what));
        };
        value.push_str(before);
        if let Some(after) = after.strip_prefix('"') {
            value.push('"');
            rest = after;
        } else if after.is_empty() {
            return Ok((value, None));
        } else if let Some(after) = after.strip_prefix(',') {
            return Ok((value, Some(after)));
        } else {
            let what = "text stands after its closing quote: write a quote in it twice";
            return Err(Wrong::new("text_after_quote", column, what));
        }
    }
}

/// A wrong value, cut and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
