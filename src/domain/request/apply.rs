//! What a request becomes by an event; it cannot fail.

use super::{Event, For, Registered, Request, Responsible, Run, State, Stay, Taken, What};
use crate::calendar::Pause;
use crate::promise::{Clock, Each, Verb};
use crate::time::{Span, Timestamp};

impl Request {
    /// Becomes what `event` says.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        self.version += 1;
        self.become_what(at, &event.what);
        if let Some(sight) = &event.sight {
            self.sight = (**sight).clone();
        }
    }

    fn become_what(&mut self, at: Timestamp, what: &What) {
        match what {
            What::Registered(registered) => self.register(at, registered),
            What::Assigned { agent } => {
                self.give_to(Some(agent.clone()));
                self.enter(at, if self.state.is_waiting() { self.state } else { State::Assigned });
                self.last_progress_at = at;
            }
            What::Started => self.progress(at, State::InProgress),
            What::Waiting { on: For::Citizen } => self.progress(at, State::WaitingCitizen),
            What::Waiting { on: For::ThirdParty } => self.progress(at, State::WaitingThirdParty),
            What::Resumed => {
                let agent = self.agent().is_some();
                self.progress(at, if agent { State::InProgress } else { State::Registered });
            }
            What::Resolved { answered } => {
                for clock in Clock::ALL {
                    self.meet(clock, at);
                }
                self.answered(*answered);
                self.end(at, State::Resolved);
                self.last_progress_at = at;
            }
            What::Closed => self.enter(at, State::Closed),
            What::Reopened => {
                let agent = self.agent().is_some();
                self.progress(at, if agent { State::Assigned } else { State::Registered });
                self.ended_at = None;
                if let Some(run) = self.runs.of_mut(Clock::Solution) {
                    run.met_at = None;
                }
            }
            What::Cancelled => self.end(at, State::Cancelled),
            What::Redirected { .. } => self.end(at, State::Redirected),
            What::MessageReceived => self.receive(at),
            What::MessageSent { interim, answered } => {
                self.meet(Clock::FirstResponse, at);
                if !interim {
                    self.meet(Clock::Update, at);
                    self.answered(*answered);
                }
                self.last_progress_at = at;
            }
            What::Noted => self.last_progress_at = at,
            What::Edited | What::Rescheduled => (),
            What::PriorityChanged { to, .. } => self.urgency = *to,
            What::Escalated { step, verbs, done_at } => {
                for verb in verbs {
                    self.obey(at, verb);
                }
                self.take(*step, Taken { at, done_at: *done_at, acknowledged: None });
            }
            What::Acknowledged { steps, by } => {
                for step in steps {
                    match self.taken.get_mut(step.wrapping_sub(1)) {
                        Some(Some(taken)) => taken.acknowledged = Some((by.clone(), at)),
                        Some(None) | None => self.by_hand = 0,
                    }
                }
            }
            What::Breached { clock, .. } => {
                if let Some(run) = self.runs.of_mut(*clock) {
                    run.breached = true;
                }
            }
        }
    }

    fn register(&mut self, at: Timestamp, registered: &Registered) {
        let promise = &registered.promise;
        let target = |clock: Clock| promise.targets.of(clock).is_some();
        self.registered_at = at;
        self.last_progress_at = at;
        self.urgency = registered.urgency;
        self.responsible = Some(registered.responsible.clone());
        self.taken = vec![None; promise.ladder.len()];
        self.runs = Each::from_fn(|clock| match clock {
            Clock::FirstResponse | Clock::Solution => target(clock).then(|| Run::from(at)),
            Clock::Update => None,
        });
        self.registered = Some(registered.clone().into());
    }

    /// The update clock starts with a citizen's message, while none is unanswered.
    fn receive(&mut self, at: Timestamp) {
        let update = Clock::Update;
        let runs = self.runs.of(update).is_some_and(|run| run.met_at.is_none());
        let target = self.promise().is_some_and(|promise| promise.targets.of(update).is_some());
        if target && !runs {
            *self.runs.of_mut(update) = Some(Run::from(at));
        }
    }

    /// A step is taken, and not in sight any more; `None`: one by hand.
    fn take(&mut self, step: Option<usize>, taken: Taken) {
        let place = step.map(|step| step.wrapping_sub(1));
        match place.and_then(|place| self.taken.get_mut(place)) {
            Some(place) => *place = Some(taken),
            None => self.by_hand += 1,
        }
        if let Some(due) = place.and_then(|place| self.sight.steps.get_mut(place)) {
            *due = None;
        }
    }

    fn answered(&mut self, answered: Option<Span>) {
        self.worst = self.worst.max(answered);
    }

    fn meet(&mut self, clock: Clock, at: Timestamp) {
        if let Some(run) = self.runs.of_mut(clock) {
            run.met_at = run.met_at.or(Some(at));
        }
    }

    fn progress(&mut self, at: Timestamp, state: State) {
        self.enter(at, state);
        self.last_progress_at = at;
    }

    fn end(&mut self, at: Timestamp, state: State) {
        self.enter(at, state);
        self.ended_at = Some(at);
    }

    /// Into `state`: a stay where time does not count ends, or begins.
    fn enter(&mut self, at: Timestamp, state: State) {
        if self.state == state {
            return;
        }
        if let Some(stay) = self.stays.last_mut().filter(|stay| stay.pause.to.is_none()) {
            stay.pause.to = Some(at);
        }
        if !state.counts() {
            self.stays.push(Stay { state, pause: Pause { from: at, to: None } });
        }
        self.state = state;
    }

    fn give_to(&mut self, agent: Option<crate::ids::AgentId>) {
        if let Some(responsible) = &mut self.responsible {
            responsible.agent = agent;
        }
    }

    fn obey(&mut self, at: Timestamp, verb: &Verb) {
        let Some(responsible) = &mut self.responsible else { return };
        let Responsible { level, area, queue, .. } = responsible;
        match verb {
            Verb::Notify => return,
            Verb::Raise => {
                self.urgency = self.urgency.raised();
                return;
            }
            Verb::Assign(agent) => {
                self.give_to(Some(agent.clone()));
                if !self.state.is_waiting() {
                    self.enter(at, State::Assigned);
                }
                return;
            }
            Verb::Level(to) => *level = *to,
            Verb::Area(to) => *area = Some(to.clone()),
            Verb::Queue(to) => *queue = Some(to.clone()),
        }
        self.give_to(None);
        if !self.state.is_waiting() {
            self.enter(at, State::Registered);
        }
    }
}

impl Run {
    const fn from(started_at: Timestamp) -> Self {
        Self { started_at, met_at: None, breached: false }
    }
}
