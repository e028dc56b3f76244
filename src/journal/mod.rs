//! The log: what was acknowledged, and nothing else knows of files.

pub mod commit;
