//! The numbers of events: one table, and nowhere else a number.
//!
//! A number is for ever: a kind that is not written any more keeps its row, and a new one takes
//! the next number of its machine. What the payloads hold is not here.

use super::RecordError;

/// First number of an agent's events.
pub(super) const AGENT: u16 = 100;
/// First number of a contact's events.
pub(super) const CONTACT: u16 = 200;
/// First number of a queue's events.
pub(super) const QUEUE: u16 = 300;
/// First number of the events of tokens and sessions.
pub(super) const CREDENTIAL: u16 = 400;
/// First number of the centre's events.
pub(super) const SYSTEM: u16 = 500;

/// The number of a kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u16);

/// What is known of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub kind: Kind,
    /// The version that is written; all from 1 to it are read.
    pub newest: u8,
    /// Machine and event, for people: the number is what the log holds.
    pub name: &'static str,
}

macro_rules! kinds {
    ($($constant:ident = $number:literal v $newest:literal $name:literal;)*) => {
        impl Kind {
            $(#[doc = concat!("`", $name, "`")]
            pub const $constant: Self = Self($number);)*
        }

        /// Every kind there ever was, by number.
        pub const KINDS: &[Row] =
            &[$(Row { kind: Kind::$constant, newest: $newest, name: $name },)*];
    };
}

kinds! {
    AGENT_CHANGED = 100 v 1 "agent.changed";
    AGENT_SIGNED_IN = 101 v 1 "agent.signed_in";
    AGENT_SIGNED_OUT = 102 v 1 "agent.signed_out";
    AGENT_INTENT_CHANGED = 103 v 1 "agent.intent_changed";
    AGENT_PENDING_CHANGED = 104 v 1 "agent.pending_changed";
    AGENT_RESERVED = 105 v 1 "agent.reserved";
    AGENT_RELEASED = 106 v 1 "agent.released";
    AGENT_LEG_STARTED = 107 v 1 "agent.leg_started";
    AGENT_LEG_WRAPPING = 108 v 1 "agent.leg_wrapping";
    AGENT_LEG_ENDED = 109 v 1 "agent.leg_ended";
    AGENT_LOST = 110 v 1 "agent.lost";
    AGENT_HEARD = 111 v 1 "agent.heard";
    AGENT_PRESENCE_CHANGED = 112 v 1 "agent.presence_changed";

    CONTACT_QUEUED = 200 v 1 "contact.queued";
    CONTACT_REFUSED = 201 v 1 "contact.refused";
    CONTACT_OFFERED = 202 v 1 "contact.offered";
    CONTACT_OFFER_ACCEPTED = 203 v 1 "contact.offer_accepted";
    CONTACT_ANSWERED = 204 v 1 "contact.answered";
    CONTACT_OFFER_REJECTED = 205 v 1 "contact.offer_rejected";
    CONTACT_OFFER_MISSED = 206 v 1 "contact.offer_missed";
    CONTACT_OFFER_RECALLED = 207 v 1 "contact.offer_recalled";
    CONTACT_BACK_OFF_ENDED = 208 v 1 "contact.back_off_ended";
    CONTACT_ABANDONED = 209 v 1 "contact.abandoned";
    CONTACT_HELD = 210 v 1 "contact.held";
    CONTACT_RESUMED = 211 v 1 "contact.resumed";
    CONTACT_COMPLETED = 212 v 1 "contact.completed";
    CONTACT_WRAP_UP_EXTENDED = 213 v 1 "contact.wrap_up_extended";
    CONTACT_WRAP_UP_ENDED = 214 v 1 "contact.wrap_up_ended";
    CONTACT_OUTCOME_GIVEN = 215 v 1 "contact.outcome_given";
    CONTACT_PRIORITY_CHANGED = 216 v 1 "contact.priority_changed";

    QUEUE_CHANGED = 300 v 2 "queue.changed";
    QUEUE_OPENED = 301 v 1 "queue.opened";
    QUEUE_CLOSED = 302 v 1 "queue.closed";

    CREDENTIAL_MADE = 400 v 1 "credential.made";
    CREDENTIAL_ENDED = 401 v 1 "credential.ended";

    SYSTEM_STARTED = 500 v 1 "system.started";
    SYSTEM_CLOCK_SET = 501 v 1 "system.clock_set";
    SYSTEM_CONFIGURED = 502 v 1 "system.configured";
    SYSTEM_QUARANTINED = 503 v 1 "system.quarantined";
}

// A number given twice, or out of order, does not compile: rows are searched by halves.
const _: () = {
    let mut at = 1;
    while at < KINDS.len() {
        assert!(KINDS[at - 1].kind.0 < KINDS[at].kind.0, "kinds go up");
        at += 1;
    }
};

impl Kind {
    /// The row of this number.
    pub fn row(self) -> Result<&'static Row, RecordError> {
        KINDS
            .binary_search_by_key(&self, |row| row.kind)
            .map(|at| &KINDS[at])
            .map_err(|_| RecordError::UnknownKind { kind: self.0 })
    }
}
