//! What a contact needs of an agent, and whether an agent has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{QueueId, Slug};

/// Least and greatest level of a skill.
pub const SKILL_LEVELS: std::ops::RangeInclusive<u8> = 1..=10;

/// Least and greatest level of agent: 1 general, 2 specialised.
pub const AGENT_LEVELS: std::ops::RangeInclusive<u8> = 1..=2;

/// Level of each skill, 1 to 10.
pub type Skills = BTreeMap<Slug, u8>;

/// Who may answer: least level of each skill, a language, levels of agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Requirement {
    /// Least level of each skill; empty means anyone.
    pub skills: Skills,
    /// The language that must be spoken; `None`: any.
    pub language: Option<Slug>,
    /// Levels of agent (1, 2) that may answer; `None`: any.
    pub levels: Option<BTreeSet<u8>>,
}

/// What of an agent decides which contacts it may take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Profile {
    /// Level of agent: 1 general, 2 specialised.
    pub level: u8,
    /// Level of each skill.
    pub skills: Skills,
    /// Languages spoken.
    pub languages: BTreeSet<Slug>,
    /// Calls at one time; 0: none.
    pub voice: u8,
    /// Queues it may be offered from; `None`: all.
    pub queues: Option<BTreeSet<QueueId>>,
}

/// The first rule that keeps an agent from a contact, in the order of explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unfit {
    /// No capacity on the contact's channel at all.
    Capacity,
    /// A skill is missing or too low.
    Skill,
    /// The language is not spoken.
    Language,
    /// Another level of agent is wanted.
    Level,
    /// The queue is not among the agent's.
    Permission,
}

impl Requirement {
    /// Why an agent of `profile` may not take a contact of `queue` that needs this, if so.
    pub fn unfit(&self, queue: &QueueId, profile: &Profile) -> Option<Unfit> {
        let level_of = |skill: &Slug| profile.skills.get(skill).copied().unwrap_or(0);
        if profile.voice == 0 {
            return Some(Unfit::Capacity);
        }
        if self.skills.iter().any(|(skill, least)| level_of(skill) < *least) {
            return Some(Unfit::Skill);
        }
        if self.language.as_ref().is_some_and(|language| !profile.languages.contains(language)) {
            return Some(Unfit::Language);
        }
        if self.levels.as_ref().is_some_and(|levels| !levels.contains(&profile.level)) {
            return Some(Unfit::Level);
        }
        if profile.queues.as_ref().is_some_and(|queues| !queues.contains(queue)) {
            return Some(Unfit::Permission);
        }
        None
    }

    /// The first skill that `profile` lacks, with the level it has and the level needed.
    pub fn missing_skill(&self, profile: &Profile) -> Option<(Slug, u8, u8)> {
        self.skills.iter().find_map(|(skill, least)| {
            let has = profile.skills.get(skill).copied().unwrap_or(0);
            (has < *least).then(|| (skill.clone(), has, *least))
        })
    }
}
