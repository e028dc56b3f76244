//! How much lies in the mailboxes of the lanes, by the kind of their entity.
//!
//! A guard that drops counts: a message that dies with its mailbox is counted off as well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Counts = BTreeMap<&'static str, u64>;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Depths(Arc<Mutex<Counts>>);

impl Depths {
    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One more lies there, until it is dropped.
    pub fn lay(&self, kind: &'static str) -> Lies {
        self.with(|counts| *counts.entry(kind).or_default() += 1);
        Lies { depths: self.clone(), kind }
    }

    /// How many lie there, by kind; a kind that never had one is missing.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.with(|counts| counts.clone())
    }
}

/// Counts for as long as it lives.
#[derive(Debug)]
pub struct Lies {
    depths: Depths,
    kind: &'static str,
}

impl Drop for Lies {
    fn drop(&mut self) {
        self.depths.with(|counts| {
            if let Some(count) = counts.get_mut(self.kind) {
                *count -= 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_or_dies_is_counted_off() {
        let depths = Depths::default();
        let (one, two, three) = (depths.lay("agent"), depths.lay("agent"), depths.lay("queue"));
        assert_eq!(depths.counts(), BTreeMap::from([("agent", 2), ("queue", 1)]));
        drop((one, three));
        assert_eq!(depths.counts(), BTreeMap::from([("agent", 1), ("queue", 0)]));
        drop(two);
    }
}
