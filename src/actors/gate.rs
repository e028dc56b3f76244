//! Tokens: what says that something of a command is still in flight.
//!
//! In lockstep the gate lets one command through at a time: each passes with a token that every
//! message, submission and answer of it carries on; when the last clone is dropped, on whatever
//! thread, nothing of it is alive and the gate may pass the next. A guard that drops cannot be
//! forgotten the way a count kept by hand can.

use std::sync::Arc;

use tokio::sync::Notify;

/// Alive as long as anything of one passed command is.
#[derive(Debug, Clone, Default)]
pub struct Token {
    #[expect(dead_code, reason = "held for its drop")]
    pass: Option<Arc<Pass>>,
}

#[derive(Debug)]
struct Pass(Arc<Notify>);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Token {
    /// No token: live, where commands pass as they come.
    pub const fn live() -> Self {
        Self { pass: None }
    }

    /// A token whose end is told to `gate`.
    pub fn pass(gate: &Arc<Notify>) -> Self {
        Self { pass: Some(Arc::new(Pass(gate.clone()))) }
    }
}
