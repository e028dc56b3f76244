//! Who arrived in a quarter of an hour (UTC) in one queue, and what became of them: what reports by
//! interval are made of.
//!
//! A contact counts in the cell of its arrival for good. A cell is *closed* once its quarter is
//! past, nothing that may have arrived in it is still on its way, and the last that began in it has
//! ended: then it never changes again. A while later it is *done* and may leave memory: the
//! picture has it, written once. Both are told from the log alone, but that [`Wallboard::settle`]
//! says earlier that nothing is on its way. Rows and zones are `report`'s.

use std::collections::BTreeMap;

use atalaya_domain::contact::Contact;
use atalaya_domain::ids::QueueId;
use atalaya_domain::kpi::{Counts, Sums};
use atalaya_domain::time::{Span, Timestamp};
use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::{Deserialize, Serialize};

use super::wallboard::Wallboard;

/// Length of a quarter.
pub(super) const QUARTER_SPAN: Span = Span::seconds(900);
/// How much later than a quarter's end an event must be told before the cell is done. What is told
/// out of order (decided before the end, committed after others) is so by seconds.
const DONE_AFTER: Span = Span::seconds(3_600);
/// Begins the bytes of a cell: another form is another version.
const VERSION: u8 = 1;
/// Most bytes that reading a cell may ask for.
const CELL_BYTES_MAX: usize = 4_096;

/// A quarter's number since the epoch, and a queue.
pub type CellKey = (i64, QueueId);

/// What became of those who arrived in one quarter in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// What has become of them.
    pub sums: Sums,
    /// How many of them wait.
    pub waiting: u64,
    /// How many of them have not ended: wait, talk, or are wrapped up.
    pub open: u64,
}

impl Cell {
    /// Counts `other` too.
    pub fn add(&mut self, other: &Self) {
        self.sums.add(&other.sums);
        self.waiting += other.waiting;
        self.open += other.open;
    }

    /// A done cell as bytes.
    fn keep(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        // Numbers alone: there is nothing in it that cannot be written.
        let _ = bincode::serde::encode_into_std_write(CellV1::from(self), &mut bytes, config());
        bytes
    }

    /// The done cell that `bytes` are; of another version: none.
    pub fn kept(bytes: &[u8]) -> Option<Self> {
        let (version, content) = bytes.split_first()?;
        let read = bincode::serde::decode_from_slice::<CellV1, _>(content, config());
        let (cell, length) = read.ok().filter(|_| *version == VERSION)?;
        (length == content.len()).then(|| cell.into())
    }
}

fn config() -> Configuration<LittleEndian, Varint, Limit<CELL_BYTES_MAX>> {
    bincode::config::standard().with_limit::<CELL_BYTES_MAX>()
}

/// The quarter that holds `at`.
pub(super) const fn quarter_of(at: Timestamp) -> i64 {
    at.0.div_euclid(QUARTER_SPAN.0)
}

/// Its first instant.
pub(super) const fn quarter_start(quarter: i64) -> Timestamp {
    Timestamp(quarter.saturating_mul(QUARTER_SPAN.0))
}

/// The cells that are in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) here: BTreeMap<CellKey, Cell>,
    /// The latest instant of an event.
    pub(super) told: Timestamp,
    /// Nothing from before it is on its way.
    pub(super) settled: Timestamp,
}

impl Default for Cells {
    fn default() -> Self {
        let never = Timestamp(i64::MIN);
        Self { here: BTreeMap::new(), told: never, settled: never }
    }
}

impl Cells {
    /// An event of any entity.
    pub(super) fn tell(&mut self, at: Timestamp) {
        self.told = self.told.max(at);
    }

    /// A contact of `queue` has changed, and so much is to be counted.
    pub(super) fn fold(
        &mut self,
        queue: &QueueId,
        before: &Contact,
        after: &Contact,
        change: &Sums,
    ) {
        let is_open = |contact: &Contact| contact.entered.is_some() && !contact.is_over();
        let (waited, waits) = (before.is_waiting(), after.is_waiting());
        let (was_open, is_open) = (is_open(before), is_open(after));
        if *change == Sums::NOTHING && waited == waits && was_open == is_open {
            return;
        }
        let key = (quarter_of(after.arrived_at), queue.clone());
        let cell = self.here.entry(key).or_default();
        cell.sums.add(change);
        cell.waiting = (cell.waiting + u64::from(waits)).saturating_sub(u64::from(waited));
        cell.open = (cell.open + u64::from(is_open)).saturating_sub(u64::from(was_open));
    }

    /// Nothing can arrive in quarters before this one any more.
    fn past_to(&self) -> i64 {
        quarter_of(self.settled.max(self.told.minus(DONE_AFTER)))
    }

    fn is_done(&self, quarter: i64, cell: &Cell) -> bool {
        cell.open == 0 && quarter < quarter_of(self.told.minus(DONE_AFTER))
    }
}

/// The cells of a span, all as of one sequence number: those in memory, and which of the others may
/// be read from where done cells are kept.
#[derive(Debug, Clone)]
pub struct CellsAt {
    /// The instant that the board stands at.
    pub at: Timestamp,
    /// Number of the last event in it.
    pub seq: u64,
    /// All queues.
    pub queues: Vec<QueueId>,
    /// Cells in memory.
    pub here: BTreeMap<CellKey, Cell>,
    /// Nothing can arrive in quarters before this one any more.
    pub past_to: i64,
}

impl CellsAt {
    /// Takes what is kept of `key`, unless memory had it, or it began only after.
    pub fn found(&mut self, key: CellKey, cell: Cell) {
        if key.0 < self.past_to {
            self.here.entry(key).or_insert(cell);
        }
    }
}

impl Wallboard {
    /// Nothing from before `at` is on its way any more, and the clock will not stand before it
    /// again.
    pub fn settle(&mut self, at: Timestamp) {
        self.cells.settled = self.cells.settled.max(at);
    }

    /// The latest instant of an event.
    pub const fn told(&self) -> Timestamp {
        self.cells.told
    }

    /// The cells that may leave memory once they are kept, as bytes: they never change again.
    pub fn done_cells(&self) -> BTreeMap<CellKey, Vec<u8>> {
        let cells = self.cells.here.iter();
        let done = cells.filter(|((quarter, _), cell)| self.cells.is_done(*quarter, cell));
        done.map(|(key, cell)| (key.clone(), cell.keep())).collect()
    }

    /// These are kept elsewhere.
    pub fn drop_cells<'a>(&mut self, kept: impl IntoIterator<Item = &'a CellKey>) {
        for key in kept {
            self.cells.here.remove(key);
        }
    }

    /// How many cells are in memory.
    pub fn cells_here(&self) -> usize {
        self.cells.here.len()
    }

    /// The cells of the quarters `from` up to, not including, `to`, of one queue or all.
    pub fn cells_at(&self, from: i64, to: i64, queue: Option<&QueueId>) -> CellsAt {
        let wanted = |id: &QueueId| queue.is_none_or(|queue| queue == id);
        let here = self
            .cells
            .here
            .iter()
            .filter(|((quarter, id), _)| (from..to).contains(quarter) && wanted(id));
        let here = here.map(|((quarter, id), cell)| {
            let mut cell = *cell;
            if 0 < cell.waiting {
                cell.sums.longest = cell.sums.longest.max(self.oldest_age(*quarter, id));
            }
            ((*quarter, id.clone()), cell)
        });
        CellsAt {
            at: self.now,
            seq: self.seq,
            queues: self.queues.keys().filter(|id| wanted(id)).cloned().collect(),
            here: here.collect(),
            past_to: self.cells.past_to().clamp(from, to.max(from)),
        }
    }

    /// How long the oldest has waited of those who arrived in `quarter`.
    fn oldest_age(&self, quarter: i64, queue: &QueueId) -> Option<Span> {
        let waiting = &self.queues.get(queue)?.waiting;
        let begin = quarter_start(quarter);
        let (arrived_at, _) = waiting.iter().find(|(arrived_at, _)| begin <= *arrived_at)?;
        (quarter_of(*arrived_at) == quarter).then(|| self.now.since(*arrived_at))
    }
}

/// Answered, within; abandoned, within; short.
type CountsV1 = [u64; 5];

/// A cell as it is kept, done or not.
#[derive(Serialize, Deserialize)]
pub(super) struct CellV1 {
    offered: u64,
    refused: u64,
    counts: CountsV1,
    level: CountsV1,
    waited_answered: i128,
    waited_abandoned: i128,
    longest: Option<i64>,
    legs: u64,
    handled: i128,
    waiting: u64,
    open: u64,
}

impl From<&Cell> for CellV1 {
    fn from(cell: &Cell) -> Self {
        let Cell { sums, waiting, open } = *cell;
        Self {
            offered: sums.offered,
            refused: sums.refused,
            counts: counts_of(&sums.counts),
            level: counts_of(&sums.level),
            waited_answered: sums.waited_answered,
            waited_abandoned: sums.waited_abandoned,
            longest: sums.longest.map(|longest| longest.0),
            legs: sums.legs,
            handled: sums.handled,
            waiting,
            open,
        }
    }
}

impl From<CellV1> for Cell {
    fn from(kept: CellV1) -> Self {
        let sums = Sums {
            offered: kept.offered,
            refused: kept.refused,
            counts: counts_from(kept.counts),
            level: counts_from(kept.level),
            waited_answered: kept.waited_answered,
            waited_abandoned: kept.waited_abandoned,
            longest: kept.longest.map(Span),
            legs: kept.legs,
            handled: kept.handled,
        };
        Self { sums, waiting: kept.waiting, open: kept.open }
    }
}

pub(super) const fn counts_of(counts: &Counts) -> CountsV1 {
    let Counts { answered, answered_within, abandoned, abandoned_within, short_abandoned } =
        *counts;
    [answered, answered_within, abandoned, abandoned_within, short_abandoned]
}

pub(super) const fn counts_from(counts: CountsV1) -> Counts {
    let [answered, answered_within, abandoned, abandoned_within, short_abandoned] = counts;
    Counts { answered, answered_within, abandoned, abandoned_within, short_abandoned }
}
