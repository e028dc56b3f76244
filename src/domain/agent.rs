//! An agent: signed in or not, what they intend, what they have in hand; presence is derived.
//!
//! The agent owns presence and capacity. Offers, legs and wrap-ups are the contact's, with every
//! deadline; the agent holds what is in hand (`Work`) and learns how it ended. The lease is not
//! here: a session register says `Lost` and `Heard`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contact;
use crate::decision::{Act, Decision, Rejection};
use crate::ids::{AgentId, ContactId, OfferId, Slug};
use crate::queue::OnReject;
use crate::skills::Profile;
use crate::time::{Now, Span, Timestamp};

pub use crate::presence::{Kind, Presence};

/// Why an agent who let offers ring out is not ready.
pub const MISSED_OFFER: &str = "missed_offer";
/// Why an agent who rejected an offer is not ready.
pub const REJECTED_OFFER: &str = "rejected_offer";

/// What an agent wants to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// To be offered work.
    Ready,
    /// Not to be, and why.
    NotReady(Slug),
    /// To leave.
    SignedOut,
}

/// One contact in an agent's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Reserved for an offer that is out; `until` is for show, the deadline is the contact's.
    Offered { offer: OfferId, since: Timestamp, until: Timestamp },
    /// In conversation, or on hold.
    Active { since: Timestamp },
    /// After it; `until` is for show.
    WrapUp { since: Timestamp, until: Option<Timestamp> },
}

/// Sums since the agent was made; a day's figures are differences of two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Offers put to the agent.
    pub offered: u64,
    /// Offers accepted.
    pub accepted: u64,
    /// Legs ended, wrap-up included.
    pub handled: u64,
    /// Offers that ran out.
    pub missed: u64,
    /// Offers turned down.
    pub rejected: u64,
    /// Time spent not ready, finished pauses only.
    pub not_ready: Span,
}

/// What is configured of an agent; the name is personal and lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The team.
    pub team: Slug,
    /// What decides which contacts the agent may take.
    pub profile: Profile,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agent {
    /// Events so far.
    pub version: u64,
    /// `None` until configured.
    pub facts: Option<Arc<Facts>>,
    /// Hash of the configured text that was applied last; zeros: none was.
    pub text_hash: [u8; 16],
    /// Since when signed in, or out.
    pub signed_in: Option<Timestamp>,
    /// When last signed out.
    pub signed_out_at: Timestamp,
    /// Number of the server's start under which the agent was last heard.
    pub start: u64,
    /// Not ready for this reason; `None`: wants work.
    pub not_ready: Option<Slug>,
    /// Start of that intent.
    pub intent_since: Timestamp,
    /// What takes effect when the work in hand has ended.
    pub pending: Option<Wish>,
    /// Since when the lease is over, by event.
    pub lost: Option<Timestamp>,
    /// Since when a new start waits to hear from the agent.
    pub unheard: Option<Timestamp>,
    /// By contact.
    pub work: BTreeMap<ContactId, Work>,
    /// End of the last work, or the first sign-in: what `longest_idle` goes by.
    pub idle_since: Timestamp,
    /// Whether any work or sign-in has set `idle_since`.
    pub was_idle: bool,
    /// Offers missed in a row.
    pub misses: u32,
    /// Sums.
    pub tally: Tally,
}

/// What is asked of an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Create or replace the profile.
    Configure { facts: Arc<Facts>, text_hash: [u8; 16] },
    /// The agent says what they want to be; `after` lets offers that are out stand.
    Presence { wish: Wish, after: bool, start: u64 },
    /// A supervisor says it; `session`: whether the agent has one open.
    Force { wish: Wish, session: bool },
    /// The lease ran out.
    Lost,
    /// Somebody spoke for the agent again.
    Heard { start: u64 },
    /// A new start: shown lost until heard.
    Unheard,
    /// From a contact: an offer goes out.
    Reserve { offer: OfferId, contact: ContactId, until: Timestamp },
    /// From a contact: the offer ended.
    Release { offer: OfferId, contact: ContactId, result: Released },
    /// From a contact: the conversation ended.
    Wrap { contact: ContactId, until: Option<Timestamp> },
    /// From a contact: the leg is over.
    EndLeg { contact: ContactId },
}

/// How an offer ended, for the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// Taken: the leg starts.
    Accepted,
    /// Turned down.
    Rejected(OnReject),
    /// Ran out; so many in a row make an agent not ready.
    Missed { max_misses: u32 },
    /// Withdrawn: costs the agent nothing.
    Recalled,
}

/// How an offer ended, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferResult {
    /// Taken.
    Accepted,
    /// Turned down.
    Rejected,
    /// Ran out.
    Missed,
    /// Withdrawn.
    Recalled,
}

/// What happened to an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Another profile.
    Changed { facts: Arc<Facts>, text_hash: [u8; 16] },
    /// Signed in, under this start of the server.
    SignedIn { start: u64 },
    /// Signed out.
    SignedOut,
    /// Wants work (`None`), or not and why.
    IntentChanged { not_ready: Option<Slug> },
    /// What waits for the end of work.
    PendingChanged { pending: Option<Wish> },
    /// An offer is out.
    Reserved { offer: OfferId, contact: ContactId, until: Timestamp },
    /// It ended.
    Released { offer: OfferId, contact: ContactId, result: OfferResult },
    /// In conversation.
    LegStarted { contact: ContactId },
    /// After the conversation; again when the limit moves.
    LegWrapping { contact: ContactId, until: Option<Timestamp> },
    /// The leg is over.
    LegEnded { contact: ContactId },
    /// The lease is over.
    Lost,
    /// Heard again.
    Heard { start: u64 },
    /// Presence or reason is other than before; last of its agent in its entry.
    PresenceChanged { state: Kind, reason: Option<Slug>, since: Timestamp },
}

type Step = (Vec<Event>, Vec<(crate::EntityId, crate::Command)>);

impl Agent {
    /// Says what `command` causes.
    pub(crate) fn decide(&self, id: &AgentId, now: Now, command: &Command) -> Decision {
        Decision::of(self.transition(id, now, command).map(|(events, with)| Act {
            at: now.at,
            events: events.into_iter().map(crate::Event::Agent).collect(),
            with,
        }))
    }

    fn transition(&self, id: &AgentId, now: Now, command: &Command) -> Result<Step, Rejection> {
        if let Command::Configure { facts, text_hash } = command {
            let same = self.facts.as_ref() == Some(facts) && self.text_hash == *text_hash;
            let event = Event::Changed { facts: facts.clone(), text_hash: *text_hash };
            return Ok((if same { vec![] } else { vec![event] }, vec![]));
        }
        if self.facts.is_none() {
            return Err(Rejection::Unknown { entity: "agent" });
        }
        match command {
            Command::Configure { .. } => Ok((vec![], vec![])),
            Command::Presence { wish, after, start } => self.wish(wish, *after, *start),
            Command::Force { wish, session } => self.force(id, wish, *session),
            Command::Lost => self.lose(),
            Command::Heard { start } => match (self.signed_in, self.lost, self.unheard) {
                (None, ..) => Err(self.refuse(command)),
                (Some(_), None, None) => Ok((vec![], vec![])),
                (Some(_), ..) => Ok((vec![Event::Heard { start: *start }], vec![])),
            },
            Command::Unheard => {
                let event =
                    Event::PresenceChanged { state: Kind::Lost, reason: None, since: now.at };
                let news = self.signed_in.is_some() && self.presence().state != Kind::Lost;
                Ok((if news { vec![event] } else { vec![] }, vec![]))
            }
            Command::Reserve { offer, contact, until } => {
                if !self.is_available() || self.work.contains_key(contact) {
                    return Err(self.refuse(command));
                }
                let (offer, contact, until) = (*offer, *contact, *until);
                Ok((vec![Event::Reserved { offer, contact, until }], vec![]))
            }
            Command::Release { offer, contact, result } => self.release(*offer, *contact, *result),
            Command::Wrap { contact, until } => match self.work.get(contact) {
                Some(Work::Active { .. } | Work::WrapUp { .. }) => {
                    Ok((vec![Event::LegWrapping { contact: *contact, until: *until }], vec![]))
                }
                Some(Work::Offered { .. }) | None => Err(unfit("no such leg")),
            },
            Command::EndLeg { contact } => match self.work.get(contact) {
                Some(Work::Active { .. } | Work::WrapUp { .. }) => {
                    Ok((self.settled(Event::LegEnded { contact: *contact }, None), vec![]))
                }
                Some(Work::Offered { .. }) | None => Err(unfit("no such leg")),
            },
        }
    }

    /// What the agent asked for: at once when free, else when the work in hand has ended.
    fn wish(&self, wish: &Wish, after: bool, start: u64) -> Result<Step, Rejection> {
        if self.signed_in.is_none() {
            let mut events = vec![Event::SignedIn { start }];
            match wish {
                Wish::SignedOut => return Err(self.refuse_named("sign out")),
                Wish::Ready => events.push(Event::IntentChanged { not_ready: None }),
                Wish::NotReady(reason) => {
                    events.push(Event::IntentChanged { not_ready: Some(reason.clone()) });
                }
            }
            return Ok((events, vec![]));
        }
        let mut events = vec![];
        if self.lost.is_some() || self.unheard.is_some() {
            events.push(Event::Heard { start });
        }
        let offers_stand = after || *wish == Wish::Ready;
        let waits = self.work.values().any(|work| match work {
            Work::Offered { .. } => offers_stand,
            Work::Active { .. } | Work::WrapUp { .. } => true,
        });
        let mut others = vec![];
        if !offers_stand {
            let reason = match wish {
                Wish::SignedOut => "signed_out",
                Wish::Ready | Wish::NotReady(_) => "not_ready",
            };
            self.give_back(OfferResult::Rejected, reason, &mut events, &mut others);
        }
        events.extend(self.intend(wish, waits));
        Ok((events, others))
    }

    /// The event that makes `wish` so, now or when work has ended; none if it is so already.
    fn intend(&self, wish: &Wish, waits: bool) -> Option<Event> {
        let is_so = self.intent() == *wish;
        match (is_so, waits) {
            (true, _) => self.pending.is_some().then_some(Event::PendingChanged { pending: None }),
            (false, true) => (self.pending.as_ref() != Some(wish))
                .then(|| Event::PendingChanged { pending: Some(wish.clone()) }),
            (false, false) => Some(becoming(wish)),
        }
    }

    /// A supervisor's word: offers are recalled, wrap-ups end, a conversation is never cut.
    fn force(&self, id: &AgentId, wish: &Wish, session: bool) -> Result<Step, Rejection> {
        if self.signed_in.is_none() {
            return Err(self.refuse_named("be forced"));
        }
        if *wish == Wish::Ready && (!session || self.lost.is_some() || self.unheard.is_some()) {
            return Err(Rejection::NoSession { agent: id.clone() });
        }
        let (mut events, mut others) = (vec![], vec![]);
        if *wish != Wish::Ready {
            self.give_back(OfferResult::Recalled, "forced", &mut events, &mut others);
        }
        let talking = self.work.values().any(|work| matches!(work, Work::Active { .. }));
        events.extend(self.intend(wish, talking && *wish == Wish::SignedOut));
        for (contact, work) in &self.work {
            if matches!(work, Work::WrapUp { .. }) {
                let by = contact::Who::Supervisor;
                let end = contact::Command::EndWrapUp { by, outcome: None, topic: None };
                others.push(((*contact).into(), crate::Command::Contact(end)));
            }
        }
        Ok((events, others))
    }

    fn lose(&self) -> Result<Step, Rejection> {
        if self.signed_in.is_none() {
            return Err(self.refuse_named("be lost"));
        }
        if self.lost.is_some() {
            return Ok((vec![], vec![]));
        }
        let (mut events, mut with) = (vec![Event::Lost], vec![]);
        self.give_back(OfferResult::Recalled, "lost", &mut events, &mut with);
        // What waited for the end of an offer waits no more once the offer is gone.
        let offered = |work: &Work| matches!(work, Work::Offered { .. });
        if self.work.values().all(offered) {
            events.extend(self.pending.as_ref().map(becoming));
        }
        Ok((events, with))
    }

    /// Ends every offer that is out, on both sides.
    fn give_back(
        &self,
        result: OfferResult,
        reason: &'static str,
        events: &mut Vec<Event>,
        with: &mut Vec<(crate::EntityId, crate::Command)>,
    ) {
        for (contact, work) in &self.work {
            if let Work::Offered { offer, .. } = work {
                events.push(Event::Released { offer: *offer, contact: *contact, result });
                let withdraw = contact::Command::Withdraw { offer: *offer, result, reason };
                with.push(((*contact).into(), crate::Command::Contact(withdraw)));
            }
        }
    }

    fn release(
        &self,
        offer: OfferId,
        contact: ContactId,
        result: Released,
    ) -> Result<Step, Rejection> {
        match self.work.get(&contact) {
            Some(Work::Offered { offer: held, .. }) if *held == offer => (),
            Some(_) | None => return Err(unfit("no such reservation")),
        }
        let released = |result| Event::Released { offer, contact, result };
        let away = |reason: &str| Slug::new(reason).ok();
        Ok((
            match result {
                Released::Accepted => {
                    vec![released(OfferResult::Accepted), Event::LegStarted { contact }]
                }
                Released::Rejected(OnReject::NotReady) => {
                    self.settled(released(OfferResult::Rejected), away(REJECTED_OFFER))
                }
                Released::Rejected(OnReject::Ready) => {
                    self.settled(released(OfferResult::Rejected), None)
                }
                Released::Missed { max_misses } => {
                    let spent = self.misses + 1 >= max_misses;
                    let reason = if spent { away(MISSED_OFFER) } else { None };
                    self.settled(released(OfferResult::Missed), reason)
                }
                Released::Recalled => self.settled(released(OfferResult::Recalled), None),
            },
            vec![],
        ))
    }

    /// `end` of some work, then what it makes of the agent: away for `away`, and what was pending
    /// once nothing else is in hand.
    fn settled(&self, end: Event, away: Option<Slug>) -> Vec<Event> {
        let mut events = vec![end];
        if away.is_some() {
            events.push(Event::IntentChanged { not_ready: away });
        }
        match &self.pending {
            Some(pending) if self.work.len() <= 1 => events.push(becoming(pending)),
            Some(pending) if events.len() > 1 => {
                events.push(Event::PendingChanged { pending: Some(pending.clone()) });
            }
            Some(_) | None => (),
        }
        events
    }

    fn intent(&self) -> Wish {
        match (&self.signed_in, &self.not_ready) {
            (None, _) => Wish::SignedOut,
            (Some(_), None) => Wish::Ready,
            (Some(_), Some(reason)) => Wish::NotReady(reason.clone()),
        }
    }

    /// Becomes what `event` says.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        self.version += 1;
        match event {
            Event::Changed { facts, text_hash } => {
                self.facts = Some(facts.clone());
                self.text_hash = *text_hash;
            }
            Event::SignedIn { start } => {
                self.signed_in = Some(at);
                (self.lost, self.unheard, self.start) = (None, None, *start);
                (self.not_ready, self.intent_since) = (None, at);
                if !self.was_idle {
                    self.rest(at);
                }
            }
            Event::SignedOut => {
                self.leave_pause(at);
                (self.signed_in, self.signed_out_at) = (None, at);
                (self.not_ready, self.pending) = (None, None);
                (self.lost, self.unheard) = (None, None);
                self.misses = 0;
            }
            Event::IntentChanged { not_ready } => {
                self.leave_pause(at);
                self.not_ready.clone_from(not_ready);
                self.intent_since = at;
                self.pending = None;
                if not_ready.as_ref().is_some_and(|reason| reason.as_str() == MISSED_OFFER) {
                    self.misses = 0;
                }
            }
            Event::PendingChanged { pending } => self.pending.clone_from(pending),
            Event::Reserved { offer, contact, until } => {
                let work = Work::Offered { offer: *offer, since: at, until: *until };
                self.work.insert(*contact, work);
                self.tally.offered += 1;
            }
            Event::Released { contact, result, .. } => self.released(at, *contact, *result),
            Event::LegStarted { contact } => {
                self.work.insert(*contact, Work::Active { since: at });
            }
            Event::LegWrapping { contact, until } => {
                let since = match self.work.get(contact) {
                    Some(Work::WrapUp { since, .. }) => *since,
                    Some(Work::Active { .. } | Work::Offered { .. }) | None => at,
                };
                self.work.insert(*contact, Work::WrapUp { since, until: *until });
            }
            Event::LegEnded { contact } => {
                self.work.remove(contact);
                self.tally.handled += 1;
                self.rest(at);
            }
            Event::Lost => (self.lost, self.unheard) = (Some(at), None),
            Event::Heard { start } => {
                (self.lost, self.unheard, self.start) = (None, None, *start);
            }
            Event::PresenceChanged { state: Kind::Lost, since, .. } => {
                if self.lost.is_none() {
                    self.unheard = Some(*since);
                }
            }
            Event::PresenceChanged { .. } => (),
        }
    }

    fn released(&mut self, at: Timestamp, contact: ContactId, result: OfferResult) {
        self.work.remove(&contact);
        match result {
            OfferResult::Accepted => {
                self.tally.accepted += 1;
                self.misses = 0;
            }
            OfferResult::Rejected => {
                self.tally.rejected += 1;
                self.rest(at);
            }
            OfferResult::Missed => {
                self.tally.missed += 1;
                self.misses += 1;
                self.rest(at);
            }
            OfferResult::Recalled => (),
        }
    }

    fn rest(&mut self, at: Timestamp) {
        (self.idle_since, self.was_idle) = (at, true);
    }

    fn leave_pause(&mut self, at: Timestamp) {
        if self.signed_in.is_some() && self.not_ready.is_some() {
            self.tally.not_ready.0 += at.since(self.intent_since).0;
        }
    }

    fn refuse(&self, command: &Command) -> Rejection {
        self.refuse_named(command.name())
    }

    fn refuse_named(&self, command: &'static str) -> Rejection {
        Rejection::IllegalTransition { command, state: self.presence().state.name() }
    }
}

fn becoming(wish: &Wish) -> Event {
    match wish {
        Wish::Ready => Event::IntentChanged { not_ready: None },
        Wish::NotReady(reason) => Event::IntentChanged { not_ready: Some(reason.clone()) },
        Wish::SignedOut => Event::SignedOut,
    }
}

const fn unfit(what: &'static str) -> Rejection {
    Rejection::Unfit { what }
}

impl Command {
    /// Completes "cannot …".
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure",
            Self::Presence { .. } => "change presence",
            Self::Force { .. } => "be forced",
            Self::Lost => "be lost",
            Self::Heard { .. } => "be heard",
            Self::Unheard => "go unheard",
            Self::Reserve { .. } => "be offered a contact",
            Self::Release { .. } => "be released",
            Self::Wrap { .. } => "wrap up",
            Self::EndLeg { .. } => "end a leg",
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::SignedIn { .. } => "signed_in",
            Self::SignedOut => "signed_out",
            Self::IntentChanged { .. } => "intent_changed",
            Self::PendingChanged { .. } => "pending_changed",
            Self::Reserved { .. } => "reserved",
            Self::Released { .. } => "released",
            Self::LegStarted { .. } => "leg_started",
            Self::LegWrapping { .. } => "leg_wrapping",
            Self::LegEnded { .. } => "leg_ended",
            Self::Lost => "lost",
            Self::Heard { .. } => "heard",
            Self::PresenceChanged { .. } => "presence_changed",
        }
    }
}
