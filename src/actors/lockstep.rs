//! Lockstep: a scenario played through the actors, one command at a time.

use std::sync::Arc;
use std::thread::JoinHandle;

use actix::ArbiterHandle;
use atalaya_domain::time::Now;
use jiff::tz::TimeZone;

use super::brain::Next;
use super::centre::{Asked, Centre, Options};
use super::clock::Clock;
use super::gate::Token;
use super::guardian::Faults;
use super::shell::Failure;
use crate::journal::commit::Commit;
use crate::simulation::driver::Driver;
use crate::simulation::pure::setup;
use crate::simulation::scenario::Scenario;

/// Void turns in a row after which a run in lockstep is given up as one that does not end.
const TURNS_MAX: u64 = 100_000_000;
/// Turns of a run in lockstep between two words of how far it is.
const TURNS_PER_TELL: u64 = 1_024;

/// Plays `scenario` through the actors in lockstep to its end: the centre as it is then.
///
/// Lanes live on `arbiters`; projector and gate on the caller's. From time to time, and at the end,
/// `tell` sees the centre.
pub async fn play(
    scenario: &Scenario,
    commit: Box<dyn Commit>,
    arbiters: Vec<ArbiterHandle>,
    tell: &dyn Fn(&Centre),
) -> Result<(Arc<Centre>, JoinHandle<()>), Failure> {
    play_told(scenario, commit, arbiters, None, tell).await
}

/// The same, with what makes a test's centre panic.
pub async fn play_with(
    scenario: &Scenario,
    commit: Box<dyn Commit>,
    arbiters: Vec<ArbiterHandle>,
    faults: Option<Arc<dyn Faults>>,
) -> Result<(Arc<Centre>, JoinHandle<()>), Failure> {
    play_told(scenario, commit, arbiters, faults, &|_| ()).await
}

async fn play_told(
    scenario: &Scenario,
    commit: Box<dyn Commit>,
    arbiters: Vec<ArbiterHandle>,
    faults: Option<Arc<dyn Faults>>,
    tell: &dyn Fn(&Centre),
) -> Result<(Arc<Centre>, JoinHandle<()>), Failure> {
    let driver = Some(Driver::new(scenario));
    let clock = Clock::new(scenario.start, 0.0);
    let (history, time_zone) = (Vec::new(), TimeZone::UTC);
    let options = Options { commit, history, arbiters, clock, driver, time_zone };
    let (centre, thread) = Centre::start_with(options, faults)
        .map_err(|error| Failure::NotCommitted(error.to_string()))?;
    let start = Some(Now::live(scenario.start));
    for (to, command) in setup(scenario) {
        centre.tell(Asked::by_system(to, command).at(start)).await?;
    }
    for turn in 0..TURNS_MAX {
        let next = centre.brain().next(&centre.slots);
        if turn.is_multiple_of(TURNS_PER_TELL) || matches!(next, Next::Done) {
            tell(&centre);
        }
        match next {
            Next::Done => return Ok((centre, thread)),
            Next::Void => (),
            Next::Pass(origin) => {
                centre.clock().advance_to(origin.now.at);
                centre.pass(*origin, Token::pass(centre.gate()));
                centre.gate().notified().await;
            }
        }
    }
    Err(Failure::Contended)
}
