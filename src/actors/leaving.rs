//! Who leaves memory, and when: contacts and sessions that are over and that the picture has.
//!
//! ```text
//! sweep ─ whom the picture has ─► writer forgets them ─ in order ─► projector drops the slots
//! ```
//!
//! The writer is the place of order for this too. It forgets an entity only where it stands as the
//! sweep saw it, and says so in its next batch, before that batch's entries. So when the projector
//! drops the slot, it has folded all that the writer had committed of it, and what the writer
//! commits of it afterwards comes later. From this follows all else:
//!
//! - *No slot* means: never heard of, or the picture has its last state, since an event that the
//!   picture lacks is in a slot. A reader looks for the slot first and into the picture second; so
//!   it finds what was current when it began, or something newer.
//! - *Unknown to the writer* means the same, so the writer itself looks into the picture and holds
//!   an entry's versions against what is there. An entry does not bring what it was read with as
//!   proof: it may have been composed before others came, committed and left.
//! - *The fold* of an event on an entity without a slot reads the picture, which cannot be ahead
//!   of the fold: it is the state before that event, and the slot is back.
//! - A slot that the writer does not know (its `forget` came too late) is one that the picture has
//!   as it is: the writer's look gives the same version.
//!
//! What is out of service stays. Without a picture nobody leaves.
//!
//! Lanes are the directory's to stop; here it is only said which have nothing left to do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use atalaya_domain::contact::{Contact, OUTCOME_GRACE, State as Place};
use atalaya_domain::credential::Credential;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::State;
use atalaya_domain::quarantine::Standing;
use atalaya_domain::time::{Span, Timestamp};

use super::centre::Centre;
use super::clock::wall_now;
use super::receipts::KEPT_FOR;
use super::slots::Published;
use crate::journal::commit::Whose;

/// Contacts, and sessions, that one sweep, a second, lets leave; the others stay until the next.
pub const LEAVES_PER_SWEEP_MAX: usize = 5_000;
/// Lanes that one sweep lets end; the others live until the next.
pub const LANES_PER_SWEEP_MAX: usize = 5_000;

/// An entity that may leave as long as it stands so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// Which.
    pub id: EntityId,
    /// Its version.
    pub version: u64,
    /// Number of its last event.
    pub seq: u64,
}

/// Who is over, or will be at a known instant.
#[derive(Debug, Default)]
pub struct Leaving {
    /// Contacts that are over, by the last instant of the centre at which something may still be
    /// done to them.
    contacts: Due,
    /// Sessions, by the last instant of the wall at which they may be used. One that was ended
    /// before is in it twice until then.
    sessions: Due,
}

type Due = Mutex<BTreeSet<(Timestamp, EntityId)>>;

/// The last instant of the wall at which a session may be used; `None`: it ends by a command only.
pub fn last_of_session(session: &Credential) -> Option<Timestamp> {
    let expires_at = session.grant.as_ref().and_then(|grant| grant.expires_at);
    if session.ended { Some(Timestamp(i64::MIN)) } else { expires_at }
}

/// The last instant at which something may still be done to a contact that is over.
pub fn last_use(contact: &Contact) -> Option<Timestamp> {
    match contact.state {
        Place::Closed { since, .. } => Some(since.plus(OUTCOME_GRACE)),
        Place::Abandoned | Place::Refused { .. } => {
            Some(contact.ended_at.unwrap_or(contact.arrived_at).minus(Span(1)))
        }
        Place::Unborn
        | Place::Queued
        | Place::Offered { .. }
        | Place::Active { .. }
        | Place::Held { .. }
        | Place::WrapUp { .. } => None,
    }
}

impl Leaving {
    /// What is published of `id` may be over.
    pub fn note(&self, id: &EntityId, published: &Published) {
        let (due, last) = match (id, &published.state) {
            (EntityId::Contact(_), State::Contact(contact)) => (&self.contacts, last_use(contact)),
            (EntityId::Session(_), State::Credential(session)) => {
                (&self.sessions, last_of_session(session))
            }
            _ => return,
        };
        if let Some(last) = last {
            with(due, |due| due.insert((last, id.clone())));
        }
    }
}

fn with<T>(due: &Due, work: impl FnOnce(&mut BTreeSet<(Timestamp, EntityId)>) -> T) -> T {
    work(&mut due.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Those of before `now`, the earliest first, whom `leaves` says something of; who does not leave
/// at all is not asked for again.
fn look(due: &Due, now: Timestamp, leaves: impl Fn(&EntityId) -> May) -> Vec<Leave> {
    let before = |due: &BTreeSet<(Timestamp, EntityId)>| {
        let due = due.iter().take_while(|(last, _)| *last < now);
        due.take(LEAVES_PER_SWEEP_MAX).cloned().collect::<Vec<_>>()
    };
    let mut leaving = Vec::new();
    for found in with(due, |all| before(all)) {
        match leaves(&found.1) {
            May::Leave(leave) => leaving.push(leave),
            May::Wait => (),
            May::Stay => {
                with(due, |all| all.remove(&found));
            }
        }
    }
    leaving
}

enum May {
    Leave(Leave),
    /// The picture lacks its last event.
    Wait,
    /// It has left, or it stays for good.
    Stay,
}

impl Centre {
    /// Lets those leave who may, and lanes end that have nothing left to do.
    pub fn sweep(self: &Arc<Self>) {
        if self.is_lockstep() || !self.slots.cold().is_there() {
            return;
        }
        let applied = self.applied_seq();
        let may = |id: &EntityId| match self.slots.here(id) {
            Some(here) if here.standing() == Standing::InService => {
                let Published { version, seq, .. } = *here;
                let leave = Leave { id: id.clone(), version, seq };
                if seq <= applied { May::Leave(leave) } else { May::Wait }
            }
            Some(_) | None => May::Stay,
        };
        let mut leaving = look(&self.leaving.contacts, self.now().at, may);
        leaving.extend(look(&self.leaving.sessions, wall_now(), may));
        if let Some(writer) = self.writer().filter(|_| !leaving.is_empty()) {
            writer.forget(leaving);
        }
        // What is made and ended, and nothing between, needs no lane meanwhile.
        let idle = |id: &EntityId| match self.slots.here(id) {
            Some(here) => match &here.state {
                State::Contact(contact) => contact.is_over(),
                State::Credential(_) => true,
                State::Agent(_) | State::Queue(_) | State::System(_) => false,
            },
            None => matches!(id, EntityId::Contact(_) | EntityId::Session(_)),
        };
        for id in self.directory.ids().into_iter().filter(idle).take(LANES_PER_SWEEP_MAX) {
            self.directory.flush(&id);
        }
    }

    /// What the picture need not keep any more.
    pub(super) fn forget(&self) {
        self.following.forget_receipts(wall_now().minus(KEPT_FOR));
    }

    /// Number of the last event that the picture has.
    pub fn applied_seq(&self) -> u64 {
        self.following.applied_seq()
    }

    /// What is published of `id` may be over; without a picture nobody leaves.
    pub(super) fn may_leave(&self, id: &EntityId, published: &Published) {
        if self.slots.cold().is_there() {
            self.leaving.note(id, published);
        }
    }

    /// Lets the lane of `id` end once it has nothing to do.
    pub fn end_lane(&self, id: &EntityId) {
        self.directory.flush(id);
    }

    /// The writer has forgotten these: their slots go, and what was said of their persons.
    pub(super) fn leave(&self, leaving: &[Leave]) {
        if leaving.is_empty() {
            return;
        }
        let applied = self.applied_seq();
        for leave in leaving {
            let Some(gone) = self.slots.remove(leave) else { continue };
            if let State::Contact(contact) = &gone.state
                && let Some(entered) = &contact.entered
            {
                self.spoken.let_go(&Whose::Person(entered.person), applied);
            }
        }
    }

    /// How many lanes were ever made.
    pub fn lanes_made(&self) -> u64 {
        self.directory.made()
    }

    /// What is in memory: states, lanes, and persons and agents of whom something was said.
    pub fn in_memory(&self) -> (usize, usize, usize) {
        (self.slots.count(), self.directory.ids().len(), self.spoken.count())
    }
}
