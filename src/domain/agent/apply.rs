//! What an agent becomes by an event; it cannot fail.

use super::{Agent, Event, MISSED_OFFER, OfferResult, Work};
use crate::ids::ContactId;
use crate::presence::Kind;
use crate::time::Timestamp;

impl Agent {
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
}
