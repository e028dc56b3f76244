//! A log of calls that is lived: through a server of its own, and through a running one.
