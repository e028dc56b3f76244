//! Writing: a change becomes one batch of the store, with the mark and the sum in it.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use atalaya_domain::time::Timestamp;
use atalaya_domain::{EntityId, State};

use super::{Applied, Change, Picture, PictureError, Receipt, keys, open};

/// What is known of the store's content.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) mark: Option<Mark>,
    /// Sum of the weights of all records but the mark.
    pub(super) sum: u64,
    /// A write failed: nobody knows what is there.
    pub(super) broken: bool,
}

/// The applied mark as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) applied: Applied,
    /// The sum of the file of its views, where it has any.
    pub(super) views: Option<u32>,
}

/// What becomes of each key: a value, or none.
type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl Picture {
    /// Writes `change` whole or not at all. After an error nothing is written any more until the
    /// picture is opened again; what it shows meanwhile may be either.
    pub fn apply(&self, change: &Change) -> Result<(), PictureError> {
        let Some(applied) = change.applied else { return Ok(()) };
        let had = self.applied().map_or(0, |applied| applied.batch);
        if applied.batch < had {
            return Err(PictureError::Old { batch: had, change: applied.batch });
        }
        let mut writes = Writes::new();
        for (id, kept) in &change.states {
            writes.insert(keys::state(id), Some(keys::state_value(kept)?));
            if let (EntityId::Contact(contact), State::Contact(state)) = (id, &kept.state)
                && let Some(name) = state.entered.as_ref().and_then(|e| e.external_id.as_ref())
            {
                let key = [&keys::external(name)[..], contact.0.as_bytes()].concat();
                writes.insert(key, Some(vec![]));
            }
        }
        for ((owner, field), text) in &change.said {
            let key = [&keys::owner(owner)[..], field.as_bytes()].concat();
            writes.insert(key, Some(text.clone().into_bytes()));
        }
        for ((quarter, queue), sums) in &change.cells {
            writes.insert(keys::cell(*quarter, queue.as_str()), Some(sums.clone()));
        }
        self.write_receipts(change.receipts.values(), &mut writes)?;
        let views = if change.views.is_empty() {
            None
        } else {
            Some(self.views.write(applied.batch, &change.views)?)
        };
        self.write(&writes, Some(Mark { applied, views }))
    }

    /// Forgets receipts from before this wall instant, the oldest first, at most `most` at once;
    /// says how many.
    pub fn forget_receipts(
        &self,
        before_wall: Timestamp,
        most: usize,
    ) -> Result<usize, PictureError> {
        let from = keys::receipts_from(Timestamp(i64::MIN));
        let index = self.tree.range(from..keys::receipts_from(before_wall)).take(most);
        let mut writes = Writes::new();
        let mut forgotten = 0;
        for entry in index {
            let (by_wall, _) = entry.map_err(open::failed("read"))?;
            if let Some(name) = by_wall.last_chunk::<32>() {
                writes.insert(keys::under(b'r', name), None);
            }
            writes.insert(by_wall.to_vec(), None);
            forgotten += 1;
        }
        if 0 < forgotten {
            self.write(&writes, None)?;
        }
        Ok(forgotten)
    }

    fn write_receipts<'a>(
        &self,
        receipts: impl Iterator<Item = &'a Receipt>,
        writes: &mut Writes,
    ) -> Result<(), PictureError> {
        for receipt in receipts {
            // A key that is used again after its time has another instant.
            if let Some(old) = self.receipt(receipt.token, &receipt.key)? {
                writes.insert(keys::receipt_by_wall(&old), None);
            }
            let key = keys::receipt(receipt.token, &receipt.key);
            writes.insert(key, Some(keys::receipt_value(receipt)));
            writes.insert(keys::receipt_by_wall(receipt), Some(vec![]));
        }
        Ok(())
    }

    /// The one place that writes to the store: the mark stays as it is where there is none.
    pub(super) fn write(&self, writes: &Writes, mark: Option<Mark>) -> Result<(), PictureError> {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if head.broken {
            return Err(PictureError::Broken);
        }
        let mark = mark.or(head.mark);
        let mut sum = head.sum;
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            let old = self.get(key)?;
            if old == *value {
                continue;
            }
            if let Some(old) = old {
                sum = sum.wrapping_sub(keys::weight(key, &old));
            }
            match value {
                Some(value) => {
                    sum = sum.wrapping_add(keys::weight(key, value));
                    batch.insert(&key[..], &value[..]);
                }
                None => batch.remove(&key[..]),
            }
        }
        batch.insert(keys::MARK, keys::mark_value(mark.as_ref(), sum));
        if let Err(error) = open::guarded("write", || self.tree.apply_batch(batch)) {
            head.broken = true;
            return Err(error);
        }
        (head.mark, head.sum) = (mark, sum);
        Ok(())
    }
}
