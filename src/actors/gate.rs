//! Tokens: what says that something of a command is still in flight.
//!
//! In lockstep the gate lets one command through at a time: each passes with a token that every
//! message, submission and answer of it carries on; when the last clone is dropped, on whatever
//! thread, nothing of it is alive and the gate may pass the next. Live, tokens are only counted, so
//! that a centre whose clock stands still knows when nothing is in flight. A guard that drops
//! cannot be forgotten the way a count kept by hand can.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Alive as long as anything of one passed command is.
#[derive(Debug, Clone)]
pub struct Token {
    #[expect(dead_code, reason = "held for its drop")]
    pass: Arc<Pass>,
}

#[derive(Debug)]
enum Pass {
    Gate(Arc<Notify>),
    Flight(Arc<Flights>),
}

impl Drop for Pass {
    fn drop(&mut self) {
        match self {
            Self::Gate(gate) => gate.notify_one(),
            Self::Flight(flights) => flights.land(),
        }
    }
}

impl Token {
    /// A token whose end is told to `gate`.
    pub fn pass(gate: &Arc<Notify>) -> Self {
        Self { pass: Arc::new(Pass::Gate(gate.clone())) }
    }
}

/// How many commands are in flight.
#[derive(Debug, Default)]
pub struct Flights {
    alive: AtomicUsize,
    none: Notify,
}

impl Flights {
    /// One more, until the last clone of the token is dropped.
    pub fn launch(self: &Arc<Self>) -> Token {
        self.alive.fetch_add(1, Ordering::AcqRel);
        Token { pass: Arc::new(Pass::Flight(self.clone())) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.alive.load(Ordering::Acquire)
    }

    fn land(&self) {
        if self.alive.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.none.notify_waiters();
        }
    }

    /// Waits until nothing is in flight.
    pub async fn landed(&self) {
        loop {
            let mut told = pin!(self.none.notified());
            // Told from here on, also before it is awaited.
            told.as_mut().enable();
            if self.alive.load(Ordering::Acquire) == 0 {
                return;
            }
            told.await;
        }
    }
}
