//! What a start finds: states as the picture has them, and the batches that it lacks.

use std::collections::BTreeSet;

use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::State;
use atalaya_domain::time::Timestamp;
use jiff::tz::TimeZone;

use super::leaving::last_use;
use crate::journal::commit::{Sealed, Whose};
use crate::journal::opening::Told;
use crate::journal::picture::{Applied, Kept, Picture, PictureError, Receipt};
use crate::views::Wallboard;

/// The view that the picture keeps.
pub(super) const BOARD: &str = "wallboard";

/// See the module. Empty: a new folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The states of the picture; contacts to which nothing can happen any more stay there.
    pub states: Vec<(EntityId, Kept)>,
    /// Its view of the same instant.
    pub board: Option<Wallboard>,
    /// Its personal data.
    pub said: Vec<(Whose, String, String)>,
    /// Its receipts that still hold.
    pub receipts: Vec<Receipt>,
    /// Up to where the log is in all of that.
    pub applied: Option<Applied>,
    /// The batches behind it, in order.
    pub tail: Vec<Told>,
}

impl Found {
    /// What `picture` has and a start needs; nothing where it has not all of it: a view of another
    /// version or time zone, or a state that could not be applied and that this program, which may
    /// be another, must try again. Then the whole log is folded.
    pub fn of(
        picture: &Picture,
        time_zone: &TimeZone,
        since: Timestamp,
    ) -> Result<Self, PictureError> {
        let view = picture.view(BOARD);
        let Some(mut board) = view.and_then(|view| Wallboard::restore(&view, time_zone.clone()))
        else {
            return Ok(Self::default());
        };
        let now = picture.applied().map_or(Timestamp(i64::MIN), |applied| applied.now);
        let (mut states, mut persons) = (Vec::new(), BTreeSet::new());
        for found in picture.states() {
            let (id, kept) = found?;
            if kept.frozen {
                return Ok(Self::default());
            }
            if let (EntityId::Contact(id), State::Contact(contact)) = (&id, &kept.state) {
                board.found(*id, contact);
                if kept.quarantined.is_none() && last_use(contact).is_some_and(|last| last < now) {
                    continue;
                }
                persons.extend(contact.entered.as_ref().map(|entered| entered.person));
            }
            states.push((id, kept));
        }
        let is_wanted = |of: &Whose| match of {
            Whose::Person(person) => persons.contains(person),
            Whose::Agent(_) => true,
        };
        let said =
            picture.all_said().filter(|said| said.as_ref().map_or(true, |(of, ..)| is_wanted(of)));
        Ok(Self {
            states,
            board: Some(board),
            said: said.collect::<Result<_, _>>()?,
            receipts: picture.receipts(since).collect::<Result<_, _>>()?,
            applied: picture.applied(),
            tail: Vec::new(),
        })
    }

    /// The same, from the log alone.
    pub fn told(history: Vec<Sealed>) -> Self {
        let whole = Told { batch: 0, wall: Timestamp::default(), entries: history };
        Self { tail: vec![whole], ..Self::default() }
    }

    /// The entries behind the picture, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Sealed> {
        self.tail.iter().flat_map(|told| &told.entries)
    }

    /// Number of the last event in the picture.
    pub fn last_seq(&self) -> u64 {
        self.applied.map_or(0, |applied| applied.seq)
    }

    /// The centre's instant of the last entry; `None`: there was none.
    pub fn last_now(&self) -> Option<Timestamp> {
        let tail = self.entries().last().map(|sealed| sealed.now);
        tail.or(self.applied.map(|applied| applied.now))
    }

    /// The state of `id` in the picture.
    pub fn state(&self, id: &EntityId) -> Option<&State> {
        self.states.iter().find(|(kept, _)| kept == id).map(|(_, kept)| &kept.state)
    }
}
