//! A service request: what a citizen asks for, who answers for it, and by when.
//!
//! Its clocks run in business time (`calendar`) and stop in the states that wait. What is due, and
//! when each step of the ladder acts, is reckoned at each change of what it depends on and goes
//! with the event, so that a deadline is read from the state alone. A changed calendar reaches a
//! request by a command. Not here: texts (personal, beside the log), alerts, and being offered.

mod apply;
mod clocks;
mod decide;

use std::sync::Arc;

use crate::calendar::Pause;
use crate::ids::{AgentId, PersonId, QueueId, Slug};
use crate::promise::{Clock, Each, Promise, Urgency, Verb};
use crate::time::{Span, Timestamp};

pub use clocks::Reading;
pub use decide::{Dated, Decided, Refusal};

/// The state of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum State {
    /// Nobody has it.
    #[default]
    Registered,
    /// An agent has it.
    Assigned,
    /// Its agent works on it.
    InProgress,
    /// The citizen must answer first.
    WaitingCitizen,
    /// Somebody else must answer first.
    WaitingThirdParty,
    /// Answered.
    Resolved,
    /// Done.
    Closed,
    /// Not wanted any more.
    Cancelled,
    /// Handed to the entity that is competent.
    Redirected,
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum For {
    /// The citizen.
    Citizen,
    /// Somebody else.
    ThirdParty,
}

/// Who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Responsible {
    /// Level of agents.
    pub level: u8,
    /// Area; `None`: of no area.
    pub area: Option<Slug>,
    /// Where it waits to be offered; `None`: agents take it from a list.
    pub queue: Option<QueueId>,
    /// The agent.
    pub agent: Option<AgentId>,
}

/// All that is fixed at registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The type's name.
    pub kind: Slug,
    /// How it came.
    pub channel: Slug,
    /// Whose texts they are.
    pub person: PersonId,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Who answers for it at first.
    pub responsible: Responsible,
    /// What it is registered under.
    pub promise: Promise,
}

/// One run of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// When it began.
    pub started_at: Timestamp,
    /// When it was met.
    pub met_at: Option<Timestamp>,
    /// Whether it was told that it is late.
    pub breached: bool,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Taken {
    /// The instant that it was due.
    pub at: Timestamp,
    /// When it acted.
    pub done_at: Timestamp,
    /// Who has seen it, and when.
    pub acknowledged: Option<(Arc<str>, Timestamp)>,
}

/// A stay in a state in which time does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stay {
    /// In which.
    pub state: State,
    /// From when, and to when.
    pub pause: Pause,
}

/// What is in sight: reckoned with the calendar, when it last changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Sight {
    /// When each clock reaches its target, if it is not met.
    pub due: Each<Option<Timestamp>>,
    /// When each step acts, if it has not; by number, from 1.
    pub steps: Vec<Option<Timestamp>>,
    /// Version of the calendar.
    pub calendar: u64,
    /// Nothing acts before: what a change found past acts at the change.
    pub from: Timestamp,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Events so far.
    pub version: u64,
    /// How it came; `None`: unborn.
    pub registered: Option<Arc<Registered>>,
    /// When.
    pub registered_at: Timestamp,
    /// Where it is.
    pub state: State,
    /// How urgent it is now.
    pub urgency: Urgency,
    /// Who answers for it now.
    pub responsible: Option<Responsible>,
    /// When somebody last did something about it.
    pub last_progress_at: Timestamp,
    /// When it was last resolved, cancelled or redirected; `None`: open.
    pub ended_at: Option<Timestamp>,
    /// The last run of each clock; `None`: it has not started, or has no target.
    pub runs: Each<Option<Run>>,
    /// The longest run of the update clock that was answered.
    pub worst: Option<Span>,
    /// Stays in which time does not count, in order.
    pub stays: Vec<Stay>,
    /// By number, from 1.
    pub taken: Vec<Option<Taken>>,
    /// Taken by hand and not acknowledged: how many.
    pub by_hand: u32,
    /// What is in sight.
    pub sight: Sight,
}

/// What is asked of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It comes.
    Register(Box<Registered>),
    /// To this agent; `claim`: the agent takes it, and nobody may have it.
    Assign { agent: AgentId, claim: bool },
    /// Its agent begins.
    Start,
    /// It waits for somebody.
    Wait { on: For },
    /// It waits no more.
    Resume,
    /// It is answered.
    Resolve,
    /// It is done.
    Close,
    /// It is not done after all.
    Reopen,
    /// It is not wanted any more.
    Cancel,
    /// It is handed to another entity.
    Redirect { to: Slug },
    /// A step by hand.
    Escalate { verbs: Vec<Verb> },
    /// A step was seen; `None`: all that were taken.
    Acknowledge { step: Option<usize>, by: Arc<str> },
    /// The citizen writes.
    Receive,
    /// An agent writes; `interim`: it answers nothing yet.
    Send { interim: bool },
    /// A note is made.
    Note,
    /// Other texts.
    Edit,
    /// Another urgency.
    Prioritise { urgency: Urgency },
    /// The calendar is another.
    Reschedule,
    /// Only what has fallen due.
    Tick,
}

/// What happened to a request; with what is in sight now, where that is other than before.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What.
    pub what: What,
    /// What is in sight.
    pub sight: Option<Box<Sight>>,
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// It came.
    Registered(Box<Registered>),
    /// To this agent.
    Assigned { agent: AgentId },
    /// Its agent began.
    Started,
    /// It waits.
    Waiting { on: For },
    /// It waits no more.
    Resumed,
    /// It is answered; the run of the update clock that this ended took so long.
    Resolved { answered: Option<Span> },
    /// It is done.
    Closed,
    /// It is not.
    Reopened,
    /// It is not wanted.
    Cancelled,
    /// It is another entity's.
    Redirected { to: Slug },
    /// The citizen wrote.
    MessageReceived,
    /// An agent wrote, after so long where it was an answer.
    MessageSent { interim: bool, answered: Option<Span> },
    /// A note was made.
    Noted,
    /// Other texts.
    Edited,
    /// Another urgency.
    PriorityChanged { from: Urgency, to: Urgency },
    /// A step was taken, with all that it does; `None`: by hand.
    Escalated { step: Option<usize>, verbs: Vec<Verb>, done_at: Timestamp },
    /// Steps were seen; 0: those by hand.
    Acknowledged { steps: Vec<usize>, by: Arc<str> },
    /// A clock is late.
    Breached { clock: Clock, due: Timestamp },
    /// The calendar moved something.
    Rescheduled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Registered,
        Self::Assigned,
        Self::InProgress,
        Self::WaitingCitizen,
        Self::WaitingThirdParty,
        Self::Resolved,
        Self::Closed,
        Self::Cancelled,
        Self::Redirected,
    ];

    /// Whether somebody has still to do something.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Registered
            | Self::Assigned
            | Self::InProgress
            | Self::WaitingCitizen
            | Self::WaitingThirdParty => true,
            Self::Resolved | Self::Closed | Self::Cancelled | Self::Redirected => false,
        }
    }

    /// Whether it waits for somebody else.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::WaitingCitizen | Self::WaitingThirdParty)
    }

    /// Whether time counts.
    pub const fn counts(self) -> bool {
        self.is_open() && !self.is_waiting()
    }

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::WaitingCitizen => "waiting_citizen",
            Self::WaitingThirdParty => "waiting_third_party",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Redirected => "redirected",
        }
    }
}

impl Request {
    /// The agent who has it.
    pub fn agent(&self) -> Option<&AgentId> {
        self.responsible.as_ref()?.agent.as_ref()
    }

    /// What it was registered under.
    pub fn promise(&self) -> Option<&Promise> {
        self.registered.as_deref().map(|registered| &registered.promise)
    }

    /// Whether the promise holds for its urgency.
    pub fn applies(&self) -> bool {
        self.promise().is_some_and(|promise| promise.applies_to.contains(&self.urgency))
    }

    /// The highest number of a step taken; 0: none was.
    pub fn step(&self) -> usize {
        self.taken.iter().rposition(Option::is_some).map_or(0, |at| at + 1)
    }

    /// Whether a step was taken that nobody has seen.
    pub fn is_escalated(&self) -> bool {
        let unseen = |taken: &Taken| taken.acknowledged.is_none();
        self.state.is_open() && (self.by_hand > 0 || self.taken.iter().flatten().any(unseen))
    }

    /// Whether a clock that is not met is late.
    pub fn is_overdue(&self) -> bool {
        let late = |clock: &Clock| {
            self.runs.of(*clock).is_some_and(|run| run.breached && run.met_at.is_none())
        };
        self.state.is_open() && self.applies() && Clock::ALL.iter().any(late)
    }

    /// What is to be met next: the first response where that is in sight, else what comes first.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if !self.state.is_open() {
            return None;
        }
        let due = |clock: Clock| *self.sight.due.of(clock);
        due(Clock::FirstResponse)
            .or_else(|| due(Clock::Update).into_iter().chain(due(Clock::Solution)).min())
    }
}

impl Command {
    /// Completes "cannot …".
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::Assign { .. } => "assign",
            Self::Start => "start",
            Self::Wait { .. } => "wait",
            Self::Resume => "resume",
            Self::Resolve => "resolve",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Cancel => "cancel",
            Self::Redirect { .. } => "redirect",
            Self::Escalate { .. } => "escalate",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Receive => "receive a message",
            Self::Send { .. } => "send a message",
            Self::Note => "note",
            Self::Edit => "edit",
            Self::Prioritise { .. } => "change the priority",
            Self::Reschedule => "reschedule",
            Self::Tick => "tick",
        }
    }
}

impl What {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Registered(_) => "registered",
            Self::Assigned { .. } => "assigned",
            Self::Started => "started",
            Self::Waiting { .. } => "waiting",
            Self::Resumed => "resumed",
            Self::Resolved { .. } => "resolved",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Cancelled => "cancelled",
            Self::Redirected { .. } => "redirected",
            Self::MessageReceived => "message_received",
            Self::MessageSent { .. } => "message_sent",
            Self::Noted => "noted",
            Self::Edited => "edited",
            Self::PriorityChanged { .. } => "priority_changed",
            Self::Escalated { .. } => "escalated",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Breached { .. } => "breached",
            Self::Rescheduled => "rescheduled",
        }
    }
}
