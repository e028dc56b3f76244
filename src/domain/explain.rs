//! Why a contact waits: which rule stops how many agents, who is nearest, where it stands.
//!
//! A pure reading of the same states that the matching reads, so an explanation and a decision
//! cannot disagree. Not here: the choice of an offered contact, which was recorded when it was
//! made, and is never reckoned again.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::agent::{Agent, Kind, Work};
use crate::contact::{Contact, Entered};
use crate::ids::{AgentId, ContactId};
use crate::matching::{Standing, is_present};
use crate::priority::OrderKey;
use crate::skills::{Profile, Requirement, Unfit};
use crate::time::Timestamp;

/// Most contacts that an explanation names as ahead; they are those that are served first.
pub const AHEAD_MAX: usize = 100;
/// Most agents that an explanation names as nearest.
pub const NEAREST_MAX: usize = 5;

/// What can stop an agent, in the order in which the rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Not signed in.
    SignedOut,
    /// Signed in, and not heard of; or out of service.
    Lost,
    /// Wants no work, or will not once the work in hand has ended.
    NotReady,
    /// No room, in conversation.
    Busy,
    /// No room, after one.
    WrapUp,
    /// No room, an offer is out or on its way.
    Offered,
    /// Takes nothing on this channel.
    Capacity,
    /// A skill is missing or too low.
    Skill,
    /// The language is not spoken.
    Language,
    /// Another level of agent is wanted.
    Level,
    /// The queue is not among the agent's.
    Permission,
    /// Others are waited for first: this agent turned it down and is spared it for a while.
    PreferredWait,
}

impl Rule {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::SignedOut,
        Self::Lost,
        Self::NotReady,
        Self::Busy,
        Self::WrapUp,
        Self::Offered,
        Self::Capacity,
        Self::Skill,
        Self::Language,
        Self::Level,
        Self::Permission,
        Self::PreferredWait,
    ];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Lost => "lost",
            Self::NotReady => "not_ready",
            Self::Busy => "busy",
            Self::WrapUp => "wrap_up",
            Self::Offered => "offered",
            Self::Capacity => "capacity",
            Self::Skill => "skill",
            Self::Language => "language",
            Self::Level => "level",
            Self::Permission => "permission",
            Self::PreferredWait => "preferred_wait",
        }
    }

    const fn of(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Capacity => Self::Capacity,
            Unfit::Skill => Self::Skill,
            Unfit::Language => Self::Language,
            Unfit::Level => Self::Level,
            Unfit::Permission => Self::Permission,
        }
    }
}

/// An agent as the matching sees them.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Who.
    pub id: &'a AgentId,
    /// Their state.
    pub agent: &'a Agent,
    /// What the matching knows besides.
    pub standing: Standing,
}

/// How many agents a rule stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// The rule.
    pub rule: Rule,
    /// Agents for whom it is the first that stops them.
    pub stops: usize,
    /// Agents whom neither it nor a rule before it stops.
    pub left: usize,
}

/// An agent who cannot take the contact, but nearly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Who.
    pub agent: AgentId,
    /// The first rule that stops them.
    pub rule: Rule,
    /// The same, with what it is about.
    pub detail: String,
    /// When it stops them no more, if that is known.
    pub able_at: Option<Timestamp>,
}

/// Place in the order of service of its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// From 1.
    pub position: usize,
    /// How many wait, offered ones included.
    pub of: usize,
    /// What the order goes by.
    pub key: OrderKey,
    /// Who is served before, at most [`AHEAD_MAX`].
    pub ahead: Vec<ContactId>,
}

/// What is required from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// From when.
    pub at: Timestamp,
    /// Who may answer then.
    pub requirement: Requirement,
    /// Agents who could take it this moment if that were required now.
    pub free_agents: usize,
}

/// Why a contact waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// `None`: it does not wait.
    pub order: Option<Order>,
    /// In the order of time; the first is the entry.
    pub steps: Vec<Step>,
    /// Every rule, in the order of [`Rule::ALL`].
    pub rules: Vec<Stopped>,
    /// The nearest first, at most [`NEAREST_MAX`].
    pub nearest: Vec<Near>,
}

/// Explains why `id` waits; `waiting` is its queue in the order of service. Of a contact that does
/// not wait there is nothing to say.
pub fn explain(
    id: ContactId,
    contact: &Contact,
    waiting: &[ContactId],
    agents: &[Seen<'_>],
) -> Explanation {
    let nothing = Explanation { order: None, steps: vec![], rules: vec![], nearest: vec![] };
    let Some(entered) = contact.entered.as_deref().filter(|_| contact.is_waiting()) else {
        return nothing;
    };
    let case = Case::new(contact, entered, &entered.requirement, agents);
    let stopped: Vec<_> =
        agents.iter().filter_map(|seen| Some((seen, case.first_rule(seen)?))).collect();
    let mut left = agents.len();
    let count = |rule: Rule| {
        let stops = stopped.iter().filter(|(_, stopped)| *stopped == rule).count();
        left -= stops;
        Stopped { rule, stops, left }
    };
    let rules = Rule::ALL.map(count).to_vec();
    let step = |(at, requirement): (Timestamp, Requirement)| {
        let case = Case::new(contact, entered, &requirement, agents);
        let free_agents = agents.iter().filter(|seen| case.first_rule(seen).is_none()).count();
        Step { at, requirement, free_agents }
    };
    Explanation {
        order: order(id, contact, waiting),
        steps: steps(contact, entered).into_iter().map(step).collect(),
        rules,
        nearest: case.nearest(&stopped),
    }
}

fn order(id: ContactId, contact: &Contact, waiting: &[ContactId]) -> Option<Order> {
    let ahead = waiting.iter().position(|other| *other == id)?;
    Some(Order {
        position: ahead + 1,
        of: waiting.len(),
        key: contact.order_key,
        ahead: waiting[..ahead.min(AHEAD_MAX)].to_vec(),
    })
}

/// What is required, and from when: one step, since no queue relaxes in this version.
fn steps(contact: &Contact, entered: &Entered) -> Vec<(Timestamp, Requirement)> {
    vec![(contact.arrived_at, entered.requirement.clone())]
}

/// A contact under one requirement.
struct Case<'a> {
    contact: &'a Contact,
    entered: &'a Entered,
    requirement: &'a Requirement,
    /// Whether somebody who is present and is not spared it could take it.
    others: bool,
}

impl<'a> Case<'a> {
    fn new(
        contact: &'a Contact,
        entered: &'a Entered,
        requirement: &'a Requirement,
        agents: &[Seen<'_>],
    ) -> Self {
        let could = |seen: &Seen<'_>| {
            is_present(seen.agent)
                && seen.standing != Standing::OutOfService
                && !contact.back_off.contains_key(seen.id)
                && unfit(requirement, entered, seen.agent).is_none()
        };
        let others = !contact.back_off.is_empty() && agents.iter().any(could);
        Self { contact, entered, requirement, others }
    }

    /// The first rule that stops the agent; `None`: they may take it now.
    fn first_rule(&self, seen: &Seen<'_>) -> Option<Rule> {
        let agent = seen.agent;
        if agent.signed_in.is_none() {
            return Some(Rule::SignedOut);
        }
        let out_of_service = seen.standing == Standing::OutOfService;
        if agent.presence().state == Kind::Lost || out_of_service {
            return Some(Rule::Lost);
        }
        if agent.not_ready.is_some() || agent.pending.is_some() {
            return Some(Rule::NotReady);
        }
        if agent.room() == 0
            && let Some(rule) = in_hand(agent)
        {
            return Some(rule);
        }
        if seen.standing == Standing::SpokenFor {
            return Some(Rule::Offered);
        }
        unfit(self.requirement, self.entered, agent).or_else(|| {
            let spared = self.others && self.contact.back_off.contains_key(seen.id);
            spared.then_some(Rule::PreferredWait)
        })
    }

    /// First those who fit and only have something in hand, then those who are free and do not fit,
    /// then whoever is away; among them the earliest, then whom the later rule stops.
    fn nearest(&self, stopped: &[(&Seen<'_>, Rule)]) -> Vec<Near> {
        let mut near: Vec<_> = stopped
            .iter()
            .map(|(seen, rule)| {
                let fits = unfit(self.requirement, self.entered, seen.agent).is_none();
                let class = match rule {
                    Rule::SignedOut => 2,
                    Rule::Lost
                    | Rule::NotReady
                    | Rule::Busy
                    | Rule::WrapUp
                    | Rule::Offered
                    | Rule::PreferredWait
                        if fits =>
                    {
                        0
                    }
                    _ if !fits && *rule >= Rule::Capacity => 1,
                    _ => 2,
                };
                let able_at = self.able_at(seen, *rule).filter(|_| fits);
                let place = (class, able_at.is_none(), able_at, !fits, Reverse(*rule));
                (place, self.gap(seen.agent), seen.id, *rule, *seen)
            })
            .collect();
        near.sort_unstable_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
        near.truncate(NEAREST_MAX);
        near.into_iter()
            .map(|((_, _, able_at, ..), _, agent, rule, seen)| Near {
                agent: agent.clone(),
                rule,
                detail: self.detail(seen, rule),
                able_at,
            })
            .collect()
    }

    /// How far the agent's skills are below what is needed, summed.
    fn gap(&self, agent: &Agent) -> u32 {
        let has = |skill| profile(agent).and_then(|profile| profile.skills.get(skill)).copied();
        let skills = self.requirement.skills.iter();
        skills.map(|(skill, least)| u32::from(least.saturating_sub(has(skill).unwrap_or(0)))).sum()
    }

    fn able_at(&self, seen: &Seen<'_>, rule: Rule) -> Option<Timestamp> {
        match rule {
            Rule::WrapUp => {
                let until = seen.agent.work.values().filter_map(|work| match work {
                    Work::WrapUp { until, .. } => *until,
                    Work::Active { .. } | Work::Offered { .. } => None,
                });
                until.min()
            }
            Rule::PreferredWait => self.contact.back_off.get(seen.id).copied(),
            _ => None,
        }
    }

    fn detail(&self, seen: &Seen<'_>, rule: Rule) -> String {
        let agent = seen.agent;
        let Some(profile) = profile(agent) else { return "not configured".to_owned() };
        let list = |items: Vec<&str>| {
            if items.is_empty() { "none".to_owned() } else { items.join(", ") }
        };
        match rule {
            Rule::SignedOut => "not signed in".to_owned(),
            Rule::Lost if seen.standing == Standing::OutOfService => "out of service".to_owned(),
            Rule::Lost => "not heard of".to_owned(),
            Rule::NotReady => match &agent.not_ready {
                Some(reason) => format!("not ready: {reason}"),
                None => "will stop when the work in hand has ended".to_owned(),
            },
            Rule::Busy => "in conversation".to_owned(),
            Rule::WrapUp => "in wrap-up".to_owned(),
            Rule::Offered => "an offer is out".to_owned(),
            Rule::Capacity => "takes no calls".to_owned(),
            Rule::Skill => self.requirement.missing_skill(profile).map_or_else(
                || "a skill is missing".to_owned(),
                |(skill, has, needs)| format!("{skill} {has}, needs {needs}"),
            ),
            Rule::Language => {
                let speaks = list(profile.languages.iter().map(crate::ids::Slug::as_str).collect());
                let needs = self.requirement.language.as_ref();
                let needs = needs.map_or("any", crate::ids::Slug::as_str);
                format!("speaks {speaks}, needs {needs}")
            }
            Rule::Level => {
                let levels: BTreeSet<_> = self.requirement.levels.iter().flatten().collect();
                let levels: Vec<_> = levels.into_iter().map(u8::to_string).collect();
                format!("level {}, needs {}", profile.level, levels.join(" or "))
            }
            Rule::Permission => format!("may not be offered from {}", self.entered.queue),
            Rule::PreferredWait => "turned it down; others are asked first".to_owned(),
        }
    }
}

fn profile(agent: &Agent) -> Option<&Profile> {
    agent.facts.as_deref().map(|facts| &facts.profile)
}

fn unfit(requirement: &Requirement, entered: &Entered, agent: &Agent) -> Option<Rule> {
    let Some(profile) = profile(agent) else { return Some(Rule::Capacity) };
    requirement.unfit(&entered.queue, profile).map(Rule::of)
}

/// What takes the room of an agent who has none; `None`: they have none at all.
fn in_hand(agent: &Agent) -> Option<Rule> {
    let rule = |work: &Work| match work {
        Work::Active { .. } => Rule::Busy,
        Work::WrapUp { .. } => Rule::WrapUp,
        Work::Offered { .. } => Rule::Offered,
    };
    agent.work.values().map(rule).min()
}
