//! What a contact decides: lapses first, then the command.

use super::{
    Arrival, BACK_OFF, Command, Contact, Entered, Event, OUTCOME_GRACE, State, Terms, Who,
};
use crate::agent::{self, OfferResult, Released};
use crate::contact::Choice;
use crate::decision::{Act, Decision, Rejection};
use crate::ids::{AgentId, ContactId, EntityId, OfferId, Slug};
use crate::priority::Credit;
use crate::queue::{OnReject, Queue, Status};
use crate::time::{Now, Phase, Span, Timestamp};

type Step = (Vec<Event>, Vec<(EntityId, crate::Command)>);

impl Contact {
    /// Says what has lapsed, and what `command` causes after that.
    pub(crate) fn decide(
        &self,
        id: ContactId,
        queue: Option<&Queue>,
        now: Now,
        command: &Command,
    ) -> Decision {
        let mut state = self.clone();
        let mut lapses = Vec::new();
        while let Some((at, (events, with))) = state.lapse(id, now) {
            for event in &events {
                state.apply(at, event);
            }
            lapses.push(act(at, events, with));
        }
        let act = state
            .transition(id, queue, now.at, command)
            .map(|(events, with)| act(now.at, events, with));
        Decision { lapses, act }
    }

    /// The next deadline, and its place in the order of its instant.
    pub fn deadline(&self) -> Option<(Timestamp, Phase)> {
        let spared = match self.state {
            State::Queued | State::Offered { .. } => self.back_off.values().min(),
            _ => None,
        };
        let own = match &self.state {
            State::Offered { expires_at, .. } => Some((*expires_at, Phase::OfferExpiry)),
            State::WrapUp { until: Some(until), .. } => Some((*until, Phase::WrapUpEnd)),
            _ => None,
        };
        own.into_iter().chain(spared.map(|until| (*until, Phase::BackOff))).min()
    }

    fn lapse(&self, id: ContactId, now: Now) -> Option<(Timestamp, Step)> {
        let (due, phase) = self.deadline().filter(|due| *due <= (now.at, now.phase))?;
        let step = match (&self.state, phase) {
            (State::Offered { offer, agent, .. }, Phase::OfferExpiry) => {
                let missed = Event::OfferMissed { offer: *offer, agent: agent.clone() };
                let result = Released::Missed { max_misses: self.terms()?.max_misses };
                (vec![missed], vec![release(agent, *offer, id, result)])
            }
            (State::WrapUp { agent, .. }, Phase::WrapUpEnd) => {
                let by = Who::System;
                let ended = Event::WrapUpEnded { by, outcome: None, topic: None };
                (vec![ended], vec![to_agent(agent, agent::Command::EndLeg { contact: id })])
            }
            _ => {
                let agent = self.back_off.iter().find(|(_, until)| **until == due)?.0.clone();
                (vec![Event::BackOffEnded { agent }], vec![])
            }
        };
        Some((due, step))
    }

    fn transition(
        &self,
        id: ContactId,
        queue: Option<&Queue>,
        at: Timestamp,
        command: &Command,
    ) -> Result<Step, Rejection> {
        match command {
            Command::Tick => Ok((vec![], vec![])),
            Command::Arrive(arrival) => self.arrive(queue, at, arrival),
            _ if self.state == State::Unborn => Err(Rejection::Unknown { entity: "contact" }),
            Command::Offer { offer, agent, choice } => self.offer(id, at, *offer, agent, choice),
            Command::Accept { offer, agent } => {
                self.offer_of(command, *offer, Some(agent))?;
                let agent = agent.clone();
                let with = vec![release(&agent, *offer, id, Released::Accepted)];
                let accepted = Event::OfferAccepted { offer: *offer, agent: agent.clone() };
                Ok((vec![accepted, Event::Answered { agent }], with))
            }
            Command::Reject { offer, agent, reason } => {
                self.offer_of(command, *offer, Some(agent))?;
                let on_reject = self.terms().map_or(OnReject::NotReady, |terms| terms.on_reject);
                let back_off = (on_reject == OnReject::Ready).then(|| at.plus(BACK_OFF));
                let reason = reason.clone().or_else(|| Slug::new(agent::REJECTED_OFFER).ok());
                let rejected = reason.map(|reason| Event::OfferRejected {
                    offer: *offer,
                    agent: agent.clone(),
                    reason,
                    back_off,
                });
                let with = vec![release(agent, *offer, id, Released::Rejected(on_reject))];
                Ok((rejected.into_iter().collect(), with))
            }
            Command::Withdraw { offer, result, reason } => {
                let agent = self
                    .offer_of(command, *offer, None)
                    .map_err(|_| Rejection::Unfit { what: "no such offer" })?;
                let (offer, reason) = (*offer, Slug::new(reason).ok());
                let event = reason.map(|reason| match result {
                    OfferResult::Rejected => {
                        Event::OfferRejected { offer, agent, reason, back_off: None }
                    }
                    OfferResult::Accepted | OfferResult::Missed | OfferResult::Recalled => {
                        Event::OfferRecalled { offer, agent, reason }
                    }
                });
                Ok((event.into_iter().collect(), vec![]))
            }
            Command::Abandon => self.leave(id, "abandoned", Event::Abandoned, command),
            Command::Refuse { reason } => {
                let refused = Event::Refused { entered: None, reason: reason.clone() };
                self.leave(id, "refused", refused, command)
            }
            Command::Hold { by }
            | Command::Resume { by }
            | Command::Complete { by }
            | Command::EndWrapUp { by, .. }
            | Command::ExtendWrapUp { by, .. } => self.serve(id, at, by, command),
            Command::Reprioritise { priority, credit } => self.reprioritise(priority, *credit),
        }
    }

    fn arrive(
        &self,
        queue: Option<&Queue>,
        at: Timestamp,
        arrival: &Arrival,
    ) -> Result<Step, Rejection> {
        if self.state != State::Unborn {
            return Err(Rejection::Exists { entity: "contact" });
        }
        let (status, rules) = queue
            .and_then(|queue| queue.rules.as_ref().map(|rules| (queue.status, rules)))
            .ok_or(Rejection::Unknown { entity: "queue" })?;
        let requirement = arrival.requirement(&rules.requirement);
        let terms = Terms {
            offer_timeout: rules.offer_timeout.span,
            wrap_up: rules.wrap_up.as_ref().map(|limit| limit.span),
            on_reject: rules.on_reject,
            max_misses: rules.max_misses,
            within: rules.service_level.as_ref().map(|level| level.within.span),
            short_abandon: rules.short_abandon.span,
        };
        let entered = Box::new(Entered {
            queue: arrival.queue.clone(),
            priority: arrival.priority.clone(),
            order_key: arrival.credit.order_key(at),
            requirement,
            external_id: arrival.external_id.clone(),
            person: arrival.person,
            terms,
        });
        let reason = match (status, arrival.full) {
            (Status::Open, false) => return Ok((vec![Event::Queued(entered)], vec![])),
            (Status::Open, true) => "full",
            (Status::Closed, _) => "closed",
            (Status::EmergencyClosed, _) => "emergency",
        };
        let reason = Slug::new(reason).map_err(|_| Rejection::Unfit { what: "a reason" })?;
        Ok((vec![Event::Refused { entered: Some(entered), reason }], vec![]))
    }

    fn offer(
        &self,
        id: ContactId,
        at: Timestamp,
        offer: OfferId,
        agent: &AgentId,
        choice: &Choice,
    ) -> Result<Step, Rejection> {
        let (State::Queued, Some(terms)) = (&self.state, self.terms()) else {
            return Err(self.illegal("be offered"));
        };
        let expires_at = at.plus(terms.offer_timeout);
        let reserve = agent::Command::Reserve { offer, contact: id, until: expires_at };
        let (choice, to) = (choice.clone(), agent.clone());
        let offered = Event::Offered { offer, agent: to, expires_at, choice };
        Ok((vec![offered], vec![to_agent(agent, reserve)]))
    }

    /// The agent that `offer` is out to; refused when it is over, or not `by`'s.
    fn offer_of(
        &self,
        command: &Command,
        offer: OfferId,
        by: Option<&AgentId>,
    ) -> Result<AgentId, Rejection> {
        let command = command.name();
        match &self.state {
            State::Offered { offer: held, agent, .. } if *held == offer => match by {
                Some(by) if by != agent => Err(Rejection::NotYours { command, agent: by.clone() }),
                Some(_) | None => Ok(agent.clone()),
            },
            _ => Err(Rejection::OfferGone { command, offer }),
        }
    }

    /// The contact leaves its queue unanswered; an offer that is out is recalled.
    fn leave(
        &self,
        id: ContactId,
        reason: &str,
        event: Event,
        command: &Command,
    ) -> Result<Step, Rejection> {
        match &self.state {
            State::Queued => Ok((vec![event], vec![])),
            State::Offered { offer, agent, .. } => {
                let recalled = Slug::new(reason).ok().map(|reason| Event::OfferRecalled {
                    offer: *offer,
                    agent: agent.clone(),
                    reason,
                });
                let with = vec![release(agent, *offer, id, Released::Recalled)];
                Ok((recalled.into_iter().chain([event]).collect(), with))
            }
            _ => Err(self.illegal(command.name())),
        }
    }

    /// What is done to a contact that has an agent.
    fn serve(
        &self,
        id: ContactId,
        at: Timestamp,
        by: &Who,
        command: &Command,
    ) -> Result<Step, Rejection> {
        let (State::Active { agent, .. }
        | State::Held { agent, .. }
        | State::WrapUp { agent, .. }
        | State::Closed { agent, .. }) = &self.state
        else {
            return Err(self.illegal(command.name()));
        };
        if let Who::Agent(other) = by
            && other != agent
        {
            return Err(Rejection::NotYours { command: command.name(), agent: other.clone() });
        }
        match (command, &self.state) {
            (Command::Hold { .. }, State::Active { .. }) => Ok((vec![Event::Held], vec![])),
            (Command::Resume { .. }, State::Held { .. }) => Ok((vec![Event::Resumed], vec![])),
            (Command::Complete { .. }, State::Active { .. } | State::Held { .. }) => {
                Ok(self.complete(id, at, agent, by))
            }
            (Command::EndWrapUp { outcome, topic, .. }, State::WrapUp { .. }) => {
                let (by, outcome, topic) = (by.clone(), outcome.clone(), topic.clone());
                let end = to_agent(agent, agent::Command::EndLeg { contact: id });
                Ok((vec![Event::WrapUpEnded { by, outcome, topic }], vec![end]))
            }
            (Command::EndWrapUp { outcome, topic, .. }, State::Closed { since, .. })
                if at <= since.plus(OUTCOME_GRACE) && (outcome.is_some() || topic.is_some()) =>
            {
                let (outcome, topic) = (outcome.clone(), topic.clone());
                Ok((vec![Event::OutcomeGiven { outcome, topic }], vec![]))
            }
            (Command::ExtendWrapUp { span, .. }, State::WrapUp { until: Some(until), .. }) => {
                if matches!(by, Who::Agent(_)) && self.extended {
                    return Err(Rejection::ExtendedAlready);
                }
                let until = until.plus(*span);
                let wrap = agent::Command::Wrap { contact: id, until: Some(until) };
                let extended = Event::WrapUpExtended { by: by.clone(), until };
                Ok((vec![extended], vec![to_agent(agent, wrap)]))
            }
            _ => Err(self.illegal(command.name())),
        }
    }

    fn complete(&self, id: ContactId, at: Timestamp, agent: &AgentId, by: &Who) -> Step {
        let limit = self.terms().map_or(Some(Span::ZERO), |terms| terms.wrap_up);
        let wrap_up_until = limit.map(|limit| at.plus(limit));
        let (by, whose) = (by.clone(), agent.clone());
        let mut events = vec![Event::Completed { agent: whose, by, wrap_up_until }];
        let then = if limit == Some(Span::ZERO) {
            events.push(Event::WrapUpEnded { by: Who::System, outcome: None, topic: None });
            agent::Command::EndLeg { contact: id }
        } else {
            agent::Command::Wrap { contact: id, until: wrap_up_until }
        };
        (events, vec![to_agent(agent, then)])
    }

    fn reprioritise(&self, priority: &Slug, credit: Credit) -> Result<Step, Rejection> {
        let (State::Queued | State::Offered { .. }, Some(from)) = (&self.state, &self.priority)
        else {
            return Err(self.illegal("change the priority"));
        };
        let order_key = credit.order_key(self.arrived_at);
        if order_key == self.order_key && from == priority {
            return Ok((vec![], vec![]));
        }
        let (from, to) = (from.clone(), priority.clone());
        Ok((vec![Event::PriorityChanged { from, to, order_key }], vec![]))
    }

    fn illegal(&self, command: &'static str) -> Rejection {
        Rejection::IllegalTransition { command, state: self.state.name() }
    }

    pub(super) fn terms(&self) -> Option<&Terms> {
        self.entered.as_ref().map(|entered| &entered.terms)
    }
}

fn act(at: Timestamp, events: Vec<Event>, with: Vec<(EntityId, crate::Command)>) -> Act {
    Act { at, events: events.into_iter().map(crate::Event::Contact).collect(), with }
}

fn to_agent(agent: &AgentId, command: agent::Command) -> (EntityId, crate::Command) {
    (EntityId::Agent(agent.clone()), crate::Command::Agent(command))
}

fn release(
    agent: &AgentId,
    offer: OfferId,
    contact: ContactId,
    result: Released,
) -> (EntityId, crate::Command) {
    to_agent(agent, agent::Command::Release { offer, contact, result })
}
