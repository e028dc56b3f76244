//! Virtual time: scenarios, run with the domain's own code.
//!
//! Not here: sockets, disk beyond the scenario's own files, the clock of the machine.

pub mod scenario;
