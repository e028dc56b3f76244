//! Receipts: what became of requests with keys, folded from the log as everything else is.
//!
//! A key is in flight from [`Receipts::begin`] until the last clone of its [`Held`] is dropped,
//! which the lane does only once it knows the outcome; a success has been folded by then and
//! stays for [`KEPT_FOR`]. A start folds what the log holds, so a request whose answer was lost in
//! a crash is found done. Absent here: what a key or a request is; both are keyed hashes.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use atalaya_domain::ids::{CredentialId, EntityId};
use atalaya_domain::time::{Span, Timestamp};

use crate::journal::commit::{Receipt, Sealed};
use crate::journal::picture;

/// How long a key is remembered, in wall time.
pub const KEPT_FOR: Span = Span::seconds(24 * 3_600);
/// Keys remembered in all, those in flight included; past it a request with a new key is turned
/// away (429), and a start forgets the oldest.
pub const KEYS_MAX: usize = 200_000;

/// Whose key, and the keyed hash of it.
pub type Key = (CredentialId, [u8; 16]);

/// What is kept of a success: the entity itself is read anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The first answer's.
    pub status: u16,
    /// What it was about.
    pub entity: EntityId,
    /// Number of the entry's last event; 0 when nothing changed.
    pub seq: u64,
}

/// What a key is found to be.
#[derive(Debug)]
pub enum Begin {
    /// New: it is in flight until the last clone of this is dropped.
    Fresh(Held),
    /// The first is still being worked on.
    InFlight,
    /// Done before, with this outcome.
    Done(Outcome),
    /// Used for another request.
    Reused,
    /// No more keys can be remembered.
    Full,
}

#[derive(Debug)]
struct Known {
    request: [u8; 16],
    outcome: Option<Outcome>,
    wall: Timestamp,
}

#[derive(Debug, Default)]
struct Table {
    known: HashMap<Key, Known>,
    /// Those that are done, in the order of their end.
    ends: BTreeSet<(Timestamp, Key)>,
}

impl Table {
    fn expire(&mut self, wall: Timestamp) {
        while let Some((since, _)) = self.ends.first()
            && since.plus(KEPT_FOR) <= wall
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.known.remove(&key);
        }
    }
}

/// All keys that are remembered.
#[derive(Debug, Default)]
pub struct Receipts(Mutex<Table>);

impl Receipts {
    fn with<T>(&self, work: impl FnOnce(&mut Table) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes `key` for the request whose keyed hash is `request`, at the wall's instant `wall`.
    pub fn begin(self: &Arc<Self>, key: Key, request: [u8; 16], wall: Timestamp) -> Begin {
        self.with(|table| {
            table.expire(wall);
            match table.known.get(&key) {
                Some(known) if known.request != request => Begin::Reused,
                Some(known) => known.outcome.clone().map_or(Begin::InFlight, Begin::Done),
                None if table.known.len() >= KEYS_MAX => Begin::Full,
                None => {
                    table.known.insert(key, Known { request, outcome: None, wall });
                    Begin::Fresh(Held(Arc::new(Hold { receipts: self.clone(), key })))
                }
            }
        })
    }

    /// Keeps the receipt of a committed entry, if it has one; `wall` tells the wall's instant.
    pub fn fold(&self, entry: &Sealed, wall_now: impl FnOnce() -> Timestamp) {
        let Some(receipt) = &entry.cause.receipt else { return };
        let seq = entry.events.last().map_or(0, |last| last.seq);
        let Receipt { token, key, request, status, entity, wall } = receipt.clone();
        self.keep(picture::Receipt { token, key, request, status, entity, wall, seq }, wall_now);
    }

    /// Keeps what a start found.
    pub fn restore(&self, receipt: picture::Receipt) {
        let since = receipt.wall;
        self.keep(receipt, || since);
    }

    fn keep(&self, receipt: picture::Receipt, wall: impl FnOnce() -> Timestamp) {
        let picture::Receipt { token, key, request, status, entity, wall: since, seq } = receipt;
        let key = (token, key);
        let outcome = Some(Outcome { status, entity, seq });
        self.with(|table| {
            let known = Known { request, outcome, wall: since };
            if let Some(before) = table.known.insert(key, known) {
                table.ends.remove(&(before.wall, key));
            }
            table.ends.insert((since, key));
            table.expire(wall());
            while KEYS_MAX < table.known.len() && !table.ends.is_empty() {
                table.forget_oldest();
            }
        });
    }

    /// Nothing came of it: the key may be used anew.
    fn free(&self, key: &Key) {
        self.with(|table| {
            if table.known.get(key).is_some_and(|known| known.outcome.is_none()) {
                table.known.remove(key);
            }
        });
    }
}

/// Keeps a key in flight; dropped on whatever way, also by a panic, it frees a key of which
/// nothing came.
#[derive(Debug, Clone)]
pub struct Held(#[expect(dead_code, reason = "held for its drop")] Arc<Hold>);

#[derive(Debug)]
struct Hold {
    receipts: Arc<Receipts>,
    key: Key,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.receipts.free(&self.key);
    }
}
