//! A recorded day through a running server, as a client of its API and sockets.
//!
//! The day's queues and agents are put, everybody comes and goes on the server's clock, and what
//! came of it is read back from the server. It starts no server (the command line does), and it
//! decides nothing: who gets which contact is the server's.

mod callers;
mod desk;
mod gather;
mod setup;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atalaya_domain::ids::Slug;
use atalaya_domain::time::{Span, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::Progress;
use super::report::Report;
use crate::client::{Client, ClientError};
use crate::simulation::scenario::{ActionKind, Scenario};
use world::{CentreClock, World};

/// A day that lies no further ahead of the server's clock than this is played at its own times;
/// any other is moved to the clock's present.
pub const AHEAD_MAX: Span = Span::seconds(2 * 3_600);
/// From the end of the setting up to the first of the day, in time here, where the day is moved.
const LEAD: Duration = Duration::from_secs(2);
/// Pause between two looks at how far the day is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Pause between two reads of contacts that nothing was heard of.
const READ_EVERY: Duration = Duration::from_secs(2);
/// Those who only wait, with nobody to come any more, are given up after so long on the server's
/// clock.
const GIVE_UP: Span = Span::seconds(600);
/// Patience with wrap-ups and signing out when the last contact has ended; then they are cut off.
const CLOSING_TIME_MAX: Duration = Duration::from_secs(60);

/// Why a live replay failed.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The server cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nobody can live by a clock that stands still.
    #[error(
        "cannot replay at {0} centre seconds a second: start the server with a --clock-rate above 0"
    )]
    Clock(f64),
    /// The day's figures would be of other rules.
    #[error(
        "cannot replay: the server gives priority `{0}` another head start than the day does; \
         make them alike in the scenario's or the server's [priorities]"
    )]
    Priority(Slug),
    /// The scenario has no arrivals and nobody who comes.
    #[error("cannot replay: nobody arrives and nobody signs in; name a scenario that has people")]
    Nobody,
}

/// What is asked of a live replay.
pub struct Wanted<'a> {
    /// `http://HOST:PORT`.
    pub server: &'a str,
    /// An administrator's token with the scope `act_as`.
    pub token: &'a str,
    /// Whether the server's priorities are its own, and to be compared.
    pub checks_priorities: bool,
    /// Told from time to time.
    pub tell: &'a (dyn Fn(&Progress) + Sync),
}

/// What a report says of a live replay besides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lived {
    /// Centre seconds in a second.
    pub rate: f64,
    /// What one hop is in centre time: the median round trip of a command.
    pub hop_s: Option<f64>,
    /// How far the day was moved on the server's clock.
    pub moved_s: f64,
    /// The wallboard's figures of its day at the end: those of the report, where nobody else has
    /// used the server in that day and no midnight has passed.
    pub wallboard: BTreeMap<String, u64>,
    /// What was left out and why, with how often.
    pub left_out: BTreeMap<String, u64>,
}

/// Plays the day to the end of its last contact.
pub async fn play(scenario: Scenario, wanted: &Wanted<'_>) -> Result<Report, LiveError> {
    let first = first(&scenario).ok_or(LiveError::Nobody)?;
    let client = Client::new(wanted.server, wanted.token)?;
    // Before anything is made: a clock that stands still is refused.
    CentreClock::read(&client).await?;
    let tokens = setup::set_up(&client, &scenario).await?;
    let clock = CentreClock::read(&client).await?;
    let present = clock.now();
    let ahead = first.since(present);
    let begins = if ahead >= Span::ZERO && ahead <= AHEAD_MAX {
        first
    } else {
        present.plus(clock.centre(LEAD))
    };
    let clock = clock.with_day_at(first, begins);
    let first_seq = client.get("/api/v1/wallboard").await?["seq"].as_u64().unwrap_or_default();
    let world = Arc::new(World::new(client, clock, scenario));
    let lived = live(&world, &tokens, first_seq, wanted).await;
    setup::clear(&world.client, &tokens).await;
    lived?;
    let gather::Gathered { outcomes, events, wallboard } =
        gather::gather(&world, first_seq).await?;
    let lived = Lived {
        rate: clock.rate(),
        hop_s: world.hop_s(),
        moved_s: begins.since(first).as_seconds(),
        wallboard,
        left_out: world.notes().left_out.clone(),
    };
    let report = Report::new(world.scenario.name.clone(), outcomes, events);
    Ok(Report { lived: Some(lived), ..report })
}

/// The first sign-in or arrival.
pub fn first(scenario: &Scenario) -> Option<Timestamp> {
    let come =
        scenario.agents.iter().map(|agent| agent.shift.map_or(scenario.start, |shift| shift.0));
    come.chain(scenario.contacts.iter().map(|contact| contact.at)).min()
}

/// The last thing that anybody plans to do; what comes after only follows.
fn last(scenario: &Scenario) -> Option<Timestamp> {
    let come = scenario.agents.iter().filter_map(|agent| agent.shift.map(|shift| shift.0));
    let leave = scenario.contacts.iter().filter_map(|contact| {
        let patience = contact.patience.map(|patience| contact.at.plus(patience));
        patience.into_iter().chain(contact.hangs_up_at).chain([contact.at]).max()
    });
    let act = scenario.actions.iter().map(|action| action.at);
    come.chain(leave).chain(act).max()
}

/// Lets everybody live until the last contact has ended.
async fn live(
    world: &Arc<World>,
    tokens: &[setup::Token],
    first_seq: u64,
    wanted: &Wanted<'_>,
) -> Result<(), LiveError> {
    let (stop, over) = watch::channel(false);
    let mut desks = JoinSet::new();
    for (number, token) in tokens.iter().enumerate() {
        let client = world.client.with_token(&token.secret);
        desks.spawn(desk::work(world.clone(), number, client, over.clone()));
    }
    let mut arriving = JoinSet::new();
    let checks = wanted.checks_priorities;
    arriving.spawn(callers::arrive(world.clone(), first_seq, checks));
    let mut others = JoinSet::new();
    if world.scenario.actions.iter().any(|action| !matches!(action.what, ActionKind::Agent(..))) {
        others.spawn(callers::act(world.clone()));
    }
    // Those who have arrived; dropping it lets nobody leave any more.
    let mut calls = None;
    let last = last(&world.scenario).map(|at| world.clock.on_server(at).plus(GIVE_UP));
    let mut read_at = Instant::now();
    loop {
        sleep(LOOK_EVERY).await;
        (wanted.tell)(&progress(world));
        while let Some(ended) = desks.try_join_next() {
            desk_ended(world, ended)?;
        }
        if let Some(Ok(arrived)) = arriving.try_join_next() {
            calls = Some(arrived);
        }
        if let Some(fault) = world.notes().fault.take() {
            return Err(fault);
        }
        let is_time = read_at.elapsed() >= READ_EVERY;
        if is_time {
            read_at = Instant::now();
            // A server that has gone is found out also while nobody has anything to do.
            world.client.get("/health/live").await?;
        }
        let Some(calls) = &mut calls else { continue };
        while calls.try_join_next().is_some() {}
        let open = open(world);
        let is_posted = world.notes().ids.len() == world.scenario.contacts.len();
        if open.is_empty() && (is_posted || calls.is_empty()) {
            break;
        }
        if is_time {
            let only_wait = gather::read(world, &open).await?;
            if only_wait && last.is_none_or(|last| last < world.clock.now()) {
                break;
            }
        }
    }
    drop(calls);
    stop.send_replace(true);
    let leave = async {
        while let Some(ended) = desks.join_next().await {
            desk_ended(world, ended)?;
        }
        Ok(())
    };
    timeout(CLOSING_TIME_MAX, leave).await.unwrap_or_else(|_| {
        world.leave_out("a signing out: its work did not end");
        Ok(())
    })
}

fn desk_ended(
    world: &World,
    ended: Result<Result<(), ClientError>, tokio::task::JoinError>,
) -> Result<(), LiveError> {
    match ended {
        Ok(done) => Ok(done?),
        Err(error) => {
            tracing::error!(%error, "a desk panicked");
            world.leave_out("the rest of an agent's day: its desk panicked");
            Ok(())
        }
    }
}

/// Contacts that have arrived and of whose end nothing is known.
fn open(world: &World) -> Vec<String> {
    let notes = world.notes();
    let open = notes.ids.iter().filter(|(_, number)| !notes.ended.contains(number));
    open.map(|(id, _)| id.clone()).collect()
}

fn progress(world: &World) -> Progress {
    let notes = world.notes();
    let count = |many: usize| u64::try_from(many).unwrap_or(u64::MAX);
    Progress {
        at: world.clock.in_day(world.clock.now()),
        arrived: count(notes.ids.len()),
        of: world.scenario.contacts.len(),
        answered: count(notes.answered.len()),
        abandoned: notes.abandoned,
    }
}
