//! Records of contacts' events: all that a contact comes with is in its first. Who it is that
//! calls, and what was said, is not here: an id stands for the person.

use atalaya_domain::contact::{Choice, Entered, Event, Terms, Who};
use serde::{Deserialize, Serialize};

use super::parts::{Id, Micros, OnRejectV1, OrderKeyV1, RequirementV1, Word, maybe};
use super::{Kind, Page, Record, RecordError, Sheet, get, put, records};

records! { Event:
    QueuedV1 = CONTACT_QUEUED v 1,
    RefusedV1 = CONTACT_REFUSED v 1,
    OfferedV1 = CONTACT_OFFERED v 1,
    OfferAcceptedV1 = CONTACT_OFFER_ACCEPTED v 1,
    AnsweredV1 = CONTACT_ANSWERED v 1,
    OfferRejectedV1 = CONTACT_OFFER_REJECTED v 1,
    OfferMissedV1 = CONTACT_OFFER_MISSED v 1,
    OfferRecalledV1 = CONTACT_OFFER_RECALLED v 1,
    BackOffEndedV1 = CONTACT_BACK_OFF_ENDED v 1,
    AbandonedV1 = CONTACT_ABANDONED v 1,
    HeldV1 = CONTACT_HELD v 1,
    ResumedV1 = CONTACT_RESUMED v 1,
    CompletedV1 = CONTACT_COMPLETED v 1,
    WrapUpExtendedV1 = CONTACT_WRAP_UP_EXTENDED v 1,
    WrapUpEndedV1 = CONTACT_WRAP_UP_ENDED v 1,
    OutcomeGivenV1 = CONTACT_OUTCOME_GIVEN v 1,
    PriorityChangedV1 = CONTACT_PRIORITY_CHANGED v 1,
}

#[derive(Serialize, Deserialize)]
struct QueuedV1 {
    entered: EnteredV1,
}

#[derive(Serialize, Deserialize)]
struct RefusedV1 {
    entered: Option<EnteredV1>,
    reason: Word,
}

#[derive(Serialize, Deserialize)]
struct OfferedV1 {
    offer: Id,
    agent: Word,
    expires_at: Micros,
    candidates: u32,
    idle_since: Micros,
    next: Vec<Word>,
}

#[derive(Serialize, Deserialize)]
struct OfferAcceptedV1 {
    offer: Id,
    agent: Word,
}

#[derive(Serialize, Deserialize)]
struct AnsweredV1 {
    agent: Word,
}

#[derive(Serialize, Deserialize)]
struct OfferRejectedV1 {
    offer: Id,
    agent: Word,
    reason: Word,
    back_off: Option<Micros>,
}

#[derive(Serialize, Deserialize)]
struct OfferMissedV1 {
    offer: Id,
    agent: Word,
}

#[derive(Serialize, Deserialize)]
struct OfferRecalledV1 {
    offer: Id,
    agent: Word,
    reason: Word,
}

#[derive(Serialize, Deserialize)]
struct BackOffEndedV1 {
    agent: Word,
}

#[derive(Serialize, Deserialize)]
struct AbandonedV1;

#[derive(Serialize, Deserialize)]
struct HeldV1;

#[derive(Serialize, Deserialize)]
struct ResumedV1;

#[derive(Serialize, Deserialize)]
struct CompletedV1 {
    agent: Word,
    by: WhoV1,
    wrap_up_until: Option<Micros>,
}

#[derive(Serialize, Deserialize)]
struct WrapUpExtendedV1 {
    by: WhoV1,
    until: Micros,
}

#[derive(Serialize, Deserialize)]
struct WrapUpEndedV1 {
    by: WhoV1,
    outcome: Option<String>,
    topic: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct OutcomeGivenV1 {
    outcome: Option<String>,
    topic: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PriorityChangedV1 {
    from: Word,
    to: Word,
    order_key: OrderKeyV1,
}

/// How a contact came.
#[derive(Serialize, Deserialize)]
pub(in crate::journal) struct EnteredV1 {
    queue: Word,
    priority: Word,
    order_key: OrderKeyV1,
    requirement: RequirementV1,
    external_id: Option<String>,
    person: Id,
    terms: TermsV1,
}

#[derive(Serialize, Deserialize)]
struct TermsV1 {
    offer_timeout: Micros,
    wrap_up: Option<Micros>,
    on_reject: OnRejectV1,
    max_misses: u32,
    within: Option<Micros>,
    short_abandon: Micros,
}

/// Numbered by place: only ever longer.
#[derive(Serialize, Deserialize)]
enum WhoV1 {
    Agent(Word),
    Supervisor,
    Citizen,
    System,
}

/// Writes a contact's event.
pub(super) fn encode(event: &Event) -> Result<Sheet, RecordError> {
    match event {
        Event::Queued(entered) => put(&QueuedV1 { entered: (&**entered).into() }),
        Event::Refused { entered, reason } => put(&RefusedV1 {
            entered: entered.as_deref().map(EnteredV1::from),
            reason: reason.clone().into(),
        }),
        Event::Abandoned => put(&AbandonedV1),
        Event::Held => put(&HeldV1),
        Event::Resumed => put(&ResumedV1),
        Event::Completed { agent, by, wrap_up_until } => put(&CompletedV1 {
            agent: agent.clone().into(),
            by: by.into(),
            wrap_up_until: maybe(*wrap_up_until),
        }),
        Event::WrapUpExtended { by, until } => {
            put(&WrapUpExtendedV1 { by: by.into(), until: (*until).into() })
        }
        Event::WrapUpEnded { by, outcome, topic } => {
            put(&WrapUpEndedV1 { by: by.into(), outcome: outcome.clone(), topic: topic.clone() })
        }
        Event::OutcomeGiven { outcome, topic } => {
            put(&OutcomeGivenV1 { outcome: outcome.clone(), topic: topic.clone() })
        }
        Event::PriorityChanged { from, to, order_key } => put(&PriorityChangedV1 {
            from: from.clone().into(),
            to: to.clone().into(),
            order_key: (*order_key).into(),
        }),
        Event::Offered { offer, agent, expires_at, choice } => put(&OfferedV1 {
            offer: (*offer).into(),
            agent: agent.clone().into(),
            expires_at: (*expires_at).into(),
            candidates: choice.candidates,
            idle_since: choice.idle_since.into(),
            next: choice.next.iter().cloned().map(Word::from).collect(),
        }),
        Event::OfferAccepted { offer, agent } => {
            put(&OfferAcceptedV1 { offer: (*offer).into(), agent: agent.clone().into() })
        }
        Event::Answered { agent } => put(&AnsweredV1 { agent: agent.clone().into() }),
        Event::OfferRejected { offer, agent, reason, back_off } => put(&OfferRejectedV1 {
            offer: (*offer).into(),
            agent: agent.clone().into(),
            reason: reason.clone().into(),
            back_off: maybe(*back_off),
        }),
        Event::OfferMissed { offer, agent } => {
            put(&OfferMissedV1 { offer: (*offer).into(), agent: agent.clone().into() })
        }
        Event::OfferRecalled { offer, agent, reason } => put(&OfferRecalledV1 {
            offer: (*offer).into(),
            agent: agent.clone().into(),
            reason: reason.clone().into(),
        }),
        Event::BackOffEnded { agent } => put(&BackOffEndedV1 { agent: agent.clone().into() }),
    }
}

impl From<QueuedV1> for Event {
    fn from(record: QueuedV1) -> Self {
        Self::Queued(Box::new(record.entered.into()))
    }
}

impl From<RefusedV1> for Event {
    fn from(record: RefusedV1) -> Self {
        let entered = record.entered.map(|entered| Box::new(entered.into()));
        Self::Refused { entered, reason: record.reason.into() }
    }
}

impl From<OfferedV1> for Event {
    fn from(record: OfferedV1) -> Self {
        let choice = Choice {
            candidates: record.candidates,
            idle_since: record.idle_since.into(),
            next: record.next.into_iter().map(Into::into).collect(),
        };
        let (offer, agent) = (record.offer.into(), record.agent.into());
        Self::Offered { offer, agent, expires_at: record.expires_at.into(), choice }
    }
}

impl From<OfferAcceptedV1> for Event {
    fn from(record: OfferAcceptedV1) -> Self {
        Self::OfferAccepted { offer: record.offer.into(), agent: record.agent.into() }
    }
}

impl From<OfferMissedV1> for Event {
    fn from(record: OfferMissedV1) -> Self {
        Self::OfferMissed { offer: record.offer.into(), agent: record.agent.into() }
    }
}

impl From<AnsweredV1> for Event {
    fn from(record: AnsweredV1) -> Self {
        Self::Answered { agent: record.agent.into() }
    }
}

impl From<OfferRejectedV1> for Event {
    fn from(record: OfferRejectedV1) -> Self {
        Self::OfferRejected {
            offer: record.offer.into(),
            agent: record.agent.into(),
            reason: record.reason.into(),
            back_off: maybe(record.back_off),
        }
    }
}

impl From<OfferRecalledV1> for Event {
    fn from(record: OfferRecalledV1) -> Self {
        Self::OfferRecalled {
            offer: record.offer.into(),
            agent: record.agent.into(),
            reason: record.reason.into(),
        }
    }
}

impl From<BackOffEndedV1> for Event {
    fn from(record: BackOffEndedV1) -> Self {
        Self::BackOffEnded { agent: record.agent.into() }
    }
}

impl From<AbandonedV1> for Event {
    fn from(AbandonedV1: AbandonedV1) -> Self {
        Self::Abandoned
    }
}

impl From<HeldV1> for Event {
    fn from(HeldV1: HeldV1) -> Self {
        Self::Held
    }
}

impl From<ResumedV1> for Event {
    fn from(ResumedV1: ResumedV1) -> Self {
        Self::Resumed
    }
}

impl From<CompletedV1> for Event {
    fn from(record: CompletedV1) -> Self {
        Self::Completed {
            agent: record.agent.into(),
            by: record.by.into(),
            wrap_up_until: maybe(record.wrap_up_until),
        }
    }
}

impl From<WrapUpExtendedV1> for Event {
    fn from(record: WrapUpExtendedV1) -> Self {
        Self::WrapUpExtended { by: record.by.into(), until: record.until.into() }
    }
}

impl From<WrapUpEndedV1> for Event {
    fn from(record: WrapUpEndedV1) -> Self {
        Self::WrapUpEnded { by: record.by.into(), outcome: record.outcome, topic: record.topic }
    }
}

impl From<OutcomeGivenV1> for Event {
    fn from(record: OutcomeGivenV1) -> Self {
        Self::OutcomeGiven { outcome: record.outcome, topic: record.topic }
    }
}

impl From<PriorityChangedV1> for Event {
    fn from(record: PriorityChangedV1) -> Self {
        Self::PriorityChanged {
            from: record.from.into(),
            to: record.to.into(),
            order_key: record.order_key.into(),
        }
    }
}

impl From<&Entered> for EnteredV1 {
    fn from(entered: &Entered) -> Self {
        Self {
            queue: entered.queue.clone().into(),
            priority: entered.priority.clone().into(),
            order_key: entered.order_key.into(),
            requirement: (&entered.requirement).into(),
            external_id: entered.external_id.clone(),
            person: entered.person.into(),
            terms: (&entered.terms).into(),
        }
    }
}

impl From<EnteredV1> for Entered {
    fn from(record: EnteredV1) -> Self {
        Self {
            queue: record.queue.into(),
            priority: record.priority.into(),
            order_key: record.order_key.into(),
            requirement: record.requirement.into(),
            external_id: record.external_id,
            person: record.person.into(),
            terms: record.terms.into(),
        }
    }
}

impl From<&Terms> for TermsV1 {
    fn from(terms: &Terms) -> Self {
        Self {
            offer_timeout: terms.offer_timeout.into(),
            wrap_up: maybe(terms.wrap_up),
            on_reject: terms.on_reject.into(),
            max_misses: terms.max_misses,
            within: maybe(terms.within),
            short_abandon: terms.short_abandon.into(),
        }
    }
}

impl From<TermsV1> for Terms {
    fn from(record: TermsV1) -> Self {
        Self {
            offer_timeout: record.offer_timeout.into(),
            wrap_up: maybe(record.wrap_up),
            on_reject: record.on_reject.into(),
            max_misses: record.max_misses,
            within: maybe(record.within),
            short_abandon: record.short_abandon.into(),
        }
    }
}

impl From<&Who> for WhoV1 {
    fn from(who: &Who) -> Self {
        match who {
            Who::Agent(agent) => Self::Agent(agent.clone().into()),
            Who::Supervisor => Self::Supervisor,
            Who::Citizen => Self::Citizen,
            Who::System => Self::System,
        }
    }
}

impl From<WhoV1> for Who {
    fn from(record: WhoV1) -> Self {
        match record {
            WhoV1::Agent(agent) => Self::Agent(agent.into()),
            WhoV1::Supervisor => Self::Supervisor,
            WhoV1::Citizen => Self::Citizen,
            WhoV1::System => Self::System,
        }
    }
}
