//! What the log holds.

pub mod records;
