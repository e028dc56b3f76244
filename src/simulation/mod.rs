//! Scenarios in virtual time: what a scenario says, its people, and the pure loop.

pub mod driver;
pub mod ids;
pub mod order;
pub mod pure;
pub mod scenario;
