//! What the clocks of a request say: reckoned with its calendar, at an instant.

use super::{Request, Run, Sight};
use crate::calendar::{Calendar, Pause};
use crate::promise::{Anchor, Clock, Each, Step};
use crate::time::{Span, Timestamp};

/// A due instant and the instant at which its clock is late: an act at the due instant is in time.
const LATE: Span = Span(1);

/// One clock as people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The run.
    pub run: Option<Run>,
    /// When it reaches its target.
    pub due: Option<Timestamp>,
    /// Worked time of the run.
    pub worked: Span,
    /// What is left of the target; `None`: no target holds.
    pub remaining: Option<Span>,
    /// What is over it; `None`: no target holds.
    pub overrun: Option<Span>,
}

impl Request {
    /// The pauses, for the calendar.
    pub fn pauses(&self) -> Vec<Pause> {
        self.stays.iter().map(|stay| stay.pause).collect()
    }

    /// What `clock` says at `now`; `None`: it has no target.
    pub fn reading(&self, calendar: &Calendar, now: Timestamp, clock: Clock) -> Option<Reading> {
        let target = self.promise()?.targets.of(clock).as_ref()?.span;
        let run = *self.runs.of(clock);
        let worked = run.map_or(Span::ZERO, |run| self.worked(calendar, &run, now));
        let met = run.is_some_and(|run| run.met_at.is_some());
        let holds = met || self.applies();
        let over = |span: Span| Span(span.0.max(0));
        Some(Reading {
            run,
            due: *self.sight.due.of(clock),
            worked,
            remaining: holds.then(|| over(Span(target.0 - worked.0))),
            overrun: holds.then(|| over(Span(worked.0 - target.0))),
        })
    }

    /// When it must next be looked at: a step acts, or a clock is late; both in open states only.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.next_step()
            .map(|(at, _)| at)
            .into_iter()
            .chain(self.next_breach().map(|(at, ..)| at))
            .min()
    }

    /// The worked time of `run`, up to its end or to `now`.
    pub(super) fn worked(&self, calendar: &Calendar, run: &Run, now: Timestamp) -> Span {
        calendar.worked(run.started_at, run.met_at.unwrap_or(now), &self.pauses())
    }

    /// The step that acts next, and when.
    pub(super) fn next_step(&self) -> Option<(Timestamp, usize)> {
        let steps = self.sight.steps.iter().enumerate();
        let due = steps.filter_map(|(at, due)| due.map(|due| (due, at + 1)));
        due.min().filter(|_| self.state.is_open())
    }

    /// The clock that is late next, when, and what was due.
    pub(super) fn next_breach(&self) -> Option<(Timestamp, Clock, Timestamp)> {
        let late = |clock: Clock| {
            let run = self.runs.of(clock).filter(|run| !run.breached && run.met_at.is_none())?;
            let due = (*self.sight.due.of(clock))?;
            Some((due.plus(LATE).max(self.sight.from).max(run.started_at), clock, due))
        };
        Clock::ALL.into_iter().filter_map(late).min().filter(|_| self.state.is_open())
    }

    /// What is in sight at `now`, by `calendar` of such a version.
    pub(super) fn look(&self, calendar: &Calendar, version: u64, now: Timestamp) -> Sight {
        let pauses = self.pauses();
        let Some(promise) = self.promise().filter(|_| self.applies()) else {
            let steps = vec![None; self.taken.len()];
            return Sight { due: Each::default(), steps, calendar: version, from: now };
        };
        let reached = |clock: Clock, less: Span| {
            let target = promise.targets.of(clock).as_ref()?.span;
            let run = self.runs.of(clock).filter(|run| run.met_at.is_none())?;
            calendar.reached(run.started_at, Span(target.0 - less.0), &pauses)
        };
        let step = |(step, taken): (&Step, &Option<_>)| {
            let after = |from| calendar.reached(from, step.by.span, &pauses);
            let due = match step.anchor {
                _ if taken.is_some() => None,
                Anchor::AfterRegistration => after(self.registered_at),
                Anchor::AfterProgress => after(self.last_progress_at),
                Anchor::Before(clock) => reached(clock, step.by.span),
            };
            due.map(|due| due.max(now))
        };
        Sight {
            due: Each::from_fn(|clock| reached(clock, Span::ZERO)),
            steps: promise.ladder.iter().zip(&self.taken).map(step).collect(),
            calendar: version,
            from: now,
        }
    }
}
