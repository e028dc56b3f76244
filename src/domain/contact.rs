//! A contact: where it is, who has it, and every deadline that concerns both.
//!
//! The offer is the contact's, its wrap-up too; the agent holds a reservation and learns how it
//! ended. The queue's rules are frozen into the `queued` event as the contact's terms, so a rule
//! changed today does not rewrite yesterday.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent::{self, OfferResult, Released};
use crate::decision::{Act, Decision, Rejection};
use crate::ids::{AgentId, ContactId, EntityId, OfferId, PersonId, QueueId, Slug};
use crate::priority::{Credit, OrderKey};
use crate::queue::{OnReject, Queue, SHORT_ABANDON, Status};
use crate::skills::Requirement;
use crate::time::{Now, Phase, Span, Timestamp};

/// How long an agent who rejected a contact and stayed ready is spared it.
pub const BACK_OFF: Span = Span::seconds(60);
/// How long after the end of wrap-up its outcome and topic may still be given.
pub const OUTCOME_GRACE: Span = Span::seconds(300);

/// What a contact needs of its queue's rules, as they were when it entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How long an offer stands.
    pub offer_timeout: Span,
    /// Limit of the wrap-up; `None`: until ended.
    pub wrap_up: Option<Span>,
    /// What a rejection does to the agent.
    pub on_reject: OnReject,
    /// Offers missed in a row that make an agent not ready.
    pub max_misses: u32,
    /// Answered within this is within the target, inclusive; `None`: no target.
    pub within: Option<Span>,
    /// An abandon within this is short, inclusive.
    pub short_abandon: Span,
}

/// How a contact came: all that is fixed at its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Where it waits.
    pub queue: QueueId,
    /// The class's name.
    pub priority: Slug,
    /// When it is served, smaller first.
    pub order_key: OrderKey,
    /// Who may answer.
    pub requirement: Requirement,
    /// The other system's name for it.
    pub external_id: Option<String>,
    /// Whose it is.
    pub person: PersonId,
    /// The rules it came under.
    pub terms: Terms,
}

/// Where a contact is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// It has not come.
    #[default]
    Unborn,
    /// Waiting.
    Queued,
    /// Waiting, and put to an agent.
    Offered { offer: OfferId, agent: AgentId, since: Timestamp, expires_at: Timestamp },
    /// In conversation.
    Active { agent: AgentId, since: Timestamp },
    /// In conversation, on hold.
    Held { agent: AgentId, since: Timestamp },
    /// Its last leg is in wrap-up.
    WrapUp { agent: AgentId, since: Timestamp, until: Option<Timestamp> },
    /// Done.
    Closed { agent: AgentId, since: Timestamp },
    /// The citizen left while waiting.
    Abandoned,
    /// Not admitted, or sent away by an emergency.
    Refused { reason: Slug },
}

/// Why this agent was picked, as it was when the offer was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Free agents who could have taken it.
    pub candidates: u32,
    /// When the picked one's last work ended.
    pub idle_since: Timestamp,
    /// Who would have been next, at most [`CHOICE_NEXT_MAX`].
    pub next: Vec<AgentId>,
}

/// Most agents that a choice names as next.
pub const CHOICE_NEXT_MAX: usize = 3;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Events so far.
    pub version: u64,
    /// How it came; `None`: unborn.
    pub entered: Option<Arc<Entered>>,
    /// Priority as it is now, by name.
    pub priority: Option<Slug>,
    /// Order key as it is now.
    pub order_key: OrderKey,
    /// When it came.
    pub arrived_at: Timestamp,
    /// Where it is.
    pub state: State,
    /// When it was last offered.
    pub offered_at: Option<Timestamp>,
    /// First answer.
    pub answered_at: Option<Timestamp>,
    /// End of talk, abandoning or refusal.
    pub ended_at: Option<Timestamp>,
    /// End of wrap-up.
    pub closed_at: Option<Timestamp>,
    /// Time on hold, finished holds only.
    pub held: Span,
    /// Whether its agent has had the one extension.
    pub extended: bool,
    /// Agents who rejected it and stay ready: spared until then.
    pub back_off: BTreeMap<AgentId, Timestamp>,
    /// Why the last agent it was offered to.
    pub choice: Option<(Timestamp, AgentId, Choice)>,
    /// How it went.
    pub outcome: Option<String>,
    /// What it was about.
    pub topic: Option<String>,
}

/// Who did something to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Its agent.
    Agent(AgentId),
    /// A supervisor, or a program that acts as one.
    Supervisor,
    /// The other side.
    Citizen,
    /// A deadline.
    System,
}

/// What is asked of a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It comes. The wishes replace the queue's; `full`: admission's verdict.
    Arrive(Box<Arrival>),
    /// Put it to an agent.
    Offer { offer: OfferId, agent: AgentId, choice: Choice },
    /// The agent takes it.
    Accept { offer: OfferId, agent: AgentId },
    /// The agent turns it down.
    Reject { offer: OfferId, agent: AgentId, reason: Option<Slug> },
    /// From an agent: the offer ended on their side.
    Withdraw { offer: OfferId, result: OfferResult, reason: &'static str },
    /// The citizen leaves while waiting.
    Abandon,
    /// Sent away while waiting.
    Refuse { reason: Slug },
    /// On hold.
    Hold { by: Who },
    /// Back from hold.
    Resume { by: Who },
    /// The conversation ends.
    Complete { by: Who },
    /// Wrap-up ends; within five minutes after, only outcome and topic are taken.
    EndWrapUp { by: Who, outcome: Option<String>, topic: Option<String> },
    /// More time for wrap-up: once for its agent, always for a supervisor.
    ExtendWrapUp { by: Who, span: Span },
    /// Another priority while waiting.
    Reprioritise { priority: Slug, credit: Credit },
    /// Only what has fallen due.
    Tick,
}

/// What a new contact brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Where it wants to wait.
    pub queue: QueueId,
    /// The class's name.
    pub priority: Slug,
    /// The class's head start.
    pub credit: Credit,
    /// Replaces the queue's language.
    pub language: Option<Slug>,
    /// Replaces the queue's skills.
    pub skills: Option<crate::skills::Skills>,
    /// Replaces the queue's levels.
    pub levels: Option<std::collections::BTreeSet<u8>>,
    /// The other system's name for it.
    pub external_id: Option<String>,
    /// Whose it is.
    pub person: PersonId,
    /// Whether the queue has no place left.
    pub full: bool,
}

/// What happened to a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It waits.
    Queued(Box<Entered>),
    /// It was not admitted (with all it came with), or was sent away.
    Refused { entered: Option<Box<Entered>>, reason: Slug },
    /// Put to an agent.
    Offered { offer: OfferId, agent: AgentId, expires_at: Timestamp, choice: Choice },
    /// Taken.
    OfferAccepted { offer: OfferId, agent: AgentId },
    /// In conversation.
    Answered { agent: AgentId },
    /// Turned down; queued again.
    OfferRejected { offer: OfferId, agent: AgentId, reason: Slug, back_off: Option<Timestamp> },
    /// Ran out; queued again.
    OfferMissed { offer: OfferId, agent: AgentId },
    /// Withdrawn; queued again.
    OfferRecalled { offer: OfferId, agent: AgentId, reason: Slug },
    /// May be offered to this agent again.
    BackOffEnded { agent: AgentId },
    /// The citizen left.
    Abandoned,
    /// On hold.
    Held,
    /// Back.
    Resumed,
    /// The conversation ended; `wrap_up_until` `None`: until ended.
    Completed { agent: AgentId, by: Who, wrap_up_until: Option<Timestamp> },
    /// Another limit.
    WrapUpExtended { by: Who, until: Timestamp },
    /// Closed.
    WrapUpEnded { by: Who, outcome: Option<String>, topic: Option<String> },
    /// Given after the end.
    OutcomeGiven { outcome: Option<String>, topic: Option<String> },
    /// Another order key.
    PriorityChanged { from: Slug, to: Slug, order_key: OrderKey },
}

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
        let own = &rules.requirement;
        let requirement = Requirement {
            skills: arrival.skills.clone().unwrap_or_else(|| own.skills.clone()),
            language: arrival.language.clone().or_else(|| own.language.clone()),
            levels: arrival.levels.clone().or_else(|| own.levels.clone()),
        };
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
                let (offer, agent, expires_at) = (*offer, agent.clone(), *expires_at);
                self.choice = Some((at, agent.clone(), choice.clone()));
                self.state = State::Offered { offer, agent, since: at, expires_at };
                self.offered_at = Some(at);
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
            Event::Resumed => {
                self.leave_hold(at);
                if let Some(agent) = self.agent().cloned() {
                    self.state = State::Active { agent, since: at };
                }
            }
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

    fn illegal(&self, command: &'static str) -> Rejection {
        Rejection::IllegalTransition { command, state: self.state.name() }
    }

    fn terms(&self) -> Option<&Terms> {
        self.entered.as_ref().map(|entered| &entered.terms)
    }

    /// Who has it, or had it last; an agent it is merely offered to is named too.
    pub fn agent(&self) -> Option<&AgentId> {
        match &self.state {
            State::Offered { agent, .. }
            | State::Active { agent, .. }
            | State::Held { agent, .. }
            | State::WrapUp { agent, .. }
            | State::Closed { agent, .. } => Some(agent),
            State::Unborn | State::Queued | State::Abandoned | State::Refused { .. } => None,
        }
    }

    /// Whether it waits to be answered; an offered one still does.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Queued | State::Offered { .. })
    }

    /// Whether nothing will happen to it any more but a late outcome.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Closed { .. } | State::Abandoned | State::Refused { .. })
    }

    /// Whether leaving now, at `at`, counts as a short abandon.
    pub fn is_short(&self, at: Timestamp) -> bool {
        let bound = self.terms().map_or(SHORT_ABANDON, |terms| terms.short_abandon);
        at.since(self.arrived_at) <= bound
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

impl State {
    /// The word on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unborn => "unborn",
            Self::Queued => "queued",
            Self::Offered { .. } => "offered",
            Self::Active { .. } => "active",
            Self::Held { .. } => "held",
            Self::WrapUp { .. } => "wrap_up",
            Self::Closed { .. } => "closed",
            Self::Abandoned => "abandoned",
            Self::Refused { .. } => "refused",
        }
    }
}

impl Command {
    /// Completes "cannot …".
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Arrive(_) => "arrive",
            Self::Offer { .. } => "be offered",
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::Withdraw { .. } => "withdraw the offer",
            Self::Abandon => "abandon",
            Self::Refuse { .. } => "refuse",
            Self::Hold { .. } => "hold",
            Self::Resume { .. } => "resume",
            Self::Complete { .. } => "complete",
            Self::EndWrapUp { .. } => "end the wrap-up",
            Self::ExtendWrapUp { .. } => "extend the wrap-up",
            Self::Reprioritise { .. } => "change the priority",
            Self::Tick => "tick",
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued(_) => "queued",
            Self::Refused { .. } => "refused",
            Self::Offered { .. } => "offered",
            Self::OfferAccepted { .. } => "offer_accepted",
            Self::Answered { .. } => "answered",
            Self::OfferRejected { .. } => "offer_rejected",
            Self::OfferMissed { .. } => "offer_missed",
            Self::OfferRecalled { .. } => "offer_recalled",
            Self::BackOffEnded { .. } => "back_off_ended",
            Self::Abandoned => "abandoned",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Completed { .. } => "completed",
            Self::WrapUpExtended { .. } => "wrap_up_extended",
            Self::WrapUpEnded { .. } => "wrap_up_ended",
            Self::OutcomeGiven { .. } => "outcome_given",
            Self::PriorityChanged { .. } => "priority_changed",
        }
    }
}
