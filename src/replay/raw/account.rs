//! What a replay says of the raw log it came from: counts that add up, every reason, how the rest
//! was inferred, and the replay's waits beside the record's.

use std::collections::BTreeMap;

use atalaya_domain::kpi;
use atalaya_domain::time::{MICROS_PER_SECOND, Span};
use jiff::civil::Date;
use serde::Serialize;

use super::call::{Call, Ended};
use super::lines::Wrong;
use super::patience::Patience;
use super::sift::{Group, Sifted};
use super::staff::{GAP_MAX, NORMAL, Staff, VIP, VIP_HEAD_START};
use crate::replay::report::Outcome;

/// Most broken lines that are listed; the rest is counted.
pub const BROKEN_LISTED_MAX: usize = 50;

/// What became of a raw log's day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// The file's name.
    pub file: String,
    /// The day.
    pub day: String,
    /// `read` = `blank` + `broken` + `of_other_days` + `of_day`.
    pub lines: Lines,
    /// Calls of the day that are played; with all that are left out they are `lines.of_day`.
    pub taken_in: u64,
    /// By reason.
    pub left_out: BTreeMap<String, Few>,
    /// Lines of the whole file that cannot be read; their day is not known.
    pub broken: Broken,
    /// The log's own flags on calls of the day.
    pub flags: BTreeMap<String, Odd>,
    /// What is odd in the values of the day's calls, and the staff's.
    pub anomalies: BTreeMap<String, Odd>,
    /// What the log does not say.
    pub inferred: Vec<String>,
    /// The record, and beside it the replay; queues, classes of priority, and `all`.
    pub waits: Vec<Waits>,
    /// Who was there, inferred.
    pub agents: Vec<Agent>,
}

/// Lines after the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// All.
    pub read: u64,
    /// With nothing in them.
    pub blank: u64,
    /// That cannot be read.
    pub broken: u64,
    /// Calls of other days.
    pub of_other_days: u64,
    /// Calls of the day.
    pub of_day: u64,
}

/// Calls and where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Few {
    /// How many.
    pub calls: u64,
    /// The lines of the first of them.
    pub lines: Vec<u64>,
}

/// Calls that have something odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Odd {
    /// Those that are played.
    pub taken_in: u64,
    /// Those that are not, for one of the reasons of `left_out`.
    pub left_out: u64,
    /// What is made of them.
    pub made: String,
    /// The lines of the first of them.
    pub lines: Vec<u64>,
}

/// Lines that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// All of them, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// The first of them, in file order.
    pub listed: Vec<BrokenLine>,
    /// How many are not listed.
    pub not_listed: u64,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenLine {
    /// From 1, the header's.
    pub line: u64,
    /// Where in it.
    pub column: String,
    /// What is wrong and what to do.
    pub what: String,
}

/// The waits of one queue, one class, or all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waits {
    /// `queue PS`, `priority high`, or `all`.
    pub of: String,
    /// As the log has it, of the calls taken in.
    pub record: Figures,
    /// As the replay has it.
    pub replay: Figures,
}

/// Counts and mean waits; `None`: of nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// All.
    pub contacts: u64,
    /// Answered.
    pub answered: u64,
    /// Abandoned.
    pub abandoned: u64,
    /// Neither: refused, still waiting at the end of the replay, or never played.
    pub neither: u64,
    /// Of both.
    pub mean_wait_s: Option<f64>,
    /// Of the answered.
    pub asa_s: Option<f64>,
    /// Of the abandoned.
    pub mean_wait_abandoned_s: Option<f64>,
}

/// Somebody who answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agent {
    /// Who.
    pub agent: String,
    /// When they first came, `HH:MM:SS` of the day.
    pub from: String,
    /// When they last went; past 24:00:00 where it was after midnight.
    pub to: String,
    /// Times that they were there, with breaks between them.
    pub windows: u64,
    /// How long they were there.
    pub there_s: f64,
    /// Calls of theirs that are played.
    pub calls: u64,
    /// Whose calls they took, and take.
    pub queues: Vec<String>,
}

/// What was read.
pub(super) struct Read<'a> {
    pub(super) file: String,
    pub(super) day: Date,
    pub(super) lines: Lines,
    pub(super) broken: &'a [(u64, Wrong)],
}

impl Account {
    pub(super) fn new(
        read: Read<'_>,
        sifted: &Sifted<'_>,
        staff: &Staff,
        patience: &Patience,
    ) -> Self {
        let mut anomalies: BTreeMap<_, _> =
            sifted.odd.iter().map(|(name, group)| ((*name).to_owned(), odd(group))).collect();
        let at_once = staff.agents.values().map(|there| there.at_once).sum();
        if at_once > 0 {
            let made = "taken in; in the replay an agent has one call at a time".to_owned();
            let at_once = Odd { taken_in: at_once, left_out: 0, made, lines: Vec::new() };
            anomalies.insert("agent_in_two_calls_at_once".to_owned(), at_once);
        }
        let left_out = sifted.left_out.iter().map(|(why, group)| {
            let few = Few { calls: group.left_out, lines: group.lines.clone() };
            ((*why).to_owned(), few)
        });
        let Read { file, day, lines, broken } = read;
        Self {
            file,
            day: day.to_string(),
            lines,
            taken_in: count(sifted.taken.len()),
            left_out: left_out.collect(),
            broken: unreadable(broken),
            flags: sifted.flags.iter().map(|(flag, group)| (flag.clone(), odd(group))).collect(),
            anomalies,
            inferred: inferred(staff, patience),
            waits: record(&sifted.taken),
            agents: agents(staff),
        }
    }

    /// Puts what came of the replay beside the record.
    #[must_use]
    pub fn beside(mut self, outcomes: &[Outcome]) -> Self {
        let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
        for outcome in outcomes {
            let is_answered = match outcome.outcome {
                "answered" => Some(true),
                "abandoned" => Some(false),
                _ => None,
            };
            for of in groups(&outcome.queue, &outcome.priority) {
                sums.entry(of).or_default().add(is_answered, outcome.wait());
            }
        }
        for waits in &mut self.waits {
            let mut sums = sums.remove(&waits.of).unwrap_or_default();
            // What was left out while it was lived has no outcome.
            sums.contacts = waits.record.contacts;
            waits.replay = sums.figures();
        }
        self
    }
}

fn odd(group: &Group) -> Odd {
    let Group { taken_in, left_out, lines, made } = group.clone();
    Odd { taken_in, left_out, made: made.to_owned(), lines }
}

fn unreadable(broken: &[(u64, Wrong)]) -> Broken {
    let mut kinds = BTreeMap::new();
    for (_, wrong) in broken {
        *kinds.entry(wrong.kind.to_owned()).or_default() += 1;
    }
    let listed = broken.iter().take(BROKEN_LISTED_MAX).map(|(line, wrong)| BrokenLine {
        line: *line,
        column: wrong.column.clone(),
        what: wrong.what.clone(),
    });
    let not_listed = count(broken.len().saturating_sub(BROKEN_LISTED_MAX));
    Broken { kinds, listed: listed.collect(), not_listed }
}

fn inferred(staff: &Staff, patience: &Patience) -> Vec<String> {
    let windows: usize = staff.agents.values().map(|there| there.windows.len()).sum();
    vec![
        "the log's clock names no zone and is taken for UTC".to_owned(),
        format!(
            "{} queues by `type`; priority 2 has a head start of {} s, 0 and 1 have none",
            staff.queues.len(),
            VIP_HEAD_START.as_seconds()
        ),
        format!(
            "{} agents by name, in {windows} windows: from the first service to the end of the \
             last, away in pauses of over {} s; each takes calls of the types that they took that \
             day, one at a time",
            staff.agents.len(),
            GAP_MAX.as_seconds()
        ),
        format!(
            "wrap-up {} s: the mean pause of at most {} s before a caller who was waiting already \
             ({} of them)",
            staff.wrap_up.as_seconds(),
            GAP_MAX.as_seconds(),
            staff.pauses
        ),
        "arrival: the beginning of the queue, or the end of the VRU where there was none"
            .to_owned(),
        "service: the recorded time; of who hung up, that of another of the queue, evenly spread"
            .to_owned(),
        format!(
            "patience: of who hung up their time in the queue; of who was answered longer than \
             that, by the Kaplan-Meier estimate over all days ({} hung up, {} cut off by their \
             answer), evenly spread; without end beyond the longest that anybody was seen to wait",
            patience.hung_up, patience.cut_off
        ),
    ]
}

fn agents(staff: &Staff) -> Vec<Agent> {
    let agents = staff.agents.iter().map(|(agent, there)| {
        let from = there.windows.first().map_or(Span::ZERO, |window| window.0);
        let to = there.windows.last().map_or(Span::ZERO, |window| window.1);
        Agent {
            agent: agent.to_string(),
            from: clock(from),
            to: clock(to),
            windows: count(there.windows.len()),
            there_s: there.windows.iter().map(|(from, to)| Span(to.0 - from.0).as_seconds()).sum(),
            calls: there.calls,
            queues: there.queues.iter().map(ToString::to_string).collect(),
        }
    });
    agents.collect()
}

/// `HH:MM:SS`.
fn clock(at: Span) -> String {
    let seconds = at.0 / MICROS_PER_SECOND;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn record(taken: &[&Call]) -> Vec<Waits> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for call in taken {
        let is_answered = Some(call.ended == Ended::Served);
        let priority = if call.is_vip { VIP } else { NORMAL };
        for of in groups(call.queue.as_str(), priority) {
            sums.entry(of).or_default().add(is_answered, Some(call.q_time));
        }
    }
    let mut waits: Vec<_> = sums
        .iter()
        .map(|(of, sums)| Waits {
            of: of.clone(),
            record: sums.figures(),
            replay: Figures::default(),
        })
        .collect();
    // Queues, then classes, then all.
    let place = |of: &str| ["queue ", "priority "].iter().position(|kind| of.starts_with(kind));
    waits.sort_by_key(|waits| place(&waits.of).unwrap_or(usize::MAX));
    waits
}

fn groups(queue: &str, priority: &str) -> [String; 3] {
    [format!("queue {queue}"), format!("priority {priority}"), "all".to_owned()]
}

/// Waits added up.
#[derive(Default)]
struct Sums {
    contacts: u64,
    answered: (i128, u64),
    abandoned: (i128, u64),
}

impl Sums {
    fn add(&mut self, is_answered: Option<bool>, wait: Option<Span>) {
        self.contacts += 1;
        let (Some(is_answered), Some(wait)) = (is_answered, wait) else { return };
        let (sum, count) = if is_answered { &mut self.answered } else { &mut self.abandoned };
        (*sum, *count) = (*sum + i128::from(wait.0), *count + 1);
    }

    fn figures(&self) -> Figures {
        let (answered, abandoned) = (self.answered, self.abandoned);
        Figures {
            contacts: self.contacts,
            answered: answered.1,
            abandoned: abandoned.1,
            neither: self.contacts.saturating_sub(answered.1 + abandoned.1),
            mean_wait_s: kpi::mean_s(answered.0 + abandoned.0, answered.1 + abandoned.1),
            asa_s: kpi::mean_s(answered.0, answered.1),
            mean_wait_abandoned_s: kpi::mean_s(abandoned.0, abandoned.1),
        }
    }
}

pub(super) fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}
