//! What the command line starts: the parts of the house, put together.

pub mod demo;
pub mod replay;
pub mod serve;
