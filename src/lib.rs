//! x

pub mod journal;
