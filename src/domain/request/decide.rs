//! What a request decides: what has fallen due first, then the command.

use super::{Command, Event, For, Request, State, What};
use crate::calendar::Calendar;
use crate::ids::AgentId;
use crate::promise::Clock;
use crate::time::{Span, Timestamp};

/// Why a request turned a command down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It makes no sense in this state.
    #[error("cannot {command} while {state}")]
    Illegal { command: &'static str, state: &'static str },
    /// Somebody has it.
    #[error("cannot assign: {agent} has it already")]
    Taken { agent: AgentId },
    /// There is none.
    #[error("there is no such request")]
    Unknown,
    /// There is one already.
    #[error("this request exists already")]
    Exists,
}

/// The calendar of a request, and its version.
pub type Dated<'a> = (&'a Calendar, u64);

/// Acts of what had fallen due, each at its instant; then what the command does.
pub type Decided = (Vec<(Timestamp, Vec<Event>)>, Result<Vec<Event>, Refusal>);

impl Request {
    /// Acts of what has fallen due by `now`, each at its instant; then what `command` causes.
    pub fn decide(&self, dated: Dated<'_>, now: Timestamp, command: &Command) -> Decided {
        let mut request = self.clone();
        let mut lapses = Vec::new();
        while let Some((at, what)) = request.lapse(now) {
            lapses.push((at, request.lapsed(dated, at, what)));
        }
        let act = request.transition(dated.0, now, command);
        let act = act.map(|whats| request.go_on(dated, now, whats));
        // What a new request, or a change, finds past acts at once.
        if act.is_err() {
            return (lapses, act);
        }
        let mut events = act.unwrap_or_default();
        while let Some((at, what)) = request.lapse(now) {
            events.extend(request.lapsed(dated, at.max(now), what));
        }
        (lapses, Ok(events))
    }

    /// Becomes what has fallen due. It moves nothing else that is in sight, so nothing is reckoned
    /// anew: by now the calendar may be one that came after. Only where a step makes the promise
    /// hold, or hold no more, there is no other way.
    fn lapsed(&mut self, dated: Dated<'_>, at: Timestamp, what: What) -> Vec<Event> {
        let mut after = self.clone();
        after.apply(at, &Event { what: what.clone(), sight: None });
        if self.applies() != after.applies() {
            return self.go_on(dated, at, vec![what]);
        }
        let event = Event { what, sight: None };
        self.apply(at, &event);
        vec![event]
    }

    /// What has fallen due first by `now`; a clock is late before a step of the same instant acts.
    fn lapse(&self, now: Timestamp) -> Option<(Timestamp, What)> {
        let breach = self.next_breach().map(|(at, clock, due)| (at, What::Breached { clock, due }));
        let step = self.next_step().and_then(|(at, step)| {
            let verbs = self.promise()?.ladder.get(step - 1)?.verbs.clone();
            Some((at, What::Escalated { step: Some(step), verbs, done_at: now }))
        });
        let first = match (breach, step) {
            (Some(breach), Some(step)) => Some(if breach.0 <= step.0 { breach } else { step }),
            (breach, step) => breach.or(step),
        };
        first.filter(|(at, _)| *at <= now)
    }

    /// Becomes each of `whats`, and tells with the last what is in sight then.
    fn go_on(
        &mut self,
        (calendar, version): Dated<'_>,
        at: Timestamp,
        whats: Vec<What>,
    ) -> Vec<Event> {
        let mut events: Vec<Event> =
            whats.into_iter().map(|what| Event { what, sight: None }).collect();
        for event in &events {
            self.apply(at, event);
        }
        let Some(last) = events.last_mut() else { return events };
        let seen = self.look(calendar, version, at);
        let before = &self.sight;
        let same = (&seen.due, &seen.steps, seen.calendar)
            == (&before.due, &before.steps, before.calendar);
        if !same {
            self.sight = seen.clone();
            last.sight = Some(Box::new(seen));
        }
        events
    }

    fn transition(
        &self,
        calendar: &Calendar,
        now: Timestamp,
        command: &Command,
    ) -> Result<Vec<What>, Refusal> {
        if let Command::Register(registered) = command {
            let born = self.registered.is_some();
            return if born {
                Err(Refusal::Exists)
            } else {
                Ok(vec![What::Registered(registered.clone())])
            };
        }
        if self.registered.is_none() {
            return Err(Refusal::Unknown);
        }
        let answered = || self.answered_after(calendar, now);
        let what = match (command, self.state) {
            (Command::Assign { agent, claim }, state) if state.is_open() => {
                match self.agent().filter(|_| *claim) {
                    Some(holder) => return Err(Refusal::Taken { agent: holder.clone() }),
                    None => What::Assigned { agent: agent.clone() },
                }
            }
            (Command::Start, State::Assigned) => What::Started,
            (Command::Wait { on }, state) if state.counts() => What::Waiting { on: *on },
            (Command::Resume, state) if state.is_waiting() => What::Resumed,
            (Command::Resolve, state) if state.is_open() => What::Resolved { answered: answered() },
            (Command::Close, State::Resolved) => What::Closed,
            (Command::Reopen, state) if !state.is_open() => What::Reopened,
            (Command::Cancel, state) if state.is_open() => What::Cancelled,
            (Command::Redirect { to }, state) if state.is_open() => {
                What::Redirected { to: to.clone() }
            }
            (Command::Escalate { verbs }, state) if state.is_open() => {
                What::Escalated { step: None, verbs: verbs.clone(), done_at: now }
            }
            (Command::Acknowledge { step, by }, _) => {
                let steps = self.unseen(*step);
                if steps.is_empty() {
                    return Err(self.illegal(command));
                }
                What::Acknowledged { steps, by: by.clone() }
            }
            (Command::Receive, State::WaitingCitizen) => {
                return Ok(vec![What::MessageReceived, What::Resumed]);
            }
            (Command::Receive, _) => What::MessageReceived,
            (Command::Send { interim }, _) => {
                let answered = if *interim { None } else { answered() };
                What::MessageSent { interim: *interim, answered }
            }
            (Command::Note, _) => What::Noted,
            (Command::Edit, state) if state.is_open() => What::Edited,
            (Command::Prioritise { urgency }, state) if state.is_open() => {
                if *urgency == self.urgency {
                    return Ok(vec![]);
                }
                What::PriorityChanged { from: self.urgency, to: *urgency }
            }
            (Command::Reschedule, state) => {
                return Ok(if state.is_open() { vec![What::Rescheduled] } else { vec![] });
            }
            (Command::Tick, _) => return Ok(vec![]),
            _ => return Err(self.illegal(command)),
        };
        Ok(vec![what])
    }

    /// How long the unanswered message of the citizen has waited, if there is one.
    fn answered_after(&self, calendar: &Calendar, now: Timestamp) -> Option<Span> {
        let run = self.runs.of(Clock::Update).filter(|run| run.met_at.is_none())?;
        Some(self.worked(calendar, &run, now))
    }

    /// Steps taken that nobody has seen: `step`, or all; 0 stands for those by hand.
    fn unseen(&self, step: Option<usize>) -> Vec<usize> {
        let by_hand = (self.by_hand > 0).then_some(0);
        let taken = self.taken.iter().enumerate().filter_map(|(at, taken)| {
            taken.as_ref().filter(|taken| taken.acknowledged.is_none()).map(|_| at + 1)
        });
        let all = by_hand.into_iter().chain(taken);
        all.filter(|number| step.is_none_or(|step| step == *number)).collect()
    }

    fn illegal(&self, command: &Command) -> Refusal {
        Refusal::Illegal { command: command.name(), state: self.state.name() }
    }
}

impl For {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::ThirdParty => "third_party",
        }
    }
}
