//! What the command line starts: the parts of the house, put together.

pub mod audit;
pub mod check;
pub mod configure;
pub mod demo;
pub mod kpi;
pub mod replay;
pub mod serve;
pub mod store;
pub mod token;
