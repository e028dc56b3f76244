//! The log.

pub mod commit;
pub mod records;
