//! The timekeeper: sends a tick to whatever has fallen due, and moves a clock that stands still.
//!
//! The deadlines are in the states, the brain keeps them in order. A tick that dies on its way is
//! sent again: a deadline is let go only by the event that it causes. Where the clock stands still,
//! time moves only by [`advance`], from one instant at which something is due to the next, and what
//! is due is released one at a time, when nothing else is in flight. Not here: what a tick does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Command;
use atalaya_domain::system;
use atalaya_domain::time::{Span, Timestamp};

use super::centre::{Asked, Centre};
use super::projector::offer_all;
use super::register::look;
use super::shell::{Done, Failure, Terms};
use crate::journal::commit::Cause;

/// How long the timekeeper waits before it sends a tick again that has caused nothing.
pub const TICK_AGAIN: Duration = Duration::from_millis(250);
/// How long, in wall time, a write waits until nothing is in flight where the clock stands still;
/// past it it answers all the same.
pub const SETTLE_WAIT_MAX: Duration = Duration::from_secs(10);

/// Runs for as long as the centre is open. Live only: in lockstep the gate releases deadlines.
pub async fn keep(centre: Arc<Centre>) {
    let mut retried = Instant::now();
    while !centre.is_closed() {
        let refused = retry(&centre, &mut retried);
        if centre.stands_still() {
            let _unmoved = centre.unmoved().await;
            settle(&centre).await;
        } else {
            let due = centre.brain().due(centre.now());
            for origin in due {
                centre.pass(origin, centre.token());
            }
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

/// Waits until nothing of what is in flight now is any more, and nothing is due at the instant at
/// which the clock stands, nor to be offered; at most [`SETTLE_WAIT_MAX`]. Others may go on.
pub async fn settle(centre: &Arc<Centre>) {
    match tokio::time::timeout(SETTLE_WAIT_MAX, release_due(centre)).await {
        Ok(Ok(())) => (),
        Ok(Err(error)) => tracing::warn!(%error, "what is due is not done"),
        Err(_) => tracing::warn!("something is still in flight: a write answers before it ends"),
    }
}

/// Releases what is to be offered and what is due, one deadline after the other in their order,
/// each when what was in flight before it has landed.
async fn release_due(centre: &Arc<Centre>) -> Result<(), Failure> {
    let mut before = None;
    loop {
        centre.landed().await;
        let now = centre.now();
        if offer_all(centre, now) {
            continue;
        }
        let (first, due) = {
            let brain = centre.brain();
            (brain.next_deadline(), brain.first_due(now))
        };
        let Some(due) = due else { return Ok(()) };
        let turn = Some((first, centre.last_seq()));
        if before == turn {
            return Err(stuck(now.at));
        }
        before = turn;
        centre.pass(due, centre.token());
    }
}

fn stuck(at: Timestamp) -> Failure {
    let at = crate::views::rfc3339(at);
    Failure::NotCommitted(format!("cannot go on from {at}: what is due then is not committed"))
}

/// Moves a clock that stands still by `span`: all that falls due on the way acts in the order of
/// its instants, each at its own; with `leases`, so do leases that are over. Answers when all of it
/// is committed, and that the clock stands there is committed too.
///
/// Nobody else writes meanwhile. Ended on the way, the clock stands at an instant on the way.
pub async fn advance(
    centre: &Arc<Centre>,
    span: Span,
    leases: bool,
    terms: Terms,
    cause: Cause,
) -> Result<Done, Failure> {
    let _moving = centre.moving().await;
    release_due(centre).await?;
    let to = centre.now().at.plus(span);
    loop {
        let (now, seq) = (centre.now().at, centre.last_seq());
        let mut next = centre.brain().next_deadline().map_or(to, |due| due.max(now).min(to));
        if leases && let Some(left) = first_lease(centre) {
            next = next.min(now.plus(left));
        }
        centre.clock().advance_to(next);
        if leases {
            centre.register.age(next.since(now));
        }
        release_due(centre).await?;
        if leases {
            look(centre, Instant::now(), Duration::ZERO);
            release_due(centre).await?;
        }
        if next == to {
            break;
        }
        if next == now && centre.last_seq() == seq {
            return Err(stuck(now));
        }
    }
    let stands = Command::System(system::Command::SetClock { to });
    let done = centre.carry_out(Asked::new(EntityId::System, stands, cause).on(terms)).await?;
    release_due(centre).await?;
    Ok(done)
}

/// How long until the first lease is over.
fn first_lease(centre: &Centre) -> Option<Span> {
    let held = centre.board().roster().held();
    centre.register.first_over(&held)
}
