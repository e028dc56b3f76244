//! One fact → its log line and its metrics.
//!
//! `histogram` counts, `meters` holds what this process counts of itself, `itself` asks the system,
//! `families` makes the text that Prometheus scrapes, `logging` sets the log lines up. A leaf: it
//! knows the domain only. What is a fold of the log (contacts, offers, agents) is counted in
//! `views`.

pub mod families;
pub mod histogram;
pub mod itself;
pub mod logging;
pub mod meters;

pub use families::{Families, Labels};
pub use histogram::Histogram;
pub use meters::{Ended, Meters};
