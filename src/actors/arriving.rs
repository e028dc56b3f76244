//! Who was let into a queue and is not in the log yet: they count for admission as if they waited.
//!
//! Without them all that arrive within one commit would find the same room. One who is folded, or
//! whose command has ended, is gone from here. Not here: who waits by the log, which is the
//! intake's. It holds at most one contact for each command in flight.

use std::collections::HashMap;

use atalaya_domain::ids::{ContactId, EntityId, QueueId};

use super::centre::Centre;

/// See the module.
#[derive(Debug, Default)]
pub struct Arriving {
    queues: HashMap<ContactId, QueueId>,
    counts: HashMap<QueueId, usize>,
}

impl Arriving {
    /// How many are on their way into `queue`.
    pub fn count(&self, queue: &QueueId) -> usize {
        self.counts.get(queue).copied().unwrap_or(0)
    }

    /// The contact has a place in `queue` until it is folded or has ended.
    pub fn enter(&mut self, contact: ContactId, queue: QueueId) {
        self.leave(contact);
        *self.counts.entry(queue.clone()).or_insert(0) += 1;
        self.queues.insert(contact, queue);
    }

    /// The contact is in the log, or does not come.
    pub fn leave(&mut self, contact: ContactId) {
        let Some(queue) = self.queues.remove(&contact) else { return };
        if let Some(count) = self.counts.get_mut(&queue) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&queue);
            }
        }
    }
}

/// Lets a contact's place go when its command has ended, however it has.
pub struct Place<'a> {
    centre: &'a Centre,
    contact: Option<ContactId>,
}

impl<'a> Place<'a> {
    /// Of whoever the command is to; only a contact has one.
    pub const fn of(centre: &'a Centre, to: &EntityId) -> Self {
        let contact = match to {
            EntityId::Contact(contact) => Some(*contact),
            _ => None,
        };
        Self { centre, contact }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(contact) = self.contact {
            self.centre.brain().arriving.leave(contact);
        }
    }
}
