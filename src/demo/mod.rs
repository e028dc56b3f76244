//! A small centre that lives in a running server: callers who call, agents who answer.
//!
//! It is a client like any other: it knows the HTTP interface and the socket, and nothing of the
//! program behind them. What the people do is drawn from a seed; when it happens follows the
//! centre's clock, `rate` seconds of it in one second here. [`live`] is the way in; the server that
//! it lives in is started by whoever calls.

pub mod agents;
pub mod callers;
pub mod centre;
pub mod mind;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::{Client, ClientError};

/// Patience with those who still speak when the run is over; after it they are cut off.
const CLOSING_TIME_MAX: Duration = Duration::from_secs(10);
/// A run without an end: longer than any.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the demo is given.
#[derive(Clone)]
pub struct Options {
    /// `http://HOST:PORT`.
    pub server: String,
    /// An administrator's token with the scope `act_as`.
    pub token: String,
    /// Seconds of the centre's clock in one second here: `clock.rate` of `/health/ready`.
    pub rate: f64,
    /// What the people's chance grows from.
    pub seed: u64,
    /// How long it lives, in time here; none: until it is dropped.
    pub run_for: Option<Duration>,
}

impl fmt::Debug for Options {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, rate, seed, run_for, .. } = self;
        let mut shown = f.debug_struct("Options");
        shown.field("server", server).field("rate", rate).field("seed", seed);
        shown.field("run_for", run_for).finish_non_exhaustive()
    }
}

/// What has happened, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Those who called.
    pub callers: u64,
    /// Those of them who spoke with an agent.
    pub answered: u64,
    /// Those who hung up while they waited.
    pub abandoned: u64,
    /// Those whom a queue refused.
    pub refused: u64,
    /// Those who found the demo's own lines engaged, and never called.
    pub engaged: u64,
    /// Offers that an agent accepted.
    pub offers_accepted: u64,
    /// Offers that an agent rejected.
    pub offers_rejected: u64,
    /// Offers that an agent let pass.
    pub offers_missed: u64,
    /// Sockets that were opened again.
    pub reconnects: u64,
    /// What went wrong and is no part of a centre's day.
    pub errors: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { callers, answered, abandoned, refused, errors, .. } = self;
        let (accepted, missed) = (self.offers_accepted, self.offers_missed);
        write!(
            f,
            "{callers} callers, {answered} answered, {abandoned} abandoned, {refused} refused; \
             offers: {accepted} accepted, {} rejected, {missed} missed; {} reconnects, \
             {errors} errors",
            self.offers_rejected, self.reconnects
        )
    }
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Nobody can live by a clock that stands still.
    #[error("cannot live at {0} centre seconds a second: give a rate above 0")]
    Rate(f64),
    /// The server cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Turns the centre's time into time here.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    rate: f64,
}

impl Pace {
    /// `rate` centre seconds a second; a clock that stands or is no number has no pace.
    pub fn new(rate: f64) -> Result<Self, DemoError> {
        if rate.is_finite() && rate > 0.0 { Ok(Self { rate }) } else { Err(DemoError::Rate(rate)) }
    }

    /// How long so many centre seconds take here.
    pub fn wall(self, centre_s: f64) -> Duration {
        Duration::try_from_secs_f64((centre_s / self.rate).max(0.0)).unwrap_or(FOREVER).min(FOREVER)
    }

    /// The centre seconds that pass in so long a time here.
    pub fn centre_s(self, wall: Duration) -> f64 {
        wall.as_secs_f64() * self.rate
    }
}

/// The counters behind [`Summary`].
#[derive(Debug, Default)]
pub struct Tally([AtomicU64; 10]);

/// One thing that is counted.
#[derive(Debug, Clone, Copy)]
pub enum Count {
    /// [`Summary::callers`].
    Caller,
    /// [`Summary::answered`].
    Answered,
    /// [`Summary::abandoned`].
    Abandoned,
    /// [`Summary::refused`].
    Refused,
    /// [`Summary::engaged`].
    Engaged,
    /// [`Summary::offers_accepted`].
    Accepted,
    /// [`Summary::offers_rejected`].
    Rejected,
    /// [`Summary::offers_missed`].
    Missed,
    /// [`Summary::reconnects`].
    Reconnect,
    /// [`Summary::errors`].
    Error,
}

impl Tally {
    /// One more.
    pub fn add(&self, count: Count) {
        self.cell(count).fetch_add(1, Ordering::Relaxed);
    }

    /// One more error, told.
    pub fn error(&self, who: &str, error: &dyn fmt::Display) {
        tracing::warn!(who, %error, "the demo could not do something");
        self.add(Count::Error);
    }

    /// As it stands.
    pub fn summary(&self) -> Summary {
        let read = |count| self.cell(count).load(Ordering::Relaxed);
        Summary {
            callers: read(Count::Caller),
            answered: read(Count::Answered),
            abandoned: read(Count::Abandoned),
            refused: read(Count::Refused),
            engaged: read(Count::Engaged),
            offers_accepted: read(Count::Accepted),
            offers_rejected: read(Count::Rejected),
            offers_missed: read(Count::Missed),
            reconnects: read(Count::Reconnect),
            errors: read(Count::Error),
        }
    }

    fn cell(&self, count: Count) -> &AtomicU64 {
        let Self([callers, answered, abandoned, refused, engaged, rest @ ..]) = self;
        let [accepted, rejected, missed, reconnects, errors] = rest;
        match count {
            Count::Caller => callers,
            Count::Answered => answered,
            Count::Abandoned => abandoned,
            Count::Refused => refused,
            Count::Engaged => engaged,
            Count::Accepted => accepted,
            Count::Rejected => rejected,
            Count::Missed => missed,
            Count::Reconnect => reconnects,
            Count::Error => errors,
        }
    }
}

/// What all the people share.
pub struct World {
    /// The server, as the administrator sees it.
    pub client: Client,
    /// The pace of time.
    pub pace: Pace,
    /// What has happened.
    pub tally: Tally,
}

/// Sets the centre up and lives in it until `run_for` is over.
///
/// Dropping it ends everything at once: who spoke is cut off, and the server finds out by the
/// leases.
pub async fn live(options: Options) -> Result<Summary, DemoError> {
    let pace = Pace::new(options.rate)?;
    let client = Client::new(&options.server, &options.token)?;
    centre::set_up(&client).await?;
    let world = Arc::new(World { client, pace, tally: Tally::default() });
    let until = Instant::now() + options.run_for.unwrap_or(FOREVER).min(FOREVER);
    let (stop_agents, stopped) = watch::channel(false);
    let mut staff = JoinSet::new();
    let mut tokens = Vec::new();
    for (number, person) in (1..).zip(&centre::PEOPLE) {
        let grant = json!({"role": "agent", "agent": person.id});
        let made = world.client.post_without_key("/api/v1/tokens", &grant).await?;
        let secret = made["token"].as_str().unwrap_or_default();
        tokens.push(made["id"].as_str().unwrap_or_default().to_owned());
        let mind = mind::Mind::new(options.seed, number);
        let client = world.client.with_token(secret);
        staff.spawn(agents::work(world.clone(), client, person.id, mind, stopped.clone()));
    }
    let (stop_callers, hurry) = watch::channel(false);
    let mut calls = JoinSet::new();
    calls.spawn(callers::arrive(world.clone(), options.seed, hurry));
    let failed = tokio::select! {
        () = sleep_until(until) => None,
        error = first_failure(&world, &mut staff) => Some(error),
    };
    stop_callers.send_replace(true);
    let _ = timeout(CLOSING_TIME_MAX, async { while calls.join_next().await.is_some() {} }).await;
    stop_agents.send_replace(true);
    let _ = timeout(CLOSING_TIME_MAX, async { while staff.join_next().await.is_some() {} }).await;
    for token in tokens {
        if let Err(error) = world.client.delete(&format!("/api/v1/tokens/{token}")).await {
            world.tally.error("administrator", &error);
            break;
        }
    }
    failed.map_or_else(|| Ok(world.tally.summary()), Err)
}

/// The first agent who cannot work at all; none ever: waits for ever.
async fn first_failure(world: &World, staff: &mut JoinSet<Result<(), ClientError>>) -> DemoError {
    while let Some(ended) = staff.join_next().await {
        match ended {
            Ok(Ok(())) => (),
            Ok(Err(error)) => return error.into(),
            // A panic: the others work on.
            Err(error) => world.tally.error("an agent", &error),
        }
    }
    std::future::pending().await
}

/// Waits until told to stop; nobody left to tell it is the same.
async fn told_to(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
