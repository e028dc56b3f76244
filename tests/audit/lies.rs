//! Each lie is told once, by a proxy, and the auditor names the rule that it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use atalaya::audit::Summary;
use serde_json::{Value, json};

use crate::demo::{Demo, audit};
use crate::proxy::{Fate, Liar, Proxy};

/// Deltas of the wallboard that pass before a lie.
const TRUE_DELTAS: u32 = 5;
/// Sequence numbers compared after a lie was caught: one lie makes no flood.
const AFTER: u64 = 40;

/// What a liar changes; each says whether it could.
enum Lie {
    /// The wallboard's delta.
    Delta(fn(&mut Value) -> bool),
    /// The wallboard's snapshot.
    Snapshot(fn(&mut Value) -> bool),
    /// A delta is dropped that is of use.
    Dropped,
    /// The socket falls silent.
    Silence,
    /// The events of a page.
    Events(fn(&mut Vec<Value>) -> bool),
    /// The text of a scrape.
    Scrape(fn(&str) -> Option<String>),
    /// An older wallboard's data under a newer number.
    OldBoard(Option<Value>),
}

struct Once {
    lie: Lie,
    told: Arc<AtomicBool>,
    deltas: u32,
}

impl Once {
    fn tell(&self, told: bool) {
        self.told.fetch_or(told, Ordering::SeqCst);
    }
}

impl Liar for Once {
    fn answer(&mut self, path: &str, body: String) -> String {
        if self.told.load(Ordering::SeqCst) || self.deltas < TRUE_DELTAS {
            return body;
        }
        let mut answer: Value = serde_json::from_str(&body).unwrap_or_default();
        match &mut self.lie {
            Lie::Events(lie) if path.starts_with("/api/v1/events") => {
                let told = lie(answer["items"].as_array_mut().unwrap());
                self.tell(told);
            }
            Lie::OldBoard(old) if path == "/api/v1/wallboard" => match old {
                Some(old) if old["seq"] != answer["seq"] && other_counts(old, &answer) => {
                    answer["data"] = old["data"].clone();
                    self.tell(true);
                }
                Some(_) => (),
                None => *old = Some(answer.clone()),
            },
            Lie::Scrape(lie) if path == "/metrics" => {
                let changed = lie(&body);
                self.tell(changed.is_some());
                return changed.unwrap_or(body);
            }
            _ => return body,
        }
        answer.to_string()
    }

    fn frame(&mut self, text: String) -> Fate {
        let mut frame: Value = serde_json::from_str(&text).unwrap();
        if let Lie::Snapshot(lie) = &self.lie
            && frame["type"] == "snapshot"
            && frame["topic"] == "wallboard"
        {
            let told = lie(&mut frame);
            self.tell(told);
            return Fate::Pass(frame.to_string());
        }
        if frame["type"] != "delta" || frame["topic"] != "wallboard" {
            return Fate::Pass(text);
        }
        self.deltas += 1;
        if self.told.load(Ordering::SeqCst) || self.deltas < TRUE_DELTAS {
            return Fate::Pass(text);
        }
        match &self.lie {
            Lie::Delta(lie) => {
                let told = lie(&mut frame);
                self.tell(told);
                Fate::Pass(frame.to_string())
            }
            Lie::Dropped if frame["from"] != frame["seq"] => {
                self.tell(true);
                Fate::Drop
            }
            Lie::Silence => {
                self.tell(true);
                Fate::Hold
            }
            _ => Fate::Pass(text),
        }
    }
}

fn other_counts(one: &Value, other: &Value) -> bool {
    one["data"]["totals"]["offered_today"] != other["data"]["totals"]["offered_today"]
}

/// The lie is told once, and caught under the name of `kind`; what is said of it.
fn caught(lie: Lie, kind: &'static str) -> Summary {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let told = Arc::new(AtomicBool::new(false));
    let once = Once { lie, told: told.clone(), deltas: 0 };
    let front = Proxy::before(&demo.address, Some(Box::new(once)));
    let mut until = None;
    let summary = audit(&front.address(), &demo.token, |progress| {
        if progress.violations.contains_key(kind) {
            until.get_or_insert(progress.compared + AFTER);
        }
        // Nothing more is compared where nothing comes.
        until.is_none_or(|until| kind != "silence" && progress.compared < until)
    });
    assert!(told.load(Ordering::SeqCst), "the lie was never told: {summary}");
    let found = summary.kept.iter().find(|violation| violation.kind == kind);
    let found = found.unwrap_or_else(|| panic!("{kind} was not caught: {summary}"));
    assert!(!found.before.is_empty(), "{found}");
    summary
}

fn kinds(summary: &Summary) -> Vec<&str> {
    summary.violations.keys().copied().collect()
}

#[test]
fn a_snapshot_is_of_another_epoch() {
    let summary = caught(
        Lie::Snapshot(|frame| {
            frame["epoch"] = json!("00000000-0000-7000-8000-000000000000");
            true
        }),
        "chain",
    );
    assert_eq!(kinds(&summary), ["chain"], "{summary}");
}

#[test]
fn a_count_in_a_delta_is_changed() {
    let summary = caught(
        Lie::Delta(|frame| {
            let set = frame["set"].as_object_mut().unwrap();
            let count = set.iter_mut().find(|(path, _)| path.ends_with("/offered_today"));
            count.is_some_and(|(_, count)| {
                *count = json!(count.as_u64().unwrap() + 1);
                true
            })
        }),
        "delta",
    );
    let found = summary.kept.iter().find(|violation| violation.kind == "delta").unwrap();
    assert!(found.place.ends_with("/offered_today"), "{found}");
    assert_eq!(found.after.len(), 5, "{found}");
    // The sums are off too; with the next snapshot all is well.
    assert_eq!(kinds(&summary), ["conservation", "delta", "tiles"]);
    assert_eq!(summary.violations["delta"], 1, "{summary}");
}

#[test]
fn a_delta_is_dropped() {
    let summary = caught(Lie::Dropped, "chain");
    assert_eq!(kinds(&summary), ["chain"]);
    assert_eq!(summary.count(), 1, "{summary}");
}

#[test]
fn an_event_is_left_out() {
    let summary = caught(
        Lie::Events(|events| {
            let last = events.len().saturating_sub(1);
            let place = events[..last].iter().position(|event| event["event"] == "queued");
            place.map(|place| events.remove(place)).is_some()
        }),
        "gap",
    );
    // Asked again, the proxy tells the truth.
    assert_eq!(kinds(&summary), ["gap"]);
}

#[test]
fn an_event_holds_a_telephone_number() {
    let summary = caught(
        Lie::Events(|events| {
            events.last_mut().is_some_and(|event| {
                event["data"]["from"] = json!("+34600000142");
                true
            })
        }),
        "personal",
    );
    assert_eq!(kinds(&summary), ["personal"]);
}

#[test]
fn an_event_is_told_with_another_agent() {
    let summary = caught(
        Lie::Events(|events| {
            let answered = events.iter_mut().find(|event| event["event"] == "answered");
            answered.is_some_and(|event| {
                event["data"]["agent"] = json!("nobody");
                true
            })
        }),
        "order",
    );
    // The auditor's own picture is wrong from there on: the two sides do not fit.
    assert!(kinds(&summary).contains(&"hands"), "{summary}");
}

#[test]
fn a_scrape_is_off_by_one() {
    let summary = caught(
        Lie::Scrape(|text| {
            a_line_is(text, "atalaya_contacts_answered_total{", |count| {
                Some((count.parse::<u64>().ok()? + 1).to_string())
            })
        }),
        "metrics",
    );
    assert_eq!(summary.count(), 1, "{summary}");
    let found = &summary.kept[0];
    assert!(found.place.contains("atalaya_contacts_answered_total"), "{found}");
}

/// One line of the scrape is another, or gone.
fn a_line_is(text: &str, start: &str, other: impl Fn(&str) -> Option<String>) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(start))?;
    let other = match line.rsplit_once(' ') {
        Some((series, value)) => other(value).map(|value| format!("{series} {value}")),
        None => None,
    };
    Some(text.replace(line, &other.unwrap_or_default()))
}

#[test]
fn a_gauge_of_the_day_is_off_by_one() {
    let start = "atalaya_contacts_today{";
    let summary = caught(
        Lie::Scrape(|text| {
            a_line_is(text, "atalaya_contacts_today{", |count| {
                Some((count.parse::<f64>().ok()? + 1.0).to_string())
            })
        }),
        "metrics",
    );
    assert_eq!(summary.count(), 1, "{summary}");
    assert!(summary.kept[0].place.contains(start), "{summary}");
}

#[test]
fn a_scrape_does_not_say_its_instant() {
    let lie = Lie::Scrape(|text| a_line_is(text, "atalaya_clock_seconds ", |_| None));
    let summary = caught(lie, "metrics");
    assert_eq!(summary.count(), 1, "{summary}");
    assert!(summary.kept[0].place.contains("atalaya_clock_seconds"), "{summary}");
}

#[test]
fn an_older_wallboard_comes_under_a_newer_number() {
    let summary = caught(Lie::OldBoard(None), "wallboard");
    assert_eq!(kinds(&summary), ["wallboard"]);
}

#[test]
fn an_agent_is_shown_ready_while_busy() {
    let summary = caught(
        Lie::Delta(|frame| {
            let set = frame["set"].as_object_mut().unwrap();
            let busy = set.iter_mut().find(|(path, state)| {
                path.starts_with("/agents/") && path.ends_with("/state") && **state == "busy"
            });
            busy.is_some_and(|(_, state)| {
                *state = json!("ready");
                true
            })
        }),
        "delta",
    );
    assert_eq!(kinds(&summary), ["delta", "tiles"]);
}

#[test]
fn the_socket_falls_silent() {
    let summary = caught(Lie::Silence, "silence");
    assert_eq!(kinds(&summary), ["silence"]);
    assert!(summary.count() <= 2, "once a topic: {summary}");
}
