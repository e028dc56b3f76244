//! Actors: they move data and decide nothing.
//!
//! ```text
//! gate ─► shell ─ compose ─► writer ─ commit ─► projector ─ publish, fold, release ─► gate
//! ```
//!
//! One generic shell is the lane of each entity's commands; the writer thread is the only place of
//! order; the projector applies what was committed and publishes it. Absent here: rules of the
//! domain, HTTP, files.

pub mod admission;
pub mod brain;
pub mod centre;
pub mod checker;
pub mod clock;
pub mod cold;
pub mod directory;
pub mod following;
pub mod found;
pub mod gate;
pub mod guardian;
pub mod leaving;
pub mod lockstep;
pub mod projector;
pub mod pulse;
pub mod receipts;
pub mod register;
pub mod shell;
mod shown;
pub mod slots;
pub mod spoken;
pub mod stream;
pub mod timekeeper;
pub mod writer;
