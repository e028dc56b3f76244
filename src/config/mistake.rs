//! What is wrong with a file: each mistake with its place, and all of them.

use std::fmt;

/// Most mistakes that are kept of one file; the last then says that there are more.
const MISTAKES_MAX: usize = 200;
/// Characters of somebody's text that a mistake repeats.
const SHOWN_CHARS_MAX: usize = 80;

/// One mistake: where, and what to do. One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// Line in it, from 1; none where the whole file is meant.
    pub line: Option<u64>,
    /// The key, in the words of the file.
    pub key: Option<String>,
    /// What is wrong, what to do.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// All that was found, in the order of lines; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    /// The first, and how many more there are: one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("nothing is wrong"),
            [only] => write!(f, "{only}"),
            [first, rest @ ..] => {
                write!(f, "{first} (and {} more: see `atalaya check-config`)", rest.len())
            }
        }
    }
}

impl std::error::Error for Mistakes {}

/// The mistakes of a file as they are found.
pub(super) struct Findings {
    file: String,
    found: Vec<Mistake>,
    /// Lines that are not TOML: what else is said of them follows from that.
    broken: Vec<u64>,
}

impl Findings {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new(), broken: Vec::new() }
    }

    /// Keeps a mistake, on one line whatever is said.
    pub(super) fn add(&mut self, line: Option<u64>, key: Option<&str>, what: &str) {
        if line.is_some_and(|line| self.broken.contains(&line)) {
            return;
        }
        let what = what.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(", ");
        let (file, key) = (self.file.clone(), key.map(shown));
        self.found.push(Mistake { file, line, key, what });
    }

    /// Something is missing. In a file that is not TOML throughout it may stand where nobody can
    /// read it, so that nothing is said of it there.
    pub(super) fn missing(&mut self, line: u64, key: &str, what: &str) {
        if self.broken.is_empty() {
            self.add(Some(line), Some(key), what);
        }
    }

    /// A line that is not TOML.
    pub(super) fn unreadable(&mut self, line: u64, key: Option<&str>, what: &str) {
        self.add(Some(line), key, what);
        self.broken.push(line);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_mistakes(mut self) -> Mistakes {
        self.found.sort_by_key(|mistake| mistake.line);
        self.found.dedup();
        let more = self.found.len().saturating_sub(MISTAKES_MAX);
        if more > 0 {
            self.found.truncate(MISTAKES_MAX);
            let what = format!("has {more} mistakes more; mend these first");
            self.found.push(Mistake { file: self.file, line: None, key: None, what });
        }
        Mistakes(self.found)
    }
}

/// As much of a text as a mistake repeats, on one line.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
