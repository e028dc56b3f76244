//! What a centre shows: its views as of one number, rolled to the present.

use std::sync::MutexGuard;

use atalaya_domain::ids::{ContactId, EntityId, QueueId};
use atalaya_domain::machine::State;
use atalaya_domain::time::Timestamp;

use super::centre::Centre;
use crate::journal::picture::PictureError;
use crate::views::{Cell, CellsAt, CountedIn, Measures, Scope, Wallboard};

impl Centre {
    /// The board as of the present.
    fn board_now(&self) -> MutexGuard<'_, Wallboard> {
        let mut board = self.board();
        let now = self.clock().now();
        board.roll_to(now);
        // Whatever is passed from here on is decided at `now` or later; with nothing in flight
        // nothing from before can come any more.
        if self.in_flight() == 0 && !self.is_lockstep() {
            let settled = self.clock().for_good(now, board.told());
            board.settle(settled);
        }
        board
    }

    /// What the wallboard holds, the number of the last event in it, and its instant: what slides
    /// with the clock stands as it was just then.
    pub fn wallboard(&self, scope: Scope) -> (u64, serde_json::Value, Timestamp) {
        let board = self.board_now();
        (self.last_seq(), board.data(scope), board.now())
    }

    /// What the roster holds, likewise.
    pub fn roster(&self, scope: Scope) -> (u64, serde_json::Value, Timestamp) {
        let board = self.board_now();
        (self.last_seq(), board.roster().data(scope), board.now())
    }

    /// What metrics are made of, likewise, and how many entities are out of service.
    pub fn measures(&self) -> (u64, Measures, u64) {
        let board = self.board_now();
        let out = match &self.slots.read(&EntityId::System).state {
            State::System(system) => u64::try_from(system.quarantined.len()).unwrap_or(u64::MAX),
            State::Agent(_) | State::Contact(_) | State::Queue(_) | State::Credential(_) => 0,
        };
        (self.last_seq(), board.measures(), out)
    }

    /// The contacts that a figure counts, likewise; `None`: too many are counted to be listed.
    pub fn counted_in(&self, counted: &CountedIn) -> (u64, Timestamp, Option<Vec<ContactId>>) {
        let board = self.board_now();
        (self.last_seq(), board.now(), board.counted_in(counted))
    }

    /// The cells of the quarters `from` up to `to`, all as of one number. It may read the disk.
    pub fn cells(
        &self,
        from: i64,
        to: i64,
        queue: Option<&QueueId>,
    ) -> Result<CellsAt, PictureError> {
        let board = self.board_now();
        let mut cells = board.cells_at(from, to, queue);
        cells.seq = self.last_seq();
        drop(board);
        // What has left memory is there, and what is there never changes.
        for found in self.slots.cold().cells(from, cells.past_to)? {
            let (key, bytes) = found?;
            let wrong = || PictureError::Damaged { what: "sums that cannot be read".to_owned() };
            let cell = Cell::kept(&bytes).ok_or_else(wrong)?;
            if queue.is_none_or(|queue| *queue == key.1) {
                cells.found(key, cell);
            }
        }
        Ok(cells)
    }
}
