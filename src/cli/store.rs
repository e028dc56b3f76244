//! The data folder opened for writing: the log, and what it holds.

use std::path::Path;

use atalaya_domain::ids::EntityId;

use super::serve::{ServeError, io};
use crate::actors::clock::wall_now;
use crate::journal::LockError;
use crate::journal::commit::Sealed;
use crate::journal::recorder::{OpenError, Recorder, Sizes};

/// A data folder that is ours, and all that its log holds.
#[derive(Debug)]
pub struct Store {
    /// Where entries go.
    pub recorder: Recorder,
    /// Every entry so far.
    pub history: Vec<Sealed>,
}

impl Store {
    /// Opens `dir`, which is made when it is missing.
    pub fn open(dir: &Path, sizes: Sizes) -> Result<Self, ServeError> {
        std::fs::create_dir_all(dir).map_err(io(format!("make {}", dir.display())))?;
        let mut history = Vec::new();
        let opened = Recorder::open_with(dir, wall_now, sizes, &mut |sealed| history.push(sealed));
        match opened {
            Ok(recorder) => Ok(Self { recorder, history }),
            Err(OpenError::Lock(LockError::Held { pid, .. })) => {
                let advice = "stop it first, or name another folder with --data";
                Err(ServeError::Held { dir: dir.display().to_string(), pid, advice })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a token was ever made.
    pub fn has_token(&self) -> bool {
        let mut events = self.history.iter().flat_map(|sealed| &sealed.events);
        events.any(|numbered| matches!(numbered.recorded.entity, EntityId::Token(_)))
    }
}
