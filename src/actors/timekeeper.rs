//! The timekeeper: sends a tick to whatever has fallen due.
//!
//! The deadlines are in the states, the brain keeps them in order. A tick that dies on its way is
//! sent again: a deadline is let go only by the event that it causes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::centre::Centre;
use super::gate::Token;
use super::projector::offer_all;

/// How long the timekeeper waits before it sends a tick again that has caused nothing.
pub const TICK_AGAIN: Duration = Duration::from_millis(250);

/// Runs for as long as the centre is open. Live only: in lockstep the gate releases deadlines.
pub async fn keep(centre: Arc<Centre>) {
    let mut retried = Instant::now();
    while !centre.is_closed() {
        let refused = retry(&centre, &mut retried);
        let due = centre.brain().due(centre.now());
        for origin in due {
            centre.pass(origin, Token::live());
        }
        let next = centre.brain().next_deadline();
        let wait = next.and_then(|instant| centre.clock().wait(instant));
        let wait = match wait {
            Some(wait) if wait.is_zero() => TICK_AGAIN,
            Some(wait) => wait,
            None => Duration::from_secs(3_600),
        };
        let wait = if refused { wait.min(TICK_AGAIN) } else { wait };
        // Woken by the projector whenever the first deadline may have changed.
        let _ = tokio::time::timeout(wait, centre.deadlines_changed()).await;
    }
}

/// Tries again what was refused without an event, at most once in [`TICK_AGAIN`]; says
/// whether some still wait for it.
fn retry(centre: &Arc<Centre>, last: &mut Instant) -> bool {
    if !centre.brain().has_refused() {
        return false;
    }
    if last.elapsed() >= TICK_AGAIN {
        *last = Instant::now();
        centre.brain().retry();
        offer_all(centre, centre.now());
    }
    true
}
