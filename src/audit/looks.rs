//! Comparing a look with the picture at the same sequence number.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::compare::{Differences, close, compare};
use super::expect;
use super::gauges;
use super::judge::{Judge, Look};
use super::listen::TOPICS;
use super::picture::{Fault, instant, written};
use super::rules;
use super::scrape::Samples;

/// A topic's snapshot is measured again after so many of its frames.
const MEASURED_EACH: u64 = 64;
/// Microseconds that a scrape's instant may be beside another look's, by rounding.
const ROUNDING: i64 = 2;
/// Families of a scrape of which every sample that is not 0 must be expected.
const WHOLE_FAMILIES: [&str; 4] =
    ["atalaya_contacts_", "atalaya_offers_total{", "atalaya_queue_waiting{", "atalaya_agents{"];

impl Judge {
    /// The fold stands at the end of an entry: both sides of it fit together.
    pub(super) fn settle(&mut self) {
        self.summary.compared += 1;
        let mut faults = Vec::new();
        self.picture.settle(&mut faults);
        self.picture.check_hands(&mut faults);
        self.faults(faults, "the log");
    }

    /// S87 in the fold itself.
    pub(super) fn conserved(&mut self) {
        let mut faults = Vec::new();
        for (id, queue) in self.picture.queues.iter().filter(|(_, queue)| !queue.broken) {
            let (book, waiting) = (&queue.book, u64::try_from(queue.waiting.len()).unwrap_or(0));
            let came = book.today.offered + book.carried_over;
            let went = book.today.answered + book.today.abandoned + book.today.refused + waiting;
            if came != went {
                let expected = format!("{came} came to {id}");
                faults.push(Fault::new("conservation", expected, format!("{went} went or wait")));
            }
        }
        self.faults(faults, "the log");
    }

    /// A look that the fold has passed: not compared, but a copy goes on.
    pub(super) fn too_late(&mut self, look: Look) {
        self.summary.late += 1;
        if let Look::Frame { place, mut frame, chained } = look {
            self.take(place, &mut frame, chained);
        }
    }

    /// A look at the number that the fold stands at.
    pub(super) fn compare(&mut self, look: Look) {
        match look {
            Look::Frame { place, mut frame, chained } => {
                let at = frame["at"].as_str().and_then(instant);
                let kind = if frame["type"] == "snapshot" { "snapshot" } else { "delta" };
                if self.take(place, &mut frame, chained)
                    && let Some(at) = at
                {
                    self.compare_topic(place, at, kind);
                }
            }
            Look::Wallboard(answer) => {
                self.summary.polls += 1;
                let Some(at) = answer["at"].as_str().and_then(instant) else {
                    let both = ("`at`".to_owned(), answer["at"].to_string());
                    return self.violated("wallboard", "GET /wallboard", both);
                };
                self.compare_board("GET /wallboard", &answer["data"], at, "wallboard");
            }
            Look::Scrape { samples, between } => {
                self.summary.scrapes += 1;
                self.compare_samples(&samples);
                if let Some(clock) = samples.get(gauges::CLOCK) {
                    self.compare_gauges(&samples, *clock, between);
                } else {
                    let place = format!("/metrics {}", gauges::CLOCK);
                    let both = ("the instant of the scrape".to_owned(), "nothing".to_owned());
                    self.violated("metrics", &place, both);
                }
                self.impossible(&samples);
            }
        }
    }

    /// Takes a frame into its copy: whether the copy can be compared.
    fn take(&mut self, place: usize, frame: &mut Value, chained: bool) -> bool {
        let topic = &mut self.topics[place];
        if !chained {
            topic.mistrusted = true;
            return false;
        }
        let taken = topic.take(frame);
        if topic.mistrusted {
            return false;
        }
        if topic.frames.is_multiple_of(MEASURED_EACH) {
            self.whole[place] = topic.data.to_string().len();
        }
        if let Err(pointer) = taken {
            let found = format!("`{pointer}` leads nowhere");
            self.violated("delta", TOPICS[place], ("pointers into the data".to_owned(), found));
            self.renew(place);
            return false;
        }
        true
    }

    /// The copy is wrong: a snapshot is asked for, and until it is there nothing is compared.
    fn renew(&mut self, place: usize) {
        self.topics[place].mistrusted = true;
        self.asked.snapshots[place].store(true, Ordering::Release);
    }

    fn compare_topic(&mut self, place: usize, at: i64, kind: &'static str) {
        let data = std::mem::take(&mut self.topics[place].data);
        let fits = if TOPICS[place] == "wallboard" {
            self.compare_board("wallboard", &data, at, kind)
        } else {
            let expected = expect::roster(&self.picture, at);
            let differences = compare(&expected, &data, &mut self.summary.unchecked);
            self.differ("roster", kind, differences)
        };
        self.topics[place].data = data;
        if !fits {
            self.renew(place);
        }
    }

    fn compare_board(&mut self, place: &str, data: &Value, at: i64, kind: &'static str) -> bool {
        let expected = expect::wallboard(&self.picture, at);
        let differences = compare(&expected, data, &mut self.summary.unchecked);
        let broken = self.picture.queues.iter().filter(|(_, queue)| queue.broken);
        let broken: BTreeSet<String> = broken.map(|(id, _)| id.clone()).collect();
        let fits = self.differ(place, kind, differences);
        let sums = self.differ(place, "tiles", rules::tiles(data));
        let conserved = self.differ(place, "conservation", rules::conservation(data, &broken));
        fits && sums && conserved
    }

    /// Tells the differences; whether there were none.
    fn differ(&mut self, place: &str, kind: &'static str, differences: Differences) -> bool {
        let Differences { told, more } = differences;
        let none = told.is_empty();
        for difference in told {
            let place = format!("{place} {}", difference.path);
            self.violated(kind, &place, (difference.expected, difference.found));
        }
        self.ledger.count(kind, more);
        none
    }

    fn compare_samples(&mut self, found: &Samples) {
        let expected = expect::samples(&self.picture);
        let mut differences = Differences::default();
        for (name, value) in &expected {
            match found.get(name) {
                Some(there) if close(*value, *there) => (),
                Some(there) => differences.tell(name, value.to_string(), there.to_string()),
                None => differences.tell(name, value.to_string(), "nothing".to_owned()),
            }
        }
        let whole = |name: &str| {
            let of_all = |family: &&str| name.starts_with(*family);
            WHOLE_FAMILIES.iter().any(of_all) && !name.starts_with(gauges::FAMILY)
        };
        let knows_all = self.picture.agents.values().all(|agent| agent.text.is_some());
        for (name, value) in found.iter().filter(|(name, _)| whole(name) && knows_all) {
            if !expected.contains_key(name) && !close(*value, 0.0) {
                differences.tell(name, "nothing".to_owned(), value.to_string());
            }
        }
        self.differ("/metrics", "metrics", differences);
    }

    /// What hangs on the instant of a scrape: all of it exactly.
    fn compare_gauges(&mut self, found: &Samples, clock: f64, (from, to): (i64, i64)) {
        let mut differences = Differences::default();
        #[expect(clippy::cast_possible_truncation, reason = "an instant is far below 2^53")]
        let at = (clock * 1e6).round() as i64;
        if !(from - ROUNDING..=to + ROUNDING).contains(&at) {
            let expected = format!("an instant between {} and {}", written(from), written(to));
            differences.tell(gauges::CLOCK, expected, written(at));
        }
        let expected = gauges::gauges(&self.picture, at);
        for (name, figure) in &expected {
            match found.get(name) {
                Some(sample) if gauges::shows(*sample, *figure) => (),
                sample => {
                    let found = sample.map_or("nothing".to_owned(), f64::to_string);
                    differences.tell(name, format!("{figure:?}"), found);
                }
            }
        }
        let known = |name: &&String| expected.iter().any(|(other, _)| other == *name);
        let others = found.keys().filter(|name| name.starts_with(gauges::FAMILY));
        for name in others.filter(|name| !known(name)) {
            differences.tell(name, "nothing".to_owned(), found[name].to_string());
        }
        self.differ("/metrics", "metrics", differences);
    }

    /// The server's own count of what cannot be.
    fn impossible(&mut self, found: &Samples) {
        let kinds = found.iter().filter(|(name, _)| name.starts_with("atalaya_impossible_total"));
        let counts: Vec<f64> = kinds.map(|(_, count)| *count).collect();
        if counts.is_empty() {
            // A server that does not count has not said that there were none.
            return;
        }
        let sum: f64 = counts.iter().sum();
        if sum > self.summary.impossible.unwrap_or(0.0) {
            let place = "/metrics atalaya_impossible_total";
            self.violated("impossible", place, ("0".to_owned(), sum.to_string()));
        }
        self.summary.impossible = Some(sum);
    }
}
