//! The trail of one call.
