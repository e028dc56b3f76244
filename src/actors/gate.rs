//! Tokens: what says that something of a command is still in flight.
//!
//! In lockstep the gate lets one command through at a time: each passes with a token that every
//! message, submission and answer of it carries on; when the last clone is dropped, on whatever
//! thread, nothing of it is alive and the gate may pass the next. Live, tokens are only counted, so
//! that a centre whose clock stands still knows when nothing is in flight. A guard that drops
//! cannot be forgotten the way a count kept by hand can.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

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
    count: Mutex<Count>,
    none: Notify,
}

#[derive(Debug, Default)]
struct Count {
    alive: usize,
    /// How often there were none again: what tells a waiter of a moment that has passed.
    pauses: u64,
}

impl Flights {
    fn with<T>(&self, work: impl FnOnce(&mut Count) -> T) -> T {
        work(&mut self.count.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One more, until the last clone of the token is dropped.
    pub fn launch(self: &Arc<Self>) -> Token {
        self.with(|count| count.alive += 1);
        Token { pass: Arc::new(Pass::Flight(self.clone())) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.with(|count| count.alive)
    }

    fn land(&self) {
        let none = self.with(|count| {
            count.alive -= 1;
            if count.alive == 0 {
                count.pauses = count.pauses.wrapping_add(1);
            }
            count.alive == 0
        });
        if none {
            self.none.notify_waiters();
        }
    }

    /// Waits until nothing of what is in flight now is any more: until there has been a moment
    /// without any. Others may have launched since; who waited until there are none just when it is
    /// their turn to look would wait for as long as others go on.
    pub async fn landed(&self) {
        let since = self.with(|count| count.pauses);
        loop {
            let mut told = pin!(self.none.notified());
            // Told from here on, also before it is awaited.
            told.as_mut().enable();
            if self.with(|count| count.alive == 0 || count.pauses != since) {
                return;
            }
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn look(waits: std::pin::Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
        waits.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn who_waits_hears_of_a_moment_that_has_passed() {
        let flights = Arc::new(Flights::default());
        let own = flights.launch();
        let mut waits = pin!(flights.landed());
        assert_eq!(look(waits.as_mut()), Poll::Pending);
        drop(own);
        // Another who was told first goes on first.
        let others = flights.launch();
        assert_eq!(look(waits), Poll::Ready(()));

        let mut waits = pin!(flights.landed());
        assert_eq!(look(waits.as_mut()), Poll::Pending, "a moment before it waited is not one");
        let (clone, more) = (others.clone(), flights.launch());
        drop(others);
        drop(more);
        assert_eq!(look(waits.as_mut()), Poll::Pending, "a clone of it is alive");
        drop(clone);
        assert_eq!((look(waits), flights.count()), (Poll::Ready(()), 0));
    }
}
