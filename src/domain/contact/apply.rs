//! What a contact becomes by an event: live and replayed alike.

use std::sync::Arc;

use super::{Contact, Entered, Event, State, Who};
use crate::time::Timestamp;

impl Contact {
    /// Becomes what `event` says.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        self.version += 1;
        match event {
            Event::Queued(entered) => {
                self.enter(at, entered);
                self.state = State::Queued;
            }
            Event::Refused { entered, reason } => {
                if let Some(entered) = entered {
                    self.enter(at, entered);
                }
                self.state = State::Refused { reason: reason.clone() };
                self.ended_at = Some(at);
            }
            Event::Offered { offer, agent, expires_at, choice } => {
                self.choice = Some((at, agent.clone(), choice.clone()));
                self.offered_at = Some(at);
                let (offer, agent, expires_at) = (*offer, agent.clone(), *expires_at);
                self.state = State::Offered { offer, agent, since: at, expires_at };
            }
            Event::OfferAccepted { .. } => self.back_off.clear(),
            Event::Answered { agent } => {
                self.state = State::Active { agent: agent.clone(), since: at };
                self.answered_at.get_or_insert(at);
            }
            Event::OfferRejected { agent, back_off, .. } => {
                self.state = State::Queued;
                if let Some(until) = back_off {
                    self.back_off.insert(agent.clone(), *until);
                }
            }
            Event::OfferMissed { .. } | Event::OfferRecalled { .. } => self.state = State::Queued,
            Event::BackOffEnded { agent } => {
                self.back_off.remove(agent);
            }
            Event::Abandoned => (self.state, self.ended_at) = (State::Abandoned, Some(at)),
            Event::Held => {
                if let Some(agent) = self.agent().cloned() {
                    self.state = State::Held { agent, since: at };
                }
            }
            Event::Resumed => self.resume(at),
            Event::Completed { agent, wrap_up_until, .. } => {
                self.leave_hold(at);
                self.ended_at = Some(at);
                let (agent, until) = (agent.clone(), *wrap_up_until);
                self.state = State::WrapUp { agent, since: at, until };
            }
            Event::WrapUpExtended { by, until } => {
                self.extended |= matches!(by, Who::Agent(_));
                if let State::WrapUp { until: limit, .. } = &mut self.state {
                    *limit = Some(*until);
                }
            }
            Event::WrapUpEnded { outcome, topic, .. } => {
                self.keep_outcome(outcome.as_ref(), topic.as_ref());
                self.closed_at = Some(at);
                if let Some(agent) = self.agent().cloned() {
                    self.state = State::Closed { agent, since: at };
                }
            }
            Event::OutcomeGiven { outcome, topic } => {
                self.keep_outcome(outcome.as_ref(), topic.as_ref());
            }
            Event::PriorityChanged { to, order_key, .. } => {
                (self.priority, self.order_key) = (Some(to.clone()), *order_key);
            }
        }
    }

    fn resume(&mut self, at: Timestamp) {
        self.leave_hold(at);
        if let Some(agent) = self.agent().cloned() {
            self.state = State::Active { agent, since: at };
        }
    }

    fn enter(&mut self, at: Timestamp, entered: &Entered) {
        self.entered = Some(Arc::new(entered.clone()));
        self.priority = Some(entered.priority.clone());
        (self.order_key, self.arrived_at) = (entered.order_key, at);
    }

    fn leave_hold(&mut self, at: Timestamp) {
        if let State::Held { since, .. } = &self.state {
            self.held.0 += at.since(*since).0;
        }
    }

    fn keep_outcome(&mut self, outcome: Option<&String>, topic: Option<&String>) {
        self.outcome = outcome.cloned().or_else(|| self.outcome.take());
        self.topic = topic.cloned().or_else(|| self.topic.take());
    }
}
