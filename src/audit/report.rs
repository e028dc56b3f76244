//! What an audit found: violations with the events around them, and the summary.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// Violations of one kind that are kept whole; the rest are counted.
pub const KEPT_PER_KIND_MAX: usize = 20;
/// Events told before and after a violation.
pub const AROUND: usize = 5;
/// Parts of a thousand that a delta's size is counted in, the last for all that is larger.
const SIZES: usize = 1_001;

/// One thing that must not be.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Which rule.
    pub kind: &'static str,
    /// Where it was seen: a topic, a path, an event.
    pub place: String,
    /// The sequence number at which it was seen.
    pub seq: u64,
    /// What should be.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// The last events up to `seq`.
    pub before: Vec<Value>,
    /// The first after it.
    pub after: Vec<Value>,
}

impl Violation {
    fn to_json(&self) -> Value {
        json!({
            "kind": self.kind,
            "place": self.place,
            "seq": self.seq,
            "expected": self.expected,
            "found": self.found,
            "before": self.before,
            "after": self.after,
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, place, seq, expected, found, .. } = self;
        write!(f, "{kind} at seq {seq}, {place}: expected {expected}, found {found}")
    }
}

/// Sizes of deltas in parts of their snapshot.
#[derive(Debug, Clone)]
pub struct Sizes {
    by_permille: Vec<u64>,
    count: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { by_permille: vec![0; SIZES], count: 0 }
    }
}

impl Sizes {
    /// A delta of so many bytes where the snapshot has `whole`.
    pub(super) fn add(&mut self, bytes: usize, whole: usize) {
        let permille = (bytes * 1_000).div_ceil(whole.max(1)).min(SIZES - 1);
        self.by_permille[permille] += 1;
        self.count += 1;
    }

    /// The smallest share, in percent, that so many of a hundred do not exceed.
    pub fn percentile(&self, of_hundred: u64) -> Option<f64> {
        let wanted = (self.count * of_hundred).div_ceil(100).max(1);
        let mut sum = 0;
        let place = self.by_permille.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        let permille = u32::try_from(place.filter(|_| self.count > 0)?).ok()?;
        Some(f64::from(permille) / 10.0)
    }
}

/// What was looked at in one topic.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Frames, snapshots included.
    pub frames: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Deltas that changed nothing.
    pub empty: u64,
    /// Of deltas that changed something.
    pub sizes: Sizes,
    /// Between two frames of an open socket.
    pub longest_silence: Duration,
}

impl Watched {
    fn tell(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let percent = |of_hundred| {
            self.sizes
                .percentile(of_hundred)
                .map_or("—".to_owned(), |share| format!("{share:.1} %"))
        };
        let (median, p99) = (percent(50), percent(99));
        let silence = self.longest_silence.as_secs_f64();
        writeln!(
            f,
            "{name}: {} frames, of these {} snapshots and {} empty; deltas are {median} of the \
             snapshot (median), {p99} (p99); longest silence {silence:.1} s",
            self.frames, self.snapshots, self.empty
        )
    }
}

/// The whole of an audit.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The log's epoch, as of the end.
    pub epoch: String,
    /// The zone of the centre's days.
    pub time_zone: String,
    /// How long it took.
    pub lasted: Duration,
    /// Sequence numbers folded, with the rules of the log checked at each.
    pub folded: u64,
    /// Sequence numbers at which a view was compared.
    pub compared: u64,
    /// Last number folded.
    pub seq: u64,
    /// By topic.
    pub topics: BTreeMap<&'static str, Watched>,
    /// Answers of `GET /wallboard` compared.
    pub polls: u64,
    /// Scrapes compared.
    pub scrapes: u64,
    /// Looks that came too late to be compared.
    pub late: u64,
    /// Times that the server was away.
    pub outages: u64,
    /// Times that it came back with the same log.
    pub returns: u64,
    /// Times that another log was found.
    pub epochs: u64,
    /// Why the server was not seen to the end; none: it was.
    pub cut_short: Option<String>,
    /// How often each rule was broken.
    pub violations: BTreeMap<&'static str, u64>,
    /// `atalaya_impossible_total`, all kinds, as of the last scrape; none: never scraped.
    pub impossible: Option<f64>,
    /// Members of views that nothing was expected of.
    pub unchecked: BTreeSet<String>,
    /// Events that the contract does not name.
    pub strange: BTreeMap<String, u64>,
    /// Configuration that was replaced before it could be read.
    pub unknown_texts: u64,
    /// Kept, the first of each kind.
    pub kept: Vec<Violation>,
}

impl Summary {
    /// How many violations there were.
    pub fn count(&self) -> u64 {
        self.violations.values().sum()
    }

    /// The whole as one object.
    pub fn to_json(&self) -> Value {
        let topics = self.topics.iter().map(|(name, watched)| {
            let value = json!({
                "frames": watched.frames,
                "snapshots": watched.snapshots,
                "empty_deltas": watched.empty,
                "delta_percent_of_snapshot": {
                    "median": watched.sizes.percentile(50),
                    "p99": watched.sizes.percentile(99),
                },
                "longest_silence_s": watched.longest_silence.as_secs_f64(),
            });
            ((*name).to_owned(), value)
        });
        json!({
            "epoch": self.epoch,
            "time_zone": self.time_zone,
            "lasted_s": self.lasted.as_secs_f64(),
            "seq": self.seq,
            "events_folded": self.folded,
            "seqs_compared": self.compared,
            "topics": topics.collect::<serde_json::Map<_, _>>(),
            "wallboards": self.polls,
            "scrapes": self.scrapes,
            "too_late": self.late,
            "outages": self.outages,
            "returns": self.returns,
            "other_epochs": self.epochs,
            "cut_short": self.cut_short,
            "impossible": self.impossible,
            "not_checked": self.unchecked,
            "events_not_in_the_contract": self.strange,
            "configuration_not_known": self.unknown_texts,
            "violations": self.count(),
            "by_kind": self.violations,
            "kept": self.kept.iter().map(Violation::to_json).collect::<Vec<_>>(),
        })
    }

    fn found(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.kept {
            writeln!(f, "\n{violation}")?;
            for event in &violation.before {
                writeln!(f, "  before  {event}")?;
            }
            for event in &violation.after {
                writeln!(f, "  after   {event}")?;
            }
        }
        if !self.kept.is_empty() {
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.found(f)?;
        writeln!(
            f,
            "{} events folded up to seq {}, views compared at {} sequence numbers, in {:.0} s",
            self.folded,
            self.seq,
            self.compared,
            self.lasted.as_secs_f64()
        )?;
        for (name, watched) in &self.topics {
            watched.tell(f, name)?;
        }
        writeln!(f, "{} wallboards and {} scrapes compared", self.polls, self.scrapes)?;
        if self.late > 0 {
            writeln!(f, "{} looks came too late to be compared", self.late)?;
        }
        if self.outages + self.epochs > 0 {
            writeln!(
                f,
                "the server was away {} times, and back with the same log {} times; {} other logs",
                self.outages, self.returns, self.epochs
            )?;
        }
        if let Some(why) = &self.cut_short {
            writeln!(f, "the server was not seen to the end: {why}")?;
        }
        if !self.unchecked.is_empty() {
            let names: Vec<_> = self.unchecked.iter().map(String::as_str).collect();
            writeln!(f, "not checked: {}", names.join(", "))?;
        }
        for (name, times) in &self.strange {
            writeln!(f, "not in the contract: event `{name}`, {times} times")?;
        }
        if self.unknown_texts > 0 {
            let times = self.unknown_texts;
            writeln!(f, "{times} times configuration was replaced before it could be read")?;
        }
        let impossible =
            self.impossible.map_or("not scraped".to_owned(), |count| count.to_string());
        writeln!(f, "impossible states by the server's own count: {impossible}")?;
        for (kind, times) in &self.violations {
            writeln!(f, "violated: {kind}, {times} times")?;
        }
        write!(f, "{} violations", self.count())
    }
}

/// Collects violations, with the events around them.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) kept: Vec<Violation>,
    pub(super) counts: BTreeMap<&'static str, u64>,
    recent: VecDeque<Value>,
    /// Places in `kept` that still take events, at most all that were kept since few events ago.
    open: Vec<usize>,
}

impl Ledger {
    /// An event was folded.
    pub(super) fn folded(&mut self, event: Value) {
        self.open.retain(|place| {
            self.kept.get_mut(*place).is_some_and(|violation| {
                violation.after.push(event.clone());
                violation.after.len() < AROUND
            })
        });
        self.recent.push_back(event);
        if self.recent.len() > AROUND {
            self.recent.pop_front();
        }
    }

    /// Something must not be; says whether it is kept.
    pub(super) fn add(
        &mut self,
        kind: &'static str,
        place: &str,
        seq: u64,
        (expected, found): (String, String),
    ) -> bool {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count > u64::try_from(KEPT_PER_KIND_MAX).unwrap_or(u64::MAX) {
            return false;
        }
        let before = self.recent.iter().cloned().collect();
        let place = place.to_owned();
        let violation = Violation { kind, place, seq, expected, found, before, after: Vec::new() };
        tracing::warn!(%violation, "a violation");
        self.open.push(self.kept.len());
        self.kept.push(violation);
        true
    }

    /// So many more of a kind, which are not told one by one.
    pub(super) fn count(&mut self, kind: &'static str, more: u64) {
        if more > 0 {
            *self.counts.entry(kind).or_default() += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_median_and_a_p99() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.percentile(50), None);
        for bytes in 1..=100 {
            sizes.add(bytes, 1_000);
        }
        assert_eq!(sizes.percentile(50), Some(5.0));
        assert_eq!(sizes.percentile(99), Some(9.9));
    }

    #[test]
    fn a_violation_has_the_events_around_it_and_few_of_a_kind_are_kept() {
        let mut ledger = Ledger::default();
        let both = || ("a".to_owned(), "b".to_owned());
        for seq in 1..=8 {
            ledger.folded(json!({ "seq": seq }));
        }
        assert!(ledger.add("tiles", "x", 8, both()));
        for seq in 9..=20 {
            ledger.folded(json!({ "seq": seq }));
        }
        let seqs = |events: &[Value]| -> Vec<u64> {
            events.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
        };
        assert_eq!(seqs(&ledger.kept[0].before), [4, 5, 6, 7, 8]);
        assert_eq!(seqs(&ledger.kept[0].after), [9, 10, 11, 12, 13]);
        for _ in 0..100 {
            ledger.add("tiles", "x", 20, both());
        }
        assert_eq!((ledger.kept.len(), ledger.counts["tiles"]), (KEPT_PER_KIND_MAX, 101));
    }
}
