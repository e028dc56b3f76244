//! Personal data, apart from the events: who an agent is called, who rang, about what.
//!
//! A trait, so that the log's own sections can take the place of [`InMemory`], which forgets all at
//! the end of the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atalaya_domain::ids::{AgentId, ContactId};

pub use crate::views::Personal as OfContact;

/// Keeps personal data by whom it is of.
pub trait Personal: Send + Sync {
    /// An agent's name.
    fn name(&self, agent: &AgentId) -> Option<String>;
    /// Keeps it.
    fn set_name(&self, agent: &AgentId, name: String);
    /// What is known of a contact.
    fn contact(&self, contact: ContactId) -> OfContact;
    /// Keeps it.
    fn set_contact(&self, contact: ContactId, data: OfContact);
    /// It never came.
    fn forget_contact(&self, contact: ContactId);
}

#[derive(Debug, Default)]
struct Kept {
    names: HashMap<AgentId, String>,
    contacts: HashMap<ContactId, OfContact>,
}

/// In memory only. It grows with the contacts of the process.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<Kept>);

impl InMemory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Personal for InMemory {
    fn name(&self, agent: &AgentId) -> Option<String> {
        self.kept().names.get(agent).cloned()
    }

    fn set_name(&self, agent: &AgentId, name: String) {
        self.kept().names.insert(agent.clone(), name);
    }

    fn contact(&self, contact: ContactId) -> OfContact {
        self.kept().contacts.get(&contact).cloned().unwrap_or_default()
    }

    fn set_contact(&self, contact: ContactId, data: OfContact) {
        self.kept().contacts.insert(contact, data);
    }

    fn forget_contact(&self, contact: ContactId) {
        self.kept().contacts.remove(&contact);
    }
}
