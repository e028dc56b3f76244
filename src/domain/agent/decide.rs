//! What an agent says to a command: the events, and what the contacts in hand are told.

use super::{
    Agent, Command, Event, MISSED_OFFER, OfferResult, REJECTED_OFFER, Released, Wish, Work,
};
use crate::contact;
use crate::decision::{Act, Decision, Rejection};
use crate::ids::{AgentId, ContactId, OfferId, Slug};
use crate::presence::Kind;
use crate::queue::OnReject;
use crate::time::Now;

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
