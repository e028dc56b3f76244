//! A scrape as text, read into samples by name and labels.
//!
//! Only what the exposition format has of a sample: no types, no timestamps.

use std::collections::BTreeMap;

/// Values by [`key`].
pub(super) type Samples = BTreeMap<String, f64>;

/// Name and labels of a sample, the labels by name.
pub(super) fn key(name: &str, labels: &[(&str, &str)]) -> String {
    let mut labels: Vec<_> =
        labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    labels.sort_unstable();
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

/// All samples of a scrape; a line that cannot be read is an error that repeats it.
pub(super) fn read(text: &str) -> Result<Samples, String> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| sample(line).ok_or_else(|| line.to_owned())).collect()
}

fn sample(line: &str) -> Option<(String, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        value => value.parse().ok()?,
    };
    let Some((name, labels)) = series.split_once('{') else {
        return Some((series.to_owned(), value));
    };
    let (mut pairs, mut rest) = (Vec::new(), labels.strip_suffix('}')?);
    while let Some((name, after)) = rest.split_once("=\"") {
        let end = end_of(after)?;
        pairs.push((name.trim_start_matches(','), unescape(after.get(..end)?)));
        rest = after.get(end + 1..)?;
    }
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Some((key(name, &pairs), value))
}

/// Where a quoted value ends.
fn end_of(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            '"' if !escaped => return Some(at),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\")
}

/// The finite bounds of a histogram's buckets, rising.
pub(super) fn bounds(samples: &Samples, family: &str) -> Vec<f64> {
    let start = format!("{family}_bucket{{");
    let buckets = samples.keys().filter(|key| key.starts_with(&start));
    let mut bounds: Vec<f64> = buckets
        .filter_map(|key| key.split_once("le=\"")?.1.split_once('"')?.0.parse().ok())
        .filter(|bound: &f64| bound.is_finite())
        .collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels() {
        let text = "# HELP a b\na 1\nb{y=\"2 \\\"}\",x=\"1\"} NaN\nc_bucket{le=\"0.5\"} 2\n\
                    c_bucket{le=\"+Inf\"} 3\n";
        let samples = read(text).unwrap();
        let b = key("b", &[("x", "1"), ("y", "2 \"}")]);
        assert!(samples[&b].is_nan());
        assert!(super::super::compare::close(samples["a"], 1.0));
        assert_eq!(bounds(&samples, "c"), [0.5]);
        assert_eq!(read("x{ 1"), Err("x{ 1".to_owned()));
    }
}
