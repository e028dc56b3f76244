//! A Rust file in three views of the same lines: the text, its code, and its code without tests.
//!
//! This is no parser: it knows comments, strings, characters and braces, which is all that the rules
//! ask for. What it blanks keeps its place, so that line numbers hold in every view.

/// One file, path relative to the repository.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Comments, and what stands in strings and characters, are blanks.
    pub(crate) code: String,
    /// As `code`, and what is compiled only for tests is blank too.
    pub(crate) product: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = code_of(text);
        let product = if is_test_file(path) { blank(&code) } else { without_tests(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, product }
    }

    /// What is compiled only for tests, in its place.
    pub(crate) fn test_code(&self) -> String {
        let blank_or = |(c, p): (char, char)| if c == '\n' || p.is_whitespace() { c } else { ' ' };
        self.code.chars().zip(self.product.chars()).map(blank_or).collect()
    }
}

/// Whether the whole file is a test: below a folder of tests, or named so.
pub(crate) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| part == "tests" || part == "benches")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
        || name.ends_with("_test.rs")
}

/// The line, from 1, that the byte at `offset` stands on.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

/// Where `word` stands as a whole: no letter, digit or underscore before it (nor behind it, where
/// it ends with one).
pub(crate) fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let open = word.starts_with(part) && code[..at].ends_with(part);
        let shut = word.ends_with(part) && code[at + word.len()..].starts_with(part);
        !open && !shut
    })
}

/// The offset of the brace that closes the one at `open`, or the end.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return open + at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Where the item that starts at `start` has its body (`{`), or its end (`;`): brackets are skipped.
pub(crate) fn body(code: &str, start: usize) -> Option<(usize, bool)> {
    let mut depth = 0_usize;
    for (at, c) in code[start..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' if depth == 0 => return Some((start + at, true)),
            ';' if depth == 0 => return Some((start + at, false)),
            _ => {}
        }
    }
    None
}

fn blank(code: &str) -> String {
    code.chars().map(|c| if c == '\n' { c } else { ' ' }).collect()
}

fn without_tests(code: &str) -> String {
    let mut product = code.to_owned();
    for marker in
        ["#[cfg(test)]", "#[test]", "#[actix_web::test]", "#[actix::test]", "#[tokio::test]"]
    {
        while let Some(start) = product.find(marker) {
            let end = match body(&product, start) {
                Some((open, true)) => closing(&product, open),
                Some((end, false)) => end,
                None => product.len(),
            };
            let end = (end + 1).min(product.len());
            let blanked = blank(&product[start..end]);
            // Blanks may be shorter in bytes: a letter of two bytes gives one blank.
            product.replace_range(start..end, &blanked);
        }
    }
    product
}

fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => comment_end(&chars, at),
            '"' => string_end(&chars, at),
            'r' if !after_word(&chars, at) => match raw_end(&chars, at) {
                Some(end) => end,
                None => at,
            },
            '\'' => character_end(&chars, at),
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            // Strings keep their quotes, so that `f("x")` still looks like a call with an argument.
            let quoted = chars[at] == '"' && at + 1 < end;
            for (place, c) in chars[at..end].iter().enumerate() {
                let quote = quoted && (place == 0 || at + place + 1 == end);
                code.push(if *c == '\n' || quote { *c } else { ' ' });
            }
            at = end;
        }
    }
    code
}

fn after_word(chars: &[char], at: usize) -> bool {
    // `br"…"` starts with a letter before the `r`, and is a raw string all the same.
    at.checked_sub(1)
        .and_then(|before| chars.get(before))
        .is_some_and(|c| (c.is_alphanumeric() && *c != 'b') || *c == '_')
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| at + length)
}

fn comment_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let mut at = open + 1;
    while at < chars.len() {
        if chars[at] == '"'
            && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(chars.len())
}

/// A character literal; a lifetime (`'a`) is code and gives `start`.
fn character_end(chars: &[char], start: usize) -> usize {
    match (chars.get(start + 1), chars.get(start + 2)) {
        (Some('\\'), _) => {
            let mut at = start + 3;
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            (at + 1).min(chars.len())
        }
        (Some(_), Some('\'')) => start + 3,
        _ => start,
    }
}
