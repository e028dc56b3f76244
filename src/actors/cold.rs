//! What has left memory, read where it is: in the picture. Absent here: who leaves, and when.

use std::iter::Peekable;
use std::sync::{Arc, PoisonError, RwLock};

use atalaya_domain::ids::{ContactId, EntityId};

use super::slots::{Published, Slots};
use crate::journal::commit::Whose;
use crate::journal::picture::{Kept, Picture, PictureError, SAME_EXTERNAL_ID_MAX};
use crate::views::CellKey;

/// Contacts that a walk reads from the picture at a time.
const WALK_CHUNK: usize = 256;

/// The picture, for as long as the centre is open. Without one nothing leaves memory.
#[derive(Debug, Clone, Default)]
pub struct Cold(Arc<RwLock<Option<Arc<Picture>>>>);

impl Cold {
    /// Reads from `picture`.
    pub fn of(picture: Option<Arc<Picture>>) -> Self {
        Self(Arc::new(RwLock::new(picture)))
    }

    /// Whether there is a picture.
    pub fn is_there(&self) -> bool {
        self.picture().is_some()
    }

    /// Lets the picture go, and with it the folder.
    pub fn let_go(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn picture(&self) -> Option<Arc<Picture>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The state of `id`, if it is of a kind that leaves memory. It may read the disk.
    pub fn state(&self, id: &EntityId) -> Result<Option<Kept>, PictureError> {
        let may_leave = matches!(id, EntityId::Contact(_));
        match self.picture().filter(|_| may_leave) {
            Some(picture) => picture.state(id),
            None => Ok(None),
        }
    }

    /// What was said of `field` of a person; agents do not leave memory.
    pub fn said(&self, of: &Whose, field: &str) -> Option<String> {
        let picture = self.picture().filter(|_| matches!(of, Whose::Person(_)))?;
        picture.said_of(of, field).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read back what was said of a person");
            None
        })
    }

    /// The contacts that another system calls so, by id; `None`: there may be more than is told.
    pub fn by_external_id(&self, name: &str) -> Result<Option<Vec<ContactId>>, PictureError> {
        let Some(picture) = self.picture() else { return Ok(Some(Vec::new())) };
        let found = picture.by_external_id(name)?;
        Ok((found.len() < SAME_EXTERNAL_ID_MAX).then_some(found))
    }

    /// Done sums of the quarters `from` up to `to`.
    pub fn cells(
        &self,
        from: i64,
        to: i64,
    ) -> Result<impl Iterator<Item = Result<(CellKey, Vec<u8>), PictureError>>, PictureError> {
        Ok(self.picture().into_iter().flat_map(move |picture| picture.cells(from, to)))
    }

    fn contacts_after(
        &self,
        after: Option<ContactId>,
    ) -> Result<Vec<(ContactId, Kept)>, PictureError> {
        let picture = self.picture();
        picture.map_or_else(|| Ok(Vec::new()), |picture| picture.contacts_after(after, WALK_CHUNK))
    }
}

/// The contacts in memory and out of it, by id, each once.
///
/// Who is in memory is noted first, and the picture is read after that: whoever leaves meanwhile
/// was noted, and whoever comes back was in the picture all the while.
pub struct Walk<'a> {
    slots: &'a Slots,
    here: Peekable<std::vec::IntoIter<ContactId>>,
    chunk: Peekable<std::vec::IntoIter<(ContactId, Kept)>>,
    /// Up to where the picture was read.
    read_to: Option<ContactId>,
    ended: bool,
}

impl<'a> Walk<'a> {
    /// From behind `after` on.
    pub fn after(slots: &'a Slots, after: Option<ContactId>) -> Self {
        let here = slots.contacts_after(after).into_iter().peekable();
        Self { slots, here, chunk: Vec::new().into_iter().peekable(), read_to: after, ended: false }
    }

    fn fill(&mut self) -> Result<(), PictureError> {
        if self.chunk.peek().is_none() && !self.ended {
            let chunk = self.slots.cold().contacts_after(self.read_to)?;
            self.ended = chunk.is_empty();
            self.read_to = chunk.last().map(|(id, _)| *id);
            self.chunk = chunk.into_iter().peekable();
        }
        Ok(())
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<(ContactId, Arc<Published>), PictureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.fill() {
            self.ended = true;
            return Some(Err(error));
        }
        let (here, away) = (self.here.peek().copied(), self.chunk.peek().map(|(id, _)| *id));
        let id = here.into_iter().chain(away).min()?;
        self.here.next_if_eq(&id);
        let kept = self.chunk.next_if(|(next, _)| *next == id);
        // Memory is never behind the picture.
        let published =
            self.slots.here(&id.into()).or_else(|| kept.map(|(_, kept)| Arc::new(kept.into())));
        Some(Ok((id, published.unwrap_or_else(|| self.slots.read(&id.into())))))
    }
}
