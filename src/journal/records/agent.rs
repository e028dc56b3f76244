//! Records of agents' events.

use std::sync::Arc;

use atalaya_domain::agent::{Event, Facts, Kind as Presence, OfferResult, Wish};
use atalaya_domain::skills::Profile;
use serde::{Deserialize, Serialize};

use super::parts::{Id, Members, Micros, SkillsV1, Word, maybe, numbered};
use super::{Kind, Page, Record, RecordError, Sheet, get, put, records};

records! { Event:
    ChangedV1 = AGENT_CHANGED v 1,
    SignedInV1 = AGENT_SIGNED_IN v 1,
    SignedOutV1 = AGENT_SIGNED_OUT v 1,
    IntentChangedV1 = AGENT_INTENT_CHANGED v 1,
    PendingChangedV1 = AGENT_PENDING_CHANGED v 1,
    ReservedV1 = AGENT_RESERVED v 1,
    ReleasedV1 = AGENT_RELEASED v 1,
    LegStartedV1 = AGENT_LEG_STARTED v 1,
    LegWrappingV1 = AGENT_LEG_WRAPPING v 1,
    LegEndedV1 = AGENT_LEG_ENDED v 1,
    LostV1 = AGENT_LOST v 1,
    HeardV1 = AGENT_HEARD v 1,
    PresenceChangedV1 = AGENT_PRESENCE_CHANGED v 1,
}

#[derive(Serialize, Deserialize)]
struct ChangedV1 {
    facts: FactsV1,
    text_hash: [u8; 16],
}

/// What is configured of an agent.
#[derive(Serialize, Deserialize)]
pub(in crate::journal) struct FactsV1 {
    team: Word,
    level: u8,
    skills: SkillsV1,
    languages: Members<Word>,
    voice: u8,
    queues: Option<Members<Word>>,
}

#[derive(Serialize, Deserialize)]
struct SignedInV1 {
    start: u64,
}

#[derive(Serialize, Deserialize)]
struct SignedOutV1;

#[derive(Serialize, Deserialize)]
struct IntentChangedV1 {
    not_ready: Option<Word>,
}

#[derive(Serialize, Deserialize)]
struct PendingChangedV1 {
    pending: Option<WishV1>,
}

#[derive(Serialize, Deserialize)]
struct ReservedV1 {
    offer: Id,
    contact: Id,
    until: Micros,
}

#[derive(Serialize, Deserialize)]
struct ReleasedV1 {
    offer: Id,
    contact: Id,
    result: OfferResultV1,
}

#[derive(Serialize, Deserialize)]
struct LegStartedV1 {
    contact: Id,
}

#[derive(Serialize, Deserialize)]
struct LegWrappingV1 {
    contact: Id,
    until: Option<Micros>,
}

#[derive(Serialize, Deserialize)]
struct LegEndedV1 {
    contact: Id,
}

#[derive(Serialize, Deserialize)]
struct LostV1;

#[derive(Serialize, Deserialize)]
struct HeardV1 {
    start: u64,
}

#[derive(Serialize, Deserialize)]
struct PresenceChangedV1 {
    state: PresenceV1,
    reason: Option<Word>,
    since: Micros,
}

/// Numbered by place: only ever longer.
#[derive(Serialize, Deserialize)]
pub(in crate::journal) enum WishV1 {
    Ready,
    NotReady(Word),
    SignedOut,
}

numbered! {
    /// How an offer ended.
    OfferResultV1 is OfferResult { Accepted, Rejected, Missed, Recalled }
}

numbered! {
    /// What an agent is.
    PresenceV1 is Presence { SignedOut, Lost, Offered, Busy, WrapUp, NotReady, Ready }
}

/// Writes an agent's event.
pub(super) fn encode(event: &Event) -> Result<Sheet, RecordError> {
    match event {
        Event::Changed { facts, text_hash } => {
            put(&ChangedV1 { facts: (&**facts).into(), text_hash: *text_hash })
        }
        Event::SignedIn { start } => put(&SignedInV1 { start: *start }),
        Event::SignedOut => put(&SignedOutV1),
        Event::IntentChanged { not_ready } => {
            put(&IntentChangedV1 { not_ready: maybe(not_ready.clone()) })
        }
        Event::PendingChanged { pending } => {
            put(&PendingChangedV1 { pending: maybe(pending.clone()) })
        }
        Event::Reserved { offer, contact, until } => put(&ReservedV1 {
            offer: (*offer).into(),
            contact: (*contact).into(),
            until: (*until).into(),
        }),
        Event::Released { offer, contact, result } => put(&ReleasedV1 {
            offer: (*offer).into(),
            contact: (*contact).into(),
            result: (*result).into(),
        }),
        Event::LegStarted { contact } => put(&LegStartedV1 { contact: (*contact).into() }),
        Event::LegWrapping { contact, until } => {
            put(&LegWrappingV1 { contact: (*contact).into(), until: maybe(*until) })
        }
        Event::LegEnded { contact } => put(&LegEndedV1 { contact: (*contact).into() }),
        Event::Lost => put(&LostV1),
        Event::Heard { start } => put(&HeardV1 { start: *start }),
        Event::PresenceChanged { state, reason, since } => put(&PresenceChangedV1 {
            state: (*state).into(),
            reason: maybe(reason.clone()),
            since: (*since).into(),
        }),
    }
}

impl From<ChangedV1> for Event {
    fn from(record: ChangedV1) -> Self {
        Self::Changed { facts: Arc::new(record.facts.into()), text_hash: record.text_hash }
    }
}

impl From<&Facts> for FactsV1 {
    fn from(facts: &Facts) -> Self {
        Self {
            team: facts.team.clone().into(),
            level: facts.profile.level,
            skills: SkillsV1(facts.profile.skills.clone()),
            languages: Members::of(&facts.profile.languages),
            voice: facts.profile.voice,
            queues: facts.profile.queues.as_ref().map(Members::of),
        }
    }
}

impl From<FactsV1> for Facts {
    fn from(record: FactsV1) -> Self {
        let profile = Profile {
            level: record.level,
            skills: record.skills.0,
            languages: record.languages.into_set(),
            voice: record.voice,
            queues: record.queues.map(Members::into_set),
        };
        Self { team: record.team.into(), profile }
    }
}

impl From<SignedInV1> for Event {
    fn from(record: SignedInV1) -> Self {
        Self::SignedIn { start: record.start }
    }
}

impl From<SignedOutV1> for Event {
    fn from(SignedOutV1: SignedOutV1) -> Self {
        Self::SignedOut
    }
}

impl From<IntentChangedV1> for Event {
    fn from(record: IntentChangedV1) -> Self {
        Self::IntentChanged { not_ready: maybe(record.not_ready) }
    }
}

impl From<PendingChangedV1> for Event {
    fn from(record: PendingChangedV1) -> Self {
        Self::PendingChanged { pending: maybe(record.pending) }
    }
}

impl From<ReservedV1> for Event {
    fn from(record: ReservedV1) -> Self {
        let ReservedV1 { offer, contact, until } = record;
        Self::Reserved { offer: offer.into(), contact: contact.into(), until: until.into() }
    }
}

impl From<ReleasedV1> for Event {
    fn from(record: ReleasedV1) -> Self {
        let ReleasedV1 { offer, contact, result } = record;
        Self::Released { offer: offer.into(), contact: contact.into(), result: result.into() }
    }
}

impl From<LegStartedV1> for Event {
    fn from(record: LegStartedV1) -> Self {
        Self::LegStarted { contact: record.contact.into() }
    }
}

impl From<LegWrappingV1> for Event {
    fn from(record: LegWrappingV1) -> Self {
        Self::LegWrapping { contact: record.contact.into(), until: maybe(record.until) }
    }
}

impl From<LegEndedV1> for Event {
    fn from(record: LegEndedV1) -> Self {
        Self::LegEnded { contact: record.contact.into() }
    }
}

impl From<LostV1> for Event {
    fn from(LostV1: LostV1) -> Self {
        Self::Lost
    }
}

impl From<HeardV1> for Event {
    fn from(record: HeardV1) -> Self {
        Self::Heard { start: record.start }
    }
}

impl From<PresenceChangedV1> for Event {
    fn from(record: PresenceChangedV1) -> Self {
        let PresenceChangedV1 { state, reason, since } = record;
        Self::PresenceChanged { state: state.into(), reason: maybe(reason), since: since.into() }
    }
}

impl From<Wish> for WishV1 {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Ready => Self::Ready,
            Wish::NotReady(reason) => Self::NotReady(reason.into()),
            Wish::SignedOut => Self::SignedOut,
        }
    }
}

impl From<WishV1> for Wish {
    fn from(record: WishV1) -> Self {
        match record {
            WishV1::Ready => Self::Ready,
            WishV1::NotReady(reason) => Self::NotReady(reason.into()),
            WishV1::SignedOut => Self::SignedOut,
        }
    }
}
