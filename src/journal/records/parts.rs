//! What events are made of, as bytes: slugs, ids, durations, skills; checked when read.
//!
//! They are as frozen as the records that hold them: what changes is a new type beside the old.
//! Only what the domain's types themselves promise is checked: a rule that may change one day
//! must not make yesterday unreadable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use atalaya_domain::EntityId;
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, OfferId, PersonId, QueueId, Slug};
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::OnReject;
use atalaya_domain::skills::{Requirement, Skills};
use atalaya_domain::time::{Span, Timestamp, Written};
use serde::de::{Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A slug, as its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::journal) struct Word(pub(in crate::journal) Slug);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a slug")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Word, E> {
                Slug::new(text).map(Word).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// What is a value in the domain and another in the log, both ways without loss.
macro_rules! both_ways {
    ($($log:ident is $($domain:ident)|+;)*) => {$($(
        impl From<$domain> for $log {
            fn from(value: $domain) -> Self {
                Self(value.0)
            }
        }

        impl From<$log> for $domain {
            fn from(value: $log) -> Self {
                Self(value.0)
            }
        }
    )+)*};
}

/// A UUID, as its 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::journal) struct Id(Uuid);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <[u8; 16]>::deserialize(deserializer).map(|bytes| Self(Uuid::from_bytes(bytes)))
    }
}

/// Microseconds: since the epoch, or of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::journal) struct Micros(i64);

both_ways! {
    Word is AgentId | QueueId;
    Id is ContactId | OfferId | PersonId | CredentialId;
    Micros is Timestamp | Span;
}

impl From<Slug> for Word {
    fn from(slug: Slug) -> Self {
        Self(slug)
    }
}

impl From<Word> for Slug {
    fn from(word: Word) -> Self {
        word.0
    }
}

/// `Some` of one as `Some` of the other.
pub(in crate::journal) fn maybe<A, B: From<A>>(value: Option<A>) -> Option<B> {
    value.map(B::from)
}

/// A duration, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::journal) struct Length(pub(in crate::journal) Written);

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.as_str();
        match Written::parse(text) {
            Ok(read) if read == self.0 => serializer.serialize_str(text),
            _ => Err(S::Error::custom(format!("the duration `{text}` would not come back"))),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Written::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Whether each is greater than the one before: as a set or map has them, none twice.
fn ascending<T: Ord>(what: &str, items: &[T]) -> Result<(), String> {
    if items.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(format!("{what} are not in order, or named twice"))
    }
}

/// Skills with levels, by skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(Word, u8)>", into = "Vec<(Word, u8)>")]
pub(in crate::journal) struct SkillsV1(pub(in crate::journal) Skills);

impl From<SkillsV1> for Vec<(Word, u8)> {
    fn from(skills: SkillsV1) -> Self {
        skills.0.into_iter().map(|(skill, level)| (Word(skill), level)).collect()
    }
}

impl TryFrom<Vec<(Word, u8)>> for SkillsV1 {
    type Error = String;

    fn try_from(pairs: Vec<(Word, u8)>) -> Result<Self, String> {
        let names: Vec<&Word> = pairs.iter().map(|(skill, _)| skill).collect();
        ascending("skills", &names)?;
        Ok(Self(
            pairs.into_iter().map(|(skill, level)| (skill.0, level)).collect::<BTreeMap<_, _>>(),
        ))
    }
}

/// A set, as its members in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>", into = "Vec<T>")]
#[serde(bound(serialize = "T: Serialize + Clone", deserialize = "T: Deserialize<'de> + Ord"))]
pub(in crate::journal) struct Members<T>(Vec<T>);

impl<T> From<Members<T>> for Vec<T> {
    fn from(members: Members<T>) -> Self {
        members.0
    }
}

impl<T: Ord> TryFrom<Vec<T>> for Members<T> {
    type Error = String;

    fn try_from(members: Vec<T>) -> Result<Self, String> {
        ascending("members of a set", &members)?;
        Ok(Self(members))
    }
}

impl<T> Members<T> {
    /// The members of a set of the domain.
    pub(in crate::journal) fn of<D: Ord + Clone>(set: &BTreeSet<D>) -> Self
    where
        T: From<D>,
    {
        Self(set.iter().cloned().map(T::from).collect())
    }

    /// The set.
    pub(in crate::journal) fn into_set<D: Ord + From<T>>(self) -> BTreeSet<D> {
        self.0.into_iter().map(D::from).collect()
    }
}

/// An entity, by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::journal) struct Entity(pub(in crate::journal) EntityId);

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::entity_key(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (kind, id) = <(u8, Vec<u8>)>::deserialize(deserializer)?;
        super::entity_of(kind, &id).map(Self).map_err(D::Error::custom)
    }
}

/// Who may answer.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::journal) struct RequirementV1 {
    skills: SkillsV1,
    language: Option<Word>,
    levels: Option<Members<u8>>,
}

impl From<&Requirement> for RequirementV1 {
    fn from(requirement: &Requirement) -> Self {
        Self {
            skills: SkillsV1(requirement.skills.clone()),
            language: maybe(requirement.language.clone()),
            levels: requirement.levels.as_ref().map(Members::of),
        }
    }
}

impl From<RequirementV1> for Requirement {
    fn from(record: RequirementV1) -> Self {
        Self {
            skills: record.skills.0,
            language: maybe(record.language),
            levels: record.levels.map(Members::into_set),
        }
    }
}

/// When a contact is served.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::journal) struct OrderKeyV1 {
    rank: u8,
    at: Micros,
}

impl From<OrderKey> for OrderKeyV1 {
    fn from(key: OrderKey) -> Self {
        Self { rank: key.rank, at: key.at.into() }
    }
}

impl From<OrderKeyV1> for OrderKey {
    fn from(record: OrderKeyV1) -> Self {
        Self { rank: record.rank, at: record.at.into() }
    }
}

/// An enumeration of the domain as a number: the place in this list, which only grows at its end.
macro_rules! numbered {
    ($(#[$doc:meta])* $record:ident is $domain:ty { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub(in crate::journal) enum $record { $($variant),* }

        impl From<$domain> for $record {
            fn from(value: $domain) -> Self {
                match value { $(<$domain>::$variant => Self::$variant),* }
            }
        }

        impl From<$record> for $domain {
            fn from(record: $record) -> Self {
                match record { $($record::$variant => Self::$variant),* }
            }
        }
    };
}
pub(in crate::journal) use numbered;

numbered! {
    /// What a rejection does to the agent.
    OnRejectV1 is OnReject { NotReady, Ready }
}
