//! What a type of request promises: targets, a ladder of steps, and whose it is at first.
//!
//! A request keeps the promise that it was registered under; a changed type holds for those after.
//! Not here: the calendar, which is read anew when it changes, and the schema of `fields`.

use std::collections::BTreeSet;

use crate::ids::{AgentId, QueueId, Slug};
use crate::skills::AGENT_LEVELS;
use crate::time::{Span, Written};

/// Most steps of a ladder.
pub const STEPS_MAX: usize = 50;
/// Most verbs of a step.
pub const VERBS_MAX: usize = 10;

/// How urgent a request is; in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Urgency {
    /// May wait.
    Low,
    /// As most.
    #[default]
    Normal,
    /// Before most.
    High,
    /// Before everything.
    Emergency,
}

/// One of the three clocks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// From registration to an agent's first message.
    FirstResponse,
    /// From a citizen's unanswered message to its answer.
    Update,
    /// From registration to the solution.
    Solution,
}

/// One value for each clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Each<T>([T; 3]);

/// From when the time of a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// So long after registration.
    AfterRegistration,
    /// So long after the last progress.
    AfterProgress,
    /// So long before the target of a clock is reached.
    Before(Clock),
}

/// One thing that a step does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Raises an alert.
    Notify,
    /// One class of urgency up.
    Raise,
    /// To this level of agent, from its agent.
    Level(u8),
    /// To this area, from its agent.
    Area(Slug),
    /// To this queue, from its agent.
    Queue(QueueId),
    /// To this agent.
    Assign(AgentId),
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// From when its time runs.
    pub anchor: Anchor,
    /// So much worked time.
    pub by: Written,
    /// In order.
    pub verbs: Vec<Verb>,
}

/// What a request is registered under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// When time counts.
    pub calendar: Slug,
    /// Worked time within which each clock is to be met.
    pub targets: Each<Option<Written>>,
    /// Urgencies that it holds for.
    pub applies_to: BTreeSet<Urgency>,
    /// By number, from 1.
    pub ladder: Vec<Step>,
}

/// Why a promise cannot stand, and which member says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}: {advice}")]
pub struct PromiseError {
    /// JSON Pointer of the member.
    pub field: String,
    /// What is wrong with it.
    pub why: &'static str,
    /// What to write.
    pub advice: &'static str,
}

impl Urgency {
    /// All, in their order.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Emergency];

    /// The next class up; the highest stays.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Low => Self::Normal,
            Self::Normal => Self::High,
            Self::High | Self::Emergency => Self::Emergency,
        }
    }

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Emergency => "emergency",
        }
    }
}

impl Clock {
    /// All, in the order of the wire.
    pub const ALL: [Self; 3] = [Self::FirstResponse, Self::Update, Self::Solution];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::Update => "update",
            Self::Solution => "solution",
        }
    }
}

impl<T> Each<T> {
    /// One value for each, by `make`.
    pub fn from_fn(mut make: impl FnMut(Clock) -> T) -> Self {
        Self(Clock::ALL.map(&mut make))
    }

    /// The value of `clock`.
    pub const fn of(&self, clock: Clock) -> &T {
        let [first_response, update, solution] = &self.0;
        match clock {
            Clock::FirstResponse => first_response,
            Clock::Update => update,
            Clock::Solution => solution,
        }
    }

    /// The value of `clock`, to be changed.
    pub const fn of_mut(&mut self, clock: Clock) -> &mut T {
        let [first_response, update, solution] = &mut self.0;
        match clock {
            Clock::FirstResponse => first_response,
            Clock::Update => update,
            Clock::Solution => solution,
        }
    }
}

impl Verb {
    /// As it is written: `level:2`.
    pub fn text(&self) -> String {
        match self {
            Self::Notify => "notify".to_owned(),
            Self::Raise => "raise".to_owned(),
            Self::Level(level) => format!("level:{level}"),
            Self::Area(area) => format!("area:{area}"),
            Self::Queue(queue) => format!("queue:{queue}"),
            Self::Assign(agent) => format!("assign:{agent}"),
        }
    }

    /// Reads what [`Verb::text`] writes; `None`: no such verb, or no such name.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => match text {
                "notify" => Some(Self::Notify),
                "raise" => Some(Self::Raise),
                _ => None,
            },
            Some(("level", level)) => {
                level.parse().ok().filter(|level| AGENT_LEVELS.contains(level)).map(Self::Level)
            }
            Some(("area", area)) => Slug::new(area).ok().map(Self::Area),
            Some(("queue", queue)) => QueueId::new(queue).ok().map(Self::Queue),
            Some(("assign", agent)) => AgentId::new(agent).ok().map(Self::Assign),
            Some(_) => None,
        }
    }
}

impl Promise {
    /// Whether this can be promised. That what it names exists is not known here.
    pub fn check(&self) -> Result<(), PromiseError> {
        let wrong = |field: String, why, advice| Err(PromiseError { field, why, advice });
        for clock in Clock::ALL {
            let target = self.targets.of(clock).as_ref();
            if target.is_some_and(|target| target.span <= Span::ZERO) {
                let field = format!("/targets/{}", clock.name());
                return wrong(field, "nothing can be done in no time", "write a time over 0");
            }
        }
        if self.ladder.len() > STEPS_MAX {
            return wrong("/ladder".into(), "it has over 50 steps", "leave some out");
        }
        for (at, step) in self.ladder.iter().enumerate() {
            if step.by.span < Span::ZERO {
                let field = format!("/ladder/{at}/by");
                return wrong(field, "a step cannot be so early", "write a time of 0 or more");
            }
            if step.verbs.is_empty() || step.verbs.len() > VERBS_MAX {
                let field = format!("/ladder/{at}/do");
                return wrong(field, "a step does one thing to ten", "write what it does");
            }
            match step.anchor {
                Anchor::Before(clock) if self.targets.of(clock).is_none() => {
                    let field = format!("/ladder/{at}/before");
                    return wrong(field, "this clock has no target", "give it one in `targets`");
                }
                Anchor::AfterRegistration | Anchor::AfterProgress | Anchor::Before(_) => (),
            }
        }
        Ok(())
    }
}
