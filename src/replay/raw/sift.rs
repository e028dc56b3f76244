//! Which calls of a day are taken in, which are left out and why, and what is odd in them.
//!
//! A call is left out for the first reason that holds. What is odd is looked for in the values; the
//! log's own flags are counted beside it, and decide nothing.

use std::collections::BTreeMap;

use atalaya_domain::time::Span;

use super::DAY;
use super::call::{Call, Ended, later};

/// Most lines that are named for one reason; the rest is counted.
pub(super) const LINES_NAMED_MAX: usize = 10;
/// Most flags that are told apart; calls with others count as `other`.
const FLAGS_TOLD_MAX: usize = 32;
/// How much sooner than the queue's end a service may begin: the log's parts keep clocks of their
/// own.
const CLOCKS_APART: Span = Span::seconds(5);

/// Why a call is left out.
pub(super) fn why(call: &Call) -> Option<&'static str> {
    match call.ended {
        Ended::Phantom => Some("phantom: the log itself says that it was no call"),
        Ended::HungUp if !call.queued() => Some("hung up before it queued: it asked for nobody"),
        Ended::Served if call.agent.is_none() => {
            Some("served by nobody: no agent is named whose time it could take")
        }
        Ended::HungUp | Ended::Served if call.q_time < Span::ZERO => {
            Some("negative time in the queue: it has no wait")
        }
        Ended::Served if call.ser_time < Span::ZERO => {
            Some("negative service time: it has no service")
        }
        Ended::HungUp | Ended::Served => None,
    }
}

/// What the log's own flags say, and what is made of it.
const FLAGS: [(&str, &str); 11] = [
    ("AGENT_NO_SERVER", "no agent is named: left out"),
    ("HANG_IN_VRU", "hung up before it queued: left out"),
    ("LONG_SERVICE", "taken in as it is"),
    ("NEG_VRU", "negative time before the queue, which is not replayed"),
    ("NO_QUEUE", "did not queue: served at once with a wait of 0, or left out as never asking"),
    ("PHANTOM", "left out"),
    ("Q_MISMATCH", "the time in the queue counts, not its ends"),
    ("SER_BEFORE_QEXIT", "the wait is the time in the queue; the agent is there from the service"),
    ("SER_MISMATCH", "the service time counts, not its ends"),
    ("SHORT_SERVICE", "taken in as it is"),
    ("ZERO_SERVICE", "taken in with a service of 0 s"),
];

/// Whether a call has something odd.
type IsOdd = fn(&Call) -> bool;

/// What is odd in a call's values, and what is made of it.
const ODD: [(&str, &str, IsOdd); 9] = [
    ("negative_vru_time", "the time before the queue is not replayed", |call| {
        call.vru_time < Span::ZERO
    }),
    ("negative_queue_or_service_time", "left out", |call| {
        call.q_time < Span::ZERO || call.ser_time < Span::ZERO
    }),
    ("crossed_midnight", "goes on after midnight", crossed_midnight),
    ("queue_time_is_not_between_its_ends", "the time in the queue counts", |call| {
        call.queued() && !is_between(call.q_start, call.q_exit, call.q_time)
    }),
    (
        "service_time_is_not_between_its_ends",
        "the service time counts, from its beginning",
        |call| !is_between(call.ser_start, call.ser_exit, call.ser_time),
    ),
    (
        "service_before_the_queues_end",
        "the wait is the time in the queue; the agent is there from the service",
        is_before_the_queues_end,
    ),
    (
        "served_for_0_s",
        "taken in with a service of 0 s; where it never began, it shows no agent's presence",
        |call| call.ended == Ended::Served && call.ser_time == Span::ZERO,
    ),
    ("hung_up_with_a_service_time", "counts as hung up", |call| {
        call.ended == Ended::HungUp && call.ser_time != Span::ZERO
    }),
    ("hung_up_with_an_agent", "counts as hung up; shows no agent's presence", |call| {
        call.ended == Ended::HungUp && call.agent.is_some()
    }),
];

fn is_between(start: Span, end: Span, time: Span) -> bool {
    later(start, end).0 - start.0 == time.0
}

fn crossed_midnight(call: &Call) -> bool {
    let end = |at: Span, time: Span| Span(at.0 + time.0);
    let queued = call.queued().then(|| end(call.arrived(), call.q_time));
    let served = call.began().map(|at| end(at, call.ser_time));
    queued.into_iter().chain(served).chain([call.arrived()]).any(|at| at >= DAY)
}

fn is_before_the_queues_end(call: &Call) -> bool {
    let left = Span(call.arrived().0 + call.q_time.0);
    let sooner = |at: Span| left.0 - at.0 > CLOCKS_APART.0;
    call.ended == Ended::Served && call.queued() && call.began().is_some_and(sooner)
}

/// Calls with something in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) taken_in: u64,
    pub(super) left_out: u64,
    /// The first of their lines, at most [`LINES_NAMED_MAX`].
    pub(super) lines: Vec<u64>,
    /// What is made of them.
    pub(super) made: &'static str,
}

impl Group {
    fn add(&mut self, call: &Call, is_taken: bool) {
        *(if is_taken { &mut self.taken_in } else { &mut self.left_out }) += 1;
        if self.lines.len() < LINES_NAMED_MAX {
            self.lines.push(call.line);
        }
    }
}

/// A day's calls, judged.
pub(super) struct Sifted<'a> {
    /// In file order.
    pub(super) taken: Vec<&'a Call>,
    /// By reason.
    pub(super) left_out: BTreeMap<&'static str, Group>,
    /// By the log's own flag.
    pub(super) flags: BTreeMap<String, Group>,
    /// By what is odd.
    pub(super) odd: BTreeMap<&'static str, Group>,
}

impl Sifted<'_> {
    /// The reasons in words.
    pub(super) fn said(&self) -> String {
        let reasons = self.left_out.iter();
        let said: Vec<_> =
            reasons.map(|(why, group)| format!("{}: {why}", group.left_out)).collect();
        said.join("; ")
    }
}

pub(super) fn sift<'a>(of_day: &[&'a Call]) -> Sifted<'a> {
    let mut sifted = Sifted {
        taken: Vec::new(),
        left_out: BTreeMap::new(),
        flags: BTreeMap::new(),
        odd: BTreeMap::new(),
    };
    for call in of_day {
        let why = why(call);
        match why {
            Some(why) => sifted.left_out.entry(why).or_default().add(call, false),
            None => sifted.taken.push(call),
        }
        for flag in &call.flags {
            let is_told = sifted.flags.len() < FLAGS_TOLD_MAX || sifted.flags.contains_key(flag);
            let named = if is_told { flag.as_str() } else { "other" };
            let group = sifted.flags.entry(named.to_owned()).or_default();
            let known = FLAGS.iter().find(|(name, _)| name == flag);
            group.made = known.map_or("not known: decides nothing", |(_, made)| made);
            group.add(call, why.is_none());
        }
        for (name, made, is_odd) in ODD {
            if is_odd(call) {
                let group = sifted.odd.entry(name).or_default();
                group.made = made;
                group.add(call, why.is_none());
            }
        }
    }
    sifted
}
