//! Personal data as they were last said, apart from all states. Those of a person leave memory with
//! the contacts that brought them and are read from the picture from then on.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::cold::Cold;
use crate::journal::commit::{Sealed, Whose};

/// See the module.
#[derive(Debug, Default)]
pub struct Spoken {
    owners: RwLock<BTreeMap<Whose, Owner>>,
    cold: Cold,
}

#[derive(Debug, Default)]
struct Owner {
    /// Number of the last event of the entry that said the last of it.
    seq: u64,
    fields: BTreeMap<String, String>,
}

impl Spoken {
    /// What has left memory is read from `cold`.
    pub fn new(cold: Cold) -> Self {
        Self { owners: RwLock::default(), cold }
    }

    /// The last that was said of `field` of somebody.
    pub fn get(&self, of: &Whose, field: &str) -> Option<String> {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        let here = owners.get(of).and_then(|owner| owner.fields.get(field).cloned());
        drop(owners);
        // Looked for there second: what is not here any more was there before it left.
        here.or_else(|| self.cold.said(of, field))
    }

    /// Keeps the personal data of an entry that was committed.
    pub fn keep(&self, entry: &Sealed) {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        // Without an event nobody could say whether the picture has it: it stays.
        let seq = entry.events.last().map_or(u64::MAX, |last| last.seq);
        for said in &entry.cause.said {
            let owner = owners.entry(said.of.clone()).or_default();
            owner.seq = owner.seq.max(seq);
            owner.fields.insert(said.field.clone(), said.text.clone());
        }
    }

    /// Keeps what a start found.
    pub fn restore(&self, said: impl Iterator<Item = (Whose, String, String)>) {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        for (of, field, text) in said {
            owners.entry(of).or_default().fields.insert(field, text);
        }
    }

    /// A contact of `of` has left memory: so does what was said, if the picture, which has the
    /// events up to `applied`, has it. What a later contact brought leaves with that one.
    pub fn let_go(&self, of: &Whose, applied: u64) {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        if owners.get(of).is_some_and(|owner| owner.seq <= applied) {
            owners.remove(of);
        }
    }

    /// Of how many something is in memory.
    pub fn count(&self) -> usize {
        self.owners.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}
